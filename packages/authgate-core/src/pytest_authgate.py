"""The pytest plugin of authgate-core: fixtures that every test of a service with a gate can ask for.

pytest imports this module wherever authgate-core is installed, and before anything else. So it stands beside the
package and not in it: nothing of authgate is imported until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from authgate_core.testing import FakeIssuer

__all__ = ["authgate_audience", "authgate_issuer", "authgate_token"]


@pytest.fixture(scope="session")
def authgate_audience() -> str:
    """The audience of the tokens: ``test-api``; a fixture of this name in a ``conftest.py`` says another."""
    return "test-api"


@pytest.fixture(scope="session")
def authgate_issuer(authgate_audience: str) -> Iterator[FakeIssuer]:
    """An OpenID provider with real keys, served on 127.0.0.1 for as long as the tests run.

    All tests share it. One that rotates its keys, or makes it fail, has a ``FakeIssuer`` of its own.
    """
    from authgate_core.testing import FakeIssuer  # noqa: PLC0415 - the whole of authgate, for who asks

    with FakeIssuer(audience=authgate_audience) as issuer:
        yield issuer


@pytest.fixture(scope="session")
def authgate_token(authgate_issuer: FakeIssuer) -> Callable[..., str]:
    """Makes tokens of that issuer: ``authgate_token("u1", scope="orders:read")``; see ``FakeIssuer.token``."""
    return authgate_issuer.token
