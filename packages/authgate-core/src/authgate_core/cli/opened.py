"""A gate for the length of a command, of the colour that the configuration is of (Law 9.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from ..config import GateConfig
from ..gate import AsyncGate, Gate

__all__ = ["asked", "opened"]

T = TypeVar("T")


@contextmanager
def opened(config: GateConfig) -> Generator[Gate | AsyncGate]:
    """A ``Gate``, or where only that fits, as for ports of an application that are async, an ``AsyncGate``.

    Raises:
        ConfigurationError: If the configuration fits neither.
    """
    if any(config.problems("sync")) and not any(config.problems("async")):
        gate = AsyncGate(config)
        try:
            yield gate
        finally:
            asyncio.run(gate.aclose())
        return
    with Gate(config) as plain:
        yield plain


def asked(
    gate: Gate | AsyncGate,
    plainly: Callable[[Gate], T],
    awaitably: Callable[[AsyncGate], Coroutine[Any, Any, T]],
) -> T:
    """What a gate answers, whatever its colour; a command may wait.

    Args:
        gate: The gate.
        plainly: Asks one of threads.
        awaitably: Asks one of event loops; Any because nobody sends into its coroutine.
    """
    return plainly(gate) if isinstance(gate, Gate) else asyncio.run(awaitably(gate))
