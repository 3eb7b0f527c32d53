"""Answers that are slow, endless, huge, compressed, cut off, of the wrong kind or from the wrong place."""

from __future__ import annotations

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Final

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_core.testing.issuer import DISCOVERY_PATH

from ..patience import within
from ..rows import Row
from . import moods
from .alarms import Alarm
from .houses import House, Mint
from .moods import BAD_DOCUMENTS, BAD_KEYS, Misbehave
from .place import Place
from .raw import HOSTILE, RawServer, drip
from .story import Scenario, Story, row

__all__ = ["ROWS"]

STALE: Final = 301
"""Seconds after which a set is due for a refresh."""

KEYS_UNAVAILABLE: Final = "keys_unavailable"
KEY_WAIT: Final = 2.0
ATTEMPT: Final = 5.0
GROWTH: Final = 4 * 1024
"""KiB; what 512 KiB of a body take while they are read, and a thread, and a connection."""


def goes_on(misbehave: Misbehave, place: Place) -> Story:
    """Keys that are known go on answering; where none is known the answer is 503; and then all is well again."""
    story, house = Story(place), place.warm()
    misbehave(place.issuer)
    place.clock.advance(STALE)
    _stale(story, house, place.regulars(), seconds=0.4)
    house.settle()
    story.asked(2, at_least=1)
    cold = place.house()
    story.answered("cold", [cold.ask(place.token())], said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    story.grown(GROWTH)
    _recovers(story, house, cold)
    return story


def hangs(misbehave: Misbehave, place: Place) -> Story:
    """As ``goes_on``, where an attempt takes as long as it may."""
    story, house = Story(place), place.warm()
    misbehave(place.issuer)
    place.clock.advance(STALE)
    _hanging(story, house)
    story.grown(GROWTH)
    return story


def hangs_cold(misbehave: Misbehave, place: Place) -> Story:
    """Where no key is known, all wait for as long as the law lets them, and no longer."""
    story, house = Story(place), place.house()
    misbehave(place.issuer)
    answers = house.crowd([place.token() for _ in range(20)])
    story.innocent("cold", answers, said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    story.asked(1, at_least=1)
    story.grown(GROWTH)
    return story


def drips(place: Place) -> Story:
    """From the first byte of the status line on."""
    with _raw(place) as server:
        story, house = Story(place), place.house(url=server.url)
        story.innocent("before", [house.ask(place.token())], bound=KEY_WAIT)
        server.send = drip
        place.clock.advance(STALE)
        _hanging(story, house)
        story.grown(GROWTH)
    return story


def bad_http(place: Place) -> Story:
    """Each in turn: known keys go on, and of a cold set the answer is 503."""
    story = Story(place)
    known, cold = [], []
    with _raw(place) as server:
        for send in HOSTILE:
            house = place.house(url=server.url)
            house.ask(place.token())
            server.send, right = send, server.send
            place.clock.advance(STALE)
            known.append(house.ask(place.token()))
            cold.append(place.house(url=server.url).ask(place.token()))
            server.send = right
    story.innocent("stale", known)
    story.answered("cold", cold, said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    story.asked(3 * len(HOSTILE), at_least=3 * len(HOSTILE))
    story.grown(3 * GROWTH)  # twenty gates
    return story


@contextmanager
def _raw(place: Place) -> Generator[RawServer]:
    server = RawServer(lambda: json.dumps(place.issuer.jwks()).encode())
    place.counted.append(lambda: server.requests)
    with server.serving():
        yield server


def redirected(place: Place) -> Story:
    """To a place that has the very keys, and is never asked."""
    with FakeIssuer(clock=place.clock) as elsewhere:
        elsewhere.answer(json.dumps(place.issuer.jwks()).encode())
        to = [("Location", elsewhere.jwks_url)]
        story = goes_on(lambda issuer: issuer.answer(b"", status=302, headers=to), place)
        followed = elsewhere.hits.total()
    story.tell(f"{followed} followed")
    story.expect("a redirect was followed", kept=followed == 0)
    return story


def other_types(place: Place) -> Story:
    """A right document under types that say little, and under that of a page."""
    story = Story(place)
    document = json.dumps(place.issuer.jwks()).encode()
    for kind in ("text/plain", "application/octet-stream", "application/jwk-set+json"):
        place.issuer.answer(document, content_type=kind)
        story.innocent(kind, [place.house().ask(place.token())], bound=KEY_WAIT)
    place.issuer.answer(document, content_type="text/html")
    page = place.house().ask(place.token())
    story.answered("text/html", [page], said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    story.asked(4, at_least=4)
    return story


def bad_documents(place: Place) -> Story:
    """Each in turn: known keys go on, and of a cold set the answer is 503."""
    story, house = Story(place), place.warm()
    known, cold = [], []
    for document in BAD_DOCUMENTS:
        place.issuer.answer(document)
        place.clock.advance(STALE)
        known.append(house.ask(place.token()))
        house.settle()
        cold.append(place.house().ask(place.token()))
    story.innocent("stale", known)
    story.answered("cold", cold, said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    story.asked(2 * len(BAD_DOCUMENTS), at_least=2 * len(BAD_DOCUMENTS))
    return story


def bad_keys(place: Place) -> Story:
    """Around the good one."""
    story = Story(place)
    document = {"keys": [*BAD_KEYS, *place.issuer.jwks()["keys"], *BAD_KEYS]}
    place.issuer.answer(json.dumps(document).encode())
    house = place.house()
    story.innocent("cold", [house.ask(place.token())], bound=KEY_WAIT)
    secret = house.ask(place.token(headers={"kid": "shared-secret"}))
    story.answered("kid of a bad key", [secret], said="token_key_unknown", bound=KEY_WAIT)
    return story


def wrong_issuer(place: Place) -> Story:
    """In discovery: its keys are not fetched, and somebody is called."""
    story, alarm = Story(place), Alarm()
    trusted = ag.Issuer.oidc(place.issuer.url, audience=place.issuer.audience)
    warm = place.warm(trusted)
    document = {"issuer": "https://other.example.com", "jwks_uri": place.issuer.jwks_url}
    place.issuer.answer(json.dumps(document).encode(), paths=[DISCOVERY_PATH])
    cold = place.house(trusted, on_event=alarm)
    story.answered("cold", [cold.ask(place.token())], said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    story.alarmed(alarm)
    story.asked(1, at_least=1)
    place.clock.advance(STALE)
    _stale(story, warm, place.regulars(), seconds=0.4)
    return story


def ends(misbehave: Misbehave, place: Place) -> Story:
    """Definite answers: one is not believed, three over five minutes are, fifteen minutes after the first."""
    story, house = Story(place), place.warm()
    misbehave(place.issuer)
    known = []
    for seconds in (STALE, 150, 150, 590):
        place.clock.advance(seconds)
        known.append(house.ask(place.token()))
        house.settle()
    story.innocent("for 15 min", known)
    place.clock.advance(20)
    story.answered("then", [house.ask(place.token())], said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    house.settle()
    _recovers(story, house)
    return story


def _stale(story: Story, house: House, regulars: Mint, *, seconds: float) -> None:
    place = story.place
    throng = house.throng(seconds, regulars, junk=place.junk, attackers=0)
    story.innocent("stale", throng.innocent)


def _hanging(story: Story, house: House) -> None:
    """One attempt, which ends by itself; in the full form the next, which comes after a pause of a second."""
    regulars = story.place.regulars()
    before, started = story.place.requests, time.monotonic()
    _stale(story, house, regulars, seconds=3.0)
    story.asked(before + 1, at_least=before + 1)
    house.settle()
    took = time.monotonic() - started
    story.expect(f"an attempt took {took:.1f} s", kept=within(took, ATTEMPT))
    if story.place.form == "full":
        _stale(story, house, regulars, seconds=3.0)
        story.asked(before + 2, at_least=before + 2)


def _recovers(story: Story, *houses: House) -> None:
    place = story.place
    place.issuer.recover()
    place.clock.advance(61)
    story.innocent("after", [house.ask(place.token()) for house in houses], bound=KEY_WAIT)


KNOWN_GO_ON: Final = "known keys go on, none waits; where none is known: 503"


def _goes_on(name: str, laws: str, promised: str, scenario: Scenario) -> Row:
    return row(name, laws, promised, scenario, waits=True, peer_patience=5)


ROWS: Final[tuple[Row, ...]] = (
    row(
        "slow (30 s)",
        "4.4, 4.9",
        "known keys go on, none waits; an attempt ends after 5 s",
        partial(hangs, moods.slow),
        waits=True,
        peer_patience=31,
    ),
    row(
        "slow (30 s), cold",
        "4.10",
        "all wait for one fetch, 2 s at most, then 503",
        partial(hangs_cold, moods.slow),
        waits=True,
        peer_patience=31,
    ),
    row(
        "a byte a second",
        "4.4, 4.9",
        "known keys go on, none waits; an attempt ends after 5 s",
        drips,
        waits=True,
    ),
    row(
        "body a byte a second",
        "4.4, 4.9",
        "the same where the head comes at once",
        partial(hangs, moods.dripping),
        waits=True,
    ),
    _goes_on(
        "endless", "4.4, 4.9", f"512 KiB are read, no more; {KNOWN_GO_ON}", partial(goes_on, moods.endless)
    ),
    _goes_on("10 MB", "4.4, 4.9", f"512 KiB are read, no more; {KNOWN_GO_ON}", partial(goes_on, moods.large)),
    _goes_on("gzip bomb", "4.4, 4.9", f"nothing is unpacked; {KNOWN_GO_ON}", partial(goes_on, moods.bomb)),
    _goes_on("truncated", "4.4, 4.8", KNOWN_GO_ON, partial(goes_on, moods.truncated)),
    _goes_on("HTML with 200", "4.4, 4.9", KNOWN_GO_ON, partial(goes_on, FakeIssuer.html)),
    _goes_on(
        "empty key list",
        "4.4",
        "one is not believed; three over 5 min end the set 15 min after the first; a good one brings it back",
        partial(ends, FakeIssuer.empty_keys),
    ),
    _goes_on(
        "404 for good",
        "4.4",
        "one is not believed; three over 5 min end the set 15 min after the first; a good one brings it back",
        partial(ends, moods.gone),
    ),
    _goes_on(
        "documents that are none",
        "4.4, 4.8",
        f"{KNOWN_GO_ON}; no exception but our own",
        bad_documents,
    ),
    _goes_on("HTTP that is none", "4.4, 4.9", f"{KNOWN_GO_ON}; no exception but our own", bad_http),
    _goes_on("one good key among bad", "4.8", "the good one answers, the bad ones never", bad_keys),
    _goes_on("redirects", "4.4, 4.9", f"none is followed; {KNOWN_GO_ON}", redirected),
    _goes_on(
        "wrong content type", "4.9", "a right document counts under any type but that of a page", other_types
    ),
    row(
        "wrong issuer in discovery",
        "1.6, 4.9",
        "its keys are not fetched, 503 and an alarm; known keys go on, none waits",
        wrong_issuer,
        beside=False,
        waits=True,
    ),
)
