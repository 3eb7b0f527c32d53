"""Policies as values, and how they are combined (Law 8.1)."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn

from ..errors import AuthgateError, ConfigurationError
from ..principal import Admission
from .compiled import CompiledPolicy, Group, compile_groups, is_possible
from .decision import judge
from .terms import Anybody, Nobody, Term

__all__ = ["AllOf", "AnyOf", "Leaf", "Policy", "UnsafeAllowAnonymous", "compile_policy"]

_MAX_BRANCHES: Final = 64
_CONTRADICTION: Final = "policy {!r}: a token is a user's or a service's, never both; write |"


class Policy(ABC):
    """A rule about who is admitted: a value that is printed as the expression that makes it.

    Policies are combined with ``&`` and ``|`` and compared by what they say. They decide nothing by
    themselves: guards, ``Gate.admit`` and ``Admission.allows`` take them.
    """

    __slots__ = ()

    def __and__(self, other: object) -> AllOf:
        return AllOf((self, other)) if isinstance(other, Policy) else NotImplemented

    def __or__(self, other: object) -> AnyOf:
        return AnyOf((self, other)) if isinstance(other, Policy) else NotImplemented

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} is a policy and neither true nor false:"
            " write a & b for 'a and b', a | b for 'a or b', and admission.allows(policy) to decide"
        )

    @abstractmethod
    def groups(self) -> list[Group]:
        """The groups of terms of which one must hold as a whole.

        Raises:
            ConfigurationError: If the policy contradicts itself or has too many groups.
        """

    def refusal(self, admission: Admission) -> AuthgateError | None:
        """Why this policy does not admit these principals, or None where it does.

        Raises:
            ConfigurationError: If the policy can never be judged.
        """
        return judge(compile_policy(self), admission)


@dataclass(frozen=True, slots=True, repr=False)
class Leaf(Policy):
    """A policy that asks one thing.

    Args:
        term: What it asks.
    """

    term: Term

    def groups(self) -> list[Group]:
        """The term alone."""
        return [(self.term,)]

    def __repr__(self) -> str:
        return repr(self.term)


@dataclass(frozen=True, slots=True)
class UnsafeAllowAnonymous(Policy):
    """Admits anybody, with or without credentials (Law 8.6); a warning names each policy that holds it."""

    def groups(self) -> list[Group]:
        """The term that always holds."""
        return [(Anybody(),)]


@dataclass(frozen=True, slots=True, repr=False)
class AllOf(Policy):
    """What ``a & b`` makes; of no parts, it refuses.

    Args:
        parts: The policies that must all admit.

    Raises:
        TypeError: If a part is no policy.
    """

    parts: tuple[Policy, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(_flat(AllOf, self.parts)))

    def groups(self) -> list[Group]:
        """Each group that takes one group of every part."""
        if not self.parts:
            return [(Nobody(repr(self)),)]
        if not is_possible(part.term for part in self.parts if isinstance(part, Leaf)):
            raise ConfigurationError(_CONTRADICTION.format(self))
        groups: list[Group] = [()]
        for part in self.parts:
            more = part.groups()
            joined = (tuple(dict.fromkeys(left + right)) for left in groups for right in more)
            # What distribution brings together, as in (a | b) & (a | c), is left out rather than refused.
            groups = _bounded(self, filter(is_possible, joined))
        return groups

    def __repr__(self) -> str:
        return _shown(self, " & ", self.parts)


@dataclass(frozen=True, slots=True, repr=False)
class AnyOf(Policy):
    """What ``a | b`` makes; of no parts, it refuses.

    Args:
        parts: The policies of which one must admit.

    Raises:
        TypeError: If a part is no policy.
    """

    parts: tuple[Policy, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(_flat(AnyOf, self.parts)))

    def groups(self) -> list[Group]:
        """The groups of all parts."""
        if not self.parts:
            return [(Nobody(repr(self)),)]
        return _bounded(self, (group for part in self.parts for group in part.groups()))

    def __repr__(self) -> str:
        return _shown(self, " | ", self.parts)


def compile_policy(policy: Policy) -> CompiledPolicy:
    """Make a policy ready to be judged; equal policies share the result.

    Raises:
        ConfigurationError: If it is no policy, can never hold, leaves open about whom a leaf asks (Law 8.3),
            or has more than 64 branches.
    """
    return _compiled(_checked(policy))


def _checked(policy: object) -> Policy:
    if not isinstance(policy, Policy):
        raise ConfigurationError(f"{policy!r} is no policy; write one like is_user & any_role('admin')")
    return policy


@lru_cache(maxsize=512)
def _compiled(policy: Policy) -> CompiledPolicy:
    groups = policy.groups()
    if not groups:
        raise ConfigurationError(_CONTRADICTION.format(policy))
    if any(isinstance(term, Anybody) for group in groups for term in group):
        logging.getLogger("authgate").warning("policy %r admits anybody, with or without credentials", policy)
    return compile_groups(repr(policy), groups)


def _flat(combination: type[AllOf | AnyOf], parts: Iterable[object]) -> Iterable[Policy]:
    for part in parts:
        if not isinstance(part, Policy):
            raise TypeError(f"{combination.__name__} combines policies, and {part!r} is none")
        # An empty combination stays: flattened away it would no longer refuse (Law 8.1).
        if isinstance(part, combination) and part.parts:
            yield from part.parts
        else:
            yield part


def _bounded(policy: Policy, groups: Iterable[Group]) -> list[Group]:
    distinct = list(dict.fromkeys(groups))
    if len(distinct) > _MAX_BRANCHES:
        raise ConfigurationError(f"policy {policy!r}: more than {_MAX_BRANCHES} branches; use several guards")
    return distinct


def _shown(policy: Policy, operator: str, parts: tuple[Policy, ...]) -> str:
    if len(parts) < 2:
        return f"{type(policy).__name__}({parts!r})"
    return operator.join(map(_grouped, parts))


def _grouped(part: Policy) -> str:
    return f"({part!r})" if isinstance(part, AnyOf) and len(part.parts) > 1 else repr(part)
