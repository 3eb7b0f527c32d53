"""``AsyncGate.begin``: decided at once where nobody has to be asked, and otherwise as ``admit`` decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import Asked, bearer, store, trusted, view


@pytest.fixture(name="fake", scope="module")
def _fake() -> Iterator[FakeIssuer]:
    with FakeIssuer() as fake:
        yield fake


def remote(fake: FakeIssuer) -> ag.Issuer:
    """The issuer with keys that must be fetched."""
    return ag.Issuer.oidc(fake.url, audience=fake.audience)


def gate(fake: FakeIssuer, **options: Any) -> ag.AsyncGate:
    """A gate that knows its keys."""
    return ag.AsyncGate(ag.GateConfig(**{"issuers": [trusted(fake)], **options}))


class TestBegin:
    """What needs no answer from anybody needs no loop either."""

    def test_a_good_token(self, fake: FakeIssuer) -> None:
        """The admission is there at once."""
        begun = gate(fake).begin(view(bearer(fake.token(sub="u1"))), ag.is_user)
        assert isinstance(begun.outcome, ag.Admission)
        assert "u1" == begun.outcome.user.id

    def test_a_refusal(self, fake: FakeIssuer) -> None:
        """So is the refusal, and neither is reported twice."""
        events: list[Any] = []
        begun = gate(fake, on_event=events.append).begin(view(), ag.is_user)
        assert isinstance(begun.outcome, ag.MissingCredentials)
        assert ["credentials_missing"] == [event.code for event in events if isinstance(event, Decided)]

    def test_nobody_where_optional(self, fake: FakeIssuer) -> None:
        """An admission of nobody is an outcome, not an open question."""
        assert ag.Admission() == gate(fake).begin(view(), ag.is_user, optional=True).outcome

    def test_a_policy_without_a_source(self, fake: FakeIssuer) -> None:
        """It is as wrong here as elsewhere."""
        with pytest.raises(ag.ConfigurationError, match="nobody knows projects"):
            gate(fake).begin(view(), ag.is_project)


class TestFinish:
    """What was begun ends as ``admit`` does, and asks once."""

    def test_keys_that_must_be_fetched(self, fake: FakeIssuer) -> None:
        """The first request waits for them, the second is decided at once."""

        async def both() -> tuple[object, ag.Admission, object]:
            async with ag.AsyncGate(ag.GateConfig(issuers=[remote(fake)])) as cold:
                begun = cold.begin(view(bearer(fake.token(sub="u1"))), ag.is_user)
                admission = await begun.finish()
                return begun.outcome, admission, cold.begin(view(bearer(fake.token())), ag.is_user).outcome

        undecided, admission, warm = asyncio.run(both())
        assert (None, "u1") == (undecided, admission.user.id)
        assert isinstance(warm, ag.Admission)

    def test_a_store_that_must_be_asked(self, fake: FakeIssuer) -> None:
        """The flow goes on from where it waits: the store is asked once, and its yes refuses."""
        asked: Asked = store("async", answer=True)
        begun = gate(fake, revocation=asked).begin(view(bearer(fake.token())), ag.is_user)
        with pytest.raises(ag.TokenRevoked):
            asyncio.run(begun.finish())
        assert (None, 1) == (begun.outcome, asked.asked)

    def test_it_is_waited_for_once(self, fake: FakeIssuer) -> None:
        """Whoever waits again, or meanwhile, is told so, and nobody is asked a second time."""
        asked: Asked = store("async")
        begun = gate(fake, revocation=asked).begin(view(bearer(fake.token(sub="u1"))), ag.is_user)

        async def twice() -> list[object]:
            return [*await asyncio.gather(begun.finish(), begun.finish(), return_exceptions=True)]

        admission, again = asyncio.run(twice())
        assert isinstance(admission, ag.Admission)
        assert isinstance(again, RuntimeError)
        with pytest.raises(RuntimeError, match="finished once"):
            asyncio.run(begun.finish())
        assert 1 == asked.asked

    def test_what_is_decided(self, fake: FakeIssuer) -> None:
        """Waiting for it gives the same."""
        admitted = gate(fake).begin(view(bearer(fake.token(sub="u1"))), ag.is_user)
        refused = gate(fake).begin(view(), ag.is_user)
        assert "u1" == asyncio.run(admitted.finish()).user.id
        with pytest.raises(ag.MissingCredentials):
            asyncio.run(refused.finish())

    def test_the_memo(self, fake: FakeIssuer) -> None:
        """A kind that was authenticated by waiting is remembered for the next policy (Law 2.6)."""
        asked: Asked = store("async")
        waiting, memo = gate(fake, revocation=asked), Memo()
        request = view(bearer(fake.token()), memo=memo)
        asyncio.run(waiting.begin(request, ag.is_user).finish())
        second = waiting.begin(request, ag.is_user & ag.from_issuer("id"))
        assert isinstance(second.outcome, ag.Admission)
        assert 1 == asked.asked
