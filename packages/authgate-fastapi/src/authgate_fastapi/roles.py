"""Dependencies that ask for roles and scopes by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, NoReturn, TypeVar

from starlette.requests import HTTPConnection

from authgate_core import Admission, AsyncGate, Policy, all_scopes, any_role, is_service, is_user

from .give import give_caller, give_service, give_user
from .guards import Guard, Misuse
from .locate import gate_of

__all__ = [
    "Asking",
    "require_admin",
    "require_roles",
    "require_scopes",
    "require_service_roles",
    "require_user_roles",
    "service_roles",
    "user_roles",
    "user_scopes",
]

T = TypeVar("T")


class Asking(Generic[T]):
    """Makes guards that ask for names; says so where it stands itself, without any, in ``Depends``.

    Args:
        name: Its public name, for messages.
        policy: The policy that asks for the names.
        give: Turns the admission into what is injected.
        find: Where the gate comes from.
    """

    def __init__(
        self,
        name: str,
        policy: Callable[..., Policy],
        give: Callable[[Admission], T],
        *,
        find: Callable[[HTTPConnection], Awaitable[AsyncGate]] = gate_of,
    ) -> None:
        self.__name__ = name
        self._policy = policy
        self._give = give
        self._find = find

    def __call__(self, *names: str) -> Guard[T]:
        """The guard for ``Depends``.

        Args:
            names: At least one.

        Raises:
            TypeError: If there is none, or one is no text.
        """
        if not names:
            self._misuse()
        written = f"{self.__name__}({', '.join(map(repr, names))})"
        return Guard(written, self._policy(*names), self._give, find=self._find)

    @property
    def __signature__(self) -> NoReturn:
        """What FastAPI asks a function for when a route is registered."""
        self._misuse()

    def _misuse(self) -> NoReturn:
        name = self.__name__
        Misuse(f"{name} takes names and gives a function for Depends: write Depends({name}('...'))")()

    def __repr__(self) -> str:
        return self.__name__


def user_roles(*names: str) -> Policy:
    """A user with any of these roles."""
    return is_user & any_role(*names)


def service_roles(*names: str) -> Policy:
    """A service with any of these roles."""
    return is_service & any_role(*names)


def user_scopes(*names: str) -> Policy:
    """A user with every one of these scopes."""
    return is_user & all_scopes(*names)


require_roles: Final = Asking("require_roles", any_role, give_caller)
"""``Depends(require_roles("supplier", "admin"))``: a user or service with any of these roles; gives it."""
require_user_roles: Final = Asking("require_user_roles", user_roles, give_user)
"""``Depends(require_user_roles("clerk"))``: a user with any of these roles; gives the user."""
require_service_roles: Final = Asking("require_service_roles", service_roles, give_service)
"""``Depends(require_service_roles("billing"))``: a service with any of these roles; gives the service."""
require_scopes: Final = Asking("require_scopes", user_scopes, give_user)
"""``Depends(require_scopes("orders:read"))``: a user with every one of these scopes; gives the user."""
require_admin: Final = Guard("require_admin", any_role("admin"), give_caller)
"""``Depends(require_admin)``: a user or service with the role ``admin``; gives it."""
