"""The metrics of one registry of Prometheus, whoever keeps them."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, assert_never

from ..clock import Clock
from ..keyring import KeySetHealth
from ..revocation import RevocationHealth
from .health import Attended
from .metrics import BUCKETS, METRICS, Group, Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
    from prometheus_client.metrics_core import Metric as Collected

__all__ = ["Board"]

_STATES: Final = ("fresh", "stale", "down")


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
            self._show_keys(self.attended.key_sets())
        if "authgate_revocation_source_up" in self.gauges:
            self._show_sources(self.attended.sources())

    def _show_keys(self, found: Mapping[str, list[KeySetHealth]]) -> None:
        wall = self._clock.now().wall
        for issuer, sets in found.items():
            for state in _STATES:
                count = sum(keys.status == state for keys in sets)
                self.gauges["authgate_key_sets"].labels(issuer, state).set(count)
            ages = [keys.age for keys in sets if keys.age is not None]
            if ages:
                self.gauges["authgate_key_set_timestamp_seconds"].labels(issuer).set(wall - max(ages))

    def _show_sources(self, found: Mapping[str, list[RevocationHealth]]) -> None:
        for name, sources in found.items():
            asked = [source for source in sources if source.status != "unknown"]
            if asked:
                is_up = all(source.status == "ok" for source in asked)
                self.gauges["authgate_revocation_source_up"].labels(name).set(is_up)
            feeds = [source.feed for source in sources if source.feed is not None]
            if feeds:
                is_live = all(feed.status == "live" for feed in feeds)
                self.gauges["authgate_revocation_feed_live"].labels(name).set(is_live)
            unchecked = sum(source.unchecked for source in sources)
            self.gauges["authgate_revocation_unchecked_checks"].labels(name).set(unchecked)


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
