"""From verified claims to a principal (Laws 3.9, 3.10, 3.13)."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import is_dataclass
from functools import lru_cache
from sys import intern
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, PydanticUndefinedAnnotation, PydanticUserError, TypeAdapter

from ..errors import InvalidClaim
from ..jose.verify import VerifiedClaims, VouchedClaims
from ..making import maker
from ..principal import (
    MISSING,
    ClaimPath,
    Service,
    TokenRef,
    User,
    as_path,
    frozen,
    new_service,
    new_user,
    resolve,
)
from .names import ClientRoles, Names
from .settings import ClaimsMap, Grants, ServiceWhen
from .tenancy import tenant_of

__all__ = ["PrincipalMap", "model_of", "model_problems", "tenant_in"]

M = TypeVar("M")
Expand = Callable[[tuple[str, ...]], frozenset[str]]

_MAX_ID: Final = 255
_DESCRIPTIVE: Final = ("preferred_username", "username", "email", "name", "sid", "client_id", "azp", "acr")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class PrincipalMap:
    """Makes principals of verified claims, as a ``ClaimsMap`` and the grants say.

    What depends on these alone is found out once, here.

    Args:
        issuer: The configured name of the issuer.
        mapping: What its claims mean.
        grants: The most that it may assert.
    """

    __slots__ = (
        "_client_roles",
        "_issuer",
        "_judges",
        "_keeps_claims",
        "_kinds",
        "_mapping",
        "_roles",
        "_scopes",
        "_shown",
        "_subject",
    )

    def __init__(self, issuer: str, mapping: ClaimsMap, grants: Grants) -> None:
        self._issuer = issuer
        self._mapping = mapping
        self._kinds = grants.kinds
        self._subject = mapping.subject.parts[0] if len(mapping.subject.parts) == 1 else None
        self._roles = Names(mapping.roles, mapping.separators, grants.roles)
        clients = mapping.client_roles
        self._client_roles = None if clients is None else ClientRoles(clients, grants.roles)
        self._scopes = Names(mapping.scopes, mapping.separators, grants.scopes)
        self._judges = mapping.model is not None or bool(mapping.validators)
        self._keeps_claims = not mapping.is_repeatable
        self._shown = None if mapping.public is None else tuple(mapping.public)

    def identify(
        self, verified: VerifiedClaims | VouchedClaims, expand: Expand
    ) -> tuple[User | Service, TokenRef]:
        """Who the claims speak of, and what names their token; raises InvalidClaim where they do not fit.

        Long, because it is run for every token that is verified (docs/adr/0021).
        """
        mapping = self._mapping
        claims = _lifted(verified.claims, mapping.lifted) if mapping.lifted else verified.claims
        if mapping.payload is not None:
            mapping.payload(claims)
        is_service = mapping.service_when is not None and _is_service(claims, mapping.service_when)
        if self._kinds is not None:
            _check_kind("service" if is_service else "user", self._kinds)
        roles = self._roles.read(claims)
        if self._client_roles is not None:
            roles = tuple(dict.fromkeys((*roles, *self._client_roles.read(claims))))
        subject = claims.get(self._subject) if self._subject else resolve(claims, mapping.subject)
        identifier = mapping.namespace + _identifier(subject, mapping.subject)
        tenant = None
        if mapping.tenant is not None:
            tenant = tenant_in(verified.claims, mapping)  # Law 3.12: the very claims that chose the keys
        scopes = self._scopes.read(claims)
        implied = expand(roles)
        model = _judged(claims, mapping) if self._judges else None
        kept = claims if self._keeps_claims else ReadLater(verified.payload, mapping.lifted)
        # Descriptive claims: what is not text says nothing, and authorisation does not read it.
        username, login, email, name, session_id, client_id, azp, acr = [
            value if isinstance(value, str) else None for value in map(claims.get, _DESCRIPTIVE)
        ]
        client_id = client_id or azp
        if is_service and mapping.service_is_client:
            client_id = client_id or identifier.removeprefix(mapping.namespace)
        if client_id is not None:
            client_id = intern(client_id)  # many tokens that are remembered name the same few
        ref = _token_ref(
            self._issuer,
            tenant,
            verified.name,
            verified.has_jti,
            session_id,
            identifier,
            client_id,
            verified.issued_at,
            verified.auth_time,
            verified.expires_at,
            verified.kid,
        )
        if is_service:
            service = new_service().filled(
                *(identifier, self._issuer, tenant, roles, scopes, kept),
                implied_roles=implied,
                model=model,
                public=self._shown,
                name=name or client_id,
                client_id=client_id,
            )
            return service, ref
        actor = claims.get("act")
        user = new_user().filled(
            identifier,
            self._issuer,
            tenant,
            roles,
            scopes,
            kept,
            implied_roles=implied,
            model=model,
            public=self._shown,
            username=username or login,
            email=email,
            name=name,
            session_id=session_id,
            client_id=client_id,
            auth_time=verified.auth_time,
            acr=acr,
            amr=_texts(claims["amr"]) if "amr" in claims else (),
            actor=frozen(cast("Mapping[str, object]", actor)) if isinstance(actor, dict) else None,
        )
        return user, ref


class ReadLater:
    """Reads verified claims once more: a token that is remembered is a third of the size without them.

    A class of its own, because whatever shows what is remembered must not show the payload (Law 2.5).

    Args:
        payload: What was verified.
        lifted: As in ``ClaimsMap``.
    """

    __slots__ = ("_lifted", "_payload")

    def __init__(self, payload: bytes, lifted: tuple[str, ...]) -> None:
        self._payload = payload
        self._lifted = lifted

    def __call__(self) -> Mapping[str, Any]:
        """The claims, as they were when the principal was made."""
        return _lifted(json.loads(self._payload), self._lifted)


_token_ref: Final = maker(TokenRef)


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
    return _identifier(resolve(claims, mapping.tenant), mapping.tenant)


def _identifier(value: object, path: ClaimPath) -> str:
    # What can be printed holds no control character; of what cannot, the expression tells.
    if (
        isinstance(value, str)
        and 0 < len(value) <= _MAX_ID
        and (value.isprintable() or not _CONTROL.search(value))
    ):
        return value
    raise InvalidClaim(str(path), f"is not a text of 1 to {_MAX_ID} characters without control characters")


def _texts(value: object) -> tuple[str, ...]:
    """A descriptive list: what is not text in it says nothing."""
    texts = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(text for text in texts if isinstance(text, str))


def _check_kind(kind: str, kinds: frozenset[str]) -> None:
    if kind not in kinds:
        raise InvalidClaim("grants", f"the issuer may not assert a {kind}")


def _is_service(claims: Mapping[str, Any], rule: ServiceWhen) -> bool:
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
        model = None if mapping.model is None else _modelled(mapping.model, claims, mapping.model_path)
        for validator in mapping.validators:
            _check_silent(validator(frozen(claims)))
    except ValueError:
        # The text of a ValueError may quote the claims, so it goes no further (Law 1.2).
        raise InvalidClaim("validators", "a claims model or validator refused the token") from None
    return model


def _modelled(kind: type, claims: Mapping[str, Any], path: ClaimPath | None) -> object:
    """The claims object; None where it is made of what a token need not have, and this one has not."""
    found = claims if path is None else resolve(claims, path)
    return None if found is MISSING else _adapter(kind).validate_python(deepcopy(found))


def model_of(kind: type[M], value: Mapping[str, Any]) -> M | None:
    """The claims object that is made of this; None where it does not fit."""
    adapter = _adapter(cast("type", kind))
    try:
        return cast("M", adapter.validate_python(deepcopy(value)))
    except ValueError:
        return None


def _check_silent(answer: object) -> None:
    """A validator says no by raising; one that answers False, or was never run, must not be taken for a yes."""
    if isinstance(answer, bool) or inspect.isawaitable(answer):
        raise TypeError(f"a validator returned {type(answer).__name__}; it says no by raising ValueError")


def model_problems(model: object, setting: str = "claims") -> Iterator[str]:
    """What is wrong with a claims model, or with what another setting has such a model for (Law 1.6)."""
    if model is None:
        return
    if not isinstance(model, type) or not (is_dataclass(model) or issubclass(model, BaseModel)):
        yield f"{setting}: give a dataclass or a pydantic model, the class itself"
        return
    try:
        _adapter(model).rebuild()  # what was put off until the first use is done now
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        yield f"{setting}: pydantic cannot validate {model.__name__}: {str(error).partition(chr(10))[0]}"


@lru_cache(maxsize=64)
def _adapter(kind: type) -> TypeAdapter[object]:
    return TypeAdapter(kind)
