"""``@public``: a view that anybody may see, whatever stands before the rest."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from flask.views import View

from .marks import PUBLIC, mark, mark_class

__all__ = ["public"]

V = TypeVar("V", bound=Callable[..., Any])  # a view takes and returns whatever its route does


def public(view: V) -> V:
    """Let anybody in: ``@public`` below the route, or on a class or a method of a ``MethodView``.

    It lets a view out of ``protect`` and ``AuthGate(default=)``. A class says it for itself and not for those that
    derive from it.

    Args:
        view: The view, sync or async.

    Raises:
        TypeError: If that is neither a function nor a view class.
    """
    given: object = view
    if isinstance(given, type):
        _open_class(given)
        return view
    if not callable(given):
        raise TypeError(f"@public stands above a view function, not {type(view).__name__}")
    opened = _before_async(view) if iscoroutinefunction(view) else _before(view)
    mark(opened, view, PUBLIC)
    return cast("V", opened)


def _open_class(view_class: type) -> None:
    if not issubclass(view_class, View):
        raise TypeError(f"@public is for views, and the class {view_class.__name__} is none")
    mark_class(view_class, PUBLIC)


def _before(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def opened(*args: object, **kwargs: object) -> object:
        return view(*args, **kwargs)

    return opened


def _before_async(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    async def opened(*args: object, **kwargs: object) -> object:
        return await view(*args, **kwargs)

    return opened
