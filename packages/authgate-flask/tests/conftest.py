"""One issuer, one project and an application to guard."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from flask import Flask

from authgate_core import Gate, GateConfig, Issuer, StaticProjects
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate

APP_SECRET = "a-secret-of-more-than-thirty-two-characters"


@pytest.fixture(scope="session")
def issuer() -> FakeIssuer:
    """An issuer whose tokens every gate here believes."""
    return FakeIssuer(audience="orders-api", url="https://id.example.com")


@pytest.fixture(scope="session")
def config(issuer: FakeIssuer) -> GateConfig:
    """Users, services and projects, all known by heart."""
    trusted = Issuer.static(
        issuer.jwks(), issuer=issuer.url, audience=issuer.audience, service_when={"gty": "client-credentials"}
    )
    projects = StaticProjects({"shop": {"id": "p1", "name": "Shop", "secret": APP_SECRET}})
    return GateConfig(issuers=[trusted], projects=projects)


@pytest.fixture
def gate(config: GateConfig) -> Iterator[Gate]:
    """A gate that is closed afterwards."""
    with Gate(config) as gate:
        yield gate


@pytest.fixture
def app(gate: Gate) -> Flask:
    """An application as in production: what nobody handles becomes a 500."""
    app = Flask("orders")
    AuthGate(app, gate=gate)
    return app


@pytest.fixture
def bearer(issuer: FakeIssuer) -> Callable[..., dict[str, str]]:
    """Makes the header that presents a token; the arguments shape the token."""

    def present(sub: object = "u1", **shape: object) -> dict[str, str]:
        return {"Authorization": f"Bearer {issuer.token(sub, **cast('dict[str, Any]', shape))}"}

    return present


@pytest.fixture
def user(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    """What a user's request carries."""
    return bearer(scope="orders:read", roles=["clerk"], email="u1@example.com", department="toys")


@pytest.fixture
def service(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    """What a service's request carries."""
    return bearer("s1", gty="client-credentials")


@pytest.fixture
def project() -> dict[str, str]:
    """What a project's request carries."""
    return {"x-app-id": "shop", "x-app-secret": APP_SECRET}


@pytest.fixture
def no_new_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nobody can make an event loop."""

    def refuse() -> asyncio.AbstractEventLoop:
        raise AssertionError("an event loop was made")

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    monkeypatch.setattr(asyncio.events, "new_event_loop", refuse)
