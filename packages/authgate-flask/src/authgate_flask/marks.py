"""What guards and ``@public`` leave on the functions that they return, and what is read from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from flask import has_request_context

from authgate_core import Policy

__all__ = [
    "PUBLIC",
    "Mark",
    "class_of",
    "layers",
    "mark",
    "mark_class",
    "marks_of",
    "marks_of_class",
    "marks_put_around",
]

_MARKS: Final = "_authgate_marks"


@dataclass(frozen=True, slots=True)
class Mark:
    """What one decorator says about a view.

    Args:
        policy: What a guard asks; None if the view is public.
        optional: Whether the guard lets in who presents nothing.
    """

    policy: Policy | None
    optional: bool = False


PUBLIC: Final = Mark(None)
"""The mark of ``@public``."""

_around: Final[WeakKeyDictionary[object, tuple[Mark, ...]]] = WeakKeyDictionary()


def mark(made: Callable[..., Any], view: Callable[..., Any], what: Mark) -> None:
    """Mark the function that a decorator made around a view, which itself stays unmarked.

    The same view may be registered elsewhere, with another decorator or with none. That there is a decorator
    around it is noted apart, for whoever registered the view and decorated it too late.
    """
    vars(made)[_MARKS] = (what, *marks_of(view))
    if has_request_context():
        return  # where nothing can be registered any more, and a guard may be made for each request
    for layer in layers(view):
        if isinstance(layer, FunctionType):
            known = _around.get(layer, ())
            _around[layer] = known if what in known else (*known, what)


def mark_class(view_class: type, what: Mark) -> None:
    """Mark a view class, and none of those that derive from it."""
    setattr(view_class, _MARKS, (what, *marks_of_class(view_class)))


def marks_of(view: object) -> tuple[Mark, ...]:
    """The marks that a function carries, the outermost first; other decorators hand them on by ``wraps``."""
    return cast("tuple[Mark, ...]", getattr(view, _MARKS, ()))


def marks_of_class(view_class: type) -> tuple[Mark, ...]:
    """The marks that a view class carries itself."""
    return cast("tuple[Mark, ...]", vars(view_class).get(_MARKS, ()))


def class_of(view: object) -> type | None:
    """The class that a view function was made of by ``as_view``."""
    found: object = getattr(view, "view_class", None)
    return found if isinstance(found, type) else None


def marks_put_around(view: object) -> tuple[Mark, ...]:
    """The marks of all decorators that this very function was ever given to."""
    return _around.get(view, ()) if isinstance(view, FunctionType) else ()


def layers(view: object) -> Iterator[object]:
    """A function, then what it was wrapped around by ``functools.wraps``, down to the innermost."""
    while view is not None:
        yield view
        view = getattr(view, "__wrapped__", None)
