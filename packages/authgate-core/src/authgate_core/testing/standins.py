"""Gates for tests, and who stands in for a caller there: only the verification of credentials is left out (Law 9.6).

    gate = gate_for_tests(config)
    with as_user("u1", roles=["admin"]), as_project("shop"):
        ...  # every request through this gate comes from them

A stand-in is put before the gate: its request presents a credential that is of no use anywhere else, and the
memo of the request says whose it is. So whatever comes after verification runs as it is: policies, revocation,
enabled services, tenants that must agree.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..clock import Clock, Instant, SystemClock
from ..config import GateConfig
from ..credentials import (
    APP,
    BEARER,
    HEADERS,
    PROJECT_TOKEN_HEADER,
    SUBPROTOCOL,
    AppCredentials,
    BearerToken,
    Credential,
    Kind,
)
from ..effects import Flow
from ..errors import AuthgateError, TokenRevoked
from ..flows.admit import GateContext
from ..flows.project import judge_project
from ..flows.revoked import check_revoked
from ..gate import AsyncGate, Gate
from ..issuer import Issuer
from ..policy import Policy
from ..principal import Admission, Principal, Project, ProjectRef, Service, TokenRef, User
from ..projects import RemoteProjects
from ..request import Memo, RequestView
from ..secret import Secret

__all__ = ["as_project", "as_service", "as_user", "async_gate_for_tests", "gate_for_tests"]

_SYSTEM: Final = SystemClock()
_LIFE: Final = 300.0
_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _StandIn:
    """Somebody who stands in: the credential that names them, and how a gate's configuration makes them."""

    kind: Kind
    name: str
    make: Callable[[GateConfig], Principal]

    @property
    def credential(self) -> Credential:
        secret = Secret(self.name)
        return BearerToken(secret) if self.kind == BEARER else AppCredentials(self.name, secret)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        if self.kind == BEARER:
            return (("authorization", f"Bearer {self.name}"),)
        return (("x-app-id", self.name), ("x-app-secret", self.name))


_present: dict[Kind, tuple[_StandIn, ...]] = {}
_lock: Final = threading.Lock()


@contextmanager
def _standing_in(kind: Kind, make: Callable[[GateConfig], Principal]) -> Generator[None]:
    """Have one stand in until the block ends, in every thread: a server under test has threads of its own."""
    stand_in = _StandIn(kind, f"stand-in-{next(_numbers)}", make)
    with _lock:
        _present[kind] = (*_present.get(kind, ()), stand_in)
    try:
        yield
    finally:
        with _lock:
            _present[kind] = tuple(other for other in _present[kind] if other is not stand_in)


def _in_place(view: RequestView, context: GateContext, config: GateConfig, now: Instant) -> Flow[RequestView]:
    """The request as if it had come from whoever stands in, if anybody does."""
    for stand_ins in tuple(_present.values()):
        for stand_in in stand_ins[-1:]:
            view = _presenting(view, stand_in)
            yield from _remember(view, stand_in, context, config, now)
    return view


def _presenting(view: RequestView, stand_in: _StandIn) -> RequestView:
    """The request with the credential of a stand-in in the place of what it presents of that kind."""
    project_token = (PROJECT_TOKEN_HEADER,) if stand_in.kind == APP else ()
    replaced = {name.lower() for name in (*HEADERS[stand_in.kind], *project_token)}
    kept = (pair for pair in view.headers if pair[0] not in replaced)
    offered = (name for name in view.subprotocols if not name.startswith(SUBPROTOCOL))
    return view.with_memo(
        Memo() if view.memo is None else view.memo,
        headers=(*kept, *stand_in.headers),
        subprotocols=tuple(offered) if stand_in.kind == BEARER else view.subprotocols,
    )


def _remember(
    view: RequestView, stand_in: _StandIn, context: GateContext, config: GateConfig, now: Instant
) -> Flow[None]:
    """Have the memo of the request say whose the credential is, unless it does already."""
    memo, credential = view.memo, stand_in.credential
    if memo is not None and memo.recall(context.gate, stand_in.kind, credential) is None:
        outcome = yield from _judged(stand_in.make(config), stand_in.name, context, now)
        memo.remember(context.gate, stand_in.kind, credential, outcome)


def _judged(
    principal: Principal, name: str, context: GateContext, now: Instant
) -> Flow[Principal | AuthgateError]:
    """Who stands in, or why they may not: what is asked of every credential after it was verified."""
    revoked = partial(check_revoked, known=context.trust.known)
    try:
        if isinstance(principal, Project):
            ref = ProjectRef(principal.id, principal.secret_version)
            yield from judge_project(principal, ref, context.service_id, revoked)
        elif (yield from revoked(_ref(principal, name, now.wall))):
            raise TokenRevoked("whoever stands in was revoked", issuer=principal.issuer)
    except AuthgateError as refusal:
        return refusal
    return principal


def _ref(principal: Principal, name: str, now: float) -> TokenRef:
    claims = principal.claims
    jti = claims.get("jti")
    return TokenRef(
        issuer=principal.issuer,
        tenant=principal.tenant,
        name=jti if isinstance(jti, str) else name,
        has_jti=True,  # Law 5.9: in the layout of others a token without one is refused
        session_id=claims.get("sid"),
        subject=principal.id,
        client_id=principal.client_id if isinstance(principal, (User, Service)) else None,
        issued_at=claims.get("iat", now),
        auth_time=claims.get("auth_time"),
        expires_at=claims.get("exp", now + _LIFE),
        kid=None,
    )


class _Gate(Gate):
    """``Gate`` in which callers can be stood in for."""

    def _admitted_at_once(self, view: RequestView, policy: Policy, now: Instant) -> None:
        """Nobody is: who stands in is not in what the request presents."""

    def _admitted(
        self,
        view: RequestView,
        policy: Policy,
        now: Instant,
        *,
        optional: bool,
        token: BearerToken | None = None,
    ) -> Flow[Admission]:
        view = yield from _in_place(view, self._context, self.config, now)
        return (yield from super()._admitted(view, policy, now, optional=optional, token=token))


class _AsyncGate(AsyncGate):
    """``AsyncGate`` in which callers can be stood in for."""

    def _admitted_at_once(self, view: RequestView, policy: Policy, now: Instant) -> None:
        """Nobody is: who stands in is not in what the request presents."""

    def _admitted(
        self,
        view: RequestView,
        policy: Policy,
        now: Instant,
        *,
        optional: bool,
        token: BearerToken | None = None,
    ) -> Flow[Admission]:
        view = yield from _in_place(view, self._context, self.config, now)
        return (yield from super()._admitted(view, policy, now, optional=optional, token=token))


def gate_for_tests(config: GateConfig, *, clock: Clock = _SYSTEM) -> Gate:
    """A ``Gate`` in which ``as_user`` and its like work; otherwise it is like any other.

    Raises:
        ConfigurationError: As ``Gate`` does.
    """
    return _Gate(config, clock=clock)


def async_gate_for_tests(config: GateConfig, *, clock: Clock = _SYSTEM) -> AsyncGate:
    """``gate_for_tests`` for event loops."""
    return _AsyncGate(config, clock=clock)


def as_user(
    id: str = "u1",  # noqa: A002 - the public name of the attribute
    *,
    roles: Sequence[str] = (),
    scopes: Sequence[str] = (),
    tenant: str | None = None,
    email: str | None = None,
    name: str | None = None,
    username: str | None = None,
    issuer: str | None = None,
    claims: Mapping[str, Any] | None = None,
) -> AbstractContextManager[None]:
    """Let every request through a gate for tests come from this user, until the block ends.

    The innermost of several users counts. It holds in every thread of the process, and gates that were not made
    by ``gate_for_tests`` or ``async_gate_for_tests`` never see it (Law 9.6).

    Args:
        id: The user's id, as the gate would have mapped it.
        roles: Those of the token; what a hierarchy implies is added.
        scopes: Those of the token.
        tenant: The tenant.
        email: ``user.email``.
        name: ``user.name``.
        username: ``user.username``.
        issuer: The configured name of the issuer; by default the first that can assert users.
        claims: Further claims; ``sid``, ``jti``, ``iat`` and ``auth_time`` count for revocation. Any because
            they are JSON.
    """

    def make(config: GateConfig) -> User:
        trusted = _trusted(config, issuer, "makes_users")
        shown = None if trusted is None else trusted.mapping.public
        held = {"sub": id, "uuid": id, "email": email, "name": name} if shown else {"sub": id}
        return User(
            id=id,
            issuer=issuer or ("testing" if trusted is None else trusted.name),
            tenant=tenant,
            roles=roles,
            scopes=scopes,
            claims={**held, **(claims or {})},
            source="bearer",
            implied_roles=config.roles.expand(tuple(roles)),
            public=shown,
            email=email,
            name=name,
            username=username,
            session_id=(claims or {}).get("sid"),
        )

    return _standing_in(BEARER, make)


def as_service(
    id: str = "s1",  # noqa: A002 - the public name of the attribute
    *,
    roles: Sequence[str] = (),
    scopes: Sequence[str] = (),
    tenant: str | None = None,
    name: str | None = None,
    client_id: str | None = None,
    issuer: str | None = None,
    claims: Mapping[str, Any] | None = None,
) -> AbstractContextManager[None]:
    """Let every request through a gate for tests come from this service; see ``as_user``."""

    def make(config: GateConfig) -> Service:
        trusted = _trusted(config, issuer, "makes_services")
        return Service(
            id=id,
            issuer=issuer or ("testing" if trusted is None else trusted.name),
            tenant=tenant,
            roles=roles,
            scopes=scopes,
            claims={"sub": id, **(claims or {})},
            source="bearer",
            implied_roles=config.roles.expand(tuple(roles)),
            name=name or client_id,
            client_id=client_id,
        )

    return _standing_in(BEARER, make)


def as_project(
    id: str = "p1",  # noqa: A002 - the public name of the attribute
    *,
    name: str | None = None,
    enabled_services: Sequence[str] | None = None,
    secret_version: int = 0,
    roles: Sequence[str] = (),
    scopes: Sequence[str] = (),
    tenant: str | None = None,
    claims: Mapping[str, Any] | None = None,
) -> AbstractContextManager[None]:
    """Let every request through a gate for tests come from this project; see ``as_user``."""

    def make(config: GateConfig) -> Project:
        named = {
            "projectUuid": id,
            "projectName": name,
            "enabledServices": enabled_services and [*enabled_services],
            "secretVersion": secret_version,
        }
        return Project(
            id=id,
            name=name,
            enabled_services=enabled_services,
            secret_version=secret_version,
            tenant=tenant,
            roles=roles,
            scopes=scopes,
            claims={**named, **(claims or {})},
            public=tuple(named) if isinstance(config.projects, RemoteProjects) else None,
            implied_roles=config.roles.expand(tuple(roles)),
        )

    return _standing_in(APP, make)


def _trusted(config: GateConfig, name: str | None, makes: str) -> Issuer | None:
    able = (issuer for issuer in config.issuers if getattr(issuer, makes))
    return next((issuer for issuer in able if name in {None, issuer.name}), None)
