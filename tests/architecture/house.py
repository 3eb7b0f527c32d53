"""The repository as the architecture tests see it: syntax trees, the table of rooms, the tracked files."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CORE: Final = "authgate_core"
PACKAGES: Final = ("authgate_core", "authgate_fastapi", "authgate_flask", "authgate_graphql")


@dataclass(frozen=True, slots=True)
class Module:
    """One source file of a package.

    Args:
        package: The import name of the package.
        name: The dotted name inside the package; empty for the package itself.
        path: Where the file is.
        tree: Its syntax tree.
    """

    package: str
    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """The room that the module belongs to; empty for the package itself."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.package}.{self.name}".rstrip(".")

    def within(self, *places: str) -> bool:
        """Whether the module is one of these rooms or modules, or inside one that is a package."""
        return any(self.name == place or self.name.startswith(f"{place}.") for place in places)


@cache
def modules(package: str = CORE) -> tuple[Module, ...]:
    """Every module of a package, in order of its path."""
    source = ROOT / "packages" / package.replace("_", "-") / "src" / package
    return tuple(read_module(package, path, source) for path in sorted(source.rglob("*.py")))


def read_module(package: str, path: Path, source: Path) -> Module:
    """Parse one file below the package's folder."""
    parts = path.relative_to(source).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(package, name, path, ast.parse(path.read_text("utf-8"), filename=str(path)))


@cache
def layers() -> tuple[frozenset[str], ...]:
    """The rooms of the core as the import contract lists them, highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (contract,) = (one for one in settings["contracts"] if one.get("id") == "rooms")
    return tuple(
        frozenset(room.strip().strip("()") for room in layer.split("|")) for layer in contract["layers"]
    )


def rooms_below(room: str) -> frozenset[str]:
    """Every room on a layer below the one that holds the named room."""
    position = next(index for index, layer in enumerate(layers()) if room in layer)
    return frozenset().union(*layers()[position + 1 :])


def tracked_files() -> tuple[Path, ...]:
    """The files that git tracks, deleted ones left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    paths = (ROOT / name for name in listed.decode().split("\0") if name)
    return tuple(path for path in paths if path.is_file())
