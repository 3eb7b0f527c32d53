"""The live feed over a real Valkey, in both colours: what is answered without asking, and when no longer (Law 5.11)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authgate_core.clock import SystemClock
from authgate_core.errors import RevocationUnavailable
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.copy import StoreCopy
from authgate_core.io.redis.feed import FeedTalk
from authgate_core.io.redis.keeper import Keeper
from authgate_core.io.redis.layout import Layout
from authgate_core.io.redis.protocol import LIMITS, Limits
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.revocation import (
    FeedBroken,
    RedisRevocation,
    secret_version_entry,
    subject_of,
    token_entry,
)
from authgate_core.testing import ManualClock
from authgate_core.testing.contracts import (
    AsyncRevocationStoreContract,
    OpenStore,
    RevocationStoreContract,
)

OpenAny = Callable[..., Any]
PATIENT = Limits(connect=10.0, reply=10.0, total=20.0)
THREAD = "authgate-redis-feed"


def token(name: str = "jti-1") -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("main", "t1", name, True, "s1", "u1", "c1", now - 60, None, now + 600, "k1")


def revoking(name: str = "jti-1") -> Revocation:
    """The entry that revokes such a token."""
    ref = token(name)
    now = SystemClock().now()
    return token_entry("main", "t1", name, expires_at=ref.expires_at, max_lifetime=None, now=now)


def key_of(prefix: str, entry: Revocation) -> str:
    """Where the mark about the subject of an entry is."""
    subject = subject_of(entry)
    return f"{prefix}:{{{subject.group()}}}:{subject.digest()}"


def known(store: Any, name: str = "jti-1") -> str:
    """What a store knows without asking."""
    return str(store.store.known(token(name)))


def live(store: Any) -> Any:
    """The store, once its copy has a lease."""
    store.is_revoked(token("nobody"))
    store.wait_until(lambda: "ask" != known(store, "nobody"))
    return store


def followers() -> list[threading.Thread]:
    """The threads that follow a feed."""
    return [thread for thread in threading.enumerate() if THREAD == thread.name]


def all_ended() -> bool:
    """Whether no thread follows a feed any more, within ten seconds."""
    patience = time.monotonic() + 10.0
    while followers():
        gc.collect()
        if time.monotonic() > patience:
            return False
        time.sleep(0.02)
    return True


class TestPortContract(RevocationStoreContract):
    """What a store promises, answered from the copy."""

    @pytest.fixture
    def store(self, valkey_url: str, prefix: str) -> Iterator[RedisStore]:
        spec = RedisRevocation(valkey_url, prefix=prefix, feed=True)
        store = RedisStore(spec, notice=print, limits=PATIENT)
        store.revoke(revoking("begins the feed"))
        store.warm_up()
        while "ask" == store.known(token("nobody")):
            time.sleep(0.01)
        yield store
        store.close()


class TestAsyncPortContract(AsyncRevocationStoreContract):
    """The same over event loops."""

    @pytest.fixture
    def open_store(self, valkey_url: str, prefix: str) -> OpenStore:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisStore]:
            spec = RedisRevocation(valkey_url, prefix=prefix, feed=True)
            store = AsyncRedisStore(spec, notice=print, limits=PATIENT)
            await store.revoke(revoking("begins the feed"))
            await store.warm_up()
            while "ask" == store.known(token("nobody")):  # noqa: ASYNC110 - a copy tells nobody
                await asyncio.sleep(0.01)
            yield store
            await store.aclose()

        return opened


class TestFollowing:
    def test_what_others_revoke_is_known_here(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 5.11: it is answered from the copy, which the store need not be asked for."""
        here, there = live(open_store(valkey_url, feed=True)), open_store(valkey_url)
        assert "clear" == known(here)
        there.revoke(revoking())
        here.wait_until(lambda: "revoked" == known(here))
        assert "clear" == known(here, "another")

    def test_every_writer_tells_the_feed(self, open_store: OpenAny, valkey_url: str, prefix: str) -> None:
        """Law 5.11: also one that follows none itself, in the transaction that writes the key."""
        open_store(valkey_url).revoke(revoking())
        here = live(open_store(valkey_url, feed=True))
        assert "revoked" == known(here)

    def test_before_the_copy_is_loaded_the_store_is_asked(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 5.11: the first requests wait for nothing but Redis, as without the feed."""
        open_store(valkey_url).revoke(revoking())
        here = open_store(valkey_url, feed=True)
        assert "ask" == known(here)
        assert here.is_revoked(token()) is True

    def test_nothing_is_asked_under_a_lease(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.11: no check reaches the server, neither by the pure door nor by the other."""
        here = live(open_store(own_valkey.url, feed=True))
        asked = own_valkey.client().info("commandstats").get("cmdstat_mget", {}).get("calls", 0)
        for _ in range(50):
            assert here.is_revoked(token()) is False
        assert asked == own_valkey.client().info("commandstats").get("cmdstat_mget", {}).get("calls", 0)

    def test_what_is_revoked_here_holds_at_once(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.6: who revokes does not wait for the way through the feed."""
        open_store(own_valkey.url).revoke(revoking("old"))
        here = live(open_store(own_valkey.url, feed=True))
        here.revoke(revoking())
        assert "revoked" == known(here)

    def test_the_first_revocation_of_all(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.11: it begins the feed, which whoever followed the empty store loads; meanwhile Redis is asked."""
        here = live(open_store(own_valkey.url, feed=True))
        here.revoke(revoking())
        assert here.is_revoked(token()) is True
        here.wait_until(lambda: "revoked" == known(here))

    def test_a_secret_version(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 6.4: versions below the required one are refused through the feed too."""
        here, there = live(open_store(valkey_url, feed=True)), open_store(valkey_url)
        there.revoke(secret_version_entry("p1", 5))
        here.wait_until(lambda: "revoked" == here.store.known(ProjectRef("p1", 4)))
        assert "clear" == here.store.known(ProjectRef("p1", 5))

    def test_several_in_one_process(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 5.11: each follows by itself, and one that is closed takes no other with it."""
        first, second = (live(open_store(valkey_url, feed=True)) for _ in range(2))
        first.close_early()
        open_store(valkey_url).revoke(revoking())
        second.wait_until(lambda: "revoked" == known(second))
        assert "ask" == known(first)
        assert "revoked" == known(live(first))

    def test_warming_up_begins_it(self, open_store: OpenAny, valkey_url: str) -> None:
        """A gate that was warmed up answers from its copy before the first request."""
        here = open_store(valkey_url, feed=True)
        here.warm_up()
        here.wait_until(lambda: "clear" == known(here))


class TestSnapshot:
    def test_thousands_of_entries(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.11: all of the keys are loaded, whatever the feed still holds of them."""
        there = open_store(own_valkey.url)
        for number in range(2_500):
            there.revoke(revoking(f"j{number}"))
        own_valkey.client().delete(f"{prefix}:feed")
        here = live(open_store(own_valkey.url, feed=True))
        assert {"revoked"} == {known(here, f"j{number}") for number in range(2_500)}
        assert 2_500 == here.health().feed.entries

    def test_lifetimes_come_from_the_server(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.8: how long a key has left is asked of the server, whose clock ends it."""
        there = open_store(own_valkey.url)
        there.revoke(revoking())
        subject = subject_of(revoking())
        own_valkey.client().pexpire(f"{prefix}:{{{subject.group()}}}:{subject.digest()}", 1_500)
        here = live(open_store(own_valkey.url, feed=True))
        assert "revoked" == known(here)
        here.wait_until(lambda: "clear" == known(here))
        assert here.is_revoked(token()) is False

    @pytest.mark.parametrize("value", ["list", "text"])
    def test_a_key_that_cannot_be_read(
        self, open_store: OpenAny, own_valkey: Any, value: str, prefix: str
    ) -> None:
        """Law 5.3: what is no entry is not ignored: there is no lease, and the store is asked."""
        here = open_store(own_valkey.url, feed=True)
        subject = subject_of(revoking())
        key = f"{prefix}:{{{subject.group()}}}:{subject.digest()}"
        if "list" == value:
            own_valkey.client().rpush(key, "x")
        else:
            own_valkey.client().set(key, "x")
        here.warm_up()
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        assert ("ask", "down") == (known(here), here.health().feed.status)
        own_valkey.client().delete(key)
        here.wait_until(lambda: "clear" == known(here))
        assert ["revocation_feed_lost", "revocation_feed_back"] == here.codes


class TestLosses:
    @pytest.fixture
    def here(self, open_store: OpenAny, own_valkey: Any) -> Any:
        """A store that follows, with one entry."""
        open_store(own_valkey.url).revoke(revoking("old"))
        return live(open_store(own_valkey.url, feed=True))

    def revoked_there(self, open_store: OpenAny, server: Any, here: Any, name: str) -> None:
        """Another process revokes, and it holds here."""
        open_store(server.url).revoke(revoking(name))
        here.wait_until(lambda: "revoked" == known(here, name))
        assert ("revoked", "clear") == (known(here, "old"), known(here, "another"))

    @pytest.mark.parametrize(
        ("place", "fields"),
        [
            ("*", {"x": "y"}),
            ("18446744073709551615-18446744073709551615", {"x": "y"}),
            ("*", {"tag": "t", "era": "e", "number": "1", "after": "", "life": "0", "mark": "[]"}),
            ("*", {"tag": "t", "era": "e", "number": "-1", "after": "", "life": "0", "mark": "[]"}),
        ],
        ids=["foreign", "last-id", "unreadable", "no-number"],
    )
    def test_poison(
        self, open_store: OpenAny, own_valkey: Any, here: Any, place: str, fields: dict[str, str], prefix: str
    ) -> None:
        """Law 5.11: an entry that is none of ours costs the lease, is passed, and stops no revocation."""
        own_valkey.client().xadd(f"{prefix}:feed", fields, id=place)
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        here.wait_until(lambda: "clear" == known(here))
        self.revoked_there(open_store, own_valkey, here, "new")

    @pytest.mark.parametrize("key", ["feed", "feed:head"])
    @pytest.mark.parametrize("how", ["deleted", "another-type"])
    def test_a_feed_that_was_spoilt(
        self, open_store: OpenAny, own_valkey: Any, here: Any, key: str, how: str, prefix: str
    ) -> None:
        """Law 5.11: whoever revokes next begins another feed if need be, and nothing is missed."""
        client = own_valkey.client()
        client.delete(f"{prefix}:{key}")
        if "another-type" == how:
            client.set(f"{prefix}:{key}", "x")
        self.revoked_there(open_store, own_valkey, here, "new")

    def test_entries_that_are_gone(
        self, open_store: OpenAny, own_valkey: Any, here: Any, prefix: str
    ) -> None:
        """Law 5.11: what was trimmed before it was read is found in a new snapshot."""
        script = "redis.call('HINCRBY', KEYS[1], 'number', 3) return 1"
        own_valkey.client().eval(script, 1, f"{prefix}:feed:head")
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        self.revoked_there(open_store, own_valkey, here, "new")

    def test_a_lost_epoch(self, open_store: OpenAny, own_valkey: Any, here: Any) -> None:
        """Law 5.10: a store that lost its entries is not believed until it counts as reloaded."""
        own_valkey.client().flushall()
        here.wait_until(lambda: "ask" == known(here, "old"))
        with pytest.raises(RevocationUnavailable, match="may be lost"):
            here.is_revoked(token())
        assert "unloaded" == here.health().status
        here.reload()
        here.wait_until(lambda: "clear" == known(here, "old"))
        assert {"revocation_epoch_lost", "revocation_feed_lost", "revocation_feed_back"} == set(here.codes)

    def test_a_server_that_became_a_replica(self, own_valkey: Any, start_valkey: OpenAny, here: Any) -> None:
        """Law 5.10: what a replica says prolongs no lease."""
        own_valkey.client().replicaof("127.0.0.1", start_valkey().port)
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        assert "ask" == known(here)

    def test_a_server_that_hangs(self, open_store: OpenAny, own_valkey: Any, here: Any) -> None:
        """Law 5.11: the lease ends within its second, and comes back with the server."""
        own_valkey.freeze()
        frozen = time.monotonic()
        here.wait_until(lambda: "ask" == known(here))
        assert time.monotonic() - frozen < 5.0
        own_valkey.thaw()
        here.wait_until(lambda: "clear" == known(here))
        self.revoked_there(open_store, own_valkey, here, "new")

    def test_an_outage_that_is_passed_over(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.3: what the copy holds is refused in an outage as well."""
        open_store(own_valkey.url).revoke(revoking("old"))
        here = live(open_store(own_valkey.url, feed=True, on_error="allow"))
        own_valkey.stop()
        here.wait_until(lambda: "ask" == known(here))
        assert (True, False) == (here.is_revoked(token("old")), here.is_revoked(token("another")))
        assert 1 == here.health().unchecked

    def test_once_it_is_back_the_outage_is_over(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Health: nobody asks any more, but the feed says that the store answers."""
        here = live(open_store(own_valkey.url, feed=True, limits=LIMITS, on_error="allow"))
        own_valkey.freeze()
        here.wait_until(lambda: "ask" == known(here))
        assert here.is_revoked(token()) is False
        assert ("down", "down") == (here.health().status, here.health().feed.status)
        own_valkey.thaw()
        here.wait_until(lambda: "clear" == known(here))
        assert ("ok", "live") == (here.health().status, here.health().feed.status)
        assert "revocation_checked_again" in here.codes

    def test_more_than_it_may_hold(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.11: it stops answering and says so; every entry is still refused, because Redis is asked."""
        here, there = live(open_store(own_valkey.url, feed=True, feed_limit=10)), open_store(own_valkey.url)
        for number in range(11):
            there.revoke(revoking(f"j{number}"))
        here.wait_until(lambda: "full" == here.health().feed.status)
        assert {"ask"} == {known(here, f"j{number}") for number in range(11)}
        assert all(here.is_revoked(token(f"j{number}")) for number in range(11))
        assert here.health().feed.entries <= 11


class TestWrongAnswers:
    """Law 5.3: what a server should not say is no reason to believe that nothing was revoked."""

    def talk(self, *answers: Any) -> StoreCopy:
        """What a load and a read make of these answers, one to each query."""
        clock = SystemClock()
        keeper, copy = Keeper(Layout("p"), clock, print, cluster=False, local=None), StoreCopy(10, clock)
        keeper.watch.begin(b"epoch")
        talk, turns = FeedTalk(keeper, Layout("p"), copy, clock), list(answers)
        while turns:
            conversation = talk.turn()
            next(conversation)
            with contextlib.suppress(StopIteration):
                while turns:
                    conversation.send(turns.pop(0))
        return copy

    HELLO: Any = (b"role", b"master", b"mode", b"standalone")
    BEGIN: Any = ([], [b"era", b"1", b"tag"], HELLO)
    NO_KEYS = ([b"0", []],)
    NO_NEWS = (b"epoch", [b"era", b"1", b"tag"], None)
    GONE = ([b"0", [b"p:{g}:d"]],), ([b"[]"], -2)

    @pytest.mark.parametrize(
        "answers", [(BEGIN, NO_KEYS, NO_NEWS), (BEGIN, *GONE, NO_NEWS)], ids=["none", "gone"]
    )
    def test_right_ones(self, answers: tuple[Any, ...]) -> None:
        """An empty store, or one whose only key ended meanwhile, is answered for."""
        assert "clear" == self.talk(*answers).known(token())

    @pytest.mark.parametrize(
        "answers",
        [
            (([], [b"era", None, b"tag"], HELLO),),
            (([], [b"era", b"x", b"tag"], HELLO),),
            (([], [b"era", b"01", b"tag"], HELLO),),
            (([[b"1-0"]], BEGIN[1], HELLO),),
            (([[None, []]], BEGIN[1], HELLO),),
            (([], BEGIN[1], {b"role": b"master", b"mode": b"cluster"}),),
            (([], BEGIN[1], [b"role", b"master", b"mode", b"cluster"]),),
            (BEGIN, ([b"0"],)),
            (BEGIN, ([None, []],)),
            (BEGIN, ([b"0", [None]],)),
            (BEGIN, ([b"0", [b"p:{g}:d"]],), ([None], -1)),
            (BEGIN, ([b"0", [b"p:{g}:d"]],), ([b"x"], 5)),
            (BEGIN, NO_KEYS, (b"epoch", [b"era", b"1"], None)),
            (BEGIN, NO_KEYS, (b"epoch", [b"era", b"1", b"tag"], [[b"p:feed"]])),
            (BEGIN, NO_KEYS, (b"epoch", [b"era", b"1", b"tag"], [[b"p:feed", [[b"1-0"]]]])),
            (BEGIN, NO_KEYS, (b"epoch", [b"era", b"1", b"tag"], [[b"p:feed", [[b"1-0", None]]]])),
        ],
    )
    def test_wrong_ones(self, answers: tuple[Any, ...]) -> None:
        """The copy has to be loaded anew, and does not answer."""
        with pytest.raises(FeedBroken):
            self.talk(*answers)

    def test_another_epoch(self) -> None:
        """Law 5.10: a read with the epoch of another data set gives no lease, though the feed seems to go on."""
        with pytest.raises(RevocationUnavailable, match="may be lost"):
            self.talk(self.BEGIN, self.NO_KEYS, (b"other", self.BEGIN[1], None))

    def test_a_reply_that_took_a_second(self) -> None:
        """Law 5.11: the lease counts from before the question goes out, so such a reply gives none."""
        clock = ManualClock()
        keeper, copy = Keeper(Layout("p"), clock, print, cluster=False, local=None), StoreCopy(10, clock)
        keeper.watch.begin(b"epoch")
        talk = FeedTalk(keeper, Layout("p"), copy, clock)
        for answers, took in (((self.BEGIN, self.NO_KEYS), 0.0), ((self.NO_NEWS,), 1.0)):
            conversation = talk.turn()
            next(conversation)
            clock.advance(took)
            with contextlib.suppress(StopIteration):
                for answer in answers:
                    conversation.send(answer)
        assert "ask" == copy.known(token())

    def test_after_a_read_that_was_cut_off(self) -> None:
        """Law 5.11: the next one waits for no entry, so that closing connections over and over ends no lease."""
        clock = SystemClock()
        keeper, copy = Keeper(Layout("p"), clock, print, cluster=False, local=None), StoreCopy(10, clock)
        keeper.watch.begin(b"epoch")
        talk, waits = FeedTalk(keeper, Layout("p"), copy, clock), []
        cut = ()
        for answers in ((self.BEGIN, self.NO_KEYS), (self.NO_NEWS,), cut, (self.NO_NEWS,), cut, cut):
            conversation = talk.turn()
            waits.append("BLOCK" in next(conversation)[-1])
            with contextlib.suppress(StopIteration):
                for answer in answers:
                    conversation.send(answer)
            conversation.close()
        assert [False, False, True, False, True, False] == waits


class TestClusters:
    def test_a_node_of_one_is_not_followed(
        self, open_store: OpenAny, start_valkey: OpenAny, prefix: str
    ) -> None:
        """Law 5.11: a client for Clusters tells no feed, so one node that has all slots would be followed in vain."""
        node = start_valkey(cluster_enabled="yes")
        node.client().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        here = open_store(node.url, feed=True)
        here.wait_until(lambda: "ok" == node.client().execute_command("CLUSTER INFO")["cluster_state"])
        here.warm_up()
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        assert ("ask", "down") == (known(here), here.health().feed.status)
        assert "node of a Cluster" in here.health().feed.last_error


class TestPermissions:
    def test_reading_is_enough(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.10: a gate that only checks may follow with permissions to read."""
        open_store(own_valkey.url).revoke(revoking())
        rights = ["+get", "+mget", "+exists", "+scan", "+pttl", "+xread", "+xrevrange", "+hmget"]
        own_valkey.client().execute_command("ACL", "SETUSER", "reader", "on", ">pw", f"~{prefix}:*", *rights)
        here = live(open_store(f"redis://reader:pw@127.0.0.1:{own_valkey.port}", feed=True))
        assert ("revoked", "clear") == (known(here), known(here, "another"))

    def test_what_nobody_began_it_cannot_follow(
        self, open_store: OpenAny, own_valkey: Any, prefix: str
    ) -> None:
        """Law 5.11: a feed that this gate may not begin is not followed until somebody begins it."""
        writer = open_store(own_valkey.url)
        assert writer.is_revoked(token()) is False
        rights = ["+get", "+mget", "+exists", "+scan", "+pttl", "+xread", "+xrevrange", "+hmget"]
        own_valkey.client().execute_command("ACL", "SETUSER", "reader", "on", ">pw", f"~{prefix}:*", *rights)
        here = open_store(f"redis://reader:pw@127.0.0.1:{own_valkey.port}", feed=True)
        assert here.is_revoked(token()) is False
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        assert "may not begin it" in here.health().feed.last_error
        writer.revoke(revoking())
        assert "revoked" == known(live(here))

    def test_without_them_it_asks(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.11: it says which permission is missing, and checks as without the feed."""
        open_store(own_valkey.url).revoke(revoking())
        rights = ["+get", "+mget", "+exists"]
        own_valkey.client().execute_command("ACL", "SETUSER", "reader", "on", ">pw", f"~{prefix}:*", *rights)
        here = open_store(f"redis://reader:pw@127.0.0.1:{own_valkey.port}", feed=True)
        assert here.is_revoked(token()) is True
        here.wait_until(lambda: "revocation_feed_lost" in here.codes)
        assert "xrevrange" in here.health().feed.last_error


class TestThread:
    def test_it_ends_with_the_store(self, open_store: OpenAny, valkey_url: str) -> None:
        """Closing a store ends its thread."""
        assert all_ended()
        here = live(open_store(valkey_url, feed=True))
        assert 1 == len(followers())
        here.close_early()
        assert all_ended()

    def test_there_is_none_before_the_first_check(self, open_store: OpenAny, valkey_url: str) -> None:
        """A master that only forks has no thread, so its children inherit none in the middle of something."""
        assert all_ended()
        open_store(valkey_url, feed=True)
        assert [] == followers()

    def test_no_thread_can_be_had(
        self, open_store: OpenAny, valkey_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 5.11: then there is no lease, and the store is asked."""

        def start(self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        here = open_store(valkey_url, feed=True)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            assert here.is_revoked(token()) is False
            assert "ask" == known(here)
        assert "clear" == known(live(here))

    def test_a_store_that_nobody_holds_is_not_kept(self, valkey_url: str, prefix: str) -> None:
        """The thread does not keep a store alive that its owner has dropped, and ends after it."""
        store = RedisStore(RedisRevocation(valkey_url, prefix=prefix, feed=True), notice=print)
        store.is_revoked(token())
        gone = weakref.ref(store)
        del store
        assert all_ended()
        assert gone() is None

    def test_nothing_of_a_closed_one_is_seen(self, open_store: OpenAny, valkey_url: str) -> None:
        """A read that is under way while the store is closed prolongs no lease, nor that of its next use."""
        here = live(open_store(valkey_url, feed=True))
        here.close_early()
        assert all_ended()
        assert ("ask", None) == (known(here), here.health().feed.age)


FORKED = """
import asyncio, os, sys, time
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.protocol import Limits
from authgate_core.principal import ProjectRef
from authgate_core.revocation import FeedBroken, RedisRevocation, secret_version_entry

spec = RedisRevocation(sys.argv[1], prefix=sys.argv[2], feed=True)
patient = Limits(connect=10.0, reply=10.0, total=20.0)
store = RedisStore(spec, notice=print, limits=patient)
loops = AsyncRedisStore(spec, notice=print, limits=patient)
old, new, clean = ProjectRef("old", 1), ProjectRef("new", 1), ProjectRef("clean", 1)

def follow():
    store.is_revoked(clean), asyncio.run(loops.is_revoked(clean))
    patience = time.monotonic() + 20
    while "ask" in (store.known(clean), loops.known(clean)):
        assert time.monotonic() < patience
        time.sleep(0.01)

def wait(ref):
    patience = time.monotonic() + 20
    while not store.known(ref) == loops.known(ref) == "revoked":
        assert time.monotonic() < patience
        time.sleep(0.01)

store.revoke(secret_version_entry("old", 2))
follow()
for one in (store, loops):
    one._parts.copy.lock.acquire()
    one._parts._follower._lock.acquire()
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        unleased = store.known(clean) == loops.known(clean) == "ask"
        follow()
        wait(old), wait(new)
        os._exit(0 if unleased else 1)
    children.append(child)
for one in (store, loops):
    one._parts.copy.lock.release()
    one._parts._follower._lock.release()
store.revoke(secret_version_entry("new", 2))
wait(new)
assert [0] * 3 == [os.waitpid(child, 0)[1] for child in children]
assert "clear" == store.known(clean) == loops.known(clean)
print("all followed")
"""


class TestForks:
    def test_children_follow_by_themselves(self, valkey_url: str, prefix: str) -> None:
        """Law 9.5: no lease, lock or thread of the parent is used in a child, and the parent follows on."""
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, valkey_url, prefix]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert (0, "all followed\n", "") == (done.returncode, done.stdout, done.stderr)


class TestWriting:
    def test_both_or_neither(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.11: a writer that may not tell the feed writes no key either, and the caller hears of it."""
        here = live(open_store(own_valkey.url, feed=True))
        rights = ["+@all", "-xadd"]
        own_valkey.client().execute_command("ACL", "SETUSER", "mute", "on", ">pw", f"~{prefix}:*", *rights)
        mute = open_store(f"redis://mute:pw@127.0.0.1:{own_valkey.port}")
        with pytest.raises(RevocationUnavailable, match="xadd"):
            mute.revoke(revoking())
        assert 0 == own_valkey.client().exists(key_of(prefix, revoking()))
        assert here.is_revoked(token()) is False

    def test_what_was_there_stays(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.6: a write that failed takes nothing from the mark that was there, nor from its life."""
        client, key = own_valkey.client(), key_of(prefix, secret_version_entry("p", 2))
        there = open_store(own_valkey.url)
        there.revoke(secret_version_entry("p", 2))
        client.pexpire(key, 600_000)
        before = client.get(key)
        client.execute_command("ACL", "SETUSER", "mute", "on", ">pw", f"~{prefix}:*", "+@all", "-xadd")
        with pytest.raises(RevocationUnavailable, match="xadd"):
            open_store(f"redis://mute:pw@127.0.0.1:{own_valkey.port}").revoke(secret_version_entry("p", 3))
        assert before == client.get(key)
        assert 500_000 < client.pttl(key) <= 600_000

    @pytest.mark.parametrize("spoilt", [False, True])
    def test_without_memory_nothing_is_lost(
        self, open_store: OpenAny, own_valkey: Any, prefix: str, *, spoilt: bool
    ) -> None:
        """Law 5.6: a server that is full refuses all of a write, and the feed stays as it was, spoilt or not."""
        client, there = own_valkey.client(), open_store(own_valkey.url)
        there.revoke(revoking("old"))
        if spoilt:
            client.hset(f"{prefix}:feed:head", "number", "none")
        feed = (client.xrange(f"{prefix}:feed"), client.hgetall(f"{prefix}:feed:head"))
        client.config_set("maxmemory", 1)
        with pytest.raises(RevocationUnavailable, match="maxmemory"):
            there.revoke(revoking())
        assert 0 == client.exists(key_of(prefix, revoking()))
        assert feed == (client.xrange(f"{prefix}:feed"), client.hgetall(f"{prefix}:feed:head"))

    def test_the_feed_is_bounded(self, own_valkey: Any, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 5.11: it is trimmed as it is written."""
        monkeypatch.setattr("authgate_core.io.redis.layout._FEED_LENGTH", 100)
        store = RedisStore(RedisRevocation(own_valkey.url, prefix=prefix), notice=print)
        for number in range(500):
            store.revoke(revoking(f"j{number}"))
        assert 100 <= own_valkey.client().xlen(f"{prefix}:feed") <= 200
        assert b"500" == own_valkey.client().hget(f"{prefix}:feed:head", "number")
        store.close()
