"""What both gates share: everything but the colour."""

# ``_context`` is made by the gate of each colour, which alone can open its stores.
# pyright: reportUninitializedInstanceVariable=false

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from logging import DEBUG
from typing import Final

from ..cache import ProjectCache, VerifiedTokens
from ..challenge import Problem, problem
from ..clock import Clock, Instant
from ..config import GateConfig
from ..config.colours import Colour
from ..credentials import ACTION_HEADER, DPOP_SCHEME, BearerToken, Kind
from ..effects import Flow
from ..errors import AuthgateError, ConfigurationError
from ..events import Journal
from ..flows.admit import GateContext, admit, decide_jointly
from ..flows.revoked import Known
from ..flows.short import admit_at_once
from ..flows.token import begin_token
from ..flows.trust import Found, Trust
from ..io.http import SafeHttp
from ..io.replays import REMEMBERED_IN_ONE_PROCESS
from ..jose.compact import Limits
from ..making import maker
from ..policy import (
    AnyOf,
    CompiledPolicy,
    Policy,
    compile_policy,
    is_api_key,
    is_project,
    is_service,
    is_user,
    kind_of,
)
from ..principal import Admission, Principal
from ..replays import MemoryReplays
from ..request import RequestView
from ..resource import metadata_of
from ..runner.exchanges import Exchanges
from ..runner.refresher import KeyRefresher
from ..secret import HashedSecret, Secret
from .api_keys import known_keys
from .audited import reports_of
from .beginnings import beginnings
from .binding import described, possession_of, token_schemes
from .deciding import NO_REQUEST, decided, decided_later
from .entries import RevocationEntries
from .gateways import reading_of, trusted_gateway
from .health import Health, Keys
from .means import Means
from .reports import Reports
from .stores import own
from .trusting import Trusting

__all__ = ["GateBase"]

_numbers: Final = itertools.count(1)
_token: Final = maker(BearerToken)
_MOST_POLICIES: Final = 512
_MOST_ROLES: Final = 1024
"""For how many lists of roles it is known what they imply."""


class GateBase:
    """The colourless part of a gate: its rooms, its rules and its reports.

    Attributes:
        resource_metadata: What adapters tell clients of this API at its well-known address; None for nothing.
        reads_bodies: Whether it has to see the bodies of requests, which adapters give it then.
    """

    _context: GateContext

    def __init__(self, config: GateConfig, clock: Clock, colour: Colour) -> None:
        given: object = config
        if not isinstance(given, GateConfig):
            raise ConfigurationError(f"give a gate a GateConfig(...), not a {type(given).__name__}")
        problems = tuple(config.problems(colour))
        if problems:
            raise ConfigurationError(*problems)
        self._compiled_anew = lru_cache(_MOST_POLICIES)(self._compile)
        self._policies: dict[int, tuple[Policy, CompiledPolicy]] = {}
        self._told_of_memory = False
        self._read_by = lru_cache(_MOST_POLICIES)(self._headers_of)
        self.config = config
        self.clock = clock
        self._journal = Journal(config.on_event)
        self._http = SafeHttp(proxy=config.proxy)
        self._refresher = KeyRefresher(self._http, clock, notice=self._journal.notice, random=random.random)
        self._exchanges = Exchanges(self._http, clock, notice=self._journal.notice)
        self.keys = Keys(self._refresher)
        trusting = Trusting(config, self._refresher)
        self._issuers = {issuer.name: trusting.issuer(issuer) for issuer in config.trusted_issuers}
        self._project_issuers = trusting.project_issuers()
        self._actions = trusting.actions(self._issuers.values())
        gateway = config.gateway
        self.reads_bodies = gateway is not None and gateway.signatures is not None
        names = (*self._issuers, *(() if gateway is None else (gateway.name,)))
        self._means = Means(config, names, bool(self._actions), bool(self._project_issuers))
        self._reports = reports_of(config, self._journal, clock, names)
        self._hears = self._journal.hears if type(self._reports) is Reports else _always
        self._token_schemes = token_schemes(config)
        servers = (issuer.issuer for issuer in config.trusted_issuers)
        self.resource_metadata = metadata_of(config.resource, servers, described(config))
        for notice in beginnings(config):
            self._told_of_memory |= notice is REMEMBERED_IN_ONE_PROCESS
            self._journal.notice(notice)

    def _make_context(self, known: Known, projects: ProjectCache) -> GateContext:
        config = self.config
        balancer = None if config.gateway is None else config.gateway.balancer
        limits = Limits(
            token=config.credential_limit,
            header=config.token_header_limit,
            depth=config.token_depth,
            padded=balancer is not None,
        )
        memory = VerifiedTokens[Found](config.verified_tokens) if config.verified_tokens else None
        issuers = {trusted.issuer.issuer: trusted for trusted in self._issuers.values()}
        number = next(_numbers)
        opaque = next((trusted for trusted in issuers.values() if trusted.issuer.is_asked_about_opaque), None)
        return GateContext(
            gate=number,
            trust=Trust(
                issuers, limits, lru_cache(_MOST_ROLES)(config.roles.expand), known, memory, opaque, balancer
            ),
            projects=projects,
            project_issuers=self._project_issuers,
            has_directory=config.projects is not None,
            api_keys=known_keys(config.api_keys),
            service_id=config.service,
            project_tenants=config.project_tenants,
            reading=reading_of(
                config,
                project_tokens=bool(self._project_issuers),
                proofs=DPOP_SCHEME in self._token_schemes,
            ),
            possession=possession_of(config, number, limits),
            shadow=config.shadow,
            actions=self._actions,
            tenant_bound=frozenset(
                issuer.name for issuer in config.trusted_issuers if issuer.tenant_matches_project
            ),
            gateway=trusted_gateway(config.gateway),
        )

    def _health(self, stores: Sequence[object]) -> Health:
        now = self.clock.now()
        return Health(
            keys=tuple(
                ring.health(now) for ring in self._refresher.rings.values() if not ring.state.is_absent
            ),
            revocation=tuple(store.health() for store in own(stores, self.config)),
        )

    def _entries(self, context: GateContext) -> RevocationEntries:
        return RevocationEntries(self.config, self.clock, context.trust, self._issuers)

    def _admitted_at_once(
        self, view: RequestView, policy: Policy, now: Instant
    ) -> Admission | BearerToken | None:
        """Admit a request where that can be said at once; else what was read of it so far."""
        return admit_at_once(view, self._compiled(policy), self._context, now)

    def _admitted(
        self,
        view: RequestView,
        policy: Policy,
        now: Instant,
        *,
        optional: bool,
        token: BearerToken | None = None,
    ) -> Flow[Admission]:
        """Admit a request by a policy."""
        return admit(view, self._compiled(policy), self._context, now, optional=optional, token=token)

    def _verified_at_once(self, token: str, policy: Policy | None, now: Instant) -> Admission | BearerToken:
        """Admit the bearer of a token where that can be said at once; else the token, for whoever asks further."""
        found = self._context.trust.recognise(token, now)
        if not isinstance(found, Principal):
            return _token(Secret(token) if found is None else HashedSecret(token, found))
        if policy is None:
            admission = Admission((found,), None, None, now)
        elif self._admits_plainly(policy, found, now):
            admission = Admission((found,), None, NO_REQUEST, now)
        else:
            return BearerToken(Secret(token))
        return self._reports.admitted(admission, now, ()) if self._hears(DEBUG) else admission

    def _admits_plainly(self, policy: Policy, principal: Principal, now: Instant) -> bool:
        """Whether a policy plainly admits the bearer of a token; of one that is wrong the flow says what is.

        Law 2.5: who calls this holds the token, and error reporters write out the locals of every frame.
        """
        try:
            return self._compiled(policy).is_plainly_for(principal, NO_REQUEST, now)
        except (ConfigurationError, TypeError):
            return False

    def _begun(
        self, token: BearerToken, policy: Policy | None, context: GateContext, now: Instant
    ) -> Admission | Flow[Admission]:
        """Admit the bearer of a token as far as nobody has to be asked; else what is left to do."""
        compiled = None if policy is None else self._compiled(policy)
        begun = begin_token(token, context.trust, now)
        bound = context.possession is not None
        if isinstance(begun, Principal):
            return decided(begun, compiled, now, may_be_bound=bound)
        return decided_later(begun, compiled, now, may_be_bound=bound)

    def check_policy(self, policy: Policy) -> None:
        """Check that this gate can ever satisfy a policy; adapters call it when a guard is registered.

        Raises:
            ConfigurationError: If the policy is contradictory, or names a kind that the gate has no source for.
        """
        self._compiled(policy)

    def _compiled(self, policy: Policy) -> CompiledPolicy:
        """The policy as this gate uses it; guards give the same object each time, which is faster to find."""
        known = self._policies.get(id(policy))
        if known is None:
            known = policy, self._compiled_anew(policy)
            if len(self._policies) >= _MOST_POLICIES:
                self._policies.clear()
            self._policies[id(policy)] = known  # which keeps the policy, so that nothing else gets its id
        return known[1]

    def _compile(self, policy: Policy) -> CompiledPolicy:
        compiled = compile_policy(policy)
        missing = [*self._means.lacking(compiled)]
        if missing:
            raise ConfigurationError(*(f"policy {policy!r}: {line}" for line in missing))
        if compiled.uses_once and not self._told_of_memory and isinstance(self.config.replays, MemoryReplays):
            self._told_of_memory = True
            self._journal.notice(REMEMBERED_IN_ONE_PROCESS)
        # The short way reads a token in its header only: no gateway's word, and no cookie, which beside a token is
        # malformed (Law 2.9).
        is_short = self.config.gateway is None and self.config.cookies is None
        return compiled if is_short else replace(compiled, is_plain=False)

    def has_source(self, policy: Policy) -> bool:
        """Whether this gate can ever satisfy a policy."""
        try:
            self._compiled(policy)
        except ConfigurationError:
            return False
        return True

    def anybody(self) -> Policy:
        """Whoever presents anything that this gate can verify, and everyone who does."""
        return AnyOf(tuple(kind for kind in _ANYBODY if self.has_source(kind)) or (is_user,))

    def judge(
        self, admission: Admission, policy: Policy, view: RequestView, *, optional: bool = False
    ) -> Admission:
        """Let a policy decide about principals that are there already; asks nobody.

        Raises:
            MissingCredentials: If the admission lacks a kind that the policy names.
            AuthorizationError: If the policy does not admit them, or they do not belong together (Law 6.8).
        """
        compiled, now = self._compiled(policy), self.clock.now()
        held = {kind_of(principal): principal for principal in admission.principals}
        found: dict[Kind, Principal] = {
            kind: held[kind] for kind in compiled.kinds if kind in held
        }  # Law 2.3: the rest is left alone
        if optional and not found:
            return Admission(request=view, moment=now)
        return decide_jointly(view, compiled, self._context, found, now=now)

    def headers_read(self, policy: Policy) -> tuple[str, ...]:
        """The headers that a policy reads credentials from, as a response names them in ``Vary`` (Law 1.7)."""
        compiled = self._compiled(policy)
        read = self._read_by(compiled.kinds)
        return (*read, ACTION_HEADER) if compiled.asks_action else read

    def _headers_of(self, kinds: tuple[Kind, ...]) -> tuple[str, ...]:
        return self._context.reading.headers(kinds)

    def problem(self, error: AuthgateError, view: RequestView | None = None) -> Problem:
        """The response that an error becomes.

        Args:
            error: What went wrong.
            view: The request that it answers; one from this machine may be told why (Law 10.3).
        """
        explained = self.config.explain and view is not None and view.is_local
        jitter = random.random()  # noqa: S311 - spreads retries
        metadata = self.resource_metadata
        return problem(
            error,
            realm=self.config.realm,
            jitter=jitter,
            explained=explained,
            resource_metadata=None if metadata is None else metadata.url,
            otp_headers=error.issuer in self._actions,
            token_schemes=self._token_schemes,
        )


def _always(_level: int) -> bool:
    return True


_BEARERS: Final = (is_user, is_service)
_PAIRS: Final = tuple(bearer & other for other in (is_project, is_api_key) for bearer in _BEARERS)
_ANYBODY: Final[tuple[Policy, ...]] = (
    *(bearer & is_project & is_api_key for bearer in _BEARERS),
    *_PAIRS,
    is_project & is_api_key,
    *_BEARERS,
    is_project,
    is_api_key,
)
"""All who may present something, together and alone."""
