"""Who calls, as the auth service's SDK showed it: a dict for each kind of caller."""

from __future__ import annotations

from typing import Literal, TypedDict

from authgate_core import Admission, User

__all__ = [
    "APIKeyIdentity",
    "AuthenticatedIdentity",
    "AuthenticatedJWTIdentity",
    "ServiceIdentity",
    "UserIdentity",
    "api_key_of",
    "caller_of",
    "user_of",
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


class APIKeyIdentity(TypedDict):
    """An API key as that SDK showed one."""

    type: Literal["api_key"]
    key_id: str
    service: str
    scopes: list[str]
    email: None


AuthenticatedJWTIdentity = UserIdentity | ServiceIdentity
"""Whoever calls with a token."""
AuthenticatedIdentity = UserIdentity | ServiceIdentity | APIKeyIdentity
"""Whoever calls."""


def user_of(admission: Admission) -> UserIdentity:
    """The user who was admitted."""
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


def caller_of(admission: Admission) -> AuthenticatedJWTIdentity:
    """The user or the program that was admitted."""
    if admission.get(User) is not None:
        return user_of(admission)
    service = admission.service
    role = next(iter(service.roles), None)
    client_id = service.client_id or service.id
    scopes = list(service.scopes)
    return {"type": "service", "client_id": client_id, "role": role, "scopes": scopes, "email": None}


def api_key_of(admission: Admission) -> APIKeyIdentity:
    """The API key that was admitted; one that is for no service has that of its first scope, ``orders:read``."""
    key = admission.api_key
    scopes = list(key.scopes)
    before, colon, _ = (scopes[0] if scopes else "").partition(":")
    service = key.service or (before if colon else "unknown")
    return {"type": "api_key", "key_id": key.id, "service": service, "scopes": scopes, "email": None}
