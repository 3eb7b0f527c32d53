"""Which code is mutated, and which tests are asked about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["CORE", "ROOMS", "ROOT", "TESTS", "Room"]

ROOT: Final = Path(__file__).parents[1]
CORE: Final = ROOT / "packages" / "authgate-core" / "src" / "authgate_core"
TESTS: Final = ROOT / "packages" / "authgate-core" / "tests"


@dataclass(frozen=True, slots=True)
class Room:
    """A room of the core.

    Args:
        name: As the architecture calls it.
        tests: Patterns of the names of the test files that own it; what others would notice does not count.
    """

    name: str
    tests: tuple[str, ...]

    def sources(self) -> Iterator[Path]:
        """Its modules; those that only hand on names hold nothing to mutate."""
        alone = CORE / f"{self.name}.py"
        yield from [alone] if alone.exists() else sorted((CORE / self.name).rglob("*.py"))

    def test_files(self) -> list[Path]:
        """The files that its patterns name."""
        return sorted({path for pattern in self.tests for path in self.files_of(pattern)})

    @staticmethod
    def files_of(pattern: str) -> list[Path]:
        """The files that one pattern names."""
        return list(TESTS.glob(f"test_{pattern}.py"))


ROOMS: Final = {
    room.name: room
    for room in (
        Room("jose", ("jose_*", "law_tokens", "law_logout")),
        Room("keyring", ("keyring", "keyring_tenants", "key_flows", "tenants_served")),
        Room("policy", ("policy_*",)),
        Room("credentials", ("credentials",)),
        Room("challenge", ("challenge*",)),
        Room(
            "revocation",
            ("revocation", "revocation_memory", "revocation_replica", "revocation_specs", "law_revocations"),
        ),
        Room("cache", ("answers", "cache_*", "projects_cache", "lookups", "tenants_served", "law_caches")),
    )
}
