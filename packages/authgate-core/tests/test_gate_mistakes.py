"""Mistakes of operators: what would pass in silence is refused, with what to write instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.support.gates import Face, face, gates, store, trusted


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    with gates(fake, colour) as make:
        yield make


class TestRevokingByMistake:
    """Law 5.6: what could never match a token is refused; it would look like a revocation and be none."""

    @pytest.mark.parametrize(
        ("how", "args", "options"),
        [
            ("revoke_session", ("s-1",), {}),
            ("revoke_token", ("j-1",), {}),
            ("revoke_before", (), {"subject": "u1"}),
            ("revoke_before", (), {"client_id": "app"}),
            ("revoke_key", ("k-1",), {}),
        ],
    )
    def test_a_tenant_is_named_where_there_are_tenants_and_only_there(
        self, make: Callable[..., Face], how: str, args: tuple[str, ...], options: dict[str, str]
    ) -> None:
        """Entries are about one (issuer, tenant)."""
        log = ag.MemoryRevocation()
        with pytest.raises(ValueError, match="of a tenant; name it"):
            make(issuer={"tenant": "org"}, revocation=log).revoke(how, *args, **options)
        with pytest.raises(ValueError, match="has no tenants"):
            make(revocation=log).revoke(how, *args, **options, tenant="t1")
        make(issuer={"tenant": "org"}, revocation=log).revoke(how, *args, **options, tenant="t1")
        make(revocation=log).revoke(how, *args, **options)

    @pytest.mark.parametrize(
        "named", [{"issuer": "b"}, {"issuer": "nobody"}, {"tenant": "t2"}, {"issuer": "b", "tenant": "t1"}]
    )
    def test_a_whole_token_is_of_the_issuer_and_tenant_that_are_named(
        self, make: Callable[..., Face], fake: FakeIssuer, named: dict[str, str]
    ) -> None:
        """And is left alone otherwise."""
        issuers = [trusted(fake, tenant="org"), trusted(fake, issuer="https://b.test", name="b")]
        gate = make(issuers=issuers, shared_subjects=True, revocation=ag.MemoryRevocation())
        token = fake.token("u1", org="t1")

        with pytest.raises(ValueError, match="is of issuer 'id' and tenant 't1'"):
            gate.revoke("revoke_token", token, **named)
        assert "u1" == gate.verify_token(token).user.id

        gate.revoke("revoke_token", token, issuer="id", tenant="t1")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    @pytest.mark.parametrize("wrapped", ["Bearer {}", " {}", "{} \n", "token={} x {}"])
    def test_a_token_with_something_around_it_is_no_jti(
        self, make: Callable[..., Face], fake: FakeIssuer, wrapped: str
    ) -> None:
        """A header pasted whole would be kept as the name of a token that nobody has."""
        token = fake.token()

        with pytest.raises((ValueError, ag.MalformedToken)):
            make(revocation=ag.MemoryRevocation()).revoke("revoke_token", wrapped.format(token, token))

    def test_a_moment_has_a_time_zone(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 5.7: by the hours of this machine it could lie well before what is meant."""
        gate, token = make(revocation=ag.MemoryRevocation()), fake.token("u1")
        now = datetime.now(UTC)

        with pytest.raises(ValueError, match="has no time zone"):
            gate.revoke("revoke_before", now.replace(tzinfo=None), subject="u1")
        gate.revoke("revoke_before", now - timedelta(days=1), subject="u1")
        assert "u1" == gate.verify_token(token).user.id
        gate.revoke("revoke_before", now.astimezone(timezone(timedelta(hours=9))), subject="u1")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    def test_a_subject_is_the_mapped_id(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Where ids have a namespace, nobody is called by the bare claim."""
        gate = make(issuer={"namespace": "corp:"}, revocation=ag.MemoryRevocation())
        with pytest.raises(ValueError, match="begin with 'corp:'"):
            gate.revoke("revoke_before", subject="u1")

        token = fake.token("u1")
        gate.revoke("revoke_before", subject="corp:u1")

        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)


class TestConfiguration:
    """Law 1.6: what would only have shown at some request is said when the gate is built."""

    @pytest.mark.parametrize("given", [None, {}, "https://id.test"])
    def test_a_gate_is_given_a_configuration(self, colour: str, given: Any) -> None:
        """And says so."""
        with pytest.raises(ag.ConfigurationError, match=r"give a gate a GateConfig"):
            face(colour, given)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"token_depth": 2.5}, "token_depth: 2.5 is not a positive whole number"),
            ({"credential_limit": float("inf")}, "credential_limit"),
            ({"token_header_limit": True}, "token_header_limit"),
            ({"token_header_limit": 0}, "token_header_limit"),
            ({"verified_tokens": -1}, "verified_tokens: -1 is not a whole number from 0 to 1_000_000"),
            ({"verified_tokens": True}, "verified_tokens: True"),
            ({"verified_tokens": 1_000_001}, "verified_tokens"),
            ({"key_wait": float("inf")}, "key_wait: inf is not a positive number of seconds, at most 60"),
            ({"key_wait": float("nan")}, "key_wait"),
            ({"max_stale": float("inf")}, "max_stale"),
            ({"shadow": "false"}, "shadow: write True or False, not 'false'"),
            ({"shared_subjects": 1}, "shared_subjects: write True or False"),
            ({"service_id": ""}, "service_id: '' is not the name of a service"),
            ({"service_id": 7}, "service_id"),
            ({"on_event": asyncio.sleep}, "on_event: give a function that takes an event, and is not async"),
            ({"on_event": [print, asyncio.sleep]}, "on_event: give a function that takes an event"),
            ({"revocation": ag.MemoryRevocation}, r"give an instance, such as MemoryRevocation\(\)"),
            ({"projects": ag.StaticProjects}, "projects: StaticProjects is a class"),
        ],
    )
    def test_each_is_named(self, make: Callable[..., Face], options: dict[str, Any], expected: str) -> None:
        """With what to write instead."""
        with pytest.raises(ag.ConfigurationError, match=expected):
            make(**options)

    @pytest.mark.parametrize("revocation", ["redis://localhost", {"a": 1}, 7])
    def test_a_source_that_is_none_is_one_line(self, make: Callable[..., Face], revocation: Any) -> None:
        """A URL is not a list of letters."""
        with pytest.raises(ag.ConfigurationError) as caught:
            make(revocation=revocation)

        assert 1 == len(caught.value.problems)

    def test_roles_that_imply_themselves(self, make: Callable[..., Face]) -> None:
        """What the hierarchy says of itself is said once."""
        with pytest.raises(ag.ConfigurationError) as caught:
            make(roles=ag.RoleHierarchy({"a": ["b"], "b": ["a"]}))

        assert ["roles: 'a', 'b' imply themselves; take one link out of the circle"] == list(
            caught.value.problems
        )

    def test_issuers_of_services_need_no_namespace(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.14 is about people."""
        machines = trusted(
            fake,
            issuer="https://b.test",
            name="b",
            service_when={"m2m": True},
            grants={"kinds": ["service"]},
        )
        gate = make(issuers=[trusted(fake), machines])

        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        token = fake.token("s1", iss="https://b.test", m2m=True)
        assert "s1" == gate.verify_token(token).service.id

    def test_wrong_roles_hide_no_issuer(self, fake: FakeIssuer, colour: str) -> None:
        """One mistake hides no other."""
        wrong: dict[str, Any] = {"roles": {"admin": ["x"]}, "issuers": [trusted(fake, leeway=-1), "x"]}
        with pytest.raises(ag.ConfigurationError) as caught:
            face(colour, ag.GateConfig(**wrong))

        assert 3 == len(caught.value.problems)

    def test_a_store_takes_revocations_in_the_colour_of_the_gate(
        self, make: Callable[..., Face], colour: str
    ) -> None:
        """Law 9.4: an async revoke() that nobody awaits would write nothing, and look as if it had."""

        def revoke(self: object, entry: object) -> None: ...

        async def revoke_async(self: object, entry: object) -> None: ...

        wrong = store(colour, revoke=revoke_async if colour == "sync" else revoke)
        right = store(colour, revoke=revoke if colour == "sync" else revoke_async)

        with pytest.raises(ag.ConfigurationError, match=r"Store.revoke is (a)?sync"):
            make(revocation=wrong)
        make(revocation=right).revoke("revoke_session", "s-1")

    def test_a_list_of_sources_is_copied(self, fake: FakeIssuer) -> None:
        """What is appended later was never checked."""
        sources: list[Any] = [ag.MemoryRevocation()]
        config = ag.GateConfig(issuers=[trusted(fake)], revocation=sources)
        sources.append(7)

        assert (ag.MemoryRevocation(),) == config.sources

    @pytest.mark.parametrize(
        ("one", "other", "fine"),
        [("a:", "b:", True), ("a:", "a:", False), ("a", "ab", False), ("ab", "a", False), ("a:", "", False)],
    )
    def test_ids_of_several_issuers_cannot_meet(
        self, make: Callable[..., Face], fake: FakeIssuer, one: str, other: str, fine: bool
    ) -> None:
        """Law 3.14: "a" with "b1" and "ab" with "1" are one id."""
        issuers = [
            trusted(fake, namespace=one),
            trusted(fake, issuer="https://b.test", name="b", namespace=other),
        ]
        if fine:
            assert f"{one}u1" == make(issuers=issuers).verify_token(fake.token("u1")).user.id
            return
        with pytest.raises(ag.ConfigurationError, match="one id could mean two people"):
            make(issuers=issuers)
        make(issuers=issuers, shared_subjects=True)
