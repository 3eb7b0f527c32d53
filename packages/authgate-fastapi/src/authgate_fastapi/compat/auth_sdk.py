"""The dependencies of the auth service's own SDK under their old names, behind ``AuthGate(app, ...)``.

What they give is what that SDK gave: a dict that says who calls. What they refuse is refused as everywhere in
authgate, with the headers of the auth service on a step-up.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, TypedDict

from authgate_core import (
    Admission,
    AsyncGate,
    ConfigurationError,
    Issuer,
    Policy,
    User,
    action,
    any_role,
    fresh_within,
    is_user,
)

from ..dependencies import bearer
from ..guards import Guard
from ..roles import Asking

__all__ = [
    "AuthenticatedJWTIdentity",
    "ServiceIdentity",
    "UserIdentity",
    "get_current_user",
    "require_action_token",
    "require_fresh_auth",
    "require_role",
]


class UserIdentity(TypedDict):
    """A user as that SDK showed one."""

    type: Literal["user"]
    user_id: str
    email: str | None
    email_verified: bool
    email_otp_enabled: bool
    role: str | None
    scopes: list[str]
    auth_time: float | None


class ServiceIdentity(TypedDict):
    """A program as that SDK showed one."""

    type: Literal["service"]
    client_id: str
    role: str | None
    scopes: list[str]
    email: None


AuthenticatedJWTIdentity = UserIdentity | ServiceIdentity
"""Whoever calls."""


def _user(admission: Admission) -> UserIdentity:
    user = admission.user
    return {
        "type": "user",
        "user_id": user.id,
        "email": user.email,
        "email_verified": user.claims.get("email_verified") is True,
        "email_otp_enabled": user.claims.get("email_otp_enabled") is True,
        "role": next(iter(user.roles), None),
        "scopes": list(user.scopes),
        "auth_time": user.auth_time,
    }


def _caller(admission: Admission) -> AuthenticatedJWTIdentity:
    if admission.get(User) is not None:
        return _user(admission)
    service = admission.service
    role = next(iter(service.roles), None)
    client_id = service.client_id or service.id
    scopes = list(service.scopes)
    return {"type": "service", "client_id": client_id, "role": role, "scopes": scopes, "email": None}


get_current_user: Final = Guard("get_current_user", bearer, _caller)
"""``Depends(get_current_user)``: a user or a program."""
require_role: Final = Asking("require_role", any_role, _caller)
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

    return Guard(f"require_action_token({action_name!r})", asked_of, _user)


def require_fresh_auth(max_age_seconds: int = 300) -> Guard[UserIdentity]:
    """``Depends(require_fresh_auth(300))``: a user who logged in so lately.

    Args:
        max_age_seconds: How long ago that may be, in seconds.

    Raises:
        TypeError: If that is no positive whole number.
    """
    policy = is_user & fresh_within(max_age_seconds)
    return Guard(f"require_fresh_auth({max_age_seconds})", policy, _user)


def _is_meant(issuer: Issuer, base_url: str | None, expected: set[str]) -> bool:
    if not issuer.action_tokens:
        return False
    keys: object = getattr(issuer.trust, "url", None)
    is_there = base_url is None or keys == f"{base_url.rstrip('/')}/.well-known/jwks.json"
    audience = issuer.terms.audience
    return is_there and (not expected or (isinstance(audience, frozenset) and expected <= audience))
