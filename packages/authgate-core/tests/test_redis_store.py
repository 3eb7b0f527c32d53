"""Revocations in a real Valkey, in both colours: what is asked, what is written, who may."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from authgate_core.clock import SystemClock
from authgate_core.errors import ConfigurationError, RevocationUnavailable
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.protocol import Limits
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.revocation import (
    RedisRevocation,
    Subject,
    cut_off_entry,
    secret_version_entry,
    subject_of,
    token_entry,
)
from authgate_core.testing.contracts import (
    AsyncRevocationOutageContract,
    AsyncRevocationStoreContract,
    OpenStore,
    RevocationOutageContract,
    RevocationStoreContract,
)

OpenAny = Callable[..., Any]
PATIENT = Limits(connect=10.0, reply=10.0, total=20.0)
NOBODY = "redis://127.0.0.1:1"


def token(name: str = "jti-1") -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("main", "t1", name, True, "s1", "u1", "c1", now - 60, None, now + 600, "k1")


def revoking(ref: TokenRef) -> Revocation:
    """The entry that revokes such a token."""
    return token_entry(
        ref.issuer,
        ref.tenant,
        ref.name,
        expires_at=ref.expires_at,
        max_lifetime=None,
        now=SystemClock().now(),
    )


class TestPortContract(RevocationStoreContract):
    @pytest.fixture
    def store(self, valkey_url: str, prefix: str) -> Iterator[RedisStore]:
        store = RedisStore(RedisRevocation(valkey_url, prefix=prefix), notice=print, limits=PATIENT)
        yield store
        store.close()


class TestAsyncPortContract(AsyncRevocationStoreContract):
    @pytest.fixture
    def open_store(self, valkey_url: str, prefix: str) -> OpenStore:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisStore]:
            store = AsyncRedisStore(RedisRevocation(valkey_url, prefix=prefix), notice=print, limits=PATIENT)
            yield store
            await store.aclose()

        return opened


class TestOutageContract(RevocationOutageContract):
    @pytest.fixture
    def store(self) -> RedisStore:
        return RedisStore(RedisRevocation(NOBODY), notice=print, limits=PATIENT)


class TestAsyncOutageContract(AsyncRevocationOutageContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisStore]:
            yield AsyncRedisStore(RedisRevocation(NOBODY), notice=print, limits=PATIENT)

        return opened


class TestAsking:
    def test_every_request_asks(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 5.1: what another process wrote a moment ago counts at once; nothing is known without asking."""
        here, there = open_store(valkey_url), open_store(valkey_url)
        assert "ask" == here.store.known(token())
        assert here.is_revoked(token()) is False
        there.revoke(revoking(token()))
        assert here.is_revoked(token()) is True

    def test_one_round_trip(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.12: one write, one reply: the server sees role, entries and epoch asked in one go."""
        store = open_store(own_valkey.url)
        store.is_revoked(token())
        before = own_valkey.client().info("stats")["total_reads_processed"]
        for _ in range(20):
            store.is_revoked(token())
        spent = own_valkey.client().info("stats")["total_reads_processed"] - before
        assert 20 <= spent <= 25

    def test_a_credential_that_comes_again(
        self, open_store: OpenAny, valkey_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 5.1: the names of its keys are remembered, and nothing that the server said of them."""
        store, ref = open_store(valkey_url), token()
        assert not store.is_revoked(ref)
        with monkeypatch.context() as patched:
            patched.setattr(Subject, "digest", None)
            assert not store.is_revoked(ref)

        store.revoke(revoking(ref))

        assert store.is_revoked(ref)
        assert not store.is_revoked(token("jti-2"))

    def test_keys_hold_no_text_of_callers(self, open_store: OpenAny, valkey_url: str, prefix: str) -> None:
        """Laws 5.9 and 5.12: keys are digests behind a prefix and the group in braces, and those of the feed."""
        open_store(valkey_url).revoke(revoking(token("evil\r\nFLUSHALL*{x}")))
        with redis.Redis.from_url(valkey_url) as client:
            keys = sorted(key.decode() for key in client.scan_iter(f"{prefix}*", count=1000))
        subject = subject_of(revoking(token("evil\r\nFLUSHALL*{x}")))
        entry = f"{prefix}:{{{subject.group()}}}:{subject.digest()}"
        assert sorted([f"{prefix}:epoch", f"{prefix}:feed", f"{prefix}:feed:head", entry]) == keys

    def test_a_closed_store_may_be_used_again(self, open_store: OpenAny, valkey_url: str) -> None:
        """Closing lets go of connections; a gate that is used after it was closed answers on."""
        store = open_store(valkey_url)
        store.is_revoked(token())
        store.close_early()
        assert store.is_revoked(token()) is False

    @pytest.mark.parametrize("address", ["redis://127.0.0.1:{port}/3", "unix://{socket}?db=3"])
    def test_addresses(
        self, open_store: OpenAny, start_valkey: OpenAny, tmp_path: Path, address: str
    ) -> None:
        """A database other than 0, and a unix socket, are reached as well."""
        server = start_valkey(unixsocket=str(tmp_path / "s"))
        url = address.format(port=server.port, socket=tmp_path / "s")
        store = open_store(url)
        store.revoke(revoking(token()))
        assert store.is_revoked(token()) is True
        assert 4 == server.client().info("keyspace")["db3"]["keys"]

    def test_shown_without_the_password(self, open_store: OpenAny) -> None:
        """Law 2.5: repr masks what the URL holds."""
        shown = repr(open_store("redis://user:hunter2@127.0.0.1:1").store)
        assert "RedisRevocation('redis://user:***@127.0.0.1:1'" in shown
        assert "hunter2" not in shown

    def test_problems_are_said_when_built(self, open_store: OpenAny) -> None:
        """Law 1.6: a store is not built of a specification with problems."""
        with pytest.raises(ConfigurationError, match="begins with redis://"):
            open_store("http://localhost")


class TestWriting:
    def test_lifetimes(self, open_store: OpenAny, valkey_url: str, prefix: str) -> None:
        """Law 5.8: an entry leaves by itself, and a shorter later one does not shorten it."""
        store = open_store(valkey_url)
        ref, now = token(), SystemClock().now()
        store.revoke(revoking(ref))
        store.revoke(replace(revoking(ref), expires_at=now.wall + 301))
        store.revoke(secret_version_entry("p", 3))
        with redis.Redis.from_url(valkey_url) as client:
            lives = {key: client.ttl(key) for key in client.scan_iter(f"{prefix}:{{*", count=1000)}
        assert 719 <= max(lives.values()) <= 720
        assert -1 == min(lives.values())

    def test_an_entry_that_is_over_is_not_written(self, open_store: OpenAny, valkey_url: str) -> None:
        """An entry that may be forgotten already has nothing left to refuse."""
        store = open_store(valkey_url)
        store.revoke(replace(revoking(token()), expires_at=time.time() - 1))
        assert store.is_revoked(token()) is False

    def test_a_future_cut_off_is_refused(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 5.7: refused when written, before the store is asked anything."""
        entry = Revocation("subject", "main", "t1", "u1", before=time.time() + 60)
        with pytest.raises(ValueError, match="in the future"):
            open_store(valkey_url).revoke(entry)

    def test_no_cut_off_is_lost_when_many_write_at_once(
        self, open_store: OpenAny, valkey_url: str, prefix: str
    ) -> None:
        """Law 5.7: a later cut-off never lowers an earlier one, whatever the order of arrival."""
        now = SystemClock().now()
        entries = [
            cut_off_entry("main", "t1", subject="u1", before=now.wall - back, max_lifetime=None, now=now)
            for back in (500, 10, 300, 90, 200, 700)
        ]
        stores = [
            RedisStore(RedisRevocation(valkey_url, prefix=prefix), notice=print, limits=PATIENT)
            for _ in entries
        ]
        threads = [
            threading.Thread(target=store.revoke, args=(entry,))
            for store, entry in zip(stores, entries, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store = open_store(valkey_url)
        assert store.is_revoked(replace(token(), issued_at=now.wall - 11)) is True
        assert store.is_revoked(replace(token(), issued_at=math.floor(now.wall - 10) + 1)) is False
        for each in stores:
            each.close()

    def test_writers_that_never_stop(
        self, open_store: OpenAny, valkey_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 5.6: what could not be written for certain raises."""
        monkeypatch.setattr("authgate_core.io.redis.keeper.swap", lambda *_: ("EVAL", "return 0", 0))
        with pytest.raises(RevocationUnavailable, match="nothing was written"):
            open_store(valkey_url).revoke(revoking(token()))

    def test_a_secret_version(self, open_store: OpenAny, valkey_url: str) -> None:
        """Law 6.4: versions below the required one are revoked, and the requirement never goes down."""
        store = open_store(valkey_url)
        store.revoke(secret_version_entry("p1", 5))
        store.revoke(secret_version_entry("p1", 3))
        assert store.is_revoked(ProjectRef("p1", 4)) is True
        assert store.is_revoked(ProjectRef("p1", 5)) is False
        assert store.is_revoked(ProjectRef("p2", 1)) is False


class TestPermissions:
    @pytest.fixture
    def server(self, start_valkey: OpenAny) -> Any:
        server = start_valkey()
        client = server.client()
        client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~test-*", "+get", "+mget", "+exists")
        return server

    def url(self, server: Any, user: str = "reader", password: str = "pw") -> str:
        return f"redis://{user}:{password}@127.0.0.1:{server.port}"

    def test_reading_is_enough_for_checking(self, open_store: OpenAny, server: Any) -> None:
        """Law 5.10: a gate that only checks needs read permission only, once the store has an epoch."""
        open_store(server.url).revoke(revoking(token()))
        reader = open_store(self.url(server))
        assert reader.is_revoked(token()) is True
        assert reader.is_revoked(token("another")) is False
        assert reader.health().eviction_policy is None

    def test_a_reader_cannot_begin_a_store(self, open_store: OpenAny, server: Any) -> None:
        """Law 5.10: without an epoch nothing can be answered, and a reader may not write one."""
        with pytest.raises(RevocationUnavailable, match="may not write one"):
            open_store(self.url(server)).is_revoked(token())

    def test_a_reader_cannot_revoke(self, open_store: OpenAny, server: Any) -> None:
        """Law 5.6: what is not written raises."""
        open_store(server.url).warm_up()
        with pytest.raises(RevocationUnavailable, match="no permissions"):
            open_store(self.url(server)).revoke(revoking(token()))

    @pytest.mark.parametrize(
        ("user", "password"), [("reader", "wrong"), ("nobody", "pw")], ids=["password", "user"]
    )
    def test_a_wrong_login(self, open_store: OpenAny, server: Any, user: str, password: str) -> None:
        """Laws 1.5 and 2.5: an outage that says why, but not with which password."""
        store = open_store(self.url(server, user, password))
        with pytest.raises(RevocationUnavailable, match="AuthenticationError") as caught:
            store.is_revoked(token())
        assert password not in str(caught.value).replace("password pair", "")

    def test_a_login_that_is_missing(self, open_store: OpenAny, server: Any) -> None:
        """Law 1.5: a server that asks for a password answers nothing without one."""
        server.client().config_set("requirepass", "pw")
        with pytest.raises(RevocationUnavailable, match="AuthenticationError"):
            open_store(server.url).is_revoked(token())


class TestEviction:
    @pytest.mark.parametrize(
        ("policy", "codes"), [("allkeys-lru", ["revocation_eviction"]), ("noeviction", [])]
    )
    def test_a_policy_that_evicts_is_said(
        self, open_store: OpenAny, own_valkey: Any, policy: str, codes: list[str]
    ) -> None:
        """Law 5.10: a start-up warning and a health state, said once."""
        own_valkey.client().config_set("maxmemory-policy", policy)
        store = open_store(own_valkey.url)
        store.warm_up()
        store.is_revoked(token())
        assert codes == store.codes
        assert policy == store.health().eviction_policy
        assert bool(codes) == store.health().evicts


class TestManyAtOnce:
    def test_fifty_threads(self, valkey_url: str, prefix: str) -> None:
        """Law 4.11, for this store: fifty threads share it, and each is answered."""
        store = RedisStore(RedisRevocation(valkey_url, prefix=prefix), notice=print, limits=PATIENT)
        store.revoke(revoking(token()))
        answers: list[bool] = []

        def ask(number: int) -> None:
            for _ in range(10):
                answers.append(store.is_revoked(token("jti-1" if number % 2 else "other")))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
        assert (250, 250) == (answers.count(True), answers.count(False))

    def test_five_hundred_tasks(self, valkey_url: str, prefix: str) -> None:
        """A burst on one loop is answered over a bounded number of connections."""

        async def burst() -> tuple[list[bool], int]:
            store = AsyncRedisStore(RedisRevocation(valkey_url, prefix=prefix), notice=print, limits=PATIENT)
            answers = await asyncio.gather(*(store.is_revoked(token()) for _ in range(500)))
            (here,) = store._loops.values()
            connections = len(here.wire._idle)  # type: ignore[attr-defined]
            await store.aclose()
            return answers, connections

        answers, connections = asyncio.run(burst())
        assert [False] * 500 == answers
        assert 1 <= connections <= 5
