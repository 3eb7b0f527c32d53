"""Time passes: keys are rotated and withdrawn, processes sleep, clocks jump, the issuer is gone for a day."""

from __future__ import annotations

from typing import Final

from ..patience import ALLOWANCE
from ..rows import Row
from .houses import ADMITTED, INNOCENTS, House
from .place import Place
from .story import Story, row

__all__ = ["ROWS"]

STALE: Final = 301
HOUR: Final = 3600
DAY: Final = 86_400
TOKEN_KEY_UNKNOWN: Final = "token_key_unknown"
KEYS_UNAVAILABLE: Final = "keys_unavailable"
UNKNOWN_WAIT: Final = 0.3
IDLE_WAIT: Final = 1.0
KEY_WAIT: Final = 2.0


def begins_without(place: Place) -> Story:
    """A service is started while the issuer is down; when that is back, nothing has to be restarted."""
    story, house = Story(place), place.house()
    place.issuer.outage(503)
    said = house.warm_up()
    story.tell(f"at the start: {said}")
    story.expect("health did not say down", kept=said == "down")
    story.answered("then", [house.ask(place.token())], said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    place.issuer.recover()
    place.clock.advance(61)  # however long the back-off was
    story.innocent("issuer back", [house.ask(place.token())], bound=KEY_WAIT)
    story.asked(3, at_least=2)
    return story


def expired_in_outage(place: Place) -> Story:
    """The issuer is down from before the set is due until after the last moment at which it is believed."""
    story, house = Story(place), place.warm()
    place.issuer.outage(503)
    for name, seconds in (("5 min on", STALE), ("10 min on", STALE), ("15 min on", STALE)):
        place.clock.advance(seconds)
        _innocent(story, house, name)
        house.settle()
    story.asked(6, at_least=3)
    place.clock.advance(DAY - 4 * STALE)
    _innocent(story, house, "23 h on", bound=IDLE_WAIT)
    house.settle()
    place.clock.advance(2 * STALE)
    refused = house.crowd([place.token() for _ in range(20)])
    story.answered("24 h on", refused, said=KEYS_UNAVAILABLE, bound=KEY_WAIT)
    return story


def rotated(place: Place) -> Story:
    """A key is published, and a token of it comes at once."""
    story, house = Story(place), place.warm()
    place.clock.advance(60)
    old = place.issuer.kid
    place.issuer.rotate()
    story.innocent("first of the new key", [house.ask(place.token())], bound=UNKNOWN_WAIT)
    both = [place.token() for _ in range(10)] + [place.token(kid=old) for _ in range(10)]
    story.innocent("both keys", house.crowd(both))
    story.asked(1, at_least=1)
    return story


def rotated_in_cooldown(place: Place) -> Story:
    """A key is published just after made-up kids have used up every fetch that they may cause."""
    story, house = Story(place), place.warm()
    for _ in range(20):
        house.ask(place.junk())
    before = place.requests
    place.issuer.rotate()
    seconds = 0
    while house.ask(place.token()).said != ADMITTED and seconds < PATIENCE:
        place.clock.advance(1)
        seconds += 1
    story.tell(f"accepted {seconds} s after it was published" if seconds < PATIENCE else "never accepted")
    story.expect("later than 10 s", kept=seconds <= 10)
    story.expect("more than one fetch", kept=place.requests - before == 1)
    story.innocent("then", [house.ask(place.token())])
    return story


def withdrawn(place: Place) -> Story:
    """A key is withdrawn; it is believed until the next refresh and no longer."""
    story, house = Story(place), place.warm()
    old = place.issuer.kid
    place.issuer.rotate(keep_old=False)
    place.clock.advance(STALE)
    house.ask(place.token(kid=old))  # finds the set due for a refresh
    house.settle()
    refused = house.crowd([place.token(kid=old) for _ in range(20)])
    story.answered("withdrawn key", refused, said=TOKEN_KEY_UNKNOWN, bound=UNKNOWN_WAIT)
    story.innocent("new key", [house.ask(place.token())], bound=UNKNOWN_WAIT)
    return story


def idle(place: Place) -> Story:
    """Nobody asks for an hour, and meanwhile the key is withdrawn; then nobody asks again, and the issuer hangs."""
    story, house = Story(place), place.warm()
    old = place.issuer.kid
    place.issuer.rotate(keep_old=False)
    place.clock.advance(HOUR)
    refused = house.ask(place.token(kid=old))
    story.answered("withdrawn key", [refused], said=TOKEN_KEY_UNKNOWN, bound=IDLE_WAIT)
    story.innocent("new key", [house.ask(place.token())], bound=IDLE_WAIT)
    story.asked(1, at_least=1)
    place.clock.advance(HOUR)
    place.issuer.slow(30)
    throng = house.throng(2.5, place.regulars(), junk=place.junk, attackers=0)
    story.innocent("issuer hangs", throng.innocent, bound=IDLE_WAIT)
    waited = sum(answer.wait > ALLOWANCE for answer in throng.innocent)
    story.expect(f"{waited} waited, not the first of each caller", kept=waited <= INNOCENTS)
    story.asked(2, at_least=2)
    return story


def clock_jumps(place: Place) -> Story:
    """The wall clock is set forward by an hour, back again, and back by another."""
    story, house = Story(place), place.warm()
    place.clock.jump_wall(HOUR)
    _innocent(story, house, "forward", bound=IDLE_WAIT)
    house.settle()
    story.asked(1, at_least=1)
    for name in ("back", "further back"):
        place.clock.jump_wall(-HOUR)
        _innocent(story, house, name)
        house.settle()
    story.asked(1, at_least=1)
    old = place.issuer.kid
    place.issuer.rotate(keep_old=False)
    place.clock.advance(STALE)
    _age(house, place, old)
    late = house.ask(place.token(kid=old))
    story.answered("withdrawn key, 5 min on", [late], said=TOKEN_KEY_UNKNOWN, bound=UNKNOWN_WAIT)
    story.asked(3, at_least=2)
    return story


def _age(house: House, place: Place, kid: str) -> None:
    """Let a request find that the set is due for a refresh, and wait for that."""
    house.ask(place.token(kid=kid))
    house.settle()


def _innocent(story: Story, house: House, name: str, *, bound: float = 0.0) -> None:
    """Twenty at once, of which those who come first may wait for as long as the bound says."""
    tokens = [story.place.token() for _ in range(20)]
    story.innocent(name, house.crowd(tokens), bound=bound)


PATIENCE: Final = 60

ROWS: Final[tuple[Row, ...]] = (
    row(
        "start without the issuer",
        "4.12",
        "the service starts and says that its keys are down; requests are 503 until the issuer is back",
        begins_without,
        waits=True,
    ),
    row(
        "TTL expiry, issuer down",
        "4.3, 4.4",
        "for 24 h known keys go on and none waits, but for a second after an idle time; then 503",
        expired_in_outage,
        waits=True,
    ),
    row(
        "rotation",
        "4.5",
        "the first token of a new key is accepted at once, with one fetch",
        rotated,
        waits=True,
    ),
    row(
        "rotation in the cooldown",
        "4.5",
        "the new key is accepted 10 s and one fetch later at most",
        rotated_in_cooldown,
        waits=True,
    ),
    row("key removal", "4.7", "the key stops working at the next refresh", withdrawn, waits=True),
    row(
        "idle for an hour",
        "4.3",
        "the first requests wait for the refresh, 1 s at most and once, and a withdrawn key is not believed",
        idle,
        waits=True,
    ),
    row(
        "clocks jump an hour",
        "4.3",
        "forward: one refresh; back: none, and the set ages on; its keys answer all the while",
        clock_jumps,
        waits=True,
    ),
)
