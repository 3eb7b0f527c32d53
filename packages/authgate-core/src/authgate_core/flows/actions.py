"""Tokens of actions: that the user of a request has confirmed what it is about to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..clock import Instant
from ..credentials import BEARER, ActionToken, Kind
from ..effects import Flow, UseOnce
from ..errors import InvalidClaim, InvalidToken, TokenRevoked
from ..jose.compact import split_object
from ..policy import CompiledPolicy, evaluate
from ..policy.step_up import Proof
from ..principal import Principal, User
from ..replays import REMEMBERED_LONGER, once_name
from ..request import USED, Memo, RequestView
from .revoked import check_revoked
from .signatures import verify_parts
from .trust import Trust, TrustedIssuer

__all__ = ["Acting", "Unproven", "show_action"]

_ACTION: Final = "action"


@dataclass(frozen=True, slots=True)
class Acting:
    """What tokens of actions are verified with.

    Args:
        gate: Tells this gate's entries in a request's memo from another's (Law 2.6).
        trust: As for other tokens.
        issuers: Whose they may be, by configured name.
    """

    gate: int
    trust: Trust
    issuers: Mapping[str, TrustedIssuer]


@dataclass(frozen=True, slots=True)
class Unproven:
    """Stands in the place of a proof: why there is none, for logs."""

    reason: str


def show_action(
    view: RequestView,
    token: ActionToken,
    policy: CompiledPolicy,
    acting: Acting,
    found: Mapping[Kind, Principal],
    now: Instant,
    *,
    admits: Callable[[RequestView], bool],
) -> Flow[RequestView]:
    """Verify the token of an action, and use it up where the policy asks for that and then admits.

    A token is used up by the request that it lets in, and by all guards of it together; one that changes nothing
    about what the policy says stays as it is.

    Args:
        view: The request.
        token: What it carries.
        policy: Who is let in.
        acting: What the token is verified with.
        found: Who was authenticated.
        now: The present moment.
        admits: Whether a request would be let in, by the policy and by all that is asked beside it (Law 6.8).

    Returns:
        The request as the policy may judge it, with what the token proves.

    Raises:
        AuthUnavailable: If the token could not be checked (Law 1.5).
    """
    user = found.get(BEARER)
    trusted = acting.issuers.get(user.issuer) if isinstance(user, User) else None
    if not isinstance(user, User) or trusted is None or evaluate(policy, found, view, now).granted:
        return view
    outcome = yield from _outcome(view, token, acting, trusted, user, now)
    shown = _with(view, outcome)
    if not isinstance(outcome, Proof) or evaluate(policy, found, shown, now).granted:
        return shown
    used = _with(view, replace(outcome, is_used=True))
    if not admits(used):
        return used  # which is refused for what else is missing, and the action is not asked for again
    if (yield from _use(view, token, outcome, acting, trusted, now)):
        return used
    return _with(view, Unproven("the action token was used before"))


def _outcome(
    view: RequestView, token: ActionToken, acting: Acting, trusted: TrustedIssuer, user: User, now: Instant
) -> Flow[Proof | Unproven]:
    """What a token proves, verified once for each request (Law 2.6)."""
    memo = view.memo
    known = None if memo is None else memo.recall(acting.gate, _ACTION, (token, user.ref))
    if isinstance(known, (Proof, Unproven)):
        return known
    outcome: Proof | Unproven
    try:
        outcome = yield from _verified(token, acting.trust, trusted, user, now)
    except InvalidToken as error:
        outcome = Unproven(f"the action token: {error.code}: {error.reason}")
    if memo is not None:
        memo.remember(acting.gate, _ACTION, (token, user.ref), outcome)
    return outcome


def _verified(
    token: ActionToken, trust: Trust, trusted: TrustedIssuer, user: User, now: Instant
) -> Flow[Proof]:
    parts, claims = split_object(token.value.reveal(), trust.limits)
    door = trusted.door(trusted.issuer.tenant(claims))
    verified = yield from verify_parts(parts, claims, door, trusted.rules, trust.limits, now)
    owner, ref = trusted.issuer.identify(verified, trust.expand)
    if not isinstance(owner, User) or owner.ref != user.ref:
        raise InvalidClaim("sub", "is not the user who presents it")
    if (yield from check_revoked(ref, trust.known)):
        raise TokenRevoked("the token, or what it belongs to, was revoked")
    action: object = verified.claims["action"]
    if not isinstance(action, str):
        raise InvalidClaim("action", "is not a text")
    return Proof(action, user.ref, verified.name, verified.expires_at)


def _use(
    view: RequestView, token: ActionToken, proof: Proof, acting: Acting, trusted: TrustedIssuer, now: Instant
) -> Flow[bool]:
    """Whether this request has used the token up, be it for an earlier guard."""
    memo = view.memo
    if memo is not None and memo.recall(acting.gate, USED, token) is not None:
        return True
    rest = proof.expires_at + trusted.rules.leeway - now.wall
    first = yield from UseOnce(once_name(_ACTION, trusted.issuer.name, proof.name), rest + REMEMBERED_LONGER)
    if first and memo is not None:
        memo.remember(acting.gate, USED, token, proof)
    return first


def _with(view: RequestView, proof: Proof | Unproven) -> RequestView:
    shown = view.with_memo(view.memo or Memo())
    shown.proof = proof
    return shown
