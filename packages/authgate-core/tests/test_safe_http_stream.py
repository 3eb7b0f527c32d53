"""Answers that are read piece by piece, from real sockets that misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from authgate_core.errors import AuthUnavailable
from authgate_core.io.http import SafeHttp
from authgate_core.request import HttpRequest
from authgate_core.testing.server import Answer, Asked, LoopbackServer

MEGABYTE = 1024 * 1024


@pytest.fixture
def server() -> Iterator[Serving]:
    """A server that answers as its ``answer`` says."""
    served = Serving()
    yield served
    served.stop()


class Serving(LoopbackServer):
    """Answers every request alike."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.answer = Answer()
        self.start()

    def _answer(self, _: Asked) -> Answer:
        return self.answer


def asked(server: LoopbackServer) -> HttpRequest:
    """A request for it, whose refusal is read."""
    return HttpRequest("GET", server.url, refusal_body=True)


class TestStream:
    def test_a_body_of_any_length(self, server: Serving) -> None:
        """More than an answer of the gate could hold, with and without a length."""
        for body in (b"x" * 3 * MEGABYTE, [b"x" * MEGABYTE] * 3):
            server.answer = Answer(body)
            with SafeHttp().stream(asked(server), within=60) as (reply, pieces):
                assert (200, 3 * MEGABYTE) == (reply.status, sum(map(len, pieces)))

    def test_a_refusal(self, server: Serving) -> None:
        """Is read as ``send`` reads it, and has no pieces."""
        server.answer = Answer(b'{"detail": "no"}', status=403)

        with SafeHttp().stream(asked(server), within=60) as (reply, pieces):
            assert (403, b'{"detail": "no"}', []) == (reply.status, reply.body, [*pieces])

    def test_what_else_is_no_success(self, server: Serving) -> None:
        """Is not read at all, whatever it is."""
        server.answer = Answer(b"<p>x" * MEGABYTE, status=500, content_type="text/html")

        with SafeHttp().stream(asked(server), within=60) as (reply, pieces):
            assert (500, b"", []) == (reply.status, reply.body, [*pieces])

    @pytest.mark.parametrize(
        "answer",
        [Answer(b"", content_type="text/html"), Answer(b"", headers=(("Content-Encoding", "gzip"),))],
    )
    def test_forms_that_are_refused(self, server: Serving, answer: Answer) -> None:
        """Law 4.9: the same as for every other answer."""
        server.answer = answer

        with pytest.raises(AuthUnavailable), SafeHttp().stream(asked(server), within=60):
            raise AssertionError("nothing of it may be read")

    def test_a_silence(self, server: Serving) -> None:
        """A piece has the time of one request, however much is left of the whole."""
        server.answer = Answer(_and_then_nothing())

        with SafeHttp(timeout=0.2).stream(asked(server), within=60) as (_, pieces):
            assert b"first" == next(pieces)
            with pytest.raises(AuthUnavailable, match=r"within 0\.2 s"):
                next(pieces)

    def test_a_drip(self, server: Serving) -> None:
        """And all pieces together have the time of the whole."""
        server.answer = Answer(_for_ever())

        with (
            SafeHttp().stream(asked(server), within=0.3) as (_, pieces),
            pytest.raises(AuthUnavailable, match="did not answer"),
        ):
            for _piece in pieces:
                pass

    def test_a_break(self, server: Serving) -> None:
        """An answer that ends before it is whole is an outage."""
        server.answer = Answer([b"first"], headers=(("Content-Length", "10"),))

        with SafeHttp().stream(asked(server), within=60) as (_, pieces):
            assert b"first" == next(pieces)
            with pytest.raises(AuthUnavailable):
                next(pieces)

    def test_the_faults_of_whoever_reads_are_theirs(self, server: Serving) -> None:
        """Law 1.3: what they raise is no outage of the host."""
        server.answer = Answer([b"first"])

        with pytest.raises(TimeoutError, match="mine"), SafeHttp().stream(asked(server), within=60):
            raise TimeoutError("mine")

    def test_where_nobody_answers(self, server: Serving) -> None:
        """Is an outage before anything is read."""
        server.refuse()

        with pytest.raises(AuthUnavailable), SafeHttp().stream(asked(server), within=60):
            raise AssertionError("nothing can be read")


def _and_then_nothing() -> Iterator[bytes]:
    yield b"first"
    threading.Event().wait(2.0)


def _for_ever() -> Iterator[bytes]:
    while True:
        yield b"."
