"""From verified claims to a principal (Laws 3.9, 3.10, 3.13)."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, is_dataclass
from functools import lru_cache
from typing import Any, Final, cast

from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter

from ..errors import InvalidClaim
from ..jose.verify import VerifiedClaims
from ..principal import MISSING, ClaimPath, Service, TokenRef, User, as_path, frozen, resolve
from .settings import ClaimsMap, Grants, ServiceWhen
from .tenancy import tenant_of

__all__ = ["map_principal", "model_problems", "tenant_in", "token_ref"]

Expand = Callable[[tuple[str, ...]], frozenset[str]]

_MAX_ID: Final = 255
_MOST_SHARED: Final = 1024
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def map_principal(
    verified: VerifiedClaims, issuer: str, mapping: ClaimsMap, grants: Grants, expand: Expand
) -> User | Service:
    """Who the claims speak of; raises InvalidClaim where they do not fit."""
    claims = _lifted(verified.claims, mapping.lifted)
    kind = "service" if _is_service(claims, mapping.service_when) else "user"
    if grants.kinds is not None and kind not in grants.kinds:
        raise InvalidClaim("grants", f"the issuer may not assert a {kind}")
    roles = _shared(_limited(_names(claims, mapping.roles, mapping), grants.roles))
    common: dict[str, Any] = {
        "id": mapping.namespace + _identifier(claims, mapping.subject),
        "issuer": issuer,
        "tenant": tenant_in(verified.claims, mapping),  # Law 3.12: the very claims that chose the keys
        "roles": roles,
        "scopes": _shared(_limited(_names(claims, mapping.scopes, mapping), grants.scopes)),
        "claims": ReadLater(verified.payload, mapping.lifted) if mapping.is_repeatable else claims,
        "source": "bearer",
        "implied_roles": expand(roles),
        "model": _judged(claims, mapping),
        "public": mapping.public,
    }
    client_id = _text(claims, "client_id") or _text(claims, "azp")
    if kind == "service":
        return Service(name=_text(claims, "name") or client_id, client_id=client_id, **common)
    return _user(verified, claims, client_id, common)


def token_ref(verified: VerifiedClaims, principal: User | Service) -> TokenRef:
    """What names this token to a revocation source (Law 5.9)."""
    return TokenRef(
        issuer=principal.issuer,
        tenant=principal.tenant,
        name=verified.name,
        has_jti=verified.has_jti,
        session_id=_text(verified.claims, "sid"),
        subject=principal.id,
        client_id=principal.client_id,
        issued_at=verified.issued_at,
        auth_time=verified.auth_time,
        expires_at=verified.expires_at,
        kid=verified.kid,
    )


@dataclass(frozen=True, slots=True)
class ReadLater:
    """Reads verified claims once more: a token that is remembered is a third of the size without them.

    Args:
        payload: What was verified.
        lifted: As in ``ClaimsMap``.
    """

    payload: bytes = field(repr=False)
    lifted: tuple[str, ...]

    def __call__(self) -> Mapping[str, Any]:
        """The claims, as they were when the principal was made."""
        return _lifted(json.loads(self.payload), self.lifted)


def _lifted(claims: Mapping[str, Any], members: tuple[str, ...]) -> Mapping[str, Any]:
    """The claims with members of ``sub`` beside the others; none may say something else than a claim does."""
    if not members:
        return claims
    sub = claims.get("sub")
    if not isinstance(sub, Mapping):
        raise InvalidClaim("sub", "is not an object")
    subject = cast("Mapping[str, object]", sub)
    lifted = {name: subject[name] for name in members if name in subject}
    for name, value in lifted.items():
        if name in claims and not _is_same(claims[name], value):
            raise InvalidClaim(name, "is one thing in sub and another beside it")
    return {**claims, **lifted}


def _is_same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def tenant_in(claims: Mapping[str, Any], mapping: ClaimsMap) -> str | None:
    """The tenant that claims name, None where the issuer has none; raises InvalidClaim."""
    if mapping.tenant is None:
        return None
    if mapping.tenant_is_uuid or mapping.fallback_tenant is not None:
        return tenant_of(claims, mapping.tenant, mapping.fallback_tenant, uuid=mapping.tenant_is_uuid)
    return _identifier(claims, mapping.tenant)


def _user(
    verified: VerifiedClaims, claims: Mapping[str, Any], client_id: str | None, common: dict[str, Any]
) -> User:
    actor = claims.get("act")
    return User(
        username=_text(claims, "preferred_username") or _text(claims, "username"),
        email=_text(claims, "email"),
        name=_text(claims, "name"),
        session_id=_text(claims, "sid"),
        client_id=client_id,
        auth_time=verified.auth_time,
        acr=_text(claims, "acr"),
        amr=_texts(claims, "amr"),
        actor=cast("Mapping[str, object]", actor) if isinstance(actor, Mapping) else None,
        **common,
    )


def _identifier(claims: Mapping[str, Any], path: ClaimPath) -> str:
    value = resolve(claims, path)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID or _CONTROL.search(value):
        raise InvalidClaim(
            str(path), f"is not a text of 1 to {_MAX_ID} characters without control characters"
        )
    return value


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    """A descriptive claim: what is not text says nothing, and authorisation does not read it."""
    value = claims.get(name)
    return value if isinstance(value, str) else None


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A descriptive list, as ``_text``."""
    value = claims.get(name)
    texts = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(text for text in texts if isinstance(text, str))


def _names(claims: Mapping[str, Any], paths: tuple[ClaimPath, ...], mapping: ClaimsMap) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in paths:
        value = resolve(claims, path)
        if value is not MISSING:
            found.update(dict.fromkeys(_strings(str(path), value, mapping.separators.get(path))))
    return tuple(found)


def _strings(name: str, value: object, separator: str | None) -> tuple[str, ...]:
    if isinstance(value, str) and separator is not None:
        return tuple(part for part in value.split(separator) if part)
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        names = tuple(item for item in items if isinstance(item, str) and item)
        if len(names) == len(items):
            return names
    raise InvalidClaim(name, "is neither a list of texts nor a text with a configured separator")


def _limited(names: tuple[str, ...], limit: frozenset[str] | None) -> tuple[str, ...]:
    return names if limit is None else tuple(name for name in names if name in limit)


@lru_cache(maxsize=_MOST_SHARED)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same names as one object for all that have them: most principals have the roles of many others."""
    return names


def _is_service(claims: Mapping[str, Any], rule: ServiceWhen | None) -> bool:
    if rule is None:
        return False
    if isinstance(rule, Mapping):
        return bool(rule) and all(
            _holds(resolve(claims, as_path(path)), value) for path, value in rule.items()
        )
    answer = rule(frozen(claims))
    if not isinstance(answer, bool):
        raise TypeError(f"service_when returned {type(answer).__name__}, not a bool")
    return answer


def _holds(found: object, expected: object) -> bool:
    """Whether a claim has the value, or one of the values, that the configuration names."""
    accepted = expected if isinstance(expected, Collection) and not isinstance(expected, str) else (expected,)
    values = cast("list[object]", found) if isinstance(found, list) else [found]
    return any(value == wanted and type(value) is type(wanted) for value in values for wanted in accepted)


def _judged(claims: Mapping[str, Any], mapping: ClaimsMap) -> object:
    """Run what the user configured, last (Law 3.10); the model is built before the validators."""
    try:
        model = None if mapping.model is None else _adapter(mapping.model).validate_python(deepcopy(claims))
        for validator in mapping.validators:
            _check_silent(validator(frozen(claims)))
    except ValueError:
        # The text of a ValueError may quote the claims, so it goes no further (Law 1.2).
        raise InvalidClaim("validators", "a claims model or validator refused the token") from None
    return model


def _check_silent(answer: object) -> None:
    """A validator says no by raising; one that answers False, or was never run, must not be taken for a yes."""
    if isinstance(answer, bool) or inspect.isawaitable(answer):
        raise TypeError(f"a validator returned {type(answer).__name__}; it says no by raising ValueError")


def model_problems(model: object) -> Iterator[str]:
    """What is wrong with a claims model (Law 1.6)."""
    if model is None:
        return
    if not isinstance(model, type) or not (is_dataclass(model) or issubclass(model, BaseModel)):
        yield "claims: give a dataclass or a pydantic model, the class itself"
        return
    try:
        _adapter(model).rebuild()  # what was put off until the first use is done now
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        yield f"claims: pydantic cannot validate {model.__name__}: {str(error).partition(chr(10))[0]}"


@lru_cache(maxsize=64)
def _adapter(kind: type) -> TypeAdapter[object]:
    return TypeAdapter(kind)
