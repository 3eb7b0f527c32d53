"""Applications as their adapters know them; which adapter knows a framework is said by its distribution.

The core knows no framework: an adapter announces itself by an entry point of the group ``authgate.applications``, whose
name is the top-level module of the framework, and whose object has the functions of ``Adapter``.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Final, Protocol, cast

__all__ = ["GROUP", "Adapter", "adapter_of"]

GROUP: Final = "authgate.applications"


class Adapter(Protocol):
    """What the command line asks of the adapter of a framework."""

    def gate_of(self, app: object) -> object | None:
        """The gate of an application; None where it has none."""
        ...


def adapter_of(app: object) -> Adapter | None:
    """The adapter that knows an application by the framework that its class comes from; None for anything else."""
    for kind in type(app).__mro__:
        framework = kind.__module__.partition(".")[0]
        for point in entry_points(group=GROUP, name=framework):
            return cast("Adapter", point.load())
    return None
