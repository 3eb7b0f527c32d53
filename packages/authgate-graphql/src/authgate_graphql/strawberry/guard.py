"""A field extension that guards: ``strawberry.field(extensions=[Guard(any_role("admin"))])``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from inspect import isasyncgenfunction, isawaitable
from typing import Any

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
from .fields import resolver_of

__all__ = ["Guard"]

_HIDDEN = frozenset({401, 403})


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

    def __init__(self, policy: Policy, fail_silently: bool = False, *, optional: bool = False) -> None:  # noqa: FBT001, FBT002 - as Strawberry's own permissions have it
        self.requirement = requirement(policy, optional=optional)
        self._silent = fail_silently
        self._empty: Callable[[], object] = _nothing

    def apply(self, field: StrawberryField) -> None:
        """Learn what the field shows instead of its value; Strawberry calls it when the schema is built.

        Raises:
            PermissionFailSilentlyRequiresOptionalError: If its type has no such value.
        """
        if not self._silent:
            return
        shown = field.type.of_type if isinstance(field.type, StrawberryOptional) else field.type
        if isasyncgenfunction(resolver_of(field)):
            self._empty = _no_events
        elif isinstance(shown, StrawberryList):
            self._empty = list
        elif not isinstance(field.type, StrawberryOptional):
            raise PermissionFailSilentlyRequiresOptionalError(field)

    def resolve(self, next_: Callable[..., Any], source: object, info: Info, **kwargs: Any) -> Any:  # noqa: ANN401 - the field's value
        """Check, and resolve the field."""
        try:
            if not is_checked(self.requirement, info.context):
                return self.resolve_async(next_, source, info, **kwargs)
        except Refusal as refused:
            return self._hidden(refused)
        try:
            return next_(source, info, **kwargs)
        except AuthgateError as error:
            raise worded(error, known_visit(info.context), info.context) from None

    async def resolve_async(
        self, next_: Callable[..., Any], source: object, info: Info, **kwargs: Any
    ) -> Any:  # noqa: ANN401 - as above
        """The same, waiting where that must be: for async resolvers, subscriptions and first fields."""
        try:
            if not is_checked(self.requirement, info.context):
                await check(self.requirement, info.context)
        except Refusal as refused:
            return self._hidden(refused)
        try:
            value = next_(source, info, **kwargs)
            return await value if isawaitable(value) else value
        except AuthgateError as error:
            raise worded(error, known_visit(info.context), info.context) from None

    def _hidden(self, refused: Refusal) -> object:
        if self._silent and refused.problem.status in _HIDDEN:
            return self._empty()
        raise refused


def _nothing() -> None:
    """Null."""


async def _no_events() -> AsyncIterator[object]:
    """A subscription without events."""
    events: tuple[object, ...] = ()
    for event in events:
        yield event
