"""The commands of the core about a FastAPI application."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from authgate_core.cli.program import run
from authgate_core.testing import FakeIssuer

APP = """
    from fastapi import FastAPI, WebSocket
    from authgate_core import GateConfig, Issuer, all_scopes, is_user
    from authgate_fastapi import AuthGate, requires

    app, bare = FastAPI(docs_url=None, redoc_url=None, openapi_url=None), FastAPI()
    AuthGate(app, config=GateConfig(issuers=[Issuer.oidc({url!r}, audience="mine", name="id")]))

    @app.get("/orders", dependencies=[requires(is_user & all_scopes("orders:read"))])
    async def orders(): return []

    @app.websocket("/live")
    async def live(socket: WebSocket): await socket.accept()
"""


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    """An issuer that is asked for its keys."""
    with FakeIssuer(audience="mine", algorithm="EdDSA") as served:
        yield served


@pytest.fixture
def module(issuer: FakeIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module with an application, in whose folder the commands are run."""
    (tmp_path / "cli_of_fastapi.py").write_text(textwrap.dedent(APP.format(url=issuer.url)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "cli_of_fastapi"
    sys.modules.pop("cli_of_fastapi", None)


class TestCommands:
    def test_routes(self, module: str, capsys: pytest.CaptureFixture[str]) -> None:
        """``authgate routes`` shows WebSockets as well, and finds the one that was forgotten."""
        assert 1 == run(["routes", f"{module}:app", "--fail-unguarded"])
        lines = capsys.readouterr().out.splitlines()

        assert any(line.startswith("GET /orders") and "all_scopes('orders:read')" in line for line in lines)
        assert ["websocket", "/live", "UNGUARDED"] in [line.split() for line in lines]
        assert lines[-1].endswith("1 unguarded")

    def test_its_gate(self, module: str, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """``--app`` finds the gate of an application, whatever its colour, and says where there is none."""
        assert 0 == run(["explain", issuer.token("u1"), "--app", f"{module}:app"])
        assert 0 == run(["doctor", "--app", f"{module}:app"])
        assert 2 == run(["doctor", "--app", f"{module}:bare"])
        assert f"authgate: {module}:bare has no gate; add AuthGate(app)" in capsys.readouterr().err
