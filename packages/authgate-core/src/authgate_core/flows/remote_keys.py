"""Asking an auth service about an API key, and reading its answer in the only way it can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

from ..api_keys import RemoteKeys
from ..cache import Answers
from ..clock import Instant
from ..credentials import ApiKeyCredential
from ..effects import Answered, AskEndpoint, Endpoint, Flow
from ..errors import EndpointRefused, EndpointUnavailable, MalformedToken
from ..jose.compact import Limits, parse_object
from ..principal import ApiKey
from ..request import HttpRequest
from .asking import Said, ask, unusable

__all__ = ["KeyService", "ask_about_key"]

_REMEMBERED: Final = 60.0
_REFUSED_FOR: Final = 10.0
"""How long a yes and a no count, in seconds (Law 7.4)."""
_CODES: Final = ("invalid_api_key", "expired_api_key", "revoked_api_key")
_OURSELVES: Final = frozenset({401, 403, 404})
"""The service always answers 200: by these, it or what stands before it refuses to be asked."""
_HEADERS: Final = (("accept", "application/json"), ("content-type", "application/json"))
_LIMITS: Final = Limits()
_MEMBERS: Final = ("key_id", "user_id", "scopes", "expires_at", "service")


@dataclass(frozen=True, slots=True)
class KeyService:
    """An auth service that is asked about API keys, and what it answered.

    Args:
        spec: Which service.
        prefix: What its keys begin with.
        endpoint: Where it is asked.
        answers: What it said lately.
    """

    spec: RemoteKeys
    prefix: str
    endpoint: Endpoint
    answers: Answers[ApiKey] = field(repr=False)


def ask_about_key(service: KeyService, credential: ApiKeyCredential, now: Instant) -> Flow[ApiKey | None]:
    """The key as the service knows it, or None for a definite no.

    Args:
        service: Whom to ask.
        credential: What was presented.
        now: The present moment.

    Raises:
        EndpointUnavailable: If there is no answer that can be believed (Law 1.5).
    """
    text = credential.value.reveal()
    key = service.answers.key(text)
    question = partial(_question, service, text, key)
    return (yield from ask(key, question, partial(_read, service), service.answers, now))


def _question(service: KeyService, text: str, key: bytes) -> AskEndpoint:
    body = json.dumps({"api_key": text}).encode()
    request = HttpRequest("POST", service.spec.url, _HEADERS, body, plain_http=service.spec.allow_http)
    return AskEndpoint(service.endpoint, request, key, _OURSELVES)


def _read(service: KeyService, answered: Answered) -> Flow[Said[ApiKey]]:
    """What the answer says; a contract that is not kept is an outage, for it says nothing of the key."""
    yield from ()
    reply = answered.reply
    if reply.status in _OURSELVES:
        raise EndpointRefused(f"{service.endpoint.name} refused to be asked, with status {reply.status}")
    if reply.status != 200:
        raise unusable(service.endpoint, reply)
    try:
        answer = parse_object(reply.body, _LIMITS)
    except MalformedToken as error:
        raise EndpointUnavailable(f"the answer about a key cannot be read: {error.reason}") from None
    valid = answer.get("valid")
    if valid is False and answer.get("code") in _CODES:
        return Said(None, _REFUSED_FOR)
    if valid is not True:
        raise EndpointUnavailable("the answer about a key is neither a yes nor a no")
    key = _key(service, answer)
    rest = _REMEMBERED if key.expires_at is None else key.expires_at - answered.asked.wall
    return Said(key, min(_REMEMBERED, rest))


def _key(service: KeyService, answer: Mapping[str, Any]) -> ApiKey:
    """The principal of a yes.

    Raises:
        EndpointUnavailable: If a member is missing, or not what the contract has.
    """
    read = {name: _READERS[name](answer.get(name)) for name in _READERS}
    wrong = [name for name, value in read.items() if value is _WRONG]
    if wrong:
        raise EndpointUnavailable(
            f"{wrong[0]} in the answer about a key is missing, or not what it should be"
        )
    held: Any = read
    return ApiKey(
        id=held["key_id"],
        issuer=service.spec.name,
        owner_id=held["user_id"],
        service=held["service"],
        expires_at=held["expires_at"],
        prefix=service.prefix,
        scopes=held["scopes"],
        claims={name: answer[name] for name in _MEMBERS if name in answer},
    )


_WRONG: Final = object()


def _name(value: object) -> object:
    is_name = isinstance(value, str) and 1 <= len(value) <= 255 and value.isprintable()
    return value if value is None or is_name else _WRONG


def _names(value: object) -> object:
    if not isinstance(value, list):
        return _WRONG
    names = cast("list[object]", value)
    return names if all(isinstance(name, str) and name for name in names) else _WRONG


def _id(value: object) -> object:
    try:
        return str(UUID(value)) if isinstance(value, str) else _WRONG
    except ValueError:
        return _WRONG


def _moment(value: object) -> object:
    """A time as ISO 8601 writes it, as Unix seconds; one without an offset is UTC, as services mean it."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return (
            _WRONG
            if moment is None
            else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        )
    except (ValueError, OverflowError):
        return _WRONG


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "key_id": _id,
    "user_id": _name,
    "scopes": _names,
    "expires_at": _moment,
    "service": _name,
}
"""What becomes of each member of a yes."""
