"""The program that lets others misbehave: what does not hold is told, and nothing makes it hang."""

from __future__ import annotations

import json
import os
import select
import time
from functools import partial
from pathlib import Path

import pytest

from tests.support import torture_rows as rows
from torture import __main__ as program
from torture import running
from torture.__main__ import main, torture
from torture.patience import ALLOWANCE, within
from torture.registry import every_row


class TestWhatTheProgramSays:
    def test_the_exit_code_is_zero_when_every_row_holds(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert torture([rows.row("good")], "short") == 0
        assert "every promise was kept" in capsys.readouterr().out

    def test_one_row_that_does_not_hold_in_one_colour_makes_it_one(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = torture([rows.row("good"), rows.row("bad", run=rows.broken)], "short")

        told = capsys.readouterr().out
        assert code == 1
        assert "NOT HELD: bad" in told
        assert told.count("NOT HELD\n") == 1

    def test_a_row_that_raises_does_not_hold_and_says_why(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert torture([rows.row("bad", run=rows.breaks, colours=("sync",))], "short") == 1
        assert "LookupError: no such" in capsys.readouterr().out

    def test_a_row_whose_process_dies_does_not_hold(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert torture([rows.row("bad", run=rows.dies, colours=("sync",))], "short") == 1
        assert "its process ended with 3" in capsys.readouterr().out

    def test_a_row_that_hangs_is_ended_and_reported(self, capsys: pytest.CaptureFixture[str]) -> None:
        hanging = rows.row("bad", run=rows.hangs, colours=("sync",), patience=0.5)
        started = time.monotonic()

        assert torture([hanging], "short") == 1
        assert "still not over after 0.5 s" in capsys.readouterr().out
        assert time.monotonic() - started < 30

    def test_what_a_hanging_row_started_ends_with_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "ATTEMPTS", 1)  # a busy machine would have it tried again
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        try:
            run = partial(rows.hangs_with_a_child, pipe)
            torture([rows.row("bad", run=run, colours=("sync",), patience=5.0)], "short")

            assert os.read(reading, 1) == b"!"
            assert [reading] == select.select([reading], [], [], 10)[0]
            assert os.read(reading, 1) == b""  # as nobody holds the other end any more
        finally:
            os.close(reading)

    def test_json_holds_what_the_table_shows(self, tmp_path: Path) -> None:
        written = tmp_path / "out.json"

        torture([rows.row("bad", run=rows.broken)], "short", written)

        (told,) = json.loads(written.read_text("utf-8"))
        assert told["name"] == "bad"
        assert told["held"] is False
        assert told["happened"]["sync"] == {
            "kept": True,
            "text": "it answered",
            "requests": 1,
            "worst_wait": 0.5,
            "memory": 7,
        }
        assert told["happened"]["async"]["kept"] is False

    @pytest.mark.parametrize("chosen", ["asked: one", "asked"])
    def test_rows_are_chosen_by_name_and_by_what_stands_before_a_colon(
        self, chosen: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every = (rows.row("asked: one"), rows.row("other", run=rows.broken))
        monkeypatch.setattr(program, "every_row", lambda: every)

        assert main(["--short", "--only", chosen]) == 0
        assert "1 rows in" in capsys.readouterr().out

    def test_a_row_that_does_not_exist_is_an_error(self) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["--only", "no such row"])
        assert ended.value.code == 2


class TestItsRows:
    def test_every_row_says_what_is_promised_by_which_law(self) -> None:
        assert [] == [row.name for row in every_row() if not (row.promised and row.law and row.colours)]

    def test_every_law_of_the_keys_of_an_issuer_is_tried(self) -> None:
        """Section 4 of the laws."""
        tried = {law for row in every_row() for law in row.law.split(", ")}

        assert set() == {f"4.{number}" for number in range(1, 14)} - tried

    def test_a_wait_is_judged_by_the_bound_of_its_law_and_the_allowance(self) -> None:
        assert within(1.0 + ALLOWANCE, 1.0)
        assert not within(1.01 + ALLOWANCE, 1.0)
