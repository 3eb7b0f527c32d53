"""The rows of services that call others can fail: each is run with the code taken out that keeps its promise."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from authgate_core.keyring.pacing import Backoff
from authgate_core.outbound import answers, supply
from authgate_core.outbound.supply import Supply
from authgate_core.outbound.tokens import Held
from tests.support.torture_scenarios import Broken, Scenario, what_broke
from torture.issuer import calls
from torture.rows import Colour


def everybody_asks(patch: pytest.MonkeyPatch) -> None:
    """Nobody joins a call under way."""
    join = Supply._join

    def alone(self: Supply, *args: Any) -> Any:
        self._flights.clear()
        return join(self, *args)

    patch.setattr(Supply, "_join", alone)


def what_is_due_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    """A token is of no use from the moment on at which the next is due."""
    patch.setattr(Held, "good", lambda self, now: self.fresh(now, None))
    patch.setattr(
        Held,
        "fresh",
        lambda self, now, _: None if self.token is None or self.token.is_due(now, 1) else self.token,
    )


def nobody_backs_off(patch: pytest.MonkeyPatch) -> None:
    """After a failure the next attempt starts at once."""
    patch.setattr(Backoff, "is_over", lambda *_: True)


def the_breaker_is_gone(patch: pytest.MonkeyPatch) -> None:
    """Whatever has failed before, each token is asked for."""
    patch.setattr(Supply, "_run", _without_exchanges)


def _without_exchanges(self: Supply, flow: Any) -> Any:
    for line in self._exchanges._lines.values():
        line.breaker = type(line.breaker)(line.breaker.pace)
    effect = next(flow)
    try:
        while True:
            effect = flow.send(self._exchanges.ask(effect))
    except StopIteration as stop:
        return stop.value


def a_failure_ends_the_token(patch: pytest.MonkeyPatch) -> None:
    """What is good still is thrown away with the first attempt that fails."""
    failed = Held.failed

    def forgetful(self: Held, *args: Any) -> Held:
        return replace(failed(self, *args), token=None)

    patch.setattr(Held, "failed", forgetful)


def nobody_stops(patch: pytest.MonkeyPatch) -> None:
    """A client that is refused asks for the next token all the same."""
    patch.setattr(supply, "_STOPPED_FOR", 0.0)


def anything_is_a_token(patch: pytest.MonkeyPatch) -> None:
    """Whatever stands in the answer is put into a header."""
    patch.setattr(answers, "_BEARER", re.compile(r".*", re.DOTALL))


CASES: list[tuple[Scenario, Broken, str]] = [
    (calls.herd, everybody_asks, "requests by then, not 2"),
    (calls.hung, what_is_due_is_waited_for, "due: "),
    (calls.failing, the_breaker_is_gone, "attempts, not 5"),
    (calls.failing, nobody_backs_off, "attempts while it was due, not 1"),
    (calls.flapping, a_failure_ends_the_token, "an hour: not all were admitted"),
    (calls.refused, nobody_stops, "requests by then, not 3"),
    (calls.garbage, anything_is_a_token, "garbage: not all were"),
]


class TestTheRowsCanFail:
    @pytest.mark.parametrize("colour", ["sync", "async"])
    @pytest.mark.parametrize(("scenario", "broken", "told"), CASES)
    def test_a_promise_that_is_not_kept_is_told(
        self, scenario: Scenario, broken: Broken, told: str, colour: Colour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the code that keeps it the row says BROKEN, and what is."""
        broken(monkeypatch)
        assert told in what_broke(scenario, colour)
