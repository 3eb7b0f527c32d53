"""What is shared by both libraries needs neither, and no environment holds both."""

from __future__ import annotations

import importlib.util
import pkgutil
import subprocess
import sys

import authgate_graphql

LIBRARIES = ("graphene", "strawberry")
SHARED = [
    f"authgate_graphql.{module.name}"
    for module in pkgutil.iter_modules(authgate_graphql.__path__)
    if module.name not in {*LIBRARIES, "compat"}
]


class TestEnvironment:
    def test_one_of_the_libraries_is_installed(self) -> None:
        """They need different versions of graphql-core, so pip never finds room for both."""
        assert 1 == len([library for library in LIBRARIES if importlib.util.find_spec(library)])


class TestShared:
    def test_it_imports_neither_library(self) -> None:
        """The package and the rooms that both libraries share, imported together in a new process."""
        code = f"import sys, {', '.join(['authgate_graphql', *SHARED])}; print(*set({LIBRARIES}) & sys.modules.keys())"
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert "" == answer.stdout.strip()
