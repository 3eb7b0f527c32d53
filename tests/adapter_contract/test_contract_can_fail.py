"""An adapter that is broken on purpose breaks the rows that are about what was broken, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import request

import authgate_core as ag
from authgate_core.policy import AllOf, Leaf
from authgate_core.policy.terms import Roles
from authgate_flask import guard
from authgate_flask.admit import admit as real
from authgate_flask.visit import visit_of
from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.adapters.flask_sync import FlaskSync
from tests.adapter_contract.cases import asked
from tests.adapter_contract.promises import Outcome
from tests.adapter_contract.rows import ROWS
from tests.adapter_contract.world import World

Admit = Callable[..., ag.Admission]


def ignores_errors(*asked: Any, optional: bool = False, **named: Any) -> ag.Admission:
    """Takes *optional* for *whatever is wrong with it*."""
    try:
        return real(*asked, optional=optional, **named)
    except ag.AuthgateError:
        if not optional:
            raise
        visit_of(request).admission = ag.Admission()
        return ag.Admission()


def takes_outages_for_bad_tokens(*asked: Any, **named: Any) -> ag.Admission:
    """Answers 401 where nobody could check."""
    try:
        return real(*asked, **named)
    except ag.AuthUnavailable:
        raise ag.InvalidToken("the store did not know it") from None


def looks_at_the_other(here: Any, request: Any, policy: ag.Policy, **named: Any) -> ag.Admission:
    """Checks the roles of the project where those of the user are asked, and the other way round."""
    return real(here, request, mistaken(policy), **named)


def mistaken(policy: ag.Policy) -> ag.Policy:
    """The policy with every ``of=`` of a role pointing to the other principal."""
    if isinstance(policy, AllOf):
        return AllOf(tuple(map(mistaken, policy.parts)))
    if isinstance(policy, Leaf) and isinstance(policy.term, Roles) and policy.term.of is not None:
        other = ag.Project if policy.term.of == ag.is_user.term else ag.User
        return ag.any_role(*policy.term.names, of=other)
    return policy


@pytest.fixture(name="adapter")
def _adapter(world: World) -> Iterator[Adapter[Any]]:
    with FlaskSync(world, asked(FlaskSync)) as adapter:
        yield adapter


class TestBroken:
    @pytest.mark.parametrize(
        ("broken", "rows", "statuses"),
        [
            (
                ignores_errors,
                {row.name for row in ROWS if row.optional and row.promise.outcome is not Outcome.ADMITTED},
                {200},
            ),
            (
                takes_outages_for_bad_tokens,
                {row.name for row in ROWS if row.promise.outcome is Outcome.UNAVAILABLE},
                {401},
            ),
            (
                looks_at_the_other,
                {"a role of the project", "a role of the project alone", "a role of the user alone"},
                {200, 403},
            ),
        ],
    )
    def test_breaks_its_rows(
        self,
        monkeypatch: pytest.MonkeyPatch,
        adapter: Adapter[Any],
        broken: Admit,
        rows: set[str],
        statuses: set[int],
    ) -> None:
        """Law 9.3: the contract can fail, and the rows that do say what is wrong."""
        monkeypatch.setattr(guard, "admit", broken)
        answers = [(row, adapter.ask(row)) for row in asked(FlaskSync)]
        wrong = [
            (row.name, answer.status) for row, answer in answers if answer != adapter.tells(row.promised)
        ]
        assert (rows, statuses) == ({name for name, _ in wrong}, {status for _, status in wrong})
