import re
from pathlib import Path

from authgate_core.testing import FakeIssuer

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def pasted(block: str, issuer: FakeIssuer) -> dict[str, object]:
    """Run a block of the README as its reader would, with an issuer that is there."""
    names: dict[str, object] = {"__name__": "pasted"}
    exec(compile(block.replace("https://id.example.com", issuer.url), "README.md", "exec"), names)
    return names


class TestReadme:
    def test_every_block_is_python(self) -> None:
        """Nothing there is only nearly code."""
        assert BLOCKS
        for block in BLOCKS:
            compile(block, "README.md", "exec")

    def test_the_first_example(self) -> None:
        """Ten lines that work when pasted."""
        lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
        assert len(lines) <= 10
        with FakeIssuer(audience="orders-api") as issuer:
            app = pasted(BLOCKS[0], issuer)["app"]
            client = app.test_client()  # type: ignore[attr-defined]  # a Flask application
            assert 401 == client.get("/me").status_code
            assert {"id": "u1"} == client.get(
                "/me", headers={"Authorization": f"Bearer {issuer.token('u1')}"}
            ).json
            app.extensions["authgate"].gate.close()  # type: ignore[attr-defined]  # as above
