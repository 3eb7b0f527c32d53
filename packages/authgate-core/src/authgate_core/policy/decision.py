"""Deciding: what a policy says about the principals of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from ..credentials import API_KEY, BEARER, SCHEMES, Kind
from ..errors import AuthgateError, AuthorizationError, InsufficientScope, MissingCredentials
from ..principal import Admission, Principal
from ..request import RequestView
from .compiled import Branch, CompiledPolicy, kind_of
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
        scopes: Where scopes are all that is missing: every scope that the branch asks for.
        issuer: The configured name of the issuer of the principal that was judged, for logs.
        scheme: The authentication scheme that identified it, for logs.
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

    def __bool__(self) -> bool:
        return self.granted

    def refusal(self) -> AuthgateError:
        """The error that a refused request ends with.

        Returns:
            ``MissingCredentials`` where no branch has all its kinds, ``InsufficientScope`` where scopes are
            all that is missing, else ``AuthorizationError``.

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
        if self.scopes:
            return InsufficientScope(
                self.scopes, reason, missing=self.missing_scopes, scheme=self.scheme, issuer=self.issuer
            )
        return AuthorizationError(reason, scheme=self.scheme, issuer=self.issuer)

    def to_dict(self) -> dict[str, Any]:
        """What a caller may see, as JSON, which Any stands for: of what is missing, the scopes (Law 1.2)."""
        return {"granted": self.granted, "missing": list(self.missing_scopes)}


def evaluate(policy: CompiledPolicy, principals: Mapping[Kind, Principal], request: RequestView) -> Decision:
    """Decide about authenticated principals; each condition is judged on one of them (Law 8.3).

    Args:
        policy: What is asked.
        principals: Who was identified, by the kind of credential.
        request: The request, for its path parameters and for checks.
    """
    refused: list[tuple[Branch, tuple[Term, ...]]] = []
    for branch in policy.branches:
        if all(kind in principals for kind in branch.kinds):
            missing = _missing(branch, principals, request)
            if not missing:
                return Decision(
                    granted=True,
                    branch=branch.text,
                    principals=tuple(principals[kind] for kind in branch.kinds),
                )
            refused.append((branch, missing))
    if not refused:
        return Decision(granted=False, unpresented=policy.missing_kinds(principals))
    # The nearest branch: one that more scopes would satisfy goes before one of as many other leaves.
    candidates = [_refused(branch, missing, principals) for branch, missing in refused]
    return min(candidates, key=lambda decision: (len(decision.missing), not decision.scopes))


def judge(policy: CompiledPolicy, admission: Admission) -> AuthgateError | None:
    """Why a policy does not admit the principals of an admission, or None where it does."""
    principals: dict[Kind, Principal] = {kind_of(principal): principal for principal in admission.principals}
    request = admission.request if isinstance(admission.request, RequestView) else _NO_REQUEST
    decision = evaluate(policy, principals, request)
    return None if decision.granted else decision.refusal()


def _missing(branch: Branch, principals: Mapping[Kind, Principal], request: RequestView) -> tuple[Term, ...]:
    unmet = [
        (term, principals[kind]) for term, kind in branch.terms if not term.holds(principals[kind], request)
    ]
    missing = tuple(term for term, _ in unmet)
    # A check may rely on all that its branch demands, but for scopes: whether those are all that is missing
    # is not known before every check was asked.
    if not branch.checks or not all(isinstance(term, Scopes) and term.lacked(who) for term, who in unmet):
        return missing
    admission = Admission(tuple(principals[kind] for kind in branch.kinds), request=request)
    return missing + tuple(check for check in branch.checks if not check.holds(admission, request))


def _refused(branch: Branch, missing: tuple[Term, ...], principals: Mapping[Kind, Principal]) -> Decision:
    about: dict[Scopes, Kind] = {
        term: kind for term, kind in branch.terms if isinstance(term, Scopes) and kind in _SCOPED
    }
    lacking: list[Kind] = [kind for term, kind in about.items() if term in missing]
    scoped = lacking[0] if lacking else branch.kinds[0]
    scopes = [term for term, kind in about.items() if kind == scoped]
    lacked: dict[Term, tuple[str, ...]] = {
        term: term.lacked(principals[scoped]) for term in scopes if term in missing
    }
    # RFC 6750 section 3.1: with these scopes a token would be admitted, where scopes are all that is missing.
    curable = all(lacked.get(term) for term in missing)
    return Decision(
        granted=False,
        branch=branch.text,
        missing=missing,
        missing_scopes=_each(lacked.values()),
        scopes=_each(term.needed(principals[scoped]) for term in scopes) if curable else (),
        issuer=principals[scoped].issuer,
        scheme=SCHEMES[scoped],
    )


def _each(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))
