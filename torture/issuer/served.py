"""A WSGI server with four threads, asked over HTTP by innocent callers and by those who make up kids."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias

from waitress.server import create_server

from ..rows import Row
from .houses import ADMITTED, INNOCENTS, Answer, House, Mint, Throng
from .peer import NO_ANSWER
from .place import Place
from .story import Story, row

__all__ = ["ROWS"]

THREADS: Final = 4
ATTACKERS: Final = 8
PAUSE: Final = 0.02
CLIENT_PATIENCE: Final = 5.0
"""Seconds after which a caller hangs up, whoever answers."""

COOLDOWN: Final = 31

StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]


def saturated(place: Place) -> Story:
    """The issuer takes 30 s, so that a fetch for a made-up kid hangs for as long as it may."""
    story, house = Story(place), place.warm()
    place.clock.advance(COOLDOWN)  # PyJWKClient asks for no unknown kid before
    place.issuer.slow(30)
    seconds = place.seconds(short=3.0, full=7.0)
    throng = _throng(_serve(house), seconds, place)
    story.innocent("known key", throng.innocent)
    story.tell(f"{len(throng.junk)} junk")
    story.expect("junk was admitted", kept=all(answer.said != ADMITTED for answer in throng.junk))
    story.expect("hardly any junk", kept=len(throng.junk) > ATTACKERS)
    story.asked(2, at_least=1)
    return story


def _serve(house: House) -> int:
    """The port at which a house is asked over HTTP, until the process of the row ends."""

    def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        said = house.admit(environ["HTTP_AUTHORIZATION"].removeprefix("Bearer "))
        start("200 OK" if said == ADMITTED else "401 Unauthorized", [("Content-Type", "text/plain")])
        return [said.encode()]

    logging.getLogger("waitress").setLevel(logging.ERROR)  # that requests queue up is what is wanted
    server = create_server(app, host="127.0.0.1", port=0, threads=THREADS)
    threading.Thread(target=server.run, name="torture-wsgi", daemon=True).start()
    return int(server.effective_port)


def _throng(port: int, seconds: float, place: Place) -> Throng:
    mints = [place.regulars()] * INNOCENTS + [place.junk] * ATTACKERS
    until = time.monotonic() + seconds

    def body(mint: Mint) -> list[Answer]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CLIENT_PATIENCE)
        answers = []
        while time.monotonic() < until:
            answers.append(_asked(connection, mint()))
            time.sleep(PAUSE)
        connection.close()
        return answers

    with ThreadPoolExecutor(len(mints)) as pool:
        return Throng.of(list(pool.map(body, mints)))


def _asked(connection: http.client.HTTPConnection, token: str) -> Answer:
    started = time.monotonic()
    try:
        connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
        said = connection.getresponse().read().decode()
    except TimeoutError:
        connection.close()  # the next request opens another
        said = NO_ANSWER
    return Answer(said, time.monotonic() - started)


ROWS: Final[tuple[Row, ...]] = (
    row(
        f"{THREADS}-thread WSGI server",
        "4.10",
        "under junk kids and a hanging issuer a known key never waits for an unknown one",
        saturated,
        colours=("sync",),
    ),
)
