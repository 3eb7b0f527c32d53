"""What is measured, where, and what the bounds are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["SUBJECTS", "Subject"]


@dataclass(frozen=True)
class Subject:
    """A module of this package that measures, in a process of its own.

    Args:
        module: Its name.
        environment: Whose environment it needs.
        bounds: The keys that it measures, each with the most that it may be; None is measured to be known.
    """

    module: str
    environment: str
    bounds: Mapping[str, float | None]

    def missed(self, results: Mapping[str, float]) -> list[str]:
        """The keys whose results are beyond their bounds."""
        bounded = {key: bound for key, bound in self.bounds.items() if bound is not None}
        return [key for key, value in results.items() if key in bounded and value > bounded[key]]


# In `..._over_plain` both sides authenticate their request once, by the guard of the list: what is bounded is the
# hundred checks. What the one authentication adds to an operation without any is `..._and_authentication`.
SUBJECTS: Final = (
    Subject(
        "strawberry_fields",
        "strawberry",
        {
            "strawberry_100_authentications": 1,
            "strawberry_100_over_plain": 1.10,
            "strawberry_100_guard_over_plain": 1.10,
            "strawberry_100_sync_over_plain": 1.10,
            "strawberry_100_and_authentication": None,
        },
    ),
    Subject(
        "graphene_fields",
        "graphene",
        {
            "graphene_100_authentications": 1,
            "graphene_100_over_plain": 1.06,
            "graphene_100_async_over_plain": 1.06,
            "graphene_100_and_authentication": None,
        },
    ),
)
