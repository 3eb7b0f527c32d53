"""What an m8 publishes, read strictly: which handlers there are, and what each is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, Final, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..config.colours import Colour
from ..errors import ConfigurationError, MalformedToken
from ..jose.compact import Limits, parse_object
from ..ports import is_async

__all__ = ["DELETED", "Handler", "Handlers", "Unreadable", "UserDeleted", "read_event"]

T = TypeVar("T")

DELETED: Final = "user.deleted"
"""The channel on which it is told that a user was deleted."""

_LARGEST: Final = 64 * 1024
_LIMITS: Final = Limits()
_WORDS: Final = {"sync": "def", "async": "async def"}


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """A user was deleted.

    Args:
        user_id: Whom; a UUID, which is written in lower case here.
        event_type: What happened.
        version: In which form it is told.
    """

    user_id: str
    event_type: Literal["user.deleted"] = DELETED
    version: Literal["v1"] = "v1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "user_id", str(UUID(self.user_id)))


class Unreadable(Exception):
    """What was published is no event of the kind that a handler takes.

    Args:
        reason: Why; it repeats nothing of what was published.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Handler(Generic[T]):
    """Who takes events of one kind.

    Args:
        adapter: Validates what was published.
        call: Is given the event; what it returns is awaited where it is async.
    """

    adapter: TypeAdapter[T]
    call: Callable[[T], Any]

    @property
    def name(self) -> str:
        """What it is called in notices."""
        return str(getattr(self.call, "__qualname__", type(self.call).__name__))

    def read(self, data: bytes) -> T:
        """The event in what was published.

        Raises:
            Unreadable: If it is none of this kind, or could be read in more than one way.
        """
        return read_event(self.adapter, data)


def read_event(adapter: TypeAdapter[T], data: bytes) -> T:
    """The event in what was published; raises Unreadable."""
    if len(data) > _LARGEST:
        raise Unreadable(f"it is longer than {_LARGEST} bytes")
    try:
        return adapter.validate_python(parse_object(data, _LIMITS))
    except MalformedToken:
        raise Unreadable("it is not one JSON object") from None
    except ValidationError as error:
        raise Unreadable(f"{error.error_count()} of its fields are wrong or missing") from None


class Handlers:
    """Who takes which events, in the order in which they were given.

    Args:
        colour: That of every handler.
    """

    def __init__(self, colour: Colour) -> None:
        self._colour = colour
        self._taken: dict[str, list[Handler[Any]]] = {}

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels on which somebody takes anything."""
        return tuple(self._taken)

    def add(self, channel: str, kind: type[T], call: Callable[[T], object]) -> None:
        """Give what is published on a channel, as an event of a kind, to a handler.

        Raises:
            ConfigurationError: If the kind cannot be validated, or the handler is of the other colour (Law 9.4).
        """
        given: object = kind
        if not isinstance(given, type) or not (is_dataclass(given) or issubclass(given, BaseModel)):
            raise ConfigurationError("on: give a dataclass or a pydantic model as the kind, the class itself")
        taker: object = call
        if not callable(taker) or is_async(taker) != (self._colour == "async"):
            raise ConfigurationError(f"on: give a handler that is written with `{_WORDS[self._colour]}`")
        self._taken.setdefault(channel, []).append(Handler(TypeAdapter(kind), call))

    def of(self, channel: str) -> Sequence[Handler[Any]]:
        """Who takes what is published on a channel; Any because each takes a kind of its own."""
        return tuple(self._taken.get(channel, ()))
