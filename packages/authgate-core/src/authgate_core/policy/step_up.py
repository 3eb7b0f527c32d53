"""How the user must have logged in, and what to ask for where that was not enough (RFC 9470)."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass

from ..clock import Instant
from ..principal import Principal, PrincipalRef, User
from ..request import RequestView
from .terms import Condition, Is, Term

__all__ = ["Action", "AnyAcr", "FreshWithin", "LoginTerm", "Proof", "StepUp"]


class LoginTerm(Condition, ABC):
    """Asks how a user logged in, which a new login changes."""

    __slots__ = ()

    def is_curable(self, principal: Principal) -> bool:
        """Whether logging in anew could satisfy it: services and projects do not log in."""
        return self.is_about(principal) and isinstance(principal, User)


@dataclass(frozen=True, slots=True, repr=False)
class FreshWithin(LoginTerm):
    """``fresh_within``."""

    seconds: int
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, now: Instant | None, /) -> bool:
        # Of an unknown login, and at an unknown moment, nobody can say how long ago it was.
        if not isinstance(principal, User) or principal.auth_time is None or now is None:
            return False
        return now.wall - principal.auth_time <= self.seconds

    def __repr__(self) -> str:
        return self._written("fresh_within", self.seconds)


@dataclass(frozen=True, slots=True, repr=False)
class AnyAcr(LoginTerm):
    """``any_acr``."""

    values: tuple[str, ...]
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        return isinstance(principal, User) and principal.acr in self.values

    def __repr__(self) -> str:
        return self._written("any_acr", *self.values)


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified token of an action.

    Args:
        action: What its user has confirmed.
        user: Who that is.
        name: What names the token.
        expires_at: When it ends, in Unix seconds.
        is_used: Whether this request has used it up.
    """

    action: str
    user: PrincipalRef
    name: str
    expires_at: float
    is_used: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Action(LoginTerm):
    """``action``."""

    name: str
    once: bool
    of: Is | None

    def _holds(self, principal: Principal, request: RequestView, _now: Instant | None, /) -> bool:
        proof = request.proof
        return (
            isinstance(principal, User)  # a service may have the id of one
            and isinstance(proof, Proof)
            and proof.action == self.name
            and proof.user == principal.ref
            and (proof.is_used or not self.once)
        )

    def __repr__(self) -> str:
        return self._written("action", self.name, **({} if self.once else {"once": False}))


@dataclass(frozen=True, slots=True)
class StepUp:
    """The login that would satisfy a branch, as RFC 9470 section 3 names it.

    Args:
        acr_values: The classes of which one will do, the first preferred; none where any will do.
        max_age: How long ago it may be, in seconds.
    """

    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    @classmethod
    def of(cls, terms: Iterable[Term]) -> StepUp | None:
        """What satisfies all of the terms that are about logins at once; None where no login can."""
        asked = tuple(terms)
        classes = [term.values for term in asked if isinstance(term, AnyAcr)]
        ages = [term.seconds for term in asked if isinstance(term, FreshWithin)]
        common = (
            tuple(value for value in classes[0] if all(value in one for one in classes)) if classes else ()
        )
        actions = {term.name for term in asked if isinstance(term, Action)}
        if (classes and not common) or len(actions) > 1:  # a request carries the token of one action
            return None
        return cls(common, min(ages, default=None))
