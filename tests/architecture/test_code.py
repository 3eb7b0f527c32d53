"""What holds for all code that is shipped."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from types import ModuleType

import pytest

from tests.architecture import checks
from tests.architecture.house import PACKAGES, ROOT, modules

LONGEST = 350

OLDER = (
    "authgate_fastapi.compat.auth_gate",
    "authgate_fastapi.compat.auth_sdk",
    "authgate_fastapi.compat.mercury",
    "authgate_flask.compat.mercury",
)
"""Modules that hold the names of older clients."""

PARTS = (
    "authgate_core.apex",
    "authgate_core.m8",
    "authgate_core.observers",
    "authgate_core.outbound",
    "authgate_fastapi.apex",
)
"""Rooms whose names are not those of their package."""


@pytest.mark.parametrize("package", PACKAGES)
class TestCode:
    def test_no_assert_guards_anything(self, package: str) -> None:
        """Law 3.1: nothing rests on assert, so the verdict is the same under python -O."""
        found = [
            f"{one}, {what}"
            for one in modules(package)
            if one.room != "testing"
            for what in checks.asserts(one.tree)
        ]

        assert [] == found

    def test_modules_are_short(self, package: str) -> None:
        """A module that outgrows 350 lines is two."""
        lengths = {str(one): len(one.path.read_text("utf-8").splitlines()) for one in modules(package)}

        assert {} == {name: length for name, length in lengths.items() if length > LONGEST}

    def test_everything_public_has_a_docstring(self, package: str) -> None:
        """A module, a public class, function or method says what it is."""
        found = [f"{one}, {what}" for one in modules(package) for what in checks.undocumented(one.tree)]
        bare = [str(one) for one in modules(package) if ast.get_docstring(one.tree) is None]

        assert [] == found + bare


@pytest.mark.parametrize("package", [*PACKAGES, *PARTS, *OLDER])
class TestNames:
    def test_the_reference_lists_what_is_exported(self, package: str) -> None:
        """``__all__`` and docs/reference/names.md hold the same names."""
        exported = getattr(_load(package), "__all__", ())

        assert documented(package) == sorted(exported)

    def test_every_exported_name_exists(self, package: str) -> None:
        """What is exported is there, and what can carry a docstring has one of its own."""
        module = _load(package)
        objects = {name: getattr(module, name) for name in documented(package)}

        bare = [name for name, one in objects.items() if _can_be_documented(one) and not _own_docstring(one)]
        assert [] == bare


def _own_docstring(one: object) -> object:
    """A class inherits its base's docstring, which says nothing about it; nothing else inherits."""
    return vars(one).get("__doc__") if isinstance(one, type) else one.__doc__


def documented(package: str) -> list[str]:
    """The names that docs/reference/names.md lists under a package's heading, in order of the alphabet."""
    page = (ROOT / "docs/reference/names.md").read_text("utf-8")
    section = re.search(rf"^## `{package}`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return sorted(re.findall(r"^- `(\w+)`: \S", section[1] if section else "", re.MULTILINE))


def _can_be_documented(one: object) -> bool:
    return inspect.isclass(one) or inspect.isroutine(one) or inspect.ismodule(one)


def _load(name: str) -> ModuleType:
    return importlib.import_module(name)
