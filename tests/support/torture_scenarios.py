"""Scenarios of the torture in this process, so that a test can break the code that they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from torture.issuer.place import placed
from torture.issuer.story import Scenario
from torture.rows import Colour

__all__ = ["Broken", "Scenario", "what_broke"]

Broken: TypeAlias = Callable[[pytest.MonkeyPatch], None]
"""Takes out the code that keeps a law."""


def what_broke(scenario: Scenario, colour: Colour) -> str:
    """What a scenario says of the promises that were not kept; nothing where all were."""
    with placed(colour, "short") as place:
        return scenario(place).happened().text.partition("BROKEN: ")[2]
