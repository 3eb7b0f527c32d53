"""Whoever is asked about credentials answers slowly, hugely, in garbage or in lies, or will not be asked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

from authgate_core.testing.served import Served

from ..rows import Row
from . import moods
from .alarms import Alarm
from .desks import UNAVAILABLE, Desk, Open, introspection, keys, sessions
from .houses import House
from .place import Place
from .raw import HOSTILE, RawServer, Send
from .story import Scenario, Story, row

__all__ = ["ROWS"]

ATTEMPT: Final = 5.0
CALL: Final = 2.0
"""Seconds; what a question may take where the answer comes at once, on a busy machine."""
OPENS: Final = 5
"""How many failures on end it takes until an endpoint is not asked."""
LONGEST_REST: Final = 2.0
WAIT: Final = 20
"""Seconds for which an endpoint asks to be left alone."""
MOST_WAIT: Final = 60
GROWTH: Final = 4 * 1024

Trouble: TypeAlias = Callable[[Desk], None]
Sending: TypeAlias = Callable[[Served, object, int], None]


def slow(desk: Desk) -> None:
    """Nothing for half a minute."""
    moods.slow(desk.served)


def whole(send: Sending, desk: Desk) -> None:
    """A verdict, in a body that nobody may read to its end."""
    send(desk.served, desk.verdict, desk.status)


def page(desk: Desk) -> None:
    """A verdict under the type of a page."""
    body = json.dumps(desk.verdict).encode()
    desk.served.answer(body, status=desk.status, content_type="text/html")


def outage(opens: Open, trouble: Trouble, bound: float, lasts: float, place: Place) -> Story:
    """Answers that count go on for as long as they may; all else is 503 until the endpoint answers again."""
    story, desk = Story(place), opens(place)
    house, (known, fresh, later) = desk.house(), desk.some(3)
    story.innocent("before", [house.ask(known)], bound=CALL)
    trouble(desk)
    story.innocent("remembered", [house.ask(known) for _ in range(20)])
    story.innocent("new", [house.ask(fresh)], said=UNAVAILABLE, bound=bound)
    story.asked(2, at_least=2)
    place.clock.advance(lasts + 1)
    story.innocent(f"{lasts + 1:g} s on", [house.ask(known)], said=UNAVAILABLE, bound=bound)
    desk.served.recover()
    story.innocent("after", [house.ask(bearer) for bearer in (known, fresh, later)], bound=CALL)
    story.grown(GROWTH)
    return story


def slow_for_all(opens: Open, place: Place) -> Story:
    """Five questions are enough to know: after that nobody waits."""
    story, desk = Story(place), opens(place)
    house = desk.house()
    first, then = desk.some(OPENS), desk.some(20)
    slow(desk)
    story.innocent("first", house.crowd(first), said=UNAVAILABLE, bound=ATTEMPT)
    story.innocent("then", house.crowd(then), said=UNAVAILABLE, bound=0.0)
    story.asked(OPENS, at_least=OPENS)
    story.grown(GROWTH)
    return story


def errors(opens: Open, place: Place) -> Story:
    """Five are enough to know; then it is asked now and then, and the first good answer brings it back."""
    story, desk = Story(place), opens(place)
    house, known = desk.house(), desk.mint()
    story.innocent("before", [house.ask(known)], bound=CALL)
    desk.served.outage(500)
    failed = [house.ask(bearer) for bearer in desk.some(OPENS)]
    story.innocent("500", failed, said=UNAVAILABLE, bound=CALL)
    story.innocent("then", house.crowd(desk.some(50)), said=UNAVAILABLE, bound=0.0)
    story.innocent("remembered", [house.ask(known) for _ in range(20)])
    story.asked(OPENS + 2, at_least=OPENS + 1)  # half a second later it is asked again, once
    place.clock.advance(LONGEST_REST)
    probed = [house.ask(bearer) for bearer in desk.some(20)]
    story.innocent("a probe", probed, said=UNAVAILABLE, bound=CALL)
    story.asked(OPENS + 4, at_least=OPENS + 2)
    desk.served.recover()
    place.clock.advance(LONGEST_REST)
    story.innocent("after", [house.ask(bearer) for bearer in desk.some(5)], bound=CALL)
    return story


def told_to_wait(opens: Open, place: Place) -> Story:
    """It is left alone for as long as it says, and not for the year that it says another time."""
    story, desk = Story(place), opens(place)
    house, known = desk.house(), desk.mint()
    story.innocent("before", [house.ask(known)], bound=CALL)
    _wait(desk, WAIT)
    story.innocent("429", [house.ask(desk.mint())], said=UNAVAILABLE, bound=CALL)
    story.innocent("then", house.crowd(desk.some(50)), said=UNAVAILABLE, bound=0.0)
    story.innocent("remembered", [house.ask(known) for _ in range(20)])
    place.clock.advance(WAIT / 2)
    desk.served.recover()
    story.innocent("still", [house.ask(desk.mint())], said=UNAVAILABLE, bound=0.0)
    story.asked(2, at_least=2)
    place.clock.advance(WAIT / 2)
    story.innocent("after", [house.ask(desk.mint())], bound=CALL)
    _wait(desk, 365 * 86_400)
    story.innocent("a year", [house.ask(desk.mint())], said=UNAVAILABLE, bound=CALL)
    desk.served.recover()
    place.clock.advance(MOST_WAIT)
    story.innocent("a minute on", [house.ask(desk.mint())], bound=CALL)
    story.asked(5, at_least=5)
    return story


def _wait(desk: Desk, seconds: int) -> None:
    desk.served.answer(b"", status=429, headers=[("Retry-After", str(seconds))])


def garbage(opens: Open, place: Place) -> Story:
    """Each in turn is an outage, and never a verdict about the credential."""
    story, desk = Story(place), opens(place)
    house, answers = desk.house(), []
    for reply in desk.unclear:
        desk.says(reply)
        answers.append(house.ask(desk.mint()))
    story.innocent("garbage", answers, said=UNAVAILABLE, bound=CALL)
    desk.served.recover()
    story.innocent("after", [house.ask(desk.mint())], bound=CALL)
    story.asked(len(desk.unclear) + 1, at_least=len(desk.unclear) + 1)
    return story


def bad_http(opens: Open, place: Place) -> Story:
    """As ``garbage``, one layer below; each has a house of its own, for what fails often is not asked."""
    story, desk = Story(place), opens(place)
    bearers = desk.some(len(HOSTILE))
    with contextlib.ExitStack() as serving, ThreadPoolExecutor(len(HOSTILE)) as pool:
        houses = [serving.enter_context(_hostile(place, desk, send)) for send in HOSTILE]
        answers = list(pool.map(lambda house, bearer: house.ask(bearer), houses, bearers))
    story.innocent("bad HTTP", answers, said=UNAVAILABLE, bound=ATTEMPT)
    story.asked(len(HOSTILE), at_least=len(HOSTILE))
    story.grown(3 * GROWTH)
    return story


@contextlib.contextmanager
def _hostile(place: Place, desk: Desk, send: Send) -> Generator[House]:
    server = RawServer(lambda: json.dumps(desk.verdict).encode(), desk.status)
    server.send = send
    place.counted.append(lambda: server.requests)
    with server.serving():
        yield desk.house(server.url)


def lies(opens: Open, place: Place) -> Story:
    """Each in turn of a new credential, with as many questions; none is remembered of it."""
    story, desk = Story(place), opens(place)
    house = desk.house()
    for name, (reply, said) in desk.lies.items():
        desk.says(reply)
        story.answered(name, [house.ask(desk.mint())], said=said, bound=CALL)
    desk.served.recover()
    story.innocent("after", [house.ask(desk.mint())], bound=CALL)
    story.asked(len(desk.lies) + 1, at_least=len(desk.lies) + 1)
    return story


def own_credentials(opens: Open, place: Place) -> Story:
    """No storm: five questions, then one at a time; and somebody is called."""
    story, desk, alarm = Story(place), opens(place), Alarm()
    house = desk.house(on_event=alarm)
    if desk.refuse_us is None:
        raise LookupError("it takes no credentials of ours")
    desk.refuse_us()
    answers = [house.ask(bearer) for bearer in desk.some(50)]
    story.innocent("first", answers[:OPENS], said="endpoint_refused", bound=CALL)
    later = {answer.said for answer in answers[OPENS:]}
    story.expect("later it was said otherwise", kept=later <= {UNAVAILABLE, "endpoint_refused"})
    story.alarmed(alarm)
    story.asked(OPENS + 2, at_least=OPENS)
    return story


def refused(opens: Open, place: Place) -> Story:
    """Whoever repeats a credential that is none makes the gate ask once in a while."""
    story, desk = Story(place), opens(place)
    house, (bearer, said) = desk.house(), desk.refused
    story.answered("refused", [house.ask(bearer) for _ in range(200)], said=said, bound=CALL)
    story.asked(1, at_least=1)
    return story


def herd(opens: Open, place: Place) -> Story:
    """One credential in many requests is one question."""
    story, desk = Story(place), opens(place)
    house, bearer = desk.house(), desk.mint()
    desk.served.slow(0.5)
    story.innocent("all", house.crowd([bearer] * 50), bound=CALL)
    story.asked(1, at_least=1)
    return story


def _row(name: str, laws: str, promised: str, scenario: Scenario) -> Row:
    return row(f"asked: {name}", laws, promised, scenario, beside=False, waits=True)


def _rows(what: str, opens: Open, *, lasts: float, no_lasts: float, most: str = "512 KiB") -> tuple[Row, ...]:
    """The rows that every endpoint has.

    Args:
        what: What is asked about.
        opens: The endpoint.
        lasts: For how many seconds a yes counts.
        no_lasts: The same of a no.
        most: How much is read of an answer that is a verdict.
    """
    go_on = f"remembered answers count for {lasts:g} s, all else is 503; and then all is well again"

    def lasting(name: str, promised: str, trouble: Trouble, bound: float = CALL) -> Row:
        scenario = partial(outage, opens, trouble, bound, lasts)
        return _row(f"{what}, {name}", "1.5, 4.9, 7.4", f"{promised}; {go_on}", scenario)

    return (
        _row(f"{what}, many requests", "7.4", "one question", partial(herd, opens)),
        _row(
            f"{what}, refused",
            "7.4",
            f"one question in {no_lasts:g} s, 401",
            partial(refused, opens),
        ),
        lasting("slow (30 s)", "5 s at most", slow, ATTEMPT),
        _row(
            f"{what}, slow for all",
            "4.9",
            "five questions of 5 s, then 503 at once",
            partial(slow_for_all, opens),
        ),
        lasting("10 MB", f"{most} are read", partial(whole, moods.send_large)),
        lasting("endless", f"{most} are read", partial(whole, moods.send_endless)),
        lasting("gzip bomb", "nothing is unpacked", partial(whole, moods.send_bomb)),
        lasting("HTML", "no verdict, whatever it says", page),
        _row(
            f"{what}, 500",
            "1.5, 7.4",
            "five questions, then 503 at once and a probe now and then; remembered answers count; "
            "the first good answer brings it back",
            partial(errors, opens),
        ),
        _row(
            f"{what}, 429",
            "1.5, 7.4",
            "left alone for as long as it says, a minute at most: 503 at once; remembered answers count",
            partial(told_to_wait, opens),
        ),
        _row(
            f"{what}, HTTP that is none",
            "1.5, 4.9",
            "503, and no exception but our own",
            partial(bad_http, opens),
        ),
    )


ROWS: Final[tuple[Row, ...]] = (
    *_rows("token", introspection, lasts=30, no_lasts=5),
    _row(
        "token, garbage",
        "1.5",
        "503, never a verdict; active is strictly true or false",
        partial(garbage, introspection),
    ),
    _row(
        "token, lies",
        "1.5, 7.4",
        "401: what is called active is held to the rules of every token",
        partial(lies, introspection),
    ),
    _row(
        "token, our own secret is wrong",
        "1.6",
        "503, an alarm, and no storm of questions",
        partial(own_credentials, introspection),
    ),
    *_rows("session", sessions, lasts=5, no_lasts=5, most="4 KiB"),
    _row(
        "session, garbage",
        "1.5",
        "503, never a verdict: a refusal without a reason of the service is not the service's",
        partial(garbage, sessions),
    ),
    _row("session, lies", "1.5", "503: 204 alone is a yes", partial(lies, sessions)),
    *_rows("API key", keys, lasts=60, no_lasts=10),
    _row(
        "API key, garbage",
        "1.5",
        "503, never a verdict; valid is strictly true or false",
        partial(garbage, keys),
    ),
    _row(
        "API key, lies",
        "1.5, 7.4",
        "401 for what has ended, 503 for what the contract does not have",
        partial(lies, keys),
    ),
    _row(
        "API key, we are refused",
        "1.6",
        "503, an alarm, and no storm of questions",
        partial(own_credentials, keys),
    ),
)
