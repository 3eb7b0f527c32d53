"""Roles and scopes: lists of names, each read where the configuration says that one may be (Law 3.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias, cast

from ..errors import InvalidClaim
from ..principal import MISSING, ClaimPath, resolve

__all__ = ["ClientRoles", "Names"]

_Read: TypeAlias = Callable[[object], tuple[str, ...]]

_hashable: Final = cast("Callable[[object], tuple[object, ...]]", tuple)
_MOST_SHARED: Final = 1024
"""How many lists are remembered for each path."""


class Names:
    """Reads the names at several paths, of which every one that is present adds.

    The roles of one token are the roles of many others, and so are its scopes. So what a claim holds is read once
    while it is remembered, and all principals that have it share the result.

    Args:
        paths: Where they are.
        separators: What separates the names of a claim that is one text; an empty text where it is one name.
        limit: Other names are left out; None is no limit (Law 3.14).
    """

    __slots__ = ("_places",)

    def __init__(
        self, paths: tuple[ClaimPath, ...], separators: Mapping[ClaimPath, str], limit: frozenset[str] | None
    ) -> None:
        self._places = tuple(
            (
                path,
                path.parts[0] if len(path.parts) == 1 else None,
                _reader(path, separators.get(path), limit),
            )
            for path in paths
        )

    def read(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        """The names in claims, each once and in the order of the token; raises InvalidClaim."""
        found: tuple[str, ...] = ()
        for path, name, read in self._places:
            value: object = resolve(claims, path) if name is None else claims.get(name, MISSING)
            if value is MISSING:
                continue
            try:
                names = read(_hashable(value) if value.__class__ is list else value)
            except TypeError:  # it cannot be looked up, and so it, or something in it, is an object or a list
                raise _unreadable(path) from None
            found = _joined(found, names) if found else names
        return found


class ClientRoles:
    """Reads the roles that an object holds for each of several clients: ``orders:manager``.

    Args:
        path: Where the object is.
        limit: Other roles are left out; None is no limit (Law 3.14).
    """

    __slots__ = ("_limit", "_path")

    def __init__(self, path: ClaimPath, limit: frozenset[str] | None) -> None:
        self._path = path
        self._limit = limit

    def read(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        """The roles in claims, each with its client; raises InvalidClaim."""
        clients = resolve(claims, self._path)
        if clients is MISSING:
            return ()
        if not isinstance(clients, Mapping):
            raise self._unreadable()
        found = (
            f"{client}:{role}"
            for client, access in cast("Mapping[str, object]", clients).items()
            for role in self._of(access)
        )
        return tuple(role for role in found if self._limit is None or role in self._limit)

    def _of(self, access: object) -> list[str]:
        roles = cast("Mapping[str, object]", access).get("roles", []) if isinstance(access, Mapping) else None
        texts = cast("list[object]", roles) if isinstance(roles, list) else [None]
        names = [role for role in texts if isinstance(role, str) and role]
        if len(names) < len(texts):
            raise self._unreadable()
        return names

    def _unreadable(self) -> InvalidClaim:
        return InvalidClaim(str(self._path), "is not an object that holds a list of roles for each client")


def _reader(path: ClaimPath, separator: str | None, limit: frozenset[str] | None) -> _Read:
    return lru_cache(_MOST_SHARED)(partial(_names, path, separator, limit))


def _names(
    path: ClaimPath, separator: str | None, limit: frozenset[str] | None, value: object
) -> tuple[str, ...]:
    """The names that a claim holds; only a text equals a text, so what is wrong is never taken for what was right."""
    found: dict[str, None] = {}
    for item in _items(value, separator):
        if not isinstance(item, str) or not item:
            raise _unreadable(path)
        if limit is None or item in limit:
            found[item] = None
    return tuple(found)


def _items(value: object, separator: str | None) -> tuple[object, ...]:
    """What there is to read; of what is no list, something that is no name."""
    if isinstance(value, str) and separator is not None:
        return tuple(part for part in value.split(separator) if part) if separator else (value,)
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else (None,)


def _unreadable(path: ClaimPath) -> InvalidClaim:
    return InvalidClaim(str(path), "is neither a list of texts nor a text with a configured separator")


@lru_cache(_MOST_SHARED)
def _joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
