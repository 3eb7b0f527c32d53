"""OpenTelemetry: a span and the same counts for every decision, and health as it is when it is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.keyring import KeySetHealth
from authgate_core.observers import Health, OpenTelemetry
from authgate_core.revocation import FeedHealth, RevocationHealth
from authgate_core.testing import FakeIssuer, ManualClock
from tests.support.gates import bearer, face, trusted, view

GRANTED = Decided("granted", "bearer", "main", "ok", cached=True, duration=0.25)
DOWN = Decided(
    "unavailable", "bearer", "main", "keys_unavailable", cached=False, duration=2.0, reason="no connection"
)


class Watched:
    """Everything that is made of the events of one provider of each kind."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.clock = ManualClock()

    def observer(self, **options: Any) -> OpenTelemetry:
        return OpenTelemetry(
            tracer_provider=self.tracers, meter_provider=self.meters, clock=self.clock, **options
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """The attributes and the value of each point of a metric."""
        data = self.reader.get_metrics_data()
        found = [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]
        return [
            (dict(point.attributes or {}), getattr(point, "value", None) or getattr(point, "sum", 0))
            for point in found
        ]


@pytest.fixture(name="watched")
def _watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.tracers.shutdown()
    watched.meters.shutdown()


class TestSpans:
    """One for each decision."""

    def test_it_is_as_long_as_the_decision(self, watched: Watched) -> None:
        """And ended when that was made, as the observer's clock has it."""
        watched.observer()(GRANTED)

        (span,) = watched.spans
        ended = int(watched.clock.now().wall * 1e9)
        assert ("authgate.decide", ended - 250_000_000, ended) == (span.name, span.start_time, span.end_time)
        assert {
            "authgate.outcome": "granted",
            "authgate.kind": "bearer",
            "authgate.issuer": "main",
            "authgate.code": "ok",
            "authgate.cached": True,
        } == dict(span.attributes or {})
        assert StatusCode.UNSET == span.status.status_code

    def test_an_outage_is_an_error(self, watched: Watched) -> None:
        """With its code; a refusal is none, for the gate did what it is for."""
        watched.observer()(DOWN)
        watched.observer()(
            Decided("refused", "none", "unknown", "credentials_missing", cached=True, duration=0.1)
        )

        down, refused = watched.spans
        assert (StatusCode.ERROR, "keys_unavailable") == (down.status.status_code, down.status.description)
        assert "no connection" == (down.attributes or {})["authgate.reason"]
        assert StatusCode.UNSET == refused.status.status_code

    @pytest.mark.parametrize("colour", ["sync", "async"])
    def test_its_parent_is_the_span_of_the_request(self, watched: Watched, colour: str) -> None:
        """As an instrumented framework makes one, in both colours."""
        fake = FakeIssuer()
        gate = face(colour, ag.GateConfig(issuers=[trusted(fake)], on_event=watched.observer()))
        with watched.tracers.get_tracer("test").start_as_current_span("GET /orders"):
            gate.admit(view(bearer(fake.token())), ag.is_user)
        gate.close()

        decision, request = watched.spans
        assert decision.parent is not None
        assert request.context is not None
        assert request.context.span_id == decision.parent.span_id

    def test_a_notice_is_no_span(self, watched: Watched) -> None:
        """It is of no request."""
        watched.observer()(Notice("breaker_open", "redis", "five failures"))
        assert [] == watched.spans

    def test_they_can_be_left_out(self, watched: Watched) -> None:
        """Then only metrics are kept."""
        watched.observer(spans=False)(GRANTED)
        assert [] == watched.spans
        assert 1 == len(watched.points("authgate.decisions"))


class TestMetrics:
    """The same labels as anywhere (Law 10.1)."""

    def test_decisions(self, watched: Watched) -> None:
        """Counted, and how long they took."""
        observer = watched.observer()
        for event in (GRANTED, GRANTED, DOWN):
            observer(event)

        granted = {"outcome": "granted", "kind": "bearer", "issuer": "main", "code": "ok"}
        down = {"outcome": "unavailable", "kind": "bearer", "issuer": "main", "code": "keys_unavailable"}
        assert [(granted, 2), (down, 1)] == watched.points("authgate.decisions")
        assert [
            ({"outcome": "granted", "cached": True}, 0.5),
            ({"outcome": "unavailable", "cached": False}, 2.0),
        ] == watched.points("authgate.decision.duration")

    def test_notices(self, watched: Watched) -> None:
        """By code, and whether somebody must act; their subjects may hold a tenant."""
        watched.observer()(Notice("keys_ended", "main (t1)", "none", alarm=True))
        assert [({"code": "keys_ended", "alarm": True}, 1)] == watched.points("authgate.notices")

    def test_health(self, watched: Watched) -> None:
        """Read when the metrics are, of whichever observer's gates."""
        gate = Ill(
            (
                KeySetHealth("main", "t1", "stale", 400.0, 1, None),
                KeySetHealth("main", "t2", "fresh", 1.0, 1, None),
            ),
            (
                RevocationHealth(
                    source="redis",
                    status="ok",
                    unchecked=3,
                    feed=FeedHealth(status="live", age=0.1, entries=0, limit=1),
                ),
            ),
        )
        watched.observer()
        watched.observer().attend(gate)

        assert [({"issuer": "main"}, 400.0)] == watched.points("authgate.key_set.age")
        assert [1, 1] == [
            value for labels, value in watched.points("authgate.key_sets") if labels["status"] != "down"
        ]
        assert [({"source": "redis"}, True)] == watched.points("authgate.revocation.source.up")
        assert [({"source": "redis"}, True)] == watched.points("authgate.revocation.feed.live")
        assert [({"source": "redis"}, 3)] == watched.points("authgate.revocation.unchecked")

    def test_they_can_be_left_out(self, watched: Watched) -> None:
        """Then only spans are made."""
        watched.observer(metrics=False)(GRANTED)
        assert [] == watched.points("authgate.decisions")
        assert 1 == len(watched.spans)


class Ill:
    """A gate of whose health a test says what it is."""

    def __init__(self, keys: tuple[KeySetHealth, ...], revocation: tuple[RevocationHealth, ...]) -> None:
        self._health = Health(keys, revocation)

    def health(self) -> Health:
        return self._health


class TestWithoutTheLibrary:
    def test_what_to_install_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In one line."""
        monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
        with pytest.raises(ag.ConfigurationError, match=r"authgate-core\[otel\]"):
            OpenTelemetry()

    def test_the_providers_of_the_process(self) -> None:
        """Where none are set an event is nothing, and a gate is none the worse."""
        fake = FakeIssuer()
        with ag.Gate(ag.GateConfig(issuers=[trusted(fake)], on_event=OpenTelemetry())) as gate:
            assert "u1" == gate.verify_token(fake.token("u1")).user.id
