"""What every row does to a gate: ask it before, while and after its store misbehaves, and revoke all along."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import authgate_core as ag

from ..memory import Growth
from ..rows import Colour, Form, Happened
from .gates import Gated, Outcome, gated, token
from .judging import LEASE, RECOVERY, Promised, Seen, broken, told
from .server import eventually
from .world import Fault, World, world

__all__ = ["LASTS", "Trial", "judged"]

LASTS: Final[dict[Form, float]] = {"short": 1.8, "full": 6.0}
"""How long a server misbehaves, in seconds; the longer the breaker is open, the longer it rests."""

_GIVEN_UP: Final = RECOVERY + 0.5
_ROUND: Final = 0.01
_UNLOADED: Final = 10
_IDLE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is done.

    Args:
        fault: How the server misbehaves.
        promised: What is promised of the gate meanwhile.
        on_error: What the gate is told to do while its store cannot answer.
        herd: How many requests arrive at the same moment when it begins; by colour, none by default.
        brief: Whether it lasts no longer in full than in short.
        feed: Whether the gate follows the feed, and another one that does not revokes beside it (Law 5.11).
    """

    fault: Fault
    promised: Promised
    on_error: Literal["deny", "allow"] = "deny"
    herd: Mapping[Colour, int] = field(default_factory=dict)
    brief: bool = False
    feed: bool = False

    def __call__(self, colour: Colour, form: Form) -> Happened:
        """Do it, and judge."""
        growth = Growth()
        with world(self.fault) as surroundings:
            gate = gated(colour, self._source(surroundings, colour))
            lasts = LASTS["short" if self.brief else form] + (LEASE if self.feed else 0.0)
            other = gated("sync", ag.RedisRevocation(surroundings.server.url)) if self.feed else None
            try:
                _Script(self, surroundings, gate, other, lasts).play(seen := Seen(), self.herd.get(colour, 0))
            finally:
                gate.close()
                if other is not None:
                    other.close()
        return judged(self.promised, seen, growth.kib)

    def _source(self, world: World, colour: Colour) -> ag.RedisRevocation:
        client = self.fault.client(world, colour)
        allow_for = min(self.promised.allowed_for, 600.0)
        return ag.RedisRevocation(client, on_error=self.on_error, allow_for=allow_for, feed=self.feed)


def judged(promised: Promised, seen: Seen, memory: int) -> Happened:
    """What happened, with every promise that was broken."""
    wrong = broken(promised, seen)
    text = "; ".join([*(f"BROKEN: {what}" for what in wrong), told(seen)])
    return Happened(kept=not wrong, text=text, requests=seen.asked, worst_wait=seen.worst, memory=memory)


class _Script:
    def __init__(self, trial: Trial, world: World, gate: Gated, other: Gated | None, lasts: float) -> None:
        self._trial = trial
        self._world = world
        self._gate = gate
        self._other = other
        self._lasts = lasts
        self._codes: list[str] = []
        self._tokens = {name: token(name) for name in ("innocent", "revoked", "late", "elsewhere")}

    def play(self, seen: Seen, herd: int) -> None:
        self._prepare()
        self._trial.fault.begin(self._world)
        self._world.proxy.count_anew()
        if self._other is not None and self._other.revoke("elsewhere"):
            seen.elsewhere_from = time.monotonic()
        if herd:
            seen.innocent += self._gate.ask_together([self._tokens["innocent"]] * herd)
        self._last(seen)
        seen.status, seen.unchecked = self._gate.health.status, self._gate.health.unchecked
        seen.confirmed = self._gate.revoke("late")
        self._trial.fault.end(self._world)
        self._recover(seen, time.monotonic())
        seen.status_after = self._gate.health.status
        seen.revoked_after = self._outcome("revoked")
        seen.late_after = self._outcome("late")
        seen.elsewhere_after = self._outcome("elsewhere")
        seen.codes = (*self._codes, *self._gate.codes)

    def _prepare(self) -> None:
        """A gate that works, and holds as many idle connections as so many requests at once have left it."""
        # On a busy machine a look, or so many requests at once, may be too slow; nothing is promised of them yet.
        eventually(self._works, "the gate works before anything is wrong")
        self._codes = [code for code in self._gate.codes if code == "revocation_eviction"]
        self._gate.notices.clear()

    def _works(self) -> bool:
        self._gate.warm_up()
        if not self._gate.revoke("revoked"):
            return False
        if self._other is not None:
            self._other.warm_up()
            if not self._gate.follows:
                return False
        asked = self._gate.ask_together([self._tokens["innocent"]] * _IDLE)
        return {"admitted"} == {each.outcome for each in asked} and self._outcome("revoked") == "refused"

    def _last(self, seen: Seen) -> None:
        """Ask for as long as it lasts; from the moment the breaker is open, count probes."""
        proxy, before = self._world.proxy, 0
        until = time.monotonic() + self._lasts
        was_open = False
        while time.monotonic() < until:
            self._trial.fault.again(self._world)
            seen.innocent.append(self._gate.ask(self._tokens["innocent"]))
            seen.revoked.append(self._gate.ask(self._tokens["revoked"]))
            if self._other is not None:
                seen.elsewhere.append(self._gate.ask(self._tokens["elsewhere"]))
            if not was_open and self._gate.health.status == "open":
                was_open, before = True, proxy.asked
                proxy.count_anew()
            self._gate.pause(_ROUND)
        seen.asked = before + proxy.asked
        if was_open and not self._trial.fault.direct:
            seen.probes, seen.probes_at_once = proxy.asked, proxy.at_once

    def _recover(self, seen: Seen, ended: float) -> None:
        if self._trial.promised.reload:
            while self._gate.health.status == "open" and time.monotonic() < ended + _GIVEN_UP:
                self._gate.pause(_ROUND)
            for _ in range(_UNLOADED):
                seen.unloaded += [self._gate.ask(self._tokens[name]) for name in ("innocent", "revoked")]
                self._gate.pause(_ROUND)
            self._gate.revoke("revoked")
            self._gate.reload()
        while time.monotonic() < ended + _GIVEN_UP:
            if self._outcome("innocent") == "admitted" and self._gate.health.status == "ok":
                seen.recovered = time.monotonic() - ended
                return
            self._gate.pause(_ROUND)

    def _outcome(self, name: str) -> Outcome:
        return self._gate.ask(self._tokens[name]).outcome
