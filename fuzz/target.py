"""What is fuzzed, as a value, and how a target says that a promise was broken."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from . import targets

__all__ = ["NAMES", "Broken", "Target", "hold", "load"]

NAMES: Final = tuple(sorted(module.name for module in pkgutil.iter_modules(targets.__path__)))
"""Every target: the names of the modules in ``targets``."""


class Broken(Exception):
    """A promise that does not hold, apart from the one that nothing else is raised."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Args:
        name: What it is called.
        probe: Reads some bytes; whatever it raises is a defect.
        seeds: What the fuzzer begins with: inputs that are right, and inputs that are nearly so.
    """

    name: str
    probe: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def load(name: str) -> Target:
    """The target of a name: what its module calls ``probe`` and ``seeds``."""
    module = importlib.import_module(f"{targets.__name__}.{name}")
    return Target(name, module.probe, module.seeds)


def hold(promise: str, *, kept: bool) -> None:
    """Say that something must be so.

    Raises:
        Broken: If it is not.
    """
    if not kept:
        raise Broken(promise)
