"""Running pytest inside this process, the same way for the code as it is and for each mutant."""

from __future__ import annotations

import importlib
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import Phase, settings

__all__ = ["import_all", "keep_bytecode", "libraries", "run_pytest"]

_OPTIONS: Final = (
    *("-x", "-q", "--no-header", "--tb=short"),
    *("-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"),
    *("-p", "no:unraisableexception"),  # it collects garbage five times at the end of each run
    # Libraries are loaded before pytest could rewrite their assertions, which are not what is asked about.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


_EXAMPLES: Final = 25
"""Of a generated test that asks for no number of its own: what only the hundredth example shows has no law yet."""


class _Steady:
    """A plugin: generated tests try the same few examples each time, and keep or shrink none that fails."""

    def pytest_sessionstart(self) -> None:
        phases = (Phase.explicit, Phase.generate)
        few = settings(max_examples=_EXAMPLES, derandomize=True, database=None, phases=phases)
        settings.register_profile("mutants", parent=few)
        settings.load_profile("mutants")


def run_pytest(files: Sequence[Path], *plugins: object) -> int:
    """Run the tests of these files to the first that fails, and give pytest's exit code."""
    return int(pytest.main([*_OPTIONS, *map(str, files)], plugins=[_Steady(), *plugins]))


def libraries() -> list[str]:
    """The modules that are loaded by now and belong to nobody here."""
    homes = (Path(sys.prefix), Path(sysconfig.get_path("stdlib")))
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return [
        name
        for name, file in files.items()
        if file and any(Path(file).is_relative_to(home) for home in homes)
    ]


def keep_bytecode(home: Path) -> None:
    """Compile each module once for all mutants, whatever the environment says of bytecode, and leave none about."""
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(home / "bytecode")


def import_all(names: Iterable[str]) -> None:
    """Import what the tests need of others, once for all mutants; what is here is imported anew for each."""
    with warnings.catch_warnings(
        action="ignore"
    ):  # some warn where they are not imported by those who use them
        for name in names:
            importlib.import_module(name)
