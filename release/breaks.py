"""Find what a change has broken for those who use the last version: ``python -m release.breaks``.

What is promised is what ``docs/reference/names.md`` lists, as it stood in the last tag of the form ``v1.2.3``. Each
break that is meant stands in ``release/waivers.toml`` with its reason; a break that does not, and a waiver that no
break needs, end the check with 1. Before the first tag nothing is promised to anybody, and it only sees to it that
the names can be read.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import griffe

from .house import ROOT

__all__ = ["breaks_between", "last_tag", "main", "public_modules", "verdict", "waivers"]

_NAMES: Final = Path("docs/reference/names.md")
_WAIVERS: Final = Path("release/waivers.toml")


def main(root: Path = ROOT) -> int:
    """Compare a checkout with its last tag, print what is broken, and say whether that is in order."""
    tag = last_tag(root)
    if tag is None:
        missing = sorted({*public_modules(root)} - {*_read(root, public_modules(root))})
        print("no version is tagged yet, so there is nothing to break")
        for name in missing:
            print(f"cannot be read: {name}")
        return 1 if missing else 0
    with _checked_out(root, tag) as before:
        found = sorted(breaks_between(before, root))
    wrong = verdict(found, waivers(root))
    print(*wrong, f"{len(found)} breaks since {tag}, {len(wrong)} of them to be looked at", sep="\n")
    return 1 if wrong else 0


def last_tag(root: Path) -> str | None:
    """The newest tag of a version that the checkout comes from, if there is one."""
    described = _git(root, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", check=False)
    return described.strip() or None


def public_modules(root: Path) -> list[str]:
    """The modules that the page of names has a section for."""
    return re.findall(r"(?m)^## `([\w.]+)`$", (root / _NAMES).read_text("utf-8"))


def breaks_between(before: Path, after: Path) -> Iterator[str]:
    """Say what the later checkout has broken of the names that the earlier one promises, one line for each."""
    names = public_modules(before)
    old, new = _read(before, names), _read(after, names)
    for name in names:
        if name not in old or name not in new:
            yield f"{name}: the module is gone"
            continue
        for breakage in griffe.find_breaking_changes(old[name], new[name]):
            yield _line(breakage)


def waivers(root: Path) -> Mapping[str, str]:
    """The breaks that are meant, each with its reason."""
    meant: dict[str, str] = tomllib.loads((root / _WAIVERS).read_text("utf-8"))["meant"]
    return meant


def verdict(found: list[str], meant: Mapping[str, str]) -> list[str]:
    """What is not in order: breaks that nobody meant, waivers without a reason or a break."""
    return [
        *(f"broken: {line}" for line in found if line not in meant),
        *(f"a waiver without its reason: {line}" for line, reason in meant.items() if not reason.strip()),
        *(f"a waiver that no break needs: {line}" for line in meant if line not in found),
    ]


def _line(breakage: griffe.Breakage) -> str:
    said = breakage.as_dict()
    values = [said["old_value"], said["new_value"]]
    # An object in whole is no value: it would tell the line that it stands in, which the next change moves.
    shown = [
        str(value)
        for value in values
        if value is not None and not isinstance(value, griffe.Object | griffe.Alias)
    ]
    change = f" ({' -> '.join(shown)})" if shown else ""
    return f"{said['object_path']}: {breakage.kind.value}{change}"


def _read(root: Path, names: list[str]) -> dict[str, griffe.Module]:
    sources = [str(path) for path in sorted(root.glob("packages/*/src"))]
    loader = griffe.GriffeLoader(search_paths=sources, allow_inspection=False)
    for package in {name.partition(".")[0] for name in names}:
        # What is missing is a break, which is told below.
        with suppress(ImportError):
            loader.load(package)
    loader.resolve_aliases(implicit=True, external=False)
    found = {name: module for name in names if (module := _module(loader, name)) is not None}
    for module in found.values():
        _shut(module)
    return found


def _module(loader: griffe.GriffeLoader, name: str) -> griffe.Module | None:
    package, _, rest = name.partition(".")
    whole = loader.modules_collection.members.get(package)
    if whole is None:
        return None
    try:
        module = whole[rest] if rest else whole
    except KeyError:
        return None
    return module if isinstance(module, griffe.Module) else None


def _shut(module: griffe.Object | griffe.Alias) -> None:
    # Every module without an underscore is public to griffe; to us are those alone that a module exports.
    for name, member in module.members.items():
        if not member.is_alias and member.is_module:
            if name in {str(export) for export in module.exports or ()}:
                _shut(member)
            else:
                member.public = False


@contextmanager
def _checked_out(root: Path, tag: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="authgate-before-") as home:
        place = Path(home) / "checkout"
        _git(root, "worktree", "add", "--detach", "--quiet", str(place), tag)
        try:
            yield place
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _git(root: Path, *arguments: str, check: bool = True) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=check).stdout


if __name__ == "__main__":
    sys.exit(main())
