"""OpenTelemetry: a span for each decision, and the same counts and health as metrics (Law 10.1)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from ..clock import Clock, SystemClock
from ..errors import ConfigurationError
from ..events import Decided, Notice
from .health import Attended, Watchable
from .metrics import BUCKETS

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation
    from opentelemetry.trace import Tracer, TracerProvider

__all__ = ["OpenTelemetry"]

_NAME: Final = "authgate"
_NANO: Final = 1_000_000_000


class OpenTelemetry:
    """An observer that makes spans and metrics with the API of OpenTelemetry; docs/reference/metrics.md names them.

    A span is a child of the one that is current where the gate is asked, which an instrumented framework makes of
    the request, and it is as long as the decision took.

    Args:
        spans: Whether it makes spans.
        metrics: Whether it keeps metrics.
        tracer_provider: Where spans go; by default to the provider of the process.
        meter_provider: Where metrics go; by default to the provider of the process.
        clock: Where it gets the time from.

    Raises:
        ConfigurationError: If the extra ``otel`` is not installed.
    """

    def __init__(
        self,
        *,
        spans: bool = True,
        metrics: bool = True,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        clock: Clock = SystemClock(),
    ) -> None:
        try:
            from opentelemetry.metrics import get_meter
            from opentelemetry.trace import get_tracer
        except ImportError:
            raise ConfigurationError(
                'OpenTelemetry() needs opentelemetry-api; install "authgate-core[otel]"'
            ) from None
        self._tracer = get_tracer(_NAME, tracer_provider=tracer_provider) if spans else None
        self._clock = clock
        self._attended = _attended_by(meter_provider)
        self._instruments = None
        if metrics:
            self._instruments = _Instruments(get_meter(_NAME, meter_provider=meter_provider), self._attended)

    def attend(self, gate: Watchable) -> None:
        """Show the health of this gate as well."""
        self._attended.add(gate)

    def __call__(self, event: Decided | Notice) -> None:
        """Count an event, and make a span of a decision."""
        if self._instruments is not None:
            self._instruments.count(event)
        if self._tracer is not None and isinstance(event, Decided):
            _trace(self._tracer, event, self._clock.now().wall)


def _trace(tracer: Tracer, event: Decided, ended: float) -> None:
    """Make the span of a decision that has been made; what is not recorded costs little more than asking."""
    from opentelemetry.trace import Status, StatusCode

    attributes: dict[str, str | bool] = {
        "authgate.outcome": event.verdict,
        "authgate.kind": event.kind,
        "authgate.issuer": event.issuer,
        "authgate.code": event.code,
        "authgate.cached": event.cached,
    }
    if event.reason:
        attributes["authgate.reason"] = event.reason
    end = int(ended * _NANO)
    begun = end - int(event.duration * _NANO)
    span = tracer.start_span("authgate.decide", start_time=begun, attributes=attributes)
    if event.outcome == "unavailable":
        span.set_status(Status(StatusCode.ERROR, event.code))
    span.end(end)


class _Instruments:
    def __init__(self, meter: Meter, attended: Attended) -> None:
        self._decisions = meter.create_counter(
            "authgate.decisions", unit="{decision}", description="Decisions of gates."
        )
        self._durations = meter.create_histogram(
            "authgate.decision.duration",
            unit="s",
            description="From the first look at a request to the decision.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        self._notices = meter.create_counter(
            "authgate.notices", unit="{notice}", description="What an operator should know."
        )
        for name, (look, unit, text) in _GAUGES.items():
            meter.create_observable_gauge(name, [_observer(look, attended)], unit=unit, description=text)

    def count(self, event: Decided | Notice) -> None:
        """Count an event."""
        if isinstance(event, Notice):
            self._notices.add(1, {"code": event.code, "alarm": event.alarm})
            return
        labels = {
            "outcome": event.verdict,
            "kind": event.kind,
            "issuer": event.issuer,
            "code": event.code,
        }
        self._decisions.add(1, labels)
        self._durations.record(event.duration, {"outcome": event.verdict, "cached": event.cached})


_Look = Callable[[Attended], Iterable[tuple[float, dict[str, str]]]]


def _observer(look: _Look, attended: Attended) -> Callable[[CallbackOptions], Iterable[Observation]]:
    from opentelemetry.metrics import Observation

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, labels) for value, labels in look(attended)]

    return observe


def _states(attended: Attended) -> Iterable[tuple[float, dict[str, str]]]:
    for issuer, states in attended.states().items():
        for status, count in states.items():
            yield count, {"issuer": issuer, "status": status}


def _ages(attended: Attended) -> Iterable[tuple[float, dict[str, str]]]:
    for issuer, age in attended.ages().items():
        yield age, {"issuer": issuer}


def _ups(attended: Attended) -> Iterable[tuple[float, dict[str, str]]]:
    for source, is_up in attended.ups().items():
        yield is_up, {"source": source}


def _feeds(attended: Attended) -> Iterable[tuple[float, dict[str, str]]]:
    for source, is_live in attended.feeds().items():
        yield is_live, {"source": source}


def _unchecked(attended: Attended) -> Iterable[tuple[float, dict[str, str]]]:
    for source, count in attended.unchecked().items():
        yield count, {"source": source}


_GAUGES: Final[dict[str, tuple[_Look, str, str]]] = {
    "authgate.key_sets": (_states, "{key_set}", "Key sets of an issuer in each state."),
    "authgate.key_set.age": (_ages, "s", "Age of the oldest key set of an issuer."),
    "authgate.revocation.source.up": (_ups, "1", "Whether a revocation source answered the last time."),
    "authgate.revocation.feed.live": (_feeds, "1", "Whether the process answers from its own copy."),
    "authgate.revocation.unchecked": (_unchecked, "{check}", 'Checks passed over by on_error="allow".'),
}

_everywhere: Final = Attended()
_elsewhere: Final[weakref.WeakKeyDictionary[MeterProvider, Attended]] = weakref.WeakKeyDictionary()


def _attended_by(provider: MeterProvider | None) -> Attended:
    """The gates whose health a provider shows: it makes each instrument once, whoever asks for it."""
    return _everywhere if provider is None else _elsewhere.setdefault(provider, Attended())
