"""Deciding: what a policy says about the principals of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from ..clock import Instant
from ..credentials import API_KEY, BEARER, SCHEMES, Kind
from ..errors import (
    AuthgateError,
    AuthorizationError,
    InsufficientScope,
    MissingCredentials,
    StepUpRequired,
)
from ..principal import Admission, Principal
from ..request import RequestView
from .compiled import Branch, CompiledPolicy, kind_of
from .step_up import Action, FreshWithin, LoginTerm, StepUp
from .terms import Scopes, Term

__all__ = ["Decision", "evaluate", "judge"]

_NO_REQUEST: Final = RequestView("", "", ())
_SCOPED: Final[frozenset[Kind]] = frozenset({BEARER, API_KEY})
"""The kinds of credentials of which others with more scopes can be had."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy says about the principals of a request, and why (Law 8.4); true when it grants.

    Args:
        granted: Whether it admits them.
        branch: The branch that granted; else the one that came nearest.
        principals: When granted, the principals of that branch, and no others.
        missing: The terms of the nearest branch that do not hold.
        unpresented: Where no branch has all its kinds: the kinds that are missing.
        missing_scopes: The scopes that the token or API key lacks for that branch.
        scopes: Where another token, or API key, is all that is missing: every scope that the branch asks for.
        issuer: The configured name of the issuer of the principal that was judged, for logs.
        scheme: The authentication scheme that identified it, for logs.
        step_up: The login that the branch asks for, where a new one is what is missing, with those scopes or without.
    """

    granted: bool
    branch: str = ""
    principals: tuple[Principal, ...] = ()
    missing: tuple[Term, ...] = ()
    unpresented: tuple[Kind, ...] = ()
    missing_scopes: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    issuer: str | None = None
    scheme: str | None = None
    step_up: StepUp | None = None

    def __bool__(self) -> bool:
        return self.granted

    def refusal(self) -> AuthgateError:
        """The error that a refused request ends with.

        Returns:
            ``MissingCredentials`` where no branch has all its kinds, ``StepUpRequired`` where a new login would do,
            ``InsufficientScope`` where scopes are all that is missing, else ``AuthorizationError``.

        Raises:
            ValueError: If the decision granted.
        """
        if self.granted:
            raise ValueError("a decision that granted has no refusal")
        if self.unpresented:
            missing = MissingCredentials(f"not presented: {', '.join(self.unpresented)}")
            missing.accepts = tuple(SCHEMES[kind] for kind in self.unpresented)
            return missing
        reason = f"{self.branch}: does not hold: {', '.join(map(repr, self.missing))}"
        if self.step_up is not None:
            acr_values, max_age = self.step_up.acr_values, self.step_up.max_age
            scopes, lacked = (self.scopes, self.missing_scopes) if self.missing_scopes else ((), ())
            error = StepUpRequired(acr_values, max_age, scopes, reason, missing=lacked, issuer=self.issuer)
            error.action = next((term.name for term in self.missing if isinstance(term, Action)), None)
            error.is_stale = any(isinstance(term, FreshWithin) for term in self.missing)
            return error
        if self.scopes:
            return InsufficientScope(
                self.scopes, reason, missing=self.missing_scopes, scheme=self.scheme, issuer=self.issuer
            )
        return AuthorizationError(reason, scheme=self.scheme, issuer=self.issuer)

    def to_dict(self) -> dict[str, Any]:
        """What a caller may see, as JSON, which Any stands for: of what is missing, the scopes (Law 1.2)."""
        return {"granted": self.granted, "missing": list(self.missing_scopes)}


def evaluate(
    policy: CompiledPolicy,
    principals: Mapping[Kind, Principal],
    request: RequestView,
    now: Instant | None = None,
) -> Decision:
    """Decide about authenticated principals; each condition is judged on one of them (Law 8.3).

    Args:
        policy: What is asked.
        principals: Who was identified, by the kind of credential.
        request: The request, for its path parameters and for checks.
        now: The moment to judge logins by; None where that is unknown, and then no login is fresh.
    """
    refused: list[tuple[Branch, tuple[Term, ...]]] = []
    for branch in policy.branches:
        if all(kind in principals for kind in branch.kinds):
            missing = _missing(branch, principals, request, now)
            if not missing:
                return Decision(
                    granted=True,
                    branch=branch.text,
                    principals=tuple(principals[kind] for kind in branch.kinds),
                )
            refused.append((branch, missing))
    if not refused:
        return Decision(granted=False, unpresented=policy.missing_kinds(principals))
    # The nearest branch: one that another token would satisfy goes before one of as many other leaves.
    candidates = [_refused(branch, missing, principals) for branch, missing in refused]
    return min(candidates, key=lambda found: (len(found.missing), not (found.scopes or found.step_up)))


def judge(policy: CompiledPolicy, admission: Admission) -> AuthgateError | None:
    """Why a policy does not admit the principals of an admission, or None where it does."""
    principals: dict[Kind, Principal] = {kind_of(principal): principal for principal in admission.principals}
    request = admission.request if isinstance(admission.request, RequestView) else _NO_REQUEST
    decision = evaluate(policy, principals, request, admission.moment)
    return None if decision.granted else decision.refusal()


def _missing(
    branch: Branch, principals: Mapping[Kind, Principal], request: RequestView, now: Instant | None
) -> tuple[Term, ...]:
    unmet = [
        (term, principals[kind])
        for term, kind in branch.terms
        if not term.holds(principals[kind], request, now)
    ]
    missing = tuple(term for term, _ in unmet)
    # A check may rely on all that its branch demands, but for what another token would bring: whether that is
    # all that is missing is not known before every check was asked.
    if not branch.checks or not all(term.is_curable(who) for term, who in unmet):
        return missing
    admission = Admission(tuple(principals[kind] for kind in branch.kinds), request=request, moment=now)
    return missing + tuple(check for check in branch.checks if not check.holds(admission, request))


def _refused(branch: Branch, missing: tuple[Term, ...], principals: Mapping[Kind, Principal]) -> Decision:
    curing = [(term, about) for term, about in branch.terms if isinstance(term, (Scopes, LoginTerm))]
    lacking: list[Kind] = [about for term, about in curing if term in missing and about in _SCOPED]
    kind = lacking[0] if lacking else branch.kinds[0]
    who = principals[kind]
    asked = [term for term, about in branch.terms if kind in _SCOPED and about == kind]
    scopes = [term for term in asked if isinstance(term, Scopes)]
    # RFC 6750 section 3.1: with these scopes a token would be admitted, where scopes are all that is missing.
    curable = {term for term in asked if term.is_curable(who)}.issuperset(missing)
    needs_login = any(isinstance(term, LoginTerm) for term in missing)
    step_up = StepUp.of(asked) if curable and needs_login else None
    helpful = scopes if curable and needs_login is (step_up is not None) else []
    return Decision(
        granted=False,
        branch=branch.text,
        missing=missing,
        missing_scopes=_each(term.lacked(who) for term in scopes if term in missing),
        scopes=_each(term.needed(who) for term in helpful),
        issuer=who.issuer,
        scheme=SCHEMES[kind],
        step_up=step_up,
    )


def _each(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))
