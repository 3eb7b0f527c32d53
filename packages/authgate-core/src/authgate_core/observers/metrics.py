"""The metrics by name: what each counts, by which labels, and in which group it can be switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

__all__ = ["BUCKETS", "GROUPS", "METRICS", "Group", "Metric"]

Group: TypeAlias = Literal["decisions", "durations", "keys", "revocation", "notices"]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)

BUCKETS: Final = (
    *(0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
"""Upper bounds in seconds: a token that is remembered takes microseconds, an issuer that hangs takes seconds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Args:
        name: What Prometheus calls it, without the suffixes that its kinds add.
        kind: How it is counted.
        group: What it is switched with.
        labels: Their names; the values of each are from a bounded set (Law 10.1).
        text: What it says, as the page of metrics has it.
        joined: Of a gauge, how the values of several processes become one.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    group: Group
    labels: tuple[str, ...]
    text: str
    joined: Literal["livemin", "livemax", "sum"] = "livemax"


METRICS: Final = (
    Metric(
        "authgate_decisions",
        "counter",
        "decisions",
        ("outcome", "kind", "issuer", "code"),
        "Decisions of gates.",
    ),
    Metric(
        "authgate_decision_duration_seconds",
        "histogram",
        "durations",
        ("outcome", "cached"),
        "Seconds from the first look at a request to the decision.",
    ),
    Metric(
        "authgate_key_sets",
        "gauge",
        "keys",
        ("issuer", "status"),
        "Key sets of an issuer in each state, in the process that has most.",
    ),
    Metric(
        "authgate_key_set_timestamp_seconds",
        "gauge",
        "keys",
        ("issuer",),
        "When the oldest key set of an issuer was last fetched, in Unix seconds.",
        "livemin",
    ),
    Metric(
        "authgate_revocation_source_up",
        "gauge",
        "revocation",
        ("source",),
        "Whether a revocation source answered the last time it was asked.",
        "livemin",
    ),
    Metric(
        "authgate_revocation_feed_live",
        "gauge",
        "revocation",
        ("source",),
        "Whether each process answers from its own copy of the revocations.",
        "livemin",
    ),
    Metric(
        "authgate_revocation_unchecked_checks",
        "gauge",
        "revocation",
        ("source",),
        'Checks passed over by on_error="allow" since the processes began.',
        "sum",
    ),
    Metric(
        "authgate_notices",
        "counter",
        "notices",
        ("code", "alarm"),
        "What an operator should know, such as a breaker that opened; alarms are for somebody to act on.",
    ),
)
