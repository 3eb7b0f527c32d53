"""What responses show of a principal: ``to_dict()`` and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from flask import Flask
from flask.json.provider import DefaultJSONProvider

from authgate_core.principal import Principal

from .proxies import PROXIES

__all__ = ["presentable", "teach_json"]

_KNOWS: Final = "_authgate_knows_principals"


def presentable(returned: object) -> object:
    """What a view returned, with a principal at its head as a dict, which Flask turns into JSON."""
    if isinstance(returned, Principal):
        return returned.to_dict()
    if isinstance(returned, tuple):
        return _with_presentable_head(cast("tuple[object, ...]", returned))
    return returned


def _with_presentable_head(answer: tuple[object, ...]) -> tuple[object, ...]:
    match answer:
        case (Principal() as head, *rest):
            return (head.to_dict(), *rest)
        case _:
            return answer


def teach_json(app: Flask) -> None:
    """Let ``jsonify`` and ``tojson`` write principals; anything else goes to the application's own provider.

    A provider that does not derive from Flask's has no hook to teach and is left alone.
    """
    provider = app.json
    if isinstance(provider, DefaultJSONProvider) and not hasattr(provider.default, _KNOWS):
        provider.default = _knowing_principals(provider.default)


def _knowing_principals(otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def default(value: object) -> object:
        if isinstance(value, Principal):
            return value.to_dict()
        for proxy, current in PROXIES:
            if value is proxy:
                return current()
        return otherwise(value)

    vars(default)[_KNOWS] = True
    return default
