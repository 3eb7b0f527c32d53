"""The configuration of a gate."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..events import Observer
from ..issuer import ANY_AUDIENCE, Issuer
from ..policy import RoleHierarchy
from ..ports import AsyncProjectDirectory, AsyncRevocationStore, ProjectDirectory, RevocationStore
from ..projects import StaticProjects
from ..revocation import MemoryRevocation, RedisRevocation
from .colours import Colour, port_problems
from .environment import Settings, read_settings

__all__ = ["Colour", "GateConfig", "Projects", "RevocationSource"]

RevocationSource: TypeAlias = MemoryRevocation | RedisRevocation | RevocationStore | AsyncRevocationStore
Projects: TypeAlias = StaticProjects | ProjectDirectory | AsyncProjectDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What a gate is built from; nothing is checked or opened until ``Gate`` or ``AsyncGate`` is made.

    Args:
        issuers: Whose tokens are believed.
        projects: Who knows the project credentials: static, or a port of your own.
        revocation: Where revocations are; one source or several, each asked at every request.
        roles: Which roles imply others.
        realm: The ``realm`` of challenges.
        service_id: This service, where projects are enabled for some services only.
        shared_subjects: Says that several issuers of users speak of the same people (Law 3.14).
        key_wait: How long a request waits for keys while there are none, seconds.
        max_stale: How long known keys go on while their issuer cannot be reached, seconds (Law 4.4).
        credential_limit: How long a credential header may be, bytes (Law 2.4).
        token_header_limit: How long the header segment of a token may be, bytes.
        token_depth: How deeply the JSON of a token may nest.
        proxy: The URL of a proxy for the gate's own requests; none is taken from the environment (Law 4.9).
        shadow: Report refusals but let requests in; for trying authgate in front of a running service (Law 8.6).
        on_event: Called with every decision and notice (Law 10.1).
    """

    issuers: Sequence[Issuer] = ()
    projects: Projects | None = None
    revocation: RevocationSource | Sequence[RevocationSource] | None = None
    roles: RoleHierarchy = field(default_factory=lambda: RoleHierarchy({}))
    realm: str = "api"
    service_id: str | None = None
    shared_subjects: bool = False
    key_wait: float = 2.0
    max_stale: float = 86400.0
    credential_limit: int = 16 * 1024
    token_header_limit: int = 2 * 1024
    token_depth: int = 16
    proxy: str | None = field(default=None, repr=False)
    shadow: bool = False
    on_event: Observer | None = None

    def __post_init__(self) -> None:
        # A list that is changed afterwards would change what was checked.
        issuers: object = self.issuers
        if isinstance(issuers, Iterable) and not isinstance(issuers, (str, bytes)):
            object.__setattr__(self, "issuers", tuple(issuers))

    @property
    def sources(self) -> tuple[RevocationSource, ...]:
        """The revocation sources, as configured."""
        if self.revocation is None:
            return ()
        return tuple(self.revocation) if isinstance(self.revocation, Sequence) else (self.revocation,)

    @classmethod
    def from_env(cls) -> GateConfig:
        """From ``AUTHGATE_*`` environment variables (docs/reference/configuration.md).

        Raises:
            ConfigurationError: Naming every setting that is wrong.
        """
        return cls.from_mapping(os.environ)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> GateConfig:
        """From the ``AUTHGATE_*`` keys of a mapping such as ``app.config``; other keys are left alone.

        Raises:
            ConfigurationError: Naming every setting that is wrong.
        """
        return _built(read_settings(mapping))

    def problems(self, colour: Colour) -> Iterator[str]:
        """Everything that is wrong and can be known without I/O (Law 1.6).

        Args:
            colour: Of the gate that will use it: its ports must be of that colour (Law 9.4).
        """
        mistyped = list(self._type_problems())
        yield from mistyped
        if not mistyped:
            yield from self._issuer_problems()
            yield from (f"roles: {problem}" for problem in self.roles.problems())
        yield from self._project_problems(colour)
        yield from self._revocation_problems(colour)
        yield from self._number_problems()

    def _type_problems(self) -> Iterator[str]:
        """What a type checker would have said."""
        issuers: object = self.issuers
        roles: object = self.roles
        on_event: object = self.on_event
        if not isinstance(issuers, tuple) or not all(isinstance(issuer, Issuer) for issuer in issuers):
            yield "issuers: give a list of Issuer.oidc(...), Issuer.jwks(...) or Issuer.static(...)"
        if not isinstance(roles, RoleHierarchy):
            yield "roles: give RoleHierarchy({role: [roles that it implies]})"
        if on_event is not None and not callable(on_event):
            yield "on_event: give a function that takes an event"

    def _issuer_problems(self) -> Iterator[str]:
        if not self.issuers and self.projects is None:
            yield "issuers: nobody could be admitted; give issuers=[Issuer...], projects=..., or both"
        for issuer in self.issuers:
            yield from issuer.problems()
        yield from self._issuer_conflicts()

    def _issuer_conflicts(self) -> Iterator[str]:
        for iss, count in Counter(issuer.issuer for issuer in self.issuers).items():
            if count > 1:
                yield f"issuers: {count} have issuer={iss!r}; a token could not tell them apart (Law 3.5)"
        for name, count in Counter(issuer.name for issuer in self.issuers).items():
            if count > 1:
                yield f"issuers: {count} are named {name!r}; give each a name= of its own"
        users = [issuer for issuer in self.issuers if issuer.makes_users]
        if (
            len(users) > 1
            and not self.shared_subjects
            and not all(issuer.mapping.namespace for issuer in users)
        ):
            yield (
                "issuers: several issue users, so one id could mean two people; give each namespace=..., "
                "or write shared_subjects=True if they speak of the same people"
            )

    def _project_problems(self, colour: Colour) -> Iterator[str]:
        if isinstance(self.projects, StaticProjects):
            yield from (f"projects: {problem}" for problem in self.projects.problems())
        elif self.projects is not None:
            yield from port_problems("projects", self.projects, "look_up", colour)

    def _revocation_problems(self, colour: Colour) -> Iterator[str]:
        for source in self.sources:
            if isinstance(source, (MemoryRevocation, RedisRevocation)):
                yield from (f"revocation: {problem}" for problem in source.problems(colour))
            else:
                yield from port_problems("revocation", source, "is_revoked", colour)

    def _number_problems(self) -> Iterator[str]:
        for name in ("key_wait", "max_stale", "credential_limit", "token_header_limit", "token_depth"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                yield f"{name}: {value!r} is not a positive number"
        realm: object = self.realm
        if not isinstance(realm, str) or not realm or not (realm.isascii() and realm.isprintable()):
            yield f"realm: {self.realm!r} is not a printable ASCII text"
        if self.proxy is not None and not _is_proxy(self.proxy):
            yield "proxy: is not the URL of an HTTP proxy; write http://host:port"


def _is_proxy(url: object) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme == "http" and bool(parts.hostname)


def _built(settings: Settings) -> GateConfig:
    problems = [*settings.problems()]
    if problems:
        raise ConfigurationError(*problems)
    return GateConfig(
        issuers=_issuers(settings),
        projects=None if settings.projects_file is None else StaticProjects.from_file(settings.projects_file),
        revocation=_revocation(settings),
        realm=settings.realm,
        service_id=settings.service_id,
        shadow=settings.shadow,
    )


def _issuers(settings: Settings) -> list[Issuer]:
    if settings.issuer is None or not settings.audience:
        return []
    audience = ANY_AUDIENCE if settings.audience == ("ANY_AUDIENCE",) else settings.audience
    if settings.jwks_url is not None:
        return [
            Issuer.jwks(settings.jwks_url, issuer=settings.issuer, audience=audience, **settings.options())
        ]
    return [Issuer.oidc(settings.issuer, audience=audience, **settings.options())]


def _revocation(settings: Settings) -> RevocationSource | None:
    if settings.redis_url is not None:
        return RedisRevocation(settings.redis_url, on_error=settings.redis_on_error)
    return MemoryRevocation() if settings.revocation == "memory" else None
