"""Connections that stay open: whom they were opened to is asked for again, and an outage borne (Law 5.13)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.gate.watching import Closing, Grant, Watch
from authgate_core.testing import FakeIssuer, ManualClock, as_user, async_gate_for_tests
from tests.support.gates import Asked, bearer, store, trusted, view

UNAVAILABLE = Closing(1013, "unavailable")


@pytest.fixture
def clock() -> ManualClock:
    """Time that a test moves."""
    return ManualClock()


@pytest.fixture
def fake(clock: ManualClock) -> FakeIssuer:
    """An issuer that lives in this time."""
    return FakeIssuer(clock=clock)


@pytest.fixture
def asked() -> Asked:
    """A revocation store that says what a test wants."""
    found: Asked = store("async", answer=False)
    return found


@pytest.fixture
def grant(fake: FakeIssuer, clock: ManualClock, asked: Asked) -> Grant:
    """A guard that let a user in."""
    config = ag.GateConfig(issuers=[trusted(fake, leeway=30)], revocation=asked)
    request = view(bearer(fake.token(expires_in=60)))
    return Grant(ag.AsyncGate(config, clock=clock), ag.is_user, optional=False, view=request, lasts=True)


Watching = Callable[..., Closing | None]


@pytest.fixture
def looked(grant: Grant) -> Watching:
    """Looks once more at a connection that one guard let in."""
    watch = Watch(lambda: [grant])
    return lambda: asyncio.run(watch.look())


def look(grants: Iterable[Grant]) -> Closing | None:
    """Look once at a connection."""
    return asyncio.run(Watch(lambda: grants).look())


class TestLook:
    def test_who_would_be_let_in_again(self, looked: Watching) -> None:
        """Nothing changed, and the connection stays open."""
        assert [None, None] == [looked(), looked()]

    def test_who_was_revoked(self, looked: Watching, asked: Asked) -> None:
        """The client learns as much as of a refusal."""
        looked()
        asked.answer = True
        assert Closing(4401, "token_invalid") == looked()

    def test_whose_token_expired(self, looked: Watching, clock: ManualClock) -> None:
        """It is open to the end of the leeway, and no longer."""
        clock.advance(60 + 29)
        assert None is looked()
        clock.advance(1)
        assert Closing(4401, "token_expired") == looked()

    def test_several_guards(self, grant: Grant, asked: Asked) -> None:
        """What they have in common is asked for once in each look, and one refusal is enough."""
        assert None is look([grant, replace(grant, optional=True)])
        assert 1 == asked.asked
        assert Closing(4403, "forbidden") == look([grant, replace(grant, policy=ag.any_role("admin"))])

    def test_a_guard_that_let_nobody_in(self, grant: Grant, asked: Asked) -> None:
        """Nobody can be revoked, so nobody is asked."""
        asked.answer = True
        assert None is look([replace(grant, lasts=False)])
        assert 0 == asked.asked

    def test_a_guard_that_came_later(self, grant: Grant, asked: Asked) -> None:
        """Each look asks which guards there are by then."""
        grants: list[Grant] = []
        watch = Watch(lambda: grants)
        asked.answer = True
        assert None is asyncio.run(watch.look())
        grants.append(grant)
        assert Closing(4401, "token_invalid") == asyncio.run(watch.look())

    def test_a_stand_in(self, fake: FakeIssuer) -> None:
        """Law 9.6: who stands in for a caller stays for as long as it does."""
        gate = async_gate_for_tests(ag.GateConfig(issuers=[trusted(fake)]))
        grants = [Grant(gate, ag.is_user, optional=False, view=view(), lasts=True)]
        with as_user("ann"):
            assert None is look(grants)
        assert Closing(4401, "credentials_missing") == look(grants)


class TestOutage:
    """Laws 1.5 and 5.13: it says nothing about who was admitted, for 60 s."""

    def test_borne(self, looked: Watching, asked: Asked, clock: ManualClock) -> None:
        """Then the code is 1013: come back later."""
        asked.answer = ag.RevocationUnavailable("down")
        assert None is looked()
        clock.advance(59)
        assert None is looked()
        clock.advance(1)
        assert UNAVAILABLE == looked()

    def test_over(self, looked: Watching, asked: Asked, clock: ManualClock) -> None:
        """One that ends in time is forgotten."""
        for answer in (ag.RevocationUnavailable("down"), False, ag.RevocationUnavailable("down")):
            asked.answer = answer
            assert None is looked()
            clock.advance(40)

    def test_a_definite_answer_beside_it(self, grant: Grant, fake: FakeIssuer, asked: Asked) -> None:
        """What another guard knows for sure is not put off."""
        asked.answer = ag.RevocationUnavailable("down")
        other = ag.AsyncGate(ag.GateConfig(issuers=[trusted(fake)]), clock=grant.gate.clock)
        assert Closing(4403, "forbidden") == look(
            [grant, replace(grant, gate=other, policy=ag.any_role("admin"))]
        )


class TestGrant:
    def test_equal_where_it_would_be_the_same(self, grant: Grant) -> None:
        """However often a guard is passed, it is one to ask again; any other is another."""
        assert grant == replace(grant, view=view())
        others: list[dict[str, Any]] = [{"policy": ag.is_service}, {"optional": True}, {"lasts": False}]
        assert [] == [other for other in others if grant == replace(grant, **other)]
