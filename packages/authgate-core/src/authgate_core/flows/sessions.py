"""Asking an auth service whether the session that a token belongs to goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ..cache import Answers
from ..clients import bearer_request
from ..clock import Instant
from ..credentials import BearerToken
from ..effects import Answered, AskEndpoint, Endpoint, Flow
from ..errors import EndpointUnavailable, MalformedToken, TokenRevoked
from ..jose.compact import Limits, parse_object
from .asking import Said, ask, unusable

__all__ = ["Sessions", "check_session"]

_REMEMBERED: Final = 5.0
"""How long an answer counts, in seconds (Law 7.4)."""
_CODES: Final = ("invalid_token", "session_expired")  # what an answer holds need not be hashable
_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Sessions:
    """Where sessions are asked about, and what was answered.

    Args:
        endpoint: The endpoint, which judges the token that it is sent.
        answers: What it said lately.
        plain_http: Whether plain http beyond loopback was allowed for it.
    """

    endpoint: Endpoint
    answers: Answers[bool] = field(repr=False)
    plain_http: bool = False


def check_session(sessions: Sessions, token: BearerToken, now: Instant) -> Flow[None]:
    """Check that the session of a verified token goes on.

    Args:
        sessions: Whom to ask.
        token: The token.
        now: The present moment.

    Raises:
        TokenRevoked: If it does not.
        EndpointUnavailable: If there is no answer that can be believed, or too many were asked for (Law 1.5).
    """
    text = token.value.reveal()
    key = sessions.answers.key(text)
    question = partial(_question, sessions, text, key)
    if not (yield from ask(key, question, partial(_read, sessions.endpoint), sessions.answers, now)):
        raise TokenRevoked("the auth service says that the session is over")


def _question(sessions: Sessions, text: str, key: bytes) -> AskEndpoint:
    request = bearer_request(sessions.endpoint.url, text, plain_http=sessions.plain_http)
    return AskEndpoint(sessions.endpoint, request, key)


def _read(endpoint: Endpoint, answered: Answered) -> Flow[Said[bool]]:
    """What the answer says; a refusal without one of the codes of the service is not its verdict (Law 1.5)."""
    yield from ()
    reply = answered.reply
    if reply.status == 204:
        return Said(value=True, lasts=_REMEMBERED)
    if reply.status not in {401, 403}:
        raise unusable(endpoint, reply)
    if _code(reply.body) not in _CODES:
        raise EndpointUnavailable(f"{endpoint.name} refused with status {reply.status}, and said not why")
    return Said(None, _REMEMBERED)


def _code(body: bytes) -> object:
    try:
        return parse_object(body, _LIMITS).get("code")
    except MalformedToken:
        return None
