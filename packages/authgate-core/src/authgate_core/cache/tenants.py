"""Which tenants are served, where a function says so: asked at most once a minute for each (Law 4.13)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeAlias, final

from ..clock import Instant

__all__ = ["TenantPredicate", "TenantsServed"]

FRESH: Final = 60.0
_MOST: Final = 10_000

TenantPredicate: TypeAlias = Callable[[str], bool]


@final
class TenantsServed:
    """Answers whether a tenant is served, from a list or from what a predicate said less than a minute ago.

    Args:
        served: The tenants by name, or a predicate: a plain function that answers from memory, since every
            request may wait for it; ``AuthUnavailable`` from it is an outage.
    """

    __slots__ = ("_answers", "_served")

    def __init__(self, served: Collection[str] | TenantPredicate) -> None:
        self._served = served if callable(served) else frozenset(served)
        self._answers: dict[str, tuple[float, bool]] = {}

    def admits(self, tenant: str, now: Instant) -> bool:
        """Whether this tenant, in its canonical spelling, is served.

        Raises:
            TypeError: If the predicate answers anything but a bool: a bug of the application (Law 1.3).
        """
        if isinstance(self._served, frozenset):
            return tenant in self._served
        known = self._answers.get(tenant)
        if known is not None and now.mono - known[0] < FRESH:
            return known[1]
        return self._ask(self._served, tenant, now)

    def knows(self, tenant: str, now: Instant) -> bool:
        """Whether ``admits`` would say yes, and would not have to ask for that."""
        if isinstance(self._served, frozenset):
            return tenant in self._served
        known = self._answers.get(tenant)
        return known is not None and known[1] and now.mono - known[0] < FRESH

    def _ask(self, served: TenantPredicate, tenant: str, now: Instant) -> bool:
        answer: object = served(tenant)
        if not isinstance(answer, bool):
            raise TypeError(f"the predicate of tenants returned {type(answer).__name__}, not a bool")
        if len(self._answers) >= _MOST:
            self._answers.clear()  # one step, which readers without a lock cannot see half of
        self._answers[tenant] = (now.mono, answer)
        return answer
