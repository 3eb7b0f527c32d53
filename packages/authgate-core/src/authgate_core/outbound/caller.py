"""Whoever has called this service, as far as that matters to those whom it calls for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from ..credentials import BEARER, BearerToken, bearer_alone, bearer_pairs
from ..effects import Endpoint
from ..errors import EndpointRefused, MalformedToken, NotAdmitted
from ..jose.compact import Limits, may_be_signed, parse_object, split
from ..principal import Admission, Service, User
from ..principal.base import frozen
from ..request import RequestView
from ..secret import Secret
from .wanted import OnBehalf

__all__ = ["caller_of", "check_chain"]

_LIMITS: Final = Limits(token=512 * 1024)
_SAYS_WHO: Final = frozenset({"sub", "exp"})
_NO_TOKEN: Final = (
    "the caller was admitted by no Bearer token that this admission knows; acting for a caller needs the request "
    "and the token that it came with"
)


def caller_of(admission: Admission) -> OnBehalf:
    """The caller and the token that the gate has verified of them.

    Raises:
        NotAdmitted: If nobody was admitted by such a token: by a gateway's headers, an API key, or none at all.
    """
    principal = admission.get(User) or admission.get(Service)
    view = admission.request
    if principal is None or principal.source != "bearer" or not isinstance(view, RequestView):
        raise NotAdmitted(_NO_TOKEN)
    token = _remembered(view, principal) or _presented(view, principal)
    if token is None:
        raise NotAdmitted(_NO_TOKEN)
    ends = principal.claims.get("exp")
    actor = principal.actor if isinstance(principal, User) else principal.claims.get("act")
    return OnBehalf(
        token,
        float(ends) if isinstance(ends, (int, float)) else None,
        cast("Mapping[str, Any]", actor) if isinstance(actor, Mapping) else None,
    )


def _remembered(view: RequestView, principal: User | Service) -> Secret | None:
    """The token that a guard of this request has found to be this principal's, wherever it stood."""
    entries = {} if view.memo is None else view.memo.entries
    for (_, kind), (credential, found) in entries.items():
        if (
            kind != BEARER
            or not isinstance(credential, BearerToken)
            or not isinstance(found, (User, Service))
        ):
            continue
        if (
            found == principal and found.claims == principal.claims
        ):  # they may have shown another gate another
            return credential.value
    return None


def _presented(view: RequestView, principal: User | Service) -> Secret | None:
    """The token in the header, where it says of its bearer what was verified.

    Where a gate reads another header, or the gateway's, what stands in this one was not verified (Law 2.7).
    """
    text = bearer_alone(bearer_pairs(view.only), view.subprotocols, _LIMITS.token)
    if text is None or not may_be_signed(text):
        return None
    try:
        said = parse_object(split(text, _LIMITS).payload, _LIMITS)
    except MalformedToken:
        return None
    claims = principal.claims
    is_same = all(name in claims and claims[name] == frozen(value) for name, value in said.items())
    return Secret(text) if is_same and said.keys() >= _SAYS_WHO else None


def check_chain(token: str, actor: Mapping[str, Any] | None, endpoint: Endpoint) -> None:
    """Whoever acted before is in the new token as well (RFC 8693 section 4.1), where that can be read.

    What is read here is not verified, and nobody is admitted by it: it came from the issuer itself, over TLS. A token
    that only its issuer can read keeps its chain there.

    Raises:
        EndpointRefused: If the token leaves them out.
    """
    if actor is None or not may_be_signed(token):
        return
    try:
        act: object = parse_object(split(token, _LIMITS).payload, _LIMITS).get("act")
    except MalformedToken:
        return
    while isinstance(act, Mapping):
        if frozen(cast("Mapping[str, object]", act)) == actor:
            return
        act = cast("Mapping[str, object]", act).get("act")
    raise EndpointRefused(f"{endpoint.name}: the token does not say who has acted for the caller before")
