"""Many at once: a cold start, floods of made-up kids, a key that is published in the middle of one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import authgate_core as ag

from ..rows import Row
from .houses import ADMITTED, House, Throng
from .place import Place
from .story import Story, row

__all__ = ["ROWS"]

COOLDOWN: Final = 31
"""Seconds, for the sake of PyJWKClient, which asks for no unknown kid before."""

HERD: Final = 500
ATTACKERS: Final = 8
TOKEN_KEY_UNKNOWN: Final = "token_key_unknown"
KEYS_UNAVAILABLE: Final = "keys_unavailable"
UNKNOWN_WAIT: Final = 0.3
LEAK: Final = 8 * 1024
"""KiB; a flood that leaves something behind of each request leaves more."""


def cold_herd(place: Place) -> Story:
    """Nothing is known, the issuer takes its time, and all of them come at once."""
    story, house = Story(place), place.house()
    place.issuer.slow(0.3)
    story.innocent(f"{HERD} at once", house.crowd([place.token() for _ in range(HERD)]), bound=2.0)
    story.asked(1, at_least=1)
    return story


def cold_herd_by_discovery(place: Place) -> Story:
    """The same where it must first be asked where the keys are."""
    story = Story(place)
    house = place.house(ag.Issuer.oidc(place.issuer.url, audience=place.issuer.audience))
    place.issuer.slow(0.3)
    story.innocent(f"{HERD} at once", house.crowd([place.token() for _ in range(HERD)]), bound=2.0)
    story.asked(2, at_least=2)
    return story


def warm_flood(place: Place) -> Story:
    """Made-up kids as fast as they come, and again each time that the bucket has one more."""
    story, house = Story(place), place.warm()
    bursts = [_burst(place, house)]
    for _ in range(2):
        place.clock.advance(10)
        bursts.append(_burst(place, house))
    _tell(story, "known key", bursts, said=TOKEN_KEY_UNKNOWN)
    story.asked(4, at_least=4)
    story.grown(LEAK)
    return story


def failing_flood(place: Place) -> Story:
    """The same, while every fetch fails; at last the newest document is so old that nobody can say 401."""
    story, house = Story(place), place.warm()
    place.issuer.outage(500)
    bursts = [_burst(place, house)]
    for number in (2, 3):
        place.clock.advance(31)
        bursts.append(_burst(place, house))
        story.asked(number, at_least=number)
    _tell(story, "known key", bursts, said=TOKEN_KEY_UNKNOWN)
    place.clock.advance(880)
    _tell(story, "16 min on", [_burst(place, house)], said=KEYS_UNAVAILABLE)
    story.asked(4, at_least=4)
    story.grown(LEAK)
    return story


def hanging_flood(place: Place) -> Story:
    """The same, while every fetch hangs: those who may wait for it do, and nobody else."""
    story, house = Story(place), place.warm()
    place.clock.advance(COOLDOWN)
    place.issuer.slow(30)
    seconds = place.seconds(short=2.0, full=7.0)
    throng = house.throng(seconds, place.regulars(), junk=place.junk, attackers=3 * ATTACKERS)
    _tell(story, "known key", [throng], said=TOKEN_KEY_UNKNOWN)
    story.asked(1, at_least=1)
    story.grown(LEAK)
    return story


def rotation_in_flood(place: Place) -> Story:
    """A key is published while a flood takes whatever the bucket has."""
    story, house = Story(place), place.warm()
    seconds = place.seconds(short=3.0, full=13.0)
    regulars = place.regulars()  # all of whom name the old key
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(house.throng, seconds, regulars, junk=place.junk, attackers=ATTACKERS)
        time.sleep(0.3)
        place.issuer.rotate()
        accepted = _accepted_after(place, house, flood)
        throng = flood.result()
    story.innocent("old key", throng.innocent)
    story.answered("junk", throng.junk, said=TOKEN_KEY_UNKNOWN, bound=UNKNOWN_WAIT)
    story.tell("new key never" if accepted is None else f"new key after {accepted:.1f} s")
    story.expect("later than 10 s and one fetch", kept=accepted is not None and accepted <= 12)
    story.asked(4, at_least=3)
    return story


def _accepted_after(place: Place, house: House, flood: Future[Throng]) -> float | None:
    """How long a new key has been published when it is accepted; in the short form time goes six times as fast."""
    published, accepted = place.clock.now().mono, None
    while not flood.done():
        time.sleep(0.05)
        place.clock.advance(place.seconds(short=0.25, full=0.0))
        if accepted is None and house.ask(place.token()).said == ADMITTED:
            accepted = place.clock.now().mono - published
    return accepted


def _burst(place: Place, house: House) -> Throng:
    seconds = place.seconds(short=0.4, full=1.5)
    throng = house.throng(seconds, place.regulars(), junk=place.junk, attackers=ATTACKERS)
    house.settle()
    return throng


def _tell(story: Story, name: str, bursts: Sequence[Throng], *, said: str) -> None:
    story.innocent(name, [answer for burst in bursts for answer in burst.innocent])
    junk = [answer for burst in bursts for answer in burst.junk]
    story.answered("junk", junk, said=said, bound=UNKNOWN_WAIT)


ROWS: Final[tuple[Row, ...]] = (
    row(
        "cold herd",
        "4.1, 4.10",
        f"{HERD} at once on a cold gate: one fetch, all admitted, none waits longer than 2 s",
        cold_herd,
    ),
    row(
        "cold herd, by discovery",
        "4.1, 4.10",
        "the same with two requests: where the keys are, and the keys",
        cold_herd_by_discovery,
        beside=False,
    ),
    row(
        "flood of random kids",
        "4.2, 4.5",
        "two fetches and one more every 10 s; junk is 401 after 0.3 s at most; a known key never waits",
        warm_flood,
    ),
    row(
        "flood, issuer failing",
        "4.4, 4.5, 4.6",
        "one fetch each time the back-off is over; junk is 401, from 15 min on 503; a known key never waits",
        failing_flood,
    ),
    row(
        "flood, issuer hanging",
        "4.5, 4.9, 4.10",
        "one fetch, 5 s at most; junk is 401 after 0.3 s at most; a known key never waits",
        hanging_flood,
        peer_patience=5,
    ),
    row(
        "rotation in a flood",
        "4.5, 4.10",
        "the new key is accepted 10 s and one fetch later at most; the old one never waits",
        rotation_in_flood,
    ),
)
