"""What is configured of an issuer, however it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..jose.claims import TokenRules
from ..jose.verify import VerifiedClaims, VouchedClaims
from ..ports import ValidationHooks, hook_problems
from ..principal import Service, TokenRef, User
from ..request import masked
from ..secret import Secret
from .apex import Apex
from .introspection import Introspection
from .mapping import PrincipalMap, model_problems, tenant_in
from .project_tokens import ProjectTokens
from .settings import ClaimsMap, Grants, Terms
from .tenancy import Served, TenantKeys, tenancy_problems
from .trust import Discovery, JwksUrl, NoKeys, StaticKeys

__all__ = ["IssuerRecord", "KeyOrigin"]

KeyOrigin: TypeAlias = StaticKeys | JwksUrl | TenantKeys | Discovery | NoKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRecord:
    """An issuer with its keys, algorithms and audience bound together (Law 3.5); ``Issuer`` is how one is made.

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
        asked: How it is asked whose a token is, where that is all that it says.
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
    asked: Apex | None = None
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

    @property
    def project_keys_name(self) -> str | None:
        """What the key set of its project tokens is called; None where it issues none."""
        return None if self.project_tokens is None else f"{self.name} (projects)"

    @property
    def is_asked_about_opaque(self) -> bool:
        """Whether it is asked about tokens that are no JWTs, and so name no issuer."""
        return self.asked is not None or (self.introspection is not None and self.introspection.opaque)

    @property
    def tells_metadata(self) -> bool:
        """Whether it says of users what they are to this service."""
        return self.asked is not None and self.asked.service is not None

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
        found += () if self.mapping.model_path is not None else model_problems(self.mapping.model)
        found += () if self.hooks is None else hook_problems(self.hooks)
        if self.introspection is not None:
            found += self.introspection.problems(plain_http=self.allow_http, issuer=self.issuer)
        if self.asked is not None:
            found += self.asked.problems(plain_http=self.allow_http)
        if not (self.makes_users or self.makes_services):
            found.append(
                "grants: kinds leaves only services, so say which tokens are theirs with service_when="
            )
        if isinstance(self.trust, StaticKeys):
            found += [] if found else self.trust.problems(self.terms.algorithms)
        elif not isinstance(self.trust, NoKeys):
            found += self.trust.problems(plain_http=self.allow_http)
        return (f"Issuer {masked(self.name)!r}: {problem}" for problem in found)
