"""A field extension that guards: ``strawberry.field(extensions=[Guard(any_role("admin"))])``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from inspect import isasyncgenfunction, isawaitable
from typing import Any, Final, cast

from strawberry.exceptions.permission_fail_silently_requires_optional import (
    PermissionFailSilentlyRequiresOptionalError,
)
from strawberry.extensions import FieldExtension
from strawberry.types import Info
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.field import StrawberryField

from authgate_core import AuthgateError, Policy

from ..checks import check, is_checked
from ..context import known_visit
from ..errors import Refusal, worded
from ..requirement import requirement
from ..streams import PLAIN, are_events, closable, watched
from .again import must_stand_outside
from .fields import field_of, resolver_of

__all__ = ["Guard"]

_HIDDEN: Final = frozenset({401, 403})
_NOTHING: Final[frozenset[int]] = frozenset()


class Guard(FieldExtension):
    """Holds a field against a policy.

    Args:
        policy: Who may see the field.
        fail_silently: Whether a stranger, or one who may not, sees null or an empty list instead of an error, where
            the field's type has such a value. Malformed credentials and outages are told all the same (Law 1.5).
        optional: Whether a request that presents nothing of what the policy asks for sees it (Law 1.4).

    Attributes:
        requirement: What the field asks.

    Raises:
        TypeError: If that is no policy.
        ConfigurationError: If the policy can never be judged.
    """

    hands_on: Final = True
    """It never looks at the field's value, so what is inside of it may wait."""

    def __init__(self, policy: Policy, fail_silently: bool = False, *, optional: bool = False) -> None:  # noqa: FBT001, FBT002 - as Strawberry's own permissions have it
        self.requirement = requirement(policy, optional=optional)
        self._hides = _HIDDEN if fail_silently else _NOTHING

    def apply(self, field: StrawberryField) -> None:
        """Make sure that the field can show nothing, if it ever is to; Strawberry calls it for each of its fields.

        Raises:
            PermissionFailSilentlyRequiresOptionalError: If its type has no such value.
        """
        if self._hides and not _has_nothing(field):
            raise PermissionFailSilentlyRequiresOptionalError(field)

    def resolve(self, next_: Callable[..., Any], source: object, info: Info, **kwargs: Any) -> Any:  # noqa: ANN401 - the field's value
        """Check, and resolve the field."""
        context = info.context
        visit = known_visit(context)
        # What `is_checked` asks first, without the call: this runs for each item of a list.
        if visit is None or visit.passed.get(self.requirement) is not context:
            try:
                if not is_checked(self.requirement, context, hidden=self._hides):
                    must_stand_outside(self, field_of(info))
                    return self.resolve_async(next_, source, info, **kwargs)
            except Refusal as refused:
                return self._shown(refused, info)
        try:
            value: object = next_(source, info, **kwargs)
        except AuthgateError as error:
            raise worded(error, known_visit(context), context) from None
        if type(value) not in PLAIN and are_events(value, info):
            return watched(closable(cast("AsyncIterator[Any]", value)), context)
        return value

    async def resolve_async(
        self, next_: Callable[..., Any], source: object, info: Info, **kwargs: Any
    ) -> Any:  # noqa: ANN401 - as above
        """The same, waiting where that must be: for async resolvers, subscriptions and first fields."""
        try:
            if not is_checked(self.requirement, info.context, hidden=self._hides):
                await check(self.requirement, info.context, hidden=self._hides)
        except Refusal as refused:
            return self._shown(refused, info)
        try:
            value = next_(source, info, **kwargs)
            value = await value if isawaitable(value) else value
        except AuthgateError as error:
            raise worded(error, known_visit(info.context), info.context) from None
        return watched(closable(value), info.context) if are_events(value, info) else value

    def _shown(self, refused: Refusal, info: Info) -> object:
        if refused.problem.status not in self._hides:
            raise refused
        field = field_of(info)
        if _is_subscription(field):
            return _no_events()
        return [] if _is_list(field) else None


def _has_nothing(field: StrawberryField) -> bool:
    return isinstance(field.type, StrawberryOptional) or _is_list(field) or _is_subscription(field)


def _is_list(field: StrawberryField) -> bool:
    shown = field.type.of_type if isinstance(field.type, StrawberryOptional) else field.type
    return isinstance(shown, StrawberryList)


def _is_subscription(field: StrawberryField) -> bool:
    return isasyncgenfunction(resolver_of(field))


async def _no_events() -> AsyncIterator[object]:
    events: tuple[object, ...] = ()
    for event in events:
        yield event
