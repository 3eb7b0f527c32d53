"""Which roles imply which (Law 8.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import cast

__all__ = ["RoleHierarchy"]


@dataclass(frozen=True, slots=True, repr=False)
class RoleHierarchy:
    """Which roles a role brings along, transitively; without one, no role implies another.

    A wrong hierarchy is made all the same and says so in ``problems``, so that a gate can name at once
    everything that is wrong (Law 1.6).

    Args:
        implied: For each role the roles that it implies: ``RoleHierarchy({"admin": ["editor", "viewer"]})``.
        every: Roles that imply every role there is, whatever it is called.
    """

    implied: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    every: frozenset[str] = frozenset()
    _closure: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        implied = {role: _listed(roles) for role, roles in self.implied.items()}
        object.__setattr__(self, "implied", MappingProxyType(implied))
        closure = {role: frozenset({role, *self._reachable(role)}) for role in implied}
        object.__setattr__(self, "_closure", MappingProxyType(closure))

    @classmethod
    def ranked(cls, *roles: str) -> RoleHierarchy:
        """Roles of which each implies the next, the highest first: ``ranked("admin", "editor", "viewer")``."""
        return cls({role: (lower,) for role, lower in pairwise(roles)})

    def expand(self, roles: Iterable[str]) -> frozenset[str]:
        """These roles and every role that they imply."""
        expanded = frozenset[str]().union(*(self._closure.get(role, (role,)) for role in roles))
        return expanded if self.every.isdisjoint(expanded) else _EveryRole(expanded)

    def problems(self) -> list[str]:
        """What is wrong with the hierarchy: one sentence each, with what to write instead."""
        found = [
            f"roles: {role!r} implies {roles!r}; write a list of role names"
            for role, roles in self.implied.items()
            if not _is_names(roles)
        ]
        every: object = self.every
        if not isinstance(every, frozenset) or not _is_names(tuple(cast("frozenset[object]", every))):
            found.append(f"roles: every={every!r} is no frozenset of role names")
        circular = [role for role in self.implied if role in self._reachable(role)]
        if circular:
            found.append(
                f"roles: {', '.join(map(repr, circular))} imply themselves; take one link out of the circle"
            )
        return found

    def _reachable(self, role: str) -> set[str]:
        """The roles that following the links from a role leads to; itself only if they lead back."""
        reached: set[str] = set()
        waiting = [role]
        while waiting:
            roles = self.implied.get(waiting.pop(), ())
            new = set(roles if _is_names(roles) else ()) - reached
            reached |= new
            waiting.extend(new)
        return reached

    def __hash__(self) -> int:
        return hash((frozenset(self._closure.items()), self.every))

    def __repr__(self) -> str:
        implied = {role: list(roles) if _is_names(roles) else roles for role, roles in self.implied.items()}
        more = f", every={sorted(self.every)!r}" if self.every else ""
        return f"RoleHierarchy({implied!r}{more})"


class _EveryRole(frozenset[str]):
    """The roles that somebody has who has them all: it lists those that are known by name, and holds any."""

    __slots__ = ()

    def __contains__(self, role: object) -> bool:
        return isinstance(role, str)

    def isdisjoint(self, other: Iterable[object]) -> bool:
        """Whether there is no role among these at all."""
        return not any(isinstance(role, str) for role in other)

    def issuperset(self, other: Iterable[object]) -> bool:
        """Whether these are roles, every one of which is held then."""
        return all(isinstance(role, str) for role in other)


def _listed(roles: Collection[str]) -> Collection[str]:
    """A copy in a fixed form; what is no list of roles stays as it is, for ``problems`` to name."""
    return tuple(roles) if isinstance(roles, (list, tuple, set, frozenset)) else roles


def _is_names(roles: object) -> bool:
    if not isinstance(roles, tuple):
        return False
    return all(isinstance(role, str) and role for role in cast("tuple[object, ...]", roles))
