"""The gates of applications; which adapter knows a framework is said by its distribution.

The core knows no framework: an adapter announces itself by an entry point of the group ``authgate.gates``, whose name
is the package that makes the applications, and whose object is a function from an application to its gate.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final, TypeAlias, cast

__all__ = ["GATES", "gate_finder"]

GATES: Final = "authgate.gates"

GateOf: TypeAlias = Callable[[object], object]
"""Gives the gate of an application; None where it has none."""


def gate_finder(app: object) -> GateOf | None:
    """What finds the gate of an application, by the framework that its class comes from; None for anything else."""
    for made_by in type(app).__mro__:
        for found in entry_points(group=GATES, name=made_by.__module__.partition(".")[0]):
            return cast("GateOf", found.load())
    return None
