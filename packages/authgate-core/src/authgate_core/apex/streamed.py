"""The users of a service as they arrive: read one by one, whatever their number (docs/adr/0032)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from ..errors import ConfigurationError, EndpointUnavailable
from ..jose.compact import Limits

__all__ = ["check_streaming", "streamed"]

T = TypeVar("T")

_LIBRARY: Final = "ijson"
_LIST: Final = "data.users"
_LARGEST: Final = 512 * 1024
_DEEPEST: Final = Limits().depth + 1
"""Nesting as in other answers (Law 2.4), and the list."""


def check_streaming() -> None:
    """Check that what reads JSON piece by piece is there.

    Raises:
        ConfigurationError: If it is not.
    """
    if find_spec(_LIBRARY) is None:
        raise ConfigurationError("users_for_service() needs ijson: pip install 'authgate-core[apex]'")


def streamed(pieces: Iterable[bytes], read: Callable[[object], T]) -> Iterator[T]:
    """What is read of each user in an answer.

    Args:
        pieces: The answer.
        read: Reads one.

    Raises:
        EndpointUnavailable: If the answer ends too early, is none of the contract, is nested too deeply, or one user
            takes more than 512 KiB; those that came before are read by then.
    """
    ijson: Any = import_module(_LIBRARY)
    meter = _Meter(pieces)
    events = ijson.parse(ijson.from_iter(meter), use_float=True)
    is_there = False
    builder = None
    depth = 0
    while (event := _next(events, ijson.JSONError)) is not None:
        prefix, kind, value = event
        depth += kind.startswith("start") - kind.startswith("end_")
        if depth > _DEEPEST:
            raise EndpointUnavailable("apex: the list of users is nested too deeply")
        if (prefix, kind) == (_LIST, "start_array"):
            is_there = True
        elif prefix == f"{_LIST}.item" and builder is None and kind != "start_map":
            raise EndpointUnavailable("apex: a user of the service is no object")
        elif builder is not None or prefix == f"{_LIST}.item":
            builder = builder or ijson.ObjectBuilder()
            builder.event(kind, value)
            if (prefix, kind) == (f"{_LIST}.item", "end_map"):
                meter.reset()
                yield read(builder.value)
                builder = None
    if not is_there:
        raise EndpointUnavailable("apex: data.users is missing in the answer")


def _next(events: Iterator[Any], broken: type[Exception]) -> Any:  # noqa: ANN401 - an event of an untyped library
    """The next event; None at the end."""
    try:
        return next(events, None)
    except broken:
        raise EndpointUnavailable("apex: the list of users cannot be read") from None


class _Meter:
    """The pieces, as long as no user takes too many."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._size = 0

    def reset(self) -> None:
        """Count for the next user."""
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._size += len(piece)
            if self._size > _LARGEST:
                raise EndpointUnavailable(f"apex: one user takes more than {_LARGEST} bytes")
            yield piece
