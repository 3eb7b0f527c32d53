"""What endpoints said lately: for how long, how many, and which of two answers counts."""

from __future__ import annotations

import pytest

from authgate_core.cache import Answers
from authgate_core.clock import Instant

KEY = bytes(16)
NOW = Instant(1_700_000_000.0, 100.0)


def answers(*asked_of: str, **options: int) -> Answers[str]:
    """A table of an endpoint's answers."""
    return Answers(KEY, *(asked_of or ("https://id.test/introspect",)), **options)


def value(table: Answers[str], key: bytes, now: Instant = NOW) -> object:
    """What is remembered; ``nothing`` where nothing is."""
    known = table.recall(key, now)
    return "nothing" if known is None else known.value


class TestKeys:
    def test_a_short_key_is_refused(self) -> None:
        """A hash that can be guessed would tell what was presented."""
        with pytest.raises(ValueError, match="at least 16 bytes, not 3"):
            Answers(b"key", "endpoint")

    def test_they_name_endpoint_and_configuration(self) -> None:
        """Law 7.4: an answer of one endpoint, or under one configuration, is never another's."""
        keys = {answers(*named).key("token") for named in (("a", "b"), ("a", "c"), ("ab",), ("a",))}
        assert 4 == len(keys)
        assert answers("a", "b").key("token") == answers("a", "b").key("token")

    def test_parts_have_their_lengths(self) -> None:
        """Two texts are never taken for two others that read alike."""
        table = answers()
        assert table.key("ab", "c") != table.key("a", "bc")

    def test_a_text_that_is_no_unicode_has_one_as_well(self) -> None:
        """Law 3.11: whatever is presented, nothing but authgate's own exceptions leaves."""
        assert answers().key("\udc80") != answers().key("\udc81")

    def test_they_do_not_hold_what_was_presented(self) -> None:
        """And without the process's own key nobody makes the same."""
        assert b"token" not in answers().key("token")
        assert Answers(bytes(15) + b"1", "a").key("token") != Answers(KEY, "a").key("token")


class TestKeeping:
    def test_a_yes_counts_from_its_question_on(self) -> None:
        """Law 7.4: what was ten seconds on its way is ten seconds old."""
        table = answers()
        table.keep(b"k", "yes", 30.0, asked=NOW, now=NOW.plus(10.0))
        assert "yes" == value(table, b"k", NOW.plus(29.9))
        assert "nothing" == value(table, b"k", NOW.plus(30.0))

    def test_a_no_too(self) -> None:
        """For as long as it was given."""
        table = answers()
        table.refuse(b"k", 5.0, asked=NOW, now=NOW.plus(1.0))
        assert value(table, b"k", NOW.plus(4.9)) is None
        assert "nothing" == value(table, b"k", NOW.plus(5.0))

    @pytest.mark.parametrize("lasts", [0.0, -1.0, 2.0])
    def test_what_is_over_is_not_kept(self, lasts: float) -> None:
        """As an answer for no time at all, or one that came too late."""
        table = answers()
        table.keep(b"k", "yes", lasts, asked=NOW, now=NOW.plus(2.0))
        table.refuse(b"l", lasts, asked=NOW, now=NOW.plus(2.0))
        assert "Answers(0 good, 0 refused)" == repr(table)

    def test_what_is_left_of_less_than_a_second_is(self) -> None:
        """Law 7.4: for as long as it was given, however little of that is left."""
        table = answers()
        table.keep(b"k", "yes", 2.5, asked=NOW, now=NOW.plus(2.0))
        table.refuse(b"l", 2.5, asked=NOW, now=NOW.plus(2.0))
        assert ("yes", None) == (value(table, b"k", NOW.plus(2.4)), value(table, b"l", NOW.plus(2.4)))

    def test_a_no_ends_a_yes_of_the_same_moment_for_good(self) -> None:
        """Law 7.3: when the no is forgotten, nothing is known any more."""
        table = answers()
        table.keep(b"k", "yes", 30.0, asked=NOW, now=NOW)
        table.refuse(b"k", 5.0, asked=NOW, now=NOW)
        assert (None, "nothing") == (value(table, b"k"), value(table, b"k", NOW.plus(5.0)))

    def test_what_nobody_asked_for_again_goes_first(self) -> None:
        """Law 7.1: a credential that is in use outlasts one that came once."""
        table = answers(positive=2)
        for name in (b"used", b"once"):
            table.keep(name, "yes", 30.0, asked=NOW, now=NOW)
        assert "yes" == value(table, b"used")
        table.keep(b"new", "yes", 30.0, asked=NOW, now=NOW)
        assert ["yes", "nothing", "yes"] == [value(table, name) for name in (b"used", b"once", b"new")]

    def test_both_are_bounded(self) -> None:
        """And made-up credentials drive out no good ones."""
        table = answers(positive=2, negative=3)
        table.keep(b"good", "yes", 30.0, asked=NOW, now=NOW)
        for number in range(100):
            table.refuse(b"%d" % number, 5.0, asked=NOW, now=NOW)
        assert "Answers(1 good, 3 refused)" == repr(table)
        for number in range(100):
            table.keep(b"good %d" % number, "yes", 30.0, asked=NOW, now=NOW)
        assert "Answers(2 good, 3 refused)" == repr(table)


class TestTwoAnswers:
    """The answer whose question is later counts, whichever is written first."""

    def test_a_later_no_ends_a_yes(self) -> None:
        """For good: the yes does not come back when the no has ended."""
        table = answers()
        table.keep(b"k", "yes", 30.0, asked=NOW, now=NOW)
        table.refuse(b"k", 5.0, asked=NOW.plus(1.0), now=NOW.plus(1.0))
        assert value(table, b"k", NOW.plus(2.0)) is None
        assert "nothing" == value(table, b"k", NOW.plus(7.0))

    def test_an_earlier_yes_replaces_no_no(self) -> None:
        """However late it is written."""
        table = answers()
        table.refuse(b"k", 5.0, asked=NOW.plus(1.0), now=NOW.plus(1.0))
        table.keep(b"k", "yes", 30.0, asked=NOW, now=NOW.plus(2.0))
        assert value(table, b"k", NOW.plus(2.0)) is None
        assert "nothing" == value(table, b"k", NOW.plus(7.0))

    def test_a_later_yes_ends_a_no(self) -> None:
        """As of a session that was begun anew."""
        table = answers()
        table.refuse(b"k", 5.0, asked=NOW, now=NOW)
        table.keep(b"k", "yes", 30.0, asked=NOW.plus(1.0), now=NOW.plus(1.0))
        assert "yes" == value(table, b"k", NOW.plus(2.0))

    def test_an_earlier_no_ends_no_yes(self) -> None:
        """However late it is written."""
        table = answers()
        table.keep(b"k", "yes", 30.0, asked=NOW.plus(1.0), now=NOW.plus(1.0))
        table.refuse(b"k", 5.0, asked=NOW, now=NOW.plus(2.0))
        assert "yes" == value(table, b"k", NOW.plus(2.0))

    def test_of_one_moment_the_no_counts(self) -> None:
        """In doubt nobody is let in."""
        table = answers()
        table.keep(b"k", "yes", 30.0, asked=NOW, now=NOW)
        table.refuse(b"k", 5.0, asked=NOW, now=NOW)
        table.keep(b"k", "yes", 30.0, asked=NOW, now=NOW)
        assert value(table, b"k") is None
