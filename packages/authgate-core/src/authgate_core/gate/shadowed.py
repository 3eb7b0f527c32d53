"""Not carrying out what a handler requires either, in shadow mode (Law 8.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ..clock import Instant
from ..effects import AnyEffect
from ..errors import AuthgateError
from ..principal import Admission, ShadowAdmission, named_callers
from ..request import RequestView
from .reports import Reports, view_of

__all__ = ["ShadowReports"]


@dataclass(frozen=True, slots=True)
class ShadowReports(Reports):
    """``Reports`` of a gate in shadow mode: its admissions report what they would have refused.

    Args:
        others: The reports besides.
    """

    others: Reports

    def admitted(self, admission: Admission, started: Instant, trace: Sequence[AnyEffect]) -> Admission:
        """As ``Reports.admitted``."""
        self.others.admitted(admission, started, trace)
        return ShadowAdmission(admission, partial(self._required, admission))

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
        return self.others.refused(error, started, trace, shadow=shadow, view=view)

    def _required(self, admission: Admission, refusal: AuthgateError) -> None:
        refusal.known = named_callers(admission.principals)
        self.others.refused(refusal, self.clock.now(), (), shadow=True, view=view_of(admission))
