"""Permission classes for fields: ``@strawberry.field(permission_classes=[requires(is_user)])``."""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar, Final

from strawberry.permission import BasePermission
from strawberry.types import Info

from authgate_core import ConfigurationError, Policy

from ..checks import check, is_checked
from ..requirement import COMBINED, JWT, PROJECT, Requirement, requirement
from .again import is_awaited, is_silent, resolve_again
from .fields import field_of

__all__ = [
    "CombinedAuthPermission",
    "JWTAuthPermission",
    "Permission",
    "ProjectAuthPermission",
    "requires",
]

_waiting: Final[ContextVar[tuple[object, Info, dict[str, Any]]]] = ContextVar("authgate_waiting")


class Permission(BasePermission):
    """Holds a field against a policy.

    It raises the refusal instead of answering no, so that a denial, an outage and a malformed credential each say
    what they are. Where something has to be asked first and nobody waited for it before (``AuthGateExtension``
    does), the field is resolved once more behind the answer.

    Attributes:
        requirement: What the field asks.
    """

    requirement: ClassVar[Requirement]

    def has_permission(self, source: object, info: Info, **kwargs: Any) -> bool | Awaitable[bool]:
        """Whether the field may be resolved; where Strawberry awaits the answer it may be awaited.

        Raises:
            Refusal: If the request is refused.
            ConfigurationError: If no gate can judge it here.
        """
        if is_checked(self.requirement, info.context):
            return True
        field = field_of(info)
        if is_awaited(self, field):
            return self._has_permission_in_time(info)
        if is_silent(self, field):
            raise ConfigurationError(
                f"field {field.python_name!r}: a permission that fails silently cannot wait here; write "
                "strawberry.Schema(..., extensions=[AuthGateExtension]), which waits before any field"
            )
        _waiting.set((source, info, kwargs))
        return False

    def on_unauthorized(self) -> Any:  # noqa: ANN401 - the value of the field, for Strawberry to await
        """What to await in the place of the field's value, where something has to be asked first."""
        source, info, arguments = _waiting.get()
        return self._resolve_in_time(source, info, arguments)

    async def _has_permission_in_time(self, info: Info) -> bool:
        await check(self.requirement, info.context)
        return True

    async def _resolve_in_time(self, source: object, info: Info, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
        await check(self.requirement, info.context)
        return await resolve_again(source, info, arguments)


class JWTAuthPermission(Permission):
    """A user, who is then ``info.context["user"]``: ``permission_classes=[JWTAuthPermission]``."""

    requirement = JWT


class ProjectAuthPermission(Permission):
    """A project, which is then ``info.context["project"]``."""

    requirement = PROJECT


class CombinedAuthPermission(Permission):
    """A user and a project, which are then ``info.context["user"]`` and ``["project"]``."""

    requirement = COMBINED


def requires(policy: Policy, *, optional: bool = False) -> type[Permission]:
    """A permission class for a policy: ``permission_classes=[requires(is_user & all_scopes("orders:read"))]``.

    Args:
        policy: Who may see the field.
        optional: Whether a request that presents nothing of what the policy asks for may as well (Law 1.4).

    Raises:
        TypeError: If that is no policy.
        ConfigurationError: If the policy can never be judged.
    """
    return _class_for(requirement(policy, optional=optional))


@cache
def _class_for(asked: Requirement) -> type[Permission]:
    return type("Requires", (Permission,), {"requirement": asked, "__module__": __name__})
