"""Values that may be used once: in memory and in a real Valkey, in both colours."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from redis.exceptions import ResponseError

import authgate_core as ag
from authgate_core.clock import Clock, SystemClock
from authgate_core.errors import ReplaysUnavailable
from authgate_core.events import Notice
from authgate_core.io.redis import AsyncRedisReplayStore, RedisReplayStore
from authgate_core.io.redis.replays import _claim, _is_first
from authgate_core.io.replays import AsyncMemoryReplayStore, MemoryReplayStore
from authgate_core.replays import MemoryReplays, RedisReplays, once_name
from authgate_core.testing import ManualClock

NAME = once_name("test", "a value")
OTHER = once_name("test", "another value")
PROJECTS = ag.StaticProjects({"shop": {"secret": "a-chosen-secret-of-thirty-two-characters"}})


class Driven:
    """A store of either colour, asked in the one event loop that an async one needs.

    Args:
        store: The store.
    """

    def __init__(self, store: Any) -> None:
        self.store = store
        self._runner = asyncio.Runner() if "Async" in type(store).__name__ else None

    def use(self, name: bytes, ttl: float = 60.0) -> bool:
        """Use a value up."""
        return bool(self._done(self.store.use(name, ttl)))

    def use_at_once(self, name: bytes, times: int) -> list[bool]:
        """Use one value up several times at the same time."""
        if self._runner is None:
            with ThreadPoolExecutor(times) as pool:
                return list(pool.map(lambda _: self.store.use(name, 60.0), range(times)))

        async def together() -> list[bool]:
            return list(await asyncio.gather(*(self.store.use(name, 60.0) for _ in range(times))))

        return self._runner.run(together())

    def wait(self, seconds: float) -> None:
        """Let what goes on in the background go on."""
        if self._runner is None:
            time.sleep(seconds)
        else:
            self._runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        """Close it."""
        if hasattr(self.store, "close"):
            self.store.close()
        elif hasattr(self.store, "aclose"):
            self._done(self.store.aclose())
        if self._runner is not None:
            self._runner.close()

    def _done(self, answer: Any) -> Any:
        return answer if self._runner is None else self._runner.run(answer)


@pytest.fixture
def open_replays(colour: str) -> Iterator[Callable[..., Driven]]:
    """Opens stores of one colour by their specification."""
    opened: list[Driven] = []

    def opening(
        spec: MemoryReplays | RedisReplays,
        clock: Clock = SystemClock(),
        notice: Callable[[Notice], None] = lambda _: None,
    ) -> Driven:
        if isinstance(spec, MemoryReplays):
            memory = MemoryReplayStore if colour == "sync" else AsyncMemoryReplayStore
            opened.append(Driven(memory(spec, clock)))
        else:
            kept = RedisReplayStore if colour == "sync" else AsyncRedisReplayStore
            opened.append(Driven(kept(spec, clock, notice)))
        return opened[-1]

    yield opening
    for store in opened:
        store.close()


@pytest.fixture(params=["memory", "redis"])
def store(
    request: pytest.FixtureRequest, open_replays: Callable[..., Driven], valkey_url: str, prefix: str
) -> Driven:
    """An empty store of each kind."""
    return open_replays(
        MemoryReplays() if request.param == "memory" else RedisReplays(valkey_url, prefix=prefix)
    )


class TestOnce:
    def test_a_value_is_used_once(self, store: Driven) -> None:
        """The first use is one, and no other is."""
        assert [True, False, False] == [store.use(NAME) for _ in range(3)]

    def test_each_value_is_its_own(self, store: Driven) -> None:
        """What was used says nothing of another value."""
        assert [True, True] == [store.use(NAME), store.use(OTHER)]

    def test_of_many_uses_at_once_one_is_the_first(self, store: Driven) -> None:
        """Nobody comes between looking and remembering."""
        assert 1 == sum(store.use_at_once(NAME, 30))


class TestNames:
    def test_a_name_tells_purposes_and_parts_apart(self) -> None:
        """However texts are cut into parts, no two lists of them have one name."""
        names = {
            once_name("a", "b", "c"),
            once_name("a", "bc"),
            once_name("ab", "c"),
            once_name("a", "", "bc"),
            once_name("a", "b", "c", ""),
        }

        assert 5 == len(names)
        assert {32} == set(map(len, names))


class TestMemory:
    def test_it_forgets_when_the_time_is_over(self, open_replays: Callable[..., Driven]) -> None:
        """A value is remembered for as long as it could be used, and no longer."""
        clock = ManualClock()
        store = open_replays(MemoryReplays(), clock)
        store.use(NAME, 60.0)

        clock.advance(59.9)
        assert not store.use(NAME, 60.0)
        clock.advance(0.1)
        assert store.use(NAME, 60.0)

    def test_it_refuses_what_it_could_not_remember(self, open_replays: Callable[..., Driven]) -> None:
        """At its bound it forgets nothing that counts: requests are answered 503 until there is room."""
        clock = ManualClock()
        store = open_replays(MemoryReplays(limit=1), clock)
        store.use(NAME, 60.0)

        with pytest.raises(ReplaysUnavailable, match="1 used values"):
            store.use(OTHER)
        assert not store.use(NAME)
        clock.advance(60.0)
        assert store.use(OTHER)

    def test_a_forked_child_has_what_the_parent_used(self) -> None:
        """A lock that a thread of the parent holds stops nobody in the child (Law 9.5)."""
        store = MemoryReplayStore()
        store.use(NAME, 60.0)
        with store._lock:
            child = os.fork()
            if child == 0:
                os._exit(0 if (not store.use(NAME, 60.0) and store.use(OTHER, 60.0)) else 1)
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)


class TestRedis:
    def test_processes_share_it(
        self, open_replays: Callable[..., Driven], valkey_url: str, prefix: str
    ) -> None:
        """What one gate took, no other takes."""
        one, two = (open_replays(RedisReplays(valkey_url, prefix=prefix)) for _ in range(2))

        assert [True, False] == [one.use(NAME), two.use(NAME)]

    def test_the_server_forgets_by_itself(
        self, open_replays: Callable[..., Driven], valkey_url: str, prefix: str
    ) -> None:
        """Nothing stays longer than it could be used, and no value itself is written."""
        open_replays(RedisReplays(valkey_url, prefix=prefix)).use(NAME, 60.0)

        client: Any = redis.Redis.from_url(valkey_url)
        with client:
            (key,) = client.keys(f"{prefix}:*")
            assert f"{prefix}:used:{NAME.hex()}".encode() == key
            assert 59_000 < client.pttl(key) <= 60_000

    def test_a_server_that_is_gone_is_an_outage(self, open_replays: Callable[..., Driven]) -> None:
        """Neither a yes nor a no; after five the breaker answers, and an operator is told (Laws 1.5, 5.5)."""
        notices: list[Notice] = []
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            store = open_replays(
                RedisReplays(f"redis://127.0.0.1:{closed.getsockname()[1]}"), notice=notices.append
            )
            reasons = []
            for _ in range(6):
                with pytest.raises(ReplaysUnavailable) as caught:
                    store.use(NAME)
                reasons.append(caught.value.reason)

        assert "does not answer" in reasons[0]
        assert "until a probe succeeds" in reasons[5]
        assert ["replays_breaker_open"] == [notice.code for notice in notices]

    def test_it_is_asked_again_when_it_answers(
        self, open_replays: Callable[..., Driven], start_valkey: Callable[..., Any]
    ) -> None:
        """A probe of no request finds out."""
        server, notices = start_valkey(), list[Notice]()
        store = open_replays(RedisReplays(server.url), notice=notices.append)
        server.freeze()
        for _ in range(5):
            with pytest.raises(ReplaysUnavailable):
                store.use(NAME)
        server.thaw()
        patience = 200
        while "replays_breaker_closed" not in [notice.code for notice in notices]:
            patience -= 1
            assert patience, "the probe found nobody"
            store.wait(0.1)

        assert store.use(OTHER)

    @pytest.mark.parametrize(
        ("replies", "says"),
        [
            ([None, None], "does not keep"),
            ([ResponseError("OOM"), None], "OOM"),
            ([b"OK", ResponseError("NOPERM")], "NOPERM"),
            ([b"OK", 7], "no mark"),
        ],
    )
    def test_replies_that_prove_nothing_are_an_outage(self, replies: list[object], says: str) -> None:
        """Whatever a server that cannot write, or lies, says."""
        with pytest.raises(ReplaysUnavailable, match=says):
            _is_first(replies, b"mark")

    def test_who_asks_again_is_the_first_still(self) -> None:
        """Where an exchange is tried once more after it was carried out, one's own mark is no other's use."""
        mark = b"0123456789abcdef"
        (_, _, written, *_), _ = _claim("p", NAME, 60.0, mark)

        assert isinstance(written, str)
        assert _is_first([None, written.encode()], mark)
        assert _is_first([None, written], mark)  # of a client that decodes
        assert not _is_first([None, b"another"], mark)


class TestSettings:
    @pytest.mark.parametrize(
        ("replays", "says"),
        [
            (MemoryReplays(limit=0), "limit: write a positive"),
            (MemoryReplays(limit=True), "limit: write a positive"),
            (RedisReplays("http://here"), "begins with redis://"),
            (RedisReplays("redis://localhost", prefix="a b"), "prefix: write"),
            (RedisReplays(7), "RedisReplays got a int"),
            (RedisReplays(redis.Redis()), "socket_timeout"),
            ("redis://localhost", "is a text; give RedisReplays(url)"),
            (7, "has no method use"),
        ],
    )
    def test_what_is_wrong_is_said_when_the_gate_is_built(self, replays: Any, says: str) -> None:
        """By the name of the setting (Law 1.6)."""
        config = ag.GateConfig(projects=PROJECTS, replays=replays)

        found = [problem for problem in config.problems("sync") if problem.startswith("replays: ")]

        assert says in "\n".join(found)

    def test_a_store_of_the_application_is_of_the_colour_of_the_gate(self) -> None:
        """Law 9.4."""
        config = ag.GateConfig(projects=PROJECTS, replays=AsyncMemoryReplayStore())

        assert [] == [problem for problem in config.problems("async") if "replays" in problem]
        assert ["replays"] == [problem.partition(":")[0] for problem in config.problems("sync")]

    @pytest.mark.parametrize("kind", [RedisReplayStore, AsyncRedisReplayStore])
    def test_a_store_is_not_made_of_a_wrong_specification(self, kind: Any) -> None:
        """Nobody opens what was not looked at."""
        with pytest.raises(ag.ConfigurationError, match="begins with redis://"):
            kind(RedisReplays("http://here"), SystemClock(), print)

    def test_a_password_is_not_shown(self) -> None:
        """Law 2.5."""
        assert "RedisReplays('redis://:***@host/0', prefix='authgate')" == repr(
            RedisReplays("redis://:secret@host/0")
        )

    def test_a_gate_closes_what_it_opened_and_nothing_else(self, valkey_url: str) -> None:
        """A store that was handed in is its owner's."""

        class Handed(MemoryReplayStore):
            def close(self) -> None:
                raise AssertionError("not the gate's to close")

        config = ag.GateConfig(projects=PROJECTS, replays=Handed())
        with ag.Gate(config):
            pass
        with ag.Gate(ag.GateConfig(projects=PROJECTS, replays=RedisReplays(valkey_url))) as gate:
            assert gate._replays.use(os.urandom(32), 1.0)
