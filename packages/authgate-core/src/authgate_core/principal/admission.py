"""Who was admitted to one request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from ..errors import AuthgateError, NotAdmitted
from .identity import Principal, Project, Service, User

__all__ = ["Admission"]

P = TypeVar("P", bound=Principal)


@dataclass(frozen=True, slots=True)
class Admission:
    """Who was admitted to one request: the principals of the branch of the policy that granted (Law 8.4).

    Args:
        principals: At most one of each kind; empty for an optional guard that nobody passed.
        refusal: In shadow mode only, the refusal that was not carried out.
    """

    principals: tuple[Principal, ...] = ()
    refusal: AuthgateError | None = field(default=None, compare=False)

    def get(self, kind: type[P]) -> P | None:
        """The principal of this kind, or None."""
        return next((p for p in self.principals if isinstance(p, kind)), None)

    def _one(self, kind: type[P]) -> P:
        principal = self.get(kind)
        if principal is None:
            held = ", ".join(type(p).__name__ for p in self.principals) or "nobody"
            raise NotAdmitted(f"no {kind.__name__} was admitted here (admitted: {held}); let the policy ask for one")
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
    def principal(self) -> Principal:
        """The one who calls: the user or service, else the project; raises NotAdmitted like ``user``."""
        bearer = self.get(User) or self.get(Service) or self.get(Project)
        return bearer if bearer is not None else self._one(Principal)
