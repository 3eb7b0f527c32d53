"""Stepping a flow by hand, one effect at a time, with no runner and no port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ..effects import AnyEffect, Flow

__all__ = ["StepTrace", "step"]

T = TypeVar("T")


class StepTrace(Generic[T]):
    """A flow that a test answers in the place of a runner.

    Whatever the flow raises leaves through the call that made it go on.

    Args:
        flow: The flow, not yet started.

    Attributes:
        effects: What the flow has asked for so far, in order.
    """

    def __init__(self, flow: Flow[T]) -> None:
        self.effects: list[AnyEffect] = []
        self._flow = flow
        self._started = False
        self._pending: AnyEffect | None = None
        self._result: tuple[T] | None = None

    def next(self) -> AnyEffect:
        """The effect that the flow waits for; starts the flow if need be, and asking twice changes nothing.

        Raises:
            AssertionError: If the flow has ended.
        """
        self._start()
        if self._pending is None:
            raise AssertionError(f"the flow has ended; it asked for {self.effects}")
        return self._pending

    def reply(self, value: object) -> None:
        """Answer the effect that the flow waits for, and let it go on."""
        self.next()
        self._go_on(lambda: self._flow.send(value))

    def fail(self, error: BaseException) -> None:
        """Throw what a port would raise into the flow, at the line that asked."""
        self.next()
        self._go_on(lambda: self._flow.throw(error))

    @property
    def result(self) -> T:
        """What the flow returned.

        Raises:
            AssertionError: If it still waits for an effect, or raised.
        """
        self._start()
        if self._result is None:
            held_up = "raised" if self._pending is None else f"waits for {self._pending}"
            raise AssertionError(f"the flow has not returned: it {held_up}")
        return self._result[0]

    def returns(self, expected: T) -> None:
        """Assert that the flow has ended with this value.

        Raises:
            AssertionError: If it has not, or with another.
        """
        if self.result != expected:
            raise AssertionError(f"the flow returned {self.result!r}, not {expected!r}")

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._go_on(lambda: next(self._flow))

    def _go_on(self, move: Callable[[], AnyEffect]) -> None:
        self._pending = None
        try:
            self._pending = move()
        except StopIteration as end:
            self._result = (end.value,)
        else:
            self.effects.append(self._pending)


def step(flow: Flow[T]) -> StepTrace[T]:
    """Step a flow by hand.

    Example::

        trace = step(find_keys(header, ring, now))
        assert trace.next() == AwaitKeys(RingName("main"), timeout=2.0)
        trace.reply(later)
        trace.returns((key,))
    """
    return StepTrace(flow)
