"""The rows of whoever is asked about credentials can fail: each is run with the code taken out that keeps its law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import pytest

from authgate_core.breaker import Breaker
from authgate_core.cache import Answers
from authgate_core.effects import Answered, Endpoint, Flow
from authgate_core.flows import introspection, remote_keys, sessions
from authgate_core.flows.asking import Said
from authgate_core.io import http
from authgate_core.jose import verify
from authgate_core.jose.compact import parse_object
from authgate_core.principal import ApiKey
from authgate_core.runner import exchanges
from tests.support.torture_scenarios import Broken, what_broke
from torture.issuer import asked, desks, moods
from torture.issuer.place import Place
from torture.issuer.story import Story
from torture.rows import BOTH, Colour

EVERY: Final[Sequence[desks.Open]] = (desks.introspection, desks.sessions, desks.keys)


def every_request_asks(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: a call is nobody else's."""
    join = exchanges.Exchanges._join

    def alone(self: exchanges.Exchanges, effect: Any) -> Any:
        for line in self._lines.values():
            line.flights.clear()
        return join(self, effect)

    patch.setattr(exchanges.Exchanges, "_join", alone)


def nothing_is_remembered(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: each request asks anew."""
    patch.setattr(Answers, "recall", lambda *_: None)


def remembered_for_an_hour(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: an answer counts for longer than it may."""
    patch.setattr(sessions, "_REMEMBERED", 3600.0)


def a_no_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: a yes alone is remembered."""
    patch.setattr(Answers, "refuse", lambda *_, **__: None)


def bodies_are_read_whole(patch: pytest.MonkeyPatch) -> None:
    """Law 4.9: whatever is sent is read, of refusals as well."""
    for limit in ("_MAX_BODY", "_MAX_REFUSAL"):
        patch.setattr(http, limit, 1 << 40)


def pages_are_read(patch: pytest.MonkeyPatch) -> None:
    """Law 4.9: a document is one under any type."""
    patch.setattr(http, "_check_form", lambda *_: None)


def the_first_piece_is_enough(patch: pytest.MonkeyPatch) -> None:
    """Law 4.9: an answer counts that never came to its end."""
    patch.setattr(http, "_read_body", lambda chunks, *_: next(iter(chunks), b""))


def no_breaker(patch: pytest.MonkeyPatch) -> None:
    """Law 1.5: an endpoint that fails is asked by every request."""
    patch.setattr(Breaker, "failed", lambda breaker, _: breaker)


def an_open_breaker_stays_open(patch: pytest.MonkeyPatch) -> None:
    """Law 1.5: no probe is ever made."""
    patch.setattr(Breaker, "start_probe", lambda *_: None)


def retry_after_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: whoever asks to be left alone is asked all the same."""
    patch.setattr(exchanges, "_pause", lambda _: 0.0)


def retry_after_has_no_bound(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: whoever asks for a year gets it."""
    patch.setattr(exchanges, "_LONGEST_PAUSE", 1e9)


def garbage_counts_as_no(patch: pytest.MonkeyPatch) -> None:
    """Law 1.5: what an endpoint cannot have meant is taken for a no."""
    patch.setattr(introspection, "_object", lambda _body: {"active": False})


def answers_are_believed(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: what is called active is held to no rule."""
    vouch = verify.vouch

    def believed(claims: Any, name: str, payload: bytes, rules: Any, now: Any) -> Any:
        whole = {**claims, "iss": rules.issuer, "aud": [*(rules.audience or ())], "token_type": "Bearer"}
        whole |= {"exp": now.wall + 60}
        whole.pop("cnf", None)
        return vouch(whole, name, payload, rules, now)

    patch.setattr(introspection, "vouch", believed)


def any_refusal_is_a_no(patch: pytest.MonkeyPatch) -> None:
    """Law 1.5: whoever refuses is taken for the service."""
    patch.setattr(sessions, "_code", lambda _body: "session_expired")


def any_success_is_a_yes(patch: pytest.MonkeyPatch) -> None:
    """Law 1.5: 200 is as good as 204."""
    read = sessions._read

    def believed(endpoint: Endpoint, answered: Answered) -> Flow[Said[bool]]:
        if answered.reply.status < 300:
            return Said(value=True, lasts=5.0)
        return (yield from read(endpoint, answered))

    patch.setattr(sessions, "_read", believed)


def valid_is_read_loosely(patch: pytest.MonkeyPatch) -> None:
    """Law 1.5: ``valid`` may be anything that is not nothing."""

    def loose(*given: Any) -> dict[str, Any]:
        answer = parse_object(*given)
        return {**answer, "valid": bool(answer.get("valid"))}

    patch.setattr(remote_keys, "parse_object", loose)


def ends_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    """Law 7.4: a yes is one, whatever it says of the end of the key."""
    patch.setattr(ApiKey, "has_expired", lambda *_: False)


def a_refusal_of_ours_is_like_any(patch: pytest.MonkeyPatch) -> None:
    """Law 1.6: nobody is called, and every request asks."""
    patch.setattr(remote_keys, "_OURSELVES", frozenset())


Told: TypeAlias = Callable[[desks.Open, Place], Story]


def outage(trouble: asked.Trouble, lasts: float) -> Told:
    """A scenario of answers that come at once, and of what was answered before."""

    def told(opens: desks.Open, place: Place) -> Story:
        return asked.outage(opens, trouble, asked.CALL, lasts, place)

    return told


LARGE: Final = partial(asked.whole, moods.send_large)
CASES: Final[Sequence[tuple[desks.Open, Told, Broken, str]]] = [
    *((opens, asked.herd, every_request_asks, "requests by then") for opens in EVERY),
    *((opens, asked.refused, a_no_is_forgotten, "requests by then") for opens in EVERY),
    *((opens, outage(LARGE, 60), bodies_are_read_whole, "new: not all were") for opens in EVERY),
    *((opens, outage(asked.page, 60), pages_are_read, "new: not all were") for opens in EVERY),
    (desks.sessions, asked.bad_http, the_first_piece_is_enough, "bad HTTP: not all were"),
    (desks.keys, outage(asked.page, 60), nothing_is_remembered, "remembered: not all were"),
    (desks.sessions, outage(asked.page, 5), remembered_for_an_hour, "6 s on: not all were"),
    (desks.sessions, asked.errors, no_breaker, "requests by then"),
    (desks.keys, asked.errors, an_open_breaker_stays_open, "after: not all were"),
    (desks.sessions, asked.told_to_wait, retry_after_is_not_heard, "still: not all were"),
    (desks.keys, asked.told_to_wait, retry_after_has_no_bound, "a minute on: not all were"),
    (desks.introspection, asked.garbage, garbage_counts_as_no, "garbage: not all were"),
    (desks.sessions, asked.garbage, any_refusal_is_a_no, "garbage: not all were"),
    (desks.keys, asked.garbage, valid_is_read_loosely, "garbage: not all were"),
    (desks.introspection, asked.lies, answers_are_believed, "another API's: not all were"),
    (desks.sessions, asked.lies, any_success_is_a_yes, "200 and a yes: not all were"),
    (desks.keys, asked.lies, ends_are_not_looked_at, "past its end: not all were"),
    (desks.keys, asked.own_credentials, a_refusal_of_ours_is_like_any, "no alarm"),
]


class TestRowsThatCanFail:
    @pytest.mark.parametrize("colour", BOTH)
    @pytest.mark.parametrize(
        ("opens", "scenario", "broken", "told"),
        CASES,
        ids=[f"{opens.__name__}-{broken.__name__}" for opens, _, broken, _ in CASES],
    )
    def test_it_does_not_hold_without_the_code_that_keeps_it(
        self,
        opens: desks.Open,
        scenario: Told,
        broken: Broken,
        told: str,
        colour: Colour,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Laws 1.5, 1.6, 4.9 and 7.4, each broken on purpose; the row says what came of it."""
        broken(monkeypatch)

        assert told in what_broke(partial(scenario, opens), colour)
