"""Asking endpoints: one call for each question, and none of an endpoint that does not answer (docs/adr/0025)."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from authgate_core.effects import Answered, AskEndpoint, Endpoint
from authgate_core.errors import AuthUnavailable
from authgate_core.events import Notice
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.runner.exchanges import Exchanges
from authgate_core.testing import ManualClock

ENDPOINT = Endpoint("id (introspection)", "https://id.test/introspect")
REQUEST = HttpRequest("POST", ENDPOINT.url, body=b"token=secret")
QUESTION = AskEndpoint(ENDPOINT, REQUEST, b"key", frozenset({401}))
PATIENCE = 10.0


class Port:
    """An HTTP port that answers as it is told, when it is told."""

    def __init__(self) -> None:
        self.answer: HttpReply | BaseException = HttpReply(200, {}, b"{}")
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Semaphore(0)
        self.sent: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpReply:
        self.sent.append(request)
        self.begun.release()
        assert self.go_on.wait(PATIENCE)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def close(self) -> None:
        """Nothing is open."""


class Office:
    """Exchanges of one colour over one port.

    Args:
        colour: How it is asked.
    """

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.port = Port()
        self.clock = ManualClock()
        self.notices: list[Notice] = []
        self.exchanges = Exchanges(self.port, self.clock, notice=self.notices.append)

    def ask(self, effect: AskEndpoint = QUESTION) -> Answered:
        if self.colour == "sync":
            return self.exchanges.ask(effect)
        return asyncio.run(self.exchanges.ask_async(effect))

    def ask_all(self, *effects: AskEndpoint, meanwhile: Callable[[], None]) -> list[Any]:
        """Ask at the same time, each in a thread or loop of its own; what failed is in the list as well."""
        with ThreadPoolExecutor(len(effects)) as pool:
            asked = [pool.submit(self.ask, effect) for effect in effects]
            meanwhile()
            self.port.go_on.set()
            return [outcome.exception() or outcome.result() for outcome in asked]

    def fail(self, times: int) -> None:
        """Ask in vain."""
        for _ in range(times):
            with pytest.raises(AuthUnavailable):
                self.ask()

    @property
    def codes(self) -> list[str]:
        return [notice.code for notice in self.notices]

    def waiting(self) -> int:
        """How many wait for the call of ``QUESTION``."""
        (flight,) = self.exchanges._lines[ENDPOINT].flights.values()
        return len(flight._condition._waiters) + len(flight._done_callbacks)  # type: ignore[attr-defined]  # private


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture(name="office", params=["sync", "async"])
def _office(request: pytest.FixtureRequest) -> Iterator[Office]:
    office = Office(request.param)
    yield office
    office.port.go_on.set()


class TestAsking:
    def test_the_answer_with_its_moments(self, office: Office) -> None:
        """It is as old as its question."""
        office.port.go_on.clear()
        before = office.clock.now()

        def meanwhile() -> None:
            assert office.port.begun.acquire(timeout=PATIENCE)
            office.clock.advance(3.0)

        reply = HttpReply(200, {}, b"{}")
        assert [Answered(reply, before, before.plus(3.0))] == office.ask_all(QUESTION, meanwhile=meanwhile)
        assert [REQUEST] == office.port.sent

    @pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 500])
    def test_any_status_is_an_answer(self, office: Office, status: int) -> None:
        """What it means is for flows to judge."""
        office.port.answer = HttpReply(status, {}, b"")
        assert status == office.ask().reply.status

    def test_nothing_is_remembered(self, office: Office) -> None:
        """That is for ``cache.Answers``, once the answer was read."""
        office.ask()
        office.ask()
        assert 2 == len(office.port.sent)

    def test_one_call_for_all_who_ask_the_same(self, office: Office) -> None:
        """Issue 6: single-flight for each question."""
        office.port.go_on.clear()

        def meanwhile() -> None:
            assert office.port.begun.acquire(timeout=PATIENCE)
            until(lambda: office.waiting() >= (7 if office.colour == "sync" else 8))

        answers = office.ask_all(*[QUESTION] * 8, meanwhile=meanwhile)
        assert 1 == len(office.port.sent)
        assert [answers[0]] * 8 == answers

    def test_another_question_is_another_call(self, office: Office) -> None:
        """Whatever else is under way, at this endpoint or at another."""
        office.port.go_on.clear()
        other = replace(QUESTION, flight_key=b"other")
        elsewhere = replace(QUESTION, endpoint=Endpoint("b", "https://b.test"))

        def meanwhile() -> None:
            for _ in range(3):
                assert office.port.begun.acquire(timeout=PATIENCE)

        office.ask_all(QUESTION, other, elsewhere, meanwhile=meanwhile)
        assert 3 == len(office.port.sent)

    def test_too_many_calls(self, office: Office) -> None:
        """A flood of made-up tokens starts no flood of threads; afterwards there is room again."""
        office.port.go_on.clear()
        many = [replace(QUESTION, flight_key=b"%d" % number) for number in range(100)]

        def meanwhile() -> None:
            for _ in many:
                assert office.port.begun.acquire(timeout=PATIENCE)
            with pytest.raises(AuthUnavailable, match="100 calls of id"):
                office.ask()

        office.ask_all(*many, meanwhile=meanwhile)
        assert 200 == office.ask().reply.status


class TestFailures:
    def test_each_who_waits_has_an_error_of_its_own(self, office: Office) -> None:
        """For it is given the scheme and the issuer of the request."""
        office.port.go_on.clear()
        office.port.answer = AuthUnavailable("no connection", retry_after=7.0)

        def meanwhile() -> None:
            assert office.port.begun.acquire(timeout=PATIENCE)
            until(lambda: office.waiting() >= (2 if office.colour == "sync" else 3))

        errors = office.ask_all(*[QUESTION] * 3, meanwhile=meanwhile)
        assert [("no connection", 7.0)] * 3 == [(error.reason, error.retry_after) for error in errors]
        assert 3 == len(set(map(id, errors)))

    def test_a_bug_leaves_as_itself(self, office: Office) -> None:
        """Law 1.3."""
        office.port.answer = KeyError("bug")
        with pytest.raises(KeyError, match="bug"):
            office.ask()
        office.port.answer = HttpReply(200, {}, b"")
        assert 200 == office.ask().reply.status

    def test_what_ends_a_thread_is_an_outage_to_those_who_wait(self) -> None:
        """As the time-out of a worker; it reaches the thread itself as itself."""
        office = Office("sync")
        office.port.go_on.clear()
        office.port.answer = SystemExit(1)

        def meanwhile() -> None:
            assert office.port.begun.acquire(timeout=PATIENCE)
            until(lambda: office.waiting() >= 1)

        outcomes = office.ask_all(QUESTION, QUESTION, meanwhile=meanwhile)
        assert {SystemExit, AuthUnavailable} == set(map(type, outcomes))
        office.port.answer = HttpReply(200, {}, b"")
        assert 200 == office.ask().reply.status

    def test_a_cancelled_request_takes_nothing_from_the_others(self) -> None:
        """The call goes on, and answers who waits still."""
        office = Office("async")
        office.port.go_on.clear()

        async def both() -> Answered:
            first, second = (asyncio.create_task(office.exchanges.ask_async(QUESTION)) for _ in range(2))
            await asyncio.to_thread(office.port.begun.acquire, timeout=PATIENCE)
            first.cancel()
            await asyncio.wait((first,))
            office.port.go_on.set()
            return await second

        assert 200 == asyncio.run(both()).reply.status
        assert 1 == len(office.port.sent)

    def test_no_thread_to_be_had(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As while the interpreter shuts down: an outage, and nobody waits for ever."""
        office = Office("async")

        def refuse(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            flight, call = office.exchanges._join(QUESTION)
            assert call is not None
            office.exchanges._start(call)
        assert "can't start new thread" == str(flight.result(PATIENCE))
        assert 200 == office.ask().reply.status


class TestBreaker:
    """An endpoint that does not answer is not asked, and one call at a time finds out whether it does again."""

    @pytest.mark.parametrize(
        "answer", [AuthUnavailable("no connection"), HttpReply(500, {}, b""), HttpReply(401, {}, b"")]
    )
    def test_five_failures_open_it(self, office: Office, answer: Any) -> None:
        """No answer, an answer of a broken server, or a refusal of this service itself."""
        office.port.answer = answer
        for _ in range(5):
            office.clock.advance(2.0)
            try:
                office.ask()
            except AuthUnavailable:
                continue
        with pytest.raises(AuthUnavailable, match="not asked until a probe succeeds") as caught:
            office.ask()
        assert 0.5 == caught.value.retry_after
        assert 5 == len(office.port.sent)
        assert ["endpoint_breaker_open"] == office.codes
        assert office.notices[0].alarm

    @pytest.mark.parametrize("status", [200, 204, 400, 403, 404, 429])
    def test_answers_do_not(self, office: Office, status: int) -> None:
        """Whatever they say of a credential."""
        office.port.answer = HttpReply(status, {}, b"")
        for _ in range(20):
            office.ask()
        assert 20 == len(office.port.sent)

    def test_failures_of_long_ago_do_not(self, office: Office) -> None:
        """Five of them within ten seconds count."""
        office.port.answer = AuthUnavailable("no connection")
        for _ in range(20):
            office.clock.advance(2.6)
            office.fail(1)
        assert 20 == len(office.port.sent)

    def test_one_probe_at_a_time(self, office: Office) -> None:
        """Everyone else is refused meanwhile."""
        office.port.answer = AuthUnavailable("no connection")
        office.fail(5)
        office.clock.advance(0.5)
        office.port.go_on.clear()
        office.port.answer = HttpReply(200, {}, b"")

        def meanwhile() -> None:
            for _ in range(5 + 1):
                assert office.port.begun.acquire(timeout=PATIENCE)
            with pytest.raises(AuthUnavailable, match="until a probe succeeds"):
                office.ask(replace(QUESTION, flight_key=b"other"))

        assert [200] == [answer.reply.status for answer in office.ask_all(QUESTION, meanwhile=meanwhile)]
        assert ["endpoint_breaker_open", "endpoint_breaker_closed"] == office.codes
        assert 200 == office.ask().reply.status

    def test_a_probe_that_fails(self, office: Office) -> None:
        """Has it rest twice as long, and at most for two seconds."""
        office.port.answer = HttpReply(503, {}, b"")
        for _ in range(5):
            office.ask()
        rests = []
        for _ in range(4):
            with pytest.raises(AuthUnavailable) as caught:
                office.ask()
            rests.append(caught.value.retry_after)
            office.clock.advance(rests[-1])
            assert 503 == office.ask().reply.status
        assert [0.5, 1.0, 2.0, 2.0] == pytest.approx(rests)

    def test_a_pace_of_its_own(self, office: Office) -> None:
        """An endpoint may be given up sooner, and tried again sooner."""
        office.port.answer = AuthUnavailable("no connection")
        effect = replace(QUESTION, endpoint=Endpoint("a", "https://a.test", opens_after=2, longest_rest=0.2))
        for _ in range(2):
            with pytest.raises(AuthUnavailable, match="no connection"):
                office.ask(effect)
        with pytest.raises(AuthUnavailable, match="until a probe succeeds") as caught:
            office.ask(effect)
        assert 0.2 == pytest.approx(caught.value.retry_after)

    def test_other_endpoints_are_asked(self, office: Office) -> None:
        """Each has a breaker of its own."""
        office.port.answer = AuthUnavailable("no connection")
        office.fail(5)
        office.port.answer = HttpReply(200, {}, b"")
        assert 200 == office.ask(replace(QUESTION, endpoint=Endpoint("b", "https://b.test"))).reply.status

    def test_a_bug_is_told_by_its_kind(self, office: Office) -> None:
        """Its text may hold what was presented (Law 2.5)."""
        office.port.answer = ValueError("token=secret")
        for _ in range(5):
            with pytest.raises(ValueError, match="token"):
                office.ask()
        assert "it is not asked for now: the HTTP port raised ValueError" == office.notices[0].text


class TestBeingToldToWait:
    @pytest.mark.parametrize("status", [429, 503])
    def test_for_as_long_as_it_says(self, office: Office, status: int) -> None:
        """RFC 9110 section 10.2.3: nothing is sent meanwhile."""
        office.port.answer = HttpReply(status, {"retry-after": "7"}, b"")
        office.ask()
        office.clock.advance(1.0)
        with pytest.raises(AuthUnavailable, match="asked to be left alone") as caught:
            office.ask()
        assert 6.0 == pytest.approx(caught.value.retry_after)
        office.clock.advance(6.0)
        office.ask()
        assert 2 == len(office.port.sent)

    def test_a_minute_at_most(self, office: Office) -> None:
        """So that one answer shuts nobody out for a day."""
        office.port.answer = HttpReply(429, {"retry-after": "86400"}, b"")
        office.ask()
        office.clock.advance(60.0)
        office.ask()

    @pytest.mark.parametrize(("status", "headers"), [(429, {}), (200, {"retry-after": "7"})])
    def test_not_otherwise(self, office: Office, status: int, headers: dict[str, str]) -> None:
        """Without the header, or with an answer that is none of those."""
        office.port.answer = HttpReply(status, headers, b"")
        office.ask()
        office.ask()


_FORKED = """
import os
from authgate_core.effects import AskEndpoint, Endpoint
from authgate_core.errors import AuthUnavailable
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.runner.exchanges import Exchanges
from authgate_core.testing import ManualClock

class Port:
    answer = None
    def send(self, request):
        if self.answer is None:
            raise AuthUnavailable("no connection")
        return self.answer

port = Port()
exchanges = Exchanges(port, ManualClock(), notice=lambda notice: None)
effect = AskEndpoint(Endpoint("a", "https://a.test"), HttpRequest("GET", "https://a.test"), b"key")
for _ in range(5):
    try:
        exchanges.ask(effect)
    except AuthUnavailable:
        pass
port.answer = HttpReply(200, {}, b"")
exchanges._lock.acquire()
child = os.fork()
if child == 0:
    print(exchanges.ask(effect).reply.status, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


class TestForks:
    def test_a_child_begins_anew(self) -> None:
        """Law 9.5: no lock, call or breaker of the parent's is used."""
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", _FORKED]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert ("200\n", "") == (done.stdout, done.stderr)
