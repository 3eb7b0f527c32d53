"""What a policy can ask: the terms that its leaves stand for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MethodType
from typing import Final, TypeAlias, cast
from uuid import UUID

from ..clock import Instant
from ..credentials import Kind
from ..principal import MISSING, Admission, ClaimPath, Principal, Service, User, as_path
from ..request import RequestView

__all__ = [
    "AboutOne",
    "AnyClient",
    "Anybody",
    "Check",
    "CheckFunction",
    "ClaimEquals",
    "Condition",
    "FromIssuer",
    "HasClaim",
    "HasMetadata",
    "Is",
    "Nobody",
    "Roles",
    "SameTenant",
    "Scalar",
    "Scopes",
    "Term",
]

Scalar: TypeAlias = str | int | float | bool
_METADATA: Final = ("apex", "metadata")
"""Where the claims of a user hold what an apex tells of them and this service."""
CheckFunction: TypeAlias = Callable[[Admission, RequestView], bool]


class Term:
    """One thing that a policy asks; printed as the policy that asks it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class Anybody(Term):
    """Admits whoever comes."""

    def __repr__(self) -> str:
        return "UnsafeAllowAnonymous()"


@dataclass(frozen=True, slots=True, repr=False)
class Check(Term):
    """``check``; compared by name and by which function it is, never by what the function's ``==`` says."""

    name: str
    fn: CheckFunction = field(compare=False)
    identity: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        parts = (self.fn.__self__, self.fn.__func__) if isinstance(self.fn, MethodType) else (self.fn,)
        object.__setattr__(self, "identity", tuple(map(id, parts)))

    def holds(self, admission: Admission, request: RequestView) -> bool:
        """What the function says.

        Raises:
            TypeError: If it says anything but True or False: truthiness decides nothing here.
        """
        answer: object = self.fn(admission, request)
        if not isinstance(answer, bool):
            raise TypeError(f"{self!r} returned {type(answer).__name__}, not a bool")
        return answer

    def __repr__(self) -> str:
        return f"check({self.name!r}, {getattr(self.fn, '__qualname__', type(self.fn).__name__)})"


class AboutOne(Term, ABC):
    """Asks about one principal (Law 8.3)."""

    __slots__ = ()

    @abstractmethod
    def holds(self, principal: Principal, request: RequestView, now: Instant | None, /) -> bool:
        """Whether the principal is what is asked for; where the moment is unknown, what depends on it is not."""

    def is_curable(self, _principal: Principal) -> bool:
        """Whether another token of the same principal could satisfy it, where this one does not."""
        return False


@dataclass(frozen=True, slots=True, repr=False)
class Nobody(AboutOne):
    """Admits nobody: what an empty combination comes down to (Law 8.1).

    Args:
        written: The empty combination as it is printed.
    """

    written: str

    def holds(self, _principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        """No."""
        return False

    def __repr__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True, repr=False)
class Is(AboutOne):
    """Asks for a kind of principal (Law 8.2).

    Args:
        name: The name of the policy.
        principal: The type of the principal.
        kind: The kind of credential that identifies it.
    """

    name: str
    principal: type[Principal]
    kind: Kind

    def holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        """Whether the principal is of this type."""
        return isinstance(principal, self.principal)

    def __repr__(self) -> str:
        return self.name


class Condition(AboutOne, ABC):
    """Asks something of a principal that ``of`` or its neighbours name."""

    __slots__ = ()

    of: Is | None

    def holds(self, principal: Principal, request: RequestView, now: Instant | None, /) -> bool:
        """Whether the principal is the one that is meant, and satisfies the condition."""
        return self.is_about(principal) and self._holds(principal, request, now)

    def is_about(self, principal: Principal) -> bool:
        """Whether the principal is the one that ``of`` names, if it names one."""
        return self.of is None or isinstance(principal, self.of.principal)

    @abstractmethod
    def _holds(self, principal: Principal, request: RequestView, now: Instant | None, /) -> bool: ...

    def _written(self, name: str, *arguments: object, **named: object) -> str:
        about = {} if self.of is None else {"of": self.of}
        shown = [*map(repr, arguments), *(f"{key}={value!r}" for key, value in (named | about).items())]
        return f"{name}({', '.join(shown)})"


@dataclass(frozen=True, slots=True, repr=False)
class Roles(Condition):
    """``any_role`` and ``all_roles``."""

    names: tuple[str, ...]
    every: bool
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        return principal.has_all_roles(*self.names) if self.every else principal.has_any_role(*self.names)

    def __repr__(self) -> str:
        return self._written("all_roles" if self.every else "any_role", *self.names)


@dataclass(frozen=True, slots=True, repr=False)
class Scopes(Condition):
    """``any_scope`` and ``all_scopes``."""

    names: tuple[str, ...]
    every: bool
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        return principal.has_scope(*self.names) if self.every else principal.has_any_scope(*self.names)

    def is_curable(self, principal: Principal) -> bool:
        """Whether more scopes would satisfy it."""
        return bool(self.lacked(principal))

    def lacked(self, principal: Principal) -> tuple[str, ...]:
        """The scopes that the principal does not have, of those that are asked of it."""
        asked = self.names if self.is_about(principal) else ()
        return tuple(scope for scope in asked if not principal.has_scope(scope))

    def needed(self, principal: Principal) -> tuple[str, ...]:
        """The scopes that a token needs to satisfy this: all, or of alternatives those that it has, if any."""
        held = tuple(scope for scope in self.names if principal.has_scope(scope))
        return held if held and not self.every else self.names

    def __repr__(self) -> str:
        return self._written("all_scopes" if self.every else "any_scope", *self.names)


@dataclass(frozen=True, slots=True, repr=False)
class HasClaim(Condition):
    """``has_claim``; a value goes with its type: 1 and True are equal in Python, and are not in JSON."""

    path: ClaimPath
    values: tuple[tuple[type, Scalar], ...]
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        claim = principal.claim(self.path)
        if not self.values:
            return claim is not MISSING and claim is not None
        items = cast("tuple[object, ...]", claim) if isinstance(claim, tuple) else (claim,)
        return any((type(item), item) in self.values for item in items)

    def __repr__(self) -> str:
        return self._written("has_claim", _as_written(self.path), *(value for _, value in self.values))


@dataclass(frozen=True, slots=True, repr=False)
class HasMetadata(Condition):
    """``has_metadata``: ``has_claim`` of what an apex tells of a user; ``path`` None is all of it."""

    path: ClaimPath | None
    values: tuple[tuple[type, Scalar], ...]
    of: Is | None

    def _holds(self, principal: Principal, request: RequestView, now: Instant | None, /) -> bool:
        inner = () if self.path is None else self.path.parts
        asked = HasClaim(ClaimPath((*_METADATA, *inner)), self.values, None)
        return isinstance(principal, User) and asked.holds(principal, request, now)

    def __repr__(self) -> str:
        path = () if self.path is None else (_as_written(self.path),)
        return self._written("has_metadata", *path, *(value for _, value in self.values))


@dataclass(frozen=True, slots=True, repr=False)
class AnyClient(Condition):
    """``any_client``."""

    ids: tuple[str, ...]
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        return isinstance(principal, (User, Service)) and principal.client_id in self.ids

    def __repr__(self) -> str:
        return self._written("any_client", *self.ids)


@dataclass(frozen=True, slots=True, repr=False)
class FromIssuer(Condition):
    """``from_issuer``."""

    names: tuple[str, ...]
    of: Is | None

    def _holds(self, principal: Principal, _request: RequestView, _now: Instant | None, /) -> bool:
        return principal.issuer in self.names

    def __repr__(self) -> str:
        return self._written("from_issuer", *self.names)


@dataclass(frozen=True, slots=True, repr=False)
class SameTenant(Condition):
    """``same_tenant``."""

    path: str
    of: Is | None

    def _holds(self, principal: Principal, request: RequestView, _now: Instant | None, /) -> bool:
        return _is_same(principal.tenant, request.path_params.get(self.path))

    def __repr__(self) -> str:
        return self._written("same_tenant", path=self.path)


@dataclass(frozen=True, slots=True, repr=False)
class ClaimEquals(Condition):
    """``claim_equals``."""

    claim: ClaimPath
    path: str
    of: Is | None

    def _holds(self, principal: Principal, request: RequestView, _now: Instant | None, /) -> bool:
        return _is_same(principal.claim(self.claim), request.path_params.get(self.path))

    def __repr__(self) -> str:
        return self._written("claim_equals", _as_written(self.claim), path=self.path)


def _as_written(path: ClaimPath) -> str | ClaimPath:
    """The path in the shortest form that reads back as itself."""
    dotted = str(path)
    return dotted if as_path(dotted) == path else path


def _is_same(one: object, other: object) -> bool:
    text = _text(one)
    return text is not None and text == _text(other)


def _text(value: object) -> str | None:
    """An identifier as a path writes it, or None for what is no identifier: nothing equals that."""
    identifies = isinstance(value, (str, int, UUID)) and not isinstance(value, bool)
    return str(value) or None if identifies else None
