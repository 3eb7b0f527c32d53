"""The command line as a whole: help, wrong arguments, errors nobody foresaw, and what is minted on it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from types import SimpleNamespace
from typing import Any

import pytest

import authgate_core as ag
from authgate_core import cli
from authgate_core.cli import program
from authgate_core.cli.mistakes import Mistake, one_line
from authgate_core.cli.program import run

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"


class TestTheProgram:
    def test_names_its_commands(self, capsys: pytest.CaptureFixture[str]) -> None:
        """``--help`` lists every command, and is no mistake."""
        assert 0 == run(["--help"])
        shown = capsys.readouterr().out

        assert all(f"\n  {name}" in shown for name in ("token", "dev-issuer", "hash-secret", "api-key"))

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["explian"],
            ["token"],
            ["hash-secret", TOKEN],
            ["api-key", f"--prefx={TOKEN}"],
            [TOKEN],
            ["--stdin"],
        ],
    )
    def test_a_wrong_argument(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        """Law 2.5: it is one line and exit code 2, and what was written is not repeated: it may be a secret."""
        assert 2 == run(arguments)
        out, err = capsys.readouterr()

        assert ("", 1) == (out, err.count("\n"))
        assert err.startswith("authgate: ")
        assert err.endswith("see --help\n")
        assert not [part for part in TOKEN.split(".") if part in err]

    def test_without_what_it_is_written_with(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where the extra is not installed, the command says how to install it."""
        monkeypatch.setattr(cli, "find_spec", lambda name: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()

        assert (
            "authgate: the command line needs typer and rich: pip install 'authgate-core[cli]'"
            == ended.value.code
        )

    def test_as_a_program(self) -> None:
        """The exit code of the command is that of the process."""
        code = "from authgate_core.cli import main; main()"
        ended = subprocess.run(
            [sys.executable, "-c", code, "nothing"], capture_output=True, text=True, check=False
        )

        assert (2, "") == (ended.returncode, ended.stdout)
        assert "authgate: No such command 'nothing'; see --help\n" == ended.stderr

    def test_a_gate_needs_none_of_it(self) -> None:
        """Building a gate imports neither the commands nor what they are written with."""
        code = "import sys, authgate_core as ag; print(sorted({'typer', 'rich', 'authgate_core.cli'} & {*sys.modules}))"
        shown = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout

        assert "[]\n" == shown


class TestErrors:
    def _raising(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        def fail(**_: Any) -> None:
            raise error

        monkeypatch.setattr(program, "program", fail)

    def test_a_bug(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """An error that nobody foresaw is one line that says where it was raised, and nothing of its text."""
        self._raising(monkeypatch, ValueError(f"could not read {TOKEN}"))
        assert 2 == run(["doctor"])
        out, err = capsys.readouterr()

        assert "" == out
        assert err.startswith("authgate: ValueError was raised in test_cli.py, line ")
        assert "please report it" in err
        assert TOKEN not in err

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError()])
    def test_interrupted(
        self, error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Whoever stops a command, or what it writes to, is told nothing."""
        self._raising(monkeypatch, error)

        assert 130 == run(["doctor"])
        assert ("", "") == capsys.readouterr()

    @pytest.mark.parametrize(
        ("error", "line"),
        [
            (ag.ConfigurationError("a: b"), "not configured correctly: a: b"),
            (
                ag.ConfigurationError("a: b", "c: d"),
                "not configured correctly: a: b (1 more: authgate doctor lists them)",
            ),
            (ag.RevocationUnavailable("no answer"), "no answer"),
            (Mistake("two\nlines"), "two lines"),
            (Mistake("x" * 500), f"{'x' * 400}..."),
            (KeyError("x"), "KeyError was raised nowhere: a bug, please report it"),
        ],
    )
    def test_one_line(self, error: BaseException, line: str) -> None:
        """Whatever is raised is one line."""
        assert line == one_line(error)


class TestSecrets:
    def test_mints_a_secret(self, capsys: pytest.CaptureFixture[str]) -> None:
        """``hash-secret`` prints a secret and the line for the file of projects, which fit each other."""
        assert 0 == run(["hash-secret"])
        sent, line = capsys.readouterr().out.splitlines()

        projects = ag.StaticProjects({"shop": tomllib.loads(line)})
        with ag.Gate(ag.GateConfig(projects=projects)) as gate:
            name, _, secret = sent.partition(": ")
            headers = [("x-app-id", "shop"), (name, secret)]
            assert "shop" == gate.admit(ag.RequestView("GET", "/", headers), ag.is_project).project.id

    @pytest.mark.parametrize(
        ("secret", "code"), [(b"long-enough-for-a-chosen-secret-12345\n", 0), (b"not-long-enough\n", 2)]
    )
    def test_hashes_standard_input(
        self, secret: bytes, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """``hash-secret --stdin`` prints the hash of what it reads, or what is wrong with it; never the secret."""
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=SimpleNamespace(read=lambda: secret)))
        assert code == run(["hash-secret", "--stdin"])
        out, err = capsys.readouterr()

        assert secret.decode().strip() not in out + err
        assert (code == 0) == out.startswith('secret_hash = "sha256:')

    def test_mints_an_api_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        """``api-key`` prints a key and its table, which fit each other."""
        assert 0 == run(["api-key", "--prefix", "shop"])
        key, *table = capsys.readouterr().out.splitlines()

        assert key.startswith("shop_")
        assert 1 == len(tomllib.loads("\n".join(table)))

    def test_a_prefix_that_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A prefix that begins no key is refused with what to write."""
        assert 2 == run(["api-key", "--prefix", "a b"])
        assert "write 1 to 32 letters, digits or _" in capsys.readouterr().err
