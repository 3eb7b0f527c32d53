"""What the answers of an apex mean to whoever calls it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar, cast

from ..errors import (
    AuthorizationError,
    EndpointRefused,
    EndpointUnavailable,
    LoginRefused,
    MalformedToken,
    TokenInactive,
)
from ..issuer import Unreadable
from ..jose.compact import Limits, parse_object
from ..request import HttpReply
from ..secret import Secret

__all__ = ["Actor", "access_token", "data_of", "readable", "refuse", "whole_of"]

R = TypeVar("R")

_LIMITS: Final = Limits(token=512 * 1024)
_TOKEN: Final = re.compile(r"[!-~]+")
_NO_LOGIN: Final = frozenset({400, 401, 403, 422})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls an apex.

    Args:
        token: Their token.
        is_service: Whether it is this service itself: then a refusal is the operator's to mend, and no caller's.
    """

    token: Secret
    is_service: bool


def whole_of(reply: HttpReply) -> dict[str, Any]:
    """The object that an answer is; raises EndpointUnavailable. Any because it is JSON."""
    try:
        return parse_object(reply.body, _LIMITS)
    except MalformedToken as error:
        raise EndpointUnavailable(f"apex: the answer cannot be read: {error.reason}") from None


def data_of(reply: HttpReply) -> Mapping[str, object]:
    """The ``data`` of an answer; raises EndpointUnavailable."""
    data = whole_of(reply).get("data")
    if not isinstance(data, Mapping):
        raise EndpointUnavailable("apex: data is missing in the answer")
    return cast("Mapping[str, object]", data)


def readable(read: Callable[[object], R], sent: object) -> R:
    """What is read from a part of an answer; raises EndpointUnavailable for what is not of the contract."""
    try:
        return read(sent)
    except Unreadable as error:
        raise EndpointUnavailable(f"apex: {error}") from None


def refuse(reply: HttpReply, actor: Actor, what: str) -> NoReturn:
    """Raise what an answer that is no success comes to.

    Args:
        reply: The answer.
        actor: Who has asked.
        what: What for.
    """
    if actor.is_service and reply.status in {401, 403}:
        raise EndpointRefused(f"apex does not let this service {what}: status {reply.status}")
    if reply.status == 401:
        raise TokenInactive("apex says that the token is nobody's")
    if reply.status == 403:
        raise AuthorizationError(f"apex does not let the bearer of the token {what}")
    if reply.status == 404:
        raise EndpointRefused(f"apex knows nothing of that name: it was asked to {what}")
    raise _unusable(reply)


def access_token(reply: HttpReply) -> str:
    """The token that a login ends with.

    Raises:
        LoginRefused: If apex does not let them in.
        EndpointRefused: If it does not know the client that asks.
        EndpointUnavailable: If there is no answer that can be believed.
    """
    if reply.status in _NO_LOGIN:
        if _error(reply) == "invalid_client":
            raise EndpointRefused("apex does not know the client, or its secret is wrong")
        raise LoginRefused("apex did not take what was presented")
    if reply.status != 200:
        raise _unusable(reply)
    token = whole_of(reply).get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise EndpointUnavailable("apex: access_token in the answer is no token")
    return token


def _unusable(reply: HttpReply) -> EndpointUnavailable:
    reason, after = f"apex answered with status {reply.status}", reply.retry_after
    return EndpointUnavailable(reason) if after is None else EndpointUnavailable(reason, retry_after=after)


def _error(reply: HttpReply) -> object:
    try:
        return parse_object(reply.body, _LIMITS).get("error")
    except MalformedToken:  # a refusal need not say why
        return None
