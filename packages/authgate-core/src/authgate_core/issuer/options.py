"""Reads the options of an issuer as whatever a configuration holds: what is wrong becomes a sentence, not a crash."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, TypedDict, TypeGuard, TypeVar, cast

from ..jose.signature import DEFAULT_ALGORITHMS, HMAC_ALGORITHMS
from ..ports import is_async
from ..principal import ClaimPath, as_path
from .introspection import Introspection
from .settings import AnyAudience, ClaimsMap, Grants, Path, ServiceWhen, Terms, Validator
from .tenancy import Served

__all__ = ["Options", "Reader"]

T = TypeVar("T")


class Options(TypedDict, total=False):
    """What every constructor of ``Issuer`` takes; see ``Terms``, ``ClaimsMap`` and ``Grants`` for the meaning.

    ``tenants`` says which tenants are served here, by name or by a plain function that answers from memory.
    ``name`` labels the issuer in logs, metrics and refs (default: its ``iss``); ``allow_http`` permits keys
    over plain http from other hosts than loopback; ``tenant_matches_project`` lets a user go with a project only
    where the user's tenant is the project's id (Law 6.8); ``introspection`` says how the issuer is asked about tokens
    that cannot be verified here (RFC 7662); ``logout_clients`` are
    the clients whose logout tokens end sessions here; ``pure`` says that the validators and the function of
    ``service_when`` depend on the claims alone, so that their tokens may be remembered (Law 7.1). Where a list of
    names is asked for, one name will do.
    """

    name: str
    algorithms: Collection[str]
    leeway: float
    max_lifetime: float
    require_at_jwt: bool
    required_claims: Collection[str]
    authorized_parties: Collection[str]
    confirmation: Collection[str]
    require_confirmation: bool
    subject: Path
    roles: Path | Collection[Path]
    scopes: Path | Collection[Path]
    tenant: Path
    tenants: Collection[str] | Callable[[str], bool]
    separators: Mapping[str, str]
    service_when: ServiceWhen
    namespace: str
    grants: Mapping[str, Collection[str]]
    claims: type
    validators: Collection[Validator]
    introspection: Introspection
    logout_clients: Collection[str]
    allow_http: bool
    tenant_matches_project: bool
    pure: bool


class Reader:
    """Reads options one by one and goes on after a mistake, so that all are told at once (Law 1.6).

    Args:
        options: As they were given; one that is None counts as left out.

    Attributes:
        problems: What is wrong: a sentence each, showing no value, for a secret may stand in the wrong place.
    """

    __slots__ = ("_options", "problems")

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = {name: value for name, value in options.items() if value is not None}
        self.problems: list[str] = [*_unknown("", self._options, Options.__annotations__)]

    def issuer(self, issuer: object) -> str | None:
        """The ``iss`` that is expected; None matches tokens without one."""
        return None if issuer is None else self._checked("issuer", issuer, _is_text, "a text, or None")

    def text(self, option: str, default: str) -> str:
        """A text."""
        text = self._checked(option, self._options.get(option, default), _is_text, "a text")
        return default if text is None else text

    def flag(self, option: str) -> bool:
        """True or False; False where it was left out."""
        return self._checked(option, self._options.get(option, False), _is_flag, "True or False") or False

    def terms(self, audience: object, *, symmetric: bool) -> Terms:
        """What a token must be; numbers are judged by ``Terms.problems``."""
        default = HMAC_ALGORITHMS if symmetric else DEFAULT_ALGORITHMS  # Law 3.2: every one that fits the key
        return Terms(
            audience=audience if isinstance(audience, AnyAudience) else self._names("audience", audience),
            algorithms=self._names("algorithms", self._options.get("algorithms", default)),
            leeway=cast("float", self._options.get("leeway", 30.0)),
            max_lifetime=cast("float | None", self._options.get("max_lifetime")),
            require_at_jwt=self.flag("require_at_jwt"),
            required_claims=tuple(self._names("required_claims", self._options.get("required_claims", ()))),
            authorized_parties=self._parties(),
            confirmation=self._names("confirmation", self._options.get("confirmation", ())),
            require_confirmation=self.flag("require_confirmation"),
        )

    def mapping(self) -> ClaimsMap:
        """What the claims mean."""
        tenant = self._options.get("tenant")
        return ClaimsMap(
            subject=self._path("subject", self._options.get("subject", "sub")) or _SUBJECT,
            roles=self._paths("roles"),
            scopes=self._paths("scopes", "scope"),
            tenant=None if tenant is None else self._path("tenant", tenant),
            separators=self._separators(),
            namespace=self.text("namespace", ""),
            service_when=self._service_when(),
            model=cast("type | None", self._options.get("claims")),
            validators=self._validators(),
            pure=self.flag("pure"),
        )

    def tenants(self) -> Served | None:
        """The tenants that are served; None where every one is."""
        given = self._options.get("tenants")
        if given is None or callable(given):
            return cast("Served | None", given)
        return self._names("tenants", given)

    def introspection(self) -> Introspection | None:
        """How the issuer is asked about tokens; None where it is not."""
        given = self._options.get("introspection")
        return None if given is None else self._checked("introspection", given, _is_introspection, _ASKING)

    def logout_clients(self) -> frozenset[str]:
        """The clients whose logouts are listened to."""
        return self._names("logout_clients", self._options.get("logout_clients", ()))

    def grants(self) -> Grants:
        """The most that the issuer may assert, from ``{"kinds": [...], "roles": [...], "scopes": [...]}``."""
        given = self._checked("grants", self._options.get("grants", {}), _is_mapping, "a mapping") or {}
        self.problems += _unknown("grants: ", given, _GRANTS)
        return Grants(
            **{name: self._names(f"grants: {name}", given[name]) for name in _GRANTS if name in given}
        )

    def _names(self, option: str, value: object) -> frozenset[str]:
        names = [value] if isinstance(value, str) else value
        return frozenset(self._checked(option, names, _is_names, "a name or a list of names") or ())

    def _parties(self) -> frozenset[str] | None:
        given = self._options.get("authorized_parties")
        parties = None if given is None else self._names("authorized_parties", given)
        if parties is not None and not parties:
            self.problems.append("authorized_parties: is empty; leave it out to accept every party")
        return parties

    def _paths(self, option: str, default: str | None = None) -> tuple[ClaimPath, ...]:
        value = self._options.get(option, default or option)
        paths = cast("Iterable[object]", value) if isinstance(value, _LISTS) else [value]
        found = [self._path(option, path) for path in paths]
        return tuple(path for path in found if path is not None)

    def _path(self, option: str, value: object) -> ClaimPath | None:
        path = self._checked(option, value, _is_path, "a claim path such as 'a.b', or claim_path('a', 'b')")
        try:
            return None if path is None else as_path(path)
        except ValueError as error:
            self.problems.append(f"{option}: {error}")
            return None

    def _separators(self) -> Mapping[ClaimPath, str]:
        given = (
            self._checked("separators", self._options.get("separators", {}), _is_mapping, "a mapping") or {}
        )
        found: dict[ClaimPath, str] = {}
        for name, separator in {"scope": " ", **given}.items():
            path = self._path("separators", name)
            text = self._checked("separators", separator, _is_text, "a text for each path")
            if text == "":
                self.problems.append(f"separators: nothing separates the values of {name!r}; write a text")
            if path is not None and text:
                found[path] = text
        return found

    def _service_when(self) -> ServiceWhen | None:
        rule = self._options.get("service_when")
        if _is_mapping(rule):
            for path in rule:
                self._path("service_when", path)
            return {path: _fixed(value) for path, value in rule.items()}
        return None if rule is None else self._checked("service_when", rule, _is_function, _RULE)

    def _validators(self) -> tuple[Validator, ...]:
        given = self._options.get("validators", ())
        validators = tuple(cast("Iterable[object]", given)) if isinstance(given, _LISTS) else (given,)
        found = [
            self._checked("validators", one, _is_function, "functions that are not async")
            for one in validators
        ]
        return tuple(validator for validator in found if validator is not None)

    def _checked(
        self, option: str, value: object, fits: Callable[[object], TypeGuard[T]], what: str
    ) -> T | None:
        if fits(value):
            return value
        self.problems.append(f"{option}: give {what}, not {_a(value)}")
        return None


_GRANTS: Final = ("kinds", "roles", "scopes")
_LISTS: Final = (list, tuple, set, frozenset)
_SUBJECT: Final = as_path("sub")
_ASKING: Final = "Introspection(url, client=...)"
_RULE: Final = "a mapping of claim paths to values, or a function that is not async"


def _fixed(value: object) -> object:
    """A copy of the values that a claim may have: a list that is changed afterwards would change who is who."""
    is_several = isinstance(value, Collection) and not isinstance(value, str)
    return tuple(cast("Collection[object]", value)) if is_several else value


def _unknown(prefix: str, given: Iterable[object], known: Collection[str]) -> Iterator[str]:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"write {', '.join(sorted(known))}"
            yield f"{prefix}{name!r} is unknown; {meant}"


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _is_flag(value: object) -> TypeGuard[bool]:
    return isinstance(value, bool)


def _is_names(value: object) -> TypeGuard[Collection[str]]:
    names = cast("Iterable[object]", value) if isinstance(value, _LISTS) else (None,)
    return all(isinstance(name, str) and name for name in names)


def _is_path(value: object) -> TypeGuard[Path]:
    return isinstance(value, (str, ClaimPath))


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_introspection(value: object) -> TypeGuard[Introspection]:
    return isinstance(value, Introspection)


def _is_function(value: object) -> TypeGuard[Callable[..., Any]]:
    return callable(value) and not is_async(value)
