"""For services around an apex: its users, permissions and logins. ``Issuer.apex`` needs none of it."""

from ..issuer.apex_users import ApexUser, ServiceUser
from .aio import AsyncAuthApi, AsyncAuthApiProvider, AsyncAuthCodeApi
from .permissions import Permission, PermissionPlan
from .states import LoginStates
from .sync import AuthApi, AuthApiProvider, AuthCodeApi

__all__ = [
    "ApexUser",
    "AsyncAuthApi",
    "AsyncAuthApiProvider",
    "AsyncAuthCodeApi",
    "AuthApi",
    "AuthApiProvider",
    "AuthCodeApi",
    "LoginStates",
    "Permission",
    "PermissionPlan",
    "ServiceUser",
]
