"""An issuer of tokens, as configured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, Unpack

from ..clients import ClientAuthentication
from ..jose.claims import TokenRules
from ..jose.verify import VerifiedClaims, VouchedClaims
from ..ports import ValidationHooks, hook_problems
from ..principal import Service, TokenRef, User
from ..request import masked
from ..secret import Secret
from ..signing import RequestSigning
from .auth_service import auth_defaults, auth_keys, auth_mapping, auth_terms, sessions_url
from .introspection import Introspection
from .keycloak import (
    KeycloakRule,
    keycloak_keys,
    keycloak_mapping,
    keycloak_options,
    keycloak_problems,
    keycloak_terms,
)
from .m8 import M8_FIXED, m8_defaults, m8_mapping, m8_trust
from .mapping import PrincipalMap, model_problems, tenant_in
from .mercury import FIXED, defaults, mercury_mapping, mercury_problems, project_tokens, user_keys
from .options import Options, Reader
from .project_tokens import ProjectTokens
from .settings import AnyAudience, ClaimsMap, Grants, Terms
from .tenancy import Served, TenantKeys, tenancy_problems
from .trust import Discovery, JwksUrl, StaticKeys

__all__ = ["Issuer", "KeyOrigin", "Options"]

KeyOrigin: TypeAlias = StaticKeys | JwksUrl | TenantKeys | Discovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer whose tokens are believed, with its keys, algorithms and audience bound together (Law 3.5).

    Made by ``Issuer.oidc``, ``.jwks``, ``.static`` or a profile such as ``.mercury``; what is wrong is said when the
    gate is built.

    Args:
        issuer: The exact ``iss``; None matches only tokens without one.
        name: The label in logs, metrics and refs.
        trust: Where the keys come from.
        terms: What a token must be.
        mapping: What its claims mean.
        grants: The most that it may assert.
        tenants: The tenants that are served, by name or by a predicate; None where every one is.
        project_tokens: Its project tokens, where it issues any.
        introspection: How it is asked about tokens, where it is.
        logout_clients: The clients whose logout tokens count.
        allow_http: Whether plain http beyond loopback was allowed for its URLs.
        sessions_url: Where the sessions of its users are asked about; None where they are not.
        action_tokens: Whether it has its users confirm actions, and asks for that in headers of its own.
        tenant_matches_project: Whether its users go with projects of their own tenant only (Law 6.8).
        hooks: Told what became of its tokens.
        mistakes: What could not be read of its options; no gate is built then.
    """

    issuer: str | None
    name: str
    trust: KeyOrigin
    terms: Terms
    mapping: ClaimsMap
    grants: Grants
    tenants: Served | None = field(default=None, repr=False)
    project_tokens: ProjectTokens | None = None
    introspection: Introspection | None = None
    logout_clients: frozenset[str] = frozenset()
    allow_http: bool = False
    sessions_url: str | None = None
    action_tokens: bool = False
    tenant_matches_project: bool = False
    hooks: ValidationHooks | None = None
    mistakes: tuple[str, ...] = ()
    _principals: PrincipalMap = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_principals", PrincipalMap(self.name, self.mapping, self.grants))

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

    @classmethod
    def mercury(
        cls,
        base_url: str,
        *,
        signing_secret: Secret | str,
        audience: str | Collection[str] | AnyAudience,
        fallback_tenant: str | None = None,
        **options: Unpack[Options],
    ) -> Issuer:
        """A Mercury: a key set for each project, signed requests, project tokens beside user tokens.

        Args:
            base_url: Its URL without a slash at the end, and the ``iss`` of its tokens, byte for byte.
            signing_secret: The secret that Mercury shares with its services.
            audience: As for every issuer.
            fallback_tenant: The project of user tokens that name none.
            options: As for every issuer; ``tenants`` are the ids of the projects that are served, by default the
                fallback alone; ``leeway`` is 0 unless set (Law 5.8).
        """
        given = _given(defaults(), options)
        if fallback_tenant is not None:
            given.setdefault("tenants", (fallback_tenant,))
        secret = Secret(signing_secret) if isinstance(signing_secret, str) else signing_secret
        signing = RequestSigning(secret)
        plain = _make(base_url, user_keys(base_url, signing), audience, given)
        return replace(
            plain,
            terms=replace(plain.terms, fixed_claims=FIXED),
            mapping=mercury_mapping(plain.mapping, fallback_tenant),
            project_tokens=project_tokens(base_url, plain.terms.leeway, signing),
            mistakes=(*plain.mistakes, *mercury_problems(base_url, plain.tenants), *signing.problems()),
        )

    @classmethod
    def auth_service(
        cls,
        base_url: str,
        *,
        audience: str | Collection[str] | AnyAudience,
        validate_sessions: bool = True,
        **options: Unpack[Options],
    ) -> Issuer:
        """A central auth service, whose tokens have no ``iss`` and are users' or, of the type m2m, services'.

        Args:
            base_url: Where it is.
            audience: As for every issuer.
            validate_sessions: Whether it is asked, every 5 s at most for each token of a user, whether the session
                goes on; while it cannot answer, users get 503.
            options: As for every issuer.
        """
        given = _given(auth_defaults(), options)
        plain = _make(None, auth_keys(base_url), audience, given)
        return replace(
            plain,
            terms=auth_terms(plain.terms),
            mapping=auth_mapping(plain.mapping),
            sessions_url=sessions_url(base_url) if validate_sessions else None,
            action_tokens=True,
        )

    @classmethod
    def m8(
        cls,
        keys: Mapping[str, Any] | str | bytes | Secret,
        *,
        issuer: str | None,
        audience: str | Collection[str] | AnyAudience,
        hooks: ValidationHooks | None = None,
        **options: Unpack[Options],
    ) -> Issuer:
        """An m8 auth_user_service: users with one role each, some of whom are not active.

        Args:
            keys: The URL of its keys, or the keys: a JWKS document, a PEM, or a ``Secret`` for HS256.
            issuer: The exact ``iss``; None for a service that writes none.
            audience: As for every issuer.
            hooks: Told what became of its tokens.
            options: As for every issuer; ``leeway`` is 0 unless set (Law 5.8).
        """
        trust = m8_trust(keys)
        given = _given(m8_defaults(symmetric=isinstance(keys, Secret)), options)
        plain = _make(issuer, trust, audience, given)
        terms = replace(plain.terms, fixed_claims=M8_FIXED)
        return replace(plain, terms=terms, mapping=m8_mapping(plain.mapping), hooks=hooks)

    @classmethod
    def keycloak(
        cls,
        realm_url: str,
        *,
        audience: str | Collection[str] | AnyAudience,
        introspect: ClientAuthentication | None = None,
        service_clients: Collection[str] | None = None,
        service_by: Collection[KeycloakRule] = (),
        **options: Unpack[Options],
    ) -> Issuer:
        """A realm of Keycloak: its roles, and as ``client:role`` those of its clients; service accounts are services.

        Args:
            realm_url: Its URL without a slash at the end, and the ``iss`` of its tokens, byte for byte.
            audience: As for every issuer.
            introspect: Who asks Keycloak about each token; None has them verified here.
            service_clients: The clients whose service accounts are services; None for all of them.
            service_by: What makes a token a service's besides: a ``role`` of that name, its ``type``, or that its
                ``claims`` name a client and nobody.
            options: As for every issuer.
        """
        given = keycloak_options(realm_url, introspect, service_clients, service_by, options)
        plain = _make(realm_url, keycloak_keys(realm_url), audience, given)
        mistakes = (*plain.mistakes, *keycloak_problems(realm_url, service_by, plain.terms))
        terms = keycloak_terms(plain.terms, service_by)
        return replace(plain, terms=terms, mapping=keycloak_mapping(plain.mapping), mistakes=mistakes)

    @property
    def project_keys_name(self) -> str | None:
        """What the key set of its project tokens is called; None where it issues none."""
        return None if self.project_tokens is None else f"{self.name} (projects)"

    @property
    def makes_users(self) -> bool:
        """Whether a token of this issuer can be a user's."""
        return self.grants.kinds is None or "user" in self.grants.kinds

    @property
    def makes_services(self) -> bool:
        """Whether a token of this issuer can be a service's (Law 3.13)."""
        granted = self.grants.kinds is None or "service" in self.grants.kinds
        return granted and self.mapping.service_when is not None

    def rules(self, *, require_iat: bool, plain_jti: bool = False) -> TokenRules:
        """What ``jose`` must check of its tokens.

        Args:
            require_iat: Whether a revocation source judges by age (Law 3.7).
            plain_jti: Whether one is written by others, who list tokens under their ``jti`` (Law 5.9).
        """
        return self.terms.rules(self.issuer, require_iat=require_iat, plain_jti=plain_jti)

    def tenant(self, claims: Mapping[str, Any]) -> str | None:
        """The tenant that claims name; None where this issuer has none.

        Raises:
            InvalidClaim: If they name none, or not in its one spelling (Law 3.12).
        """
        return tenant_in(claims, self.mapping)

    def is_active(self, claims: Mapping[str, Any]) -> bool:
        """Whether the bearer of verified claims may act at all; one who may not is known, and barred."""
        active = self.mapping.active
        return active is None or claims.get(active) is not False

    @property
    def is_repeatable(self) -> bool:
        """Whether the same token makes the same principal at every time, so that it may be remembered (Law 7.1)."""
        return self.mapping.is_repeatable

    @property
    def has_tenants(self) -> bool:
        """Whether its tokens name tenants."""
        return self.mapping.tenant is not None

    def identify(
        self, verified: VerifiedClaims | VouchedClaims, expand: Callable[[tuple[str, ...]], frozenset[str]]
    ) -> tuple[User | Service, TokenRef]:
        """Who the verified claims speak of, and what a revocation source is asked about the token.

        Args:
            verified: The claims.
            expand: Adds the roles that a hierarchy implies.

        Raises:
            InvalidClaim: If the claims do not fit the mapping, the model or a validator.
            AuthUnavailable: If a validator could not check.
        """
        return self._principals.identify(verified, expand)

    def problems(self) -> Iterator[str]:
        """Everything that is wrong with this issuer, without I/O (Law 1.6)."""
        symmetric = isinstance(self.trust, StaticKeys) and isinstance(self.trust.material, Secret)
        found = list(self.mistakes)
        if self.issuer == "":
            found.append("issuer: is empty; write the exact iss, or issuer=None for tokens without one")
        if not self.name:
            found.append("name: is empty")
        found += tenancy_problems(self.tenants, self.mapping, matched=self.tenant_matches_project)
        found += self.terms.problems(symmetric=symmetric)
        found += self.grants.problems()
        found += model_problems(self.mapping.model)
        found += () if self.hooks is None else hook_problems(self.hooks)
        if self.introspection is not None:
            found += self.introspection.problems(plain_http=self.allow_http, issuer=self.issuer)
        if not (self.makes_users or self.makes_services):
            found.append(
                "grants: kinds leaves only services, so say which tokens are theirs with service_when="
            )
        if isinstance(self.trust, StaticKeys):
            found += [] if found else self.trust.problems(self.terms.algorithms)
        else:
            found += self.trust.problems(plain_http=self.allow_http)
        return (f"Issuer {masked(self.name)!r}: {problem}" for problem in found)


def _given(defaults: Options, options: Mapping[str, object]) -> dict[str, object]:
    return {**defaults, **{name: value for name, value in options.items() if value is not None}}


def _make(
    issuer: str | None,
    trust: KeyOrigin,
    audience: str | Collection[str] | AnyAudience,
    options: Mapping[str, object],
) -> Issuer:
    read = Reader(options)
    symmetric = isinstance(trust, StaticKeys) and isinstance(trust.material, Secret)
    expected = read.issuer(issuer)
    return Issuer(
        issuer=expected,
        name=read.text("name", "default" if expected is None else expected),
        trust=trust,
        terms=read.terms(audience, symmetric=symmetric),
        mapping=read.mapping(),
        grants=read.grants(),
        tenants=read.tenants(),
        introspection=read.introspection(),
        logout_clients=read.logout_clients(),
        allow_http=read.flag("allow_http"),
        tenant_matches_project=read.flag("tenant_matches_project"),
        mistakes=tuple(read.problems),
    )
