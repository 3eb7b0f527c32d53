"""Asking about a credential: memory first; an answer is remembered for as long as its reader says."""

from __future__ import annotations

import pytest

from authgate_core.cache import Answers
from authgate_core.clock import Instant
from authgate_core.effects import Answered, AskEndpoint, CheckRevoked, Endpoint, Flow
from authgate_core.errors import AuthUnavailable, EndpointUnavailable
from authgate_core.flows.asking import Said, ask, unusable
from authgate_core.principal import ProjectRef
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.testing import StepTrace, step

ENDPOINT = Endpoint("id", "https://id.test/introspect")
NOW = Instant(1_700_000_000.0, 100.0)
OK = Answered(HttpReply(200, {}, b"yes"), NOW, NOW.plus(1.0))


def question() -> AskEndpoint:
    """What is asked."""
    return AskEndpoint(ENDPOINT, HttpRequest("POST", ENDPOINT.url), b"key")


def read(answered: Answered) -> Flow[Said[str]]:
    """A reader that knows two statuses, and has to ask somebody about the second."""
    if answered.reply.status == 200:
        return Said(answered.reply.body.decode(), 30.0)
    if answered.reply.status != 401:
        raise unusable(ENDPOINT, answered.reply)
    yield from CheckRevoked(ProjectRef("p", 1))
    return Said(None, 5.0)


def asked(table: Answers[str], now: Instant = NOW) -> StepTrace[str | None]:
    """A flow that asks."""
    flow = ask(b"key", question, read, table, now)
    return step(flow)


@pytest.fixture(name="table")
def _table() -> Answers[str]:
    return Answers(bytes(16), ENDPOINT.url)


class TestAsk:
    def test_a_yes(self, table: Answers[str]) -> None:
        """Is asked for once, and remembered from its question on."""
        trace = asked(table)
        assert question() == trace.next()
        trace.reply(OK)
        trace.returns("yes")
        asked(table, NOW.plus(29.9)).returns("yes")
        assert question() == asked(table, NOW.plus(30.0)).next()

    def test_a_no(self, table: Answers[str]) -> None:
        """Too; reading it may need others."""
        trace = asked(table)
        trace.reply(Answered(HttpReply(401, {}, b""), NOW, NOW))
        assert CheckRevoked(ProjectRef("p", 1)) == trace.next()
        trace.reply(value=False)
        trace.returns(None)
        asked(table, NOW.plus(4.9)).returns(None)
        assert question() == asked(table, NOW.plus(5.0)).next()

    @pytest.mark.parametrize(("headers", "after"), [({}, 1.0), ({"retry-after": "7"}, 7.0)])
    def test_what_is_neither(self, table: Answers[str], headers: dict[str, str], after: float) -> None:
        """Law 7.3: an outage is not remembered; how long to wait is told."""
        trace = asked(table)
        trace.next()
        with pytest.raises(EndpointUnavailable, match="id answered with status 503") as caught:
            trace.reply(Answered(HttpReply(503, headers, b""), NOW, NOW))
        assert after == caught.value.retry_after
        assert question() == asked(table).next()

    def test_no_answer(self, table: Answers[str]) -> None:
        """Is told as what it is, with its cause."""
        trace = asked(table)
        trace.next()
        outage = AuthUnavailable("no connection", retry_after=7.0)
        with pytest.raises(EndpointUnavailable, match="no connection") as caught:
            trace.fail(outage)
        assert (7.0, outage) == (caught.value.retry_after, caught.value.__cause__)
        assert question() == asked(table).next()
