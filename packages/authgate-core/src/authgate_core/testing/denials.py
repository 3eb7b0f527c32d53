"""Asserting that a request was refused, alike for every framework and protocol."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ..errors import AuthgateError
from ..headers import WWW_AUTHENTICATE

__all__ = ["assert_denied"]

_CLOSED: Final[Mapping[object, int]] = {4400: 400, 4401: 401, 4403: 403, 1013: 503}
_GRAPHQL: Final[Mapping[object, int]] = {
    "BAD_CREDENTIALS": 400,
    "UNAUTHENTICATED": 401,
    "STEP_UP_REQUIRED": 401,
    "FORBIDDEN": 403,
    "AUTH_UNAVAILABLE": 503,
}
_DENIED: Final = frozenset({400, 401, 403})
_SHOWN: Final = 200


def assert_denied(answer: object, status: int | None = None, *, code: str | None = None) -> None:
    """Assert that a request was refused, whatever it was sent by.

    Args:
        answer: A response of Flask's, Starlette's or httpx's client; what a client of WebSockets raised, or the code
            that one was closed with; the result of a GraphQL operation, or the response that holds it; an error that
            a gate raised.
        status: 400, 401, 403 or 503, for WebSockets and GraphQL as well (section 1 of the laws). By default any but
            503: in an outage nobody is denied (Law 1.5).
        code: The ``code`` that the answer gives, such as ``token_expired``, or in GraphQL ``UNAUTHENTICATED``.

    Raises:
        AssertionError: If it was admitted, refused otherwise, or not by a gate: a 401 has a challenge (Law 1.1).
        TypeError: If that is no answer.
    """
    found = _read(answer)
    expected = _DENIED if status is None else {status}
    if found.status not in expected:
        raise AssertionError(f"expected {' or '.join(map(str, sorted(expected)))}, got {found.shown}")
    if found.lacks_challenge:
        raise AssertionError(f"a 401 without WWW-Authenticate is not a gate's: {found.shown}")
    if code is not None and found.code != code:
        raise AssertionError(f"expected the code {code!r}, got {found.code!r}: {found.shown}")


@dataclass(frozen=True, slots=True)
class _Found:
    """What an answer says.

    Args:
        status: The status, or the one that stands for it in the table of section 1; None if it refuses nothing.
        shown: The answer, for a message.
        code: Its code.
        lacks_challenge: Whether a challenge is missing.
    """

    status: int | None
    shown: str
    code: object = None
    lacks_challenge: bool = False


def _read(answer: object) -> _Found:
    if isinstance(answer, AuthgateError):
        return _Found(answer.status, repr(answer), answer.public_code)
    if isinstance(answer, int):
        return _Found(_CLOSED.get(answer), f"a socket that was closed with {answer}")
    for held in ("response", "rcvd"):  # of the errors of `websockets`
        if isinstance(answer, Exception) and _member(answer, held) is not None:
            return _read(_member(answer, held))
    if hasattr(answer, "status_code"):
        return _read_response(answer)
    if _is_result(answer):
        return _read_graphql(answer, repr(answer))
    code = _member(answer, "code")
    if isinstance(code, int):
        return _read(code)
    raise TypeError(
        f"assert_denied takes a response, a result or what was raised, not {type(answer).__name__}"
    )


def _is_result(answer: object) -> bool:
    return isinstance(answer, Mapping) or hasattr(answer, "errors")


def _read_response(response: Any) -> _Found:  # noqa: ANN401 - of whichever library
    status: int = response.status_code
    body = _body(response)
    shown = f"{status} {body}"[:_SHOWN]
    parsed = _parsed(body)
    if _member(parsed, "errors"):
        return _read_graphql(parsed, shown)
    headers: Iterable[str] = response.headers.keys()  # werkzeug's own iterator has pairs
    challenged = WWW_AUTHENTICATE.lower() in {name.lower() for name in headers}
    return _Found(status, shown, _member(parsed, "code"), status == 401 and not challenged)


def _body(response: object) -> str:
    """What was sent: httpx, werkzeug and websockets each have a name for it."""
    for name in ("content", "data", "body"):
        sent = _member(response, name)
        if isinstance(sent, (bytes, bytearray)):
            return sent.decode("utf-8", "replace")
    return ""


def _parsed(body: str) -> object:
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return None
    return parsed


def _read_graphql(result: object, shown: str) -> _Found:
    """What the first of its errors says that is a refusal."""
    errors: Iterable[object] = _member(result, "errors") or ()
    for error in errors:
        code: object = _member(_member(error, "extensions"), "code")
        if code in _GRAPHQL:
            return _Found(_GRAPHQL[code], shown[:_SHOWN], code)
    return _Found(None, shown[:_SHOWN])


def _member(of: object, name: str) -> Any:  # noqa: ANN401 - as above
    """An item of what was JSON, or else an attribute; None where there is none."""
    if isinstance(of, Mapping):
        return cast("Mapping[str, object]", of).get(name)
    return getattr(of, name, None)
