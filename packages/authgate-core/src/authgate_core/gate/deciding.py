"""What a token alone comes to, where there is no request."""

from __future__ import annotations

from typing import Final

from ..clock import Instant
from ..credentials import BEARER
from ..effects import Flow
from ..errors import AuthgateError
from ..flows.admit import decide
from ..flows.possession import check_unbound
from ..policy import CompiledPolicy
from ..principal import Admission, Service, User, named_callers
from ..request import RequestView

__all__ = ["NO_REQUEST", "decided", "decided_later"]

NO_REQUEST: Final = RequestView("", "", ())
"""What a policy judges a token alone by, whether or not the token was remembered."""


def decided(
    principal: User | Service, policy: CompiledPolicy | None, now: Instant, *, may_be_bound: bool
) -> Admission:
    """Admit the bearer of a token, as if it had come in a request that carries nothing else.

    Args:
        principal: Whom the token speaks of.
        policy: Who is let in; None admits whoever it is.
        now: The present moment.
        may_be_bound: Whether any issuer may bind tokens to keys; none is read through for that otherwise.
    """
    if may_be_bound:
        check_unbound(principal)
    if policy is None:
        return Admission((principal,), None, None, now)
    try:
        return decide(NO_REQUEST, policy, {BEARER: principal}, now=now)
    except AuthgateError as refusal:
        refusal.known = named_callers((principal,))
        raise


def decided_later(
    flow: Flow[User | Service], policy: CompiledPolicy | None, now: Instant, *, may_be_bound: bool
) -> Flow[Admission]:
    """The same for a token of which somebody has to be asked first."""
    return decided((yield from flow), policy, now, may_be_bound=may_be_bound)
