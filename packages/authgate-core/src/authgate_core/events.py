"""Seeing every decision: one event each, with bounded labels, through the standard logging (Law 10.1)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeAlias

__all__ = ["Decided", "Journal", "Notice", "Observer", "Observers", "Verdict", "observers_of"]

Outcome: TypeAlias = Literal["granted", "refused", "unavailable"]
Verdict: TypeAlias = Literal["granted", "refused", "unavailable", "would_refuse"]

_REPEAT_AFTER: Final = 1.0
_FIXES: Final[Mapping[str, str]] = {
    "token_issuer_unknown": "add the issuer to GateConfig(issuers=[...]), or check the iss of its tokens",
    "token_algorithm": "name the algorithm in Issuer(algorithms=[...]) if the issuer is meant to use it",
    "token_key_unknown": "check that the issuer publishes the key that signs its tokens",
    "token_claim": "compare the claim named in the reason with the issuer's settings",
    "token_expired": "check the clocks of issuer and service; the leeway is Issuer(leeway=...) seconds",
    "project_invalid": "check the app id and secret against the project directory",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a gate; what it holds up to ``cached`` is bounded, and can be a label of metrics (Law 10.1).

    Args:
        outcome: What came of the request.
        kind: Of a grant the kinds that were authenticated, joined with ``+``; of a refusal the kind that
            failed; ``none`` where it was none of them.
        issuer: The configured name of the issuer, or ``unknown``.
        code: The stable code of the outcome; ``ok`` when granted.
        cached: Whether every answer came from memory; what goes on in the background does not count.
        duration: Seconds from the first look at the request to the decision.
        reason: Why, for people; not a label.
        shadow: Whether a refusal was not carried out (Law 8.6).
        request_id: Of a refusal, what its request is called in logs, where it says so; not a label.
    """

    outcome: Outcome
    kind: str
    issuer: str
    code: str
    cached: bool
    duration: float
    reason: str = ""
    shadow: bool = False
    request_id: str = ""

    @property
    def verdict(self) -> Verdict:
        """The outcome, where what was not carried out is told apart: ``would_refuse``."""
        return "would_refuse" if self.shadow else self.outcome


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an operator should know and that is no decision, such as a breaker that opened.

    Args:
        code: Stable.
        subject: What it concerns: the configured name of an issuer or source.
        text: One sentence, holding nothing that a caller presented.
        alarm: Whether somebody must act.
    """

    code: str
    subject: str
    text: str
    alarm: bool = False


Observer: TypeAlias = Callable[[Decided | Notice], None]
Observers: TypeAlias = Observer | Sequence[Observer]


def observers_of(given: Observers | None) -> tuple[Observer, ...]:
    """Those that were given: none, one, or several, which are told in their order."""
    if given is None:
        return ()
    return (given,) if callable(given) else tuple(given)


def _yes(_level: int) -> bool:
    return True


class Journal:
    """Where a gate reports what it decided: the logger ``authgate``, and whatever observers are configured.

    Each record has the event as its attribute ``authgate``, for formatters that write fields.

    Args:
        observers: Called with every event; that one fails is logged, and changes nothing (Law 10.2).
    """

    def __init__(self, observers: Observers | None = None) -> None:
        self._observers = observers_of(observers)
        self._log = logging.getLogger("authgate")
        # Asked for every request: whether anyone would see that it was granted, so that nothing is built otherwise.
        self.hears: Callable[[int], bool] = self._log.isEnabledFor if not self._observers else _yes
        self._seen: set[tuple[str, str]] = set()
        self._last: dict[tuple[str, str], tuple[float, int]] = {}

    def decided(self, event: Decided, now: float) -> None:
        """Report a decision; ``now`` is monotonic seconds, for the limit on repeats of one reason."""
        self._tell(event)
        if event.outcome == "granted":
            self._say(logging.DEBUG, "granted %s of %s", event.kind, event.issuer, event=event)
            return
        label = (event.issuer, event.code)
        suppressed = self._admit(label, now)
        if suppressed is None:
            return
        level, fix = self._level(event, label)
        more = f" ({suppressed} more like it)" if suppressed else ""
        named = f" request={event.request_id}" if event.request_id else ""
        said = (event.verdict, event.code, event.issuer, named, event.reason, fix, more)
        self._say(level, "%s: %s issuer=%s%s: %s%s%s", *said, event=event)

    def holds_back(self, issuer: str, code: str, now: float) -> bool:
        """Whether a refusal need not be told, because nobody observes and one like it was logged a moment ago.

        It is counted then. Under a flood that spares making an event of each refusal (Law 10.1).
        """
        last, held = self._last.get((issuer, code), (-_REPEAT_AFTER, 0))
        if self._observers or now - last >= _REPEAT_AFTER:
            return False
        self._last[issuer, code] = last, held + 1
        return True

    def notice(self, event: Notice, error: BaseException | None = None) -> None:
        """Report something that is no decision, and log the error that it came of."""
        self._tell(event)
        level = logging.ERROR if event.alarm else logging.WARNING
        said = (event.code, event.subject, event.text)
        self._say(level, "%s: %s: %s", *said, exc_info=error, event=event)

    def observed(self, tell: Callable[[], object], failure: str) -> None:
        """Tell somebody who watches; that it failed is logged, and changes nothing (Law 10.2)."""
        try:
            tell()
        except Exception:  # noqa: BLE001 - Law 10.2: whatever it raises, the outcome stands
            self._say(logging.ERROR, failure, exc_info=True)

    def _level(self, event: Decided, label: tuple[str, str]) -> tuple[int, str]:
        if event.outcome == "unavailable":
            return logging.WARNING, ""
        if label in self._seen:
            return logging.INFO, ""
        self._seen.add(label)
        fix = _FIXES.get(event.code)
        return logging.WARNING, f" ({fix})" if fix else ""

    def _admit(self, label: tuple[str, str], now: float) -> int | None:
        """How many lines were held back since the last for this label; None to hold this one back too."""
        last, held = self._last.get(label, (-_REPEAT_AFTER, 0))
        if now - last < _REPEAT_AFTER:
            self._last[label] = (last, held + 1)
            return None
        self._last[label] = (now, 0)
        return held

    def _tell(self, event: Decided | Notice) -> None:
        for observer in self._observers:
            self.observed(partial(observer, event), f"the observer failed on {type(event).__name__}")

    def _say(
        self,
        level: int,
        text: str,
        *said: str,
        exc_info: bool | BaseException | None = None,
        event: Decided | Notice | None = None,
    ) -> None:
        try:
            self._log.log(level, text, *said, exc_info=exc_info, extra={"authgate": event})
        except Exception:  # noqa: BLE001 - Law 10.2: a handler or filter that fails is a failing observer
            traceback.print_exc()  # where logging itself reports handlers that fail
