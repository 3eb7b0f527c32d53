"""Policies made ready to be judged: as branches, each of which says what it needs and about whom it asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..clock import Instant
from ..credentials import API_KEY, APP, BEARER, SCHEMES, Kind
from ..errors import ConfigurationError
from ..principal import ApiKey, Principal, Project
from ..request import RequestView
from .step_up import Action
from .terms import AboutOne, Check, Condition, FromIssuer, HasMetadata, Is, Nobody, Term

__all__ = ["Branch", "CompiledPolicy", "Group", "compile_groups", "is_possible", "kind_of"]

Group: TypeAlias = tuple[Term, ...]
"""Terms that hold together or not at all."""

_ORDER: Final[tuple[Kind, ...]] = tuple(SCHEMES)


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to be admitted.

    Args:
        text: The branch as a policy would be written.
        kinds: What must be presented, in a fixed order.
        principals: The type that each kind must identify; ``Principal`` where any will do.
        terms: What must hold, each with the kind that identifies whom it asks about.
        checks: What must hold after that.
    """

    text: str
    kinds: tuple[Kind, ...]
    principals: tuple[type[Principal], ...]
    terms: tuple[tuple[AboutOne, Kind], ...]
    checks: tuple[Check, ...]

    @property
    def asks_action(self) -> bool:
        """Whether the user must have confirmed an action."""
        return any(isinstance(term, Action) for term, _ in self.terms)


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy as a guard uses it.

    Branches stand in an order of their own, the one that shows most of who was admitted first: so nothing
    depends on the order in which the policy was written (Law 2.3).

    Args:
        text: The policy as it is printed.
        branches: The ways to be admitted; at least one.
        kinds: The kinds of credentials that any branch reads, in a fixed order.
        principals: The types of principals that any branch asks for; ``Principal`` where a Bearer token of
            either type will do.
        is_plain: Whether every branch asks for a Bearer token, and nothing of the application's about it.
        asks_action: Whether any branch asks for an action that the user has confirmed.
    """

    text: str
    branches: tuple[Branch, ...]
    kinds: tuple[Kind, ...]
    principals: frozenset[type[Principal]]
    is_plain: bool
    asks_action: bool

    @property
    def uses_once(self) -> bool:
        """Whether any branch uses a token up."""
        terms = (term for branch in self.branches for term, _ in branch.terms)
        return any(isinstance(term, Action) and term.once for term in terms)

    @property
    def asks_metadata(self) -> bool:
        """Whether any branch asks what an apex keeps about the user."""
        return any(isinstance(term, HasMetadata) for branch in self.branches for term, _ in branch.terms)

    @property
    def issuers(self) -> tuple[FromIssuer, ...]:
        """What branches ask about the issuer of a token."""
        terms = (about for branch in self.branches for about in branch.terms)
        return tuple(term for term, kind in terms if isinstance(term, FromIssuer) and kind == BEARER)

    def is_plainly_for(self, principal: Principal, request: RequestView, now: Instant | None) -> bool:
        """Whether it is plain and admits the bearer of a token; where it is not, ``evaluate`` has to say."""
        if self.is_plain:
            for branch in self.branches:
                for term, _ in branch.terms:
                    if not term.holds(principal, request, now):
                        break
                else:
                    return True
        return False

    @property
    def schemes(self) -> tuple[str, ...]:
        """The authentication schemes that the policy accepts (Law 1.1)."""
        return tuple(SCHEMES[kind] for kind in self.kinds)

    def is_presented(self, presented: Collection[Kind]) -> bool:
        """Whether anything that the policy asks for is there; if not, optional guards let pass (Law 1.4)."""
        return any(kind in presented for kind in self.kinds)

    def missing_kinds(self, presented: Collection[Kind]) -> tuple[Kind, ...]:
        """The kinds that are not there, of all branches; none once a branch has all its own (Law 2.3)."""
        if any(all(kind in presented for kind in branch.kinds) for branch in self.branches):
            return ()
        return tuple(kind for kind in self.kinds if kind not in presented)


def kind_of(principal: Principal) -> Kind:
    """The kind of credential that identifies such a principal."""
    if isinstance(principal, ApiKey):
        return API_KEY
    return APP if isinstance(principal, Project) else BEARER


def is_possible(terms: Iterable[Term]) -> bool:
    """Whether one request could satisfy all of these: one token is a user's or a service's, never both."""
    named = _named(terms)
    return len({term.kind for term in named}) == len(named)


def compile_groups(text: str, groups: Iterable[Group]) -> CompiledPolicy:
    """Make branches of the groups of terms of which one must hold.

    Args:
        text: The policy as it is printed.
        groups: At least one, each possible.

    Raises:
        ConfigurationError: If a group leaves open about whom a condition asks (Law 8.3).
    """
    branches = sorted(map(_branch, groups), key=_rank)
    kinds = {kind for branch in branches for kind in branch.kinds}
    return CompiledPolicy(
        text=text,
        branches=tuple(branches),
        kinds=tuple(kind for kind in _ORDER if kind in kinds),
        principals=frozenset(principal for branch in branches for principal in branch.principals),
        is_plain=all(
            branch.kinds == (BEARER,) and not branch.checks and not branch.asks_action for branch in branches
        ),
        asks_action=any(branch.asks_action for branch in branches),
    )


def _named(terms: Iterable[Term]) -> set[Is]:
    """The principals that terms name: by asking for a kind, or by ``of=``."""
    named = {term.of if isinstance(term, Condition) else term for term in terms}
    return {term for term in named if isinstance(term, Is)}


def _branch(group: Group) -> Branch:
    text = " & ".join(map(repr, group))
    asked = _asked(group)
    loose = [term for term in group if isinstance(term, Condition) and term.of is None]
    if loose and len(asked) > 1:
        names = " and ".join(principal.__name__ for principal in asked.values())
        raise ConfigurationError(f"policy {text}: {loose[0]!r} needs of=, because the group is about {names}")
    kinds: tuple[Kind, ...] = tuple(kind for kind in _ORDER if kind in asked)
    return Branch(
        text,
        kinds,
        principals=tuple(asked[kind] for kind in kinds),
        terms=tuple((term, _about(term, kinds)) for term in group if isinstance(term, AboutOne)),
        checks=tuple(term for term in group if isinstance(term, Check)),
    )


def _asked(group: Group) -> dict[Kind, type[Principal]]:
    """Who must be there, by kind."""
    asked: dict[Kind, type[Principal]] = {term.kind: term.principal for term in _named(group)}
    kinds_named = any(isinstance(term, Is) for term in group)
    loose = any(isinstance(term, Condition) and term.of is None for term in group)
    # Law 8.3: where no kind is named, a condition asks about the Bearer principal.
    # Law 8.6: a check needs somebody to be there.
    if (loose and not kinds_named) or (
        not asked and any(isinstance(term, (Check, Nobody)) for term in group)
    ):
        asked.setdefault(BEARER, Principal)
    return asked


def _about(term: AboutOne, kinds: tuple[Kind, ...]) -> Kind:
    named = term.of if isinstance(term, Condition) else term
    return named.kind if isinstance(named, Is) else kinds[0]


def _rank(branch: Branch) -> tuple[int, tuple[int, ...], list[str]]:
    written = sorted(map(repr, (*(term for term, _ in branch.terms), *branch.checks)))
    return -len(branch.kinds), tuple(map(_ORDER.index, branch.kinds)), written
