"""The rows of the issuer can fail: each is run with the code taken out that keeps its law."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from authgate_core.flows import keys as flows
from authgate_core.io import http
from authgate_core.keyring.pacing import Bucket
from authgate_core.keyring.state import RingState
from authgate_core.runner import refresher
from tests.support.torture_scenarios import Broken, Scenario, what_broke
from torture.issuer import answers, herds, hours, moods
from torture.rows import BOTH, Colour


def no_bucket(patch: pytest.MonkeyPatch) -> None:
    """Law 4.5: every unknown kid may cause a fetch."""
    patch.setattr(Bucket, "has_one", lambda *_: True)


def outage_wipes_keys(patch: pytest.MonkeyPatch) -> None:
    """Law 4.4: after a failure nothing answers any more."""
    failed = RingState.failed

    def wiped(state: RingState, *given: Any, **options: Any) -> RingState:
        after = failed(state, *given, **options)
        return RingState(after.times, backoff=after.backoff, last_error=after.last_error)

    patch.setattr(RingState, "failed", wiped)


def keys_are_kept(patch: pytest.MonkeyPatch) -> None:
    """Law 4.7: a document adds keys and takes none away."""
    loaded = RingState.loaded

    def kept(state: RingState, document: Any, *given: Any, **options: Any) -> RingState:
        after = loaded(state, document, *given, **options)
        return (
            after
            if state.keys is None
            else loaded(state, replace(document, keys=state.keys), *given, **options)
        )

    patch.setattr(RingState, "loaded", kept)


def no_body_limit(patch: pytest.MonkeyPatch) -> None:
    """Law 4.9: whatever is sent is read."""
    patch.setattr(http, "_MAX_BODY", 1 << 40)


def pages_are_read(patch: pytest.MonkeyPatch) -> None:
    """Law 4.9: a document is one under any type."""
    patch.setattr(http, "_check_form", lambda *_: None)


def definite_answers_are_failures(patch: pytest.MonkeyPatch) -> None:
    """Law 4.4: an issuer that says that it has no keys is never believed."""
    patch.setattr(flows, "_GONE", frozenset())


def every_request_fetches(patch: pytest.MonkeyPatch) -> None:
    """Law 4.1: a refresh is nobody else's."""
    start = refresher.KeyRefresher.start

    def alone(self: refresher.KeyRefresher, name: Any, **options: Any) -> Any:
        with self._lock:
            self._flights.pop(name, None)
            self._rings[name].state = self._rings[name].state.abandoned()
        return start(self, name, **options)

    patch.setattr(refresher.KeyRefresher, "start", alone)


CASES: list[tuple[Scenario, Broken, str]] = [
    (herds.cold_herd, every_request_fetches, "requests by then"),
    (herds.warm_flood, no_bucket, "requests by then"),
    (partial(answers.goes_on, moods.large), no_body_limit, "cold: not all were keys_unavailable"),
    (answers.other_types, pages_are_read, "text/html: not all were keys_unavailable"),
    (
        partial(answers.ends, moods.gone),
        definite_answers_are_failures,
        "then: not all were keys_unavailable",
    ),
    (hours.expired_in_outage, outage_wipes_keys, "5 min on: not all were admitted"),
    (hours.withdrawn, keys_are_kept, "withdrawn key: not all were token_key_unknown"),
]


class TestRowsThatCanFail:
    @pytest.mark.parametrize("colour", BOTH)
    @pytest.mark.parametrize(("scenario", "broken", "told"), CASES, ids=[case[1].__name__ for case in CASES])
    def test_it_does_not_hold_without_the_code_that_keeps_it(
        self, scenario: Scenario, broken: Broken, told: str, colour: Colour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Laws 4.1, 4.4, 4.5, 4.7 and 4.9, each broken on purpose; the row says what came of it."""
        broken(monkeypatch)

        assert told in what_broke(scenario, colour)
