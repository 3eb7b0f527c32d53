"""Say with which versions the packages are tried at either end of what they declare.

``python -m release.bounds lowest`` prints constraints that hold each dependency of a package, those of its extras
included, to the lowest version that is declared; ``newest`` leaves all of them to pip. What only tests need has the
version that it has everywhere, and whatever dependencies bring along is the newest that they allow.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .house import PACKAGES, ROOT, project_of

__all__ = ["constraints", "declared", "lowest", "main"]

_ENDS: Final = ("lowest", "newest")
_FOLLOWING: Final = frozenset({"opentelemetry-sdk"})
"""Tools that go with one version alone of what a package depends on; which that is decides theirs."""


def main(arguments: Sequence[str]) -> None:
    """Print the constraints of one end."""
    if len(arguments) != 1 or arguments[0] not in _ENDS:
        sys.exit("say which end: lowest or newest")
    print(*constraints(arguments[0]), sep="\n")


def constraints(end: str, root: Path = ROOT) -> list[str]:
    """The lines of a constraints file for an end of the versions that the packages of a repository declare."""
    ours = list(declared(root))
    held = lowest(ours) if end == "lowest" else []
    names = {canonicalize_name(requirement.name) for requirement in ours} | _FOLLOWING
    return [
        *held,
        *(line for line in _tools(root) if canonicalize_name(line.partition("==")[0]) not in names),
    ]


def declared(root: Path = ROOT) -> Iterator[Requirement]:
    """What the packages depend on, with their extras and without each other."""
    for package in PACKAGES:
        project = project_of(package, root)
        extras: dict[str, list[str]] = project.get("optional-dependencies", {})
        for line in [*project["dependencies"], *(line for extra in extras.values() for line in extra)]:
            if not line.startswith("authgate-"):
                yield Requirement(line)


def lowest(requirements: Iterable[Requirement]) -> list[str]:
    """Constraints that hold each to the version that it begins with.

    Raises:
        ValueError: If one says no version to begin with; then nobody knows what it needs.
    """
    floors: dict[str, str] = {}
    for requirement in requirements:
        begins = [clause.version for clause in requirement.specifier if clause.operator in {">=", "=="}]
        if len(begins) != 1:
            raise ValueError(f"{requirement} says no lowest version; write {requirement.name}>=...")
        floors[canonicalize_name(requirement.name)] = begins[0]
    return [f"{name}=={version}" for name, version in sorted(floors.items())]


def _tools(root: Path) -> Iterator[str]:
    # The pins of what the dependency groups of the tests name; a group names others by tables, which are skipped.
    groups = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    named = [line for group in groups.values() for line in group if isinstance(line, str)]
    wanted = {canonicalize_name(re.split(r"[^\w.-]", line)[0]) for line in named}
    for line in (root / "constraints.txt").read_text("utf-8").splitlines():
        if canonicalize_name(line.partition("==")[0]) in wanted:
            yield line


if __name__ == "__main__":
    main(sys.argv[1:])
