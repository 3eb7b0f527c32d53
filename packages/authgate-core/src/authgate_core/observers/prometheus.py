"""Prometheus: what gates decide and how what they depend on is, as metrics with bounded labels (Law 10.1)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

from ..clock import Clock, SystemClock
from ..errors import ConfigurationError
from ..events import Decided, Notice
from .board import Board
from .health import Watchable
from .metrics import GROUPS, Group

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["Prometheus"]

_DECISIONS: Final = "authgate_decisions"
_DURATIONS: Final = "authgate_decision_duration_seconds"
_NOTICES: Final = "authgate_notices"
_LOOK_EVERY: Final = 5.0
"""Seconds between two looks at health; a scrape of a process that collects its own values looks by itself."""


class Prometheus:
    """An observer that keeps metrics with ``prometheus_client``; docs/reference/metrics.md names them.

    Several of them, of several gates, share the metrics of a registry.

    Args:
        groups: Which metrics are kept: ``decisions``, ``durations``, ``keys``, ``revocation``, ``notices``.
        registry: Where they are registered; by default in that of the process. Where processes write their values
            into files (``PROMETHEUS_MULTIPROC_DIR``), whoever collects the files has those of all.
        clock: Where it gets the time from.

    Raises:
        ConfigurationError: If a group is unknown, or the extra ``prometheus`` is not installed.
    """

    def __init__(
        self,
        *,
        groups: Iterable[Group] = GROUPS,
        registry: CollectorRegistry | None = None,
        clock: Clock = SystemClock(),
    ) -> None:
        chosen = _known(groups)
        self._board = Board.of(_default() if registry is None else registry, chosen, clock)
        # Labels are from bounded sets, so each combination is looked up once (Law 10.1).
        self._decisions = cache(self._board.counters[_DECISIONS].labels) if "decisions" in chosen else None
        self._durations = cache(self._board.histograms[_DURATIONS].labels) if "durations" in chosen else None
        self._notices = self._board.counters[_NOTICES].labels if "notices" in chosen else None
        self._clock = clock
        self._looked = -_LOOK_EVERY

    def attend(self, gate: Watchable) -> None:
        """Show the health of this gate as well."""
        self._board.attended.add(gate)
        self._board.look()

    def __call__(self, event: Decided | Notice) -> None:
        """Count an event."""
        if isinstance(event, Decided):
            self._count(event)
        elif self._notices is not None:
            self._notices(event.code, _truth(event.alarm)).inc()
        mono = self._clock.now().mono
        if mono - self._looked >= _LOOK_EVERY:
            self._looked = mono
            self._board.look()

    def _count(self, event: Decided) -> None:
        if self._decisions is not None:
            self._decisions(event.verdict, event.kind, event.issuer, event.code).inc()
        if self._durations is not None:
            self._durations(event.verdict, _truth(event.cached)).observe(event.duration)


def _known(groups: Iterable[Group]) -> frozenset[Group]:
    chosen = frozenset(groups)
    unknown = sorted(chosen.difference(GROUPS))
    if unknown:
        raise ConfigurationError(
            f"Prometheus(groups=): {', '.join(map(repr, unknown))}; there are {', '.join(GROUPS)}"
        )
    return chosen


def _default() -> CollectorRegistry:
    try:
        from prometheus_client import REGISTRY
    except ImportError:
        raise ConfigurationError(
            'Prometheus() needs prometheus_client; install "authgate-core[prometheus]"'
        ) from None
    return REGISTRY


def _truth(value: bool) -> str:  # noqa: FBT001 - the value of a label is what it is about
    return "true" if value else "false"
