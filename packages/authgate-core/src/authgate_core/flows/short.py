"""The short way: to admit at once whom memory speaks for, where nobody has to be asked and nothing stands against it.

It is no second way through the house. Only a yes is said here, and it is the one that the flow would say; whatever
else there is to say is said by the flow, as if nothing had been tried (docs/adr/0023). What is spared is making a
generator, effects and a decision for what most requests are.
"""

from __future__ import annotations

from typing import Final

from ..clock import Instant
from ..credentials import BEARER, BearerToken, bearer_alone, bearer_pairs, bearer_unread
from ..making import maker
from ..policy import CompiledPolicy
from ..principal import Admission, Principal
from ..request import Memo, RequestView
from ..secret import HashedSecret, Secret
from .admit import GateContext

__all__ = ["admit_at_once"]

_token: Final = maker(BearerToken)


def admit_at_once(
    view: RequestView, policy: CompiledPolicy, context: GateContext, now: Instant
) -> Admission | BearerToken | None:
    """Admit a request by a policy that asks for nothing but a token, and nothing of the application's about it.

    Returns:
        Who is admitted; else the token that is all that the request presents, or None where it has to be read.
    """
    if not policy.is_plain or view.subprotocols:
        return None
    memo = view.memo
    if memo is not None and memo.entries:
        return _admit_again(memo, view, policy, context, now)
    presented = bearer_pairs(view.only)
    text = bearer_unread(presented, context.reading.limit)
    if text is None:
        return None
    found = context.trust.recognise(text, now)
    if not isinstance(found, Principal):
        if text != bearer_alone(presented, (), context.reading.limit):
            return None
        return BearerToken(Secret(text) if found is None else HashedSecret(text, found))
    token = None
    if memo is not None:
        token = _token(Secret(text))
        memo.remember(context.gate, BEARER, token, found)
    # Law 2.5: a policy reads values of the application's, and error reporters the locals of every frame
    del text, presented
    if not policy.is_plainly_for(found, view, now):
        return token
    alone = (found,)
    if memo is not None and memo.admitted.setdefault(context.gate, alone) != alone:
        return token
    return Admission(alone, None, view, now)


def _admit_again(
    memo: Memo, view: RequestView, policy: CompiledPolicy, context: GateContext, now: Instant
) -> Admission | BearerToken | None:
    text = bearer_alone(bearer_pairs(view.only), (), context.reading.limit)
    if text is None:
        return None
    token = _token(Secret(text))
    del text  # as above
    return _admit_with(memo, token, view, policy, context, now)


def _admit_with(
    memo: Memo,
    token: BearerToken,
    view: RequestView,
    policy: CompiledPolicy,
    context: GateContext,
    now: Instant,
) -> Admission | BearerToken:
    """The same where a memo says what earlier guards of the request found (Laws 2.6, 6.8)."""
    found = memo.recall(context.gate, BEARER, token)
    if found is None:
        found = context.trust.recognise(token.value.reveal(), now)
        if isinstance(found, bytes):
            return BearerToken(HashedSecret(token.value.reveal(), found))
        if found is not None:
            memo.remember(context.gate, BEARER, token, found)
    if not isinstance(found, Principal) or not policy.is_plainly_for(found, view, now):
        return token
    alone = (found,)
    if memo.admitted.setdefault(context.gate, alone) != alone:
        return token
    return Admission(alone, None, view, now)
