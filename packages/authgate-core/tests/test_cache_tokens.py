"""The table of verified tokens: bounded, second chances, and nobody ever finds what is another's (Law 7.1)."""

from __future__ import annotations

import gc
import hashlib
import random
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.cache.tokens import KEPT_FOR, VerifiedTokens

NOW = 1_000.0


def name(token: str) -> bytes:
    """The digest of a token."""
    return hashlib.sha256(token.encode()).digest()


class Known:
    """What is remembered of a token: its text.

    Args:
        token: The text.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.until = 0.0
        self.was_hit = False


Table = VerifiedTokens[Known]


def keep(table: Table, token: str, mono: float = NOW) -> None:
    """Have a token remembered as itself."""
    table.keep(name(token), Known(token), mono)


def recall(table: Table, token: str, mono: float = NOW) -> str | None:
    """What is remembered of a token."""
    known = table.recall(name(token), mono)
    return None if known is None else known.token


def filled(size: int, *tokens: str) -> Table:
    """A table with these tokens."""
    table = Table(size)
    for token in tokens:
        keep(table, token)
    return table


def found(table: Table, tokens: str, mono: float = NOW) -> str:
    """Which of these tokens, of a letter each, are remembered."""
    return "".join(token for token in tokens if recall(table, token, mono) is not None)


class TestTime:
    def test_a_minute(self) -> None:
        """Remembered for less than 60 s, whatever was asked meanwhile (Law 7.1)."""
        table = filled(2, "a")

        assert 60.0 == KEPT_FOR
        assert "a" == found(table, "a", NOW + KEPT_FOR - 0.001)
        assert "" == found(table, "a", NOW + KEPT_FOR)

    def test_a_new_minute(self) -> None:
        """What is verified anew is remembered anew, in the slot that it has."""
        table = filled(2, "a", "b")
        keep(table, "a", NOW + KEPT_FOR)

        assert "a" == found(table, "ab", NOW + KEPT_FOR + 1)
        assert 2 == len(table)


class TestRoom:
    def test_second_chance(self) -> None:
        """The hand passes by what was hit since its last visit, once."""
        table = filled(3, "a", "b", "c")
        assert "ac" == found(table, "ac")

        keep(table, "d")

        assert "acd" == found(table, "abcd")

    def test_nobody_is_kept_for_ever(self) -> None:
        """Where all were hit, the hand goes once round and takes the first, then the second: their chance is gone."""
        table = filled(3, "a", "b", "c")
        assert "abc" == found(table, "abc")

        keep(table, "d")
        keep(table, "e")

        assert "cde" == found(table, "abcde")

    def test_a_token_seen_once_goes_before_one_seen_twice(self) -> None:
        """A stream of tokens that never come back does not drive out those that do."""
        table = filled(4, "a")
        for number in range(50):
            assert "a" == found(table, "a")
            keep(table, f"once {number}")

        assert "a" == found(table, "a")

    def test_the_dead_have_no_second_chance(self) -> None:
        """What is past its minute makes room first, however often it was hit."""
        table = filled(2, "a")
        assert "a" == found(table, "a")
        keep(table, "b", NOW + 59)

        keep(table, "c", NOW + 61)

        assert "bc" == found(table, "abc", NOW + 61)

    def test_a_newcomer_inherits_no_chance(self) -> None:
        """In the slot of one that was hit it has to be hit itself."""
        table = filled(2, "a")
        assert "a" == found(table, "a")
        keep(table, "b", NOW + 59)
        keep(table, "c", NOW + 61)
        assert "b" == found(table, "b", NOW + 61)

        keep(table, "d", NOW + 61)

        assert "bd" == found(table, "abcd", NOW + 61)

    def test_making_room_is_one_step(self) -> None:
        """The index is not made anew where no thread has spoilt it."""
        table = filled(2, "a", "b")
        index = table._index
        for token in "cdefg":
            keep(table, token)

        assert index is table._index

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefgh")), max_size=60), st.integers(1, 4))
    def test_bounded(self, steps: list[tuple[bool, str]], size: int) -> None:
        """Never more than the size, never another's, and always what was kept last."""
        table = Table(size)
        for keeps, token in steps:
            if keeps:
                keep(table, token)
                assert token == recall(table, token)
            assert recall(table, token) in {None, token}
            assert len(table) <= size


class TestThreads:
    @pytest.fixture(autouse=True)
    def _hurried(self) -> object:
        """Threads take turns as often as they can."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        yield
        sys.setswitchinterval(before)

    def test_everybody_finds_only_their_own(self) -> None:
        """Law 7.1: readers and writers without a lock, in a table that is always too small."""
        table = Table(5)
        tokens = [f"token {number}" for number in range(12)]

        def play(seed: int) -> int:
            rolls, wrong = random.Random(seed), 0
            for _ in range(4_000):
                token = rolls.choice(tokens)
                got = recall(table, token)
                wrong += got not in {None, token}
                if got is None:
                    keep(table, token)
            return wrong

        with ThreadPoolExecutor(4) as pool:
            assert [0] * 4 == list(pool.map(play, range(4)))

        keep(table, "last")
        assert len(table) <= 5
        assert "last" == recall(table, "last")

    def test_tokens_without_a_slot_are_swept_out(self) -> None:
        """What threads that met left in the index does not stay there when it outgrows the slots."""
        table = filled(3, "a", "b", "c")
        for number in range(5):
            table._index[name(f"lost {number}")] = Known("lost")

        keep(table, "d")

        assert 3 == len(table)
        assert "bcd" == found(table, "abcd")

    def test_a_slot_without_a_token_is_free(self) -> None:
        """A slot whose token another thread took from the index is given away before one that is in use."""
        table = filled(3, "a", "b", "c")
        assert "abc" == found(table, "abc")
        del table._index[name("b")]

        keep(table, "d")

        assert "acd" == found(table, "abcd")

    def test_a_token_in_two_slots_is_one_entry(self) -> None:
        """Two threads that verified one token may each have given it a slot: it is found while it has the newer."""
        table = filled(2, "a")
        del table._index[name("a")]
        keep(table, "a")
        assert [name("a")] * 2 == table._slots

        keep(table, "b")
        assert "b" == found(table, "ab")
        keep(table, "a")

        assert "ab" == found(table, "ab")
        assert 2 == len(table)


class TestWhatIsHeld:
    def test_what_had_to_go_is_let_go(self) -> None:
        """Nothing holds on to an entry that made room."""
        table, known = Table(1), Known("a")
        table.keep(name("a"), known, NOW)
        assert "a" == found(table, "a")
        held = weakref.ref(known)
        keep(table, "b")
        del known

        gc.collect()
        assert held() is None

    def test_repr(self) -> None:
        """It says how full it is, and nothing of what it holds."""
        assert "VerifiedTokens(2 of 3)" == repr(filled(3, "a", "b"))
