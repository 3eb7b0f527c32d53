"""How the soak judges: a wrong answer and a leak are found, and a gate without its checks does not pass."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace

import pytest

import authgate_core as ag
from authgate_core.errors import RevocationUnavailable, TokenRevoked
from authgate_core.io.redis.keeper import Keeper
from authgate_core.testing import FakeIssuer
from authgate_core.testing.attacks import attacks
from torture.soak import run
from torture.soak.crowd import Tally, answered
from torture.soak.gauges import MOST_GROWTH, Sample, leaks, slope, take
from torture.soak.run import soak, verdict
from torture.soak.specimens import Answer, Specimen, mistake
from torture.soak.stock import Stock

GOOD = Specimen("t", "good", good_until=100.0)
DEAD = Specimen("t", "revoked", dead_from=50.0)


class TestMistakes:
    @pytest.mark.parametrize(
        ("specimen", "answer"),
        [
            (GOOD, Answer("admitted", 10.0, 10.1)),
            (GOOD, Answer("unavailable", 10.0, 10.1)),
            (GOOD, Answer("refused", 99.9, 100.1)),
            (DEAD, Answer("admitted", 49.9, 50.1)),
            (DEAD, Answer("refused", 50.0, 50.1)),
            (DEAD, Answer("unavailable", 50.0, 50.1)),
        ],
    )
    def test_what_is_right(self, specimen: Specimen, answer: Answer) -> None:
        """Laws 1.5 and 5.3: an outage may stand against anybody, and who asked before the end may be admitted."""
        assert mistake(specimen, answer, specimen.dead_from) is None

    @pytest.mark.parametrize(
        ("specimen", "answer", "found"),
        [
            (
                GOOD,
                Answer("refused", 10.0, 10.1, "token_expired"),
                "a good token was refused (token_expired)",
            ),
            (GOOD, Answer("raised", 10.0, 10.1, "KeyError"), "a good token raised KeyError"),
            (DEAD, Answer("admitted", 50.5, 50.6), "a revoked token was admitted 0.500 s after its end"),
        ],
    )
    def test_what_is_wrong(self, specimen: Specimen, answer: Answer, found: str) -> None:
        """Laws 1.5, 3.11 and 5.1: no wrong accept, no wrong refusal, and no exception but authgate's own."""
        assert found == mistake(specimen, answer, specimen.dead_from)

    def test_a_token_that_dies_while_it_is_asked_about(self) -> None:
        """What counts is what was so when it was asked."""
        asked = Answer("admitted", 50.5, 50.6)
        assert mistake(DEAD, asked, math.inf) is None

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (None, "admitted"),
            (TokenRevoked(), "refused"),
            (RevocationUnavailable("down"), "unavailable"),
            (LookupError("bug"), "raised"),
            (ag.ConfigurationError("wrong"), "raised"),
        ],
    )
    def test_what_was_raised(self, error: Exception | None, outcome: str) -> None:
        """Law 3.11: whatever is not in the tree of outcomes is a bug."""
        assert outcome == answered(error, 0.0, 1.0).outcome


class TestTheStock:
    def test_nothing_that_time_makes_right(self) -> None:
        """A token that is too early when it is made may be good minutes later; it is no hostile one."""
        issuer = FakeIssuer(algorithm="ES256")
        kinds = Counter(attack.kind for attack in attacks(issuer))
        stock = Stock(issuer)
        assert kinds["date"] > 100
        assert kinds.total() - kinds["date"] == len(stock._hostile)

    def test_every_kind_is_presented(self) -> None:
        """Most tokens are good, and none of the others is forgotten."""
        stock, chance = Stock(FakeIssuer(algorithm="ES256")), random.Random(1)
        stock.renew()
        stock.rotate()
        stock.add_revocable()
        picked = Counter(stock.pick(chance).kind for _ in range(1000))
        assert {"good", "expired", "removed key's", "revoked", "hostile"} == {*picked}
        assert 500 < picked["good"] < 800


def flat(count: int = 12) -> list[Sample]:
    """What a process holds that leaks nothing: it wavers."""
    return [Sample(10.0 * n, 70_000.0 + 300.0 * (n % 2), 40 + n % 3, 11) for n in range(count)]


class TestLeaks:
    def test_a_flat_one(self) -> None:
        """What comes and goes is no leak."""
        assert [] == leaks(flat())

    def test_memory(self) -> None:
        """The slope is by least squares, in KiB a minute."""
        growing = [replace(sample, memory=70_000.0 + 20.0 * sample.at) for sample in flat()]
        assert math.isclose(1200.0, slope(growing))
        assert ["memory grew by 1200 KiB a minute"] == leaks(growing)
        slower = [replace(sample, memory=70_000.0 + MOST_GROWTH / 61 * sample.at) for sample in flat()]
        assert [] == leaks(slower)

    def test_what_the_warm_up_took(self) -> None:
        """Caches that fill in the first third are no leak."""
        filling = [replace(sample, memory=min(70_000.0, 60_000.0 + 500.0 * sample.at)) for sample in flat()]
        assert [] == leaks(filling)

    def test_files_and_threads(self) -> None:
        """One more every ten seconds is found."""
        growing = [replace(sample, files=40 + n, threads=11 + n) for n, sample in enumerate(flat())]
        assert [
            "file descriptors grew from at most 45 to at least 50",
            "threads grew from at most 16 to at least 21",
        ] == leaks(growing)

    def test_too_few(self) -> None:
        """Nothing is said to be flat that was hardly looked at."""
        assert ["only 2 samples after the warm-up, too few to judge; let it run for longer"] == leaks(flat(3))
        assert 1 == len(leaks([]))

    def test_a_look_at_this_process(self) -> None:
        """It is the process that is measured."""
        sample = take(1.0)
        assert sample.memory > 1024
        assert sample.files > 2
        assert sample.threads >= 1


class TestVerdict:
    def test_good_and_bad(self) -> None:
        """A run is good only if there were answers of every kind, and none was wrong."""
        tally = Tally(Counter(admitted=1, refused=1, unavailable=1))
        assert [] == verdict(tally, flat(), [])
        assert ["a gate had not recovered"] == verdict(tally, flat(), ["a gate had not recovered"])
        assert ["no request was unavailable"] == verdict(Tally(Counter(admitted=1, refused=1)), flat(), [])

    def test_many_mistakes(self) -> None:
        """The first are told, and how many there were."""
        tally = Tally(Counter(admitted=1, refused=1, unavailable=1))
        for _ in range(30):
            tally.add(Answer("admitted", 0.0, 1.0), "wrong")
        wrong = verdict(tally, flat(), [])
        assert 21 == len(wrong)
        assert "30 wrong answers in all" == wrong[-1]


class TestRuns:
    def test_a_gate_that_looks_at_no_entry(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Law 5.1: with the check of revocation taken out, some seconds are enough to see it."""
        monkeypatch.setattr(Keeper, "_judged", lambda *_: False)
        monkeypatch.setattr(run, "EVERY", 2.0)
        assert 1 == soak(6.0, 1)
        assert "WRONG: a revoked token was admitted" in capsys.readouterr().out

    def test_a_gate_that_raises(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Law 3.11: an exception of another kind is seen, with where it came from."""

        def fail(*_: object) -> None:
            raise LookupError("a bug")

        monkeypatch.setattr(Keeper, "check", fail)
        monkeypatch.setattr(run, "EVERY", 1.0)
        assert 1 == soak(1.0, 1)
        assert "LookupError: a bug" in capsys.readouterr().out
