import re
from pathlib import Path

import pytest
from flask import Flask

from authgate_core.testing import FakeIssuer

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def pasted(block: str, issuer: FakeIssuer) -> dict[str, object]:
    """Run a block of the README as its reader would, with an issuer that is there."""
    names: dict[str, object] = {"__name__": "pasted"}
    exec(compile(block.replace("https://id.example.com", issuer.url), "README.md", "exec"), names)
    return names


def app_with(text: str, issuer: FakeIssuer) -> Flask:
    """The application of the one block that holds a text."""
    (block,) = [block for block in BLOCKS if text in block]
    app = pasted(block, issuer)["app"]
    assert isinstance(app, Flask)
    return app


class TestReadme:
    @pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
    def test_every_block_runs(self, block: str) -> None:
        """Without anything before it."""
        with FakeIssuer(audience="orders-api") as issuer:
            assert pasted(block, issuer)

    def test_the_first_example(self) -> None:
        """Ten lines that work when pasted."""
        lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
        assert len(lines) <= 10
        with FakeIssuer(audience="orders-api") as issuer:
            app = app_with(BLOCKS[0], issuer)
            client = app.test_client()
            assert 401 == client.get("/me").status_code
            assert {"id": "u1"} == client.get(
                "/me", headers={"Authorization": f"Bearer {issuer.token('u1')}"}
            ).json
            app.extensions["authgate"].gate.close()

    def test_the_table_of_routes(self) -> None:
        """What the command prints for the example above it."""
        with FakeIssuer(audience="orders-api") as issuer:
            app = app_with("default=is_user", issuer)
            shown = app.test_cli_runner().invoke(args=["authgate", "routes", "--fail-unguarded"])
            assert 0 == shown.exit_code
            assert f"```\n{shown.output}```" in README
            app.extensions["authgate"].gate.close()
