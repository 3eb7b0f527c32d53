"""Asking an endpoint about a credential: memory first, then one call for all who ask the same (docs/adr/0025)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Generic, TypeAlias, TypeVar

from ..cache import Answers
from ..clock import Instant
from ..effects import Answered, AskEndpoint, Endpoint, Flow
from ..errors import AuthUnavailable, EndpointUnavailable
from ..jose.compact import may_be_signed
from ..request import HttpReply

__all__ = ["OPAQUE", "Read", "Said", "ask", "token_name", "unusable"]

T = TypeVar("T")

OPAQUE: Final = re.compile(r"[!-~]+")
"""What a token may consist of (RFC 6749 appendix A.12, without its space)."""


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """What an answer says of a credential.

    Args:
        value: What a yes says; None for a no.
        lasts: How long it may be remembered, in seconds from the question on; 0 for not at all.
    """

    value: T | None
    lasts: float


Read: TypeAlias = Callable[[Answered], Flow[Said[T]]]
"""Reads an answer; raises EndpointUnavailable for what is neither a yes nor a no (Laws 1.5, 7.3)."""


def ask(
    key: bytes, question: Callable[[], AskEndpoint], read: Read[T], answers: Answers[T], now: Instant
) -> Flow[T | None]:
    """What an endpoint says of a credential, or said a moment ago.

    Args:
        key: What names the question: ``answers.key(credential)``.
        question: Makes the effect, where nothing is remembered; its ``flight_key`` is the same.
        read: Reads the answer.
        answers: What was answered before.
        now: The present moment.

    Returns:
        What a yes says, None for a no.

    Raises:
        EndpointUnavailable: If there is no answer that can be believed.
    """
    known = answers.recall(key, now)
    if known is not None:
        return known.value
    try:
        answered = yield from question()
    except AuthUnavailable as outage:
        raise EndpointUnavailable(outage.reason, retry_after=outage.retry_after) from outage
    said = yield from read(answered)
    if said.value is None:
        answers.refuse(key, said.lasts, asked=answered.asked, now=answered.at)
    else:
        answers.keep(key, said.value, said.lasts, asked=answered.asked, now=answered.at)
    return said.value


def unusable(endpoint: Endpoint, reply: HttpReply) -> EndpointUnavailable:
    """The outage that an answer with such a status is: to be raised by who reads it."""
    reason = f"{endpoint.name} answered with status {reply.status}"
    after = reply.retry_after
    return EndpointUnavailable(reason) if after is None else EndpointUnavailable(reason, retry_after=after)


def token_name(text: str) -> str:
    """What names a token without a ``jti``: never its signature, which may have a second form (Law 5.9)."""
    covered = text.rpartition(".")[0] if may_be_signed(text) else text
    return sha256(covered.encode("utf-8", "surrogatepass")).hexdigest()
