"""An issuer that keeps a key set for each of a thousand tenants, and a flood of tenants that it does not have."""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import authgate_core as ag
from authgate_core.testing.served import Served
from authgate_core.testing.server import Answer as Reply
from authgate_core.testing.server import Asked
from authgate_core.testing.shapes import encode_json, encode_segment
from authgate_core.testing.tokens import TokenMint

from ..rows import Row
from .houses import ADMITTED, Answer, House
from .place import Place
from .story import Story, row

__all__ = ["ROWS"]

TENANTS: Final = 1000
KEYS: Final = 4
AT_ONCE: Final = 50
"""How many requests of different tenants come at the same moment: as many fetches as a busy machine does in 2 s."""

IN_FLIGHT: Final = 8
NEW_IN_A_MINUTE: Final = 20
KEY_WAIT: Final = 2.0
STALE: Final = 301
DAYS: Final = 3 * 86_400
LEAK: Final = 8 * 1024
SECRET: Final = "a shared secret that signs requests for keys"
PATH: Final = "/auth/projects/{}/.well-known/jwks.json"


class ManyTenants(Served):
    """Publishes four keys in turn for its tenants, all under one kid, and counts how many it is asked for at once.

    Args:
        place: Whose clock and audience it has.
        tenants: How many.
    """

    def __init__(self, place: Place, tenants: int) -> None:
        super().__init__()
        self.tenants = [str(uuid.UUID(int=number + (4 << 76) + (8 << 60))) for number in range(tenants)]
        self.audience = place.issuer.audience
        options: dict[str, Any] = {"audience": self.audience, "algorithm": "RS512", "clock": place.clock}
        self._mints = [TokenMint("", stem="shared", **options) for _ in range(min(KEYS, tenants))]
        self._numbers = {PATH.format(tenant): number for number, tenant in enumerate(self.tenants)}
        self._counting = threading.Lock()
        self._now = 0
        self.most_at_once = 0

    @property
    def url(self) -> str:
        """The ``iss`` of its tokens."""
        return self._address or ""

    def token(self, number: int, tenant: str | None = None) -> str:
        """A token signed with one tenant's key, and of that tenant unless another is named."""
        mint = self._mints[number % len(self._mints)]
        claims: dict[str, Any] = {"project_uuid": tenant or self.tenants[number], "type": "access", "nbf": 0}
        subject = {"uuid": f"u{number}"}
        return mint.token(subject, expires_in=DAYS, headers={"typ": "JWT"}, iss=self.url, **claims)

    def house(self, place: Place, tenants: Collection[str] | Callable[[str], bool]) -> House:
        """A house that trusts it, and serves these tenants."""
        trusted = ag.Issuer.mercury(self.url, signing_secret=SECRET, audience=self.audience, tenants=tenants)
        return place.house(trusted, url=self.url_of, iss=self.url, service_id="orders")

    def requests(self) -> int:
        """How many requests reached it."""
        return self.hits.total()

    def url_of(self, token: str) -> str:
        """Where the keys are of the tenant that a token names."""
        return self.url + PATH.format(_claims(token)["project_uuid"])

    def _respond(self, asked: Asked) -> Reply:
        with self._counting:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            return super()._respond(asked)
        finally:
            with self._counting:
                self._now -= 1

    def _truth(self, asked: Asked) -> Reply:
        number = self._numbers.get(asked.path)
        if number is None:
            return Reply(b"", status=404, content_type="text/plain")
        return Reply(json.dumps(self._mints[number % len(self._mints)].jwks()).encode())


def thousand(place: Place) -> Story:
    """All of them come, fifty at the same moment; their tokens are tried on each other; then the issuer is down."""
    story = Story(place)
    with ManyTenants(place, TENANTS + 1) as many:
        place.counted.append(many.requests)
        house = many.house(place, many.tenants)
        many.slow(0.02)  # long enough for others to ask meanwhile
        tokens = [many.token(number) for number in range(TENANTS)]
        story.innocent("first", _in_crowds(house, tokens), bound=KEY_WAIT)
        one_more = house.ask(many.token(TENANTS))
        story.answered("one more", [one_more], said="keys_unavailable", bound=KEY_WAIT)
        story.asked(TENANTS, at_least=TENANTS)
        story.tell(f"{many.most_at_once} fetches at once")
        story.expect("not a few at once", kept=1 < many.most_at_once <= IN_FLIGHT)
        crossed = [many.token(number, many.tenants[number - 1]) for number in range(0, TENANTS, 10)]
        swapped = [house.ask(token).said for token in crossed]
        story.expect("one tenant's key spoke for another", kept=ADMITTED not in swapped)
        many.outage(503)
        place.clock.advance(STALE)
        story.innocent("issuer down", _in_crowds(house, tokens))
        house.settle()
        story.asked(2 * TENANTS)
    return story


def made_up(place: Place) -> Story:
    """A predicate admits every tenant, and strangers make them up as fast as they can."""
    story = Story(place)
    with ManyTenants(place, 1) as many:
        place.counted.append(many.requests)
        house = many.house(place, _everybody)
        known = many.token(0)
        story.innocent("first", [house.ask(known)], bound=KEY_WAIT)
        seconds = place.seconds(short=1.0, full=3.0)
        throng = house.throng(seconds, lambda: known, junk=lambda: _stranger(known), attackers=8)
        story.innocent("known tenant", throng.innocent)
        said = {answer.said for answer in throng.junk}
        story.tell(f"{len(throng.junk)} made up: {', '.join(sorted(said))}")
        wanted = {"token_key_unknown", "keys_unavailable"}
        story.expect("of a made-up tenant it was said otherwise", kept=bool(said) and said <= wanted)
        story.asked(NEW_IN_A_MINUTE, at_least=NEW_IN_A_MINUTE)
        story.grown(LEAK)
    return story


def _in_crowds(house: House, tokens: Sequence[str]) -> list[Answer]:
    crowds = [tokens[first : first + AT_ONCE] for first in range(0, len(tokens), AT_ONCE)]
    return [answer for crowd in crowds for answer in house.crowd(crowd)]


def _everybody(_: str) -> bool:
    return True


def _stranger(known: str) -> str:
    """A token of a tenant that nobody has, signed by nobody."""
    header, _, signature = known.split(".")
    claims = _claims(known) | {"project_uuid": str(uuid.uuid4())}
    return f"{header}.{encode_segment(encode_json(claims))}.{signature}"


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims


ROWS: Final[tuple[Row, ...]] = (
    row(
        "a thousand tenants",
        "3.12, 4.13",
        f"one fetch each, {IN_FLIGHT} at once; no key speaks for another tenant; one more is 503 and drops nobody; "
        "issuer down: all go on, none waits",
        thousand,
        patience=120,
    ),
    row(
        "a flood of made-up tenants",
        "4.13",
        f"{NEW_IN_A_MINUTE} new sets a minute; the rest 401 or 503; the known tenant never waits",
        made_up,
    ),
)
