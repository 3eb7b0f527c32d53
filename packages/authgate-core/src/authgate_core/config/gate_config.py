"""The configuration of a gate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, cast

from ..api_keys import ApiKeys
from ..cache import TenantsServed
from ..cookies import Cookies
from ..errors import ConfigurationError
from ..events import Observer, Observers, observers_of
from ..gateways import Gateway
from ..issuer import Issuer
from ..observers import Auditor
from ..policy import RoleHierarchy
from ..ports import (
    AsyncProjectDirectory,
    AsyncReplayStore,
    AsyncRevocationStore,
    ProjectDirectory,
    ReplayStore,
    RevocationStore,
)
from ..possession import DPoP
from ..projects import RemoteProjects, StaticProjects
from ..replays import MemoryReplays, RedisReplays
from ..resource import resource_problems
from ..revocation import MemoryRevocation, RedisRevocation
from .checks import (
    NOBODY,
    api_key_problems,
    cookie_problems,
    count_problems,
    dpop_problems,
    flag_problems,
    gateway_problems,
    issuer_problems,
    logout_problems,
    observer_problems,
    project_problems,
    project_token_problems,
    proxy_problems,
    realm_problems,
    replay_problems,
    revocation_problems,
    role_problems,
    seconds_problems,
    service_problems,
    size_problems,
)
from .colours import Colour
from .environment import Settings, is_explaining, read_settings
from .keycloak import in_keycloak_words, read_keycloak
from .kong import is_behind_kong, kong_words, older_roles, read_kong
from .mercury import in_its_words, read_mercury

__all__ = ["Colour", "GateConfig", "Projects", "Replays", "RevocationSource"]

RevocationSource: TypeAlias = MemoryRevocation | RedisRevocation | RevocationStore | AsyncRevocationStore
Replays: TypeAlias = MemoryReplays | RedisReplays | ReplayStore | AsyncReplayStore
Projects: TypeAlias = StaticProjects | RemoteProjects | ProjectDirectory | AsyncProjectDirectory


Profile: TypeAlias = Literal["mercury", "kong", "keycloak"]

_LONGEST_WAIT: Final = 60.0
_LONGEST_STALE: Final = 365 * 86400.0
_MOST_TOKENS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What a gate is built from; nothing is checked or opened until ``Gate`` or ``AsyncGate`` is made.

    Args:
        issuers: Whose tokens are believed.
        gateway: A gateway in front that authenticates callers: users and services come from what it says, and no
            issuer is asked.
        projects: Who knows the project credentials: static, Mercury, or a port of your own.
        revocation: Where revocations are; one source or several, each asked at every request.
        replays: Where is remembered what may be used once, such as the nonces of a gateway's signatures.
        api_keys: Who knows API keys: a file, Redis, or a store of your own.
        roles: Which roles imply others.
        cookies: Where browsers keep tokens, and whose pages may use them; None where no cookie counts (Law 2.9).
        realm: The ``realm`` of challenges.
        resource: The URL that clients know this API by. Adapters then tell them at its well-known address, which
            challenges name, where its tokens come from (RFC 9728).
        dpop: What DPoP proofs are held against, where tokens of an issuer are bound to keys by them (RFC 9449).
        service_id: This service, where projects are enabled for some services only; ``RemoteProjects`` has its own.
        shared_subjects: Says that several issuers of users speak of the same people (Law 3.14).
        key_wait: How long a request waits for keys while there are none, seconds.
        max_stale: How long known keys go on while their issuer cannot be reached, seconds (Law 4.4).
        credential_limit: How long a credential header may be, bytes (Law 2.4).
        token_header_limit: How long the header segment of a token may be, bytes.
        token_depth: How deeply the JSON of a token may nest.
        verified_tokens: How many verified tokens are remembered for a minute, in this process; 0 for none (Law 7.1).
        proxy: The URL of a proxy for the gate's own requests; none is taken from the environment (Law 4.9).
        explain: Tell callers on this machine why they are refused (Law 10.3); by default whether the environment
            has ``AUTHGATE_EXPLAIN=1``.
        shadow: Report refusals but let requests in; for trying authgate in front of a running service (Law 8.6).
        on_event: Called with every decision and notice (Law 10.1): a function, or several; ``authgate_core.observers``
            has some.
        audit: Called with a record of every decision that names caller and request, as ``AuditLog`` writes them.
    """

    issuers: Sequence[Issuer] = ()
    gateway: Gateway | None = None
    projects: Projects | None = None
    revocation: RevocationSource | Sequence[RevocationSource] | None = None
    replays: Replays = field(default_factory=MemoryReplays)
    api_keys: ApiKeys | None = None
    roles: RoleHierarchy = field(default_factory=lambda: RoleHierarchy({}))
    cookies: Cookies | None = None
    realm: str = "api"
    resource: str | None = None
    dpop: DPoP | None = None
    service_id: str | None = None
    shared_subjects: bool = False
    key_wait: float = 2.0
    max_stale: float = 86400.0
    credential_limit: int = 16 * 1024
    token_header_limit: int = 2 * 1024
    token_depth: int = 16
    verified_tokens: int = 10_000
    proxy: str | None = field(default=None, repr=False)
    explain: bool = field(default_factory=is_explaining)
    shadow: bool = False
    on_event: Observers | None = None
    audit: Auditor | None = None

    def __post_init__(self) -> None:
        # A list that is changed afterwards would change what was checked.
        issuers: object = self.issuers
        if isinstance(issuers, Iterable) and not isinstance(issuers, (str, bytes)):
            object.__setattr__(self, "issuers", tuple(issuers))
        if isinstance(self.revocation, list):
            object.__setattr__(self, "revocation", tuple(self.revocation))
        if isinstance(self.on_event, list):
            object.__setattr__(self, "on_event", tuple(self.on_event))

    @property
    def trusted_issuers(self) -> tuple[Issuer, ...]:
        """Whose tokens are verified: the issuers, or that of the token which a gateway hands on."""
        asserted = None if self.gateway is None else self.gateway.issuer
        return tuple(self.issuers) if asserted is None else (asserted,)

    @property
    def speakers(self) -> tuple[Issuer | Gateway, ...]:
        """Who may speak of users and services."""
        return tuple(self.issuers) if self.gateway is None else (self.gateway,)

    @property
    def sources(self) -> tuple[RevocationSource, ...]:
        """The revocation sources, as configured."""
        if self.revocation is None:
            return ()
        several = isinstance(self.revocation, tuple)
        return cast("tuple[RevocationSource, ...]", self.revocation if several else (self.revocation,))

    @property
    def foreign(self) -> tuple[RedisRevocation, ...]:
        """The revocation sources whose entries are others' to write, and which are only read (Law 5.9)."""
        redis = (source for source in self.sources if isinstance(source, RedisRevocation))
        return tuple(source for source in redis if source.is_foreign)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Who is told of every decision and notice."""
        return observers_of(self.on_event)

    @property
    def service(self) -> str | None:
        """This service, as configured here or for ``RemoteProjects``."""
        remote = self.projects.service_id if isinstance(self.projects, RemoteProjects) else None
        return self.service_id if remote is None else remote

    @property
    def project_tenants(self) -> TenantsServed | None:
        """The projects that may be admitted at all; None for any that the directory confirms."""
        tenants = self.projects.tenants if isinstance(self.projects, RemoteProjects) else None
        return None if tenants is None else TenantsServed(tenants)

    @classmethod
    def from_env(
        cls, *, profile: Profile | None = None, given: Mapping[str, str] | None = None
    ) -> GateConfig:
        """From ``AUTHGATE_*`` environment variables, and where there is a profile from the variables that it has.

        Args:
            profile: The profile where ``AUTHGATE_PROFILE`` names none (docs/reference/configuration.md).
            given: Variables that count before those of the environment.

        Raises:
            ConfigurationError: Naming every setting that is wrong.
        """
        return cls.from_mapping({**os.environ, **(given or {})}, profile=profile)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, profile: Profile | None = None) -> GateConfig:
        """From the ``AUTHGATE_*`` keys of a mapping such as ``app.config``; other keys count for profiles only.

        Args:
            mapping: The settings by name.
            profile: As for ``from_env``.

        Raises:
            ConfigurationError: Naming every setting that is wrong.
        """
        settings, problems = read_settings(mapping)
        chosen = settings.profile or profile
        if chosen == "mercury":
            return cls._of_mercury(mapping, settings, problems)
        if is_behind_kong(chosen, mapping):
            return cls._of_kong(mapping, settings, problems, is_older=chosen == "keycloak")
        if chosen == "keycloak":
            return cls._of_keycloak(mapping, settings, problems)
        config = cls(
            issuers=settings.issuers(),
            projects=settings.projects(),
            revocation=settings.revocations(),
            service_id=settings.service_id,
            **_common(settings),
        )
        named = {_setting(problem) for problem in problems}
        problems += [problem for problem in settings.problems() if _setting(problem) not in named]
        if problems:
            # What settings name is of no colour.
            more = (problem for problem in config.problems("sync") if problem != NOBODY)
            raise ConfigurationError(*problems, *more)
        return config

    @classmethod
    def _of_mercury(cls, mapping: Mapping[str, Any], settings: Settings, problems: list[str]) -> GateConfig:
        mercury, wrong = read_mercury(mapping, settings)
        config = cls(
            issuers=[mercury.issuer()],
            projects=mercury.projects(),
            revocation=mercury.revocation(),
            service_id=mercury.old["SERVICE_ID"],
            **_common(settings),
        )
        problems += [*wrong, *map(in_its_words, config.problems("sync"))]
        if problems:
            raise ConfigurationError(*dict.fromkeys(problems))
        return config

    @classmethod
    def _of_keycloak(cls, mapping: Mapping[str, Any], settings: Settings, problems: list[str]) -> GateConfig:
        keycloak, wrong = read_keycloak(mapping, settings)
        config = cls(
            issuers=[keycloak.issuer()],
            revocation=settings.revocations(),
            roles=keycloak.roles(),
            **_common(settings),
        )
        problems += [*wrong, *map(in_keycloak_words, config.problems("sync"))]
        if problems:
            raise ConfigurationError(*dict.fromkeys(problems))
        return config

    @classmethod
    def _of_kong(
        cls, mapping: Mapping[str, Any], settings: Settings, problems: list[str], *, is_older: bool
    ) -> GateConfig:
        gateway, wrong = read_kong(mapping, settings)
        config = cls(
            gateway=gateway,
            projects=settings.projects(),
            roles=older_roles(settings) if is_older else RoleHierarchy({}),
            service_id=settings.service_id,
            **_common(settings),
        )
        problems += [*wrong, *map(kong_words, config.problems("sync"))]
        if problems:
            raise ConfigurationError(*dict.fromkeys(problems))
        return config

    def problems(self, colour: Colour) -> Iterator[str]:
        """Everything that is wrong and can be known without I/O (Law 1.6).

        Args:
            colour: Of the gate that will use it: its ports must be of that colour (Law 9.4).
        """
        yield from issuer_problems(
            self.issuers,
            has_others=any(one is not None for one in (self.projects, self.api_keys, self.gateway)),
            shared_subjects=self.shared_subjects,
        )
        yield from logout_problems(self.issuers, is_writable=len(self.sources) > len(self.foreign))
        yield from gateway_problems(self.gateway, self.issuers, self.cookies)
        yield from role_problems(self.roles)
        yield from project_problems(self.projects, colour)
        yield from revocation_problems(self.sources, colour)
        yield from replay_problems(self.replays, colour)
        yield from api_key_problems(self.api_keys, colour)
        yield from service_problems(self.service_id, self.projects)
        yield from project_token_problems(self.issuers, self.service)
        for name in ("credential_limit", "token_header_limit", "token_depth"):
            yield from size_problems(name, getattr(self, name))
        yield from count_problems("verified_tokens", self.verified_tokens, _MOST_TOKENS)
        yield from seconds_problems("key_wait", self.key_wait, _LONGEST_WAIT)
        yield from seconds_problems("max_stale", self.max_stale, _LONGEST_STALE)
        yield from flag_problems("shared_subjects", self.shared_subjects)
        yield from flag_problems("explain", self.explain)
        yield from flag_problems("shadow", self.shadow)
        yield from observer_problems("on_event", self.on_event)
        yield from observer_problems("audit", self.audit)
        yield from cookie_problems(self.cookies)
        yield from realm_problems(self.realm)
        yield from resource_problems(self.resource)
        yield from dpop_problems(self.dpop, self.issuers)
        yield from proxy_problems(self.proxy)


def _common(settings: Settings) -> dict[str, Any]:
    """What every profile takes from our own settings; Any because each has a type of its own."""
    explain = is_explaining() if settings.explain is None else settings.explain
    return {
        "realm": settings.realm,
        "resource": settings.resource,
        "explain": explain,
        "shadow": settings.shadow,
        "verified_tokens": settings.verified_tokens,
        "on_event": settings.observers() or None,
        "audit": settings.auditor(),
    }


def _setting(problem: str) -> str:
    """Which setting a problem is about."""
    return problem.partition(":")[0]
