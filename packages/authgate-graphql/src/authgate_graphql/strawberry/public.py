"""Root fields that are open though the schema is closed by default (Law 8.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from .fields import function_of, resolver_of

__all__ = ["Public", "is_public", "public"]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does

_MARK: Final = "__authgate_public__"


class Public(FieldExtension):
    """Opens a field that has no resolver: ``version: str = strawberry.field(extensions=[Public()])``."""


def public(resolver: R) -> R:
    """Open a field: ``@public`` below ``@strawberry.field``.

    Raises:
        TypeError: If that is no function.
    """
    given: object = resolver
    if isinstance(given, (StrawberryField, type)) or not callable(given):
        raise TypeError("@public marks a resolver: put it below @strawberry.field")
    vars(function_of(resolver))[_MARK] = True
    return resolver


def is_public(field: StrawberryField) -> bool:
    """Whether a field is open."""
    if any(isinstance(extension, Public) for extension in field.extensions):
        return True
    return getattr(resolver_of(field), _MARK, False) is True
