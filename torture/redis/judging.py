"""What is promised of a gate whose store misbehaves, and whether what was seen is that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from .gates import Asked, Outcome

__all__ = [
    "ANY",
    "GRACE",
    "LEASE",
    "RECOVERY",
    "Promised",
    "Seen",
    "broken",
    "counted",
    "listed",
    "ms",
    "told",
]

FIRST: Final = 0.15
"""Law 5.4: the longest decision over a connection that was there, in seconds."""

ANY: Final = 0.3
"""Law 5.4: the longest decision, in seconds."""

AT_ONCE: Final = 0.001
"""Law 5.5: the longest decision while the breaker is open, in seconds."""

RECOVERY: Final = 5.0
"""Law 5.5: how long after the end of an outage the gate may go on refusing, in seconds."""

LEASE: Final = 1.0
"""Law 5.11: how long a process that follows the feed may not know of a confirmed revocation, in seconds."""

GRACE: Final = 0.05
"""Seconds that a wait may be longer than that: a timer rings late, and the interpreter has other threads."""

SHARE: Final = 0.95
"""The share of the decisions that ask nobody which is judged: the collector and other threads have the rest."""

Writes: TypeAlias = Literal["confirmed", "raises", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What a row promises.

    Args:
        innocent: What becomes of requests whose token is not revoked, as long as it lasts: one of these.
        revoked: The same of requests whose token is revoked.
        opens: Whether the breaker opens, so that most of them ask nobody.
        writes: What becomes of a revocation meanwhile.
        reload: Whether the store is believed only once its entries were written again (Law 5.10).
        status: What health says at its end; None for whatever it is.
        codes: The notices, in any order and however often.
        also: Those that may be there or not, by who notices first.
        unchecked: Whether requests that pass are passed over, and counted (Law 5.3).
        allowed_for: For how long they pass at most, in seconds: by leave, or by the lease of a copy (Law 5.11).
        followers: How many connections besides a probe may wait for an answer: that of a feed.
        first: How long the first decision takes at most, in seconds: by default, over a connection that is there.
    """

    innocent: tuple[Outcome, ...] = ("unavailable",)
    revoked: tuple[Outcome, ...] = ("unavailable",)
    opens: bool = True
    writes: Writes = "raises"
    reload: bool = False
    status: str | None = "open"
    codes: frozenset[str] = frozenset({"revocation_breaker_open", "revocation_breaker_closed"})
    also: frozenset[str] = frozenset()
    unchecked: bool = False
    allowed_for: float = math.inf
    followers: int = 0
    first: float = FIRST


@dataclass(slots=True)
class Seen:
    """What was seen of a gate.

    Args:
        innocent: What became of requests whose token is not revoked, as long as it lasted.
        revoked: The same of requests whose token is revoked.
        unloaded: What became of either between its end and the reload.
        elsewhere: What became of a token that another gate revoked when it began.
        elsewhere_from: When that was confirmed, monotonic seconds; None if it was not, or nobody tried.
        elsewhere_after: What became of it afterwards.
        confirmed: Whether a revocation was confirmed meanwhile.
        status: What health said at its end.
        recovered: How long after its end a request was admitted, in seconds; None if none was.
        status_after: What health said then.
        revoked_after: What became then of the token that was revoked before.
        late_after: What became then of the token that was revoked meanwhile.
        codes: The notices.
        unchecked: How many requests health says passed unchecked.
        asked: How many queries reached the server or the proxy while it lasted.
        probes: How many of them did while the breaker was open; None where nobody counts.
        probes_at_once: How many of those waited for an answer at the same time.
    """

    innocent: list[Asked] = field(default_factory=list)
    revoked: list[Asked] = field(default_factory=list)
    unloaded: list[Asked] = field(default_factory=list)
    elsewhere: list[Asked] = field(default_factory=list)
    elsewhere_from: float | None = None
    elsewhere_after: Outcome = "unavailable"
    confirmed: bool = False
    status: str = "unknown"
    recovered: float | None = None
    status_after: str = "unknown"
    revoked_after: Outcome = "unavailable"
    late_after: Outcome = "unavailable"
    codes: tuple[str, ...] = ()
    unchecked: int = 0
    asked: int = 0
    probes: int | None = None
    probes_at_once: int = 0

    @property
    def decisions(self) -> list[Asked]:
        """All decisions while it lasted, in order."""
        return sorted((*self.innocent, *self.revoked), key=lambda asked: asked.started)

    @property
    def worst(self) -> float:
        """The longest decision, in seconds."""
        return max((asked.took for asked in self.decisions), default=0.0)

    @property
    def at_once(self) -> float:
        """How long all but one in twenty of the decisions took that asked nobody, in seconds."""
        took = sorted(asked.took for asked in self.decisions if asked.without_asking)
        return took[math.ceil(len(took) * SHARE) - 1] if took else 0.0


def broken(promised: Promised, seen: Seen) -> list[str]:
    """Which promises were not kept, in words; none if all were."""
    return [
        *_decided(promised, seen),
        *_in_time(promised, seen),
        *_probed(promised, seen),
        *_allowed(promised, seen),
        *_durable(promised, seen),
        *_said(promised, seen),
    ]


def _decided(promised: Promised, seen: Seen) -> Iterator[str]:
    for who, asked, allowed in (
        ("an innocent request", seen.innocent, promised.innocent),
        ("a revoked token", seen.revoked, promised.revoked),
        ("before the reload, a request", seen.unloaded, ("unavailable",)),
    ):
        others = {each.outcome for each in asked} - {*allowed}
        if others:
            yield f"{who} was {' and '.join(sorted(others))}"
    if not seen.innocent or not seen.revoked:
        yield "nobody asked"


def _in_time(promised: Promised, seen: Seen) -> Iterator[str]:
    decisions = seen.decisions
    if decisions and decisions[0].took > promised.first + GRACE:
        yield f"the first decision took {ms(decisions[0].took)}"
    if seen.worst > ANY + GRACE:
        yield f"a decision took {ms(seen.worst)}"
    if seen.at_once > AT_ONCE:
        yield f"with the breaker open a decision took {ms(seen.at_once)}"
    if promised.opens and not any(asked.without_asking for asked in decisions):
        yield "the breaker did not open"
    if seen.recovered is None or seen.recovered > RECOVERY:
        yield f"not admitted again within {RECOVERY:g} s"


def _probed(promised: Promised, seen: Seen) -> Iterator[str]:
    if seen.probes_at_once > 1 + promised.followers:
        yield f"{seen.probes_at_once} probes at the same time"
    if seen.probes == 0:
        yield "nobody probed"
    if not promised.opens and any(asked.without_asking for asked in seen.decisions):
        yield "the breaker opened"


def _allowed(promised: Promised, seen: Seen) -> Iterator[str]:
    passed = [asked for asked in seen.decisions if asked.outcome == "admitted"]
    if promised.unchecked and seen.unchecked != len(passed):
        yield f"{len(passed)} requests passed unchecked, and {seen.unchecked} were counted"
    if promised.unchecked and not passed:
        yield "no request passed"
    until = seen.decisions[0].started + promised.allowed_for + GRACE if passed else 0.0
    late = sum(asked.started > until for asked in passed)
    if late:
        yield f"{late} requests passed after {promised.allowed_for:g} s"
    if seen.elsewhere_from is not None:
        since = [each.started - seen.elsewhere_from for each in seen.elsewhere if each.outcome == "admitted"]
        if since and max(since) > LEASE:
            yield f"what another gate revoked was admitted {max(since):.2f} s later"


def _durable(promised: Promised, seen: Seen) -> Iterator[str]:
    if seen.revoked_after != "refused":
        yield f"afterwards the revoked token was {seen.revoked_after}"
    if seen.elsewhere_from is not None and seen.elsewhere_after != "refused":
        yield f"afterwards what another gate revoked was {seen.elsewhere_after}"
    if seen.confirmed and seen.late_after != "refused":
        yield f"a revocation was confirmed, and its token was {seen.late_after}"
    if promised.writes == "raises" and seen.confirmed:
        yield "a revocation was confirmed that cannot have been"
    if promised.writes == "confirmed" and not seen.confirmed:
        yield "a revocation was not confirmed"


def _said(promised: Promised, seen: Seen) -> Iterator[str]:
    if promised.status not in {None, seen.status}:
        yield f"health said {seen.status}, not {promised.status}"
    if seen.status_after != "ok":
        yield f"health said {seen.status_after} afterwards"
    if promised.codes != {*seen.codes} - (promised.also - promised.codes):
        yield f"the notices were {listed(seen.codes)}"


def told(seen: Seen) -> str:
    """What was seen, in words."""
    decisions = seen.decisions
    said = [f"{counted(decisions)}, first after {ms(decisions[0].took)}" if decisions else "nobody asked"]
    if any(asked.without_asking for asked in decisions):
        probes = (
            ""
            if seen.probes is None
            else f", {seen.probes} queries meanwhile, {seen.probes_at_once} at a time"
        )
        said.append(f"breaker open: {ms(seen.at_once)} each{probes}")
    if seen.recovered is not None:
        said.append(f"admitted again {seen.recovered:.1f} s after its end")
    said.append(f"a revocation meanwhile {'was confirmed' if seen.confirmed else 'raised'}")
    if seen.unchecked:
        said.append(f"{seen.unchecked} counted as unchecked")
    said.append(f"health {seen.status}, then {seen.status_after}")
    return "; ".join(said)


def counted(decisions: Sequence[Asked]) -> str:
    """How often each outcome came."""
    outcomes = [asked.outcome for asked in decisions]
    return ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(outcomes))


def listed(codes: Iterable[str]) -> str:
    """Each code once."""
    return ", ".join(sorted({*codes})) or "none"


def ms(seconds: float) -> str:
    """Seconds, shown as milliseconds."""
    return f"{seconds * 1000:.3g} ms"
