from collections.abc import Callable

import pytest

from authgate_core.clock import Instant
from authgate_core.effects import AwaitKeys, Flow, RingName, StartRefresh
from authgate_core.errors import AuthUnavailable
from authgate_core.testing import step

RING = RingName("main")
WAIT = AwaitKeys(RING, 2.0)
LATER = Instant(1.0, 1.0)


def two_effects() -> Flow[float]:
    """Wait for keys, start a refresh, return the time after the wait."""
    now = yield from WAIT
    yield from StartRefresh(RING)
    return now.wall


def no_effect() -> Flow[str]:
    """Return at once."""
    yield from ()
    return "done"


def recovers() -> Flow[str]:
    """Answer with the reason of the outage that the port reports."""
    try:
        yield from WAIT
    except AuthUnavailable as outage:
        return outage.reason
    return "no outage"


class TestStep:
    def test_goes_effect_by_effect(self) -> None:
        """Each reply lets the flow go on to its next effect, and the last to its end."""
        trace = step(two_effects())
        assert WAIT == trace.next()
        trace.reply(LATER)
        assert StartRefresh(RING) == trace.next()
        trace.reply(None)
        trace.returns(1.0)
        assert [WAIT, StartRefresh(RING)] == trace.effects

    def test_looking_twice_changes_nothing(self) -> None:
        """The pending effect stays pending until it is answered."""
        trace = step(two_effects())
        assert trace.next() is trace.next()
        assert [WAIT] == trace.effects

    def test_a_flow_without_effects_only_returns(self) -> None:
        """A pure flow needs no reply."""
        trace = step(no_effect())
        trace.returns("done")
        assert "done" == trace.result
        assert [] == trace.effects

    def test_a_failure_arrives_at_the_line_that_asked(self) -> None:
        """The flow can catch what the port raised."""
        trace = step(recovers())
        trace.fail(AuthUnavailable("the issuer is down"))
        trace.returns("the issuer is down")

    def test_an_error_leaves_through_the_call_that_caused_it(self) -> None:
        """What the flow does not catch reaches the test."""
        trace = step(two_effects())
        outage = AuthUnavailable("down")
        with pytest.raises(AuthUnavailable) as caught:
            trace.fail(outage)
        assert outage is caught.value
        with pytest.raises(AssertionError, match="it raised"):
            trace.returns(1.0)


class TestMistakesOfTheTest:
    def test_another_result_fails(self) -> None:
        """``returns`` compares."""
        with pytest.raises(AssertionError, match="'done', not 'other'"):
            step(no_effect()).returns("other")

    def test_a_flow_that_still_waits_has_not_returned(self) -> None:
        """An unanswered effect is named."""
        with pytest.raises(AssertionError, match="waits for AwaitKeys"):
            step(two_effects()).returns(1.0)

    @pytest.mark.parametrize(
        "go_on",
        [
            lambda trace: trace.next(),
            lambda trace: trace.reply(None),
            lambda trace: trace.fail(ValueError()),
        ],
        ids=["next", "reply", "fail"],
    )
    def test_a_flow_that_ended_takes_no_more(self, go_on: Callable[[object], object]) -> None:
        """There is nothing to answer after the end."""
        trace = step(no_effect())
        trace.returns("done")
        with pytest.raises(AssertionError, match="has ended"):
            go_on(trace)
