"""Resolving a field of Strawberry anew, for a permission that could not be decided where it stood.

A permission class sees neither its field's resolver nor what else guards it, and its sync check cannot wait. So
where something must be awaited first, the field is resolved once more behind that, all its guards included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import Any, Final

from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import build_field_extension_resolvers
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from authgate_core import ConfigurationError

from .fields import field_of, takes_info, takes_source

__all__ = ["REMEDY", "extension_of", "is_awaited", "must_stand_outside", "resolve_again"]

REMEDY: Final = "write strawberry.Schema(..., extensions=[AuthGateExtension]), which waits before any field"
"""What to write where a guard cannot wait in its own place."""


def extension_of(permission: BasePermission, field: StrawberryField) -> PermissionExtension | None:
    """What holds the field against this permission; None where another permission asks it."""
    for extension in field.extensions:
        if isinstance(extension, PermissionExtension) and permission in extension.permissions:
            return extension
    return None


def is_awaited(extension: FieldExtension, field: StrawberryField) -> bool:
    """Whether Strawberry awaits what this extension of the field answers, as for async resolvers."""
    resolvers: list[Callable[..., Any]] = build_field_extension_resolvers(field)
    return any(resolver == extension.resolve_async for resolver in resolvers)


def must_stand_outside(extension: FieldExtension, field: StrawberryField) -> None:
    """Make sure that whatever is around an extension hands on what is to be awaited, and looks at no value.

    Raises:
        ConfigurationError: If that is not sure: it would take what waits for the value.
    """
    around = field.extensions[field.extensions.index(extension) + 1 :]
    for other in around:
        if other.has_resolver and not (_hands_on(other) and other.supports_sync):
            raise ConfigurationError(
                f"field {field.python_name!r}: its guard must wait here, and {type(other).__name__} around it would "
                f"not know; {REMEDY}"
            )


async def resolve_again(
    permission: BasePermission, source: object, info: Info, arguments: dict[str, Any]
) -> Any:  # noqa: ANN401 - the field's value
    """Resolve a field through a permission and all extensions inside of it.

    Args:
        permission: The permission that has waited.
        source: The value that has the field.
        info: What Strawberry knows of the field's place.
        arguments: The arguments as extensions see them.
    """
    field = field_of(info)

    def resolve(source: object, info: Info, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        positional = [source] if takes_source(field) else []
        if takes_info(field):
            kwargs["info"] = info
        return field.get_result(source, info=info, args=positional, kwargs=kwargs)

    chain: Callable[..., Any] = resolve
    own = extension_of(permission, field)
    for resolver in build_field_extension_resolvers(field):
        chain = partial(resolver, chain)
        if own is not None and resolver == own.resolve:
            break
    value = chain(source, info, **arguments)
    return await value if isawaitable(value) else value


def _hands_on(extension: FieldExtension) -> bool:
    return isinstance(extension, PermissionExtension) or getattr(extension, "hands_on", False) is True
