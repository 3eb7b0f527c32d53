"""What every principal has: an identity, roles, scopes and read-only claims."""

# Attributes are initialised by ``put``, which the checker cannot see.
# pyright: reportUninitializedInstanceVariable=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    NoReturn,
    TypeAlias,
    TypedDict,
    TypeVar,
    cast,
    overload,
)

from pydantic_core import CoreSchema

from .claims import ClaimPath, resolve
from .refs import PrincipalRef
from .schema import SERIALIZER, core_schema_of, json_schema_of

__all__ = ["PUBLIC_FIELDS", "Claims", "Common", "Principal", "ReadOnly", "Unfinished", "frozen", "put"]

M = TypeVar("M")
Claims: TypeAlias = Mapping[str, object] | Callable[[], Mapping[str, object]]
"""Claims, or what reads them."""

PUBLIC_FIELDS: Final = ("id", "issuer", "tenant", "roles", "scopes")
"""What ``to_dict`` shows of any principal; each kind adds its own."""

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_INSTEAD: Final[Mapping[str, str]] = {
    "act": "actor",
    "azp": "client_id",
    "iss": "issuer",
    "preferred_username": "username",
    "scope": "scopes",
    "sid": "session_id",
    "sub": "id",
    "uuid": "id",
}


@overload
def frozen(value: Mapping[str, object]) -> Mapping[str, Any]: ...
@overload
def frozen(value: object) -> object: ...
def frozen(value: object) -> object:
    """A deeply read-only copy of a JSON value (Law 7.2)."""
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        return MappingProxyType({name: frozen(item) for name, item in members.items()})
    if isinstance(value, (list, tuple)):
        return tuple(frozen(item) for item in cast("Sequence[object]", value))
    return value


put: Final = object.__setattr__
"""Sets an attribute of a ``ReadOnly`` while it is made."""


class ReadOnly:
    """A value that cannot be changed once it is made."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is read-only")


class Unfinished:
    """In front of a ``ReadOnly`` class: a value of it while it is made, of the same slots and open to assignments."""

    __slots__ = ()

    if not TYPE_CHECKING:  # checkers know that ``ReadOnly`` refuses them, and not that this undoes it
        __setattr__ = object.__setattr__
        __delattr__ = object.__delattr__


class Common(TypedDict, total=False):
    """What every kind of principal takes besides its own arguments; see ``Principal``."""

    tenant: str | None
    roles: Sequence[str]
    scopes: Sequence[str]
    claims: Claims
    source: str
    implied_roles: frozenset[str] | None
    model: object
    public: Sequence[str] | None


class Principal(ReadOnly):
    """An authenticated identity.

    Args:
        id: Non-empty, unique within issuer and tenant.
        issuer: The configured name of the issuer or directory that vouches for it.
        tenant: The tenant it belongs to.
        roles: In token order.
        scopes: In token order.
        claims: The verified claims, or what reads them when somebody asks for the first time.
        source: The kind of credential that identified it.
        implied_roles: The roles with everything that a configured hierarchy adds (Law 8.5).
        model: The object that ``Issuer(claims=...)`` validated.
        public: What ``to_dict`` shows, attributes or claims; by default what every principal of its kind shows.
    """

    __slots__ = (
        "_claims",
        "_granted_roles",
        "_model",
        "_shown",
        "_view",
        "id",
        "issuer",
        "roles",
        "scopes",
        "source",
        "tenant",
    )
    _public: ClassVar[tuple[str, ...]] = PUBLIC_FIELDS
    __pydantic_serializer__: ClassVar = SERIALIZER

    id: str
    issuer: str
    tenant: str | None
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    source: str
    _claims: Claims
    _view: Mapping[str, Any] | None
    _granted_roles: frozenset[str]
    _model: object
    _shown: tuple[str, ...]

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - the public name of the attribute
        issuer: str,
        tenant: str | None = None,
        roles: Sequence[str] = (),
        scopes: Sequence[str] = (),
        claims: Claims = _NOTHING,
        source: str = "",
        implied_roles: frozenset[str] | None = None,
        model: object = None,
        public: Sequence[str] | None = None,
    ) -> None:
        put(self, "id", id)
        put(self, "issuer", issuer)
        put(self, "tenant", tenant)
        put(self, "roles", tuple(roles))
        put(self, "scopes", tuple(scopes))
        put(self, "source", source)
        put(self, "_claims", claims)
        put(self, "_view", None)
        put(self, "_granted_roles", frozenset(roles) if implied_roles is None else implied_roles)
        put(self, "_model", model)
        put(self, "_shown", self._public if public is None else tuple(public))

    @property
    def ref(self) -> PrincipalRef:
        """What identifies this principal (Law 3.14)."""
        return PrincipalRef(self.issuer, self.tenant, self.id)

    @property
    def claims(self) -> Mapping[str, Any]:
        """The verified claims, deeply read-only; Any because they are JSON."""
        view = self._view
        if view is None:
            # Most requests never read claims, so the copy waits for the first that does.
            view = frozen(self._claims() if callable(self._claims) else self._claims)
            put(self, "_view", view)
        return view

    def claim(self, path: ClaimPath) -> object:
        """The claim at a path, deeply read-only; ``MISSING`` where there is none."""
        return resolve(self.claims, path)

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
        """The public fields as JSON types, which Any stands for; what responses show."""
        return {name: self._field(name) for name in self._shown}

    def _field(self, name: str) -> object:
        """A public field as JSON; of a name that is no attribute the claim, None where there is none."""
        if name in self._public:
            return _plain(getattr(self, name))
        return _thawed(self.claims.get(name))  # Law 7.2

    def keys(self) -> Iterator[str]:
        """The names of the public fields, so that ``dict(principal)`` is ``to_dict()``."""
        return iter(self._shown)

    def items(self) -> Iterator[tuple[str, Any]]:
        """The public fields with their names."""
        return iter(self.to_dict().items())

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - fields differ in type
        """A public field, or the default."""
        return self.to_dict().get(name, default)

    if not TYPE_CHECKING:  # checkers would let every name pass

        def __getattr__(self, name: str) -> object:
            # A claim that is shown is an attribute as well: that is how response models read it.
            if not name.startswith("_") and name in self._shown:
                return self._field(name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __contains__(self, name: object) -> bool:
        return name in self._shown

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a claim is JSON of any type
        """A public field or a claim, for reading; authorisation never uses it.

        Raises:
            KeyError: Naming the attribute to use instead, where there is one.
        """
        if name in self._public:
            return _plain(getattr(self, name))
        if name in self.claims:
            return self.claims[name]
        attribute = _INSTEAD.get(name, name)
        hint = f"; use .{attribute}" if attribute.isidentifier() and hasattr(self, attribute) else ""
        raise KeyError(f"no claim {name!r}{hint}")

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return len(self._shown)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Principal) or type(self) is not type(other):
            return NotImplemented
        return self.ref == other.ref

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.ref))

    def __repr__(self) -> str:
        tenant = f", tenant={self.tenant!r}" if self.tenant is not None else ""
        return f"{type(self).__name__}(id={self.id!r}, issuer={self.issuer!r}{tenant})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        return core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: object) -> dict[str, Any]:
        return json_schema_of(cls, cls._public)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        # Law 3.14: the copy is equal to the original, so what identifies goes along with what is public.
        shown = self.to_dict()
        fields = {name: shown.pop(name) for name in self._public if name in shown}
        return _restore, (
            type(self),
            {**self.ref._asdict(), **fields, "claims": shown, "public": self._shown},
        )


def _thawed(value: object) -> object:
    """A copy of a read-only JSON value in the types that a caller may write out or change."""
    if isinstance(value, Mapping):
        return {name: _thawed(item) for name, item in cast("Mapping[str, object]", value).items()}
    return (
        [_thawed(item) for item in cast("tuple[object, ...]", value)] if isinstance(value, tuple) else value
    )


def _plain(value: object) -> object:
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value


def _restore(kind: type[Principal], fields: dict[str, Any]) -> Principal:
    return kind(**fields)
