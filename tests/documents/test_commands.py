"""The page of commands: each command and option on it is there, each that is there is on it, and its example runs."""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from authgate_core.cli.dev_issuer import DevIssuer
from authgate_core.cli.program import program, run
from authgate_core.cli.wanted import DevUser

PAGE = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text("utf-8")
COMMANDS: dict[str, Any] = dict(typer.main.get_command(program).commands)  # type: ignore[attr-defined]  # it is a group


def options_of(command: Any) -> set[str]:
    """The options of a command, and of those below it."""
    below = (options_of(one) for one in getattr(command, "commands", {}).values())
    own = {option for one in command.params for option in one.opts if option.startswith("--")}
    return own.union(*below) - {"--help"}


class TestThePage:
    def test_names_every_command(self) -> None:
        """A heading for each, and for no other."""
        assert sorted(f"authgate {name}" for name in COMMANDS) == sorted(
            re.findall(r"^## `(.+)`$", PAGE, re.MULTILINE)
        )

    @pytest.mark.parametrize("name", COMMANDS)
    def test_names_every_option(self, name: str) -> None:
        """Below its heading, in a table or beside the command that has it."""
        (section,) = re.findall(rf"^## `authgate {name}`$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)

        assert options_of(COMMANDS[name]) == {*re.findall(r"`(--[a-z-]+)`", section)}

    def test_names_what_can_be_revoked(self) -> None:
        """Each command below ``revoke`` has its line."""
        assert sorted(COMMANDS["revoke"].commands) == sorted(
            re.findall(r"^\| `authgate revoke (\w+)`", PAGE, re.MULTILINE)
        )


class TestTheExample:
    @pytest.fixture
    def issuer(self) -> Iterator[DevIssuer]:
        """What the first line of the example starts, on a port that is free."""
        with DevIssuer([DevUser("alice")], audience="test-api", port=0) as served:
            yield served

    def test_runs(
        self, issuer: DevIssuer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Line by line as it stands, but for the port: every command ends with 0, and the token is accepted."""
        (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        start, settings, *commands = block.splitlines()
        assert "authgate dev-issuer &" == start
        for setting in shlex.split(settings)[1:]:
            name, _, value = setting.partition("=")
            monkeypatch.setenv(name, value.replace("http://127.0.0.1:8400", issuer.url))

        out = ""
        for command in (part for line in commands for part in line.split(" | ")):
            _, *arguments = shlex.split(command)
            monkeypatch.setattr(sys, "stdin", io.StringIO(out))
            asked = [*arguments, *(["--issuer", issuer.url] if arguments[0] == "token" else [])]
            assert 0 == run(asked)
            out = capsys.readouterr().out
        assert "accepted: User(id='alice'" in out
