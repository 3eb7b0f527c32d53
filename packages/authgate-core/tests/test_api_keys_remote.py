"""API keys of an auth service, at a gate of either colour (contracts of the auth_service profile; Laws 1.5, 7.4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeAuthService, ManualClock
from authgate_core.testing.auth_service import INTROSPECT_PATH
from tests.support.gates import AsyncFace, Face, bearer, face, view


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of service and gate."""
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService(clock=clock) as served:
        yield served


@pytest.fixture
def make(colour: str, service: FakeAuthService, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates that ask it about keys."""
    made: list[Face] = []

    def new(**options: Any) -> Face:
        keys = ag.ApiKeys.auth_service(service.url)
        made.append(face(colour, ag.GateConfig(api_keys=keys, **options), clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


@pytest.fixture
def gate(make: Callable[..., Face]) -> Face:
    """A gate as it comes."""
    return make()


def admitted(gate: Face, key: str) -> ag.ApiKey:
    """The key that is admitted."""
    return gate.admit(view(("X-API-Key", key)), ag.is_api_key).api_key


def refusal(gate: Face, key: str) -> ag.AuthgateError:
    """Why it is not."""
    with pytest.raises(ag.AuthgateError) as caught:
        admitted(gate, key)
    return caught.value


def at(clock: ManualClock, seconds: float) -> str:
    """A moment so many seconds from now, as ISO 8601 writes it."""
    return datetime.fromtimestamp(clock.now().wall + seconds, UTC).isoformat()


class TestAsked:
    def test_a_key_is_what_the_service_says(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """Owner, scopes, end and service are the service's to say."""
        end = at(clock, 3600)
        key = admitted(gate, service.api_key("u7", scopes=["a", "b"], expires_at=end, service="billing"))
        assert ("u7", ("a", "b"), "billing", "sk", "auth_service", "api_key") == (
            key.owner_id,
            key.scopes,
            key.service,
            key.prefix,
            key.issuer,
            key.source,
        )
        assert datetime.fromisoformat(end).timestamp() == key.expires_at
        assert key["key_id"] == key.id

    def test_what_may_be_left_out(self, gate: Face, service: FakeAuthService) -> None:
        """A key may be nobody's, for no service in particular, and without an end."""
        key = admitted(gate, service.api_key(None))
        assert (None, None, None, ()) == (key.owner_id, key.service, key.expires_at, key.scopes)

    def test_a_yes_counts_for_a_minute(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """Law 7.4: for 60 s and for that key alone; a key that was revoked is refused after that."""
        key = service.api_key()
        for _ in range(3):
            admitted(gate, key)
        service.revoke_api_key(key)
        clock.advance(59.9)
        admitted(gate, key)
        assert 1 == service.hits[INTROSPECT_PATH]
        clock.advance(0.1)
        assert isinstance(refusal(gate, key), ag.InvalidApiKey)
        admitted(gate, service.api_key())
        assert 3 == service.hits[INTROSPECT_PATH]

    def test_never_beyond_the_end_of_the_key(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """Law 7.4: what is remembered ends with the key, whatever the service says then."""
        key = service.api_key(expires_at=at(clock, 20))
        admitted(gate, key)
        clock.advance(19.9)
        admitted(gate, key)
        assert 1 == service.hits[INTROSPECT_PATH]
        clock.advance(0.2)
        error = refusal(gate, key)
        assert isinstance(error, ag.InvalidApiKey)
        assert "expired" in error.reason

    def test_a_key_whose_end_was_put_off(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """Law 7.4: the end that was remembered is over, so the service is asked for the new one."""
        key = service.api_key(expires_at=at(clock, 20))
        admitted(gate, key)
        clock.advance(20)
        service.answer(json.dumps(yes(expires_at=at(clock, 20))).encode(), paths=[INTROSPECT_PATH])
        assert admitted(gate, key)

    def test_a_no_counts_for_ten_seconds(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """Law 7.4: so whoever tries again does not reach the service."""
        for _ in range(3):
            assert isinstance(refusal(gate, "sk_made-up"), ag.InvalidApiKey)
        clock.advance(9.9)
        refusal(gate, "sk_made-up")
        assert 1 == service.hits[INTROSPECT_PATH]
        clock.advance(0.1)
        refusal(gate, "sk_made-up")
        assert 2 == service.hits[INTROSPECT_PATH]

    def test_what_does_not_begin_as_keys_do_is_refused_unasked(
        self, gate: Face, service: FakeAuthService
    ) -> None:
        """Law 6.7, as far as the service's keys allow it."""
        for wrong in ("pk_1", "sk", "SK_1", "x" * 5_000):
            assert isinstance(refusal(gate, wrong), ag.InvalidApiKey)
        assert 0 == service.hits[INTROSPECT_PATH]

    def test_by_many_at_once(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 6.3: threads that bring one key share one question."""
        gate, key = make(), service.api_key()
        service.slow(0.3)
        with ThreadPoolExecutor(8) as threads:
            keys = [threads.submit(admitted, gate, key) for _ in range(8)]
        service.recover()
        assert ["u1"] * 8 == [key.result().owner_id for key in keys]
        assert 1 == service.hits[INTROSPECT_PATH]

    def test_the_key_is_kept_nowhere(self, gate: Face, service: FakeAuthService) -> None:
        """Law 6.2: what was asked is remembered by a keyed hash."""
        key = service.api_key()
        admitted(gate, key)
        known = gate.gate._context.api_keys
        assert known is not None
        assert known.service is not None
        assert key not in repr(known)
        assert key.encode() not in known.service.answers.key(key)

    def test_beside_the_tokens_of_the_service(
        self, make: Callable[..., Face], service: FakeAuthService
    ) -> None:
        """One service issues both, and a route may take either."""
        gate = make(
            issuers=[ag.Issuer.auth_service(service.url, audience=service.audience, validate_sessions=False)]
        )
        policy = ag.is_user | ag.is_api_key
        assert "u1" == gate.admit(view(bearer(service.token("u1"))), policy).principal.id
        assert gate.admit(view(("Authorization", f"ApiKey {service.api_key()}")), policy).api_key


def yes(**changes: object) -> dict[str, object]:
    """A yes, with members changed."""
    return {
        "valid": True,
        "user_id": "u1",
        "scopes": ["a"],
        "key_id": "0b6f6c1e-8d55-4a3e-9a53-0f5a0a4f6d01",
        "expires_at": None,
    } | changes


class TestLies:
    """Law 1.5: what the contract does not have is an outage, and it is never remembered (Law 7.3)."""

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            {"valid": "true"},
            {"valid": 1},
            {"valid": None},
            {"valid": False},
            {"valid": False, "code": "rate_limited"},
            {"valid": False, "code": ["invalid_api_key"]},
            {"valid": True},
            yes(valid="true"),
            yes(valid=1),
            yes(key_id=None),
            yes(key_id="1"),
            yes(key_id=7),
            yes(user_id=7),
            yes(user_id=""),
            yes(user_id="a\nb"),
            yes(scopes=None),
            yes(scopes="a b"),
            yes(scopes=["a", 1]),
            yes(scopes=[""]),
            yes(expires_at=1_900_000_000),
            yes(expires_at="soon"),
            yes(expires_at=""),
            yes(service=["billing"]),
        ],
        ids=json.dumps,
    )
    def test_what_is_no_answer(self, gate: Face, service: FakeAuthService, answer: dict[str, object]) -> None:
        """Callers get 503, and are let in again with the first good answer."""
        key = service.api_key()
        service.answer(json.dumps(answer).encode(), paths=[INTROSPECT_PATH])
        error = refusal(gate, key)
        service.recover()
        assert isinstance(error, ag.EndpointUnavailable)
        assert ("ApiKey", 503) == (error.scheme, error.status)
        assert "u1" == admitted(gate, key).owner_id

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{", b'{"valid":true,"valid":true}', b"[" * 5_000, b"\xff", b"<html>"]
    )
    def test_what_is_no_json_object(self, gate: Face, service: FakeAuthService, body: bytes) -> None:
        """Law 3.1: answers are read as strictly as tokens."""
        service.answer(body, paths=[INTROSPECT_PATH])
        assert isinstance(refusal(gate, service.api_key()), ag.EndpointUnavailable)

    @pytest.mark.parametrize("code", ["invalid_api_key", "expired_api_key", "revoked_api_key"])
    def test_what_is_a_no(self, gate: Face, service: FakeAuthService, code: str) -> None:
        """A no with one of the service's codes is one, and they are told alike."""
        service.answer(json.dumps({"valid": False, "code": code}).encode(), paths=[INTROSPECT_PATH])
        error = refusal(gate, service.api_key())
        assert isinstance(error, ag.InvalidApiKey)
        assert "The API key is not valid." == error.detail

    def test_a_yes_for_a_key_that_has_ended(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """What the service says of the end is believed before its yes."""
        error = refusal(gate, service.api_key(expires_at=at(clock, -1)))
        assert isinstance(error, ag.InvalidApiKey)

    @pytest.mark.parametrize(
        ("written", "seconds"),
        [
            ("2033-05-18T03:33:20Z", 2e9),
            ("2033-05-18T03:33:20", 2e9),
            ("2033-05-18T05:33:20+02:00", 2e9),
            ("2033-05-18 03:33:20.500000+00:00", 2e9 + 0.5),
        ],
    )
    def test_how_times_are_written(
        self, gate: Face, service: FakeAuthService, written: str, seconds: float
    ) -> None:
        """ISO 8601; a time without an offset is UTC."""
        assert seconds == admitted(gate, service.api_key(expires_at=written)).expires_at

    def test_an_id_in_large_letters(self, gate: Face, service: FakeAuthService) -> None:
        """A UUID is one id in whatever spelling."""
        service.answer(
            json.dumps(yes(key_id="0B6F6C1E-8D55-4A3E-9A53-0F5A0A4F6D01")).encode(), paths=[INTROSPECT_PATH]
        )
        assert "0b6f6c1e-8d55-4a3e-9a53-0f5a0a4f6d01" == admitted(gate, service.api_key()).id


class TestOutages:
    @pytest.mark.parametrize("status", [201, 204, 301, 400, 500, 503])
    def test_another_status(self, gate: Face, service: FakeAuthService, status: int) -> None:
        """Law 1.5: the service always answers 200; whatever else is no verdict."""
        body = json.dumps({"valid": False, "code": "invalid_api_key"}).encode()
        service.answer(body, status=status, paths=[INTROSPECT_PATH])
        assert isinstance(refusal(gate, service.api_key()), ag.AuthUnavailable)

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_being_refused_ourselves(self, gate: Face, service: FakeAuthService, status: int) -> None:
        """Law 1.6: only a person can mend it, so it is an alarm."""
        service.answer(b"", status=status, paths=[INTROSPECT_PATH])
        assert isinstance(refusal(gate, service.api_key()), ag.EndpointRefused)

    def test_too_many_questions(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """429 is honoured: the service is left alone for as long as it says, and callers are told as long."""
        key = service.api_key()
        service.answer(b"", status=429, headers=[("Retry-After", "20")], paths=[INTROSPECT_PATH])
        first = refusal(gate, key)
        service.recover()
        clock.advance(19.0)
        second = refusal(gate, key)
        clock.advance(1.0)
        assert isinstance(first, ag.AuthUnavailable)
        assert isinstance(second, ag.AuthUnavailable)
        assert (20.0, 1.0) == (first.retry_after, round(second.retry_after, 3))
        assert admitted(gate, key)

    def test_an_answer_that_counts_still(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """What was answered holds through an outage until its minute is over, and no longer."""
        key = service.api_key()
        admitted(gate, key)
        service.outage()
        clock.advance(59.0)
        admitted(gate, key)
        clock.advance(1.0)
        assert isinstance(refusal(gate, key), ag.AuthUnavailable)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"base_url": "http://auth.example.com"}, "is not https"),
            ({"base_url": 7}, "base_url: a int is not a URL"),
            ({"base_url": "https://a.test", "name": ""}, "name: give the auth service a name"),
            ({"base_url": "https://a.test", "allow_http": "yes"}, "allow_http: write True or False"),
            ({"base_url": "https://a.test", "prefix": ""}, "prefix: '' begins no key"),
        ],
        ids=["http", "number", "name", "flag", "prefix"],
    )
    def test_what_is_wrong_with_it(self, options: dict[str, Any], problem: str) -> None:
        """Law 1.6: what can be known without I/O is told when the gate is built."""
        keys = ag.ApiKeys.auth_service(options.pop("base_url"), **options)
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.Gate(ag.GateConfig(api_keys=keys))
        (line,) = caught.value.problems
        assert line.startswith("api_keys: ")
        assert problem in line

    def test_plain_http_where_it_was_allowed(self) -> None:
        """Law 4.9: in so many words."""
        keys = ag.ApiKeys.auth_service("http://auth.internal/", allow_http=True)
        ag.Gate(ag.GateConfig(api_keys=keys)).close()
        assert "http://auth.internal/auth/introspect" == keys.store.url  # type: ignore[union-attr]  # it is a service

    def test_its_keys_are_not_minted_here(self, gate: Face) -> None:
        """Whoever hands them out is asked for more."""
        minting: Any = gate.gate.api_keys.mint
        with pytest.raises(ag.ConfigurationError, match="keeps none where they can be minted"):
            asyncio.run(minting()) if isinstance(gate, AsyncFace) else minting()
