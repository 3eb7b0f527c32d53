"""The gate against a real issuer over real HTTP: cold herds, outages, rotation."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_core.testing.issuer import DISCOVERY_PATH, JWKS_PATH
from tests.support.gates import Face, face


@pytest.fixture(name="fake")
def _fake() -> Iterator[FakeIssuer]:
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        made.append(face(colour, config(fake, **options)))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def config(fake: FakeIssuer, **options: Any) -> ag.GateConfig:
    """A gate in front of one OpenID provider."""
    return ag.GateConfig(issuers=[ag.Issuer.oidc(fake.url, audience=fake.audience, name="id")], **options)


class TestCold:
    """Laws 4.1 and 4.12: a gate without keys."""

    def test_the_first_request_fetches(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Discovery, then the key set, once."""
        gate = make()
        for _ in range(3):
            assert "u1" == gate.verify_token(fake.token("u1")).user.id

        assert {DISCOVERY_PATH: 1, JWKS_PATH: 1} == dict(fake.hits)

    def test_warm_up_fetches_before_the_first_request(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """And then no request waits."""
        gate = make()
        gate.warm_up(5)

        assert 1 == fake.hits[JWKS_PATH]
        assert ["fresh"] == [keys.status for keys in gate.gate.health().keys]

    def test_an_issuer_that_refuses_connections_is_503_within_300_ms(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """The issue's bound: a refused connection, and then the failure while it cools down."""
        fake.outage(None)
        gate = make()
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(ag.KeysUnavailable) as caught:
                gate.verify_token(fake.token())
            assert time.monotonic() - started < 0.3
            assert 0 < caught.value.retry_after <= 60
        assert ["down"] == [keys.status for keys in gate.gate.health().keys]

    def test_a_hung_issuer_holds_a_request_for_key_wait(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Law 4.10: then 503, and the fetch goes on to its own deadline."""
        fake.slow(30)
        gate = make(key_wait=0.4)
        started = time.monotonic()
        with pytest.raises(ag.KeysUnavailable):
            gate.verify_token(fake.token())
        waited = time.monotonic() - started

        fake.recover()
        gate.warm_up(5)

        assert 0.4 <= waited < 1.0
        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        assert 1 == fake.hits[DISCOVERY_PATH]

    def test_a_wrong_issuer_in_discovery_is_503_and_an_alarm(self, colour: str, fake: FakeIssuer) -> None:
        """Law 1.6: a configuration error that only the network can show."""
        events: list[Any] = []
        issuer = ag.Issuer.oidc(fake.url + "/", audience=fake.audience, name="id")
        gate = face(colour, ag.GateConfig(issuers=[issuer], on_event=events.append))
        with pytest.raises(ag.KeysUnavailable):
            gate.verify_token(fake.token(iss=fake.url + "/"))
        gate.close()

        deadline = time.monotonic() + 5
        while not any(getattr(event, "alarm", False) for event in events):
            assert time.monotonic() < deadline, events
            time.sleep(0.01)


class TestWarm:
    """Laws 4.4 to 4.7: a gate with keys."""

    def test_an_outage_logs_nobody_out(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Known keys go on, and a forged token stays a bad token (Law 1.5)."""
        gate = make()
        gate.verify_token(fake.token())
        fake.outage(None)

        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        with pytest.raises(ag.BadSignature):
            gate.verify_token(fake.hostile.forged())

    def test_a_rotated_key_is_found(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 4.5: with one fetch."""
        gate = make()
        gate.verify_token(fake.token())
        fake.reset_hits()
        fake.rotate()

        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        assert 1 == fake.hits[JWKS_PATH]

    def test_a_forged_token_fetches_nothing(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.4: neither a bad signature under a known kid nor an algorithm that is not accepted."""
        gate = make()
        for hostile in (fake.hostile.unsigned(), fake.hostile.keyed_with_public_key()):
            with pytest.raises(ag.AlgorithmRefused):
                gate.verify_token(hostile)
        assert {} == dict(fake.hits)

        gate.verify_token(fake.token())
        fake.reset_hits()
        with pytest.raises(ag.BadSignature):
            gate.verify_token(fake.hostile.forged())
        assert {} == dict(fake.hits)

    def test_a_forgotten_key_stays_forgotten(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 4.7: at once, also while the issuer still publishes it."""
        gate, token = make(), fake.token("u1")
        gate.verify_token(token)

        gate.gate.keys.forget("id", fake.kid)

        with pytest.raises(ag.UnknownKey):
            gate.verify_token(token)
        fake.rotate()
        gate.verify_token(fake.token())
        with pytest.raises(ag.UnknownKey):
            gate.verify_token(token)

    def test_closed_and_used_again(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """A test client may start an app twice."""
        gate = make()
        gate.verify_token(fake.token())
        gate.close()
        fake.rotate()

        gate.warm_up(5)

        assert "u1" == gate.verify_token(fake.token("u1")).user.id


class TestCrowds:
    """Laws 4.1 and 4.11: many at once, on threads and in event loops."""

    def test_500_tasks_on_a_cold_gate(self, fake: FakeIssuer) -> None:
        """One fetch, and everyone is admitted."""
        gate = ag.AsyncGate(config(fake))
        token = fake.token("u1")

        async def crowd() -> list[ag.Admission]:
            admissions = await asyncio.gather(*(gate.verify_token(token) for _ in range(500)))
            await gate.aclose()
            return admissions

        assert {"u1"} == {admission.user.id for admission in asyncio.run(crowd())}
        assert 1 == fake.hits[JWKS_PATH]

    def test_50_threads_on_a_cold_gate(self, fake: FakeIssuer) -> None:
        """One fetch, and everyone is admitted."""
        with ag.Gate(config(fake)) as gate, ThreadPoolExecutor(50) as threads:
            token = fake.token("u1")
            admissions = list(threads.map(lambda _: gate.verify_token(token), range(500)))

        assert {"u1"} == {admission.user.id for admission in admissions}
        assert 1 == fake.hits[JWKS_PATH]

    def test_two_event_loops_at_once(self, fake: FakeIssuer) -> None:
        """One gate, one fetch."""
        gate = ag.AsyncGate(config(fake))
        token = fake.token("u1")
        found: list[str] = []

        async def crowd() -> None:
            admissions = await asyncio.gather(*(gate.verify_token(token) for _ in range(100)))
            found.extend(admission.user.id for admission in admissions)

        loops = [threading.Thread(target=lambda: asyncio.run(crowd())) for _ in range(2)]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()
        asyncio.run(gate.aclose())

        assert ["u1"] * 200 == found
        assert 1 == fake.hits[JWKS_PATH]

    def test_a_cancelled_request_cancels_nothing_but_itself(self, fake: FakeIssuer) -> None:
        """Law 4.1."""
        gate = ag.AsyncGate(config(fake))
        token = fake.token("u1")
        fake.slow(0.3)

        async def two() -> str:
            gives_up = asyncio.create_task(gate.verify_token(token))
            stays = asyncio.create_task(gate.verify_token(token))
            await asyncio.sleep(0.05)
            gives_up.cancel()
            admission = await stays
            with pytest.raises(asyncio.CancelledError):
                await gives_up
            await gate.aclose()
            return admission.user.id

        assert "u1" == asyncio.run(two())
        assert 1 == fake.hits[JWKS_PATH]


class TestStoresAtTheStart:
    """Laws 4.12 and 5.10: ``warm_up`` looks at the stores too, and one that is down stops nothing."""

    def test_a_store_that_is_down_is_told_and_passed_over(self, colour: str, fake: FakeIssuer) -> None:
        """The app starts; requests are answered with 503 until the store is back (Law 5.3)."""
        events: list[Any] = []
        nowhere = ag.RedisRevocation("redis://127.0.0.1:1")
        gate = face(colour, config(fake, revocation=nowhere, on_event=events.append))

        gate.warm_up(5)

        assert ["revocation_unavailable"] == [event.code for event in events]
        with pytest.raises(ag.RevocationUnavailable):
            gate.verify_token(fake.token())
        gate.close()

    def test_a_server_that_drops_entries_is_told_before_the_first_request(
        self, colour: str, fake: FakeIssuer, own_valkey: Any
    ) -> None:
        """Law 5.10: an eviction policy other than noeviction is a warning at the start, and a health state."""
        events: list[Any] = []
        own_valkey.client().config_set("maxmemory-policy", "allkeys-lru")
        store = ag.RedisRevocation(own_valkey.url)
        gate = face(colour, config(fake, revocation=store, on_event=events.append))

        deadline = time.monotonic() + 10
        while not gate.gate.health().revocation[0].evicts and time.monotonic() < deadline:
            gate.warm_up(5)  # again, where a busy machine let a reply come late
        (health,) = gate.gate.health().revocation
        gate.close()

        assert health.evicts
        assert "revocation_eviction" in {event.code for event in events}
