"""What a token endpoint answers (RFC 6749 section 5, RFC 8693 section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from ..effects import Answered, Endpoint
from ..errors import EndpointRefused, EndpointUnavailable, MalformedToken, TokenInactive
from ..flows.asking import unusable
from ..jose.compact import Limits, parse_object
from ..secret import Secret
from .caller import check_chain
from .tokens import IssuedToken
from .wanted import InOwnName, OnBehalf, Wanted

__all__ = ["ClientRefused", "read_answer", "read_object"]

_LIMITS: Final = Limits(token=512 * 1024)
_BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""What a token in an ``Authorization`` header consists of (RFC 6750 section 2.1)."""
_DIGITS: Final = re.compile(r"\d{1,12}")
_UNSAID: Final = 60.0
"""How long a token is used of which the answer does not say when it ends, in seconds."""
_LONGEST: Final = 1e12
"""More seconds than any token lasts."""
_REFUSALS: Final[Mapping[str, str]] = {
    "access_denied": "it does not give this client such a token",
    "invalid_grant": "it does not take the client's grant",
    "invalid_request": "it does not take the request",
    "invalid_scope": "the scopes are unknown, or not for this client",
    "invalid_target": "the audience or resource is unknown, or not for this client",
    "unauthorized_client": "the client may not ask for tokens in this way",
    "unsupported_grant_type": "it knows no such way to ask for tokens",
}
"""The errors of RFC 6749 section 5.2, RFC 8693 and RFC 8707, which are all that is told of a refusal (Law 1.2)."""
_CLIENT: Final = "the client is not known, or its credentials are wrong"


class ClientRefused(EndpointRefused):
    """The issuer refuses this client, whatever it asks for."""


def read_object(answered: Answered, endpoint: Endpoint) -> dict[str, Any]:
    """The JSON object of a good answer.

    Raises:
        EndpointUnavailable: If it is no good answer.
    """
    if answered.reply.status != 200:
        raise unusable(endpoint, answered.reply)
    try:
        return parse_object(answered.reply.body, _LIMITS)
    except MalformedToken as error:
        raise EndpointUnavailable(f"the answer of {endpoint.name} cannot be read: {error.reason}") from None


def read_answer(answered: Answered, endpoint: Endpoint, wanted: Wanted) -> IssuedToken:
    """The token that was issued.

    Raises:
        ClientRefused: If the client is not known, or its credentials are wrong.
        TokenInactive: If what it acts with is not valid any more: the caller's token, or the refresh token.
        EndpointRefused: If the issuer does not give this client such a token.
        EndpointUnavailable: If there is no answer that can be believed.
    """
    if answered.reply.status in {400, 401, 403}:
        raise _refusal(answered, endpoint, wanted)
    members = read_object(answered, endpoint)
    if str(members.get("token_type")).lower() != "bearer":
        # RFC 6749 section 7.1: a token of a type that is not understood is not used.
        raise EndpointUnavailable(f"{endpoint.name} issued a token that is not of the type Bearer")
    token = members.get("access_token")
    if not isinstance(token, str) or not _BEARER.fullmatch(token):
        raise EndpointUnavailable(f"{endpoint.name} issued no token that a header can hold")
    if isinstance(wanted.grant, OnBehalf):
        check_chain(token, wanted.grant.actor, endpoint)
    newer = members.get("refresh_token")
    kept = Secret(newer) if isinstance(newer, str) and newer else None
    return IssuedToken(Secret(token), answered.asked, _life(members, answered, wanted), kept)


def _refusal(answered: Answered, endpoint: Endpoint, wanted: Wanted) -> Exception:
    error = _error(answered.reply.body)
    if error == "invalid_client" or (answered.reply.status == 401 and error not in _REFUSALS):
        return ClientRefused(f"{endpoint.name}: {_CLIENT}")
    if error == "invalid_grant" and not isinstance(wanted.grant, InOwnName):
        return TokenInactive(f"{endpoint.name}: what this service acts with is not valid any more")
    said = _REFUSALS.get(error, f"it refused the request with status {answered.reply.status}")
    return EndpointRefused(f"{endpoint.name}: {said}")


def _error(body: bytes) -> str:
    try:
        return str(parse_object(body, _LIMITS).get("error"))
    except MalformedToken:
        return ""


def _life(members: Mapping[str, Any], answered: Answered, wanted: Wanted) -> float:
    """How long the token may be used, in seconds; one that stands for another's token ends with that."""
    said = members.get("expires_in")
    if isinstance(said, str) and _DIGITS.fullmatch(said):
        said = float(said)  # what some servers write, though RFC 6749 says a number
    is_number = isinstance(said, (int, float)) and not isinstance(said, bool)
    life = (
        float(min(cast("float", said), _LONGEST)) if is_number else _UNSAID
    )  # an int may be larger than any float
    ends = wanted.grant.ends if isinstance(wanted.grant, OnBehalf) else None
    return max(0.0, life if ends is None else min(life, ends - answered.asked.wall))
