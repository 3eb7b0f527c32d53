"""What a gate says about its decisions, and what leaves it of an error."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from logging import DEBUG
from typing import Final

from ..clock import Clock, Instant
from ..credentials import BEARER, DPOP_SCHEME, SCHEMES
from ..effects import AnyEffect, RefreshProject, StartRefresh
from ..errors import AuthgateError, AuthUnavailable, EndpointRefused
from ..events import Decided, Journal, Notice
from ..policy import kind_of
from ..principal import Admission
from ..request import RequestView

__all__ = ["Reports", "view_of", "without_frames"]

_ALARM_EVERY: Final = 60.0
_KINDS: Final = {**{scheme: kind for kind, scheme in SCHEMES.items()}, DPOP_SCHEME: BEARER}


@dataclass(frozen=True, slots=True)
class Reports:
    """Makes one event of each decision (Law 10.1).

    Args:
        journal: Takes the events.
        clock: Tells how long decisions take.
        issuers: The configured names, which alone are labels: a port may make up any number of others.
    """

    journal: Journal
    clock: Clock
    issuers: Collection[str]
    _alarmed: dict[str, float] = field(default_factory=dict[str, float], init=False, repr=False)

    def admitted(self, admission: Admission, started: Instant, trace: Sequence[AnyEffect]) -> Admission:
        """Report who was admitted, or in shadow mode the refusal that was not carried out."""
        if admission.refusal is not None:
            view = view_of(admission)
            self.refused(admission.refusal, started, trace, shadow=True, view=view)
        elif self.journal.hears(DEBUG):
            now = self.clock.now()
            event = Decided(
                outcome="granted",
                kind="+".join(map(kind_of, admission.principals)) or "none",
                issuer=self._label(next((p.issuer for p in admission.principals), None)),
                code="ok",
                cached=_is_cached(trace),
                duration=now.mono - started.mono,
            )
            self.journal.decided(event, now.mono)
        return admission

    def refused(
        self,
        error: AuthgateError,
        started: Instant,
        trace: Sequence[AnyEffect],
        *,
        shadow: bool = False,
        view: RequestView | None = None,
    ) -> AuthgateError:
        """Report a refusal, and cut it loose from where it arose.

        Args:
            error: Why nobody is admitted.
            started: When the request was first looked at.
            trace: What was asked.
            shadow: Whether the refusal is not carried out.
            view: The request; None for a token alone.
        """
        now, issuer = self.clock.now(), self._label(error.issuer)
        if isinstance(error, EndpointRefused):
            self._alarm(error, issuer, now.mono)
        if not self.journal.holds_back(issuer, error.code, now.mono):
            event = Decided(
                outcome="unavailable" if isinstance(error, AuthUnavailable) else "refused",
                kind=_KINDS.get(error.scheme or "", "none"),
                issuer=issuer,
                code=error.code,
                cached=_is_cached(trace),
                duration=now.mono - started.mono,
                reason=error.reason,
                shadow=shadow,
                request_id="" if view is None else view.request_id,
            )
            self.journal.decided(event, now.mono)
        return without_frames(error)

    def _alarm(self, error: EndpointRefused, issuer: str, mono: float) -> None:
        """Tell what only a person can mend, at most once a minute of each issuer (Law 1.6)."""
        last = self._alarmed.get(issuer)
        if last is None or mono - last >= _ALARM_EVERY:
            self._alarmed[issuer] = mono
            self.journal.notice(Notice(error.code, issuer, error.reason, alarm=True))

    def _label(self, issuer: str | None) -> str:
        return issuer if issuer is not None and issuer in self.issuers else "unknown"


def without_frames(error: AuthgateError) -> AuthgateError:
    """The error without what Python keeps of its origin: frames, and errors of parsers, hold the token (Law 2.5)."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__ = None
        link.__context__ = link.__cause__
        link = link.__cause__
    return error


def view_of(admission: Admission) -> RequestView | None:
    """The request that somebody was admitted by; None for a token alone."""
    request = admission.request
    return request if isinstance(request, RequestView) and request.method else None


def _is_cached(trace: Sequence[AnyEffect]) -> bool:
    """Whether every answer came from memory; what was begun in the background held nobody up."""
    return all(isinstance(effect, (StartRefresh, RefreshProject)) for effect in trace)
