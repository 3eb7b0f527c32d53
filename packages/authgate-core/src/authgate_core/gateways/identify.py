"""From what a gateway says to a principal."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import InvalidClaim
from ..identity_headers import GatewayIdentity
from ..principal import Service, User

__all__ = ["identified"]

_LONGEST = 255


def identified(
    identity: GatewayIdentity, issuer: str, expand: Callable[[tuple[str, ...]], frozenset[str]]
) -> User | Service:
    """The caller, once it is certain that the gateway speaks.

    Args:
        identity: What it says.
        issuer: The gateway's name.
        expand: Adds the roles that a hierarchy implies.

    Raises:
        InvalidClaim: If the id is longer than 255 characters (Law 3.9).
    """
    if len(identity.id) > _LONGEST:
        raise InvalidClaim("id", f"is longer than {_LONGEST} characters")
    claims: dict[str, object] = {"sub": identity.id, **dict(identity.claims)}
    if identity.kind == "service":
        return Service(
            id=identity.id,
            issuer=issuer,
            name=identity.claim("preferred_username") or identity.id,
            client_id=identity.claim("client_id"),
            roles=identity.roles,
            scopes=identity.scopes,
            claims=claims,
            source="gateway",
            implied_roles=expand(identity.roles),
        )
    return User(
        id=identity.id,
        issuer=issuer,
        username=identity.claim("preferred_username"),
        email=identity.claim("email"),
        session_id=identity.claim("sid"),
        client_id=identity.claim("client_id"),
        roles=identity.roles,
        scopes=identity.scopes,
        claims=claims,
        source="gateway",
        implied_roles=expand(identity.roles),
    )
