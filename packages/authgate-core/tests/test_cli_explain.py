"""``authgate explain``: what people read, and what programs learn from the exit code."""

from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import authgate_core as ag
from authgate_core.cli.here import Here
from authgate_core.cli.program import run
from authgate_core.testing import FakeIssuer


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIssuer]:
    """An issuer that the environment names."""
    with FakeIssuer(audience="orders-api", algorithm="EdDSA") as served:
        monkeypatch.setenv("AUTHGATE_ISSUER", served.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", served.audience)
        yield served


def presented(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have standard input hold this."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


class TestExplained:
    @pytest.mark.parametrize("form", ["{}", "Bearer {}\n", "authorization: bearer {}"])
    def test_read_from_standard_input(
        self,
        issuer: FakeIssuer,
        form: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A good token, in the forms in which people copy one, ends with 0 and names whom it speaks of."""
        presented(monkeypatch, form.format(issuer.token("u1")))
        assert 0 == run(["explain"])
        out, err = capsys.readouterr()

        assert "" == err
        assert out.splitlines()[0].split() == ["rule", "verdict", "expected", "actual"]
        assert f"accepted: User(id='u1', issuer='{issuer.url}')" == out.splitlines()[-1]

    def test_says_what_to_do(self, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """Each broken rule has a line with the reason and the fix; the exit code is 1, and the token is not shown."""
        token = issuer.token("u1", aud="other")
        assert 1 == run(["explain", token])
        out = capsys.readouterr().out

        assert (
            "aud: aud: is 'other', which names none of ['orders-api']; have the issuer name this API in aud"
            in out
        )
        assert "refused: token_claim" == out.splitlines()[-1]
        assert not [part for part in token.split(".") if part in out]

    def test_open(self, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """Where not every rule could be judged, that is said, and it is no yes."""
        issuer.outage()
        assert 1 == run(["explain", issuer.token("u1")])
        assert (
            "open: nothing speaks against it, but not every rule could be judged" in capsys.readouterr().out
        )

    @pytest.mark.parametrize("text", ["", "a b c", "authorization:"])
    def test_no_token(
        self,
        issuer: FakeIssuer,
        text: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """What is not one word is one line and exit code 2."""
        presented(monkeypatch, text)

        assert 2 == run(["explain", "-"])
        assert ("", "authgate: give one token, on standard input or as an argument\n") == capsys.readouterr()

    def test_a_terminal_is_told(
        self, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Whoever starts it with nothing in hand is told what it waits for."""
        stdin = io.StringIO(issuer.token("u1"))
        monkeypatch.setattr(stdin, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", stdin)

        assert 0 == run(["explain"])
        assert "Paste the token" in capsys.readouterr().err

    def test_not_configured(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without settings it says which is missing."""
        monkeypatch.delenv("AUTHGATE_ISSUER", raising=False)
        assert 2 == run(["explain", "a.b.c"])
        assert capsys.readouterr().err.startswith(
            "authgate: not configured correctly: AUTHGATE_ISSUER: is not set"
        )


class TestWhere:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder with modules of an application, in which the command is run."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        return tmp_path

    def _module(self, folder: Path, name: str, code: str) -> None:
        (folder / f"{name}.py").write_text(textwrap.dedent(code))

    def test_a_configuration_a_gate_and_a_function(
        self, issuer: FakeIssuer, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """``--app`` names a configuration, something that has one, or a function that makes either."""
        self._module(
            folder,
            "cli_where_one",
            f"""
            import authgate_core as ag

            class Settings:
                config = ag.GateConfig(issuers=[ag.Issuer.oidc({issuer.url!r}, audience="a")])
                gate = ag.Gate(config)
                make = staticmethod(lambda: Settings.gate)
            """,
        )
        for name in ("config", "gate", "make()"):
            assert 0 == run(
                ["explain", issuer.token("u1", aud="a"), "--app", f"cli_where_one:Settings.{name}"]
            )
        assert 3 == capsys.readouterr().out.count("accepted: ")

    def test_inside_an_application(self, issuer: FakeIssuer) -> None:
        """Where the command is run inside an application, that one's gate is meant."""
        config = ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience="mine")])

        assert 0 == run(["explain", issuer.token("u1", aud="mine")], here=Here(config))

    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("cli_where_two", "'cli_where_two' names nothing; write MODULE:NAME"),
            ("nowhere_at_all:app", "no module 'nowhere_at_all'; run the command in the folder"),
            ("cli_where_two:nothing", "cli_where_two:nothing: there is no nothing in it; write MODULE:NAME"),
            (
                "cli_where_two:number",
                "cli_where_two:number is a int; name an application, a gate or a GateConfig",
            ),
            ("cli_where_two:number()", "number of cli_where_two cannot be called; leave out the brackets"),
            ("cli_where_two:fails()", "fails() raised ValueError in cli_where_two.py, line 6"),
            ("cli_where_two:ends()", "ends() ended the process; guard what runs a server"),
            ("cli_where_two:wrong()", "not configured correctly: issuers: nobody could be admitted"),
            (
                "cli_where_three:app",
                "importing cli_where_three raised ZeroDivisionError in cli_where_three.py, line 1",
            ),
        ],
    )
    def test_says_what_to_do(
        self, folder: Path, name: str, line: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What is not there, or fails, is one line; of an error of the application its text is not told (Law 2.5)."""
        self._module(
            folder,
            "cli_where_two",
            """
            import authgate_core as ag

            number = 3
            def fails():
                raise ValueError("the password is hunter2")
            def ends():
                raise SystemExit
            def wrong():
                return ag.Gate(ag.GateConfig())
            """,
        )
        self._module(folder, "cli_where_three", "1 / 0")
        assert 2 == run(["explain", "a.b.c", "--app", name])
        out, err = capsys.readouterr()

        assert ("", 1) == (out, err.count("\n"))
        assert err.startswith(f"authgate: {line}")
        assert "hunter2" not in err
