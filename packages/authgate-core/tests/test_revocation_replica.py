"""A process's copy of a revocation store: when it answers, what it must not miss, what it holds at most."""

from __future__ import annotations

import math

import pytest

from authgate_core.clock import Instant
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.revocation import FeedBroken, FeedEntry, FeedHead, Kept, Mark, MarkTable, Replica, Subject

NOW = Instant(1_800_000_000.0, 1_000.0)
START = FeedHead(b"epoch", b"era", 0, b"")


def token(name: str) -> TokenRef:
    """A token of this name."""
    return TokenRef("main", None, name, True, None, "u1", None, NOW.wall, None, NOW.wall + 600, None)


def about(name: str) -> Subject:
    """What revokes that token alone."""
    return Subject("main", None, "token", name)


def tag(number: int) -> bytes:
    """The tag of the entry of this number."""
    return b"tag-%d" % number if number else b""


def entry(number: int, name: str = "j", life: float | None = 600.0) -> FeedEntry:
    """The entry of this number, after the one before it."""
    return FeedEntry(tag(number), b"era", number, tag(number - 1), life, about(name), Mark())


def head(number: int) -> FeedHead:
    """The newest entry."""
    return FeedHead(b"epoch", b"era", number, tag(number))


@pytest.fixture
def replica() -> Replica:
    """A copy of an empty store, loaded and read once."""
    replica = Replica(limit=4)
    replica.begin(START, NOW)
    replica.loaded()
    replica.follow(START, (), NOW, NOW)
    return replica


class TestEdition:
    """Laws 5.1, 5.11: what is clear in an edition is clear while that is the present one."""

    def test_there_is_none_without_a_lease(self, replica: Replica) -> None:
        """Nobody may go on with what was clear once; a read that brings nothing new goes on with the edition."""
        before = replica.edition(NOW)
        assert before is not None
        assert replica.edition(NOW.plus(1.0)) is None

        replica.follow(START, (), NOW.plus(1.0), NOW.plus(1.0))
        assert before == replica.edition(NOW.plus(1.0))

    def test_whatever_is_added_makes_another(self, replica: Replica) -> None:
        """By the feed, and by what this process itself wrote or was told."""
        seen = {replica.edition(NOW)}
        replica.follow(head(1), [entry(1)], NOW, NOW)
        seen.add(replica.edition(NOW))
        replica.learn(about("k"), Mark(), math.inf)

        assert replica.edition(NOW) not in seen
        assert 2 == len(seen)

    def test_another_table_has_another(self) -> None:
        """Also where it holds the same: what one was clear of says nothing of the other."""
        table = MarkTable()
        table.keep(about("j"), Mark())

        assert 3 == len({table.edition, table.copy().edition, MarkTable().edition})

    def test_to_forget_makes_none(self) -> None:
        """What is over refuses nothing."""
        table = MarkTable()
        table.keep(about("j"), Mark(), NOW.mono)
        before = table.edition
        table.forget(NOW.mono)

        assert (0, before) == (len(table), table.edition)


class TestLease:
    @pytest.mark.parametrize(("later", "answer"), [(0.999, "clear"), (1.0, "ask")])
    def test_it_lasts_one_second(self, replica: Replica, later: float, answer: str) -> None:
        """Law 5.11: a read that found nothing new counts, and only while it is less than a second old."""
        assert answer == replica.known(token("j"), NOW.plus(later))
        assert (answer == "clear") == replica.is_live(NOW.plus(later))

    def test_it_counts_from_when_the_read_was_sent(self, replica: Replica) -> None:
        """Law 5.11: a reply that was long on its way says nothing of what happened meanwhile."""
        replica.follow(START, (), NOW, NOW.plus(5.0))
        assert "ask" == replica.known(token("j"), NOW.plus(5.0))

    def test_a_wall_clock_that_was_set_forward_ends_it(self, replica: Replica) -> None:
        """Law 5.11: after a machine slept, only the wall clock knows how old the lease is."""
        assert "ask" == replica.known(token("j"), Instant(NOW.wall + 3600, NOW.mono))

    def test_a_wall_clock_that_was_set_back_does_not_prolong_it(self, replica: Replica) -> None:
        """Law 5.11: nor does it end it: the monotonic clock goes on."""
        assert "clear" == replica.known(token("j"), Instant(NOW.wall - 3600, NOW.mono + 0.9))
        assert "ask" == replica.known(token("j"), Instant(NOW.wall - 3600, NOW.mono + 1.0))

    @pytest.mark.parametrize("wall", [-3600.0, 0.0, 0.999, 1.0, 3600.0])
    @pytest.mark.parametrize("mono", [0.0, 0.999, 1.0, 3600.0])
    def test_both_clocks_say_less_than_a_second(self, replica: Replica, wall: float, mono: float) -> None:
        """Law 5.11: whatever is asked, the lease is judged by the clock that says more."""
        now = Instant(NOW.wall + wall, NOW.mono + mono)
        leased = max(wall, mono) < 1.0
        assert (leased, leased, "clear" if leased else "ask") == (
            replica.is_live(now),
            replica.edition(now) is not None,
            replica.known(token("j"), now),
        )

    def test_before_the_first_read(self) -> None:
        """Law 5.11: a snapshot alone is no lease, for what was written since is in the feed."""
        replica = Replica(limit=4)
        assert ("ask", None) == (replica.known(token("j"), NOW), replica.age(NOW))
        replica.begin(START, NOW)
        replica.loaded()
        assert ("ask", None) == (replica.known(token("j"), NOW), replica.age(NOW))

    def test_a_read_that_leaves_some_for_later(self, replica: Replica) -> None:
        """Law 5.11: with entries yet to be read there is no new lease."""
        assert not replica.follow(head(3), [entry(1)], NOW.plus(1.5), NOW.plus(1.5))
        assert "ask" == replica.known(token("j"), NOW.plus(1.5))
        assert replica.follow(head(3), [entry(2), entry(3)], NOW.plus(1.6), NOW.plus(1.6))
        assert "revoked" == replica.known(token("j"), NOW.plus(1.6))

    def test_its_age_is_that_of_the_older_clock(self, replica: Replica) -> None:
        """What health shows."""
        assert 7.0 == replica.age(Instant(NOW.wall + 7, NOW.mono + 2))


class TestGaps:
    @pytest.mark.parametrize(
        ("newest", "entries", "reason"),
        [
            (head(1), [], "entries of the feed are gone"),
            (head(2), [entry(2)], "missing"),
            (head(1), [FeedEntry(tag(1), b"era", 1, tag(9), None, about("j"), Mark())], "missing"),
            (head(1), [FeedEntry(tag(1), b"other", 1, b"", None, about("j"), Mark())], "of another feed"),
            (FeedHead(b"epoch", b"other", 0, b""), [], "another feed was begun"),
            (FeedHead(b"other", b"era", 0, b""), [], "another feed was begun"),
            (FeedHead(b"epoch", b"era", 0, b"other"), [], "went back"),
        ],
        ids=["none", "number", "chain", "era", "new-era", "epoch", "rewritten"],
    )
    def test_what_is_not_contiguous(
        self, replica: Replica, newest: FeedHead, entries: list[FeedEntry], reason: str
    ) -> None:
        """Law 5.11: where it is not proven that nothing is missing, there is no lease until it is loaded anew."""
        with pytest.raises(FeedBroken, match=reason):
            replica.follow(newest, entries, NOW, NOW)
        assert "ask" == replica.known(token("j"), NOW)
        with pytest.raises(FeedBroken, match="nothing is loaded"):
            replica.follow(START, (), NOW, NOW)

    def test_a_feed_that_went_back(self, replica: Replica) -> None:
        """Law 5.11: a server that failed over without its newest entries is not believed on."""
        replica.follow(head(2), [entry(1), entry(2)], NOW, NOW)
        with pytest.raises(FeedBroken, match="went back"):
            replica.follow(head(1), (), NOW, NOW)

    def test_entries_from_before_the_snapshot(self, replica: Replica) -> None:
        """What the snapshot holds already may be read again and does no harm."""
        replica.begin(head(2), NOW)
        replica.loaded()
        assert replica.follow(head(3), [entry(2), entry(3)], NOW, NOW)

    def test_what_was_known_stays_known(self, replica: Replica) -> None:
        """Law 5.11: entries only add refusals, so neither a gap nor a snapshot without them takes one away."""
        replica.follow(head(1), [entry(1)], NOW, NOW)
        replica.drop()
        assert replica.refuses(token("j"), NOW)
        replica.begin(head(1), NOW)
        replica.loaded()
        replica.follow(head(1), (), NOW, NOW)
        assert "revoked" == replica.known(token("j"), NOW)

    def test_another_epoch_is_another_store(self, replica: Replica) -> None:
        """Law 5.10: a store that counts as reloaded is believed as it is found."""
        replica.follow(head(1), [entry(1)], NOW, NOW)
        replica.begin(FeedHead(b"other", b"era", 0, b""), NOW)
        replica.loaded()
        assert not replica.refuses(token("j"), NOW)
        assert b"other" == replica.epoch


class TestBounds:
    def fill(self, replica: Replica, count: int) -> None:
        """Read so many entries."""
        entries = [entry(number, f"j{number}") for number in range(1, count + 1)]
        replica.follow(head(count), entries, NOW, NOW)

    def test_at_its_bound_it_answers(self, replica: Replica) -> None:
        """Law 5.11: what fits is answered for."""
        self.fill(replica, 4)
        assert ("revoked", "clear") == (replica.known(token("j4"), NOW), replica.known(token("j5"), NOW))

    def test_beyond_its_bound_it_stops_answering(self, replica: Replica) -> None:
        """Law 5.11: it answers nothing rather than without an entry, and what it holds it goes on holding."""
        with pytest.raises(FeedBroken, match="more than 4 entries"):
            self.fill(replica, 5)
        assert replica.is_full
        assert "ask" == replica.known(token("j1"), NOW)
        assert all(replica.refuses(token(f"j{number}"), NOW) for number in range(1, 6))

    def test_full_it_takes_no_more(self, replica: Replica) -> None:
        """Law 5.11: its memory is bounded, whatever else this process writes."""
        for number in range(100):
            replica.learn(about(f"j{number}"), Mark(), math.inf)
        assert (5, True) == (len(replica), replica.is_full)

    def test_a_snapshot_that_does_not_fit(self, replica: Replica) -> None:
        """Law 5.11: it is given up at the first entry too many."""
        replica.begin(START, NOW)
        for number in range(4):
            replica.add(about(f"j{number}"), Mark(), math.inf)
        with pytest.raises(FeedBroken, match="more than 4"):
            replica.add(about("j4"), Mark(), math.inf)
        assert (0, True) == (len(replica), replica.is_full)
        with pytest.raises(FeedBroken, match="given up"):
            replica.add(about("j"), Mark(), math.inf)
        with pytest.raises(FeedBroken, match="given up"):
            replica.loaded()

    def test_what_it_holds_counts_when_it_is_loaded_anew(self, replica: Replica) -> None:
        """Law 5.11: a store that lost everything, as in a failover, makes no room for one entry more each time."""
        with pytest.raises(FeedBroken):
            self.fill(replica, 5)
        for number in range(6, 9):
            replica.begin(START, NOW)
            with pytest.raises(FeedBroken, match="more than 4"):
                replica.loaded()
            replica.learn(about(f"j{number}"), Mark(), math.inf)
        assert (5, True, None) == (len(replica), replica.is_full, replica.epoch)

    def test_at_its_bound_it_can_be_loaded_anew(self, replica: Replica) -> None:
        """Law 5.11: what it holds fits, and stays."""
        self.fill(replica, 4)
        replica.begin(head(4), NOW)
        replica.loaded()
        replica.follow(head(4), (), NOW, NOW)
        assert (4, False, "revoked") == (len(replica), replica.is_full, replica.known(token("j4"), NOW))

    def test_once_there_is_room_it_answers_again(self, replica: Replica) -> None:
        """Law 5.11: entries leave by themselves, and what is loaded after that fits."""
        with pytest.raises(FeedBroken):
            self.fill(replica, 5)
        later = NOW.plus(601.0)
        replica.begin(head(5), later)
        replica.loaded()
        replica.follow(head(5), (), later, later)
        assert ("clear", False, 0) == (replica.known(token("j1"), later), replica.is_full, len(replica))

    def test_long_names_weigh_more(self, replica: Replica) -> None:
        """Law 5.11: the bound is one of memory, so names of thousands of characters count for several."""
        replica.learn(about("j" * 1024), Mark(), math.inf)
        assert (1, True) == (len(replica), replica.is_full)


class TestSnapshot:
    def test_it_is_answered_from_after_the_first_read(self) -> None:
        """Law 5.11: what the store held when it was asked is refused here."""
        replica = Replica(limit=4)
        replica.begin(head(1), NOW)
        replica.add(about("j"), Mark(), NOW.mono + 5)
        replica.loaded()
        replica.follow(head(1), (), NOW, NOW)
        assert ("revoked", "clear") == (replica.known(token("j"), NOW), replica.known(token("k"), NOW))
        assert not replica.refuses(token("j"), NOW.plus(5))

    def test_there_is_none_before_it_is_begun(self) -> None:
        """Nothing can be added to what is not being loaded."""
        replica = Replica(limit=4)
        with pytest.raises(FeedBroken) as caught:
            replica.add(about("j"), Mark(), math.inf)
        assert "what was being loaded was given up" == caught.value.reason
        with pytest.raises(FeedBroken, match="given up"):
            replica.loaded()
        assert (None, False, 0) == (replica.epoch, replica.is_full, len(replica))


class TestLearning:
    def test_what_this_process_wrote_holds_at_once(self, replica: Replica) -> None:
        """Law 5.11: who revokes need not wait for the feed."""
        replica.learn(about("j"), Mark(), math.inf)
        assert "revoked" == replica.known(token("j"), NOW)

    def test_what_is_refused_is_judged_by_the_credential(self, replica: Replica) -> None:
        """Law 5.7: a cut-off refuses what was issued before it, whether or not there is a lease."""
        subject = Subject("main", None, "subject", "u1")
        replica.learn(subject, Mark(before=NOW.wall - 60), math.inf)
        assert not replica.refuses(token("j"), NOW)
        replica.learn(subject, Mark(before=NOW.wall), math.inf)
        assert replica.refuses(token("j"), NOW)

    def test_projects(self, replica: Replica) -> None:
        """Law 6.4: versions below the required one are refused."""
        replica.learn(Subject("projects", None, "secret_version", "p"), Mark(version=3), math.inf)
        assert "revoked" == replica.known(ProjectRef("p", 2), NOW)
        assert "clear" == replica.known(ProjectRef("p", 3), NOW)

    def test_while_it_is_loaded(self, replica: Replica) -> None:
        """Law 5.3: what this process revoked meanwhile is refused on, even if no read follows."""
        replica.begin(START, NOW)
        replica.learn(about("j"), Mark(), math.inf)
        replica.loaded()
        assert replica.refuses(token("j"), NOW)

    def test_while_one_that_does_not_fit_is_loaded(self, replica: Replica) -> None:
        """Law 5.11: what is being loaded has the same limit, whoever adds to it."""
        replica.begin(START, NOW)
        for number in range(4):
            replica.add(about(f"j{number}"), Mark(), math.inf)
        replica.learn(about("j"), Mark(), math.inf)
        assert replica.is_full
        with pytest.raises(FeedBroken, match="given up"):
            replica.loaded()


class TestHeir:
    """Law 9.5: what a process leaves to its child, or to a follower that begins anew."""

    def test_it_holds_the_same_and_answers_nothing(self, replica: Replica) -> None:
        """Law 5.11: entries only add refusals, and a lease is of the process that read."""
        replica.learn(about("j"), Mark(), math.inf)
        heir = replica.heir()

        assert ("revoked", "ask") == (replica.known(token("j"), NOW), heir.known(token("j"), NOW))
        assert heir.refuses(token("j"), NOW)
        assert (4, None, None) == (heir.limit, heir.epoch, heir.age(NOW))

    def test_neither_adds_to_the_other(self, replica: Replica) -> None:
        """A thread that still works on the old one works in vain."""
        heir = replica.heir()
        replica.learn(about("old"), Mark(), math.inf)
        heir.learn(about("new"), Mark(), math.inf)

        assert (True, False) == (replica.refuses(token("old"), NOW), replica.refuses(token("new"), NOW))
        assert (False, True) == (heir.refuses(token("old"), NOW), heir.refuses(token("new"), NOW))

    @pytest.mark.parametrize(("epoch", "refuses"), [(b"epoch", True), (b"other", False)])
    def test_it_knows_of_which_store_that_is(self, replica: Replica, epoch: bytes, refuses: bool) -> None:
        """Laws 5.10, 5.11: a snapshot of the same store takes nothing away, and another store is another one."""
        replica.learn(about("j"), Mark(), math.inf)
        heir = replica.heir()
        heir.begin(FeedHead(epoch, b"era", 0, b""), NOW)
        heir.loaded()

        assert refuses == heir.refuses(token("j"), NOW)


class TestTable:
    def test_the_wall_clock_ends_nothing(self, replica: Replica) -> None:
        """Law 5.8: an entry lives by the monotonic clock, so setting the other one does not end it early."""
        replica.follow(head(1), [entry(1, life=600.0)], NOW, NOW)
        set_forward = Instant(NOW.wall + 3600, NOW.mono + 0.5)
        replica.follow(head(1), (), set_forward, set_forward)
        assert "revoked" == replica.known(token("j"), NOW.plus(0.9))

    def test_it_ends_in_time(self, replica: Replica) -> None:
        """Law 5.8: it is forgotten once its life is over, counted from when it was heard of."""
        replica.follow(head(1), [entry(1, life=600.0)], NOW, NOW.plus(0.5))
        assert replica.refuses(token("j"), NOW.plus(600.4))
        assert not replica.refuses(token("j"), NOW.plus(600.5))

    def test_an_entry_without_an_end(self, replica: Replica) -> None:
        """Law 5.8: where no maximum lifetime is set, an entry lives for ever."""
        replica.follow(head(1), [entry(1, life=None)], NOW, NOW)
        replica.follow(head(1), (), NOW.plus(1e9), NOW.plus(1e9))
        assert "revoked" == replica.known(token("j"), NOW.plus(1e9))

    def test_an_entry_that_is_renewed_for_ever(self) -> None:
        """Law 5.11: memory is bounded by what is held, not by how often it was written."""
        table = MarkTable()
        for number in range(10_000):
            table.keep(about("j"), Mark(), 1_000.0 + number)
            table.keep(about(f"j{number % 10}"), Mark())
        assert (11, 11) == (len(table), table.weight)
        assert len(table._endings) <= 100

        table.forget(1_000.0 + 9_998)
        assert 11 == len(table)
        table.forget(1_000.0 + 9_999)
        assert 10 == len(table)

    def test_a_copy_is_another_one(self) -> None:
        """What is added to a copy is not seen in what it was copied from."""
        table = MarkTable()
        table.keep(about("a"), Mark(), 5.0)
        other = table.copy()
        other.keep(about("b"), Mark())
        other.forget(5.0)
        assert (1, 1) == (len(table), len(other))
        assert (["a"], ["b"]) == (list(table._fields), list(other._fields))

    def test_a_copy_is_whole(self) -> None:
        """Law 9.5: a thread that is in the middle of keeping a mark at a fork never goes on in the child."""
        table = MarkTable()
        table.keep(about("a"), Mark(), 5.0)
        table._kept[about("b")] = Kept(about("b"), Mark(), 7.0)
        other = table.copy()
        other.keep(about("b"), Mark(), 7.0)
        assert [about("b")] == [kept.subject for kept in other.about(token("b"))]
        assert 2 == other.weight
        other.forget(7.0)
        assert (0, 0, []) == (len(other), other.weight, other._endings)
