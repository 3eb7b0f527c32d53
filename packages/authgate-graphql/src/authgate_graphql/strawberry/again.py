"""Resolving a field of Strawberry anew, for a permission that could not be decided where it stood.

A permission class sees neither its field's resolver nor what else guards it, and its sync check cannot wait. So
where something must be awaited first, the whole field is resolved once more behind that, all its guards included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from inspect import isawaitable
from typing import Any

from strawberry.extensions.field_extension import build_field_extension_resolvers
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from authgate_core import ConfigurationError

from .fields import field_of, takes_info, takes_source

__all__ = ["is_awaited", "is_silent", "resolve_again"]


def is_awaited(permission: BasePermission, field: StrawberryField) -> bool:
    """Whether Strawberry awaits what this permission of the field answers, as for async resolvers.

    Raises:
        ConfigurationError: If it does not, but awaits an extension around it, which then could not.
    """
    own = _extension_of(permission, field)
    resolvers: list[Callable[..., Any]] = build_field_extension_resolvers(field)
    if any(resolver == own.resolve_async for resolver in resolvers):
        return True
    if any(not extension.supports_sync for extension in field.extensions if extension.has_resolver):
        raise ConfigurationError(
            f"field {field.python_name!r}: its permission must wait, and so must an extension around it; write "
            "strawberry.Schema(..., extensions=[AuthGateExtension]), which waits before any field"
        )
    return False


def is_silent(permission: BasePermission, field: StrawberryField) -> bool:
    """Whether a denial by this permission is to show as an empty value."""
    return _extension_of(permission, field).fail_silently


async def resolve_again(source: object, info: Info, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - the field's value
    """Resolve a field through all its extensions.

    Args:
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

    chain: Callable[..., Any] = reduce(
        lambda inner, outer: partial(outer, inner), build_field_extension_resolvers(field), resolve
    )
    value = chain(source, info, **arguments)
    return await value if isawaitable(value) else value


def _extension_of(permission: BasePermission, field: StrawberryField) -> PermissionExtension:
    return next(
        extension
        for extension in field.extensions
        if isinstance(extension, PermissionExtension) and permission in extension.permissions
    )
