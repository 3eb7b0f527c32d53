"""Revocations in this process's memory, in both colours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from authgate_core.io.memory import COVERS_ONE_PROCESS, AsyncMemoryStore, MemoryStore
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.revocation import (
    Kept,
    cut_off_entry,
    mark_of,
    secret_version_entry,
    session_entry,
    subject_of,
    token_entry,
)
from authgate_core.testing import ManualClock
from authgate_core.testing.contracts import AsyncRevocationStoreContract, OpenStore, RevocationStoreContract


class TestPortContract(RevocationStoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestAsyncPortContract(AsyncRevocationStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncMemoryStore]:
            yield AsyncMemoryStore()

        return opened


@pytest.fixture
def clock() -> ManualClock:
    """Time that the test moves."""
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    """An empty store."""
    return MemoryStore(clock)


def token(clock: ManualClock, name: str = "jti-1") -> TokenRef:
    """A token that is good for ten minutes."""
    now = clock.now().wall
    return TokenRef("main", None, name, True, "s1", "u1", None, now - 60, None, now + 600, "k1")


def revoking(clock: ManualClock, name: str = "jti-1", life: float = 600.0) -> Revocation:
    """The entry that revokes such a token."""
    now = clock.now()
    return token_entry("main", None, name, expires_at=now.wall + life, max_lifetime=None, now=now)


class TestKnowing:
    def test_known_takes_no_lock(self, store: MemoryStore, clock: ManualClock) -> None:
        """Laws 5.1 and 7.1: a check waits for nobody, not even for a writer."""
        store.revoke(revoking(clock))
        with store._lock:
            assert "revoked" == store.known(token(clock))
            assert "clear" == store.known(token(clock, "another"))

    def test_a_writer_waits_for_a_writer(self, store: MemoryStore, clock: ManualClock) -> None:
        """Entries are merged one at a time."""
        writer = threading.Thread(target=store.revoke, args=(revoking(clock),))
        with store._lock:
            writer.start()
            assert store.is_revoked(token(clock)) is False
        writer.join()
        assert store.is_revoked(token(clock)) is True

    def test_a_future_cut_off_is_refused(self, store: MemoryStore, clock: ManualClock) -> None:
        """Law 5.7: a T in the future is refused when written."""
        entry = Revocation("subject", "main", None, "u1", before=clock.now().wall + 60)
        with pytest.raises(ValueError, match="60 s in the future"):
            store.revoke(entry)

    def test_it_says_that_it_covers_one_process(self, store: MemoryStore, clock: ManualClock) -> None:
        """Law 5.6: the warning that a gate gives at its start, and what the store shows of itself."""
        store.revoke(revoking(clock))
        assert "this process only" in COVERS_ONE_PROCESS.text
        assert "MemoryStore(1 entries)" == repr(store)
        assert "AsyncMemoryStore(0 entries)" == repr(AsyncMemoryStore())

    def test_health(self) -> None:
        """It always answers."""
        assert "ok" == MemoryStore().health().status
        assert MemoryStore().health() == AsyncMemoryStore().health()

    def test_known_in_the_other_colour(self) -> None:
        """The pure door is plain in both colours."""
        store = AsyncMemoryStore()
        asyncio.run(store.revoke(secret_version_entry("p", 2)))
        assert "revoked" == store.known(ProjectRef("p", 1))

    def test_a_text_in_another_place(self, store: MemoryStore, clock: ManualClock) -> None:
        """What an entry names is revoked, and nothing else that is called the same."""
        now = clock.now()
        store.revoke(session_entry("main", None, "u1", max_lifetime=None, now=now))
        store.revoke(session_entry("main", "t1", "s1", max_lifetime=None, now=now))
        assert "clear" == store.known(token(clock))

        store.revoke(session_entry("main", None, "s1", max_lifetime=None, now=now))

        assert "revoked" == store.known(token(clock))


class TestForgetting:
    def test_an_entry_ends_at_its_time(self, store: MemoryStore, clock: ManualClock) -> None:
        """Law 5.8: exp + 120 s, and not a moment before."""
        ref = token(clock)
        store.revoke(revoking(clock))
        clock.advance(719.9)
        assert "revoked" == store.known(ref)
        clock.advance(0.1)
        assert "clear" == store.known(ref)

    def test_writing_forgets_what_is_over(self, store: MemoryStore, clock: ManualClock) -> None:
        """Memory is given back by writers, so readers need no lock; live entries are never dropped."""
        for number in range(100):
            store.revoke(revoking(clock, f"short-{number}"))
            store.revoke(revoking(clock, f"long-{number}", life=5000.0))
        store.revoke(session_entry("main", None, "s9", max_lifetime=None, now=clock.now()))
        assert 201 == len(store)
        clock.advance(800.0)
        store.revoke(revoking(clock, "last"))
        assert 102 == len(store)
        assert all(store.is_revoked(token(clock, f"long-{number}")) for number in range(100))

    def test_an_entry_that_was_prolonged_stays(self, store: MemoryStore, clock: ManualClock) -> None:
        """Law 5.8: the earlier end of an entry that was written again does not end it."""
        ref = token(clock)
        store.revoke(revoking(clock))
        store.revoke(revoking(clock, life=5000.0))
        store.revoke(revoking(clock))
        clock.advance(800.0)
        store.revoke(revoking(clock, "another"))
        assert "revoked" == store.known(ref)

    def test_entries_of_one_moment(self, store: MemoryStore, clock: ManualClock) -> None:
        """Entries that end together, with and without a tenant, are kept apart."""
        now = clock.now()
        for tenant in (None, "t1", "t2"):
            entry = cut_off_entry("main", tenant, subject="u1", max_lifetime=600.0, now=now)
            store.revoke(entry)
            store.revoke(replace(entry, value="u2"))
        clock.advance(10_000.0)
        store.revoke(revoking(clock))
        assert 1 == len(store)

    def test_a_text_that_two_entries_share(self, store: MemoryStore, clock: ManualClock) -> None:
        """Where one of them ends, the other stays in force; where both have, nothing is held any more."""
        now = clock.now()
        store.revoke(session_entry("main", "t1", "s1", max_lifetime=600.0, now=now))
        store.revoke(session_entry("main", None, "s1", max_lifetime=6_000.0, now=now))
        store.revoke(session_entry("main", None, "s1", max_lifetime=6_000.0, now=now))
        clock.advance(1_000.0)
        store.revoke(revoking(clock, "another", life=1.0))
        assert "revoked" == store.known(token(clock))

        clock.advance(6_000.0)
        store.revoke(revoking(clock, "last"))

        assert "clear" == store.known(token(clock))
        assert ["last"] == list(store._table._fields)


class TestForks:
    def test_a_child_takes_a_new_lock(self, store: MemoryStore, clock: ManualClock) -> None:
        """Law 9.5: a lock that another thread held at the fork is never given back there."""
        with store._lock:
            store.after_fork()
            store.revoke(revoking(clock))
        assert store.is_revoked(token(clock)) is True

    def test_a_child_finds_what_was_half_written(self, store: MemoryStore, clock: ManualClock) -> None:
        """Law 9.5: a mark that a thread of the parent was about to keep is kept by whoever writes it in the child."""
        subject = subject_of(revoking(clock))
        store._table._kept[subject] = Kept(subject, mark_of(revoking(clock)), clock.now().mono + 720)
        store.after_fork()
        store.revoke(revoking(clock))
        assert store.is_revoked(token(clock)) is True
