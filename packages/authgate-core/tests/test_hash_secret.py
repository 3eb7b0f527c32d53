"""Minting and hashing project secrets on the command line."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import pytest

from authgate_core import __main__ as usage
from authgate_core.credentials import APP, AppCredentials, Reading, extract
from authgate_core.hash_secret import hash_secret, main, mint
from authgate_core.projects import StaticProjects
from authgate_core.secret import Secret

CHOSEN = "correct-horse-battery-staple-and-more"


def _random_bytes(count: int) -> bytes:
    return bytes(range(count))


class TestMinting:
    def test_randomness_is_passed_in(self) -> None:
        """Law 6.1: a minted secret is 256 random bits, and its hash is salted with 128 others."""
        asked: list[int] = []

        def counted(count: int) -> bytes:
            asked.append(count)
            return _random_bytes(count)

        secret, stored = mint(counted)
        assert [32, 16] == asked
        assert 43 == len(secret)
        assert hash_secret(secret, bytes(range(16))) == stored

    def test_usable(self) -> None:
        """What is minted can be sent in a header and admits."""
        secret, stored = mint(_random_bytes)
        read = extract((("x-app-id", "shop"), ("x-app-secret", secret.reveal())), [APP], Reading(16_384))[APP]
        assert isinstance(read, AppCredentials)
        assert StaticProjects({"shop": {"secret_hash": stored}}).find(read) is not None

    @pytest.mark.parametrize("secret", ["x" * 31, "x" * 40 + ",", ""])
    def test_refused(self, secret: str) -> None:
        """Law 6.1: a chosen secret that is too short, or that no header carries, is not hashed."""
        with pytest.raises(ValueError, match="the secret "):
            hash_secret(Secret(secret), bytes(16))


class TestCommand:
    def test_mints(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The secret is shown once, as it is sent, with the line for the TOML file; advice goes to stderr."""
        assert 0 == main([])
        out, err = capsys.readouterr()
        sent, line = out.splitlines()
        name, _, secret = sent.partition(": ")
        assert "x-app-secret" == name
        stored = tomllib.loads(f"[shop]\n{line}")
        assert StaticProjects(stored).find(AppCredentials("shop", Secret(secret))) is not None
        assert secret not in err + line
        assert "shown this once" in err

    def test_never_the_same(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each run mints another secret and another salt."""
        main([])
        main([])
        words = re.findall(r"[A-Za-z0-9_-]{22,}", capsys.readouterr().out)
        assert 6 == len(words) == len(set(words))

    @pytest.mark.parametrize("end", ["", "\n", "\r\n"])
    def test_hashes_standard_input(
        self, end: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A chosen secret is read from standard input, and only its hash is printed."""
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO((CHOSEN + end).encode())))
        assert 0 == main(["--stdin"])
        out, err = capsys.readouterr()
        assert "" == err
        assert CHOSEN not in out
        projects = StaticProjects(tomllib.loads(f"[shop]\n{out}"))
        assert projects.find(AppCredentials("shop", Secret(CHOSEN))) is not None

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (b"too-short", "shorter than 32 characters"),
            (b"\xff" * 40, "a secret in bytes is UTF-8"),
            (CHOSEN.encode() + b"\n\n", "cannot be sent in a header"),
        ],
    )
    def test_refuses(
        self, given: bytes, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What cannot be a secret is refused with the reason, and nothing is printed to paste."""
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
        assert 2 == main(["--stdin"])
        out, err = capsys.readouterr()
        assert "" == out
        assert told in err

    def test_never_from_arguments(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A secret on the command line is refused, and not repeated."""
        with pytest.raises(SystemExit, match="2"):
            main([CHOSEN])
        out, err = capsys.readouterr()
        assert "--stdin" in err
        assert CHOSEN not in out + err

    def test_as_a_module(self) -> None:
        """`python -m authgate_core.hash_secret --stdin` works from a shell, without a warning."""
        command = [sys.executable, "-W", "error", "-m", "authgate_core.hash_secret", "--stdin"]
        done = subprocess.run(command, input=CHOSEN, capture_output=True, text=True, check=True)
        assert re.fullmatch(r'secret_hash = "sha256:[\w-]{22}:[\w-]{43}"\n', done.stdout)
        assert "" == done.stderr


class TestUsage:
    def test_names_the_command(self) -> None:
        """`python -m authgate_core` says which commands there are."""
        command = [sys.executable, "-m", "authgate_core"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "python -m authgate_core.hash_secret --stdin" in done.stdout

    def test_anything_else(self, capsys: pytest.CaptureFixture[str]) -> None:
        """There are no options, and a wrong one is an error."""
        with pytest.raises(SystemExit, match="2"):
            usage.main(["mint"])
        usage.main([])
        assert "hash_secret" in capsys.readouterr().out
