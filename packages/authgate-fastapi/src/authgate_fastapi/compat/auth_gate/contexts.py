"""Who calls, as the older FastAPI client showed it: read-only views of our principals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic_core import CoreSchema

from authgate_core import Service, User
from authgate_core.principal import Principal
from authgate_core.principal.schema import SERIALIZER, core_schema_of, json_schema_of

__all__ = ["AuthContext", "ServiceContext", "UserContext", "context_of"]

P = TypeVar("P", bound=User | Service)


class _Context(Generic[P]):
    """A view of a principal. Responses show the attributes that its class names, and never claims.

    Args:
        principal: Whom it shows.

    Attributes:
        is_service: Whether it is a service.
    """

    __slots__ = ("_principal",)
    _public: ClassVar[tuple[str, ...]]
    __pydantic_serializer__: ClassVar = SERIALIZER
    is_service: ClassVar[bool]
    _principal: P

    def __init__(self, principal: P) -> None:
        self._principal = principal

    @property
    def roles(self) -> list[str]:
        """The roles of the token, without what a hierarchy adds."""
        return list(self._principal.roles)

    @property
    def client_id(self) -> str | None:
        """The OAuth client."""
        return self._principal.client_id

    @property
    def auth_source(self) -> str:
        """The kind of credential."""
        return self._principal.source

    @property
    def is_admin(self) -> bool:
        """Whether it has the role ``admin``."""
        return self.has_role("admin")

    @property
    def is_moderator(self) -> bool:
        """Whether it has the role ``moderator``."""
        return self.has_role("moderator")

    def has_role(self, role: str) -> bool:
        """Whether it has this role, by itself or through the configured hierarchy."""
        return self._principal.has_role(role)

    def has_any_role(self, roles: Iterable[str]) -> bool:
        """Whether it has at least one of these roles."""
        return self._principal.has_any_role(*roles)

    def has_all_roles(self, roles: Iterable[str]) -> bool:
        """Whether it has every one of these roles; of none: False (Law 8.1)."""
        return self._principal.has_all_roles(*roles)

    def to_dict(self) -> dict[str, Any]:
        """The attributes as JSON types, which Any stands for; what responses show."""
        return {name: getattr(self, name) for name in self._public}

    def keys(self) -> Iterator[str]:
        """The names of the attributes, so that ``dict(context)`` is ``to_dict()``."""
        return iter(self._public)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - attributes differ in type
        return self.to_dict()[name]

    def __eq__(self, other: object) -> bool:
        return self._principal == other._principal if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._principal)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._principal!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        return core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, Any]:
        return json_schema_of(cls, cls._public)


class UserContext(_Context[User]):
    """A user.

    Args:
        principal: Whom it shows.
    """

    __slots__ = ()
    _public = ("user_id", "username", "email", "roles", "scopes", "session_id", "client_id", "auth_source")
    is_service = False

    @property
    def user_id(self) -> str:
        """``user.id``."""
        return self._principal.id

    @property
    def username(self) -> str | None:
        """``user.username``."""
        return self._principal.username

    @property
    def email(self) -> str | None:
        """``user.email``."""
        return self._principal.email

    @property
    def scopes(self) -> list[str]:
        """The scopes of the token."""
        return list(self._principal.scopes)

    @property
    def is_supplier(self) -> bool:
        """Whether the user has the role ``supplier``."""
        return self.has_role("supplier")

    @property
    def is_customer(self) -> bool:
        """Whether the user has the role ``customer`` by itself; an admin is no customer."""
        return "customer" in self._principal.roles

    @property
    def session_id(self) -> str | None:
        """``user.session_id``."""
        return self._principal.session_id

    def has_scope(self, scope: str) -> bool:
        """Whether the user has this scope."""
        return self._principal.has_scope(scope)

    def has_any_scope(self, scopes: Iterable[str]) -> bool:
        """Whether the user has at least one of these scopes."""
        return self._principal.has_any_scope(*scopes)


class ServiceContext(_Context[Service]):
    """A service.

    Args:
        principal: Whom it shows.
    """

    __slots__ = ()
    _public = ("service_name", "service_id", "roles", "client_id", "auth_source")
    is_service = True

    @property
    def service_name(self) -> str:
        """The name of the service, else its client, else its id."""
        return self._principal.name or self._principal.client_id or self._principal.id

    @property
    def service_id(self) -> str:
        """``service.id``."""
        return self._principal.id

    @property
    def session_id(self) -> str | None:
        """The session of the token, where it has one."""
        found = self._principal.claims.get("sid")
        return found if isinstance(found, str) else None

    @property
    def is_supplier(self) -> bool:
        """False: a service supplies nothing, whatever its roles."""
        return False

    @property
    def is_customer(self) -> bool:
        """False: a service is nobody's customer."""
        return False

    def has_scope(self, _scope: str) -> bool:
        """False: scopes were asked of users."""
        return False

    def has_any_scope(self, _scopes: Iterable[str]) -> bool:
        """False, as above."""
        return False


AuthContext: TypeAlias = UserContext | ServiceContext
"""Whoever calls."""


def context_of(principal: Principal | None) -> AuthContext | None:
    """The view of a user or a service; None of anybody else."""
    if isinstance(principal, User):
        return UserContext(principal)
    return ServiceContext(principal) if isinstance(principal, Service) else None
