"""Sessions of an auth service, at a gate of either colour (contracts of the auth_service profile; Law 7.4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.credentials import BearerToken
from authgate_core.secret import Secret
from authgate_core.testing import FakeAuthService, ManualClock
from authgate_core.testing.auth_service import KEYS_PATH, VALIDATE_PATH
from tests.support.gates import Face, bearer, face, store, view


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of service and gate."""
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService(clock=clock) as served:
        yield served


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, service: FakeAuthService, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it."""
    made: list[Face] = []

    def new(issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        trusted = ag.Issuer.auth_service(service.url, audience=service.audience, **(issuer or {}))
        made.append(face(colour, ag.GateConfig(issuers=[trusted], **options), clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


@pytest.fixture
def gate(make: Callable[..., Face]) -> Face:
    """A gate as it comes."""
    return make()


def refusal(gate: Face, token: str) -> ag.AuthgateError:
    """Why the gate does not admit the bearer of a token."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(view(bearer(token)), ag.is_user | ag.is_service)
    return caught.value


class TestAsked:
    def test_once_in_five_seconds(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """Law 7.4: an answer counts for 5 s, for that token alone, also where the token is remembered for longer."""
        token = service.token("u1")
        for _ in range(5):
            assert "u1" == gate.admit(view(bearer(token)), ag.is_user).user.id
        assert 1 == service.hits[VALIDATE_PATH]

        clock.advance(4.9)
        gate.verify_token(token)
        assert 1 == service.hits[VALIDATE_PATH]

        clock.advance(0.1)
        gate.verify_token(token)
        gate.verify_token(service.token("u1"))
        assert 3 == service.hits[VALIDATE_PATH]

    def test_a_session_that_is_over(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """Is refused as a bad token is, at most 5 s later."""
        token = service.token("u1")
        gate.verify_token(token)
        service.end_session(token)
        gate.verify_token(token)

        clock.advance(5.0)
        error = refusal(gate, token)

        assert isinstance(error, ag.TokenRevoked)
        assert ("auth_service", "token_invalid") == (error.issuer, error.public_code)

    def test_a_no_counts_as_long(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """A refusal is remembered for 5 s, so that who tries again does not reach the service."""
        token = service.token("u1")
        service.end_session(token)
        for _ in range(3):
            assert isinstance(refusal(gate, token), ag.TokenRevoked)
        assert 1 == service.hits[VALIDATE_PATH]

        clock.advance(5.0)
        refusal(gate, token)
        assert 2 == service.hits[VALIDATE_PATH]

    def test_nobody_else_is(self, gate: Face, service: FakeAuthService) -> None:
        """A program has no session, and what is no good token is never sent anywhere."""
        gate.verify_token(service.service_token())
        refusal(gate, service.token(aud="another-api"))
        refusal(gate, service.token(expires_in=-60))
        refusal(gate, "garbage")

        assert 0 == service.hits[VALIDATE_PATH]

    def test_what_is_revoked_here_is_not(
        self, make: Callable[..., Face], service: FakeAuthService, colour: str
    ) -> None:
        """Law 5.1: the gate's own revocations are asked first, and a no of theirs is enough."""
        assert isinstance(refusal(make(revocation=store(colour, True)), service.token()), ag.TokenRevoked)
        assert 0 == service.hits[VALIDATE_PATH]

    def test_both_must_say_yes(
        self, make: Callable[..., Face], service: FakeAuthService, colour: str
    ) -> None:
        """A store that knows nothing against the token does not speak for its session."""
        token = service.token()
        service.end_session(token)

        assert isinstance(refusal(make(revocation=store(colour, False)), token), ag.TokenRevoked)

    def test_where_that_is_switched_off(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """``validate_sessions=False`` verifies tokens here alone."""
        gate, token = make({"validate_sessions": False}), service.token("u1")
        service.end_session(token)

        assert "u1" == gate.verify_token(token).user.id
        assert 0 == service.hits[VALIDATE_PATH]

    @pytest.mark.parametrize("verified_tokens", [0, 10_000])
    def test_whatever_is_remembered_of_tokens(
        self, make: Callable[..., Face], service: FakeAuthService, clock: ManualClock, verified_tokens: int
    ) -> None:
        """Law 7.1: what memory knows of a token never stands in for its session."""
        gate, token = make(verified_tokens=verified_tokens), service.token("u1")
        for _ in range(3):
            gate.admit(view(bearer(token)), ag.is_user)
        service.end_session(token)
        clock.advance(5.0)

        assert isinstance(refusal(gate, token), ag.TokenRevoked)
        assert isinstance(refusal(gate, token), ag.TokenRevoked)

    def test_whatever_the_keys_do(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """Law 4.3: also while the key set is due for a refresh."""
        token = service.token("u1", expires_in=7200)
        gate.verify_token(token)
        service.end_session(token)
        clock.advance(400.0)

        assert isinstance(refusal(gate, token), ag.TokenRevoked)

    def test_by_many_at_once(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 6.3: threads that bring one token share one question."""
        gate, token = make(), service.token("u1")
        gate.verify_token(service.service_token())
        service.slow(0.3)
        with ThreadPoolExecutor(8) as threads:
            users = [threads.submit(gate.verify_token, token) for _ in range(8)]
        service.recover()

        assert ["u1"] * 8 == [user.result().user.id for user in users]
        assert 1 == service.hits[VALIDATE_PATH]

    def test_the_token_is_kept_nowhere(self, gate: Face, service: FakeAuthService) -> None:
        """Law 6.2: what was asked is remembered by a keyed hash."""
        token = service.token("u1")
        gate.verify_token(token)
        (trusted,) = gate.gate._context.trust.issuers.values()

        assert trusted.sessions is not None
        assert token not in repr(trusted.sessions)
        assert Secret(token).digest() != trusted.sessions.answers.key(token)
        assert BearerToken(Secret(token)) not in vars(gate.gate).values()


class TestOutages:
    """Law 1.5: what is no verdict of the service is an outage, and an outage is never remembered (Law 7.3)."""

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, b""),
            (200, b'{"valid":true}'),
            (201, b""),
            (301, b""),
            (400, b""),
            (401, b""),
            (401, b"<html>"),
            (401, b"[]"),
            (401, b'{"code":"rate_limited"}'),
            (401, b'{"code":true}'),
            (401, b'{"code":["session_expired"]}'),
            (401, b'{"code":"session_expired","code":"session_expired"}'),
            (403, b'{"detail":"Forbidden by the proxy"}'),
            (404, b'{"code":"session_expired"}'),
            (429, b'{"code":"rate_limited"}'),
            (500, b""),
            (503, b'{"code":"session_expired"}'),
        ],
    )
    def test_what_is_no_verdict(self, gate: Face, service: FakeAuthService, status: int, body: bytes) -> None:
        """Users get 503, and are let in again with the first good answer."""
        token = service.token("u1")
        service.answer(body, status=status, paths=[VALIDATE_PATH])
        error = refusal(gate, token)
        service.recover()

        assert isinstance(error, ag.AuthUnavailable)
        assert ("auth_service", 503) == (error.issuer, error.status)
        assert "u1" == gate.verify_token(token).user.id

    @pytest.mark.parametrize("code", ["invalid_token", "session_expired"])
    @pytest.mark.parametrize("status", [401, 403])
    def test_what_is_one(self, gate: Face, service: FakeAuthService, status: int, code: str) -> None:
        """A refusal with one of its codes is the service's no."""
        service.answer(json.dumps({"code": code}).encode(), status=status, paths=[VALIDATE_PATH])

        assert isinstance(refusal(gate, service.token()), ag.TokenRevoked)

    def test_a_page_of_a_proxy(self, gate: Face, service: FakeAuthService) -> None:
        """Law 4.9: HTML is nobody's answer."""
        page = b"<!doctype html><title>Login</title>"
        service.answer(page, content_type="text/html", status=401, paths=[VALIDATE_PATH])

        assert isinstance(refusal(gate, service.token()), ag.AuthUnavailable)

    def test_too_many_questions(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """429 is honoured: the service is left alone for as long as it says, and callers are told as long."""
        token = service.token("u1")
        service.answer(b"", status=429, headers=[("Retry-After", "20")], paths=[VALIDATE_PATH])
        first = refusal(gate, token)
        service.recover()
        clock.advance(19.0)
        second = refusal(gate, service.token("u2"))
        asked = service.hits[VALIDATE_PATH]
        clock.advance(1.0)

        assert isinstance(first, ag.AuthUnavailable)
        assert isinstance(second, ag.AuthUnavailable)
        assert (20.0, 1.0, 1) == (first.retry_after, round(second.retry_after, 3), asked)
        assert "u1" == gate.verify_token(token).user.id

    def test_programs_go_on(self, gate: Face, service: FakeAuthService) -> None:
        """While sessions cannot be asked about, what has none is admitted by its token alone."""
        gate.verify_token(service.service_token())
        service.outage()

        assert "billing" == gate.verify_token(service.service_token()).service.id
        assert isinstance(refusal(gate, service.token()), ag.AuthUnavailable)

    def test_an_answer_that_counts_still(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """What was answered a moment ago holds through an outage until its 5 s are over, and no longer."""
        token = service.token("u1")
        gate.verify_token(token)
        service.outage()
        clock.advance(4.0)
        assert "u1" == gate.verify_token(token).user.id

        clock.advance(1.0)
        assert isinstance(refusal(gate, token), ag.AuthUnavailable)

    def test_the_keys_are_asked_for_apart(self, gate: Face, service: FakeAuthService) -> None:
        """Sessions that cannot be asked about say nothing of the keys."""
        service.answer(b"", status=500, paths=[VALIDATE_PATH])
        refusal(gate, service.token())

        assert 1 == service.hits[KEYS_PATH]


class TestTheService:
    def test_a_token_of_others(self, service: FakeAuthService, clock: ManualClock) -> None:
        """The one that tests pretend knows what it signed, whatever keys it publishes."""
        with FakeAuthService(clock=clock) as other:
            trusted = ag.Issuer.auth_service(other.url, audience=service.audience)
            other.answer(json.dumps(service.jwks()).encode(), paths=[KEYS_PATH])
            with ag.Gate(ag.GateConfig(issuers=[trusted]), clock=clock) as gate:
                with pytest.raises(ag.TokenRevoked):
                    gate.verify_token(service.token())
                assert 1 == other.hits[VALIDATE_PATH]
