"""The metrics of one registry of Prometheus, whoever keeps them."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final, assert_never

from ..clock import Clock
from .health import Attended
from .metrics import BUCKETS, METRICS, Group, Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.metrics_core import Metric as Collected

__all__ = ["Board"]


class Board:
    """Metrics that are made when somebody first asks for their group, and the gates whose health they show."""

    def __init__(self, clock: Clock) -> None:
        self.attended = Attended()
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge] = {}
        self.histograms: dict[str, Histogram] = {}
        self._clock = clock

    @classmethod
    def of(cls, registry: CollectorRegistry, groups: Collection[Group], clock: Clock) -> Board:
        """The board of a registry, with the metrics of these groups; of the first, the clock."""
        board = _boards.get(registry)
        if board is None:
            board = _boards[registry] = cls(clock)
            # Before its gauges, so that they are set when they are collected.
            registry.register(_Looking(board))
        for metric in METRICS:
            if metric.group in groups:
                board._make(metric, registry)
        return board

    def _make(self, metric: Metric, registry: CollectorRegistry) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        if metric.name in {*self.counters, *self.gauges, *self.histograms}:
            return
        name, text, labels = metric.name, metric.text, metric.labels
        match metric.kind:
            case "counter":
                self.counters[name] = Counter(name, text, labels, registry=registry)
            case "gauge":
                self.gauges[name] = Gauge(
                    name, text, labels, registry=registry, multiprocess_mode=metric.joined
                )
            case "histogram":
                self.histograms[name] = Histogram(name, text, labels, registry=registry, buckets=BUCKETS)
            case _:
                assert_never(metric.kind)

    def look(self) -> None:
        """Set the gauges to how things are now."""
        if "authgate_key_sets" in self.gauges:
            self._show_keys()
        if "authgate_revocation_source_up" in self.gauges:
            self._show_sources()

    def _show_keys(self) -> None:
        for issuer, states in self.attended.states().items():
            for state, count in states.items():
                self.gauges["authgate_key_sets"].labels(issuer, state).set(count)
        wall = self._clock.now().wall
        for issuer, age in self.attended.ages().items():
            self.gauges["authgate_key_set_timestamp_seconds"].labels(issuer).set(wall - age)

    def _show_sources(self) -> None:
        shown = {
            "authgate_revocation_source_up": self.attended.ups(),
            "authgate_revocation_feed_live": self.attended.feeds(),
            "authgate_revocation_unchecked_checks": self.attended.unchecked(),
        }
        for name, values in shown.items():
            for source, value in values.items():
                self.gauges[name].labels(source).set(value)


class _Looking:
    """Collects nothing itself: it has the gauges of a board set when they are about to be collected."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def describe(self) -> Iterable[Collected]:
        """Nothing; a registry would collect, to find out."""
        return ()

    def collect(self) -> Iterable[Collected]:
        """Nothing."""
        self._board.look()
        return ()


_boards: Final[weakref.WeakKeyDictionary[CollectorRegistry, Board]] = weakref.WeakKeyDictionary()
