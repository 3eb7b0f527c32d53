"""Law 5.11 as a whole: four processes, ten thousand revocations, and everything that may happen to a feed meanwhile."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.io.redis import RedisStore
from authgate_core.io.redis.protocol import Limits
from authgate_core.principal import Revocation
from authgate_core.revocation import RedisRevocation
from authgate_core.testing import FakeIssuer
from tests.support.feeding import Board, Seen
from tests.support.gates import Face, face, trusted

OpenAny = Callable[..., Any]
PATIENT = Limits(connect=10.0, reply=10.0, total=20.0)
ROOT = Path(__file__).parents[3]
COUNT = 10_000
BATCH = 100
SEED = 511
LIMITS = (COUNT + 1, COUNT + 1, COUNT + 1, COUNT // 3)
"""How many entries each process may hold: one of them too few."""


class Torment:
    """Revokes, and does to the feed what may happen to one, at random but every time the same.

    Args:
        server: The server.
        prefix: Of the keys.
        board: Where confirmations are told.
    """

    def __init__(self, server: Any, prefix: str, board: Board) -> None:
        self.happened: Counter[str] = Counter()
        self._server = server
        self._client = server.client()
        self._feed = f"{prefix}:feed"
        self.board = board
        spec = RedisRevocation(server.url, prefix=prefix)
        self._store = RedisStore(spec, notice=lambda _: None, limits=PATIENT)
        self._store.warm_up()
        self._random = random.Random(SEED)
        self._cut: dict[int, float] = {}

    def users(self) -> list[str]:
        """The URL of each process, which has a user of its own so that it can be cut off from the feed alone."""
        for number in range(len(LIMITS)):
            self._client.execute_command("ACL", "SETUSER", f"p{number}", "on", ">pw", "~*", "+@all")
        return [f"redis://p{number}:pw@127.0.0.1:{self._server.port}" for number in range(len(LIMITS))]

    def revoke_all(self) -> None:
        """Ten thousand revocations, with something happening between them."""
        kinds = [self.cut, self.disconnect, self.poison, self.delete, self.trim_while_cut, self.freeze]
        starts = self._random.sample(range(0, COUNT, BATCH), 3 * len(kinds))
        happens = dict(zip(starts, 3 * kinds, strict=True))
        for start in range(0, COUNT, BATCH):
            self._mend()
            self.revoke(range(start, start + BATCH))
            happens.get(start, self.rest)()
            if start == COUNT // 4:
                self.flush(start + BATCH)
        self._mend(at_once=True)

    def revoke(self, numbers: range) -> None:
        """Revoke these, and say when that was confirmed."""
        self._write(numbers)
        for number in numbers:
            self.board.confirm(number)

    def _write(self, numbers: range) -> None:
        """In one pipeline what ``RedisStore.revoke`` would do one by one."""
        talks = [self._store._parts.keeper.write(entry(number)) for number in numbers]
        going = [(talk, next(talk)) for talk in talks]
        while going:
            query = tuple(command for _, commands in going for command in commands)
            replies = iter(self._store._wire.exchange(query, time.monotonic() + 30))
            answered = [(talk, [next(replies) for _ in commands]) for talk, commands in going]
            going = []
            for talk, answer in answered:
                with contextlib.suppress(StopIteration):
                    going.append((talk, talk.send(answer)))

    # What happens to the feed.

    def cut(self) -> None:
        """One process cannot read the feed for a while, though everything else."""
        number = self._random.randrange(len(LIMITS))
        self._client.execute_command("ACL", "SETUSER", f"p{number}", "-xread")
        self._cut[number] = time.monotonic() + self._random.uniform(0.1, 1.8)
        self.happened["cut"] += 1

    def disconnect(self) -> None:
        """Every connection is closed."""
        self._client.execute_command("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
        self.happened["disconnected"] += 1

    def poison(self) -> None:
        """An entry that is none."""
        self._client.xadd(self._feed, {"tag": "t", "mark": "[]"})
        self.happened["poison"] += 1

    def delete(self) -> None:
        """The feed is gone, and with it what was not read yet."""
        self._client.delete(self._feed)
        self.happened["deleted"] += 1

    def trim_while_cut(self) -> None:
        """A process comes back to a feed that holds the next entry no longer."""
        self.cut()
        self._client.xtrim(self._feed, maxlen=0, approximate=False)
        self.happened["trimmed"] += 1

    def rest(self) -> None:
        """Nothing, for a moment."""
        time.sleep(self._random.uniform(0.0, 0.1))

    def freeze(self) -> None:
        """The server hangs."""
        self._server.freeze()
        time.sleep(self._random.uniform(0.3, 1.5))
        self._server.thaw()
        self.happened["frozen"] += 1

    def flush(self, written: int) -> None:
        """Everything is lost; an operator writes it again and says so to every process."""
        self._client.flushall()
        for start in range(0, written, 500):
            self._write(range(start, min(start + 500, written)))
        self._store.reload()
        self.board.reload()
        self.happened["flushed"] += 1

    def _mend(self, *, at_once: bool = False) -> None:
        for number, until in list(self._cut.items()):
            if at_once or time.monotonic() >= until:
                self._client.execute_command("ACL", "SETUSER", f"p{number}", "+xread")
                del self._cut[number]

    def feed_length(self) -> int:
        """How many entries the server keeps of the feed."""
        return int(self._client.xlen(self._feed))

    def close(self) -> None:
        """Let go of the server."""
        self._store.close()


def entry(number: int) -> Revocation:
    """What revokes the token of this number."""
    return Revocation("token", "main", "t1", f"j{number}", expires_at=time.time() + 3600)


@pytest.fixture
def torment(start_valkey: OpenAny, tmp_path: Path) -> Iterator[Torment]:
    """A server of its own, and what happens to it."""
    torment = Torment(start_valkey(), "law", Board(tmp_path / "board", COUNT))
    yield torment
    torment.close()


@pytest.fixture
def seen(torment: Torment, tmp_path: Path) -> Iterator[Callable[[], list[Seen]]]:
    """Four processes that follow; calling it ends them and answers what each of them saw."""
    programs: list[subprocess.Popen[str]] = []

    def told() -> list[Seen]:
        return [Seen(**json.loads(program.communicate(timeout=120)[0])) for program in programs]

    try:
        for url, limit in zip(torment.users(), LIMITS, strict=True):
            what = [url, "law", str(limit), str(tmp_path / "board"), str(COUNT)]
            command = [sys.executable, "-m", "tests.support.feeding", *what]
            programs.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        for program in programs:
            assert program.stdout is not None
            assert "ready\n" == program.stdout.readline()
        yield told
    finally:
        for program in programs:
            program.kill()
            program.communicate()


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="make")
def _make(colour: str, fake: FakeIssuer) -> Iterator[Callable[..., Face]]:
    """Makes gates of one colour, each with what it tells."""
    made: list[Face] = []

    def make(events: list[Decided | Notice], *sources: ag.RedisRevocation) -> Face:
        config = ag.GateConfig(issuers=[trusted(fake)], revocation=sources, on_event=events.append)
        made.append(face(colour, config))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def wait_until(reached: Callable[[], bool]) -> None:
    """Wait for a condition, at most twenty seconds."""
    patience = time.monotonic() + 20.0
    while not reached():
        assert time.monotonic() < patience, "waited twenty seconds in vain"
        time.sleep(0.02)


def feed_of(gate: Face) -> str:
    """How the feed of a gate's last source is."""
    feed = gate.gate.health().revocation[-1].feed
    assert feed is not None
    return feed.status


def is_admitted(gate: Face, token: str) -> bool:
    """Whether a token is admitted; False where it is revoked."""
    try:
        gate.verify_token(token)
    except ag.TokenRevoked:
        return False
    return True


class TestGate:
    """Law 5.11 through a gate, in both colours."""

    def test_a_warm_gate_asks_nobody(
        self, make: Callable[..., Face], fake: FakeIssuer, valkey_url: str, prefix: str
    ) -> None:
        """Law 5.1: revocation is checked all the same, and what another gate revokes is refused here."""
        events: list[Decided | Notice] = []
        here = make(events, ag.RedisRevocation(valkey_url, prefix=prefix, feed=True))
        there = make([], ag.RedisRevocation(valkey_url, prefix=prefix))
        token, other = fake.token("u1"), fake.token("u2")
        here.warm_up(5.0)
        wait_until(lambda: "live" == feed_of(here))
        assert is_admitted(here, token)
        assert [True] == [event.cached for event in events if isinstance(event, Decided)]

        there.revoke("revoke_token", token)

        wait_until(lambda: not is_admitted(here, token))
        assert is_admitted(here, other)

    def test_who_revokes_sees_it_at_once(
        self, make: Callable[..., Face], fake: FakeIssuer, valkey_url: str, prefix: str
    ) -> None:
        """Law 5.6: in the gate that revoked, the next request is refused."""
        gate = make([], ag.RedisRevocation(valkey_url, prefix=prefix, feed=True))
        gate.warm_up(5.0)
        wait_until(lambda: "live" == feed_of(gate))
        for number in range(3):
            token = fake.token(f"u{number}")
            assert is_admitted(gate, token)
            gate.revoke("revoke_token", token)
            assert not is_admitted(gate, token)

    def test_a_layout_of_others_beside_it_is_asked(
        self, make: Callable[..., Face], fake: FakeIssuer, own_valkey: Any
    ) -> None:
        """Law 5.11: presets have no feed: Mercury's entries hold at the very next request."""
        events: list[Decided | Notice] = []
        sources = (
            ag.RedisRevocation(own_valkey.url, layout="mercury"),
            ag.RedisRevocation(own_valkey.url, feed=True),
        )
        gate = make(events, *sources)
        gate.warm_up(5.0)
        wait_until(lambda: "live" == feed_of(gate))
        token = fake.token("u1", jti="j-1")
        assert is_admitted(gate, token)
        assert [False] == [event.cached for event in events if isinstance(event, Decided)]
        own_valkey.client().set("revoked_token:j-1", "1")
        assert not is_admitted(gate, token)


class TestFourProcesses:
    def test_none_of_ten_thousand_is_missed(self, torment: Torment, seen: Callable[[], list[Seen]]) -> None:
        """Law 5.11: a second after it was confirmed, nothing that was revoked passes anywhere, whatever happens."""
        torment.revoke_all()
        torment.board.end()
        told = seen()

        kinds = {"cut", "disconnected", "poison", "deleted", "trimmed", "frozen", "flushed"}
        assert kinds == set(torment.happened)
        assert [[]] * 4 == [one.missed for one in told]
        lags = sorted(lag for one in told for lag in one.lags)
        assert lags[len(lags) * 99 // 100] < 1.0
        assert ["live", "live", "live", "full"] == [one.ended_as for one in told]
        assert all(one.copied > COUNT for one in told[:3]), "the last look alone is so many"
        assert told[3].copied > 0
        assert all(one.entries <= limit + 1 for one, limit in zip(told, LIMITS, strict=True))
        assert torment.feed_length() <= 10_000 + 2 * BATCH
