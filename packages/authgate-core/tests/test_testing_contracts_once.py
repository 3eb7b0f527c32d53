"""The suites for API keys and for values that are used once, held to honest stores and to dishonest ones."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authgate_core.api_keys import RedisKeys, StaticKeys, mint_key
from authgate_core.clock import SystemClock
from authgate_core.credentials import ApiKeyCredential
from authgate_core.io.api_keys import AsyncLocalKeys, LocalKeys
from authgate_core.io.redis import (
    AsyncRedisKeyStore,
    AsyncRedisReplayStore,
    RedisKeyStore,
    RedisReplayStore,
)
from authgate_core.io.replays import AsyncMemoryReplayStore, MemoryReplayStore
from authgate_core.ports import ApiKeyStore, ReplayStore
from authgate_core.principal import ApiKey
from authgate_core.replays import RedisReplays
from authgate_core.testing.contracts import (
    ApiKeyStoreContract,
    ApiKeyStoreOutageContract,
    AsyncApiKeyStoreContract,
    AsyncApiKeyStoreOutageContract,
    AsyncReplayStoreContract,
    AsyncReplayStoreOutageContract,
    OpenKeys,
    OpenReplays,
    ReplayStoreContract,
    ReplayStoreOutageContract,
)

CLOCK = SystemClock()
MINTED = mint_key()
RIGHT = ApiKeyCredential(MINTED.key)
STATIC = StaticKeys({MINTED.id: {"secret_hash": MINTED.secret_hash, "scopes": ["orders:read"]}}, "key")


def nobody() -> str:
    """The address of a server that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{free.getsockname()[1]}"


class _WithKey:
    @pytest.fixture
    def credential(self) -> ApiKeyCredential:
        return RIGHT


class TestLocalKeys(_WithKey, ApiKeyStoreContract):
    @pytest.fixture
    def store(self) -> ApiKeyStore:
        return LocalKeys(STATIC, CLOCK)


class TestAsyncLocalKeys(_WithKey, AsyncApiKeyStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenKeys:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncLocalKeys]:
            yield AsyncLocalKeys(STATIC, CLOCK)

        return opened


class TestRedisKeys(_WithKey, ApiKeyStoreContract):
    @pytest.fixture
    def store(self, valkey_url: str) -> Iterator[ApiKeyStore]:
        store = RedisKeyStore(RedisKeys(valkey_url), "key", CLOCK, print)
        store.add(MINTED.id, {"secret_hash": MINTED.secret_hash})
        yield store
        store.close()


class TestAsyncRedisKeys(_WithKey, AsyncApiKeyStoreContract):
    @pytest.fixture
    def open_store(self, valkey_url: str) -> OpenKeys:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisKeyStore]:
            store = AsyncRedisKeyStore(RedisKeys(valkey_url), "key", CLOCK, print)
            await store.add(MINTED.id, {"secret_hash": MINTED.secret_hash})
            yield store
            await store.aclose()

        return opened


class TestRedisKeysAlone(ApiKeyStoreOutageContract):
    @pytest.fixture
    def store(self) -> ApiKeyStore:
        return RedisKeyStore(RedisKeys(nobody()), "key", CLOCK, print)


class TestAsyncRedisKeysAlone(AsyncApiKeyStoreOutageContract):
    @pytest.fixture
    def open_store(self) -> OpenKeys:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisKeyStore]:
            store = AsyncRedisKeyStore(RedisKeys(nobody()), "key", CLOCK, print)
            yield store
            await store.aclose()

        return opened


class TestMemoryReplays(ReplayStoreContract):
    @pytest.fixture
    def store(self) -> ReplayStore:
        return MemoryReplayStore()


class TestAsyncMemoryReplays(AsyncReplayStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenReplays:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncMemoryReplayStore]:
            yield AsyncMemoryReplayStore()

        return opened


class TestRedisReplays(ReplayStoreContract):
    @pytest.fixture
    def store(self, valkey_url: str) -> Iterator[ReplayStore]:
        store = RedisReplayStore(RedisReplays(valkey_url), CLOCK, print)
        yield store
        store.close()


class TestAsyncRedisReplays(AsyncReplayStoreContract):
    @pytest.fixture
    def open_store(self, valkey_url: str) -> OpenReplays:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisReplayStore]:
            store = AsyncRedisReplayStore(RedisReplays(valkey_url), CLOCK, print)
            yield store
            await store.aclose()

        return opened


class TestRedisReplaysAlone(ReplayStoreOutageContract):
    @pytest.fixture
    def store(self) -> ReplayStore:
        return RedisReplayStore(RedisReplays(nobody()), CLOCK, print)


class TestAsyncRedisReplaysAlone(AsyncReplayStoreOutageContract):
    @pytest.fixture
    def open_store(self) -> OpenReplays:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRedisReplayStore]:
            store = AsyncRedisReplayStore(RedisReplays(nobody()), CLOCK, print)
            yield store
            await store.aclose()

        return opened


class _KnowsAll:
    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        return ApiKey(id="1", claims={"seen": credential.value.reveal()})

    def use(self, name: bytes, ttl: float) -> bool:
        return True

    def look_up_at_once(self, credentials: list[ApiKeyCredential]) -> list[ApiKey | None]:
        return [self.look_up(credential) for credential in credentials]

    def use_at_once(self, name: bytes) -> list[bool]:
        return [True] * 50


class _KnowsNothing(_KnowsAll):
    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        return None

    def use(self, name: bytes, ttl: float) -> bool:
        return False


KEYS, ONCE = ApiKeyStoreContract(), ReplayStoreContract()
REFUSING: dict[str, Callable[[Any], None]] = {
    "a wrong secret": lambda store: KEYS.test_a_wrong_key_is_none(store, RIGHT, "secret"),
    "another case": lambda store: KEYS.test_a_wrong_key_is_none(store, RIGHT, "case"),
    "another id": lambda store: KEYS.test_a_wrong_key_is_none(store, RIGHT, "id"),
    "a secret that is shown": lambda store: KEYS.test_the_secret_is_not_in_the_key(store, RIGHT),
    "keys at once": lambda store: KEYS.test_look_ups_at_once_do_not_mix(store, RIGHT),
    "a second use": ONCE.test_a_value_is_used_once,
    "uses at once": ONCE.test_of_many_at_once_one_is_first,
    "a shorter time": ONCE.test_a_shorter_time_ends_nothing,
}
GRANTING: dict[str, Callable[[Any], None]] = {
    "the right key": lambda store: KEYS.test_the_right_key_is_known(store, RIGHT),
    "what is returned": lambda store: KEYS.test_what_is_returned_is_read_only(store, RIGHT),
    "a first use": ONCE.test_a_value_is_used_once,
    "several values": ONCE.test_values_are_told_apart,
    "any time": lambda store: ONCE.test_times_of_all_lengths(store, 60.25),
}
OUTAGES: dict[str, Callable[[Any], None]] = {
    "keys": ApiKeyStoreOutageContract().test_a_look_up_is_not_answered,
    "uses": ReplayStoreOutageContract().test_a_use_is_not_answered,
}


class TestDishonest:
    @pytest.mark.parametrize("law", REFUSING)
    def test_one_that_says_yes_to_all_is_found(self, law: str) -> None:
        """By each law that refuses."""
        with pytest.raises(AssertionError):
            REFUSING[law](_KnowsAll())

    @pytest.mark.parametrize("law", GRANTING)
    def test_one_that_says_no_to_all_is_found(self, law: str) -> None:
        """By each law that grants."""
        with pytest.raises(AssertionError):
            GRANTING[law](_KnowsNothing())

    @pytest.mark.parametrize("law", OUTAGES)
    def test_one_that_answers_in_an_outage_is_found(self, law: str) -> None:
        """An answer is no outage."""
        with pytest.raises(pytest.fail.Exception):
            OUTAGES[law](_KnowsNothing())


class TestTheSuites:
    @pytest.mark.parametrize(
        ("suite", "fixture"),
        [
            (ApiKeyStoreContract, "store"),
            (ApiKeyStoreContract, "credential"),
            (AsyncApiKeyStoreContract, "open_store"),
            (ReplayStoreContract, "store"),
            (AsyncReplayStoreContract, "open_store"),
        ],
    )
    def test_ask_for_what_they_judge(self, suite: type, fixture: str) -> None:
        """A fixture that was not overridden is named."""
        with pytest.raises(NotImplementedError, match=f"override the fixture `{fixture}`"):
            getattr(suite, fixture).__wrapped__(suite())
