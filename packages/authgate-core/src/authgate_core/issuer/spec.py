"""An issuer of tokens, as configured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from ..errors import ConfigurationError
from ..jose.claims import TokenRules
from ..jose.verify import VerifiedClaims
from ..principal import Service, TokenRef, User, as_path
from ..secret import Secret
from .mapping import map_principal, token_ref
from .settings import (
    AnyAudience,
    ClaimsMap,
    Grants,
    Path,
    ServiceWhen,
    Terms,
    Validator,
    read_algorithms,
    read_audience,
    read_paths,
)
from .trust import Discovery, JwksUrl, StaticKeys, Trust

__all__ = ["Issuer", "Options"]


class Options(TypedDict, total=False):
    """What every constructor of ``Issuer`` takes; see ``Terms``, ``ClaimsMap`` and ``Grants`` for the meaning.

    ``name`` labels the issuer in logs, metrics and refs (default: its ``iss``); ``allow_http`` permits keys
    over plain http from other hosts than loopback.
    """

    name: str
    algorithms: Collection[str]
    leeway: float
    max_lifetime: float
    require_at_jwt: bool
    required_claims: Collection[str]
    authorized_parties: Collection[str]
    subject: Path
    roles: Path | Collection[Path]
    scopes: Path | Collection[Path]
    tenant: Path
    separators: Mapping[str, str]
    service_when: ServiceWhen
    namespace: str
    grants: Mapping[str, Collection[str]]
    claims: type
    validators: Collection[Validator]
    allow_http: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer whose tokens are believed, with its keys, algorithms and audience bound together (Law 3.5).

    Made by ``Issuer.oidc``, ``Issuer.jwks`` or ``Issuer.static``, which raise ConfigurationError for a claim path
    that is none; everything else that is wrong is said when the gate is built.

    Args:
        issuer: The exact ``iss``; None matches only tokens without one.
        name: The label in logs, metrics and refs.
        trust: Where the keys come from.
        terms: What a token must be.
        mapping: What its claims mean.
        grants: The most that it may assert.
        allow_http: Whether plain http beyond loopback was allowed for its URLs.
    """

    issuer: str | None
    name: str
    trust: Trust
    terms: Terms
    mapping: ClaimsMap
    grants: Grants
    allow_http: bool = False
    unknown_grants: tuple[str, ...] = ()

    @classmethod
    def oidc(
        cls, url: str, *, audience: str | Collection[str] | AnyAudience, **options: Unpack[Options]
    ) -> Issuer:
        """An OpenID provider, whose discovery document names its keys; ``url`` is its ``iss``, byte for byte."""
        return _make(url, Discovery(url), audience, options)

    @classmethod
    def jwks(
        cls,
        jwks_url: str,
        *,
        issuer: str | None,
        audience: str | Collection[str] | AnyAudience,
        **options: Unpack[Options],
    ) -> Issuer:
        """An issuer whose keys are at a known URL."""
        return _make(issuer, JwksUrl(jwks_url), audience, options)

    @classmethod
    def static(
        cls,
        keys: Mapping[str, Any] | str | bytes | Secret,
        *,
        issuer: str | None,
        audience: str | Collection[str] | AnyAudience,
        **options: Unpack[Options],
    ) -> Issuer:
        """An issuer whose keys are given here: a JWKS document, a PEM, or a ``Secret`` for HMAC."""
        return _make(issuer, StaticKeys(keys), audience, options)

    @property
    def makes_users(self) -> bool:
        """Whether a token of this issuer can be a user's."""
        return self.grants.kinds is None or "user" in self.grants.kinds

    @property
    def makes_services(self) -> bool:
        """Whether a token of this issuer can be a service's (Law 3.13)."""
        granted = self.grants.kinds is None or "service" in self.grants.kinds
        return granted and self.mapping.service_when is not None

    def rules(self, *, require_iat: bool) -> TokenRules:
        """What ``jose`` must check; ``require_iat`` where a revocation source judges by age (Law 3.7)."""
        terms = self.terms
        return TokenRules(
            issuer=self.issuer,
            audience=None if isinstance(terms.audience, AnyAudience) else terms.audience,
            algorithms=terms.algorithms,
            leeway=terms.leeway,
            max_lifetime=terms.max_lifetime,
            require_iat=require_iat or terms.max_lifetime is not None,
            require_at_jwt=terms.require_at_jwt,
            required_claims=terms.required_claims,
            authorized_parties=terms.authorized_parties,
            token_types=terms.token_types,
        )

    def principal(
        self, verified: VerifiedClaims, expand: Callable[[tuple[str, ...]], frozenset[str]]
    ) -> User | Service:
        """Who the verified claims speak of; ``expand`` adds the roles that a hierarchy implies.

        Raises:
            InvalidClaim: If the claims do not fit the mapping, the model or a validator.
            AuthUnavailable: If a validator could not check.
        """
        return map_principal(verified, self.name, self.mapping, self.grants, expand)

    def token_ref(self, verified: VerifiedClaims, principal: User | Service) -> TokenRef:
        """What a revocation source is asked about this token."""
        return token_ref(verified, principal)

    def problems(self) -> Iterator[str]:
        """Everything that is wrong with this issuer, without I/O (Law 1.6)."""
        symmetric = isinstance(self.trust, StaticKeys) and isinstance(self.trust.material, Secret)
        found = [f"grants: {name!r} is unknown; write kinds, roles, scopes" for name in self.unknown_grants]
        if self.issuer == "":
            found.append("issuer: is empty; write the exact iss, or issuer=None for tokens without one")
        if not self.name:
            found.append("name: is empty")
        found += self.terms.problems(symmetric=symmetric)
        found += self.grants.problems()
        if isinstance(self.trust, StaticKeys):
            found += [] if found else self.trust.problems(self.terms.algorithms)
        else:
            found += self.trust.problems(plain_http=self.allow_http)
        return (f"Issuer {self.name!r}: {problem}" for problem in found)


def _make(
    issuer: str | None, trust: Trust, audience: str | Collection[str] | AnyAudience, o: Options
) -> Issuer:
    symmetric = isinstance(trust, StaticKeys) and isinstance(trust.material, Secret)
    parties = o.get("authorized_parties")
    name = o.get("name", issuer if issuer is not None else "default")
    grants = o.get("grants", {})
    known = {name: values for name, values in grants.items() if name in {"kinds", "roles", "scopes"}}
    return Issuer(
        issuer=issuer,
        name=name,
        trust=trust,
        terms=Terms(
            audience=read_audience(audience),
            algorithms=read_algorithms(o.get("algorithms"), symmetric=symmetric),
            leeway=o.get("leeway", 30.0),
            max_lifetime=o.get("max_lifetime"),
            require_at_jwt=o.get("require_at_jwt", False),
            required_claims=tuple(o.get("required_claims", ())),
            authorized_parties=None if parties is None else frozenset(parties),
        ),
        mapping=_mapping(name, o),
        grants=Grants.read(known),
        allow_http=o.get("allow_http", False),
        unknown_grants=tuple(sorted(set(grants) - set(known))),
    )


def _mapping(name: str, o: Options) -> ClaimsMap:
    try:
        return _read_mapping(o)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"Issuer {name!r}: subject, roles, scopes, tenant or separators: {error}"
        ) from None


def _read_mapping(o: Options) -> ClaimsMap:
    tenant = o.get("tenant")
    separators = {"scope": " ", **o.get("separators", {})}
    return ClaimsMap(
        subject=as_path(o.get("subject", "sub")),
        roles=read_paths(o.get("roles", "roles")),
        scopes=read_paths(o.get("scopes", "scope")),
        tenant=None if tenant is None else as_path(tenant),
        separators={as_path(path): separator for path, separator in separators.items()},
        namespace=o.get("namespace", ""),
        service_when=o.get("service_when"),
        model=o.get("claims"),
        validators=tuple(o.get("validators", ())),
    )
