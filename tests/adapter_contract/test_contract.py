"""What holds for the contract itself: its rows, and its exceptions."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from authgate_core.testing import HostileTokens
from tests.adapter_contract.cases import ADAPTERS, EXCEPTIONS
from tests.adapter_contract.promises import Outcome
from tests.adapter_contract.rows import ROWS

LAWS = (Path(__file__).parents[2] / "docs/reference/laws.md").read_text("utf-8")
MOST_EXCEPTIONS = 5
"""Of the rows of one adapter."""


class TestRows:
    def test_are_told_apart(self) -> None:
        """Each has a name of its own, also where it is a path or an identifier."""
        assert [] == [name for name, count in Counter(row.slug for row in ROWS).items() if count > 1]

    def test_each_keeps_a_law(self) -> None:
        """Law 9.3: a row names a law that exists."""
        numbers = set(re.findall(r"^### (\d+\.\d+) ", LAWS, re.MULTILINE))
        assert [] == [row.name for row in ROWS if row.law not in numbers]

    def test_are_about_every_outcome(self) -> None:
        """Law 1: each line of the table that is built is promised, with and without ``optional``."""
        for optional in (False, True):
            assert set(Outcome) == {row.promise.outcome for row in ROWS if row.optional is optional}

    def test_are_about_every_hostile_token(self) -> None:
        """A new one is a new row."""
        kinds = {f"hostile: {name}" for name in dir(HostileTokens) if not name.startswith("_")}
        assert kinds == {row.name for row in ROWS if row.name.startswith("hostile: ")}

    def test_are_many(self) -> None:
        """Written one by one, and every mix of Law 2.3 besides."""
        assert 60 <= sum(row.law != "2.3" for row in ROWS)
        assert 100 <= sum(row.law == "2.3" for row in ROWS)


class TestExceptions:
    def test_are_of_this_contract(self) -> None:
        """Each is about a row and an adapter that exist, and has a reason."""
        names = {row.name for row in ROWS}
        assert [] == [
            key for key, why in EXCEPTIONS.items() if key[0] not in ADAPTERS or key[1] not in names or not why
        ]

    def test_are_few(self) -> None:
        """Every adapter is asked nearly everything."""
        assert max(Counter(adapter for adapter, _ in EXCEPTIONS).values()) <= MOST_EXCEPTIONS
