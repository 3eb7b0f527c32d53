"""From a request and a policy to an admission: the one way through the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Final, cast

from ..cache import ProjectCache, TenantsServed
from ..clock import Instant
from ..credentials import (
    BEARER,
    SCHEMES,
    ApiKeyCredential,
    AppCredentials,
    BearerToken,
    Credential,
    DPoPToken,
    Kind,
    Presented,
    ProjectToken,
    Reading,
    action_token,
    extract,
    scheme_of,
)
from ..effects import Flow
from ..errors import (
    AuthenticationError,
    AuthgateError,
    AuthorizationError,
    CrossSiteRefused,
    InvalidApiKey,
    InvalidProjectCredentials,
    MalformedCredentials,
    MissingCredentials,
    StepUpRequired,
)
from ..identity_headers import GatewayIdentity
from ..policy import CompiledPolicy, evaluate
from ..principal import Admission, ApiKey, Principal, Project, named_callers
from ..request import RequestView
from .actions import Acting, Unproven, show_action
from .api_key import KnownKeys, authenticate_api_key
from .gateway import TrustedGateway, authenticate_gateway
from .possession import Possession, show_possession
from .project import authenticate_project
from .project_token import TrustedProjects, authenticate_project_token
from .revoked import check_revoked
from .together import everyone_admitted
from .token import authenticate_token
from .trust import Trust, TrustedIssuer

__all__ = ["GateContext", "admit", "decide", "decide_jointly"]

_NOBODY: Final[Mapping[Kind, AuthorizationError]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GateContext:
    """What a gate decides with.

    Args:
        gate: Tells this gate's entries in a request's memo from another's (Law 2.6).
        trust: What tokens are verified with.
        projects: What is known of project credentials.
        project_issuers: Who issues project tokens, by exact ``iss``.
        has_directory: Whether anybody knows app ids and secrets.
        api_keys: The API keys that it admits; None for none.
        service_id: The service that a project must be enabled for.
        project_tenants: The projects that may be admitted by their credentials; None for any.
        reading: How it reads what a request presents.
        shadow: Whether refusals are only reported (Law 8.6).
        tenant_bound: The issuers whose users go with projects of their own tenant only (Law 6.8).
        actions: What tokens of actions are verified with, by the name of their issuer.
        gateway: Who says which users and services call, where no tokens are verified for that.
        possession: What is checked where tokens are bound to keys; None where no issuer binds any (Law 3.15).
    """

    gate: int
    trust: Trust
    projects: ProjectCache
    project_issuers: Mapping[str | None, TrustedProjects]
    has_directory: bool
    api_keys: KnownKeys | None
    service_id: str | None
    reading: Reading
    shadow: bool
    tenant_bound: frozenset[str] = frozenset()
    project_tenants: TenantsServed | None = None
    actions: Mapping[str, TrustedIssuer] = field(default_factory=dict[str, TrustedIssuer])
    gateway: TrustedGateway | None = None
    possession: Possession | None = None


def admit(
    view: RequestView,
    policy: CompiledPolicy,
    context: GateContext,
    now: Instant,
    *,
    optional: bool,
    token: BearerToken | None = None,
) -> Flow[Admission]:
    """Authenticate every kind that the policy names and the request presents, then let the policy decide.

    Args:
        view: The request.
        policy: Who is let in.
        context: What the gate decides with.
        now: The present moment.
        optional: Whether a request that presents nothing of what the policy asks for goes on.
        token: All that the request presents, where it was read already.

    Raises:
        AuthgateError: The outcome of Law 2.3, with the schemes that the policy accepts.
    """
    found: dict[Kind, Principal] = {}
    presented: Presented = {BEARER: token} if token is not None else _presented(view, policy, context)
    try:
        if optional and not presented:
            return Admission(request=view, moment=now)
        action = action_token(view.headers, context.reading.limit) if policy.asks_action else None
        barred = yield from _authenticate(view, policy, presented, context, now, found)
        if action is not None:
            acting = Acting(context.gate, context.trust, context.actions)
            admits = partial(_admits, policy=policy, context=context, found=found, now=now)
            view = yield from show_action(view, action, policy, acting, found, now, admits=admits)
        return decide_jointly(view, policy, context, found, barred, now=now)
    except AuthgateError as refusal:
        refusal.known = named_callers(found.values())
        if not isinstance(refusal, MissingCredentials):
            refusal.accepts = policy.schemes  # what a memo holds may have met another policy before
        if isinstance(refusal, StepUpRequired) and isinstance(view.proof, Unproven):
            refusal.reason = f"{refusal.reason}; {view.proof.reason}"
        if refusal.scheme == SCHEMES[BEARER]:
            refusal.scheme = scheme_of(BEARER, presented.get(BEARER))
        if not context.shadow:
            raise
        return Admission(tuple(found.values()), refusal, view, now)


def _presented(view: RequestView, policy: CompiledPolicy, context: GateContext) -> Presented:
    return extract(
        view.headers,
        policy.kinds,
        context.reading,
        subprotocols=view.subprotocols,
        method=view.method,
        is_query=view.is_query,
    )


def _authenticate(
    view: RequestView,
    policy: CompiledPolicy,
    presented: Presented,
    context: GateContext,
    now: Instant,
    found: dict[Kind, Principal],
) -> Flow[Mapping[Kind, AuthorizationError]]:
    """Fill ``found``; of what failed, the worst by Law 2.3 is raised, whatever the order written.

    Returns:
        Who is known but barred from this service: a branch without them may still admit.
    """
    credentials = _well_formed({kind: presented[kind] for kind in policy.kinds if kind in presented})
    outcomes: dict[Kind, Principal | AuthgateError] = {}
    for kind, credential in credentials.items():
        outcomes[kind] = yield from _outcome(view, kind, credential, context, now)
    found.update({kind: outcome for kind, outcome in outcomes.items() if isinstance(outcome, Principal)})
    if len(found) == len(outcomes):
        return _NOBODY
    errors: dict[Kind, AuthgateError] = {
        kind: outcome for kind, outcome in outcomes.items() if isinstance(outcome, AuthgateError)
    }
    barred: dict[Kind, AuthorizationError] = {
        kind: error for kind, error in errors.items() if isinstance(error, AuthorizationError)
    }
    failures = [error for kind, error in errors.items() if kind not in barred]
    if failures:
        raise min(failures, key=_rank).with_traceback(None)
    return barred


def _well_formed(presented: Presented) -> Mapping[Kind, Credential]:
    """What can be verified; what is malformed goes before what may come from another site, which verifies nothing."""
    for wrong in (MalformedCredentials, CrossSiteRefused):
        for found in presented.values():
            if isinstance(found, wrong):
                raise found
    return cast("Mapping[Kind, Credential]", presented)


def _rank(failure: AuthgateError) -> bool:
    return not isinstance(failure, AuthenticationError)


def _outcome(
    view: RequestView, kind: Kind, credential: Credential, context: GateContext, now: Instant
) -> Flow[Principal | AuthgateError]:
    """Authenticate one kind, at most once for each request (Law 2.6)."""
    memo = view.memo
    known = None if memo is None else memo.recall(context.gate, kind, credential)
    if isinstance(known, (Principal, AuthgateError)):
        return known
    outcome: Principal | AuthgateError
    try:
        outcome = yield from _one(view, credential, context, now)
    except AuthgateError as failure:
        failure.scheme = scheme_of(kind, credential)
        outcome = failure
    if memo is not None:
        memo.remember(context.gate, kind, credential, outcome)
    return outcome


def _one(view: RequestView, credential: Credential, context: GateContext, now: Instant) -> Flow[Principal]:
    if context.gateway is not None and isinstance(credential, (BearerToken, GatewayIdentity)):
        return (yield from _from_gateway(view, credential, context, context.gateway, now))
    if isinstance(credential, BearerToken) and context.possession is None:
        return (yield from authenticate_token(credential, context.trust, now))
    if isinstance(credential, (BearerToken, DPoPToken)):
        return (yield from _shown(view, credential, context, now))
    if isinstance(credential, ApiKeyCredential):
        key = yield from _api_key(credential, context, now)
        return key.implying(context.trust.expand(key.roles)) if key.roles else key

    # What a gateway says is read where there is a gateway only.
    project = yield from _project(cast("AppCredentials | ProjectToken", credential), context, now)
    return project.implying(context.trust.expand(project.roles)) if project.roles else project


def _api_key(credential: ApiKeyCredential, context: GateContext, now: Instant) -> Flow[ApiKey]:
    if context.api_keys is None:
        raise InvalidApiKey("nobody here knows API keys")
    return (yield from authenticate_api_key(credential, context.api_keys, now))


def _from_gateway(
    view: RequestView,
    credential: BearerToken | GatewayIdentity,
    context: GateContext,
    trusted: TrustedGateway,
    now: Instant,
) -> Flow[Principal]:
    if isinstance(credential, GatewayIdentity):
        expand = context.trust.expand
        return (yield from authenticate_gateway(credential, view, trusted, context.gate, expand, now))
    trusted.check_peer(view)
    return (yield from _shown(view, credential, context, now))


def _shown(
    view: RequestView, credential: BearerToken | DPoPToken, context: GateContext, now: Instant
) -> Flow[Principal]:
    """Who a token speaks of, if whoever presents it also holds the key that it may be bound to."""
    token = BearerToken(credential.value) if isinstance(credential, DPoPToken) else credential
    principal = yield from authenticate_token(token, context.trust, now)
    if context.possession is not None:
        yield from show_possession(principal, credential, view, context.possession, now)
    return principal


def _project(credential: AppCredentials | ProjectToken, context: GateContext, now: Instant) -> Flow[Project]:
    revoked = partial(check_revoked, known=context.trust.known)
    service_id = context.service_id
    if isinstance(credential, ProjectToken):
        issuers, limits = context.project_issuers, context.trust.limits
        return (yield from authenticate_project_token(credential, issuers, limits, service_id, now, revoked))
    if not context.has_directory:
        raise InvalidProjectCredentials("nobody here knows app ids and secrets, only project tokens")
    served = context.project_tenants
    return (
        yield from authenticate_project(credential, context.projects, service_id, now, revoked, served=served)
    )


def decide_jointly(
    view: RequestView,
    policy: CompiledPolicy,
    context: GateContext,
    found: Mapping[Kind, Principal],
    barred: Mapping[Kind, AuthorizationError] = _NOBODY,
    *,
    now: Instant,
) -> Admission:
    """``decide``, and hold whom it admits against whom earlier guards of the request admitted (Law 6.8).

    Raises:
        TenantMismatch: If a user and a project of the request belong to different tenants.
        AuthgateError: As ``decide`` does.
    """
    admission = decide(view, policy, found, barred, now=now)
    everyone = everyone_admitted(admission, view, context.gate, context.tenant_bound)
    if view.memo is not None:
        view.memo.admitted[context.gate] = everyone
    return admission


def _admits(
    view: RequestView,
    *,
    policy: CompiledPolicy,
    context: GateContext,
    found: Mapping[Kind, Principal],
    now: Instant,
) -> bool:
    """Whether ``decide_jointly`` would admit; nothing remembers that it was asked."""
    try:
        everyone_admitted(decide(view, policy, found, now=now), view, context.gate, context.tenant_bound)
    except AuthgateError:
        return False
    return True


def decide(
    view: RequestView,
    policy: CompiledPolicy,
    found: Mapping[Kind, Principal],
    barred: Mapping[Kind, AuthorizationError] = _NOBODY,
    *,
    now: Instant,
) -> Admission:
    """Let a policy decide about authenticated principals (Law 2.3).

    Args:
        view: The request.
        policy: What is asked.
        found: Who was identified, by kind.
        barred: Who was identified and may not use this service, so that no branch admits them.
        now: The present moment.

    Raises:
        MissingCredentials: If no branch of the policy has all its kinds.
        StepUpRequired: If a new login is what is missing.
        AuthorizationError: If a branch has, and does not admit them.
    """
    decision = evaluate(policy, found, view, now)
    if decision.granted:
        return Admission(decision.principals, None, view, now)
    if barred and decision.unpresented:
        missing = policy.missing_kinds({*found, *barred})
        if not missing:
            raise next(iter(barred.values())).with_traceback(None)
        decision = replace(decision, unpresented=missing)
    raise decision.refusal()
