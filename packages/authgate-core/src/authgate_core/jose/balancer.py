"""What AWS load balancers say in the header of a token, where other issuers say nothing that counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import InvalidClaim
from ..principal import is_uuid
from .compact import Limits, header_members

__all__ = ["BalancerRules", "check_balancer"]


@dataclass(frozen=True, slots=True)
class BalancerRules:
    """What the header of a load balancer's token must say.

    Args:
        signers: The load balancers that may have signed it, by ARN: their keys are those of a whole region.
        clients: The OAuth clients of which the user may have signed in to one; such tokens have no audience.
    """

    signers: frozenset[str]
    clients: frozenset[str]


def check_balancer(segment: str, claims: dict[str, Any], rules: BalancerRules, limits: Limits) -> str:
    """Check a header before its key is looked for, and have what it says beside the claims count with them.

    Nothing is verified yet, but all of it is under the signature, and none of it is believed before that is good.

    Args:
        segment: The header segment, as it arrived.
        claims: What was read from the payload. They get the earlier ``exp`` of both, and the header's ``iss`` where
            they have none.
        rules: What must be there.
        limits: Sizes (Law 2.4).

    Returns:
        The name of the key, a UUID, which alone of all that a caller writes becomes a part of a URL.

    Raises:
        MalformedToken: If the header is no strict JSON object.
        InvalidClaim: If a load balancer that is not listed has signed, for another client, or the header has no
            name of a key, no ``exp``, or another ``iss`` than the payload.
    """
    members = header_members(segment, limits)
    for name, allowed in (("signer", rules.signers), ("client", rules.clients)):
        value = members.get(name)
        if not isinstance(value, str) or value not in allowed:
            raise InvalidClaim(f"{name} header", "is none of those that are configured")
    kid = members.get("kid")
    if not is_uuid(kid):
        raise InvalidClaim("kid header", "is not a UUID in lower case")
    claims["exp"] = _earlier(members.get("exp"), claims)
    iss = members.get("iss", claims.get("iss"))
    if claims.setdefault("iss", iss) != iss:
        raise InvalidClaim("iss header", "is not that of the payload")
    return kid


def _earlier(ends: object, claims: dict[str, Any]) -> object:
    """The ``exp`` that comes first; one of the payload that is no number is left to the check of the claims."""
    if isinstance(ends, bool) or not isinstance(ends, (int, float)):
        raise InvalidClaim("exp header", "is not a number")
    also: object = claims.get("exp", ends)
    if isinstance(also, bool) or not isinstance(also, (int, float)):
        return also
    return min(ends, also)
