"""API keys in a real Valkey, in both colours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from redis.exceptions import NoPermissionError, ResponseError

import authgate_core as ag
from authgate_core.api_keys import MintedKey, key_id, mint_key
from authgate_core.clock import Clock, SystemClock
from authgate_core.events import Decided, Notice
from authgate_core.io.redis.api_keys import AsyncRedisKeyStore, RedisKeyStore
from authgate_core.testing import ManualClock
from tests.support.gates import view


class Driven:
    """A gate of either colour that knows keys, asked in the one event loop that an async one needs.

    Args:
        colour: Its colour.
        config: What it is built from.
        clock: Where it gets the time from.
    """

    def __init__(self, colour: str, config: ag.GateConfig, clock: Clock) -> None:
        self._runner = asyncio.Runner() if colour == "async" else None
        make = ag.Gate if colour == "sync" else ag.AsyncGate
        self.gate: Any = make(config, clock=clock)

    def admit(self, minted: MintedKey, policy: ag.Policy = ag.is_api_key) -> ag.ApiKey:
        """The key that is admitted."""
        admission: ag.Admission = self._done(
            self.gate.admit(view(("x-api-key", minted.key.reveal())), policy)
        )
        return admission.api_key

    def mint(self, **terms: Any) -> MintedKey:
        """A new key."""
        minted: MintedKey = self._done(self.gate.api_keys.mint(**terms))
        return minted

    def remove(self, name: str) -> None:
        """Remove a key."""
        self._done(self.gate.api_keys.remove(name))

    def last_used(self, name: str) -> float | None:
        """When a key was last used."""
        used: float | None = self._done(self.gate.api_keys.last_used(name))
        return used

    def close(self) -> None:
        """Close it, with its loop."""
        self._done(self.gate.close() if self._runner is None else self.gate.aclose())
        if self._runner is not None:
            self._runner.close()

    def _done(self, answer: Any) -> Any:
        return answer if self._runner is None else self._runner.run(answer)


@pytest.fixture
def events() -> list[Decided | Notice]:
    """What gates told."""
    return []


@pytest.fixture
def opened(
    colour: str, valkey_url: str, prefix: str, events: list[Decided | Notice], punctual: None
) -> Iterator[Callable[..., Driven]]:
    """Opens gates of one colour over one namespace."""
    made: list[Driven] = []

    def opening(clock: Clock | None = None, *, url: object = valkey_url, begins: str = "key") -> Driven:
        keys = ag.ApiKeys.redis(url, prefix=begins, namespace=prefix)
        config = ag.GateConfig(api_keys=keys, on_event=events.append)
        made.append(Driven(colour, config, clock or ManualClock(SystemClock().now())))
        return made[-1]

    yield opening
    for gate in made:
        gate.close()


@pytest.fixture
def server(shared_valkey: Any) -> redis.Redis:
    """What a test looks at the server with."""
    client: redis.Redis = shared_valkey.client()
    return client


class TestKeys:
    def test_what_is_minted_admits_in_every_process(self, opened: Callable[..., Driven]) -> None:
        """A key is good as soon as it is handed out, and has what it was minted with."""
        end = datetime.fromtimestamp(SystemClock().now().wall + 3600, UTC)
        terms = {"owner_id": "u1", "service": "billing", "tenant": "t1", "roles": ["a"], "scopes": ("b", "c")}
        minted = opened(begins="shop").mint(expires_at=end, **terms)
        key = opened(begins="shop").admit(minted)
        expected = {**terms, "scopes": ["b", "c"], "id": minted.id, "issuer": "api_keys"}
        assert {**expected, "expires_at": end.timestamp(), "prefix": f"shop_{minted.id}"} == key.to_dict()
        assert minted.id == key_id(minted.key.reveal(), "shop")

    def test_the_key_itself_is_kept_nowhere(
        self, opened: Callable[..., Driven], server: redis.Redis, prefix: str
    ) -> None:
        """Law 6.1, of keys as of secrets: the server has a salted hash."""
        minted = opened().mint(owner_id=None)
        held = server.get(f"{prefix}:api-key:{minted.id}")
        assert {"secret_hash": minted.secret_hash} == json.loads(held)  # type: ignore[arg-type]  # redis-py leaves it open

    def test_a_removed_key_is_refused_at_the_next_request(self, opened: Callable[..., Driven]) -> None:
        """Nothing is remembered of a key: whoever removes one is heard at once."""
        gate, other = opened(), opened()
        minted = gate.mint()
        assert other.admit(minted)
        gate.remove(minted.id)
        with pytest.raises(ag.InvalidApiKey, match="does not know"):
            other.admit(minted)
        gate.remove(minted.id)  # again does no harm
        assert gate.last_used(minted.id) is None

    def test_a_key_with_another_secret(self, opened: Callable[..., Driven]) -> None:
        """An id alone proves nothing."""
        minted = opened().mint()
        letters = iter(minted.id + "a" * 43)
        forged = mint_key(choose=lambda _: next(letters))
        assert minted.id == forged.id
        with pytest.raises(ag.InvalidApiKey, match="does not know"):
            opened().admit(forged)

    def test_an_expired_key(self, opened: Callable[..., Driven], server: redis.Redis, prefix: str) -> None:
        """It ends when it says, and the server forgets it by itself."""
        start = SystemClock().now()  # the server has the real time
        clock = ManualClock(start)
        gate = opened(clock)
        minted = gate.mint(expires_at=start.wall + 100)
        assert gate.admit(minted)
        clock.advance(100)
        with pytest.raises(ag.InvalidApiKey, match="expired"):
            gate.admit(minted)
        assert 0 < server.ttl(f"{prefix}:api-key:{minted.id}") <= 102

    @pytest.mark.parametrize(
        "terms",
        [
            {"scopes": "orders"},
            {"scop": ["a"]},
            {"expires_at": "tomorrow"},
            {"expires_at": 3600},  # a duration
            {"owner_id": ""},
        ],
    )
    def test_terms_that_are_none(self, opened: Callable[..., Driven], terms: dict[str, Any]) -> None:
        """A mistake is found before anything is written."""
        with pytest.raises(ValueError, match=next(iter(terms))):
            opened().mint(**terms)

    @pytest.mark.parametrize("held", ["{", "[]", "{}", '{"secret_hash": "x"}', "[" * 5000])
    def test_what_cannot_be_read_is_no_verdict(
        self, opened: Callable[..., Driven], server: redis.Redis, prefix: str, held: str
    ) -> None:
        """Law 1.5: an entry that is broken is an outage, and what stands there is not logged."""
        gate = opened()
        minted = gate.mint()
        server.set(f"{prefix}:api-key:{minted.id}", held)
        with pytest.raises(ag.ApiKeysUnavailable, match="cannot be read"):
            gate.admit(minted)

    def test_a_name_that_holds_something_else(
        self, opened: Callable[..., Driven], server: redis.Redis, prefix: str
    ) -> None:
        """Law 1.5: an error of the server is an outage."""
        gate = opened()
        minted = gate.mint()
        name = f"{prefix}:api-key:{minted.id}"
        server.delete(name)
        server.lpush(name, "x")
        with pytest.raises(ag.ApiKeysUnavailable, match="WRONGTYPE"):
            gate.admit(minted)
        server.set(f"{prefix}:api-key-used:{minted.id}", "noon")
        with pytest.raises(ag.ApiKeysUnavailable, match="no time"):
            gate.last_used(minted.id)


class TestUse:
    def test_when_a_key_was_last_used(self, opened: Callable[..., Driven]) -> None:
        """It is known of every process, exact to a minute."""
        start = SystemClock().now()  # the server has the real time
        clock = ManualClock(start)
        gate = opened(clock)
        minted = gate.mint()
        assert gate.last_used(minted.id) is None
        gate.admit(minted)
        first = gate.last_used(minted.id)
        assert round(start.wall) == first
        clock.advance(59.9)
        gate.admit(minted)
        assert first == opened().last_used(minted.id)
        clock.advance(0.1)
        gate.admit(minted)
        assert round(start.wall + 60) == opened().last_used(minted.id)

    def test_a_refusal_is_no_use(self, opened: Callable[..., Driven]) -> None:
        """Neither of an expired key nor of a wrong secret."""
        start = SystemClock().now()  # the server has the real time
        clock = ManualClock(start)
        gate = opened(clock)
        minted = gate.mint(expires_at=start.wall + 100)
        letters = iter(minted.id + "a" * 43)
        with pytest.raises(ag.InvalidApiKey):
            gate.admit(mint_key(choose=lambda _: next(letters)))
        clock.advance(100)
        with pytest.raises(ag.InvalidApiKey):
            gate.admit(minted)
        assert gate.last_used(minted.id) is None

    def test_who_may_only_read_admits(
        self,
        opened: Callable[..., Driven],
        server: redis.Redis,
        events: list[Decided | Notice],
        valkey_url: str,
        prefix: str,
    ) -> None:
        """Law 5.10, of keys as well: a gate that only checks needs no permission to write, and says so once."""
        server.acl_setuser(
            "reader", enabled=True, passwords=["+pass"], commands=["+get", "+hello"], keys=["*"]
        )
        gate = opened(url=valkey_url.replace("redis://", "redis://reader:pass@"))
        for minted in (opened().mint(), opened().mint()):
            assert gate.admit(minted)
        told = [event for event in events if isinstance(event, Notice)]
        assert ["api_key_use_unwritten"] == [notice.code for notice in told]
        with pytest.raises(ag.ApiKeysUnavailable, match="Redis refused"):
            gate.mint()
        server.acl_deluser("reader")

    def test_the_uses_of_many_keys_are_bounded(
        self, colour: str, valkey_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many keys are used, a process remembers some of them."""
        monkeypatch.setattr("authgate_core.io.redis.api_keys._MOST", 2)
        kind = RedisKeyStore if colour == "sync" else AsyncRedisKeyStore
        spec = ag.ApiKeys.redis(valkey_url, namespace=prefix).store
        layout = kind(spec, "key", ManualClock(SystemClock().now()), lambda _: None)._layout  # type: ignore[arg-type]  # it is RedisKeys
        due = [layout.use(ag.ApiKey(id=name)) is not None for name in ("a", "b", "a", "c", "a")]
        assert [True, True, False, True, True] == due


class TestOutages:
    def test_a_server_that_is_down(self, opened: Callable[..., Driven]) -> None:
        """Law 1.5: nobody can tell, so it is 503, for a key as for whoever mints one."""
        gate, minted = opened(url="redis://127.0.0.1:1/0"), mint_key()
        with pytest.raises(ag.ApiKeysUnavailable, match="Redis does not answer"):
            gate.admit(minted)
        with pytest.raises(ag.ApiKeysUnavailable):
            gate.mint()

    def test_what_is_no_key_is_refused_all_the_same(self, opened: Callable[..., Driven]) -> None:
        """Law 6.7: a typing error needs no server."""
        minted = mint_key("other")
        with pytest.raises(ag.InvalidApiKey):
            opened(url="redis://127.0.0.1:1/0").admit(minted)

    def test_an_outage_while_a_use_is_written_takes_no_key_away(
        self, opened: Callable[..., Driven], own_valkey: Any, colour: str
    ) -> None:
        """The key was good, and stays so."""
        gate = opened(url=own_valkey.url)
        minted = gate.mint()
        line = gate.gate._keys[0]._line
        ask, asked = line.ask, iter([True, False])

        def sync_ask(query: Any) -> Any:
            if next(asked):
                return ask(query)
            raise ag.RevocationUnavailable("down")

        async def async_ask(query: Any) -> Any:
            answer = sync_ask(query)
            return await answer

        line.ask = sync_ask if colour == "sync" else async_ask
        assert minted.id == gate.admit(minted).id
        assert next(asked, None) is None


class TestSpecification:
    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"client_or_url": "http://x"}, "the URL of Redis begins with redis://"),
            ({"client_or_url": object()}, "ApiKeys.redis got a object: write a URL"),
            ({"client_or_url": "redis://localhost", "namespace": "a b"}, "namespace: write 1 to 64"),
            ({"client_or_url": redis.Redis(), "namespace": "a"}, "socket_timeout"),
        ],
        ids=["url", "object", "namespace", "client"],
    )
    def test_what_is_wrong_with_it(self, options: dict[str, Any], problem: str) -> None:
        """Law 1.6: what can be known without I/O is told when the gate is built."""
        keys = ag.ApiKeys.redis(options.pop("client_or_url"), **options)
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.Gate(ag.GateConfig(api_keys=keys))
        assert any(line.startswith("api_keys: ") and problem in line for line in caught.value.problems)

    def test_a_client_that_is_handed_in_is_its_owners(self, valkey_url: str, prefix: str) -> None:
        """A gate closes what it built, and nothing else."""
        client = redis.Redis.from_url(valkey_url, socket_timeout=1.0, socket_connect_timeout=1.0, retry=None)
        with ag.Gate(ag.GateConfig(api_keys=ag.ApiKeys.redis(client, namespace=prefix))) as gate:
            minted = gate.api_keys.mint()
            assert gate.admit(view(("x-api-key", minted.key.reveal())), ag.is_api_key)
        assert client.ping()
        client.close()

    def test_it_is_named_without_its_password(self) -> None:
        """Law 2.5: neither a URL nor a client shows more than what it is."""
        assert "RedisKeys('redis://u:***@localhost:6379/0'" in repr(
            ag.ApiKeys.redis("redis://u:pw@localhost:6379/0")
        )
        assert "<Redis>" in repr(ag.ApiKeys.redis(redis.Redis()))


def test_errors_are_told_apart() -> None:
    """What a server says no to is no missing entry."""
    from authgate_core.io.redis.api_keys import _held

    assert _held([None]) is None
    for error in (ResponseError("x"), NoPermissionError("y")):
        with pytest.raises(ag.ApiKeysUnavailable, match="Redis refused"):
            _held([error])
    with pytest.raises(ag.ApiKeysUnavailable, match="no key"):
        _held([7])
