"""Who was admitted to one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol, TypeVar

from ..clock import Instant
from ..errors import AuthgateError, NotAdmitted
from .base import Principal
from .identity import ApiKey, Project, Service, User
from .refs import PrincipalRef

__all__ = ["Admission", "Rule", "ShadowAdmission", "joined", "named_callers"]

P = TypeVar("P", bound=Principal)

_KINDS: Final[Mapping[type[Principal], str]] = {
    User: "user",
    Service: "service",
    Project: "project",
    ApiKey: "api_key",
}


class Rule(Protocol):
    """What an admission can be held against: a policy."""

    def refusal(self, admission: Admission) -> AuthgateError | None:
        """Why the rule does not admit these principals, or None where it does."""
        ...


class Admission:
    """Who was admitted to one request: the principals of the branch of the policy that granted (Law 8.4).

    True where anybody was admitted. Two are equal that admit the same.

    Args:
        principals: At most one of each kind; empty for an optional guard that nobody passed.
        refusal: In shadow mode only, the refusal that was not carried out.
        request: The request as policies read it, for ``allows`` and ``require``.
        moment: When that was; for them as well, so that a login is as fresh as it was then.
    """

    # Not a frozen dataclass: that takes three times as long to make, and one is made for every request.
    __slots__ = ("_moment", "_principals", "_refusal", "_request")
    __match_args__ = ("principals", "refusal", "request", "moment")

    def __init__(
        self,
        principals: tuple[Principal, ...] = (),
        refusal: AuthgateError | None = None,
        request: object = None,
        moment: Instant | None = None,
    ) -> None:
        self._principals = principals
        self._refusal = refusal
        self._request = request
        self._moment = moment

    @property
    def principals(self) -> tuple[Principal, ...]:
        """At most one of each kind."""
        return self._principals

    @property
    def refusal(self) -> AuthgateError | None:
        """In shadow mode only, the refusal that was not carried out."""
        return self._refusal

    @property
    def request(self) -> object:
        """The request as policies read it."""
        return self._request

    @property
    def moment(self) -> Instant | None:
        """When they were admitted; None where no gate did that."""
        return self._moment

    def get(self, kind: type[P]) -> P | None:
        """The principal of this kind, or None."""
        for principal in self._principals:
            if isinstance(principal, kind):
                return principal
        return None

    def allows(self, policy: Rule) -> bool:
        """Whether a further policy admits whoever was admitted; for decisions inside a handler."""
        return policy.refusal(self) is None

    def require(self, policy: Rule) -> None:
        """Refuse the request unless a further policy admits whoever was admitted.

        Raises:
            AuthgateError: The refusal, which the adapter answers like one of the route's own policy.
        """
        refusal = policy.refusal(self)
        if refusal is not None:
            raise refusal

    def holding(self, principals: tuple[Principal, ...], refusal: AuthgateError | None) -> Admission:
        """The same admission with other principals."""
        return Admission(principals, refusal, self._request, self._moment)

    def _one(self, kind: type[P]) -> P:
        principal = self.get(kind)
        if principal is None and self._refusal is not None:
            raise self._refusal  # Law 8.6: what cannot run without a principal still refuses
        if principal is None:
            held = ", ".join(type(p).__name__ for p in self.principals) or "nobody"
            raise NotAdmitted(
                f"no {kind.__name__} was admitted here (admitted: {held}); let the policy ask for one"
            )
        return principal

    @property
    def user(self) -> User:
        """The user.

        Raises:
            NotAdmitted: If the policy that granted did not ask for one.
        """
        return self._one(User)

    @property
    def service(self) -> Service:
        """The service; raises NotAdmitted like ``user``."""
        return self._one(Service)

    @property
    def project(self) -> Project:
        """The project; raises NotAdmitted like ``user``."""
        return self._one(Project)

    @property
    def api_key(self) -> ApiKey:
        """The API key; raises NotAdmitted like ``user``."""
        return self._one(ApiKey)

    @property
    def principal(self) -> Principal:
        """Who calls: the user or service, else the API key, else the project; raises NotAdmitted like ``user``."""
        caller = self.get(User) or self.get(Service) or self.get(ApiKey) or self.get(Project)
        return caller if caller is not None else self._one(Principal)

    def __bool__(self) -> bool:
        return bool(self._principals)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Admission):
            return NotImplemented
        return self._principals == other._principals

    def __hash__(self) -> int:
        return hash(self._principals)

    def __repr__(self) -> str:
        return f"Admission(principals={self._principals!r}, refusal={self._refusal!r})"


class ShadowAdmission(Admission):
    """An admission in shadow mode: what a handler requires further is reported, and not carried out (Law 8.6).

    Args:
        admission: Who was admitted, or would not have been.
        report: Is told of each refusal of ``require``.
    """

    __slots__ = ("_report",)

    def __init__(self, admission: Admission, report: Callable[[AuthgateError], object]) -> None:
        super().__init__(admission.principals, admission.refusal, admission.request, admission.moment)
        self._report = report

    def require(self, policy: Rule) -> None:
        """Report the refusal that there would be, if any."""
        refusal = policy.refusal(self)
        if refusal is not None:
            self._report(refusal)

    def holding(self, principals: tuple[Principal, ...], refusal: AuthgateError | None) -> Admission:
        """As ``Admission.holding``."""
        return ShadowAdmission(super().holding(principals, refusal), self._report)


def joined(earlier: Admission | None, later: Admission) -> Admission:
    """What two guards of one request have found, together.

    Args:
        earlier: What was found before; None before the first guard.
        later: What was found now; of a kind that both hold, this one's principal counts.
    """
    if earlier is None:
        return later
    kinds = {type(principal) for principal in later.principals}
    kept = tuple(principal for principal in earlier.principals if type(principal) not in kinds)
    return later.holding(kept + later.principals, later.refusal or earlier.refusal)


def named_callers(principals: Iterable[Principal]) -> tuple[tuple[str, PrincipalRef], ...]:
    """What principals are called where only their names are kept: the kind of each, and its reference."""
    return tuple((_KINDS[type(principal)], principal.ref) for principal in principals)
