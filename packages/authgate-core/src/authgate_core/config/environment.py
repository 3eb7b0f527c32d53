"""Settings by name: ``AUTHGATE_*`` variables of the environment, or keys of a mapping."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ..events import Observer
from ..issuer import ANY_AUDIENCE, Issuer
from ..observers import AuditLog, OpenTelemetry, Prometheus
from ..observers.metrics import GROUPS, Group
from ..projects import StaticProjects
from ..revocation import MemoryRevocation, RedisRevocation

__all__ = [
    "PREFIX",
    "WATCHING",
    "Settings",
    "is_explaining",
    "own_variables",
    "proxy_variables",
    "read_settings",
]

PREFIX: Final = "AUTHGATE_"
_ELSEWHERE: Final = frozenset({"SET_G", "VECTORS"})
"""Names with our prefix that other parts of authgate read: the Flask extension, and the project's own tests."""

WATCHING: Final = frozenset({"prometheus", "otel", "audit"})
"""What says who watches, which goes with every profile."""

_OF_KEYCLOAK: Final = frozenset({"service_clients", "service_by", "admin_implies_all"})

_NARROWING: Final = frozenset(
    {"algorithms", "authorized_parties", "roles", "scopes", "service_clients", "tenants"}
)
"""Lists that narrow what is believed: an empty one, as a template leaves it, would narrow nothing."""


_BEHIND_KONG: Final = frozenset(
    {"gateway_peers", "gateway_tls_peers", "server_drops_underscores", "server_shows_peer"}
)
"""What says where a gateway is, and what the server shows of it."""


_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def _split(value: object) -> object:
    """A comma list, or what a mapping may hold already."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseSettings):
    """The settings that a gate can be built from by name; see docs/reference/configuration.md for each."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    profile: Literal["mercury", "kong", "keycloak"] | None = None
    issuer: str | None = None
    audience: Names = ()
    jwks_url: str | None = None
    algorithms: Names = ()
    leeway: float | None = None
    max_lifetime: float | None = None
    require_at_jwt: bool = False
    subject: str | None = None
    roles: Names = ()
    scopes: Names = ()
    tenant: str | None = None
    tenants: Names = ()
    authorized_parties: Names = ()
    service_claim: str | None = None
    service_clients: Names = ()
    service_by: Names = ()
    admin_implies_all: bool = True
    allow_http: bool = False
    projects_file: str | None = None
    service_id: str | None = None
    revocation: Literal["memory", "none"] = "none"
    redis_url: str | None = Field(default=None, repr=False)
    redis_on_error: Literal["deny", "allow"] = "deny"
    redis_feed: bool = False
    gateway_peers: Names = ()
    gateway_tls_peers: Names = ()
    server_shows_peer: bool = False
    server_drops_underscores: bool = False
    realm: str = "api"
    resource: str | None = None
    explain: bool | None = None
    shadow: bool = False
    verified_tokens: int = 10_000
    prometheus: Annotated[tuple[Literal["all"] | Group, ...], BeforeValidator(_split)] = ()
    otel: bool = False
    audit: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: a mapping must never be completed from the environment behind its back."""
        return (init_settings,)

    def problems(self) -> Iterator[str]:  # noqa: C901 - one for each
        """What the settings lack of each other, where no profile says what they are made of."""
        if self.issuer is None and self.projects_file is None:
            yield (
                "AUTHGATE_ISSUER: is not set; give the issuer's URL, AUTHGATE_PROJECTS_FILE for projects alone, "
                "or AUTHGATE_PROFILE=mercury to have Mercury's own variables read"
            )
        if self.issuer is not None and not self.audience:
            yield "AUTHGATE_AUDIENCE: is not set; name this API's audience, or write ANY_AUDIENCE"
        if "*" in self.tenants:
            yield "AUTHGATE_TENANTS: '*' is the name of no tenant; do not set it, to serve every one"
        if self.jwks_url is not None and self.issuer is None:
            yield "AUTHGATE_JWKS_URL: needs AUTHGATE_ISSUER, the exact iss of its tokens"
        if self.service_claim is not None and "=" not in self.service_claim:
            yield "AUTHGATE_SERVICE_CLAIM: write claim=value, for example gty=client-credentials"
        if self.redis_url is not None and self.revocation == "memory":
            yield "AUTHGATE_REVOCATION: memory contradicts AUTHGATE_REDIS_URL; set one of them"
        if self.redis_on_error != "deny" and self.redis_url is None:
            yield "AUTHGATE_REDIS_ON_ERROR: needs AUTHGATE_REDIS_URL"
        if self.redis_feed and self.redis_url is None:
            yield "AUTHGATE_REDIS_FEED: needs AUTHGATE_REDIS_URL"
        for name in sorted(self.model_fields_set & _OF_KEYCLOAK):
            yield f"AUTHGATE_{name.upper()}: belongs to AUTHGATE_PROFILE=keycloak"
        for name in sorted(self.model_fields_set & _BEHIND_KONG):
            yield f"{PREFIX}{name.upper()}: needs AUTHGATE_PROFILE=kong"
        if self.service_id is not None and self.projects_file is None:
            yield "AUTHGATE_SERVICE_ID: needs AUTHGATE_PROJECTS_FILE, whose projects are enabled for services"

    def issuers(self) -> list[Issuer]:
        """The issuer, if one is set."""
        if self.issuer is None:
            return []
        audience = ANY_AUDIENCE if self.audience == ("ANY_AUDIENCE",) else self.audience
        if self.jwks_url is None:
            return [Issuer.oidc(self.issuer, audience=audience, **self._options())]
        return [Issuer.jwks(self.jwks_url, issuer=self.issuer, audience=audience, **self._options())]

    def projects(self) -> StaticProjects | None:
        """The projects, if a file is set."""
        return None if self.projects_file is None else StaticProjects.from_file(self.projects_file)

    def revocations(self) -> MemoryRevocation | RedisRevocation | None:
        """The revocation source, if one is set."""
        if self.redis_url is not None:
            return RedisRevocation(self.redis_url, on_error=self.redis_on_error, feed=self.redis_feed)
        return MemoryRevocation() if self.revocation == "memory" else None

    def observers(self) -> tuple[Observer, ...]:
        """Who is told of every decision.

        Raises:
            ConfigurationError: If a library that this takes is not installed.
        """
        wanted = set(self.prometheus)
        groups: tuple[Group, ...] = tuple(group for group in GROUPS if {"all", group} & wanted)
        counting: tuple[Observer, ...] = (Prometheus(groups=groups),) if groups else ()
        return (*counting, OpenTelemetry()) if self.otel else counting

    def auditor(self) -> AuditLog | None:
        """Who is told who did what."""
        return AuditLog() if self.audit else None

    def _options(self) -> dict[str, Any]:
        """The options of ``Issuer`` that are set; Any because each has a type of its own."""
        names = (
            "algorithms",
            "leeway",
            "max_lifetime",
            "subject",
            "roles",
            "scopes",
            "tenant",
            "tenants",
            "authorized_parties",
        )
        options = {name: getattr(self, name) for name in names if getattr(self, name) not in (None, ())}
        if self.service_claim is not None:
            claim, _, value = self.service_claim.partition("=")
            options["service_when"] = {claim: value}
        return options | {"require_at_jwt": self.require_at_jwt, "allow_http": self.allow_http}


def is_explaining() -> bool:
    """Whether the environment asks to tell callers on this machine why they are refused (Law 10.3)."""
    return os.environ.get("AUTHGATE_EXPLAIN") == "1"


def own_variables() -> frozenset[str]:
    """The variables of the environment that are settings, but for the one that counts wherever the others are."""
    return frozenset(name for name in os.environ if name.startswith(PREFIX)) - {f"{PREFIX}EXPLAIN"}


def proxy_variables() -> tuple[str, ...]:
    """The variables of the environment by which other programs find a proxy, and no gate does (Law 4.9)."""
    return tuple(name for name in _PROXIES if os.environ.get(name) or os.environ.get(name.lower()))


def read_settings(mapping: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Read the ``AUTHGATE_*`` keys of a mapping; what they lack of each other is ``Settings.problems``.

    Returns:
        What could be read, and everything that is wrong with the rest: a sentence for each key that is unknown,
        or holds the wrong kind of value.
    """
    given = {key.removeprefix(PREFIX): value for key, value in mapping.items() if str(key).startswith(PREFIX)}
    given = {name: value for name, value in given.items() if name not in _ELSEWHERE and value is not None}
    known = {name.lower(): value for name, value in given.items() if name.lower() in Settings.model_fields}
    problems = [*_unknown(sorted(name for name in given if name.lower() not in known))]
    settings, wrong = _validated(known)
    return settings, [*problems, *wrong.values(), *_misread(settings)]


def _misread(settings: Settings) -> Iterator[str]:
    """Lists that can be read, and certainly not as they are meant."""
    for name in sorted(settings.model_fields_set & _NARROWING):
        if not getattr(settings, name):
            yield f"{PREFIX}{name.upper()}: is empty; name at least one, or do not set it, for the default"
    if "*" in settings.audience:
        yield "AUTHGATE_AUDIENCE: '*' is the name of no audience; write ANY_AUDIENCE to accept every token"


def _validated(values: dict[str, Any]) -> tuple[Settings, dict[str, str]]:
    """The settings that can be read, and by name what is wrong with the others."""
    try:
        return Settings(**values), {}
    except ValidationError as error:
        lines = error.errors(include_url=False, include_input=False)
    wrong = {str(line["loc"][0]): f"{PREFIX}{str(line['loc'][0]).upper()}: {line['msg']}" for line in lines}
    settings = Settings(**{name: value for name, value in values.items() if name not in wrong})
    return settings, {f"{PREFIX}{name.upper()}": line for name, line in wrong.items()}


def _unknown(names: list[str]) -> Iterator[str]:
    fields = [name.upper() for name in Settings.model_fields]
    for name in names:
        shown = ascii(name)[1:-1]  # an environment may hold names that no log can be written with
        near = difflib.get_close_matches(name, fields, n=1)
        if near:
            yield f"{PREFIX}{shown}: is not a setting; did you mean {PREFIX}{near[0]}?"
        else:
            # A stranger with our prefix need not be a mistake of ours, so it does not stop the service.
            logging.getLogger("authgate").warning("%s%s is not a setting and is ignored", PREFIX, shown)
