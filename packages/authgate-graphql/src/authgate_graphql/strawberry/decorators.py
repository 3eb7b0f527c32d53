"""Decorators for resolvers, by the names that people look for: ``@requires_jwt_auth`` below ``@strawberry.field``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from strawberry.types.field import StrawberryField

from ..requirement import COMBINED, JWT, PROJECT, Requirement
from ..resolvers import Place, guarded
from .fields import function_of

__all__ = ["decorated", "requires_combined_auth", "requires_jwt_auth", "requires_project_auth"]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does

_INFO: Final = re.compile(r"(?:.*\.)?Info(?:\[.*\])?")


def requires_jwt_auth(resolver: R) -> R:
    """Guard a resolver by ``is_user``; the user is then ``info.context["user"]``.

    In an app without a gate the first such guard builds one from ``AUTHGATE_*`` (Law 1.6).

    Raises:
        TypeError: If that is no resolver, or one that takes no ``info``.
    """
    return decorated("requires_jwt_auth", resolver, JWT)


def requires_project_auth(resolver: R) -> R:
    """Guard a resolver by ``is_project``; the project is then ``info.context["project"]``."""
    return decorated("requires_project_auth", resolver, PROJECT)


def requires_combined_auth(resolver: R) -> R:
    """Guard a resolver by ``is_user & is_project``; both are then in the context."""
    return decorated("requires_combined_auth", resolver, COMBINED)


def decorated(name: str, resolver: R, asked: Requirement) -> R:
    """A resolver behind a decorator of this name.

    Raises:
        TypeError: If that is no resolver, or one that takes no ``info``.
    """
    given = function_of(resolver)
    if isinstance(given, (StrawberryField, type)) or not callable(given):
        raise TypeError(
            f"@{name} guards a resolver function: put it, without parentheses, below @strawberry.field"
        )
    return guarded(cast("R", given), asked, _place_of(name, given))


def _place_of(name: str, resolver: Callable[..., Any]) -> Place:
    parameters = list(inspect.signature(resolver).parameters.values())
    place = next((index for index, parameter in enumerate(parameters) if _is_info(parameter)), None)
    if place is None:
        raise TypeError(
            f"@{name} finds the request by `info`: add the parameter `info: strawberry.Info` to "
            f"{getattr(resolver, '__qualname__', resolver)!s}"
        )
    return Place(place, parameters[place].name)


def _is_info(parameter: inspect.Parameter) -> bool:
    annotation: object = parameter.annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return parameter.name == "info" or _INFO.fullmatch(str(name)) is not None
