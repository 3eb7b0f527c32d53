"""Endpoints that whoever comes may call, in so many words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

__all__ = ["is_public", "public"]

E = TypeVar("E", bound=Callable[..., Any])

_MARK: Final = "__authgate_public__"


def public(endpoint: E) -> E:
    """Take an endpoint out of ``AuthGate(app, default=...)`` and of ``protect(router, ...)`` (Law 8.6).

    It stands above or below the route's own decorator, and lifts no guard: an endpoint that has one of its
    own, or gets one from ``dependencies=[...]`` of a router or of the application, is a configuration error.

    Args:
        endpoint: The function, or the class of an endpoint, not its subclasses.

    Raises:
        TypeError: If it is nothing that can be marked.
    """
    try:
        setattr(endpoint, _MARK, True)
    except AttributeError:
        raise TypeError(f"public marks functions, and {endpoint!r} cannot be marked") from None
    return endpoint


def is_public(endpoint: object) -> bool:
    """Whether this very endpoint is marked: what it inherits says nothing about it."""
    return getattr(endpoint, "__dict__", {}).get(_MARK) is True
