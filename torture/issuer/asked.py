"""The issuer is asked about opaque tokens, and its answers are slow, huge, garbage or lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

import authgate_core as ag
from authgate_core.testing import ABSENT, FakeIssuer

from ..rows import Row
from . import moods
from .houses import House
from .moods import Misbehave
from .place import DAYS, Place
from .raw import HOSTILE, RawServer
from .story import Scenario, Story, row

__all__ = ["ROWS"]

CLIENT: Final = ag.ClientSecret("orders-api", "a-secret")
UNAVAILABLE: Final = "endpoint_unavailable"
ATTEMPT: Final = 5.0
CALL: Final = 2.0
"""Seconds; what a question may take where the answer comes at once, on a busy machine."""
GROWTH: Final = 4 * 1024
GARBAGE: Final[tuple[bytes, ...]] = (
    b"",
    b"true",
    b"[]",
    b'{"active":true',
    b'{"active":true,"active":false}',
    b'{"active":NaN}',
    b"\xff\xfe",
    b'{"a":' * 60 + b"1" + b"}" * 60,
    b'{"active":"true"}',
    b'{"active":1}',
    b'{"active":null}',
    b"{}",
)
LIES: Final[dict[str, tuple[dict[str, object], str]]] = {
    "another API's": ({"aud": "other-api"}, "token_claim"),
    "nobody's": ({"aud": ABSENT}, "token_claim"),
    "another issuer's": ({"iss": "https://other.example.com"}, "token_claim"),
    "a refresh token": ({"token_type": ABSENT}, "token_claim"),
    "bound to a key": ({"cnf": {"jkt": "x"}}, "token_claim"),
    "without an end": ({"exp": ABSENT}, "token_claim"),
    "long past": ({"exp": 1}, "token_expired"),
}
"""What an endpoint may call active all the same, and as what it is refused."""


def asking(place: Place, url: str = "") -> House:
    """A house that asks about opaque tokens."""
    issuer = place.issuer
    issuer.desk.clients[CLIENT.client_id] = "a-secret"
    spec = ag.Introspection(url or issuer.introspection_url, CLIENT)
    return place.house(
        ag.Issuer.jwks(
            issuer.jwks_url, issuer=issuer.url, audience=issuer.audience, name="id", introspection=spec
        )
    )


def opaque(place: Place, count: int = 1) -> Sequence[str]:
    """New tokens that only the issuer can read."""
    return [place.issuer.opaque_token(f"u{number}", expires_in=DAYS) for number in range(count)]


def outage(misbehave: Misbehave, bound: float, place: Place) -> Story:
    """Answers that count go on for thirty seconds; all else is 503 until the issuer answers again."""
    story, house = Story(place), asking(place)
    known, fresh, later = opaque(place, 3)
    story.innocent("before", [house.ask(known)], bound=CALL)
    misbehave(place.issuer)
    story.innocent("remembered", [house.ask(known) for _ in range(20)])
    story.innocent("new", [house.ask(fresh)], said=UNAVAILABLE, bound=bound)
    story.asked(2, at_least=2)
    place.clock.advance(31)
    story.innocent("31 s on", [house.ask(known)], said=UNAVAILABLE, bound=bound)
    place.issuer.recover()
    story.innocent("after", [house.ask(token) for token in (known, fresh, later)], bound=CALL)
    story.grown(GROWTH)
    return story


def slow_for_all(place: Place) -> Story:
    """Five questions are enough to know: after that nobody waits."""
    story, house = Story(place), asking(place)
    first, then = opaque(place, 5), opaque(place, 20)
    place.issuer.slow(30.0)
    story.innocent("first", house.crowd(first), said=UNAVAILABLE, bound=ATTEMPT)
    story.innocent("then", house.crowd(then), said=UNAVAILABLE, bound=0.0)
    story.asked(5, at_least=5)
    story.grown(GROWTH)
    return story


def garbage(place: Place) -> Story:
    """Each in turn is an outage, and never a verdict about the token."""
    story, house = Story(place), asking(place)
    answers = []
    for body in GARBAGE:
        place.issuer.answer(body)
        answers += [house.ask(token) for token in opaque(place)]
    story.innocent("garbage", answers, said=UNAVAILABLE, bound=CALL)
    place.issuer.recover()
    story.innocent("after", [house.ask(*opaque(place))], bound=CALL)
    return story


def bad_http(place: Place) -> Story:
    """As ``garbage``, one layer below; each has a house of its own, for what fails often is not asked."""
    story = Story(place)
    server = RawServer(lambda: b'{"active":true}')
    place.counted.append(lambda: server.requests)
    answers = []
    with server.serving():
        for send in HOSTILE:
            server.send = send
            answers.append(asking(place, f"{server.url}").ask("opaque"))
    story.innocent("bad HTTP", answers, said=UNAVAILABLE, bound=ATTEMPT)
    story.grown(3 * GROWTH)
    return story


def lies(place: Place) -> Story:
    """Called active by the endpoint, and refused by the rules of every token."""
    story, house = Story(place), asking(place)
    for name, (change, said) in LIES.items():
        claims = {"active": True, "token_type": "Bearer", **place.issuer.claims("u1"), **change}
        told = {claim: value for claim, value in claims.items() if value is not ABSENT}
        place.issuer.answer(json.dumps(told).encode())
        story.answered(name, [house.ask(*opaque(place))], said=said, bound=CALL)
    place.issuer.recover()
    story.innocent("after", [house.ask(*opaque(place))], bound=CALL)
    return story


def own_credentials(place: Place) -> Story:
    """No storm: five questions, then one at a time."""
    story, house = Story(place), asking(place)
    place.issuer.desk.clients.clear()
    answers = [house.ask(token) for token in opaque(place, 50)]
    story.expect("one was told as a bad token", kept=all("token" not in answer.said for answer in answers))
    story.tell(f"{len(answers)} refused")
    story.asked(5, at_least=5)
    return story


def made_up(place: Place) -> Story:
    """Whoever repeats a token that nobody issued makes the gate ask once in five seconds."""
    story, house = Story(place), asking(place)
    answers = [house.ask("made-up") for _ in range(200)]
    story.answered("made up", answers, said="token_inactive", bound=CALL)
    story.asked(1, at_least=1)
    return story


def herd(place: Place) -> Story:
    """One token in many requests is one question."""
    story, house = Story(place), asking(place)
    (token,) = opaque(place)
    place.issuer.slow(0.5)
    story.innocent("all", house.crowd([token] * 50), bound=CALL)
    story.asked(1, at_least=1)
    return story


def _row(name: str, laws: str, promised: str, scenario: Scenario) -> Row:
    return row(name, laws, promised, scenario, beside=False, waits=True)


GO_ON: Final = "remembered answers count for 30 s, all else is 503; and then all is well again"

ROWS: Final[tuple[Row, ...]] = (
    _row("asked: one token, many requests", "7.4", "one question", herd),
    _row("asked: made-up token", "7.4", "one question in 5 s, 401", made_up),
    _row("asked: slow (30 s)", "1.5, 4.9", f"5 s at most; {GO_ON}", partial(outage, moods.slow, ATTEMPT)),
    _row("asked: slow for all", "4.9", "five questions of 5 s, then 503 at once", slow_for_all),
    _row("asked: 10 MB", "1.5, 4.9", f"512 KiB are read; {GO_ON}", partial(outage, moods.large, CALL)),
    _row("asked: endless", "1.5, 4.9", f"512 KiB are read; {GO_ON}", partial(outage, moods.endless, CALL)),
    _row("asked: gzip bomb", "1.5, 4.9", f"nothing is unpacked; {GO_ON}", partial(outage, moods.bomb, CALL)),
    _row("asked: HTML", "1.5, 4.9", GO_ON, partial(outage, FakeIssuer.html, CALL)),
    _row("asked: garbage", "1.5", "503, never a verdict; active is strictly true or false", garbage),
    _row("asked: HTTP that is none", "1.5, 4.9", "503, and no exception but our own", bad_http),
    _row("asked: lies", "1.5, 7.4", "401: what is called active is held to the rules of every token", lies),
    _row("asked: our own secret is wrong", "1.6", "503, and no storm of questions", own_credentials),
)
