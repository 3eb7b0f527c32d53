"""How tokens are kept: asked for by one call at a time, before they end, of an issuer that may not answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from authgate_core import (
    AuthgateError,
    AuthUnavailable,
    EndpointRefused,
    EndpointUnavailable,
    Secret,
    TokenInactive,
)
from authgate_core.clients import ClientSecret
from authgate_core.events import Notice
from authgate_core.outbound import supply as rooms
from authgate_core.outbound.server import TokenServer
from authgate_core.outbound.supply import Supply
from authgate_core.outbound.wanted import InOwnName, OnBehalf, Renewing, Wanted
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.runner.exchanges import Exchanges
from authgate_core.testing import ManualClock

TOKENS = "https://id.test/token"
DISCOVERY = "https://id.test/.well-known/openid-configuration"
BILLING = Wanted(InOwnName(), "billing")
PATIENCE = 10.0
LIFE = 100.0
DUE = 80.0


def reply(members: Any, status: int = 200, **headers: str) -> HttpReply:
    """An answer in JSON."""
    return HttpReply(status, headers, json.dumps(members).encode())


class Issuer:
    """An HTTP port behind which tokens are issued, one after the other, as it is told, when it is told."""

    def __init__(self) -> None:
        self.answer: HttpReply | BaseException | None = None
        self.documents: dict[str, HttpReply] = {}
        self.more: dict[str, Any] = {}
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Semaphore(0)
        self.sent: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpReply:
        self.sent.append(request)
        if request.method == "GET":
            return self.documents.get(request.url, HttpReply(404, {}, b""))
        number = len(self.asked)
        self.begun.release()
        assert self.go_on.wait(PATIENCE)
        if isinstance(self.answer, BaseException):
            raise self.answer
        issued = {"access_token": f"t{number}", "token_type": "Bearer", "expires_in": LIFE, **self.more}
        return self.answer or reply(issued)

    def close(self) -> None:
        """Nothing is open."""

    @property
    def asked(self) -> list[dict[str, str]]:
        """The forms that the token endpoint was sent."""
        bodies = [request.body.decode() for request in self.sent if request.url == TOKENS]
        return [{name: values[-1] for name, values in parse_qs(body).items()} for body in bodies]


class House:
    """A supply of tokens of one colour, and what it told the operator."""

    def __init__(self, colour: str, **server: Any) -> None:
        self.colour = colour
        self.issuer = Issuer()
        self.clock = ManualClock()
        self.notices: list[Notice] = []
        self.jitter = 0.0
        exchanges = Exchanges(self.issuer, self.clock, notice=self.notices.append)
        credential = ClientSecret("orders", "secret", "post")
        plain = TokenServer(
            "https://id.test", credential, TOKENS, alias=False, timeout=5.0, nonce=lambda: "n"
        )
        self.supply = Supply(
            replace(plain, **server),
            exchanges,
            self.clock,
            notice=self.notices.append,
            random=lambda: self.jitter,
        )

    def token(self, wanted: Wanted = BILLING, *, refused: str | None = None) -> str:
        shown = None if refused is None else Secret(refused)
        if self.colour == "sync":
            return self.supply.token(wanted, refused=shown).reveal()
        return asyncio.run(self.supply.token_async(wanted, refused=shown)).reveal()

    def fails(self, kind: type[AuthgateError], wanted: Wanted = BILLING) -> AuthgateError:
        """Ask in vain; the error."""
        with pytest.raises(AuthgateError) as caught:
            self.token(wanted)
        assert kind is type(caught.value)
        return caught.value

    def settle(self) -> None:
        """Wait for what goes on in the background."""
        for thread in threading.enumerate():
            if thread.name == "authgate-tokens":
                thread.join(PATIENCE)

    @property
    def codes(self) -> list[str]:
        return [notice.code for notice in self.notices]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(name="house", params=["sync", "async"])
def _house(request: pytest.FixtureRequest) -> Iterator[House]:
    house = House(request.param)
    yield house
    house.issuer.go_on.set()


class TestLifetimes:
    def test_a_token_is_used_until_it_is_due(self, house: House) -> None:
        """Nobody is asked for what there is."""
        assert ["t1"] * 3 == [house.token() for _ in range(3)]
        house.clock.advance(DUE - 1)
        assert "t1" == house.token()
        assert 1 == len(house.issuer.sent)

    def test_at_four_fifths_of_its_life_another_is_asked_for(self, house: House) -> None:
        """In the background: who calls meanwhile has the old one, and waits for nothing."""
        house.token()
        house.clock.advance(DUE)
        house.issuer.go_on.clear()
        assert ["t1"] * 5 == [house.token() for _ in range(5)]
        house.issuer.go_on.set()
        house.settle()
        assert ("t2", 2) == (house.token(), len(house.issuer.sent))

    def test_some_ask_sooner(self, house: House) -> None:
        """So that processes which began together do not ask together."""
        house.jitter = 1.0
        house.token()
        house.clock.advance(DUE * 0.9 - 1)
        house.token()
        house.settle()
        assert 1 == len(house.issuer.sent)
        house.clock.advance(1)
        assert "t1" == house.token()
        house.settle()
        assert 2 == len(house.issuer.sent)

    def test_a_token_is_not_sent_that_may_end_on_its_way(self, house: House) -> None:
        """From five seconds before its end on it is none."""
        house.token()
        house.clock.advance(LIFE - 5)
        assert "t2" == house.token()

    def test_a_machine_that_slept(self, house: House) -> None:
        """Where only one of the clocks went on, the token is as old as that says."""
        house.token()
        house.clock.jump_wall(LIFE)
        assert "t2" == house.token()

    def test_a_clock_that_is_set_back(self, house: House) -> None:
        """It makes no token younger."""
        house.token()
        house.clock.jump_wall(-LIFE)
        house.clock.advance(LIFE)
        assert "t2" == house.token()

    @pytest.mark.parametrize(
        ("said", "lasts"),
        [("100", 94), (None, 53), ("soon", 53), (True, 53), (-5, None), (10**400, 1e6)],
    )
    def test_lifetimes_as_issuers_write_them(self, said: object, lasts: float | None) -> None:
        """A text of digits counts; what is no number is taken for a minute; what is over is used once."""
        house = House("sync")
        house.issuer.more = {"expires_in": said}
        house.token()
        if lasts is not None:
            house.clock.advance(lasts)
            assert "t1" == house.token()
            house.settle()
            house.clock.advance(LIFE if lasts < 1e6 else 2e12)
        assert "t1" != house.token()

    def test_a_token_for_a_caller_ends_with_the_callers_own(self, house: House) -> None:
        """Whatever the issuer says of the one that it gave in exchange."""
        ends = house.clock.now().wall + 50
        wanted = Wanted(OnBehalf(Secret("theirs"), ends), "billing")
        house.token(wanted)
        house.clock.advance(46)
        assert "t2" == house.token(wanted)


class TestTogether:
    def test_one_call_for_all_who_want_the_same(self, house: House) -> None:
        """Threads and event loops alike."""
        house.issuer.go_on.clear()
        asked = ["sync", "async"] * 10
        with ThreadPoolExecutor(len(asked)) as pool:
            tokens = [pool.submit(_ask, house, colour) for colour in asked]
            assert house.issuer.begun.acquire(timeout=PATIENCE)
            until(lambda: _waiting(house) >= len(asked))
            house.issuer.go_on.set()
            assert {"t1"} == {token.result(PATIENCE) for token in tokens}
        assert 1 == len(house.issuer.sent)

    def test_a_task_that_is_cancelled_ends_nothing(self) -> None:
        """The call goes on for those who wait still."""
        house = House("async")
        house.issuer.go_on.clear()

        async def scenario() -> str:
            gone = asyncio.ensure_future(house.supply.token_async(BILLING))
            stays = asyncio.ensure_future(house.supply.token_async(BILLING))
            await asyncio.sleep(0)  # both wait now
            assert 2 == _waiting(house)
            gone.cancel()
            house.issuer.go_on.set()
            return (await stays).reveal()

        assert "t1" == asyncio.run(scenario())
        assert 1 == len(house.issuer.sent)

    def test_others_are_not_waited_for(self, house: House) -> None:
        """Each token is a call of its own."""
        assert ["t1", "t2"] == [house.token(), house.token(Wanted(InOwnName(), "stock"))]

    def test_in_a_forked_child(self, house: House) -> None:
        """Law 9.5: no lock and no call of the parent; its tokens are good."""
        house.token()
        lock = house.supply._lock
        house.supply._flights[BILLING] = Future()
        house.supply.after_fork()
        assert {} == house.supply._flights
        assert lock is not house.supply._lock
        assert "t1" == house.token()


class TestOutages:
    def test_a_token_that_is_good_is_used_meanwhile(self, house: House) -> None:
        """And the issuer is asked now and then, not at each call."""
        house.token()
        house.issuer.answer = reply({}, 503)
        house.clock.advance(DUE)
        for _ in range(10):
            assert "t1" == house.token()
            house.settle()
        assert 2 == len(house.issuer.sent)
        house.clock.advance(LIFE - DUE - 5)
        house.fails(EndpointUnavailable)
        assert ["token_not_issued"] == house.codes

    def test_one_token_alone_opens_no_breaker(self, house: House) -> None:
        """While it is good there is no hurry: the next attempt is a twentieth of its life away, or more."""
        house.token()
        house.issuer.answer = reply({}, 503)
        house.clock.advance(DUE)
        for _ in range(14):
            assert "t1" == house.token()
            house.settle()
            house.clock.advance(1)
        assert 4 == len(house.issuer.asked)
        assert ["token_not_issued"] == house.codes

    def test_it_comes_back(self, house: House) -> None:
        """With the next answer, and says so."""
        house.issuer.answer = reply({}, 500)
        house.fails(EndpointUnavailable)
        house.issuer.answer = None
        house.clock.advance(1)
        assert "t2" == house.token()
        assert ["token_not_issued", "token_issued_again"] == house.codes

    def test_who_finds_nothing_is_told_at_once(self, house: House) -> None:
        """Within the back-off nobody is asked, and each is told when to come again."""
        house.issuer.answer = reply({}, 429, **{"retry-after": "20"})
        first = house.fails(EndpointUnavailable)
        house.clock.advance(5)
        second = house.fails(EndpointUnavailable)
        assert isinstance(first, AuthUnavailable)
        assert isinstance(second, AuthUnavailable)
        assert first is not second
        assert (20.0, 15.0) == (first.retry_after, second.retry_after)
        assert 1 == len(house.issuer.sent)

    def test_five_failures_open_the_breaker(self, house: House) -> None:
        """For a minute, for all tokens of the issuer; then one probe."""
        house.issuer.answer = reply({}, 500)
        many = [Wanted(InOwnName(), f"audience-{number}") for number in range(8)]
        for wanted in many[:5]:
            house.fails(EndpointUnavailable, wanted)
        assert "endpoint_breaker_open" in house.codes
        house.clock.advance(59)
        house.fails(EndpointUnavailable, many[5])
        assert 5 == len(house.issuer.sent)
        house.clock.advance(1)
        house.fails(EndpointUnavailable, many[6])
        house.fails(EndpointUnavailable, many[7])
        assert 6 == len(house.issuer.sent)
        house.issuer.answer = None
        house.clock.advance(60)
        assert "t7" == house.token(many[0])

    @pytest.mark.parametrize(
        "garbage",
        [
            HttpReply(200, {}, b"<html>"),
            HttpReply(200, {}, b"[]"),
            reply({"access_token": "t", "token_type": "DPoP"}),
            reply({"access_token": "t"}),
            reply({"token_type": "Bearer"}),
            reply({"token_type": "Bearer", "access_token": 1}),
            reply({"token_type": "Bearer", "access_token": "a\r\nX-Admin: 1"}),
            reply({"token_type": "Bearer", "access_token": "a b"}),
            reply({"token_type": "Bearer", "access_token": ""}),
            HttpReply(204, {}, b""),
            HttpReply(302, {"location": "https://elsewhere.test"}, b""),
            HttpReply(404, {}, b""),
        ],
    )
    def test_what_cannot_be_believed_is_no_token(self, garbage: HttpReply) -> None:
        """It is an outage, and nothing of it is sent anywhere."""
        house = House("sync")
        house.issuer.answer = garbage
        house.fails(EndpointUnavailable)

    def test_a_bug_reaches_whoever_waits(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 1.3; and those who come later are not held up by it."""
        monkeypatch.setattr(threading, "excepthook", lambda _: None)
        house.issuer.answer = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            house.token()
        house.fails(EndpointUnavailable)
        house.issuer.answer = None
        house.clock.advance(1)
        assert "t2" == house.token()

    def test_where_no_thread_can_be_had(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """As at interpreter exit: it is one more failure."""

        def refuse(_thread: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(rooms, "_begin", refuse)
        house.fails(EndpointUnavailable)


class TestRefusals:
    @pytest.mark.parametrize("answer", [reply({"error": "invalid_client"}, 400), reply({}, 401)])
    def test_a_client_that_is_not_known_stops(self, house: House, answer: HttpReply) -> None:
        """It says so, loudly, and asks for nothing for five minutes: who goes on may be locked out."""
        house.issuer.answer = answer
        error = house.fails(EndpointRefused)
        assert "its credentials are wrong" in error.reason
        house.clock.advance(299)
        house.fails(EndpointRefused, Wanted(InOwnName(), "stock"))
        assert 1 == len(house.issuer.sent)
        assert [("token_refused", True)] == [(notice.code, notice.alarm) for notice in house.notices]
        house.issuer.answer = None
        house.clock.advance(1)
        assert "t2" == house.token()

    def test_its_tokens_are_used_meanwhile(self, house: House) -> None:
        """They are good for as long as they were issued."""
        house.token()
        house.issuer.answer = reply({"error": "invalid_client"}, 401)
        house.clock.advance(DUE)
        assert "t1" == house.token()
        house.settle()
        assert "t1" == house.token()
        assert ["token_refused"] == house.codes

    @pytest.mark.parametrize(
        "error",
        ["invalid_scope", "invalid_target", "unauthorized_client", "invalid_grant", "made_up<script>"],
    )
    def test_a_token_that_is_not_given(self, house: House, error: str) -> None:
        """This one alone, for a minute; what the issuer wrote is told only where RFC 6749 knows it."""
        house.issuer.answer = reply({"error": error, "error_description": "made up"}, 400)
        assert "made" not in house.fails(EndpointRefused).reason
        house.clock.advance(59)
        house.fails(EndpointRefused)
        house.issuer.answer = None
        assert "t2" == house.token(Wanted(InOwnName(), "stock"))
        house.clock.advance(1)
        assert "t3" == house.token()

    def test_what_it_acts_with_is_over(self, house: House) -> None:
        """A caller's token or a refresh token that is not taken ends what was had with it."""
        wanted = Wanted(Renewing(Secret("r0")))
        house.token(wanted)
        house.issuer.answer = reply({"error": "invalid_grant"}, 400)
        house.clock.advance(DUE)
        assert "t1" == house.token(wanted)
        house.settle()
        house.fails(TokenInactive, wanted)
        assert [] == house.codes


class TestAnother:
    def test_in_the_place_of_one_that_was_refused(self, house: House) -> None:
        """At most once in ten seconds, and once for all who were refused with the same."""
        house.token()
        assert ["t2", "t2"] == [house.token(refused="t1") for _ in range(2)]
        with pytest.raises(EndpointRefused):
            house.token(refused="t2")
        assert "t2" == house.token()
        house.clock.advance(10)
        assert "t3" == house.token(refused="t2")

    def test_the_old_one_stays_where_none_can_be_had(self, house: House) -> None:
        """Another callee may accept it."""
        house.token()
        house.issuer.answer = reply({}, 500)
        with pytest.raises(EndpointUnavailable):
            house.token(refused="t1")
        assert "t1" == house.token()


class TestRefreshTokens:
    def test_the_newest_is_used_next(self, house: House) -> None:
        """The first is used where the issuer never hands out another."""
        wanted = Wanted(Renewing(Secret("r0")))
        for more in ({"refresh_token": "r1"}, {}, {"refresh_token": "r3"}, {}):
            house.issuer.more = more
            house.token(wanted)
            house.clock.advance(LIFE)
        assert ["r0", "r1", "r1", "r3"] == [asked["refresh_token"] for asked in house.issuer.asked]

    def test_none_of_a_service_of_its_own(self, house: House) -> None:
        """RFC 6749 section 4.4.3: one that comes with a token in its own name is of no use."""
        house.issuer.more = {"refresh_token": "r1"}
        house.token()
        house.clock.advance(LIFE)
        house.token()
        assert ["client_credentials"] * 2 == [asked["grant_type"] for asked in house.issuer.asked]

    def test_they_are_never_forgotten_for_want_of_room(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is kept of callers is bounded, and gives way to nothing that cannot be had again."""
        monkeypatch.setattr(rooms, "_MOST", 8)
        house = House("sync")
        house.issuer.more = {"refresh_token": "r1"}
        login = Wanted(Renewing(Secret("r0")))
        house.token(login)
        for number in range(40):
            house.token(Wanted(OnBehalf(Secret(f"caller-{number}"))))
        assert len(house.supply._held) <= 8
        assert login in house.supply._held
        house.token(Wanted(OnBehalf(Secret("caller-39"))))
        assert 41 == len(house.issuer.asked)


class TestDiscovery:
    def _house(self, document: HttpReply, **server: Any) -> House:
        house = House("sync", token_url=None, **server)
        house.issuer.documents[DISCOVERY] = document
        return house

    def test_the_document_says_where_tokens_are(self) -> None:
        """It is read once, and again where the endpoint fails later on: it may have moved."""
        house = self._house(reply({"issuer": "https://id.test", "token_endpoint": TOKENS}))
        house.token()
        house.token(Wanted(InOwnName(), "stock"))
        assert [DISCOVERY, TOKENS, TOKENS] == [request.url for request in house.issuer.sent]
        house.issuer.answer = reply({}, 500)
        house.fails(EndpointUnavailable, Wanted(InOwnName(), "x"))
        house.fails(EndpointUnavailable, Wanted(InOwnName(), "y"))
        assert [TOKENS, TOKENS] == [request.url for request in house.issuer.sent[-2:]]
        house.clock.advance(300)
        house.fails(EndpointUnavailable, Wanted(InOwnName(), "z"))
        house.issuer.answer = None
        house.token(Wanted(InOwnName(), "1"))
        assert [DISCOVERY, TOKENS] == [request.url for request in house.issuer.sent[-2:]]

    @pytest.mark.parametrize(
        ("members", "kind"),
        [
            ({"issuer": "https://other.test", "token_endpoint": TOKENS}, EndpointRefused),
            ({"issuer": "https://id.test", "token_endpoint": "https://evil.test/token"}, EndpointRefused),
            ({"issuer": "https://id.test", "token_endpoint": "http://id.test/token"}, EndpointRefused),
            ({"issuer": "https://id.test"}, EndpointUnavailable),
            ({"issuer": "https://id.test", "token_endpoint": 7}, EndpointUnavailable),
            ({"issuer": "https://id.test", "token_endpoint": "https://[id.test"}, EndpointUnavailable),
            ({"issuer": "https://id.test", "token_endpoint": "https://id\u2100.test"}, EndpointUnavailable),
        ],
    )
    def test_credentials_go_to_the_issuer_only(self, members: Any, kind: type[AuthgateError]) -> None:
        """Law 4.9: to its own origin, or where the configuration says."""
        house = self._house(reply(members))
        house.fails(kind)
        assert [DISCOVERY] == [request.url for request in house.issuer.sent]

    def test_where_client_certificates_are_read(self) -> None:
        """RFC 8705 section 5: an alias, where the client is one that a certificate proves."""
        alias = {"token_endpoint": "https://id.test/mtls"}
        document = {"issuer": "https://id.test", "token_endpoint": TOKENS, "mtls_endpoint_aliases": alias}
        house = self._house(reply(document), alias=True)
        house.token()
        assert "https://id.test/mtls" == house.issuer.sent[-1].url

    def test_an_issuer_that_is_no_openid_provider(self) -> None:
        """RFC 8414: the same document at another address."""
        house = House("sync", token_url=None, issuer="https://id.test/tenant")
        members = {"issuer": "https://id.test/tenant", "token_endpoint": TOKENS}
        oauth = "https://id.test/.well-known/oauth-authorization-server/tenant"
        house.issuer.documents[oauth] = reply(members)
        assert "t1" == house.token()
        del house.issuer.documents[oauth]
        house.supply._url = None
        house.fails(EndpointUnavailable, Wanted(InOwnName(), "stock"))


def _ask(house: House, colour: str) -> str:
    if colour == "sync":
        return house.supply.token(BILLING).reveal()
    return asyncio.run(house.supply.token_async(BILLING)).reveal()


def _waiting(house: House) -> int:
    """How many wait for the token."""
    flights: list[Any] = list(house.supply._flights.values())
    return sum(len(flight._condition._waiters) + len(flight._done_callbacks) for flight in flights)
