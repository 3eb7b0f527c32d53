"""Telling the hooks of an issuer what became of its tokens; a gate whose issuers have none is not slowed by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ..clock import Instant
from ..effects import AnyEffect
from ..errors import AuthgateError, InvalidToken
from ..issuer.m8 import reason_of
from ..ports import ValidationHooks
from ..principal import Admission, Service, User
from ..request import RequestView
from .reports import Reports

__all__ = ["HookedReports"]


@dataclass(frozen=True, slots=True)
class HookedReports(Reports):
    """``Reports`` that also tell hooks: of whom was admitted, and of tokens that are not accepted.

    An outage says nothing of a token, nor does a policy that does not admit its bearer (Laws 1.4, 1.5).

    Args:
        hooks: By the configured name of the issuer.
    """

    hooks: Mapping[str, ValidationHooks]

    def admitted(self, admission: Admission, started: Instant, trace: Sequence[AnyEffect]) -> Admission:
        """As ``Reports.admitted``."""
        if admission.refusal is None:
            for principal in admission.principals:
                if isinstance(principal, (User, Service)):
                    self._succeeded(principal)
        return super(HookedReports, self).admitted(admission, started, trace)

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
        hooks = self.hooks.get(self._accused(error))
        if hooks is not None and isinstance(error, InvalidToken):
            tell = partial(hooks.on_failure, reason=reason_of(error), token_type="access")
            self.journal.observed(tell, "the hooks failed on a refusal")
        return super(HookedReports, self).refused(error, started, trace, shadow=shadow, view=view)

    def _succeeded(self, principal: User | Service) -> None:
        hooks = self.hooks.get(principal.issuer)
        if hooks is not None:
            jti, subject = str(principal.claims["jti"]), str(principal.claims["sub"])
            tell = partial(hooks.on_success, jti=jti, sub=subject, token_type="access")
            self.journal.observed(tell, "the hooks failed on an admission")

    def _accused(self, error: AuthgateError) -> str:
        """The issuer that a token is held to be of; what names none, the only one's."""
        if error.issuer is None and len(self.issuers) == 1:
            return next(iter(self.issuers))
        return error.issuer or ""
