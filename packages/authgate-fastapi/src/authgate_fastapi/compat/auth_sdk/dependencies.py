"""The dependencies of the auth service's own SDK: ours, giving its dicts.

What they refuse is refused as everywhere in authgate, with the headers of the auth service on a step-up.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from authgate_core import (
    AsyncGate,
    ConfigurationError,
    Issuer,
    Policy,
    action,
    any_role,
    fresh_within,
    is_user,
)

from ...dependencies import bearer
from ...guards import Guard
from ...roles import Asking
from .identities import UserIdentity, caller_of, user_of

__all__ = ["get_current_user", "require_action_token", "require_fresh_auth", "require_role"]


get_current_user: Final = Guard("get_current_user", bearer, caller_of)
"""``Depends(get_current_user)``: a user or a program."""
require_role: Final = Asking("require_role", any_role, caller_of)
"""``Depends(require_role("admin"))``: a user or program with one of the roles."""


def require_action_token(
    action_name: str,
    *,
    auth_base_url: str | None = None,
    expected_audience: str | Collection[str] | None = None,
) -> Guard[UserIdentity]:
    """``Depends(require_action_token("delete_order"))``: a user who has confirmed the action; used up by the request.

    Args:
        action_name: The action.
        auth_base_url: The auth service, which must be one of the gate's.
        expected_audience: The audience, or audiences, each of which must be one of that issuer's.

    Raises:
        TypeError: If the name is none.
    """
    policy = is_user & action(action_name)
    expected = {expected_audience} if isinstance(expected_audience, str) else set(expected_audience or ())

    def asked_of(gate: AsyncGate) -> Policy:
        if not any(_is_meant(issuer, auth_base_url, expected) for issuer in gate.config.issuers):
            raise ConfigurationError(
                f"require_action_token({action_name!r}): the gate has no Issuer.auth_service with this"
                " auth_base_url and expected_audience; give it one, or leave both out"
            )
        return policy

    return Guard(f"require_action_token({action_name!r})", asked_of, user_of)


def require_fresh_auth(max_age_seconds: int = 300) -> Guard[UserIdentity]:
    """``Depends(require_fresh_auth(300))``: a user who logged in so lately.

    Args:
        max_age_seconds: How long ago that may be, in seconds.

    Raises:
        TypeError: If that is no positive whole number.
    """
    policy = is_user & fresh_within(max_age_seconds)
    return Guard(f"require_fresh_auth({max_age_seconds})", policy, user_of)


def _is_meant(issuer: Issuer, base_url: str | None, expected: set[str]) -> bool:
    if not issuer.action_tokens:
        return False
    keys: object = getattr(issuer.trust, "url", None)
    is_there = base_url is None or keys == f"{base_url.rstrip('/')}/.well-known/jwks.json"
    audience = issuer.terms.audience
    return is_there and (not expected or (isinstance(audience, frozenset) and expected <= audience))
