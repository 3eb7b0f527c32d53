"""What is measured, where, and what the bounds are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["BOUNDS", "SUBJECTS", "Subject"]


@dataclass(frozen=True)
class Subject:
    """A module of this package that measures, in a process of its own.

    Args:
        module: Its name.
        bounds: The keys that it measures, each with the most that it may be; None is measured to be known.
        environment: Whose environment it needs.
    """

    module: str
    bounds: Mapping[str, float | None]
    environment: str = "main"


# Beside a key `x`, a subject may measure `x_by_library`: the same work done with that library.
SUBJECTS: Final = (
    Subject(
        "cold",
        {
            "cold_rs256_over_raw": 1.75,
            "cold_rs256_over_pyjwt": 0.40,
            "cold_rs256_over_best_peer": 0.80,
            "cold_es256_over_raw": 1.25,
            "cold_eddsa_over_raw": 1.15,
            "cold_rs256_first_seen_over_raw": None,
        },
    ),
    Subject("kid_lookup", {"kid_lookup_and_verify_over_pyjwkclient": 0.25}),
    Subject("hit", {"hit_over_raw": 0.11, "admit_hit_over_raw": 0.50, "hit_4_threads_over_1": 1.3}),
    Subject("junk", {"reject_8kb_junk_over_raw": 0.1, "reject_8kb_shapeless_over_raw": None}),
    Subject(
        "fastapi_calls",
        {
            "fastapi_middleware_hit_over_plain": 1.15,
            "fastapi_depends_hit_over_noop_depends": 1.15,
            "fastapi_requires_hit_over_noop_depends": None,
        },
    ),
    Subject("flask_calls", {"flask_hit_over_plain": 1.12}),
    Subject(
        "strawberry_fields",
        {
            "strawberry_100_authentications": 1,
            "strawberry_100_over_plain": 1.10,
            "strawberry_100_permission_over_plain": 1.10,
            "strawberry_100_sync_over_plain": 1.10,
            "strawberry_100_checks_over_authenticated": None,
        },
        "strawberry",
    ),
    Subject(
        "graphene_fields",
        {
            "graphene_100_authentications": 1,
            "graphene_100_over_plain": 1.06,
            "graphene_100_async_over_plain": 1.06,
            "graphene_100_checks_over_authenticated": None,
        },
        "graphene",
    ),
    Subject("redis_check", {"redis_revocation_over_one_get": 1.3, "redis_feed_over_one_get": None}),
    Subject("memory", {"cached_bytes_per_token": 1536}),
)
BOUNDS: Final = {key: bound for subject in SUBJECTS for key, bound in subject.bounds.items()}
"""Every key with its bound."""
