"""Users, services and projects as frozen values.

Principals are hand-written rather than dataclasses: Flask's ``jsonify`` and FastAPI's encoder write out every field
of any dataclass, claims included (docs/adr/0007). Their mapping view is what ``to_dict`` shows, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, NoReturn, TypeVar

from .refs import PrincipalRef

__all__ = ["Principal", "Project", "Service", "User", "frozen"]

M = TypeVar("M")
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def frozen(value: object) -> Any:
    """A deeply read-only copy of a JSON value (Law 7.2); Any because JSON has no better type."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: frozen(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(frozen(item) for item in value)
    return value


class Principal:
    """An authenticated identity.

    Args:
        id: Non-empty, unique within issuer and tenant.
        issuer: The configured name of the issuer or directory that vouches for it.
        tenant: The tenant it belongs to.
        roles: In token order.
        scopes: In token order.
        claims: The verified claims.
        source: The kind of credential that identified it.
        implied_roles: The roles with everything that a configured hierarchy adds (Law 8.5).
        model: The object that ``Issuer(claims=...)`` validated.
    """

    __slots__ = ("_claims", "_granted_roles", "_model", "id", "issuer", "roles", "scopes", "source", "tenant")
    _public: ClassVar[tuple[str, ...]] = ("id", "issuer", "tenant", "roles", "scopes")
    _attribute_for: ClassVar[Mapping[str, str]] = {"sub": "id", "iss": "issuer", "scope": "scopes", "uuid": "id"}

    id: str
    issuer: str
    tenant: str | None
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    source: str
    _claims: Mapping[str, object]
    _granted_roles: frozenset[str]
    _model: object

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str,
        tenant: str | None = None,
        roles: Sequence[str] = (),
        scopes: Sequence[str] = (),
        claims: Mapping[str, object] = _NOTHING,
        source: str = "",
        implied_roles: frozenset[str] | None = None,
        model: object = None,
    ) -> None:
        granted = frozenset(roles) if implied_roles is None else implied_roles
        self._set(id=id, issuer=issuer, tenant=tenant, roles=tuple(roles), scopes=tuple(scopes), source=source)
        self._set(_claims=claims, _granted_roles=granted, _model=model)

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only")

    @property
    def ref(self) -> PrincipalRef:
        """What identifies this principal (Law 3.14)."""
        return PrincipalRef(self.issuer, self.tenant, self.id)

    @property
    def claims(self) -> Mapping[str, Any]:
        """The verified claims, deeply read-only; Any because they are JSON."""
        claims: Mapping[str, Any] = frozen(self._claims)
        return claims

    def model(self, kind: type[M]) -> M:
        """The claims object that was validated with the token.

        Raises:
            TypeError: If the issuer was not configured with ``claims=kind``.
        """
        if not isinstance(self._model, kind):
            raise TypeError(f"the issuer was not configured with claims={kind.__name__}")
        return self._model

    def has_role(self, role: str) -> bool:
        """Whether the principal has this role, by itself or through the configured hierarchy."""
        return role in self._granted_roles

    def has_any_role(self, *roles: str) -> bool:
        """Whether it has at least one of these roles; of none: False."""
        return not self._granted_roles.isdisjoint(roles)

    def has_all_roles(self, *roles: str) -> bool:
        """Whether it has every one of these roles; of none: False (Law 8.1)."""
        return bool(roles) and self._granted_roles.issuperset(roles)

    def has_scope(self, *scopes: str) -> bool:
        """Whether it has every one of these scopes; of none: False."""
        return bool(scopes) and set(self.scopes).issuperset(scopes)

    def has_any_scope(self, *scopes: str) -> bool:
        """Whether it has at least one of these scopes; of none: False."""
        return not set(self.scopes).isdisjoint(scopes)

    def to_dict(self) -> dict[str, Any]:
        """The public fields, as JSON types: what responses show and pickling keeps; Any because they are JSON."""
        return {name: _plain(getattr(self, name)) for name in self._public}

    def keys(self) -> Iterator[str]:
        """The names of the public fields, so that ``dict(principal)`` is ``to_dict()``."""
        return iter(self._public)

    def get(self, name: str, default: object = None) -> Any:
        """A public field, or the default; Any because fields differ in type."""
        return self.to_dict().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._public

    def __getitem__(self, name: str) -> Any:
        """A public field or a claim, for reading; authorisation never uses it.

        Raises:
            KeyError: Naming the attribute to use instead, where there is one.
        """
        if name in self._public:
            return _plain(getattr(self, name))
        if name in self._claims:
            return frozen(self._claims[name])
        hint = self._attribute_for.get(name, name if hasattr(self, name) else None)
        raise KeyError(f"no claim {name!r}" + (f"; use .{hint}" if hint else ""))

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return len(self._public)

    def __eq__(self, other: object) -> bool:
        return self.ref == other.ref if isinstance(other, Principal) and type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.ref))

    def __repr__(self) -> str:
        tenant = f", tenant={self.tenant!r}" if self.tenant is not None else ""
        return f"{type(self).__name__}(id={self.id!r}, issuer={self.issuer!r}{tenant})"

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return _restore, (type(self), self.to_dict())


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _restore(kind: type[Principal], public: dict[str, Any]) -> Principal:
    return kind(**public)


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
    """

    __slots__ = ("acr", "actor", "amr", "auth_time", "client_id", "email", "name", "session_id", "username")
    _public = (*Principal._public, "username", "email", "name")  # noqa: SLF001 - a subclass extends its base
    _attribute_for: ClassVar[Mapping[str, str]] = {
        **Principal._attribute_for,  # noqa: SLF001 - a subclass extends its base
        "preferred_username": "username",
        "sid": "session_id",
        "azp": "client_id",
        "act": "actor",
    }

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
        **common: Any,  # what every Principal takes
    ) -> None:
        super().__init__(id=id, issuer=issuer, **common)
        self._set(username=username, email=email, name=name, session_id=session_id, client_id=client_id)
        self._set(auth_time=auth_time, acr=acr, amr=tuple(amr), actor=None if actor is None else frozen(actor))


class Service(Principal):
    """A program, identified by a token of its own.

    Args:
        name: What it is called, where the issuer says.
        client_id: Its OAuth client id.
    """

    __slots__ = ("client_id", "name")
    _public = (*Principal._public, "name", "client_id")  # noqa: SLF001 - a subclass extends its base

    name: str | None
    client_id: str | None

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str,
        name: str | None = None,
        client_id: str | None = None,
        **common: Any,  # what every Principal takes
    ) -> None:
        super().__init__(id=id, issuer=issuer, **common)
        self._set(name=name, client_id=client_id)


class Project(Principal):
    """A project, identified by its app id and secret.

    Args:
        name: What it is called.
        enabled_services: The services that it may use; None means every one.
        secret_version: The version of the secret that was presented.
    """

    __slots__ = ("enabled_services", "name", "secret_version")
    _public = ("id", "name", "enabled_services")

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
        **common: Any,  # what every Principal takes
    ) -> None:
        super().__init__(id=id, issuer=issuer, **common)
        services = None if enabled_services is None else tuple(enabled_services)
        self._set(name=name, enabled_services=services, secret_version=secret_version)
