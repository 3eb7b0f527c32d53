"""Asking an apex whose a token is, and what that user is to this service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar, cast

from ..clients import bearer_request
from ..clock import Instant
from ..credentials import BearerToken
from ..effects import Answered, AskEndpoint, Endpoint, Flow
from ..errors import EndpointUnavailable, InvalidClaim, MalformedToken, TokenInactive
from ..issuer import ApexUser, ServiceUser, Unreadable, apex_claims, read_member, read_user
from ..jose.compact import Limits, parse_object
from ..jose.verify import VouchedClaims, vouch_bearer
from .asking import OPAQUE, Said, ask, token_name, unusable
from .trust import ApexDesk, TrustedIssuer

__all__ = ["apex_vouched"]

_REMEMBERED: Final = 5.0
"""How long an answer counts, in seconds."""
_NO: Final = frozenset({401, 403})
_NOT_HERE: Final = frozenset({403, 404})
"""What is answered of a user who is none of this service's."""
_LIMITS: Final = Limits(token=512 * 1024)

Member: TypeAlias = ServiceUser[Mapping[str, Any]]
R = TypeVar("R")


def apex_vouched(
    token: BearerToken, trusted: TrustedIssuer, desk: ApexDesk, now: Instant
) -> Flow[VouchedClaims]:
    """What an apex says of the bearer of a token.

    Args:
        token: What was presented.
        trusted: The issuer.
        desk: How it is asked.
        now: The present moment.

    Raises:
        InvalidToken: If it is nobody's, or cannot be a token; of that nobody is asked (Law 3.11).
        EndpointUnavailable: If there is no answer that can be believed (Law 1.5).
    """
    text = token.value.reveal()
    if not OPAQUE.fullmatch(text):
        raise MalformedToken("not one word of printable ASCII, which no issuer hands out")
    if trusted.rules.plain_jti:
        raise InvalidClaim("jti", "is not told by apex, and the revocation source lists tokens by it")
    user = yield from _user(desk, text, now)
    member = None if desk.spec.service is None else (yield from _member(desk, text, user, now))
    claims = apex_claims(user, member)
    vouched = vouch_bearer(claims, token_name(text), json.dumps(claims).encode())
    if not trusted.serves(trusted.issuer.tenant(claims), now):
        raise InvalidClaim("tenant", "is not one of those that are served here")
    return vouched


def _user(desk: ApexDesk, text: str, now: Instant) -> Flow[ApexUser]:
    key = desk.known.key(text)
    question = partial(_question, desk, desk.users, desk.spec.user_url, text, key)
    user = yield from ask(key, question, partial(_read_user, desk.users), desk.known, now)
    if user is None:
        raise TokenInactive("apex says that the token is nobody's")
    return user


def _member(desk: ApexDesk, text: str, user: ApexUser, now: Instant) -> Flow[Member | None]:
    """What the user is to this service; None where nothing."""
    key = desk.belonging.key(text, user.id)
    question = partial(_question, desk, desk.members, desk.spec.member_url(user.id), text, key)
    read = partial(_read_member, desk, user)
    return (yield from ask(key, question, read, desk.belonging, now))


def _question(desk: ApexDesk, endpoint: Endpoint, url: str, text: str, key: bytes) -> AskEndpoint:
    return AskEndpoint(endpoint, bearer_request(url, text, plain_http=desk.plain_http), key)


def _read_user(endpoint: Endpoint, answered: Answered) -> Flow[Said[ApexUser]]:
    yield from ()
    reply = answered.reply
    if reply.status in _NO:
        return Said(None, _REMEMBERED)
    if reply.status != 200:
        raise unusable(endpoint, reply)
    return Said(_readable(endpoint, read_user, _object(endpoint, reply.body)), _REMEMBERED)


def _read_member(desk: ApexDesk, user: ApexUser, answered: Answered) -> Flow[Said[Member]]:
    yield from ()
    reply, endpoint = answered.reply, desk.members
    if reply.status in _NOT_HERE:
        return Said(None, _REMEMBERED)
    if reply.status == 401:
        raise TokenInactive("apex says that the token is nobody's any more")
    if reply.status != 200:
        raise unusable(endpoint, reply)
    data = _object(endpoint, reply.body).get("data")
    sent = cast("Mapping[str, object]", data).get("user") if isinstance(data, Mapping) else None
    member = _readable(endpoint, read_member, sent)
    if member.user.id != user.id:
        raise EndpointUnavailable(f"{endpoint.name} answered with another user than it was asked about")
    return _fitting(desk, member)


def _fitting(desk: ApexDesk, member: Member) -> Said[Member]:
    """The same with metadata of the form that was configured; of a user who has none, that is no mistake."""
    metadata = member.metadata
    if metadata is None or desk.spec.fits(metadata):
        return Said(member, _REMEMBERED)
    if not metadata:
        return Said(ServiceUser(member.user, member.is_service_admin, None), _REMEMBERED)
    raise EndpointUnavailable(f"{desk.members.name}: the metadata of a user does not fit what is configured")


def _readable(endpoint: Endpoint, read: Callable[[object], R], sent: object) -> R:
    try:
        return read(sent)
    except Unreadable as error:
        raise EndpointUnavailable(f"{endpoint.name}: {error}") from None


def _object(endpoint: Endpoint, body: bytes) -> dict[str, Any]:
    try:
        return parse_object(body, _LIMITS)
    except MalformedToken as error:
        raise EndpointUnavailable(f"{endpoint.name}: the answer cannot be read: {error.reason}") from None
