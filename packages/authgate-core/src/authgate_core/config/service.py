"""The variables of the older client of Keycloak that say who this service is when it calls others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import ConfigurationError
from ..secret import Secret

__all__ = ["ServiceSettings", "read_service"]

_REALM: Final = "KEYCLOAK_REALM_URL"
_CLIENT: Final = "SERVICE_CLIENT_ID"
_SECRET: Final = "SERVICE_CLIENT_SECRET"
_TIMEOUT: Final = "HTTP_TIMEOUT"
_REQUIRED: Final[Mapping[str, str]] = {
    _REALM: "the URL of the realm, such as https://id.example.com/realms/shop",
    _CLIENT: "the client that this service is when it calls others",
    _SECRET: "the secret of that client",
}
_LONGEST: Final = 5.0
_SHORTEST: Final = 0.01


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Who this service is to the realm.

    Args:
        realm_url: The realm.
        client_id: The client.
        secret: Its secret.
        timeout: How long one request to the realm may take, in seconds; a variable can only lower it (Law 4.9).
    """

    realm_url: str
    client_id: str
    secret: Secret = field(repr=False)
    timeout: float


def read_service(mapping: Mapping[str, Any] | None = None) -> ServiceSettings:
    """Read the variables; those of the environment, unless a mapping is given.

    Raises:
        ConfigurationError: Naming all that are missing or wrong (Law 1.6).
    """
    given = os.environ if mapping is None else mapping
    found = {name: str(given.get(name) or "").strip() for name in _REQUIRED}
    problems = [
        f"{name}: is not set, or empty; give {_REQUIRED[name]}" for name, value in found.items() if not value
    ]
    timeout = _number(given.get(_TIMEOUT) or _LONGEST)
    if timeout is None:
        problems.append(f"{_TIMEOUT}: {given[_TIMEOUT]!r} is no number of seconds")
    if problems or timeout is None:
        raise ConfigurationError(*problems)
    return ServiceSettings(found[_REALM].rstrip("/"), found[_CLIENT], Secret(found[_SECRET]), timeout)


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return min(max(number, _SHORTEST), _LONGEST) if number >= 0 else None
