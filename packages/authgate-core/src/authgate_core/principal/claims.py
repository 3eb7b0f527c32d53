"""Where a claim stands in a token: dotted paths, and paths whose parts hold dots (Law 3.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, cast

__all__ = ["MISSING", "ClaimPath", "Missing", "as_path", "claim_path", "resolve"]


class Missing(Enum):
    """The type of ``MISSING``."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""What ``resolve`` finds where there is no claim; a claim that is present and null is None."""


@dataclass(frozen=True, slots=True, repr=False)
class ClaimPath:
    """The way to a claim through nested objects; made by ``claim_path`` or ``as_path``.

    Args:
        parts: The member names from the outside in, each taken literally.

    Raises:
        ValueError: If there is no part, or an empty one.
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.parts or not all(self.parts):
            raise ValueError("a claim path names at least one member, and each name is a non-empty text")

    def __str__(self) -> str:
        return ".".join(self.parts)

    def __repr__(self) -> str:
        return f"claim_path({', '.join(map(repr, self.parts))})"


Path: TypeAlias = str | ClaimPath
"""How settings and policies name a claim."""


def claim_path(*parts: str) -> ClaimPath:
    """The path with these literal parts: ``claim_path("resource_access", "my.client", "roles")``.

    Raises:
        ValueError: If there is no part, or an empty one.
    """
    return ClaimPath(parts)


def as_path(path: Path) -> ClaimPath:
    """Read a path as settings write it: dots part names, but a text that holds ``://`` is one literal name.

    Raises:
        ValueError: If the path or one of its parts is empty.
    """
    if isinstance(path, ClaimPath):
        return path
    return ClaimPath((path,) if "://" in path else tuple(path.split(".")))


def resolve(claims: Mapping[str, object], path: ClaimPath) -> object:
    """The value at the path; ``MISSING`` where a member is absent or its parent is no object."""
    found: object = claims
    for part in path.parts:
        # Most are plain dictionaries, and to find out whether something is a Mapping takes several times as long.
        if not isinstance(found, dict) and not isinstance(found, Mapping):
            return MISSING
        found = cast("Mapping[str, object]", found).get(part, MISSING)
    return found
