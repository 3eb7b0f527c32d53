"""What an adapter gives to be held to the contract: an application for a gate, and one ``ask``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

import authgate_core as ag
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row
from tests.adapter_contract.world import World

__all__ = ["Adapter", "ids"]

D = TypeVar("D")


class Adapter(ABC, Generic[D]):
    """One way to run an application behind authgate; its doors are what requests are sent to.

    Args:
        world: Where it is.
        rows: The rows that it will be asked.
    """

    name: ClassVar[str]

    def __init__(self, world: World, rows: Sequence[Row]) -> None:
        self.world: Final = world
        self._rows: Final = rows
        self._doors: Final[dict[str, D]] = {}
        self._open: Final = ExitStack()

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """How it tells what a row promises: as HTTP does, unless it says otherwise."""
        return promise.http()

    @abstractmethod
    def opened(self, gate: str, rows: Sequence[Row]) -> AbstractContextManager[D]:
        """Serve an application that has a route for each of these rows, behind a gate of the world."""

    @abstractmethod
    def send(self, door: D, row: Row) -> Answer:
        """Send one request, and read what came back."""

    def ask(self, row: Row) -> Answer:
        """How a row ends."""
        door = self._door(row.gate)
        answers = [self.send(door, row) for _ in range(row.times)]
        return answers[-1]

    def _door(self, gate: str) -> D:
        if gate not in self._doors:
            rows = [row for row in self._rows if row.gate == gate]
            self._doors[gate] = self._open.enter_context(self.opened(gate, rows))
        return self._doors[gate]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()


def ids(admission: ag.Admission) -> dict[str, Any]:
    """Whom a handler sees, as it says in its answer."""
    return {type(principal).__name__.lower(): principal.id for principal in admission.principals}
