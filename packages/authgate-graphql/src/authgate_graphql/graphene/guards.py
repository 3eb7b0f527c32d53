"""Guards: decorators that let a request in before a resolver runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from authgate_core import Policy

from ..requirement import COMBINED, JWT, PROJECT, Requirement, requirement
from ..resolvers import guarded
from .places import place_of

__all__ = ["behind", "combined_auth_required", "jwt_auth_required", "project_auth_required", "requires"]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does

_NOTHING: Final[Any] = None


def requires(policy: Policy, *, optional: bool = False) -> Callable[[R], R]:
    """Guard a resolver by a policy: ``@requires(is_user & all_scopes("orders:read"))``.

    For ``resolve_x``, ``mutate`` and ``subscribe_x``, sync and async, which stay what they are; a sync resolver
    is awaited only where a request is not judged yet and judging it takes waiting. Several guards must all
    admit, and each kind is verified once for the whole request (Law 2.6).

    A guard of ``subscribe_x`` says nothing about ``resolve_x``, which views also call where a subscription is sent
    to them like a query: guard both, or ``protect`` the schema, which does.

    Args:
        policy: Who is let in.
        optional: Whether a request that presents nothing of what the policy asks for goes on; what is presented
            and wrong is still refused (Law 1.4).

    Raises:
        TypeError: If that is no policy.
        ConfigurationError: If the policy can never be judged.
    """
    asked = requirement(policy, optional=optional)

    def decorate(resolver: R) -> R:
        return behind(resolver, asked, "requires(...)")

    return decorate


def jwt_auth_required(resolver: R = _NOTHING) -> R:
    """Guard a resolver by ``is_user``, and put the user on the context.

    That is ``info.context["user"]`` of a dict, else ``info.context.user``, and ``info.context.req.user`` of a
    ``GqlContext``. In an app without a gate the first such guard builds one from ``AUTHGATE_*`` (Law 1.6).

    Raises:
        TypeError: If used with parentheses, or on what is no resolver, or one without ``info``.
    """
    return behind(resolver, JWT, "jwt_auth_required")


def project_auth_required(resolver: R = _NOTHING) -> R:
    """Guard a resolver by ``is_project``, and put the project on the context; else like ``jwt_auth_required``."""
    return behind(resolver, PROJECT, "project_auth_required")


def combined_auth_required(resolver: R = _NOTHING) -> R:
    """Guard a resolver by ``is_user & is_project``, and put both there; else like ``jwt_auth_required``."""
    return behind(resolver, COMBINED, "combined_auth_required")


def behind(resolver: R, asked: Requirement, name: str) -> R:
    """A resolver behind a decorator of this name.

    Raises:
        TypeError: If that is no resolver, or one that takes no ``info``.
    """
    given: object = resolver
    if isinstance(given, (staticmethod, classmethod)):
        inner: Callable[..., Any] = given.__func__
        return cast("R", type(given)(behind(inner, asked, name)))
    if given is _NOTHING:
        raise TypeError(f"{name} takes no arguments: write @{name} without parentheses, above a resolver")
    if isinstance(given, type) or not callable(given):
        what = given.__name__ if isinstance(given, type) else type(given).__name__
        raise TypeError(
            f"@{name} guards a resolver function and not {what}: put it above resolve_x, mutate or subscribe_x"
        )
    return guarded(resolver, asked, place_of(resolver))
