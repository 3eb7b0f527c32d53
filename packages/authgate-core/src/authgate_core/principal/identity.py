"""Users, services, projects and API keys as read-only values.

They are hand-written rather than dataclasses: Flask's ``jsonify`` and FastAPI's encoder write out every field
of any dataclass, claims included (docs/adr/0007). Their mapping view is what ``to_dict`` shows, and no more.
"""

# Attributes are initialised by ``put``, which the checker cannot see.
# pyright: reportUninitializedInstanceVariable=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final, Unpack, cast

from .base import PUBLIC_FIELDS, Claims, Common, Principal, Unfinished, frozen, put

__all__ = ["ApiKey", "Project", "Service", "User", "new_service", "new_user"]


class User(Principal):
    """A person, identified by a token.

    Args:
        username: ``preferred_username`` or ``username``.
        email: ``email``.
        name: ``name``.
        session_id: ``sid``.
        client_id: The client through which the person acts.
        auth_time: When the person last logged in, Unix seconds.
        acr: Authentication context class.
        amr: Authentication methods.
        actor: The ``act`` claim of a delegated token (RFC 8693 section 4.1).
        common: What every ``Principal`` takes.
    """

    __slots__ = ("acr", "actor", "amr", "auth_time", "client_id", "email", "name", "session_id", "username")
    _public: ClassVar[tuple[str, ...]] = (*PUBLIC_FIELDS, "username", "email", "name")

    username: str | None
    email: str | None
    name: str | None
    session_id: str | None
    client_id: str | None
    auth_time: float | None
    acr: str | None
    amr: tuple[str, ...]
    actor: Mapping[str, Any] | None

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str,
        username: str | None = None,
        email: str | None = None,
        name: str | None = None,
        session_id: str | None = None,
        client_id: str | None = None,
        auth_time: float | None = None,
        acr: str | None = None,
        amr: Sequence[str] = (),
        actor: Mapping[str, object] | None = None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(id=id, issuer=issuer, **common)
        put(self, "username", username)
        put(self, "email", email)
        put(self, "name", name)
        put(self, "session_id", session_id)
        put(self, "client_id", client_id)
        put(self, "auth_time", auth_time)
        put(self, "acr", acr)
        put(self, "amr", tuple(amr))
        put(self, "actor", None if actor is None else frozen(actor))


class Service(Principal):
    """A program, identified by a token of its own.

    Args:
        name: What it is called, where the issuer says.
        client_id: Its OAuth client id.
        common: What every ``Principal`` takes.
    """

    __slots__ = ("client_id", "name")
    _public: ClassVar[tuple[str, ...]] = (*PUBLIC_FIELDS, "name", "client_id")

    name: str | None
    client_id: str | None

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str,
        name: str | None = None,
        client_id: str | None = None,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(id=id, issuer=issuer, **common)
        put(self, "name", name)
        put(self, "client_id", client_id)


class Project(Principal):
    """A project, identified by its app id and secret.

    Args:
        name: What it is called.
        enabled_services: The services that it may use; None means every one.
        secret_version: The version of the secret that was presented.
        common: What every ``Principal`` takes.
    """

    __slots__ = ("enabled_services", "name", "secret_version")
    _public: ClassVar[tuple[str, ...]] = ("id", "name", "enabled_services")

    name: str | None
    enabled_services: tuple[str, ...] | None
    secret_version: int

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str = "projects",
        name: str | None = None,
        enabled_services: Sequence[str] | None = None,
        secret_version: int = 0,
        **common: Unpack[Common],
    ) -> None:
        common.setdefault("source", "app")  # the one kind of credential that identifies projects
        super().__init__(id=id, issuer=issuer, **common)
        put(self, "name", name)
        put(self, "enabled_services", None if enabled_services is None else tuple(enabled_services))
        put(self, "secret_version", secret_version)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        # Whatever is shown, a copy may use no more services than the original: of None it could use all.
        restore, (kind, fields) = super().__reduce__()
        return restore, (
            kind,
            {"enabled_services": self.enabled_services, **cast("dict[str, object]", fields)},
        )

    def implying(self, roles: frozenset[str]) -> Project:
        """The same project with what a role hierarchy makes of its roles (Law 8.5)."""
        return Project(
            id=self.id,
            issuer=self.issuer,
            name=self.name,
            enabled_services=self.enabled_services,
            secret_version=self.secret_version,
            tenant=self.tenant,
            roles=self.roles,
            scopes=self.scopes,
            claims=self._claims,
            source=self.source,
            implied_roles=roles,
            model=self._model,
            public=self._shown,
        )


class ApiKey(Principal):
    """An API key: whoever holds it may do what the key may.

    Args:
        owner_id: Whose key it is, as the store knows them; None for a key that is nobody's.
        service: The service that it was made for.
        expires_at: When it stops working, Unix seconds; None for never.
        prefix: How the key begins, which is no secret and tells people which one it is.
        common: What every ``Principal`` takes.
    """

    __slots__ = ("expires_at", "owner_id", "prefix", "service")
    _public: ClassVar[tuple[str, ...]] = (*PUBLIC_FIELDS, "owner_id", "service", "expires_at", "prefix")

    owner_id: str | None
    service: str | None
    expires_at: float | None
    prefix: str | None

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str = "api_keys",
        owner_id: str | None = None,
        service: str | None = None,
        expires_at: float | None = None,
        prefix: str | None = None,
        **common: Unpack[Common],
    ) -> None:
        common.setdefault("source", "api_key")  # as with projects
        super().__init__(id=id, issuer=issuer, **common)
        put(self, "owner_id", owner_id)
        put(self, "service", service)
        put(self, "expires_at", expires_at)
        put(self, "prefix", prefix)

    def has_expired(self, wall: float) -> bool:
        """Whether the key has stopped working at this moment, Unix seconds."""
        return self.expires_at is not None and self.expires_at <= wall

    def implying(self, roles: frozenset[str]) -> ApiKey:
        """The same key with what a role hierarchy makes of its roles (Law 8.5)."""
        return ApiKey(
            id=self.id,
            issuer=self.issuer,
            owner_id=self.owner_id,
            service=self.service,
            expires_at=self.expires_at,
            prefix=self.prefix,
            tenant=self.tenant,
            roles=self.roles,
            scopes=self.scopes,
            claims=self._claims,
            source=self.source,
            implied_roles=roles,
            model=self._model,
            public=self._shown,
        )


class UserToBe(Unfinished, User):
    """A user while it is made: of the same slots as any other, and not read-only yet; made by ``new_user``."""

    __slots__ = ()

    def filled(
        self,
        identifier: str,
        issuer: str,
        tenant: str | None,
        roles: tuple[str, ...],
        scopes: tuple[str, ...],
        claims: Claims,
        *,
        implied_roles: frozenset[str],
        model: object,
        public: tuple[str, ...] | None,
        username: str | None,
        email: str | None,
        name: str | None,
        session_id: str | None,
        client_id: str | None,
        auth_time: float | None,
        acr: str | None,
        amr: tuple[str, ...],
        actor: Mapping[str, Any] | None,
    ) -> User:
        """What ``User`` makes of the same, for the bearer of a token, at a fifth of the cost.

        The parts are read-only already. As in ``making``, a value takes the class that it is to have at the end.
        """
        self.id = identifier
        self.issuer = issuer
        self.tenant = tenant
        self.roles = roles
        self.scopes = scopes
        self.source = "bearer"
        self._claims = claims
        self._view = None
        self._granted_roles = implied_roles
        self._model = model
        self._shown = self._public if public is None else public
        self.username = username
        self.email = email
        self.name = name
        self.session_id = session_id
        self.client_id = client_id
        self.auth_time = auth_time
        self.acr = acr
        self.amr = amr
        self.actor = actor
        self.__class__ = _USER
        return self


class ServiceToBe(Unfinished, Service):
    """A service while it is made, as ``UserToBe``; made by ``new_service``."""

    __slots__ = ()

    def filled(
        self,
        identifier: str,
        issuer: str,
        tenant: str | None,
        roles: tuple[str, ...],
        scopes: tuple[str, ...],
        claims: Claims,
        *,
        implied_roles: frozenset[str],
        model: object,
        public: tuple[str, ...] | None,
        name: str | None,
        client_id: str | None,
    ) -> Service:
        """What ``Service`` makes of the same."""
        self.id = identifier
        self.issuer = issuer
        self.tenant = tenant
        self.roles = roles
        self.scopes = scopes
        self.source = "bearer"
        self._claims = claims
        self._view = None
        self._granted_roles = implied_roles
        self._model = model
        self._shown = self._public if public is None else public
        self.name = name
        self.client_id = client_id
        self.__class__ = _SERVICE
        return self


_USER: Final[Any] = User
_SERVICE: Final[Any] = Service
new_user: Final[Callable[[], UserToBe]] = partial(object.__new__, UserToBe)
"""A user that is to be filled."""
new_service: Final[Callable[[], ServiceToBe]] = partial(object.__new__, ServiceToBe)
"""A service that is to be filled."""
