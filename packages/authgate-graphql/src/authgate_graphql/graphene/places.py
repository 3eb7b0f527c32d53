"""Where a resolver takes the ``info`` of its field."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, Final

from ..resolvers import Place

__all__ = ["place_of"]

_IN_PLACE: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def place_of(resolver: Callable[..., Any]) -> Place:
    """Where a resolver takes ``info``: as the parameter of that name, be it behind a ``cls`` or ``self``, else second.

    Args:
        resolver: Takes ``(root, info, ...)``.

    Raises:
        TypeError: If it takes no ``info``.
    """
    parameters = list(signature(resolver).parameters.values())
    names = [parameter.name for parameter in parameters if parameter.kind in _IN_PLACE]
    if "info" in names:
        return Place(names.index("info"), "info")
    if any(parameter.name == "info" and parameter.kind is Parameter.KEYWORD_ONLY for parameter in parameters):
        return Place(sys.maxsize, "info")
    if len(names) > 1:
        return Place(1, names[1])
    if any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters):
        return Place(1, "info")
    raise TypeError(
        "a guard finds the request through `info`, which this resolver does not take: write "
        f"{getattr(resolver, '__name__', 'resolve_x')}(root, info, ...)"
    )
