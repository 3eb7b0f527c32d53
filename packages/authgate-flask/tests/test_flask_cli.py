"""The commands of the core about the gate of a Flask application, inside of it and from outside."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import authgate_core as ag
from authgate_core import cli
from authgate_core.cli.program import run
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate

APP = """
    from flask import Flask
    from authgate_core import GateConfig, Issuer, is_project, is_user
    from authgate_flask import AuthGate, public, requires

    app = Flask(__name__, static_folder=None)
    AuthGate(app, config=GateConfig(issuers=[Issuer.oidc({url!r}, audience="mine", name="id")]))
    bare = Flask("bare")
    wrong = Flask("wrong", static_folder=None)
    AuthGate(wrong, config=GateConfig(issuers=[Issuer.oidc({url!r}, audience="mine")]))

    @wrong.get("/p")
    @requires(is_project)
    def p(): return "p"

    @app.get("/me")
    @requires(is_user)
    def me(): return "me"

    @app.get("/open")
    def forgotten(): return "oh"

    @app.get("/hello")
    @public
    def hello(): return "hello"
"""


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    """An issuer that is asked for its keys."""
    with FakeIssuer(audience="mine", algorithm="EdDSA") as served:
        yield served


@pytest.fixture
def module(issuer: FakeIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module with an application, in whose folder the commands are run."""
    (tmp_path / "cli_of_flask.py").write_text(textwrap.dedent(APP.format(url=issuer.url)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "cli_of_flask"
    sys.modules.pop("cli_of_flask", None)


class TestFromOutside:
    def test_routes(self, module: str, capsys: pytest.CaptureFixture[str]) -> None:
        """``authgate routes`` shows who is let in where, and counts what nobody decided about."""
        assert 0 == run(["routes", f"{module}:app"])
        assert 1 == run(["routes", f"{module}:app", "--fail-unguarded"])
        lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

        assert {"GET /me own: is_user", "GET /open UNGUARDED", "GET /hello public"} <= {*lines}
        assert "3 routes, 1 unguarded" == lines[-1]

    def test_what_has_no_routes(self, module: str, capsys: pytest.CaptureFixture[str]) -> None:
        """What is no application is one line."""
        assert 2 == run(["routes", f"{module}:hello"])
        told = capsys.readouterr().err
        assert told.startswith("authgate: nobody can list the routes of function")
        assert told.endswith(f"if it makes the application, write '{module}:hello()'\n")

    def test_doctor_looks_at_guards(self, module: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Law 1.6: what the first request would find wrong with them is found before there is one."""
        assert 1 == run(["doctor", "--app", f"{module}:wrong"])
        assert "p: policy is_project: nobody knows projects" in " ".join(capsys.readouterr().out.split())

    def test_its_gate(self, module: str, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """``--app`` finds the gate of an application, and says where there is none."""
        assert 0 == run(["explain", issuer.token("u1"), "--app", f"{module}:app"])
        assert 2 == run(["explain", issuer.token("u1"), "--app", f"{module}:bare"])
        assert f"authgate: {module}:bare has no gate; add AuthGate(app)" in capsys.readouterr().err


class TestInside:
    @pytest.fixture
    def app(self, issuer: FakeIssuer) -> Flask:
        """An application with a gate."""
        app = Flask("inside")
        AuthGate(app, config=ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience="mine", name="id")]))
        return app

    def test_is_about_its_gate(
        self, app: Flask, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """``flask authgate explain`` judges by the gate of the application, with the exit code of the command."""
        good, bad = (
            app.test_cli_runner().invoke(args=["authgate", "explain", issuer.token("u1", aud=aud)])
            for aud in ("mine", "x")
        )

        assert (0, 1) == (good.exit_code, bad.exit_code)
        assert "accepted: User(id='u1', issuer='id')" in good.output
        assert "refused: token_claim" in bad.output

    def test_takes_the_options_of_the_command(self, app: Flask) -> None:
        """Options go to the command, help among them."""
        told = app.test_cli_runner().invoke(args=["authgate", "doctor", "--json"])
        shown = app.test_cli_runner().invoke(args=["authgate", "revoke", "session", "--help"])

        assert 0 == json.loads(told.output)["failed"]
        assert (0, 0) == (told.exit_code, shown.exit_code)
        assert "Usage: flask authgate revoke session" in shown.output

    def test_names_them_all(self, app: Flask) -> None:
        """``flask authgate --help`` lists every command of the core beside its own."""
        shown = app.test_cli_runner().invoke(args=["authgate", "--help"]).output
        names = ("doctor", "explain", "revoke", "token", "dev-issuer", "hash-secret", "api-key", "routes")

        assert all(f"\n  {name} " in shown for name in names)

    def test_a_mistake(self, app: Flask) -> None:
        """A wrong argument is one line and exit code 2, as elsewhere."""
        told = app.test_cli_runner().invoke(args=["authgate", "revoke", "nothing"])

        assert 2 == told.exit_code
        assert "authgate: No such command 'nothing'" in told.output
        assert "Traceback" not in told.output

    def test_without_the_extra(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the extra is not installed, only ``routes`` is there, and the others say so."""
        monkeypatch.setattr(cli, "find_spec", lambda name: None)
        told = app.test_cli_runner().invoke(args=["authgate", "doctor"])

        assert 2 == told.exit_code
        assert "pip install 'authgate-core[cli]'" in told.output
