"""Permission classes for fields: ``@strawberry.field(permission_classes=[requires(is_user)])``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, ClassVar, Final, NoReturn, TypeAlias

from strawberry.permission import BasePermission, PermissionExtension
from strawberry.schema_directive import Location, schema_directive
from strawberry.types import Info

from authgate_core import ConfigurationError, Policy

from ..checks import check, is_checked
from ..context import known_visit
from ..errors import Refusal
from ..requirement import COMBINED, JWT, PROJECT, Requirement, requirement
from .again import REMEDY, extension_of, is_awaited, must_stand_outside, resolve_again
from .fields import field_of

__all__ = [
    "CombinedAuthPermission",
    "JWTAuthPermission",
    "Permission",
    "ProjectAuthPermission",
    "requires",
]

_HIDDEN: Final = frozenset({401, 403})
_NOTHING: Final[frozenset[int]] = frozenset()
_Waiting: TypeAlias = "tuple[Permission, object, Info, dict[str, Any]]"
_waiting: Final[ContextVar[_Waiting | None]] = ContextVar("authgate_waiting", default=None)


class _InTime(Awaitable[bool]):
    """An answer that must be awaited, and is no yes until then.

    A class made of ours may ask ``super().has_permission(...) and more``: of a coroutine that would be a yes to
    whatever token nobody has verified yet.

    Args:
        answer: Begins to wait for it.
    """

    __slots__ = ("_answer",)

    def __init__(self, answer: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._answer = answer

    def __await__(self) -> Generator[Any, Any, bool]:
        return self._answer().__await__()

    def __bool__(self) -> NoReturn:
        raise ConfigurationError(
            f"a permission has to wait for its answer here, which is neither true nor false before; {REMEDY}"
        )


class Permission(BasePermission):
    """Holds a field against a policy.

    It raises the refusal instead of answering no, so that a denial, an outage and a malformed credential each say
    what they are; only what ``PermissionExtension(fail_silently=True)`` is to hide it answers with no. Where
    something has to be asked first and nobody waited for it before (``AuthGateExtension`` does), the field is
    resolved once more behind the answer.

    Attributes:
        requirement: What the field asks.

    Raises:
        TypeError: If it is given a resolver, as if it were a decorator.
    """

    requirement: ClassVar[Requirement]

    def __init__(self, *resolvers: object) -> None:
        if resolvers:
            raise TypeError(
                "a permission class decorates nothing: write "
                "@strawberry.field(permission_classes=[requires(policy)])"
            )

    def has_permission(self, source: object, info: Info, **kwargs: Any) -> bool | Awaitable[bool]:
        """Whether the field may be resolved; where Strawberry awaits the answer it may be awaited.

        Raises:
            Refusal: If the request is refused.
            ConfigurationError: If no gate can judge it here.
        """
        context = info.context
        visit = known_visit(context)
        # What `is_checked` asks first, without the call: this runs for each item of a list.
        if visit is not None and visit.passed.get(self.requirement) is context:
            return True
        # One permission may stand before several fields, of which not all hide what it says.
        hides = self._hidden_by(extension_of(self, field_of(info)))
        try:
            if is_checked(self.requirement, context, hidden=hides):
                return True
        except Refusal as refused:
            return self._denied(refused, hides)
        if self._is_awaited(info, hides):
            return _InTime(partial(self._has_permission_in_time, info, hides))
        _waiting.set((self, source, info, kwargs))
        return False

    def on_unauthorized(self) -> Any:  # noqa: ANN401 - the value of the field, for Strawberry to await
        """What to await in the place of the field's value, where something has to be asked first."""
        waiting = _waiting.get()
        _waiting.set(None)
        if waiting is None or waiting[0] is not self:
            return super().on_unauthorized()  # a class made of this one said no
        _, source, info, arguments = waiting
        return self._resolve_in_time(source, info, arguments)

    @staticmethod
    def _hidden_by(extension: PermissionExtension | None) -> frozenset[int]:
        return _HIDDEN if extension is not None and extension.fail_silently else _NOTHING

    @staticmethod
    def _denied(refused: Refusal, hides: frozenset[int]) -> bool:
        if refused.problem.status in hides:
            return False
        raise refused

    def _is_awaited(self, info: Info, hides: frozenset[int]) -> bool:
        field = field_of(info)
        extension = extension_of(self, field)
        if extension is None:
            raise ConfigurationError(
                f"field {field.python_name!r}: a permission that another one asks cannot wait here; combine policies "
                f"instead, as in requires(a | b), or {REMEDY}"
            )
        if is_awaited(extension, field):
            return True
        if hides:
            raise ConfigurationError(
                f"field {field.python_name!r}: a permission that fails silently cannot wait here; {REMEDY}"
            )
        must_stand_outside(extension, field)
        return False

    async def _has_permission_in_time(self, info: Info, hides: frozenset[int]) -> bool:
        try:
            await check(self.requirement, info.context, hidden=hides)
        except Refusal as refused:
            return self._denied(refused, hides)
        return True

    async def _resolve_in_time(self, source: object, info: Info, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
        await check(self.requirement, info.context)
        return await resolve_again(self, source, info, arguments)


class JWTAuthPermission(Permission):
    """A user, who is then ``info.context["user"]``: ``permission_classes=[JWTAuthPermission]``."""

    requirement = JWT


class ProjectAuthPermission(Permission):
    """A project, which is then ``info.context["project"]``."""

    requirement = PROJECT


class CombinedAuthPermission(Permission):
    """A user and a project, which are then ``info.context["user"]`` and ``["project"]``."""

    requirement = COMBINED


def requires(policy: Policy, *, optional: bool = False) -> type[BasePermission]:
    """A permission class for a policy: ``permission_classes=[requires(is_user & all_scopes("orders:read"))]``.

    Args:
        policy: Who may see the field.
        optional: Whether a request that presents nothing of what the policy asks for may as well (Law 1.4).

    Raises:
        TypeError: If that is no policy.
        ConfigurationError: If the policy can never be judged.
    """
    return _class_for(requirement(policy, optional=optional))


@schema_directive(locations=[Location.FIELD_DEFINITION], name="guarded")
class _Guarded:
    """What a schema says of fields behind ``requires``: one for all policies, which are nobody's business."""


@cache
def _class_for(asked: Requirement) -> type[Permission]:
    members = {"requirement": asked, "_schema_directive": _Guarded(), "__module__": __name__}
    return type("Requires", (Permission,), members)
