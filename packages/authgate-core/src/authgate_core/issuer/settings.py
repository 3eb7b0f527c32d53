"""The terms on which an issuer is believed, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, TypeAlias

from ..jose.claims import TokenRules
from ..jose.signature import HMAC_ALGORITHMS, KNOWN_ALGORITHMS
from ..possession import CONFIRMATIONS
from ..principal import ClaimPath

__all__ = ["ANY_AUDIENCE", "AnyAudience", "ClaimsMap", "Grants", "Terms", "Validator"]

MAX_LEEWAY: Final = 120.0

Path: TypeAlias = str | ClaimPath
Validator: TypeAlias = Callable[[Mapping[str, Any]], None]
ServiceWhen: TypeAlias = Mapping[str, Any] | Callable[[Mapping[str, Any]], bool]


class AnyAudience:
    """The type of ``ANY_AUDIENCE``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ANY_AUDIENCE"


ANY_AUDIENCE: Final = AnyAudience()
"""Opts out of checking the audience; said aloud because it lets in tokens meant for other APIs (Law 3.6)."""


@dataclass(frozen=True, slots=True)
class Grants:
    """The most that an issuer may assert (Law 3.14); None is no limit.

    Args:
        kinds: ``user`` and ``service``; a token of another kind is refused.
        roles: Other roles are left out.
        scopes: Other scopes are left out.
    """

    kinds: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    scopes: frozenset[str] | None = None

    def problems(self) -> Iterator[str]:
        """What is wrong."""
        if self.kinds is not None and not self.kinds <= {"user", "service"}:
            yield f"grants: kinds are 'user' and 'service', not {sorted(self.kinds)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsMap:
    """Which claims say who the principal is (Law 3.9).

    Args:
        subject: Where the id is.
        roles: Where roles are; every path that is present adds.
        scopes: Where scopes are.
        client_roles: Where an object holds roles for each of several clients; they count as ``client:role``.
        tenant: Where the tenant is, if the issuer has tenants.
        separators: For claims that are one string: the path as written, and what separates the values; an
            empty text where the whole string is one value.
        namespace: Put before each id.
        service_when: What makes a token a service's: claim paths with the value, or one of the values, that
            each must have; or a function of the claims. None: every token is a user's (Law 3.13).
        model: A dataclass or pydantic model that the claims must fit.
        model_path: Where what must fit it is, which need not be there; None for all claims.
        validators: Run last; ValueError is a bad token, AuthUnavailable an outage (Law 3.10).
        pure: Whether the validators and the function of ``service_when`` depend on the claims alone (Law 7.1).
        fallback_tenant: The tenant of tokens that name none.
        tenant_is_uuid: Whether tenants are UUIDs, of which only the lower-case spelling counts (Law 3.12).
        lifted: Members of ``sub``, which is an object then, that count as claims of the token.
        service_is_client: Whether the id of a service is that of its OAuth client.
        public: What ``to_dict`` of its principals shows; None for what each kind shows by itself.
        payload: Refuses claims that no token of the profile has, by InvalidClaim; they alone decide.
        active: The claim that is false for a user who may not act now; who is known, but barred.
    """

    subject: ClaimPath
    roles: tuple[ClaimPath, ...]
    scopes: tuple[ClaimPath, ...]
    client_roles: ClaimPath | None = None
    tenant: ClaimPath | None = None
    separators: Mapping[ClaimPath, str] = field(default_factory=dict[ClaimPath, str])
    namespace: str = ""
    service_when: ServiceWhen | None = None
    model: type | None = None
    model_path: ClaimPath | None = None
    validators: tuple[Validator, ...] = ()
    fallback_tenant: str | None = None
    tenant_is_uuid: bool = False
    lifted: tuple[str, ...] = ()
    service_is_client: bool = False
    public: tuple[str, ...] | None = None
    payload: Callable[[Mapping[str, Any]], None] | None = None
    active: str | None = None
    pure: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether the same token makes the same principal at every time, so that it may be remembered (Law 7.1).

        A claims object is made anew for each request: it can be changed by whoever gets it (Law 7.2).
        """
        has_functions = bool(self.validators) or callable(self.service_when)
        return self.model is None and (self.pure or not has_functions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a token of this issuer must be (Laws 3.2, 3.6 to 3.8).

    Args:
        audience: Accepted audiences, or ANY_AUDIENCE.
        algorithms: Accepted algorithms.
        leeway: Tolerated clock difference, seconds.
        max_lifetime: The longest that a token may live from ``iat``, seconds.
        require_at_jwt: Whether RFC 9068 is kept in full.
        required_claims: Claims that must be present besides.
        authorized_parties: Accepted ``azp`` or ``client_id``.
        token_types: Values of ``typ`` and its like that are accepted besides the standard ones.
        fixed_claims: Claims with the one text that each must be.
        shapes: Sets of such claims of which one must hold as a whole; none asks for nothing.
        require_kid: Whether the header must name the key.
        audience_hint: What logs say besides of a token for other APIs.
        confirmation: The ways in which tokens may be bound to keys: ``dpop`` and ``mtls`` (Law 3.15).
        require_confirmation: Whether a token that is bound to none is refused.
    """

    audience: frozenset[str] | AnyAudience
    algorithms: frozenset[str]
    leeway: float = 30.0
    max_lifetime: float | None = None
    require_at_jwt: bool = False
    required_claims: tuple[str, ...] = ()
    authorized_parties: frozenset[str] | None = None
    token_types: frozenset[str] = frozenset()
    fixed_claims: tuple[tuple[str, str], ...] = ()
    shapes: tuple[tuple[tuple[str, str], ...], ...] = ()
    require_kid: bool = False
    audience_hint: str = ""
    confirmation: frozenset[str] = frozenset()
    require_confirmation: bool = False

    def rules(self, issuer: str | None, *, require_iat: bool, plain_jti: bool) -> TokenRules:
        """What ``jose`` must check of the tokens of an issuer; the arguments are as for ``Issuer.rules``."""
        return TokenRules(
            issuer=issuer,
            audience=None if isinstance(self.audience, AnyAudience) else self.audience,
            algorithms=self.algorithms,
            leeway=self.leeway,
            max_lifetime=self.max_lifetime,
            require_iat=require_iat or self.max_lifetime is not None,
            plain_jti=plain_jti,
            require_at_jwt=self.require_at_jwt,
            required_claims=self.required_claims,
            authorized_parties=self.authorized_parties,
            token_types=self.token_types,
            fixed_claims=self.fixed_claims,
            shapes=self.shapes,
            require_kid=self.require_kid,
            audience_hint=self.audience_hint,
            confirmations=frozenset(CONFIRMATIONS[name] for name in self.confirmation),
            require_confirmation=self.require_confirmation,
        )

    def problems(self, *, symmetric: bool) -> Iterator[str]:
        """What is wrong, where ``symmetric`` says that the issuer's key is a shared secret."""
        if isinstance(self.audience, frozenset) and (not self.audience or "" in self.audience):
            yield "audience: name the audience of this API, or write audience=ANY_AUDIENCE to accept every token"
        if isinstance(self.audience, frozenset) and repr(ANY_AUDIENCE) in self.audience:
            yield "audience: ANY_AUDIENCE stands alone, and is the constant of authgate_core, not a text"
        yield from _algorithm_problems(self.algorithms, symmetric=symmetric)
        if not _is_number(self.leeway) or not 0 <= self.leeway <= MAX_LEEWAY:
            yield f"leeway: {self.leeway!r} is not between 0 and {MAX_LEEWAY:g} seconds"
        if self.max_lifetime is not None and not (
            _is_number(self.max_lifetime) and 0 < self.max_lifetime < inf
        ):
            yield f"max_lifetime: {self.max_lifetime!r} is not a positive number of seconds"
        if not self.confirmation <= CONFIRMATIONS.keys():
            yield f"confirmation: {sorted(self.confirmation)}: write 'dpop', 'mtls' or both"
        elif self.require_confirmation and not self.confirmation:
            yield "require_confirmation: needs confirmation=..., the ways that are accepted"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _algorithm_problems(algorithms: frozenset[str], *, symmetric: bool) -> Iterator[str]:
    unknown = algorithms - KNOWN_ALGORITHMS
    if not algorithms:
        yield "algorithms: the list is empty; leave it out for the default"
    if unknown:
        yield f"algorithms: {', '.join(sorted(unknown))} unknown; choose from {', '.join(sorted(KNOWN_ALGORITHMS))}"
    hmac = algorithms & HMAC_ALGORITHMS
    if symmetric and algorithms - HMAC_ALGORITHMS - unknown:
        yield "algorithms: a shared secret verifies HS256, HS384 and HS512 only"
    elif hmac and not symmetric:
        yield f"algorithms: {', '.join(sorted(hmac))} needs Issuer.static(Secret(...)) and never goes with public keys"
