"""The suite for HTTP ports, held to a careful port and to careless ones."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
import pytest

from authgate_core.errors import AuthUnavailable
from authgate_core.ports import HttpPort
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.testing.contracts import HttpPortContract
from authgate_core.testing.contracts import http as suite_module
from authgate_core.testing.contracts.http import Peer


@dataclass(kw_only=True)
class Port:
    """A port over an httpx2 client that keeps every promise but those that are switched off."""

    follows: bool = False
    inherits: bool = False
    keeps_cookies: bool = False
    limit: int = 512 * 1024
    refusal_limit: int = 4 * 1024
    reads_every_body: bool = False
    counts_at_the_end: bool = False
    seconds: float = 2.0
    takes_html: bool = False
    unpacks: bool = False
    judges: bool = False
    asks_for_gzip: bool = False
    upper_cases: bool = False
    drops_the_query: bool = False
    lets_the_library_speak: bool = False
    answers_nothing_when_cut: bool = False
    closes_once: bool = False
    client: httpx2.Client = field(init=False)
    is_closed: bool = False

    def __post_init__(self) -> None:
        self.client = httpx2.Client(
            follow_redirects=self.follows, trust_env=self.inherits, timeout=self.seconds
        )

    def send(self, request: HttpRequest) -> HttpReply:
        """Send, and translate what the library raises."""
        try:
            return self.exchange(request)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            if self.lets_the_library_speak:
                raise
            if self.answers_nothing_when_cut:
                return HttpReply(200, {}, b"")
            raise AuthUnavailable("no answer") from error
        finally:
            if not self.keeps_cookies:
                self.client.cookies.clear()

    def exchange(self, request: HttpRequest) -> HttpReply:
        """Send one request and read the answer in pieces."""
        url = request.url.partition("?")[0] if self.drops_the_query else request.url
        headers = {"accept-encoding": "gzip" if self.asks_for_gzip else "identity", **dict(request.headers)}
        deadline = time.monotonic() + self.seconds
        with self.client.stream(request.method, url, headers=headers, content=request.body or None) as answer:
            limit = self.wanted(request, answer.status_code)
            if limit is None:
                return HttpReply(answer.status_code, dict(answer.headers), b"")
            self.check(answer)
            body = bytearray()
            for piece in answer.iter_bytes() if self.unpacks else answer.iter_raw():
                body += piece
                if len(body) > limit and not self.counts_at_the_end:
                    raise AuthUnavailable("too large")
                if time.monotonic() > deadline:
                    raise AuthUnavailable("too slow")
        if len(body) > limit:
            raise AuthUnavailable("too large")
        names = {
            (name.upper() if self.upper_cases else name): value for name, value in answer.headers.items()
        }
        return HttpReply(answer.status_code, names, bytes(body))

    def wanted(self, request: HttpRequest, status: int) -> int | None:
        """How much of the body to read at most; None for nothing."""
        if self.judges or status < 300:
            return self.limit
        if self.reads_every_body or (request.refusal_body and status in {400, 401, 403}):
            return self.refusal_limit
        return None

    def check(self, answer: httpx2.Response) -> None:
        """Refuse by status, type and coding."""
        if self.judges and answer.status_code >= 400:
            raise AuthUnavailable("an error status")
        if "content-encoding" in answer.headers and not self.unpacks:
            raise AuthUnavailable("compressed")
        if "html" in answer.headers["content-type"].lower() and not self.takes_html:
            raise AuthUnavailable("HTML")

    def close(self) -> None:
        """Close the client."""
        if self.is_closed and self.closes_once:
            raise RuntimeError("already closed")
        self.is_closed = True
        self.client.close()


class TestCarefulPort(HttpPortContract):
    @pytest.fixture
    def http(self) -> Iterator[Port]:
        """A careful one, with less patience than the suite asks for."""
        port = Port(seconds=0.5)
        yield port
        port.close()


SUITE = HttpPortContract()
TESTS: Mapping[str, Callable[[HttpPort, Peer], None]] = {
    "status": partial(SUITE.test_any_status_is_returned, status=503),
    "answer": SUITE.test_the_answer_is_returned_as_it_is,
    "request": SUITE.test_the_request_is_sent_as_it_is,
    "redirect": partial(SUITE.test_no_redirect_is_followed, status=307),
    "cookies": SUITE.test_cookies_are_not_kept,
    "largest": SUITE.test_the_largest_body_is_read,
    "larger": SUITE.test_a_larger_body_is_refused,
    "refusal": partial(SUITE.test_the_body_of_a_refusal_is_read_where_that_is_asked, status=403),
    "other refusals": SUITE.test_no_other_refusal_holds_anything_up,
    "form of a refusal": SUITE.test_the_body_of_a_refusal_has_the_form_of_any,
    "flood": SUITE.test_a_flood_is_not_read_to_its_end,
    "drip": SUITE.test_a_dripping_body_is_given_up,
    "html": partial(SUITE.test_html_is_refused, kind="text/html"),
    "gzip": partial(SUITE.test_a_compressed_body_is_refused, coding="gzip"),
    "refused": SUITE.test_a_refused_connection_is_an_outage,
    "cut": SUITE.test_a_cut_body_is_an_outage,
    "threads": SUITE.test_threads_may_share_it,
    "close": SUITE.test_it_closes_twice,
}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """The suite's own server, in an environment that names proxies, dripping for a second."""
    monkeypatch.setattr(suite_module, "_PATIENCE", 1.0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    made = Peer()
    made.server.start()
    yield made
    made.server.stop()


class TestTheSuite:
    @pytest.mark.parametrize(
        ("mistake", "promise"),
        [
            ({"judges": True}, "status"),
            ({"inherits": True}, "status"),
            ({"upper_cases": True}, "answer"),
            ({"asks_for_gzip": True}, "request"),
            ({"drops_the_query": True}, "request"),
            ({"follows": True}, "redirect"),
            ({"keeps_cookies": True}, "cookies"),
            ({"limit": 512 * 1024 - 1}, "largest"),
            ({"limit": 512 * 1024 + 1}, "larger"),
            ({"refusal_limit": 4 * 1024 - 1}, "refusal"),
            ({"refusal_limit": 512 * 1024}, "refusal"),
            ({"reads_every_body": True, "seconds": 0.5}, "other refusals"),
            ({"takes_html": True}, "form of a refusal"),
            ({"unpacks": True}, "form of a refusal"),
            ({"seconds": 5.0}, "form of a refusal"),
            ({"counts_at_the_end": True, "seconds": 30.0}, "flood"),
            ({"seconds": 5.0}, "drip"),
            ({"takes_html": True}, "html"),
            ({"unpacks": True}, "gzip"),
            ({"lets_the_library_speak": True}, "refused"),
            ({"answers_nothing_when_cut": True}, "cut"),
            ({"closes_once": True}, "close"),
        ],
        ids=str,
    )
    def test_finds_every_mistake(self, peer: Peer, mistake: Mapping[str, Any], promise: str) -> None:
        """A port with one mistake breaks the promise that is about it."""
        port = Port(**mistake)
        with pytest.raises(
            (AssertionError, pytest.fail.Exception, AuthUnavailable, httpx2.HTTPError, RuntimeError)
        ):
            TESTS[promise](port, peer)
        port.client.close()

    def test_finds_answers_that_are_mixed_up(self, peer: Peer) -> None:
        """Law 4.11: a port that keeps the answer in one place for all threads."""

        class _Shared(Port):
            reply: HttpReply

            def send(self, request: HttpRequest) -> HttpReply:
                self.reply = super().send(request)
                time.sleep(0.002)
                return self.reply

        port = _Shared()
        with pytest.raises(AssertionError):
            TESTS["threads"](port, peer)
        port.close()

    def test_finds_an_address_that_is_not_refused(self) -> None:
        """Law 4.9: a port that opens whatever its library opens."""
        with pytest.raises(httpx2.InvalidURL):
            SUITE.test_an_unusable_address_is_an_outage(Port(lets_the_library_speak=True), "http://[::1")

    def test_is_tried_here_in_full(self) -> None:
        """Every test of the suite is in this file's table, or in the test above."""
        assert len(TESTS) + 1 == sum(name.startswith("test_") for name in dir(SUITE))
