"""Being watched: every decision is one event, and no observer changes one (Laws 10.1 and 10.2)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from authgate_core.events import Decided, Journal, Notice

GRANTED = Decided("granted", "bearer", "main", "ok", cached=True, duration=0.001)
REFUSED = Decided(
    "refused", "bearer", "main", "token_claim", cached=False, duration=0.002, reason="aud: is not ours"
)
DOWN = Decided(
    "unavailable", "bearer", "main", "keys_unavailable", cached=False, duration=2.0, reason="refused"
)


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, logger="authgate"):
        yield


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was logged: level and text."""
    return [(record.levelname, record.getMessage()) for record in caplog.records]


class TestLevels:
    def test_a_grant_is_a_debug_line(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: grants are logged at DEBUG."""
        Journal().decided(GRANTED, 0.0)
        assert [("DEBUG", "granted bearer of main")] == lines(caplog)

    def test_the_first_refusal_of_a_label_is_a_warning_with_the_fix(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 10.1: the first of each (issuer, code) at WARNING with the fix, later ones at INFO."""
        journal = Journal()
        journal.decided(REFUSED, 0.0)
        journal.decided(REFUSED, 10.0)
        journal.decided(replace(REFUSED, issuer="other"), 10.0)
        assert ["WARNING", "INFO", "WARNING"] == [level for level, _ in lines(caplog)]
        first, second, _ = (text for _, text in lines(caplog))
        assert "refused: token_claim issuer=main: aud: is not ours" == second
        assert first.startswith(second)
        assert "compare the claim named in the reason" in first

    def test_a_refusal_without_a_known_fix_has_none(self, caplog: pytest.LogCaptureFixture) -> None:
        """Nothing is made up."""
        Journal().decided(replace(REFUSED, code="forbidden", reason="x"), 0.0)
        assert [("WARNING", "refused: forbidden issuer=main: x")] == lines(caplog)

    def test_an_outage_is_always_a_warning(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: outages are logged at WARNING."""
        journal = Journal()
        journal.decided(DOWN, 0.0)
        journal.decided(DOWN, 5.0)
        assert [("WARNING", "unavailable: keys_unavailable issuer=main: refused")] * 2 == lines(caplog)

    def test_a_shadowed_refusal_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 8.6: what shadow mode let pass is told apart."""
        Journal().decided(replace(REFUSED, code="x", shadow=True), 0.0)
        assert "would_refuse: x issuer=main: aud: is not ours" == caplog.messages[0]

    def test_a_notice_is_a_warning_and_an_alarm_an_error(self, caplog: pytest.LogCaptureFixture) -> None:
        """An alarm is what somebody must act on."""
        Journal().notice(Notice("breaker_open", "redis", "five failures"))
        Journal().notice(Notice("breaker_open", "redis", "five failures", alarm=True))
        text = "breaker_open: redis: five failures"
        assert [("WARNING", text), ("ERROR", text)] == lines(caplog)


class TestRepeats:
    def test_what_is_held_back_needs_no_event(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: a repeat that nobody would see is counted, and no event is made of it."""
        journal = Journal()
        assert not journal.holds_back("main", "token_claim", 0.0)
        journal.decided(REFUSED, 0.0)

        assert [True, True, False] == [
            journal.holds_back("main", "token_claim", now) for now in (0.1, 0.9, 1.0)
        ]
        assert not journal.holds_back("other", "token_claim", 0.1)
        journal.decided(REFUSED, 1.0)
        assert caplog.messages[1].endswith("(2 more like it)")

    def test_an_observer_hears_of_every_repeat(self) -> None:
        """Law 10.1: what is limited are the lines of the log."""
        heard: list[Decided | Notice] = []
        journal = Journal(heard.append)
        journal.decided(REFUSED, 0.0)

        assert not journal.holds_back("main", "token_claim", 0.1)

    def test_repeats_within_a_second_are_counted(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: failures are rate-limited per reason, and the next line says how many were held back."""
        journal = Journal()
        for moment in (100.0, 100.1, 100.5, 100.999, 101.0):
            journal.decided(REFUSED, moment)
        assert 2 == len(caplog.records)
        assert caplog.messages[1].endswith("aud: is not ours (3 more like it)")

    def test_each_label_has_its_own_limit(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: one reason does not hide another."""
        journal = Journal()
        for event in (
            REFUSED,
            replace(REFUSED, code="token_expired"),
            replace(REFUSED, issuer="other"),
            DOWN,
        ):
            journal.decided(event, 100.0)
        assert 4 == len(caplog.records)

    def test_the_count_begins_anew(self, caplog: pytest.LogCaptureFixture) -> None:
        """What was told once is not told again."""
        journal = Journal()
        for moment in (0.0, 0.5, 2.0, 4.0):
            journal.decided(REFUSED, moment)
        assert [False, True, False] == ["more like it" in text for text in caplog.messages]


class TestRecords:
    """Each record has its event, for formatters that write fields."""

    def test_the_event_is_an_attribute(self, caplog: pytest.LogCaptureFixture) -> None:
        """Of decisions and of notices; what a record says of failing observers is of no event."""

        def failing(event: Decided | Notice) -> None:
            raise OSError("disk full")

        notice = Notice("breaker_open", "redis", "five failures")
        journal = Journal(failing)
        journal.decided(GRANTED, 0.0)
        journal.decided(REFUSED, 0.0)
        journal.notice(notice)
        assert [None, GRANTED, None, REFUSED, None, notice] == [
            vars(record)["authgate"] for record in caplog.records
        ]

    def test_a_request_that_has_an_id_is_named(self, caplog: pytest.LogCaptureFixture) -> None:
        """So that the line is found by whoever has the id."""
        Journal().decided(replace(REFUSED, code="x", request_id="r-1"), 0.0)
        assert "refused: x issuer=main request=r-1: aud: is not ours" == caplog.messages[0]


class TestObservers:
    def test_several_are_told_in_their_order(self) -> None:
        """And that one fails is nothing to the next."""
        heard: list[tuple[str, Decided | Notice]] = []

        def first(event: Decided | Notice) -> None:
            heard.append(("first", event))
            raise OSError("disk full")

        journal = Journal([first, lambda event: heard.append(("second", event))])
        journal.decided(GRANTED, 0.0)
        assert [("first", GRANTED), ("second", GRANTED)] == heard

    def test_an_observer_sees_every_event(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: every decision is one event, repeats included."""
        seen: list[Decided | Notice] = []
        journal = Journal(seen.append)
        notice = Notice("refresh_failed", "main", "timed out")
        journal.decided(GRANTED, 0.0)
        journal.decided(REFUSED, 0.0)
        journal.decided(REFUSED, 0.0)
        journal.notice(notice)
        assert [GRANTED, REFUSED, REFUSED, notice] == seen

    def test_a_failing_observer_changes_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.2: it is seen in the log, and what was to be logged is logged all the same."""

        def failing(event: Decided | Notice) -> None:
            raise OSError("disk full")

        journal = Journal(failing)
        journal.decided(GRANTED, 0.0)
        journal.notice(Notice("a", "b", "c"))
        assert [
            ("ERROR", "the observer failed on Decided"),
            ("DEBUG", "granted bearer of main"),
            ("ERROR", "the observer failed on Notice"),
            ("WARNING", "a: b: c"),
        ] == lines(caplog)

    def test_an_interrupt_is_not_caught(self) -> None:
        """Only errors of the observer are; a process that is told to stop stops."""

        def stopping(event: Decided | Notice) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Journal(stopping).decided(GRANTED, 0.0)


class TestListening:
    def test_a_grant_is_only_built_when_someone_listens(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.1: the event is built only when an observer or the DEBUG level asks for it."""
        journal = Journal()
        assert journal.hears(logging.DEBUG)
        caplog.set_level(logging.INFO, logger="authgate")
        assert not journal.hears(logging.DEBUG)
        assert Journal(lambda event: None).hears(logging.DEBUG)
