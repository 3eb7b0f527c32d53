"""Telling an auditor of each decision; a gate that has none is not slowed by it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from ..clock import Clock, Instant
from ..config import GateConfig
from ..effects import AnyEffect
from ..errors import AuthgateError, AuthUnavailable
from ..events import Journal, Verdict
from ..observers.audit import Auditor, AuditRecord, Caller
from ..principal import Admission, named_callers
from ..request import RequestView
from .hooks import HookedReports
from .reports import Reports, view_of
from .shadowed import ShadowReports

__all__ = ["AuditedReports", "reports_of"]


@dataclass(frozen=True, slots=True)
class AuditedReports(Reports):
    """``Reports`` that also tell an auditor; that it fails is logged, and changes nothing (Law 10.2).

    Args:
        others: The reports besides.
        auditor: Is told of every decision.
    """

    others: Reports
    auditor: Auditor

    def admitted(self, admission: Admission, started: Instant, trace: Sequence[AnyEffect]) -> Admission:
        """As ``Reports.admitted``."""
        view, refusal = view_of(admission), admission.refusal
        if refusal is not None:
            self._tell(refusal, "would_refuse", started, view)
        else:
            self._write("granted", "ok", "", named_callers(admission.principals), started, view)
        return self.others.admitted(admission, started, trace)

    def refused(
        self,
        error: AuthgateError,
        started: Instant,
        trace: Sequence[AnyEffect],
        *,
        shadow: bool = False,
        view: RequestView | None = None,
    ) -> AuthgateError:
        """As ``Reports.refused``."""
        outcome: Verdict = "unavailable" if isinstance(error, AuthUnavailable) else "refused"
        self._tell(error, "would_refuse" if shadow else outcome, started, view)
        return self.others.refused(error, started, trace, shadow=shadow, view=view)

    def _tell(
        self, error: AuthgateError, verdict: Verdict, started: Instant, view: RequestView | None
    ) -> None:
        self._write(verdict, error.code, error.reason, error.known, started, view)

    def _write(
        self,
        verdict: Verdict,
        code: str,
        reason: str,
        known: Sequence[tuple[str, tuple[str, str | None, str]]],
        started: Instant,
        view: RequestView | None,
    ) -> None:
        now = self.clock.now()
        record = AuditRecord(
            at=now.wall,
            verdict=verdict,
            code=code,
            reason=reason,
            callers=tuple(Caller(kind, *ref) for kind, ref in known),
            method="" if view is None else view.method,
            path="" if view is None else view.url.partition("?")[0],
            peer=None if view is None else view.peer,
            request_id="" if view is None else view.request_id,
            duration=now.mono - started.mono,
        )
        self.journal.observed(partial(self.auditor, record), "the auditor failed on a decision")


def reports_of(config: GateConfig, journal: Journal, clock: Clock, issuers: Collection[str]) -> Reports:
    """The reports that a configuration asks for, and no slower ones."""
    hooks = {issuer.name: issuer.hooks for issuer in config.trusted_issuers if issuer.hooks is not None}
    plain = HookedReports(journal, clock, issuers, hooks) if hooks else Reports(journal, clock, issuers)
    audit = config.audit
    told = plain if audit is None else AuditedReports(journal, clock, issuers, plain, audit)
    return ShadowReports(journal, clock, issuers, told) if config.shadow else told
