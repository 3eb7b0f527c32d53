"""Cancelled tasks, late loops, several loops and forked processes: nothing of the one reaches the other."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from authgate_core.clock import SystemClock
from authgate_core.errors import RevocationUnavailable
from authgate_core.events import Notice
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.batches import Batcher
from authgate_core.io.redis.lag import LagMeter
from authgate_core.io.redis.protocol import Limits, Query
from authgate_core.principal import Revocation, TokenRef
from authgate_core.revocation import RedisRevocation, token_entry

PATIENT = Limits(connect=10.0, reply=10.0, total=20.0)


def token(name: str = "jti-1") -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("main", "t1", name, True, "s1", "u1", "c1", now - 60, None, now + 600, "k1")


def revoking(name: str = "jti-1") -> Revocation:
    """The entry that revokes such a token."""
    now = SystemClock().now()
    return token_entry("main", "t1", name, expires_at=now.wall + 600, max_lifetime=None, now=now)


@pytest.fixture
def notices() -> list[Notice]:
    """What the store tells the operator."""
    return []


@pytest.fixture
def spec(valkey_url: str, prefix: str) -> RedisRevocation:
    """The shared server under the test's prefix."""
    return RedisRevocation(valkey_url, prefix=prefix)


def compute(seconds: float) -> None:
    """Keep the loop busy, as an application does that computes between two awaits."""
    time.sleep(seconds)


@pytest.fixture
def frozen_later(own_valkey: Any) -> Iterator[Any]:
    """A server that the test freezes; thawed again in any case."""
    yield own_valkey
    own_valkey.thaw()


class TestCancelling:
    def test_a_cancelled_check_leaves_no_reply_behind(self, frozen_later: Any, notices: list[Notice]) -> None:
        """Law 5.4: cancelled while the reply is on its way, the connection is discarded with it."""

        async def scene() -> list[bool]:
            store = AsyncRedisStore(RedisRevocation(frozen_later.url), notice=notices.append)
            await store.revoke(revoking("revoked"))
            assert await store.is_revoked(token("other")) is False
            frozen_later.freeze()
            check = asyncio.create_task(store.is_revoked(token("revoked")))
            await asyncio.sleep(0.03)
            check.cancel()
            with pytest.raises(asyncio.CancelledError):
                await check
            frozen_later.thaw()
            answers = [await store.is_revoked(token(name)) for name in ("other", "revoked", "other")]
            await store.aclose()
            return answers

        assert [False, True, False] == asyncio.run(scene())
        assert [] == notices

    def test_a_cancelled_check_does_not_cancel_others(self, spec: RedisRevocation) -> None:
        """Whoever shares an exchange is answered, also when most of those who share it have gone."""

        async def scene() -> list[object]:
            store = AsyncRedisStore(spec, notice=print, limits=PATIENT)
            await store.revoke(revoking("revoked"))
            names = ["revoked" if number % 2 else "other" for number in range(60)]
            checks = [asyncio.create_task(store.is_revoked(token(name))) for name in names]
            await asyncio.sleep(0)
            for check in checks[:57]:
                check.cancel()
            answers = await asyncio.gather(*checks, return_exceptions=True)
            assert await store.is_revoked(token("revoked")) is True
            await store.aclose()
            return list(answers[57:])

        assert [True, False, True] == asyncio.run(scene())


class TestBatches:
    def test_who_comes_meanwhile_shares_the_next_exchange(self) -> None:
        """A burst needs a few exchanges, and each gets its own part of the replies."""
        carried: list[Query] = []

        async def carry(query: Query, _until: float) -> Sequence[object]:
            carried.append(query)
            await asyncio.sleep(0)
            return [("reply to", *command) for command in query]

        async def scene() -> list[Sequence[object]]:
            batcher = Batcher(carry, 2)
            queries: list[Query] = [(("A", number), ("B", number)) for number in range(300)]
            return list(await asyncio.gather(*(batcher.ask(query, 0.0) for query in queries)))

        replies = asyncio.run(scene())
        assert [[("reply to", "A", number), ("reply to", "B", number)] for number in range(300)] == replies
        assert [2, 2, 512, 84] == [len(query) for query in carried]

    def test_the_earliest_deadline_holds_for_all(self) -> None:
        """Law 5.4: sharing an exchange makes nobody wait longer than alone."""
        limits: list[float] = []

        async def carry(query: Query, until: float) -> Sequence[object]:
            limits.append(until)
            await asyncio.sleep(0)
            return [None] * len(query)

        async def scene() -> None:
            batcher = Batcher(carry, 1)
            await asyncio.gather(*(batcher.ask((("A",),), until) for until in (9.0, 5.0, 3.0, 7.0)))

        asyncio.run(scene())
        assert [9.0, 3.0] == limits

    def test_a_failure_is_everybodys(self) -> None:
        """Law 5.3: of a shared exchange that fails nobody takes an answer."""

        async def carry(_query: Query, _until: float) -> Sequence[object]:
            await asyncio.sleep(0)
            raise OSError("gone")

        async def scene() -> list[object]:
            batcher = Batcher(carry, 1)
            asked = [asyncio.ensure_future(batcher.ask((("A",),), 0.0)) for _ in range(5)]
            await asyncio.sleep(0)
            asked[2].cancel()
            return [type(outcome) for outcome in await asyncio.gather(*asked, return_exceptions=True)]

        expected = [OSError, OSError, asyncio.CancelledError, OSError, OSError]
        assert expected == asyncio.run(scene())

    @pytest.mark.parametrize("fails", [False, True])
    def test_who_leaves_during_an_exchange_changes_nothing(self, fails: bool) -> None:
        """A waiter that is cancelled while its exchange is under way takes nothing from the others."""

        async def scene() -> list[object]:
            gates = [asyncio.Event(), asyncio.Event()]
            began = [asyncio.Event(), asyncio.Event()]
            numbers = iter(range(2))

            async def carry(query: Query, _until: float) -> Sequence[object]:
                number = next(numbers)
                began[number].set()
                await gates[number].wait()
                if fails:
                    raise OSError("gone")
                return [command[0] for command in query]

            batcher = Batcher(carry, 1)
            asked = [asyncio.ensure_future(batcher.ask(((name,),), 0.0)) for name in ("alone", "a", "b", "c")]
            await began[0].wait()
            gates[0].set()
            await began[1].wait()
            asked[2].cancel()
            gates[1].set()
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            return [type(each) if isinstance(each, BaseException) else each for each in outcomes]

        gone = asyncio.CancelledError
        expected = [OSError, OSError, gone, OSError] if fails else [["alone"], ["a"], gone, ["c"]]
        assert expected == asyncio.run(scene())

    def test_waiting_checks_end_with_the_loop(self) -> None:
        """Law 9.5: a loop that shuts down leaves nobody waiting."""
        ended: list[str] = []

        async def carry(_query: Query, _until: float) -> Sequence[object]:
            await asyncio.sleep(3600)
            return []

        async def ask(batcher: Batcher, name: str) -> None:
            try:
                await batcher.ask((("A",),), 0.0)
            finally:
                ended.append(name)

        async def scene() -> None:
            batcher = Batcher(carry, 1)
            tasks = [asyncio.create_task(ask(batcher, name)) for name in ("first", "second", "third")]
            await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            (shared,) = batcher._tasks
            shared.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(scene())
        assert {"first", "second", "third"} == set(ended)


class TestLateLoops:
    def test_a_meter(self) -> None:
        """Law 5.5: lateness is measured from when the loop should have called back."""

        async def scene() -> list[bool]:
            loop = asyncio.get_running_loop()
            meter = LagMeter(loop)
            seen = []
            began = loop.time()
            with meter:
                await asyncio.sleep(0.05)
                seen.append(meter.was_late_since(began))
                compute(0.1)
                seen.append(meter.was_late_since(began))
            compute(0.1)
            began = loop.time()
            with meter:
                seen.append(meter.was_late_since(began))
                compute(0.1)
                await asyncio.sleep(0.02)
                seen += [meter.was_late_since(began), meter.was_late_since(loop.time())]
            return seen

        assert [False, True, False, True, False] == asyncio.run(scene())

    def test_a_meter_of_several(self) -> None:
        """Law 5.5: who comes later and goes earlier ends it for nobody."""

        async def scene() -> list[bool]:
            loop = asyncio.get_running_loop()
            meter = LagMeter(loop)
            began = loop.time()
            with meter:
                with meter:
                    await asyncio.sleep(0.02)
                compute(0.1)
                await asyncio.sleep(0)
                return [meter.was_late_since(began)]

        assert [True] == asyncio.run(scene())

    def test_a_queue_on_a_late_loop(self, own_valkey: Any, notices: list[Notice]) -> None:
        """Law 5.5: checks whose time ran out in a queue while the loop was blocked open no breaker."""

        async def scene() -> list[bool]:
            store = AsyncRedisStore(RedisRevocation(own_valkey.url), notice=notices.append)
            await store.warm_up()
            checks = [asyncio.create_task(store.is_revoked(token())) for _ in range(12)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            compute(0.35)
            answers = await asyncio.gather(*checks)
            await store.aclose()
            return answers

        assert [False] * 12 == asyncio.run(scene())
        assert [] == notices

    def test_a_reply_that_waited_for_the_loop_is_read(self, own_valkey: Any, notices: list[Notice]) -> None:
        """Law 5.4: a loop that was blocked past the end of a check finds the reply there, and it counts."""

        async def scene() -> list[bool]:
            store = AsyncRedisStore(RedisRevocation(own_valkey.url), notice=notices.append)
            await store.warm_up()
            answers = []
            for _ in range(8):
                check = asyncio.create_task(store.is_revoked(token()))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                compute(0.2)
                answers.append(await check)
            await store.aclose()
            return answers

        def connections() -> int:
            return int(admin.info("stats")["total_connections_received"])

        admin = own_valkey.client()
        before = connections()
        assert [False] * 8 == asyncio.run(scene())
        assert 1 == connections() - before, "a connection whose reply was given up is not used again"

    def test_a_reply_that_waited_for_the_loop_is_asked_for_again(
        self, spec: RedisRevocation, notices: list[Notice]
    ) -> None:
        """Law 5.5: an application that computes for half a second makes no outage of it."""

        async def scene() -> list[bool]:
            store = AsyncRedisStore(spec, notice=notices.append)
            await store.warm_up()
            answers = []
            for _ in range(8):
                check = asyncio.create_task(store.is_revoked(token()))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                compute(0.35)
                answers.append(await check)
            assert "ok" == store.health().status
            await store.aclose()
            return answers

        assert [False] * 8 == asyncio.run(scene())
        assert [] == notices

    def test_a_loop_that_is_late_again_is_an_outage_but_not_counted(
        self, frozen_later: Any, notices: list[Notice]
    ) -> None:
        """Law 5.5: what was measured on a late loop never opens the breaker."""

        async def hog(stop: asyncio.Event) -> None:
            while not stop.is_set():
                compute(0.05)
                await asyncio.sleep(0)

        async def scene() -> str:
            store = AsyncRedisStore(RedisRevocation(frozen_later.url), notice=notices.append)
            await store.warm_up()
            frozen_later.freeze()
            stop = asyncio.Event()
            late = asyncio.create_task(hog(stop))
            for _ in range(5):
                with pytest.raises(RevocationUnavailable):
                    await store.is_revoked(token())
            stop.set()
            await late
            status = store.health().status
            await store.aclose()
            return status

        assert "down" == asyncio.run(scene())
        assert [] == notices


class TestSeveralLoops:
    def test_two_loops_at_once(self, spec: RedisRevocation) -> None:
        """Laws 4.11 and 9.5, for this store: each loop has connections of its own."""
        store = AsyncRedisStore(spec, notice=print, limits=PATIENT)
        answers: list[bool] = []

        async def scene() -> None:
            answers.extend(await asyncio.gather(*(store.is_revoked(token()) for _ in range(100))))
            await store.aclose()

        threads = [threading.Thread(target=asyncio.run, args=(scene(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [False] * 200 == answers

    def test_one_loop_after_another_without_closing(self, spec: RedisRevocation) -> None:
        """Law 9.5: connections end with their loop, so a test client that makes a loop for each request leaks none."""
        store = AsyncRedisStore(spec, notice=print, limits=PATIENT)
        for _ in range(3):
            assert asyncio.run(store.is_revoked(token())) is False
        assert 1 == len(store._loops)
        gc.collect()

    def test_a_breaker_is_its_loops(self, own_valkey: Any, notices: list[Notice]) -> None:
        """Law 9.5: an open breaker and its probe stay with their loop; the next one finds out for itself."""
        store = AsyncRedisStore(RedisRevocation(own_valkey.url), notice=notices.append)

        async def fail() -> str:
            for _ in range(5):
                with pytest.raises(RevocationUnavailable):
                    await store.is_revoked(token())
            return store.health().status

        own_valkey.stop()
        assert "open" == asyncio.run(fail())
        own_valkey.start()
        assert asyncio.run(store.is_revoked(token())) is False

    def test_closing_where_nothing_is_open(self, spec: RedisRevocation) -> None:
        """A loop that never asked has nothing to close."""
        asyncio.run(AsyncRedisStore(spec, notice=print, limits=PATIENT).aclose())


FORKED = """
import asyncio, os, sys, time
from authgate_core.io.memory import MemoryStore
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.protocol import Limits
from authgate_core.principal import ProjectRef
from authgate_core.revocation import RedisRevocation, secret_version_entry

spec = RedisRevocation(sys.argv[1], prefix=sys.argv[2])
patient = Limits(connect=10.0, reply=10.0, total=20.0)
store, ref = RedisStore(spec, notice=print, limits=patient), ProjectRef("p", 1)
loops, memory = AsyncRedisStore(spec, notice=print, limits=patient), MemoryStore()
store.revoke(secret_version_entry("p", 2))
assert store.is_revoked(ref) and asyncio.run(loops.is_revoked(ref))
idle = list(store._wire._idle)
memory._lock.acquire()
store._parts.outages._lock.acquire()
store._parts.keeper.watch._lock.acquire()

children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        assert not store._wire._idle
        memory.revoke(secret_version_entry("p", 2))
        good = all(store.is_revoked(ref) for _ in range(50)) and asyncio.run(loops.is_revoked(ref))
        os._exit(0 if good and memory.is_revoked(ref) else 1)
    children.append(child)
memory._lock.release()
store._parts.outages._lock.release()
store._parts.keeper.watch._lock.release()
assert all(store.is_revoked(ref) for _ in range(50))
assert [0] * 4 == [os.waitpid(child, 0)[1] for child in children]
assert idle == list(store._wire._idle)
store.close()
print("all answered")
"""


class TestForks:
    def test_children_use_nothing_of_the_parent(self, valkey_url: str, prefix: str) -> None:
        """Law 9.5: connections and locks are new in a child, and the parent's go on undisturbed."""
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(FORKED), valkey_url, prefix]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
        )
        assert (0, "all answered\n", "") == (done.returncode, done.stdout, done.stderr)


class TestLeaving:
    def test_a_store_that_nobody_holds_is_not_kept(self, own_valkey: Any) -> None:
        """A prober does not keep a store alive that its owner has dropped."""
        own_valkey.stop()
        store = RedisStore(RedisRevocation(own_valkey.url), notice=lambda _: None)
        for _ in range(5):
            with pytest.raises(RevocationUnavailable):
                store.is_revoked(token())
        probers = [thread for thread in threading.enumerate() if thread.name == "authgate-redis-probe"]
        gone = weakref.ref(store)
        del store
        gc.collect()
        for prober in probers:
            prober.join(timeout=10)
        assert gone() is None
        assert [] == [prober for prober in probers if prober.is_alive()]
