"""Permissions of a service, which say what the metadata of its users holds; and how those of an apex become them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, cast

from ..issuer import Unreadable

__all__ = ["Permission", "PermissionPlan", "check_definitions", "plan_for", "read_permission"]

Scalar: TypeAlias = str | int | bool
Kind: TypeAlias = Literal["string", "integer", "boolean"]

_TYPES: Final[Mapping[str, type]] = {"string": str, "integer": int, "boolean": bool}


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One permission: two are the same if all of their definition is, whatever an apex calls them by.

    Args:
        name: What metadata calls it.
        type: ``string``, ``integer`` or ``boolean``.
        default: What a user has who was given nothing; of that type.
        label: What people call it.
        description: What it is for.
        values: Those that may be given, of that type; none where any may.
        id: What the apex knows it by; None for one that is yet to be made.
    """

    name: str
    type: Kind
    default: Scalar | None
    label: str = ""
    description: str = ""
    values: Sequence[Scalar] = ()
    id: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))

    def definition(self) -> dict[str, Any]:
        """What an apex is sent to make it; Any because that is JSON."""
        return {
            "name": self.name,
            "description": self.description,
            "label": self.label,
            "type": self.type,
            "values": [*self.values],
            "default": self.default,
        }

    def problems(self) -> Iterator[str]:
        """What is wrong with the definition, a sentence each."""
        kind = _TYPES.get(self.type)
        if not self.name:
            yield "a permission has no name"
        if kind is None:
            yield f"permission {self.name!r}: type={self.type!r} is none of {', '.join(map(repr, _TYPES))}"
            return
        if type(self.default) is not kind:
            yield f"permission {self.name!r}: default={self.default!r} is no {self.type}"
        for value in self.values:
            if type(value) is not kind:
                yield f"permission {self.name!r}: {value!r} among its values is no {self.type}"

    @property
    def exact(self) -> str:
        """The definition as JSON, in which true is not 1."""
        return json.dumps(self.definition(), sort_keys=True)


@dataclass(frozen=True, slots=True)
class PermissionPlan:
    """What makes the permissions of an apex those that are wanted; printed, it is read by people.

    Args:
        create: Those that are made first, in this order.
        delete: Those that are deleted after that: not wanted, of an older definition, or there twice.
        keep: Those that stay.
    """

    create: tuple[Permission, ...]
    delete: tuple[Permission, ...]
    keep: tuple[Permission, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.create or self.delete)

    def __str__(self) -> str:
        marked = (("+", self.create), ("-", self.delete), ("=", self.keep))
        return "\n".join(f"{mark} {one.exact}" for mark, those in marked for one in those)


def check_definitions(wanted: Iterable[Permission]) -> tuple[Permission, ...]:
    """The definitions, if they can be made.

    Raises:
        ValueError: Naming everything that is wrong with them.
    """
    definitions = tuple(wanted)
    problems = [problem for one in definitions for problem in one.problems()]
    names = Counter(one.name for one in definitions)
    problems += [f"{count} permissions are named {name!r}" for name, count in names.items() if count > 1]
    if problems:
        raise ValueError("; ".join(problems))
    return definitions


def plan_for(wanted: Sequence[Permission], present: Sequence[Permission]) -> PermissionPlan:
    """What to do, by whole definitions."""
    left = {one.exact: one for one in wanted}
    keep: list[Permission] = []
    delete: list[Permission] = []
    for one in present:
        (delete if left.pop(one.exact, None) is None else keep).append(one)
    return PermissionPlan(tuple(left.values()), tuple(delete), tuple(keep))


def read_permission(sent: object) -> Permission:
    """A permission as an apex has it, whose default may be none of its type.

    Raises:
        Unreadable: If it cannot be told from others.
    """
    if not isinstance(sent, Mapping):
        raise Unreadable("a permission is no object")
    members = cast("Mapping[str, object]", sent)
    known_by = members.get("id")
    if isinstance(known_by, bool) or not isinstance(known_by, (str, int)) or not str(known_by).strip("."):
        raise Unreadable("the id of a permission is no text")
    texts = {name: _text(name, members.get(name)) for name in ("name", "label", "description")}
    default = members.get("default")
    return Permission(
        **texts,
        type=cast("Kind", _text("type", members.get("type"))),
        default=_scalar("default", default),
        values=[_scalar("a value", value) for value in _list(members.get("values"))],
        id=str(known_by),
    )


def _text(name: str, value: object) -> str:
    if not isinstance(value, (str, type(None))):
        raise Unreadable(f"{name} of a permission is no text")
    return value or ""


def _list(value: object) -> list[object]:
    if not isinstance(value, (list, type(None))):
        raise Unreadable("values of a permission are no list")
    return cast("list[object]", value or [])


def _scalar(name: str, value: object) -> Any:  # noqa: ANN401 - JSON, of which only nested values are refused
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise Unreadable(f"{name} of a permission is neither text, number nor flag")
    return value
