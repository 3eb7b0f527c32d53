"""What tokens are verified with, and what is found of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from ..cache import Answers, TenantsServed, VerifiedTokens
from ..clock import Instant
from ..credentials import BearerToken
from ..effects import Endpoint
from ..errors import InvalidClaim
from ..issuer import Apex, ApexUser, Introspection, Issuer, ServiceUser
from ..jose.balancer import BalancerRules
from ..jose.claims import TokenRules
from ..jose.compact import Header, Limits, may_hold_object
from ..jose.keys import Key, KeySet
from ..keyring import KeyRing, TenantDoor, TenantRings
from ..principal import Service, TokenRef, User
from .keys import Door
from .revoked import Known
from .sessions import Sessions
from .signatures import Named

__all__ = ["ApexDesk", "Asking", "Found", "Trust", "TrustedIssuer", "Vouched"]

_LONG: Final = 4096
"""Of a token that is longer, in characters, hashing takes longer than a glance at what it is (docs/adr/0021)."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What an issuer said of a token when it was asked; judged anew at every use.

    Args:
        claims: What it said.
        payload: The same as JSON.
    """

    claims: Mapping[str, Any] = field(repr=False)
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """How an issuer is asked about tokens, and what it answered lately.

    Args:
        spec: What was configured.
        endpoint: What is asked.
        rules: What the tokens must be.
        answers: What was answered lately (Law 7.4).
        nonce: Gives a random text that was never given before.
    """

    spec: Introspection
    endpoint: Endpoint
    rules: TokenRules
    answers: Answers[Vouched]
    nonce: Callable[[], str]


@dataclass(frozen=True, slots=True)
class ApexDesk:
    """How an apex is asked whose a token is, and what it answered lately.

    Args:
        spec: What was configured.
        users: What is asked whose a token is.
        members: What is asked what a user is to this service.
        known: Whose tokens were, lately (Law 7.4).
        belonging: What users were to this service, lately.
        plain_http: Whether plain http beyond loopback was allowed for both.
    """

    spec: Apex
    users: Endpoint
    members: Endpoint
    known: Answers[ApexUser] = field(repr=False)
    belonging: Answers[ServiceUser[Mapping[str, Any]]] = field(repr=False)
    plain_http: bool = False


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer with its rules and keys: bound together, and never mixed with another's (Law 3.5).

    Args:
        issuer: What was configured.
        rules: What its tokens must be.
        keys: Its keys: one set, or one for each tenant.
        served: The tenants that are served here; None where every one is.
        asking: How it is asked about tokens; None where it is not.
        sessions: Where the sessions of its users are asked about; None where they are not.
        apex: How it is asked whose a token is; None where it is not.

    Attributes:
        asks_about_jwts: Whether it is asked about its JWTs, instead of verifying them here.
        named: Puts its name on the errors that leave a block.
        ring: Its one key set, where all of its tokens are verified with that and none names a tenant.
    """

    issuer: Issuer
    rules: TokenRules
    keys: KeyRing | TenantRings
    served: TenantsServed | None = None
    asking: Asking | None = None
    sessions: Sessions | None = None
    apex: ApexDesk | None = None
    asks_about_jwts: bool = field(init=False, repr=False, compare=False)
    named: Named = field(init=False, repr=False, compare=False)
    ring: KeyRing | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        jwts = self.apex is not None or (self.asking is not None and self.asking.spec.jwts)
        object.__setattr__(self, "asks_about_jwts", jwts)
        object.__setattr__(self, "named", Named(self.issuer.name))
        is_one = isinstance(self.keys, KeyRing) and not self.issuer.has_tenants
        object.__setattr__(self, "ring", self.keys if is_one else None)

    def serves(self, tenant: str | None, now: Instant) -> bool:
        """Whether the tokens of a tenant are accepted here at all (Law 4.13)."""
        return tenant is None or self.served is None or self.served.admits(tenant, now)

    def is_known_to_serve(self, tenant: str | None, now: Instant) -> bool:
        """Whether ``serves`` would say yes, and would not have to ask for that."""
        return tenant is None or self.served is None or self.served.knows(tenant, now)

    def door(self, tenant: str | None) -> Door:
        """The way to the keys of a tenant (Law 3.12).

        Raises:
            InvalidClaim: If there is no tenant where each has keys of its own.
        """
        if isinstance(self.keys, KeyRing):
            return self.keys
        if tenant is None:
            raise InvalidClaim("tenant", "is missing")
        return TenantDoor(self.keys, tenant)


@dataclass(slots=True, eq=False)
class Found:
    """What verification found of a token. Nothing in it depends on the moment, and all of it on the key set.

    What changes are notes of those who remember it: ``until`` and ``was_hit`` are the table's, and ``clear_in`` is
    the edition in which no revocation was known (``Trust.recognise``).

    Args:
        trusted: Whose token it is.
        door: The way to the keys that it was verified with.
        keys: The key set that it was verified with; None where that had been replaced by then.
        key: The one of them that verified it.
        header: Its header.
        starts: The latest of its moments that must not lie ahead, in Unix seconds.
        principal: Who it speaks of.
        ref: What names it to a revocation source.
        is_active: Whether the issuer lets whom it speaks of act.
    """

    trusted: TrustedIssuer
    door: Door
    keys: KeySet | None
    key: Key
    header: Header
    starts: float
    principal: User | Service
    ref: TokenRef
    is_active: bool = True
    clear_in: object = field(default=None, init=False, repr=False)
    until: float = field(default=0.0, init=False, repr=False)
    was_hit: bool = field(default=False, init=False, repr=False)

    @property
    def sessions(self) -> Sessions | None:
        """Where the session of the token is asked about; None for a token that has none, or that is not asked about."""
        return self.trusted.sessions if isinstance(self.principal, User) else None

    @property
    def is_lasting(self) -> bool:
        """Whether it may be remembered (Law 7.1); memory only ever says yes, to whoever presents the token alone."""
        is_bound = bool(self.trusted.rules.confirmations) and "cnf" in self.principal.claims
        is_repeatable = self.keys is not None and self.trusted.issuer.is_repeatable
        return self.is_active and is_repeatable and not is_bound

    def is_of_present_keys(self) -> bool:
        """Whether the key set that verified it is the present one: with that it dies (Law 4.7)."""
        return self.door.current().state.keys is self.keys

    def is_fresh(self, now: Instant) -> bool:
        """Whether that set answers with no further thought (Law 4.2)."""
        return self.door.current().state.fresh(now) is self.keys

    def holds(self, now: Instant) -> bool:
        """Whether verification would find the same at this moment, if the keys answer.

        Where it would not, it says why itself: so a refusal is the same whatever is remembered.
        """
        trusted, wall = self.trusted, now.wall
        leeway = trusted.rules.leeway
        return (
            self.starts <= wall + leeway
            and wall < self.ref.expires_at + leeway
            and trusted.serves(self.principal.tenant, now)
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything that the verification of tokens depends on.

    Args:
        issuers: By exact ``iss``; None for the one whose tokens have none.
        limits: Sizes (Law 2.4).
        expand: Adds the roles that a hierarchy implies.
        known: The pure door to revocation.
        memory: What was found of tokens lately; None where nothing is remembered. It is this gate's alone, for
            what is found depends on all of the above.
        opaque: The issuer that is asked about tokens which are no JWTs; None where none is.
        balancer: What the headers of tokens must say where an AWS load balancer hands them on; None where none does.
    """

    issuers: Mapping[str | None, TrustedIssuer]
    limits: Limits
    expand: Callable[[tuple[str, ...]], frozenset[str]]
    known: Known
    memory: VerifiedTokens[Found] | None = None
    opaque: TrustedIssuer | None = None
    balancer: BalancerRules | None = None

    def recall(self, digest: bytes | None, now: Instant) -> Found | None:
        """What is remembered of a token, and holds still."""
        if digest is None or self.memory is None:
            return None
        found = self.memory.recall(digest, now.mono)
        if found is None:
            return None
        with found.trusted.named:
            return found if found.holds(now) else None

    def digest(self, token: BearerToken) -> bytes | None:
        """What a token is remembered by; None where it will not be: if too long (Law 2.4), or long and no token."""
        size = len(token.value)
        if self.memory is None or size > self.limits.token:
            return None
        if size > _LONG and not may_hold_object(token.value.reveal()):
            return None
        return token.value.digest()

    def recognise(self, token: object, now: Instant) -> User | Service | bytes | None:
        """Who a token, as it was handed in, speaks of: as its flow would say, where memory is enough to tell.

        All that ``Found.holds``, ``Found.is_fresh`` and ``check_revoked`` look at is looked at here in one go and
        without asking anyone, for that is what most requests come to (docs/adr/0023).

        Returns:
            Whom; else what the token is remembered by, or None where it will not be.
        """
        memory, known = self.memory, self.known
        if memory is None or not isinstance(token, str) or len(token) > self.limits.token:
            return None
        if len(token) > _LONG and not may_hold_object(token):
            return None
        try:
            digest = sha256(token.encode()).digest()
        except UnicodeEncodeError:
            return None
        wall, mono = now
        found = memory.recall(digest, mono)
        if found is None:
            return digest
        trusted, state = found.trusted, found.door.state
        leeway = trusted.rules.leeway
        fresh_wall, fresh_mono = state.fresh_until
        if (
            state.keys is not found.keys
            or wall > fresh_wall
            or mono > fresh_mono
            or found.starts > wall + leeway
            or wall >= found.ref.expires_at + leeway
            or (trusted.served is not None and not trusted.is_known_to_serve(found.principal.tenant, now))
        ):
            return digest
        edition = known.edition(now)
        if edition is None or found.clear_in != edition:
            if known.known(found.ref) != "clear" or found.sessions is not None:
                return digest
            found.clear_in = edition
        return found.principal

    def keep(self, digest: bytes | None, found: Found, now: Instant) -> None:
        """Remember what was found, where that may be."""
        if digest is not None and self.memory is not None and found.is_lasting:
            issued_at = found.ref.issued_at
            if issued_at is not None and found.starts == issued_at:
                found.starts = issued_at  # one number for both, in each of ten thousand tokens
            self.memory.keep(digest, found, now.mono)
