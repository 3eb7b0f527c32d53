"""The token endpoint answers slowly, in errors or now and then, or will not be asked, while services call others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Final

import authgate_core as ag
from authgate_core.outbound import ClientSecret, ServiceClient
from authgate_core.testing.issuer import TOKEN_PATH

from ..rows import Row
from .alarms import Alarm
from .houses import ADMITTED, Answer, crowd_of_threads
from .place import Place
from .story import Scenario, Story, row

__all__ = ["ROWS", "Caller"]

ATTEMPT: Final = 5.0
CALL: Final = 2.0
"""Seconds; what a token may take where the answer comes at once, on a busy machine."""
LIFE: Final = 300
DUE: Final = 0.85 * LIFE
REST: Final = 60.0
HOUR: Final = 12
"""Lives of a token."""
STOPPED: Final = 300.0
MOST_PAUSE: Final = 60.0
UNAVAILABLE: Final = "endpoint_unavailable"
REFUSED: Final = "endpoint_refused"
GROWTH: Final = 4 * 1024
PATIENCE: Final = 20.0
_CLIENT: Final = "orders"
_GARBAGE: Final = (
    b"",
    b"[]",
    b"{",
    b'{"access_token": "t"}',
    b'{"access_token": "t\\r\\nX: 1", "token_type": "Bearer"}',
    b'{"access_token": "t", "token_type": "mac"}',
)


class Caller:
    """A service that wants tokens to call others with, in one colour.

    Args:
        place: Where it is.
        alarm: Told what an operator should know.
    """

    def __init__(self, place: Place, alarm: Alarm | None = None) -> None:
        place.issuer.desk.clients[_CLIENT] = "secret"
        place.issuer.grants.lifetime = LIFE
        self._is_async = place.who == "async"
        self._client = ServiceClient(
            place.issuer.url, credential=ClientSecret(_CLIENT, "secret"), on_event=alarm, clock=place.clock
        )

    def ask(self, audience: str = "billing") -> Answer:
        """Have a token, and tell how long that took."""
        if self._is_async:
            return asyncio.run(self.asked(audience))
        auth = self._client.auth(audience=audience, hosts="billing.example.com")
        started = time.monotonic()
        try:
            auth.header()
        except ag.AuthgateError as error:
            return Answer(error.code, time.monotonic() - started)
        return Answer(ADMITTED, time.monotonic() - started)

    async def asked(self, audience: str) -> Answer:
        """The same, as a coroutine of any loop."""
        auth = self._client.auth(audience=audience, hosts="billing.example.com")
        started = time.monotonic()
        try:
            await auth.header_async()
        except ag.AuthgateError as error:
            return Answer(error.code, time.monotonic() - started)
        return Answer(ADMITTED, time.monotonic() - started)

    def crowd(self, audiences: Sequence[str]) -> list[Answer]:
        """Have so many at the same moment."""
        if not self._is_async:
            return crowd_of_threads(self.ask, audiences)

        async def all_of_them() -> list[Answer]:
            return list(await asyncio.gather(*map(self.asked, audiences)))

        return asyncio.run(all_of_them())

    def settle(self) -> None:
        """Wait until no call is under way."""
        for thread in threading.enumerate():
            if thread.name == "authgate-tokens":
                thread.join(PATIENCE)


def herd(place: Place) -> Story:
    """One token for all is one call, after one look at the document that says where tokens are."""
    story, caller = Story(place), Caller(place)
    place.issuer.slow(0.5)
    story.innocent("all", caller.crowd(["billing"] * 50), bound=CALL)
    story.asked(2, at_least=2)
    return story


def hung(place: Place) -> Story:
    """Nobody waits while there is a token; then one attempt is waited for, and nobody waits until the next."""
    story, caller = Story(place), Caller(place)
    story.innocent("before", [caller.ask()], bound=CALL)
    place.issuer.slow(30.0)
    place.clock.advance(DUE)
    story.innocent("due", [caller.ask() for _ in range(50)])
    caller.settle()
    place.clock.advance(LIFE)
    story.innocent("over", caller.crowd(["billing"] * 10), said=UNAVAILABLE, bound=ATTEMPT)
    story.innocent("then", caller.crowd(["billing"] * 50), said=UNAVAILABLE)
    story.asked(4, at_least=4)
    place.issuer.recover()
    place.clock.advance(MOST_PAUSE)
    story.innocent("after", [caller.ask()], bound=CALL)
    story.grown(GROWTH)
    return story


def failing(place: Place) -> Story:
    """Five failures are enough to know: then a minute goes by, and one call tries again."""
    story, caller = Story(place), Caller(place)
    story.innocent("before", [caller.ask()], bound=CALL)
    place.issuer.answer(b"", status=500, paths=[TOKEN_PATH])
    place.clock.advance(DUE)
    due = []
    for _ in range(10):
        due.append(caller.ask())
        caller.settle()
    story.innocent("due", due)
    failed = place.issuer.hits[TOKEN_PATH] - 1
    story.expect(f"{failed} attempts while it was due, not 1", kept=failed == 1)
    audiences = [f"audience-{number}" for number in range(20)]
    story.innocent("others", [caller.ask(name) for name in audiences], said=UNAVAILABLE, bound=CALL)
    failed = place.issuer.hits[TOKEN_PATH] - 1
    story.expect(f"{failed} attempts, not 5", kept=failed == 5)
    place.clock.advance(REST)
    story.innocent("a probe", [caller.ask(name) for name in audiences], said=UNAVAILABLE, bound=CALL)
    failed = place.issuer.hits[TOKEN_PATH] - 1
    story.expect(f"{failed} attempts, not 6", kept=failed == 6)
    place.issuer.recover()
    place.clock.advance(REST)
    story.innocent("after", [caller.ask(name) for name in ("billing", *audiences)], bound=CALL)
    return story


def flapping(place: Place) -> Story:
    """Each time that a token is due it is away for half a minute, for an hour: there is always a token."""
    story, caller = Story(place), Caller(place)
    answers = [caller.ask()]
    for _ in range(HOUR):
        place.clock.advance(DUE)
        place.issuer.answer(b"", status=503, paths=[TOKEN_PATH])
        for seconds in (0, 10, 10):
            place.clock.advance(seconds)
            answers.append(caller.ask())
            caller.settle()
        place.issuer.recover()
        for seconds in (10, 7):
            place.clock.advance(seconds)
            answers.append(caller.ask())
            caller.settle()
    story.innocent("an hour", answers, bound=CALL)
    story.asked(2 + 4 * HOUR, at_least=2 + 3 * HOUR)  # where tokens are is asked again now and then
    return story


def refused(place: Place) -> Story:
    """No storm: one call in five minutes, and somebody is called; what was issued is used."""
    alarm = Alarm()
    story, caller = Story(place), Caller(place, alarm)
    story.innocent("before", [caller.ask()], bound=CALL)
    del place.issuer.desk.clients[_CLIENT]
    others = [f"audience-{number}" for number in range(50)]
    story.answered("others", [caller.ask(name) for name in others], said=REFUSED, bound=CALL)
    story.innocent("what was issued", [caller.ask() for _ in range(20)])
    story.alarmed(alarm)
    story.asked(3, at_least=3)
    place.issuer.desk.clients[_CLIENT] = "secret"
    place.clock.advance(STOPPED)
    story.innocent("after", [caller.ask(name) for name in others[:5]], bound=CALL)
    return story


def garbage(place: Place) -> Story:
    """Each in turn, for a token of its own: none is used, and no exception is not our own."""
    story, caller = Story(place), Caller(place)
    answers = []
    for number, body in enumerate(_GARBAGE):
        place.issuer.answer(body, paths=[TOKEN_PATH])
        answers.append(caller.ask(f"audience-{number}"))
    story.innocent("garbage", answers, said=UNAVAILABLE, bound=CALL)
    place.issuer.recover()
    story.innocent("after", [caller.ask()], bound=CALL)
    return story


def _row(name: str, laws: str, promised: str, scenario: Scenario) -> Row:
    return row(f"calls: {name}", laws, promised, scenario, beside=False, waits=True)


ROWS: Final[tuple[Row, ...]] = (
    _row("many at once", "9.2", "one call", herd),
    _row(
        "token endpoint hangs",
        "1.5, 4.9",
        "a token that is good is used and nobody waits; then 5 s once, and 503 at once",
        hung,
    ),
    _row(
        "token endpoint fails",
        "1.5",
        "a token that is good is used; five attempts, then one a minute; all is well with the first that succeeds",
        failing,
    ),
    _row("token endpoint comes and goes", "1.5", "there is always a token", flapping),
    _row("our own secret is wrong", "1.6", "503, an alarm, and one call in five minutes", refused),
    _row("garbage", "1.5", "503, and no token is made of it", garbage),
)
