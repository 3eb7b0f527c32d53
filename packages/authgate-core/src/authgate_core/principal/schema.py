"""How pydantic sees a principal: as it shows itself, and never as something that input could become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar

from pydantic_core import CoreSchema, SchemaSerializer, core_schema

__all__ = ["SERIALIZER", "core_schema_of", "json_schema_of"]

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_NOTHING: Final = {"type": "null"}
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "id": _TEXT,
    "issuer": _TEXT,
    "roles": _TEXTS,
    "scopes": _TEXTS,
    "enabled_services": {"anyOf": [_TEXTS, _NOTHING]},
    "expires_at": {"anyOf": [{"type": "number"}, _NOTHING]},
}
_OTHER: Final = {"anyOf": [_TEXT, _NOTHING]}


class _Shown(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


def _shown(principal: _Shown) -> dict[str, Any]:
    return principal.to_dict()


_AS_SHOWN: Final = core_schema.plain_serializer_function_ser_schema(_shown)
SERIALIZER: Final = SchemaSerializer(core_schema.any_schema(serialization=_AS_SHOWN))
"""What pydantic asks for where it meets a principal unannounced, as in a ``dict[str, Any]``."""

K = TypeVar("K", bound=_Shown)


def core_schema_of(kind: type[K]) -> CoreSchema:
    """Validates an instance to itself and anything else to an error; serialises as ``to_dict``.

    So a response may be declared to be a principal, or to hold some, and a request body cannot be one.
    """
    return core_schema.no_info_plain_validator_function(
        _only(kind),
        serialization=_AS_SHOWN,
        ref=f"{kind.__module__}.{kind.__qualname__}:{id(kind)}",
    )


def json_schema_of(kind: type[_Shown], public: tuple[str, ...]) -> dict[str, Any]:
    """The public fields, for OpenAPI; Any because it is JSON."""
    properties = {name: _TYPES.get(name, _OTHER) for name in public}
    return {"title": kind.__name__, "type": "object", "properties": properties}


def _only(kind: type[K]) -> Callable[[object], K]:
    def check(value: object) -> K:
        if not isinstance(value, kind):
            reason = f"a {kind.__name__} is given by a guard and never made from input"
            raise ValueError(reason)  # noqa: TRY004 - pydantic reports a ValueError, and lets a TypeError out
        return value

    return check
