"""The README: every Python snippet runs, and the two examples do what they say when pasted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from authgate_core.testing import FakeIssuer

README = Path(__file__).parents[2] / "README.md"
SNIPPETS: list[str] = [
    snippet
    for snippet in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    if "import strawberry"
    not in snippet  # that runs in the environment that has it, with its adapter's README
]


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


def pasted(snippet: str, issuer: FakeIssuer) -> dict[str, Any]:
    """What the names of a snippet are after it ran, with a real issuer in the place of the example's."""
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(snippet.replace("https://id.example.com", issuer.url), "README.md", "exec"), names)
    return names


def snippet_with(text: str) -> str:
    """The one snippet that holds a text."""
    (found,) = [snippet for snippet in SNIPPETS if text in snippet]
    return found


class TestSnippets:
    """What a reader pastes."""

    @pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
    def test_it_runs(self, snippet: str, issuer: FakeIssuer) -> None:
        """Without anything before it."""
        assert pasted(snippet, issuer)

    def test_the_flask_example(self, issuer: FakeIssuer) -> None:
        """401 without a token, the id with one."""
        app = pasted(snippet_with("Flask(__name__)"), issuer)["app"]
        client = app.test_client()

        assert 401 == client.get("/me").status_code
        answer = client.get("/me", headers={"Authorization": f"Bearer {issuer.token('u1')}"})
        assert (200, {"id": "u1"}) == (answer.status_code, answer.json)
        app.extensions["authgate"].gate.close()

    def test_the_fastapi_example(self, issuer: FakeIssuer) -> None:
        """401 without a token, the id with one, 403 without the role."""
        with TestClient(pasted(snippet_with("FastAPI()"), issuer)["app"]) as client:
            headers = {"Authorization": f"Bearer {issuer.token('u1')}"}

            assert 401 == client.get("/me").status_code
            assert {"id": "u1"} == client.get("/me", headers=headers).json()
            assert 403 == client.get("/orders", headers=headers).status_code


class TestLength:
    """Ten lines are what a reader gives us."""

    @pytest.mark.parametrize("text", ["Flask(__name__)", "CurrentUser):"])
    def test_an_example_is_about_ten_lines(self, text: str) -> None:
        """Imports included, blank lines not counted."""
        assert 12 >= len([line for line in snippet_with(text).splitlines() if line.strip()])
