"""The outcomes of Law 1 as rows promise them, and as each protocol tells them to a caller."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

__all__ = ["Answer", "Outcome", "Promise"]

_PROBLEM = "application/problem+json"
_COMMON = frozenset({"type", "title", "status", "detail", "code"})
_EXTENSIONS = frozenset({"code", "http", "missing"})


class Outcome(Enum):
    """The table of Law 1: an HTTP status, a close code of a WebSocket, a code of GraphQL."""

    ADMITTED = (200, None, None)
    MALFORMED = (400, 4400, "BAD_CREDENTIALS")
    UNAUTHENTICATED = (401, 4401, "UNAUTHENTICATED")
    STEP_UP = (401, 4401, "STEP_UP_REQUIRED")
    FORBIDDEN = (403, 4403, "FORBIDDEN")
    UNAVAILABLE = (503, 1013, "AUTH_UNAVAILABLE")

    def __init__(self, status: int, close: int | None, graphql: str | None) -> None:
        self.status = status
        self.close = close
        self.graphql = graphql


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a caller was told; members that a protocol has no place for are left as they are.

    Args:
        status: The HTTP status.
        close: The code that a WebSocket was closed with.
        graphql: ``extensions.code`` of the GraphQL error.
        named: The HTTP status that the body names.
        code: ``code`` of the body, or the reason of a close.
        detail: The public text.
        challenges: Each ``WWW-Authenticate``, whole.
        missing: The scopes that the body says are missing.
        told: What else the body holds, or the extensions of a GraphQL error.
        retry: Whether ``Retry-After`` is there, and from 1 to 60 seconds (Law 1.8).
        cache: ``Cache-Control``.
        varies: The headers that ``Vary`` names.
        admitted: Who the handler saw, the id by the kind; None where no handler ran.
    """

    status: int | None = None
    close: int | None = None
    graphql: str | None = None
    named: int | None = None
    code: str | None = None
    detail: str | None = None
    challenges: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    told: frozenset[str] = frozenset()
    retry: bool = False
    cache: str | None = None
    varies: frozenset[str] = frozenset()
    admitted: Mapping[str, str] | None = None

    @classmethod
    def of_http(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """What an HTTP response tells."""
        held = [(name.lower(), value) for name, value in headers]
        named = dict(held)
        is_problem = named.get("content-type") == _PROBLEM
        said: dict[str, Any] = json.loads(body) if is_problem or status == 200 else {"detail": body.decode()}
        return cls(
            status=status,
            named=said.get("status") if is_problem else None,
            code=said.get("code") if is_problem else None,
            detail=said.get("detail"),
            challenges=tuple(value for name, value in held if name == "www-authenticate"),
            missing=tuple(said.get("missing", ())) if is_problem else (),
            told=frozenset(said) - _COMMON - {"missing"} if is_problem else frozenset(),
            retry=is_soon(named.get("retry-after")),
            cache=named.get("cache-control"),
            varies=_varies(named),
            admitted=said if status == 200 else None,
        )

    @classmethod
    def of_graphql(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """What the HTTP response to an operation of one field tells."""
        held = [(name.lower(), value) for name, value in headers]
        named = dict(held)
        return replace(
            cls.of_result(json.loads(body)),
            status=status,
            challenges=tuple(value for name, value in held if name == "www-authenticate"),
            retry=is_soon(named.get("retry-after")),
            cache=named.get("cache-control"),
            varies=_varies(named),
        )

    @classmethod
    def of_result(cls, result: Mapping[str, Any]) -> Answer:
        """What the result of such an operation tells."""
        if "errors" not in result:
            (admitted,) = result["data"].values()
            return cls(admitted=admitted)
        (error,) = result["errors"]
        extensions = error["extensions"]
        return cls(
            graphql=extensions["code"],
            named=extensions["http"]["status"],
            detail=error["message"],
            missing=tuple(extensions["missing"]),
            told=frozenset(extensions) - _EXTENSIONS,
        )


def _varies(headers: Mapping[str, str]) -> frozenset[str]:
    return frozenset(filter(None, headers.get("vary", "").lower().split(", ")))


def is_soon(seconds: str | None) -> bool:
    """Whether a ``Retry-After`` is one of Law 1.8.

    Raises:
        ValueError: If it is there and is not.
    """
    if seconds is None:
        return False
    if not 1 <= int(seconds) <= 60:
        raise ValueError(f"Retry-After: {seconds}")
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a row promises, before it is told in a protocol.

    Args:
        outcome: The row of the table.
        code: ``code`` of a problem.
        detail: Its public text.
        challenge: The whole ``WWW-Authenticate``.
        missing: The scopes that the body names as missing.
        told: What else is told, in the body of a problem or in GraphQL's extensions.
        admitted: Whom the handler sees, the id by the kind.
        reads: The headers that credentials were looked for in, as an admitted response names them (Law 1.7).
    """

    outcome: Outcome
    code: str | None = None
    detail: str | None = None
    challenge: str | None = None
    missing: tuple[str, ...] = ()
    told: frozenset[str] = frozenset()
    admitted: Mapping[str, str] | None = None
    reads: frozenset[str] = frozenset()

    @property
    def challenges(self) -> tuple[str, ...]:
        """The headers that hold the challenge: one, or none."""
        return () if self.challenge is None else (self.challenge,)

    def http(self) -> Answer:
        """As an HTTP response tells it, and a WebSocket handshake that is answered with one (Law 1.9)."""
        return Answer(
            status=self.outcome.status,
            named=None if self.admitted is not None else self.outcome.status,
            code=self.code,
            detail=self.detail,
            challenges=self.challenges,
            missing=self.missing,
            told=self.told,
            retry=self.outcome is Outcome.UNAVAILABLE,
            cache="no-store" if self.admitted is None else "private",
            varies=frozenset() if self.admitted is None else self.reads,
            admitted=self.admitted,
        )

    def handshake(self) -> Answer:
        """As a WebSocket tells it: a handshake that is refused with a response, or whom the handler saw."""
        return self.http() if self.admitted is None else Answer(admitted=self.admitted)

    def close(self) -> Answer:
        """As a WebSocket tells it that was accepted before the gate was asked."""
        if self.admitted is not None:
            return Answer(admitted=self.admitted)
        return Answer(close=self.outcome.close, code=self.code)

    def graphql(self) -> Answer:
        """As the HTTP response to a GraphQL operation tells it, whose status is not that of the outcome."""
        told = self.http()
        return replace(self.result(), status=200, cache=told.cache, varies=told.varies)

    def graphql_over_http(self) -> Answer:
        """The same, where a refusal was asked to be the status of the response, with all that goes with it."""
        told = self.http()
        return replace(self.graphql(), status=told.status, challenges=told.challenges, retry=told.retry)

    def result(self) -> Answer:
        """As the result of a GraphQL operation tells it."""
        if self.admitted is not None:
            return Answer(admitted=self.admitted)
        return Answer(
            graphql=self.outcome.graphql,
            named=self.outcome.status,
            detail=self.detail,
            missing=self.missing,
            told=self.told,
        )
