"""Gates for tests, and who stands in for a caller there: only the verification of credentials is left out (Law 9.6).

    gate = gate_for_tests(config)
    with as_user("u1", roles=["admin"]), as_project("shop"):
        ...  # every request through this gate comes from them

A stand-in is put before the gate: its request presents a credential that is of no use anywhere else, and the
memo of the request says whose it is. So whatever comes after verification runs as it is: policies, revocation,
enabled services, tenants that must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from ..clock import Clock, Instant, SystemClock
from ..config import GateConfig
from ..credentials import API_KEY, APP, BEARER, BearerToken
from ..effects import Flow
from ..flows.admit import admit
from ..gate import AsyncGate, Gate
from ..issuer import Issuer
from ..policy import Policy
from ..principal import Admission, ApiKey, Project, Service, User
from ..projects import RemoteProjects
from ..request import RequestView
from .placing import hearing, in_place, standing_aside, standing_in

__all__ = [
    "as_api_key",
    "as_nobody",
    "as_project",
    "as_service",
    "as_user",
    "async_gate_for_tests",
    "gate_for_tests",
]

_SYSTEM: Final = SystemClock()


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
        view = yield from in_place(view, self._context, self.config, now)
        context = hearing(self._context)
        return (yield from admit(view, self._compiled(policy), context, now, optional=optional, token=token))


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
        view = yield from in_place(view, self._context, self.config, now)
        context = hearing(self._context)
        return (yield from admit(view, self._compiled(policy), context, now, optional=optional, token=token))


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
    _check_names(roles, scopes)

    def make(config: GateConfig) -> User:
        trusted = _trusted(config, issuer, "makes_users")
        shown = None if trusted is None else trusted.mapping.public
        held = {"sub": id, "uuid": id, "email": email, "name": name} if shown else {"sub": id}
        return User(
            id=id,
            issuer=issuer or _name(config, trusted),
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

    return standing_in(BEARER, make)


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
    _check_names(roles, scopes)

    def make(config: GateConfig) -> Service:
        trusted = _trusted(config, issuer, "makes_services")
        return Service(
            id=id,
            issuer=issuer or _name(config, trusted),
            tenant=tenant,
            roles=roles,
            scopes=scopes,
            claims={"sub": id, **(claims or {})},
            source="bearer",
            implied_roles=config.roles.expand(tuple(roles)),
            name=name or client_id,
            client_id=client_id,
        )

    return standing_in(BEARER, make)


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
    _check_names(roles, scopes)

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

    return standing_in(APP, make)


def as_api_key(
    id: str = "k1",  # noqa: A002 - the public name of the attribute
    *,
    owner_id: str | None = None,
    service: str | None = None,
    expires_at: float | None = None,
    prefix: str | None = None,
    roles: Sequence[str] = (),
    scopes: Sequence[str] = (),
    tenant: str | None = None,
) -> AbstractContextManager[None]:
    """Let every request through a gate for tests present this API key; see ``as_user``."""
    _check_names(roles, scopes)

    def make(config: GateConfig) -> ApiKey:
        return ApiKey(
            id=id,
            owner_id=owner_id,
            service=service,
            expires_at=expires_at,
            prefix=prefix,
            tenant=tenant,
            roles=roles,
            scopes=scopes,
            implied_roles=config.roles.expand(tuple(roles)),
        )

    return standing_in(API_KEY, make)


def as_nobody() -> AbstractContextManager[None]:
    """Let every request through a gate for tests present nothing, whatever it carries, until the block ends.

    It takes the place of whoever stands in around it, and who stands in within it takes its own.
    """
    return standing_aside()


def _check_names(roles: object, scopes: object) -> None:
    """A text is a sequence of letters, and a caller with these for roles would be refused for no visible reason."""
    for option, given in (("roles", roles), ("scopes", scopes)):
        if isinstance(given, str):
            raise TypeError(f"{option}= takes a list of names; write {option}={given.split()}")


def _trusted(config: GateConfig, name: str | None, makes: str) -> Issuer | None:
    able = (issuer for issuer in config.trusted_issuers if getattr(issuer, makes))
    return next((issuer for issuer in able if name in {None, issuer.name}), None)


def _name(config: GateConfig, trusted: Issuer | None) -> str:
    """Who vouches for whoever stands in: an issuer, or else the gateway."""
    speaker = trusted or config.gateway
    return "testing" if speaker is None else speaker.name
