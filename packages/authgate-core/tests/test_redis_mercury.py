"""Mercury's layout in a real Valkey, in both colours: what is read, what never passes, and that nothing is written."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.clock import SystemClock
from authgate_core.errors import ConfigurationError, RevocationUnavailable
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.mercury import MercuryKeeper, read_version
from authgate_core.io.redis.protocol import LIMITS
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.revocation import RedisRevocation
from authgate_core.testing import ManualClock
from authgate_core.testing.contracts import (
    AsyncRevocationOutageContract,
    OpenStore,
    RevocationOutageContract,
)
from authgate_core.testing.contracts.rows import entry_for_example

OpenAny = Callable[..., Any]
NOBODY = "redis://127.0.0.1:1"
PROJECT = "7e0dbd5c-0c3f-4f52-9a8e-1f6d7a1d6a3c"
VERSION = f"project_secret_version:{PROJECT}"


def token(name: str = "jti-1", *, has_jti: bool = True) -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("main", "t1", name, has_jti, "s1", "u1", "c1", now - 60, None, now + 600, "k1")


def project(version: int = 1, token_id: str | None = None) -> ProjectRef:
    """Project credentials: a project token where it has an id."""
    return ProjectRef(PROJECT, version, token_id)


def fails(store: Any, ref: TokenRef | ProjectRef, match: str | None = None) -> None:
    """Ask in vain."""
    with pytest.raises(RevocationUnavailable, match=match):
        store.is_revoked(ref)


@pytest.fixture
def open_mercury(open_store: OpenAny) -> OpenAny:
    """Opens stores in Mercury's layout, which has no prefix that could be set."""
    return partial(open_store, layout="mercury", prefix="authgate")


@pytest.fixture
def client(own_valkey: Any) -> Any:
    """Mercury's own way to the server."""
    return own_valkey.client()


class TestTokens:
    def test_a_key_refuses_from_the_next_request_on(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any
    ) -> None:
        """Law 5.1: that it is there is what counts, and nothing is known without asking."""
        store = open_mercury(own_valkey.url)
        assert "ask" == store.store.known(token())
        assert store.is_revoked(token()) is False
        client.set("revoked_token:jti-1", "")
        assert store.is_revoked(token()) is True
        assert store.is_revoked(token("jti-2")) is False
        client.delete("revoked_token:jti-1")
        assert store.is_revoked(token()) is False

    @pytest.mark.parametrize("kind", ["set", "rpush", "sadd"])
    def test_whatever_the_key_holds(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any, kind: str
    ) -> None:
        """Law 5.3: a value that nobody expected takes no refusal away."""
        getattr(client, kind)("revoked_token:jti-1", b"\xff\x00")
        assert open_mercury(own_valkey.url).is_revoked(token()) is True

    @pytest.mark.parametrize(
        "ref",
        [
            token("a b"),
            token("x" * 256),
            token("{jti}"),
            token("jti\r\nFLUSHALL"),
            token(""),
            token("7" * 64, has_jti=False),
            project(token_id="*"),
            project(token_id=""),
        ],
        ids=["blank", "long", "braces", "lines", "empty", "no jti", "a token's star", "a token's nothing"],
    )
    def test_what_fits_in_no_key(self, open_mercury: OpenAny, ref: TokenRef | ProjectRef) -> None:
        """Law 5.9: nobody could have listed it, so it is refused, and no server is asked about such a text."""
        for on_error in ("deny", "allow"):
            store = open_mercury(NOBODY, on_error=on_error)
            assert "revoked" == store.store.known(ref)
            assert store.is_revoked(ref) is True
            assert "unknown" == store.health().status


class TestProjects:
    @pytest.mark.parametrize(
        ("required", "presented", "revoked"),
        [
            (None, 0, False),
            (0, 0, False),
            (1, 0, True),
            (5, 4, True),
            (5, 5, False),
            (5, 6, False),
            (2**63 - 1, 2**53, True),
        ],
    )
    def test_secret_versions(
        self,
        open_mercury: OpenAny,
        own_valkey: Any,
        client: Any,
        required: int | None,
        presented: int,
        revoked: bool,
    ) -> None:
        """Law 6.4: one below what is required is revoked; where nothing is written, nothing is required."""
        if required is not None:
            client.set(VERSION, required)
        assert open_mercury(own_valkey.url).is_revoked(project(presented)) is revoked

    def test_of_another_project(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """A version is required of the project that it was written for."""
        client.set(VERSION, 5)
        assert open_mercury(own_valkey.url).is_revoked(ProjectRef("shop", 1)) is False

    def test_an_id_of_a_directory_of_ones_own(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any
    ) -> None:
        """What a directory calls its project is no text of a caller, and is asked about as it is."""
        client.set("project_secret_version:Nightly {reports}", 2)
        store = open_mercury(own_valkey.url)
        assert [True, False] == [store.is_revoked(ProjectRef("Nightly {reports}", n)) for n in (1, 2)]

    def test_a_project_token_has_to_be_there(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any
    ) -> None:
        """Law 5.3: existence is required of a token, and only of a token."""
        store = open_mercury(own_valkey.url)
        assert store.is_revoked(project(token_id="t-1")) is True
        client.set("project_token:t-1", "{}")
        assert store.is_revoked(project(token_id="t-1")) is False
        assert store.is_revoked(project(token_id="t-2")) is True
        assert store.is_revoked(project()) is False
        client.set(VERSION, 2)
        assert store.is_revoked(project(token_id="t-1")) is True
        client.delete("project_token:t-1", VERSION)
        assert store.is_revoked(project(token_id="t-1")) is True


class TestOnTheWire:
    @pytest.mark.parametrize(
        ("ref", "commands"),
        [
            (token(), ["EXISTS revoked_token:jti-1"]),
            (project(), [f"GET {VERSION}"]),
            (project(token_id="t-1"), [f"GET {VERSION}", "EXISTS project_token:t-1"]),
        ],
        ids=["token", "project", "project token"],
    )
    def test_what_is_asked(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any, ref: Any, commands: list[str]
    ) -> None:
        """Laws 5.9 and 7.5: these keys and no other; what Mercury's clients cached there is never looked at."""
        store = open_mercury(own_valkey.url)
        store.is_revoked(ref)
        client.ping()
        with own_valkey.client().monitor() as monitor:
            store.is_revoked(ref)
            client.execute_command("ECHO", "over")
            seen: list[str] = []
            while not seen or seen[-1] != "ECHO over":
                seen.append(monitor.next_command()["command"])
        assert ["HELLO", *commands, "ECHO over"] == seen

    @pytest.mark.parametrize("ref", [token(), project(token_id="t-1")], ids=["token", "project token"])
    def test_one_round_trip(self, open_mercury: OpenAny, own_valkey: Any, client: Any, ref: Any) -> None:
        """Law 5.12: one write and one reply for each check, whatever is asked about."""
        store = open_mercury(own_valkey.url)
        store.is_revoked(ref)
        before = client.info("stats")["total_reads_processed"]
        for _ in range(20):
            store.is_revoked(ref)
        spent = client.info("stats")["total_reads_processed"] - before
        assert 20 <= spent <= 25

    def test_nothing_is_written(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """Read-only: after a life of checks, looks and reloads the server is as empty as it was."""
        store = open_mercury(own_valkey.url)
        store.warm_up()
        store.is_revoked(token())
        store.is_revoked(project(token_id="t-1"))
        store.reload()
        with pytest.raises(ConfigurationError, match="Mercury's layout is read-only"):
            store.revoke(entry_for_example("token"))
        assert 0 == client.dbsize()

    def test_it_may_read_and_no_more(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.10: permission for two commands on three kinds of keys is enough, and the policy unknown then."""
        keys = ("~revoked_token:*", "~project_secret_version:*", "~project_token:*")
        client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", *keys, "+get", "+exists")
        client.set("project_token:t-1", "{}")
        store = open_mercury(f"redis://reader:pw@127.0.0.1:{own_valkey.port}")
        store.warm_up()
        assert store.is_revoked(token()) is False
        assert store.is_revoked(project(token_id="t-1")) is False
        assert store.health().eviction_policy is None
        assert "ok" == store.health().status


class TestGarbage:
    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"x",
            b"-1",
            b"+1",
            b"1.0",
            b" 1",
            b"1\n",
            b"007",
            b"1e3",
            b"0x1",
            b"9" * 20,
            b"\xff\xfe",
            "\u0661".encode(),
        ],
    )
    def test_a_version_that_is_no_number(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any, value: bytes
    ) -> None:
        """Law 1.5: what cannot be read requires nobody knows what, so it is an outage."""
        client.set(VERSION, value)
        store = open_mercury(own_valkey.url)
        fails(store, project(9), "not a whole number")
        assert store.is_revoked(token()) is False

    def test_a_version_of_another_type(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.3: an error reply is no answer."""
        client.rpush(VERSION, "1")
        client.set("project_token:t-1", "{}")
        store = open_mercury(own_valkey.url)
        fails(store, project(9), r"WRONGTYPE|wrong kind")
        fails(store, project(9, "t-1"), r"WRONGTYPE|wrong kind")

    def test_what_may_not_be_read(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.3: without permission for one of the keys nothing passes."""
        keys = ("~revoked_token:*", "~project_secret_version:*")
        client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", *keys, "+get", "+exists")
        store = open_mercury(f"redis://reader:pw@127.0.0.1:{own_valkey.port}")
        assert store.is_revoked(project()) is False
        fails(store, project(token_id="t-1"), "Redis refused: No permissions")

    @pytest.mark.parametrize("reply", [True, False, 2, -1, 1.0, None, b"1", "1", "OK", [], [1], {}], ids=repr)
    @pytest.mark.parametrize("ref", [token(), project(token_id="t-1")], ids=["token", "project token"])
    def test_an_existence_that_is_neither(self, ref: TokenRef | ProjectRef, reply: object) -> None:
        """Law 1.3: whatever comes back where 0 or 1 was asked for, it is an outage."""
        talk = MercuryKeeper(SystemClock(), print, "redis:mercury", local=None).check(ref)
        next(talk)
        query = talk.send([b"maxmemory_policy:noeviction"])
        with pytest.raises(RevocationUnavailable, match="something else than was asked"):
            talk.send([None, reply][-len(query) :])

    @given(st.integers(0, 10**19 - 1))
    def test_every_number_is_read(self, number: int) -> None:
        """As Redis writes it."""
        assert number == read_version(str(number).encode())

    @given(st.binary(max_size=24) | st.text("0123456789+-. ", max_size=24).map(str.encode))
    def test_nothing_else_is(self, value: bytes) -> None:
        """One number, one spelling."""
        try:
            number = read_version(value)
        except RevocationUnavailable:
            return
        assert value == str(number).encode()


class TestOutageContract(RevocationOutageContract):
    @pytest.fixture
    def store(self) -> RedisStore:
        return RedisStore(RedisRevocation(NOBODY, layout="mercury"), notice=print)

    def test_a_write_is_not_confirmed(self, driver: Any) -> None:
        """Law 5.6: nor tried, whether or not the store answers."""
        with pytest.raises(ConfigurationError, match="read-only"):
            driver.revoke(entry_for_example("token"))


class TestAsyncOutageContract(AsyncRevocationOutageContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisStore]:
            yield AsyncRedisStore(RedisRevocation(NOBODY, layout="mercury"), notice=print)

        return opened

    def test_a_write_is_not_confirmed(self, driver: Any) -> None:
        """Law 5.6: nor tried, whether or not the store answers."""
        with pytest.raises(ConfigurationError, match="read-only"):
            driver.revoke(entry_for_example("token"))


class TestOutages:
    @pytest.fixture
    def open_mercury(self, open_mercury: OpenAny) -> OpenAny:
        """Opens stores with the limits of every gate."""
        return partial(open_mercury, limits=LIMITS)

    def test_down(self, open_mercury: OpenAny, own_valkey: Any) -> None:
        """Laws 1.5 and 5.3: a store that is gone is an outage, for tokens and for projects."""
        store = open_mercury(own_valkey.url)
        store.warm_up()
        own_valkey.stop()
        for ref in (token(), project(), project(token_id="t-1")):
            fails(store, ref, "Redis does not answer")
        with pytest.raises(RevocationUnavailable):
            store.warm_up()
        assert "down" == store.health().status

    def test_restarted_empty(self, open_mercury: OpenAny, own_valkey: Any) -> None:
        """There is no epoch in this layout: what others own they keep, and an empty store answers."""
        store = open_mercury(own_valkey.url)
        store.warm_up()
        own_valkey.stop()
        own_valkey.start()
        assert store.is_revoked(token()) is False
        assert store.is_revoked(project(token_id="t-1")) is True

    @pytest.mark.usefixtures("punctual")
    def test_it_hangs(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """Laws 5.4 and 5.5: given up at its limit, asked no more after five failures, and again after a probe."""
        client.set("revoked_token:jti-1", "1")
        store = open_mercury(own_valkey.url)
        assert store.is_revoked(token()) is True
        own_valkey.freeze()
        for _ in range(5):
            fails(store, token(), "Timeout")
        fails(store, token(), "not asked until a probe succeeds")
        assert "open" == store.health().status
        own_valkey.thaw()
        store.wait_until(lambda: store.health().status != "open")
        assert store.is_revoked(token()) is True
        assert store.is_revoked(token("jti-2")) is False
        opened, closed = store.notices
        assert ("revocation_breaker_open", "redis:mercury") == (opened.code, opened.subject)
        assert ("revocation_breaker_closed", "redis:mercury") == (closed.code, closed.subject)

    def test_a_replica_is_not_believed(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.10: the role is part of every answer, in every layout."""
        store = open_mercury(own_valkey.url)
        assert store.is_revoked(token()) is False
        client.replicaof("127.0.0.1", 1)
        fails(store, token(), "never read from a replica")
        client.replicaof("NO", "ONE")
        assert store.is_revoked(token()) is False


class TestAllow:
    """Law 5.3: what ``on_error="allow"`` passes over, and what it never does."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(SystemClock().now())

    @pytest.fixture
    def store(self, open_mercury: OpenAny, own_valkey: Any, client: Any, clock: ManualClock) -> Any:
        """A store that has seen one token revoked, version 3 required, and a project token; then it is gone."""
        client.mset({"revoked_token:jti-1": "1", VERSION: "3", "project_token:t-1": "{}"})
        store = open_mercury(own_valkey.url, on_error="allow", allow_for=60.0, clock=clock)
        assert store.is_revoked(token()) is True
        assert store.is_revoked(project(3, "t-1")) is False
        own_valkey.stop()
        return store

    def test_required_existence(self, store: Any) -> None:
        """A project token is 503 from the first moment, once the breaker is open as well, and never counted."""
        for _ in range(7):
            fails(store, project(3, "t-1"))
        assert 0 == store.health().unchecked
        assert "open" == store.health().status

    def test_the_rest_for_a_while(self, store: Any, clock: ManualClock) -> None:
        """Tokens, and projects by app id and secret, until ``allow_for`` is over."""
        assert store.is_revoked(token("jti-2")) is False
        assert store.is_revoked(project(3)) is False
        assert 2 == store.health().unchecked
        clock.advance(60.0)
        fails(store, token("jti-2"))
        fails(store, project(3))
        ended = store.notices[-1]
        assert ("revocation_allow_ended", "redis:mercury") == (ended.code, ended.subject)

    def test_what_was_seen_is_refused(self, store: Any, clock: ManualClock) -> None:
        """Entries that are known locally refuse all the same, a project token's version among them."""
        for _ in range(2):
            assert store.is_revoked(token()) is True
            assert store.is_revoked(project(2)) is True
            assert store.is_revoked(project(2, "t-1")) is True
            clock.advance(120.0)
        assert 0 == store.health().unchecked

    def test_an_answer_ends_it(self, store: Any, own_valkey: Any) -> None:
        """And what is written there counts again."""
        assert store.is_revoked(token("jti-2")) is False
        own_valkey.start()
        own_valkey.client().set("revoked_token:jti-2", "1")
        assert store.is_revoked(token("jti-2")) is True
        ended = store.notices[-1]
        assert ("revocation_checked_again", "redis:mercury") == (ended.code, ended.subject)

    def test_garbage_is_an_outage_too(self, open_mercury: OpenAny, own_valkey: Any, client: Any) -> None:
        """It proves nothing, so it is passed over where outages are, and never for a project token."""
        client.set(VERSION, "three")
        store = open_mercury(own_valkey.url, on_error="allow")
        assert store.is_revoked(project(3)) is False
        fails(store, project(3, "t-1"), "not a whole number")
        assert 1 == store.health().unchecked


class TestHealth:
    @pytest.mark.parametrize(
        ("policy", "codes"), [("allkeys-lru", ["revocation_eviction"]), ("noeviction", [])]
    )
    def test_a_policy_that_evicts_is_said(
        self, open_mercury: OpenAny, own_valkey: Any, client: Any, policy: str, codes: list[str]
    ) -> None:
        """Law 5.10: once, at the first look, under the name of the layout."""
        client.config_set("maxmemory-policy", policy)
        store = open_mercury(own_valkey.url)
        for _ in range(2):
            store.warm_up()
            store.is_revoked(token())
        assert codes == store.codes
        assert {"redis:mercury"} >= {notice.subject for notice in store.notices}
        assert (policy, bool(codes)) == (store.health().eviction_policy, store.health().evicts)
        assert "redis:mercury" == store.health().source

    def test_many_threads_ask_once(self, own_valkey: Any, client: Any) -> None:
        """However many look first at the same time."""
        before = client.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"]
        store = RedisStore(RedisRevocation(own_valkey.url, layout="mercury"), notice=print)
        threads = [threading.Thread(target=store.is_revoked, args=(token(),)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
        assert 2 == client.info("commandstats")["cmdstat_info"]["calls"] - before

    def test_shown_without_the_password(self, open_mercury: OpenAny) -> None:
        """Law 2.5: repr names the layout and masks what the URL holds."""
        shown = repr(open_mercury("redis://user:hunter2@127.0.0.1:1").store)
        assert (
            "RedisRevocation('redis://user:***@127.0.0.1:1', layout='mercury', on_error='deny')"
            == shown.partition("(")[2][:-1]
        )

    def test_after_a_fork(self, own_valkey: Any, client: Any) -> None:
        """Law 9.5: what a child does first leaves a store that answers."""
        store = RedisStore(RedisRevocation(own_valkey.url, layout="mercury"), notice=print)
        client.set("revoked_token:jti-1", "1")
        store.after_fork()
        assert store.is_revoked(token()) is True
        store.close()
