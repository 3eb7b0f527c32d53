"""The page of errors: it says of each exception what its class says, and its example does what it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core import errors
from authgate_core.testing import FakeIssuer

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text("utf-8")
OUTCOMES = [
    value
    for name in errors.__all__
    if issubclass(value := getattr(errors, name), ag.AuthgateError) and value is not ag.AuthgateError
]
"""Every exception that can become a response."""


def rows(page: str) -> dict[str, tuple[str, ...]]:
    """Status, code and public code that the page shows, by the name of the exception."""
    found = re.findall(r"^\| `(\w+)` \| (\d+) \| `(\w+)` \| `(\w+)` \| \w", page, re.MULTILINE)
    return {name: tuple(shown) for name, *shown in found}


class TestTables:
    def test_every_outcome_stands_there_as_it_is(self) -> None:
        """With its status and both of its codes, and no other stands there."""
        promised = {one.__name__: (str(one.status), one.code, one.public_code) for one in OUTCOMES}

        assert promised == rows(PAGE)

    @pytest.mark.parametrize("branch", [ag.AuthenticationError, ag.AuthorizationError, ag.AuthUnavailable])
    def test_each_branch_has_a_section(self, branch: type[ag.AuthgateError]) -> None:
        """Which begins with its name and holds what is below it, and nothing else."""
        (section,) = [part for part in PAGE.split("\n## ") if f"\n`{branch.__name__}`. " in part]

        assert {one.__name__ for one in OUTCOMES if issubclass(one, branch)} == set(rows(section))

    def test_mistakes_stand_apart(self) -> None:
        """What is no outcome is told of in the section that says so."""
        mistakes = {
            name for name in errors.__all__ if not issubclass(getattr(errors, name), ag.AuthgateError)
        }
        section = PAGE.partition("## Mistakes")[2].partition("\n## ")[0]

        assert mistakes == set(re.findall(r"^- `(\w+)`:", section, re.MULTILINE))


class TestExample:
    def test_an_outage_is_raised_and_a_bad_token_is_nobody(self, capsys: pytest.CaptureFixture[str]) -> None:
        """As the comments of the example have it."""
        (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        with FakeIssuer(audience="orders-api") as issuer:
            names: dict[str, Any] = {}
            exec(compile(snippet.replace("https://id.example.com", issuer.url), "errors.md", "exec"), names)
            with ag.Gate(names["config"]) as gate:
                assert "u1" == names["owner_of"](gate, issuer.token("u1"))
                assert names["owner_of"](gate, issuer.token("u1", expires_in=-60)) is None
            issuer.outage(None)
            with ag.Gate(names["config"]) as cold, pytest.raises(ag.KeysUnavailable):
                names["owner_of"](cold, issuer.token("u1"))

        assert "401 token_expired\n" == capsys.readouterr().out
