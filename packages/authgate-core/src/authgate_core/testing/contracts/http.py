"""What an HTTP port promises, against a real server on loopback."""

from __future__ import annotations

import gzip
import itertools
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import pytest

from ...errors import AuthUnavailable
from ...ports import HttpPort
from ...request import HttpReply, HttpRequest
from ..server import Answer, Asked, LoopbackServer

__all__ = ["HttpPortContract"]

_LIMIT: Final = 512 * 1024
_REFUSAL_LIMIT: Final = 4 * 1024
_PATIENCE: Final = 10.0
_KEYS: Final = b'{"keys":[]}'


class Peer:
    """The other side: answers every path with what the test puts there, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self.gone = threading.Event()
        self.server = LoopbackServer(self._respond, release=self.gone.set)

    def _respond(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answers.get(asked.path, Answer(status=404))

    def put(self, answer: Answer, path: str = "/") -> HttpRequest:
        """Have a path answered so; gives the request for it."""
        self.answers[path] = answer
        return HttpRequest("GET", f"{self.server.url}{path}")

    def flood(self) -> Iterator[bytes]:
        """A body of 64 MiB, as fast as it is read."""
        return itertools.repeat(b" " * 65_536, 1024)

    def drip(self, seconds: float) -> Iterator[bytes]:
        """A body that comes a byte at a time for so long."""
        for _ in range(math.ceil(seconds / 0.05)):
            yield b" "
            if self.gone.wait(0.05):
                return


class HttpPortContract:
    """Every promise of an ``HttpPort`` (Law 4.9); all of it runs with proxies named in the environment.

    Give it a port that allows a request five seconds in all, or less, which makes the suite faster.

    Example::

        class TestMyPort(HttpPortContract):
            @pytest.fixture
            def http(self) -> Iterator[MyPort]:
                port = MyPort()
                yield port
                port.close()
    """

    @pytest.fixture
    def http(self) -> HttpPort:
        """The port to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `http`")

    @pytest.fixture(autouse=True)
    def proxies_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 4.9: a proxy is configured, not inherited; nothing listens at this one."""
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
            monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

    @pytest.fixture
    def peer(self) -> Iterator[Peer]:
        """The server that the port speaks to."""
        peer = Peer()
        peer.server.start()
        yield peer
        peer.server.stop()

    @pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 410, 429, 500, 503])
    def test_any_status_is_returned(self, http: HttpPort, peer: Peer, status: int) -> None:
        """Judging a status is for flows."""
        request = peer.put(Answer(b"" if status == 204 else _KEYS, status=status))
        assert status == http.send(request).status

    def test_the_answer_is_returned_as_it_is(self, http: HttpPort, peer: Peer) -> None:
        """Bytes for bytes, header names in lower case."""
        request = peer.put(Answer(b"\x00\xff\r\n", headers=(("Cache-Control", "max-age=60"),)))
        reply = http.send(request)
        assert HttpReply(200, reply.headers, b"\x00\xff\r\n") == reply
        assert reply.headers.get("cache-control") == "max-age=60"

    def test_the_request_is_sent_as_it_is(self, http: HttpPort, peer: Peer) -> None:
        """Method, query, headers and body arrive; the body is asked for uncompressed."""
        url = peer.put(Answer(_KEYS), "/verify").url
        http.send(HttpRequest("POST", f"{url}?a=1&b=%2F", (("X-Signature", "abc"),), b'{"a":1}'))
        (asked,) = peer.asked
        assert (asked.method, asked.path, asked.query, asked.body) == (
            "POST",
            "/verify",
            "a=1&b=%2F",
            b'{"a":1}',
        )
        assert (asked.headers["x-signature"], asked.headers["accept-encoding"]) == ("abc", "identity")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_no_redirect_is_followed(self, http: HttpPort, peer: Peer, status: int) -> None:
        """Law 4.9: the redirect itself is the answer."""
        peer.put(Answer(_KEYS), "/elsewhere")
        request = peer.put(Answer(b"", status=status, headers=(("Location", "/elsewhere"),)))
        assert status == http.send(request).status
        assert [asked.path for asked in peer.asked] == ["/"], "the redirect was followed"

    def test_cookies_are_not_kept(self, http: HttpPort, peer: Peer) -> None:
        """One request says nothing to the next."""
        request = peer.put(Answer(_KEYS, headers=(("Set-Cookie", "a=b; Path=/"),)))
        http.send(request)
        http.send(request)
        assert ["cookie" in asked.headers for asked in peer.asked] == [False, False]

    def test_the_largest_body_is_read(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.9: 512 KiB are allowed, announced or not."""
        for body in (b" " * _LIMIT, [b" " * 65_536] * 8):
            assert len(http.send(peer.put(Answer(body))).body) == _LIMIT

    def test_a_larger_body_is_refused(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.9: one byte more is too much, announced or not."""
        for body in (b" " * (_LIMIT + 1), [*[b" " * 65_536] * 8, b" "]):
            with pytest.raises(AuthUnavailable):
                http.send(peer.put(Answer(body)))

    @pytest.mark.parametrize("status", [400, 401, 403])
    def test_the_body_of_a_refusal_is_read_where_that_is_asked(
        self, http: HttpPort, peer: Peer, status: int
    ) -> None:
        """Law 4.9: 4 KiB of it and not a byte more, announced or not."""
        for body in (b"{}", b" " * _REFUSAL_LIMIT, [b" " * 1024] * 4):
            asking = replace(peer.put(Answer(body, status=status)), refusal_body=True)
            assert http.send(asking).body == (body if isinstance(body, bytes) else b"".join(body))
        for body in (b" " * (_REFUSAL_LIMIT + 1), [*[b" " * 1024] * 4, b" "]):
            with pytest.raises(AuthUnavailable):
                http.send(replace(peer.put(Answer(body, status=status)), refusal_body=True))

    def test_no_other_refusal_holds_anything_up(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.9: a body that nobody asked for is not waited for, nor is that of another status."""
        for status, asked in (
            (400, False),
            (401, False),
            (403, False),
            (404, True),
            (429, True),
            (503, True),
        ):
            request = peer.put(Answer(peer.drip(_PATIENCE), status=status))
            assert http.send(replace(request, refusal_body=asked)).status == status

    def test_the_body_of_a_refusal_has_the_form_of_any(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.9: HTML, compressed and dripping bodies are as unwelcome there."""
        html = Answer(_KEYS, status=401, content_type="text/html")
        packed = Answer(gzip.compress(_KEYS), status=403, headers=(("Content-Encoding", "gzip"),))
        for answer in (html, packed, Answer(peer.drip(_PATIENCE), status=401)):
            with pytest.raises(AuthUnavailable):
                http.send(replace(peer.put(answer), refusal_body=True))

    def test_a_flood_is_not_read_to_its_end(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.9: the bytes are counted while they stream."""
        flood = peer.flood()
        with pytest.raises(AuthUnavailable):
            http.send(peer.put(Answer(flood)))
        peer.server.stop()
        assert next(flood, None) is not None, "all of it was read first"

    def test_a_dripping_body_is_given_up(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.9: the time is for the whole answer, not for each piece."""
        with pytest.raises(AuthUnavailable):
            http.send(peer.put(Answer(peer.drip(_PATIENCE))))

    @pytest.mark.parametrize(
        "kind", ["text/html", "text/html; charset=utf-8", "TEXT/HTML", "application/xhtml+xml"]
    )
    def test_html_is_refused(self, http: HttpPort, peer: Peer, kind: str) -> None:
        """Law 4.9: an error page with status 200 is no document, whatever its body."""
        with pytest.raises(AuthUnavailable):
            http.send(peer.put(Answer(_KEYS, content_type=kind)))

    @pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "unheard-of"])
    def test_a_compressed_body_is_refused(self, http: HttpPort, peer: Peer, coding: str) -> None:
        """Law 4.9: nothing is unpacked, so nothing can explode."""
        body = gzip.compress(_KEYS) if coding.lower() == "gzip" else _KEYS
        with pytest.raises(AuthUnavailable):
            http.send(peer.put(Answer(body, headers=(("Content-Encoding", coding),))))

    def test_a_refused_connection_is_an_outage(self, http: HttpPort, peer: Peer) -> None:
        """Law 1.5; and the port goes on once the peer is back."""
        request = peer.put(Answer(_KEYS))
        assert http.send(request).status == 200
        peer.server.refuse()
        with pytest.raises(AuthUnavailable):
            http.send(request)
        peer.server.start()
        assert http.send(request).status == 200

    def test_a_cut_body_is_an_outage(self, http: HttpPort, peer: Peer) -> None:
        """Law 1.5: half an answer is none."""
        with pytest.raises(AuthUnavailable):
            http.send(peer.put(Answer([_KEYS], headers=(("Content-Length", "100"),))))

    @pytest.mark.parametrize(
        "url", ["", "/jwks", "http://", "http://[::1", "file:///etc/passwd", "ftp://127.0.0.1/x"]
    )
    def test_an_unusable_address_is_an_outage(self, http: HttpPort, url: str) -> None:
        """Law 4.9: addresses come from discovery documents too."""
        with pytest.raises(AuthUnavailable):
            http.send(HttpRequest("GET", url))

    def test_threads_may_share_it(self, http: HttpPort, peer: Peer) -> None:
        """Law 4.11: everyone gets the answer to their own request."""
        requests = [peer.put(Answer(str(number).encode()), f"/{number}") for number in range(40)]
        with ThreadPoolExecutor(8) as threads:
            bodies = [reply.body for reply in threads.map(http.send, requests)]
        assert [str(number).encode() for number in range(40)] == bodies

    def test_it_closes_twice(self, http: HttpPort, peer: Peer) -> None:
        """Closing lets go, and closing again is no mistake."""
        http.send(peer.put(Answer(_KEYS)))
        http.close()
        http.close()
