"""Where the packages are, and what they say of themselves."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

__all__ = ["LIBRARIES", "PACKAGES", "ROOT", "project_of"]

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("core", "flask", "fastapi", "graphql")
LIBRARIES: Final = ("strawberry", "graphene")
"""The libraries of GraphQL, of which an environment holds one."""


def project_of(name: str, root: Path = ROOT) -> dict[str, Any]:
    """What the ``pyproject.toml`` of a package says of the project; Any because it is TOML."""
    text = (root / "packages" / f"authgate-{name}" / "pyproject.toml").read_text("utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project
