"""Having an issuer say whether a token is active, and what it means (RFC 7662, RFC 9701)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast

from ..clients import form_request
from ..clock import Instant
from ..credentials import BearerToken
from ..effects import Answered, AskEndpoint, Flow
from ..errors import (
    EndpointRefused,
    EndpointUnavailable,
    InvalidClaim,
    InvalidToken,
    MalformedToken,
    TokenInactive,
    TokenRevoked,
    UserInactive,
)
from ..jose.compact import Limits, parse_header, parse_object, split
from ..jose.signature import is_allowed
from ..jose.verify import VouchedClaims, check_signature, vouch
from ..principal import Service, User
from .apex import apex_vouched
from .asking import OPAQUE, Said, ask, token_name, unusable
from .keys import find_keys
from .revoked import check_revoked
from .trust import Asking, Trust, TrustedIssuer, Vouched

__all__ = ["authenticate_vouched", "vouched_claims"]

_REFUSED_FOR: Final = 5.0
_SIGNED: Final = "application/token-introspection+jwt"
_SIGNED_TYPES: Final = frozenset({"token-introspection+jwt", _SIGNED})
_OURSELVES: Final = frozenset({401, 403})
_KIND_CLAIMS: Final = ("token_type", "typ", "type", "token_use")
_LIMITS: Final = Limits(token=512 * 1024)
_LATEST: Final = 253402300799  # Law 3.7
_OLDEST: Final = 60.0
"""How old a signed answer may be, in seconds: it was made for this question."""
_UNSUPPORTED: Final = "it does not introspect its own JWTs: leave out jwts=True, and have them verified here"


def authenticate_vouched(
    token: BearerToken, trusted: TrustedIssuer, trust: Trust, now: Instant
) -> Flow[User | Service]:
    """Ask the issuer about a token, ask whether it was revoked here, and say who it speaks of.

    Args:
        token: What was presented.
        trusted: The issuer that is asked.
        trust: What tokens are verified with.
        now: The present moment.

    Raises:
        InvalidToken: If the issuer says that it is not active, or says of it what its rules do not allow.
        EndpointUnavailable: If the issuer gives no answer that can be believed.
        RevocationUnavailable: If the revocation source cannot answer.
    """
    with trusted.named:
        if len(token.value) > trust.limits.token:
            raise MalformedToken(f"longer than {trust.limits.token} bytes")  # Law 2.4
        claims = yield from vouched_claims(token, trusted, now)
        principal, ref = trusted.issuer.identify(claims, trust.expand)
        if (yield from check_revoked(ref, trust.known)):
            raise TokenRevoked("the token, or what it belongs to, was revoked")
        if not trusted.issuer.is_active(claims.claims):
            raise UserInactive("the issuer says that the user is not active")
    return principal


def vouched_claims(token: BearerToken, trusted: TrustedIssuer, now: Instant) -> Flow[VouchedClaims]:
    """What the issuer says of a token, as far as its rules allow that.

    What the issuer said is judged at every use: a remembered answer ends no later than the token, and the rules
    are asked as of a token that was verified here (Law 7.1).

    Raises:
        InvalidToken: As ``authenticate_vouched`` does; of what cannot be a token nobody is asked (Law 3.11).
        EndpointUnavailable: As ``authenticate_vouched`` does.
    """
    if trusted.apex is not None:
        return (yield from apex_vouched(token, trusted, trusted.apex, now))
    asking = trusted.asking
    if asking is None:
        raise LookupError(f"issuer {trusted.issuer.name!r} is not asked about tokens")
    text = token.value.reveal()
    if not OPAQUE.fullmatch(text):
        raise MalformedToken("not one word of printable ASCII, which no issuer hands out")
    key = asking.answers.key(text)
    question = partial(_question, text, key, trusted, asking, now)
    vouched = yield from ask(key, question, partial(_read, trusted, asking), asking.answers, now)
    if vouched is None:
        raise TokenInactive(_inactive(trusted))
    claims = vouch(vouched.claims, token_name(text), vouched.payload, asking.rules, now)
    if not trusted.serves(trusted.issuer.tenant(claims.claims), now):
        raise InvalidClaim("tenant", "is not one of those that are served here")
    return claims


def _inactive(trusted: TrustedIssuer) -> str:
    """What logs say; Keycloak calls a token inactive also when the client that asks is not in its ``aud``."""
    hint = trusted.issuer.terms.audience_hint
    return f"the issuer says that the token is not active{f', or not for this client{hint}' if hint else ''}"


def _question(text: str, key: bytes, trusted: TrustedIssuer, asking: Asking, now: Instant) -> AskEndpoint:
    spec = asking.spec
    request = form_request(
        spec.url,
        {"token": text, "token_type_hint": "access_token"},
        spec.client,
        audience=trusted.issuer.issuer or spec.url,
        now=now,
        nonce=asking.nonce(),
        accept=_SIGNED if spec.signed else "application/json",
        plain_http=trusted.issuer.allow_http,
        timeout=spec.timeout,
    )
    return AskEndpoint(asking.endpoint, request, key, _OURSELVES)


def _read(trusted: TrustedIssuer, asking: Asking, answered: Answered) -> Flow[Said[Vouched]]:
    """What the answer says; a contract that is not kept is an outage, for it says nothing of the token (Law 1.5)."""
    reply = answered.reply
    if reply.status in _OURSELVES:
        raise EndpointRefused(
            f"the client {asking.spec.client.client_id!r} was refused: check its credentials"
        )
    if reply.status == 400:
        raise EndpointRefused(_why(reply.body))
    if reply.status != 200:
        raise unusable(asking.endpoint, reply)
    if asking.spec.signed:
        answer = yield from _opened(trusted, asking, answered)
    else:
        answer = _object(reply.body)
    active = answer.pop("active", None)
    if active is False:
        return Said(None, _REFUSED_FOR)
    if active is not True:
        raise EndpointUnavailable("active in the answer is neither true nor false")
    return _yes(answer, trusted.issuer.issuer, asking, answered.asked)


def _yes(answer: dict[str, Any], issuer: str | None, asking: Asking, asked: Instant) -> Said[Vouched]:
    """The claims of an active token; of one that says nothing of its kind nobody knows that it is an access token."""
    if all(name not in answer for name in _KIND_CLAIMS):
        # RFC 7662 leaves token_type open, and servers leave it out of what they say of a refresh token (Law 3.8).
        answer["token_type"] = None
    if issuer is not None:
        answer.setdefault("iss", issuer)
    rest = _rest(answer.get("exp"), asked.wall)
    return Said(Vouched(answer, json.dumps(answer).encode()), min(asking.spec.remember, rest))


def _rest(exp: object, wall: float) -> float:
    """How long the token is good for, in seconds; of one that has no date, ``vouch`` says so."""
    is_date = isinstance(exp, (int, float)) and not isinstance(exp, bool) and 0 <= exp <= _LATEST
    return exp - wall if isinstance(exp, (int, float)) and is_date else 0.0


def _object(body: bytes) -> dict[str, Any]:
    try:
        return parse_object(body, _LIMITS)
    except MalformedToken as error:
        raise EndpointUnavailable(f"the answer cannot be read: {error.reason}") from None


def _why(body: bytes) -> str:
    """What a 400 means; of the body only what this knows is told."""
    try:
        error = parse_object(body, _LIMITS).get("error")
    except MalformedToken:
        error = None
    if error == "unsupported_token_type":
        return _UNSUPPORTED
    if error == "invalid_client":
        return "the client is not known, or its credentials are wrong"
    return "it refused the request itself, with status 400"


def _opened(trusted: TrustedIssuer, asking: Asking, answered: Answered) -> Flow[dict[str, Any]]:
    """The members of a signed answer (RFC 9701 section 5)."""
    content_type = answered.reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _SIGNED:
        raise EndpointUnavailable("the answer is not signed, and signed=True asks for that")
    try:
        claims = yield from _signed_claims(trusted, answered)
    except InvalidToken as error:
        # What is wrong with the answer says nothing of the token that was asked about.
        raise EndpointUnavailable(f"the signed answer is not good: {error.reason}") from None
    aud: object = claims.get("aud")
    if claims.get("iss") != trusted.issuer.issuer or asking.spec.client.client_id not in _texts(aud):
        raise EndpointUnavailable("the signed answer is of another issuer, or for another client")
    if not _is_recent(claims.get("iat"), answered, asking.rules.leeway):
        raise EndpointUnavailable("the signed answer is not of this moment")
    answer: object = claims.get("token_introspection")
    if not isinstance(answer, dict):
        raise EndpointUnavailable("the signed answer holds no token_introspection")
    return cast("dict[str, Any]", answer)


def _signed_claims(trusted: TrustedIssuer, answered: Answered) -> Flow[Mapping[str, Any]]:
    parts = split(answered.reply.body.decode("ascii", "replace"), _LIMITS)
    header = parse_header(parts.header, _LIMITS)
    if (header.typ or "").lower() not in _SIGNED_TYPES:
        raise InvalidClaim("typ header", "is not token-introspection+jwt")
    if not is_allowed(header.alg, trusted.rules.algorithms):
        raise InvalidClaim("alg header", "is not on the issuer's list")
    keys = yield from find_keys(header, trusted.door(None), answered.at)
    check_signature(parts, header, keys)
    return parse_object(parts.payload, _LIMITS)


def _texts(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _is_recent(iat: object, answered: Answered, leeway: float) -> bool:
    if isinstance(iat, bool) or not isinstance(iat, (int, float)):
        return False
    return answered.asked.wall - leeway - _OLDEST <= iat <= answered.at.wall + leeway
