"""Mercury's projects, the keys of each, and the tokens of its users and projects."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from ..clock import Clock, SystemClock
from ..headers import X_APP_ID, X_APP_SECRET
from .hostile import HostileTokens
from .shapes import ABSENT, Absent
from .tokens import TokenMint

__all__ = ["AnyProject", "MercuryMint", "MercuryProject"]

_NOWHERE: Final = "https://mercury.test"


@dataclass(frozen=True, slots=True)
class MercuryProject:
    """A project as Mercury knows it at one moment.

    Args:
        uuid: Its id, in canonical spelling.
        name: What it is called.
        app_id: What it presents as ``x-app-id``.
        app_secret: What it presents as ``x-app-secret``.
        enabled_services: The ids of the services that it may use.
        secret_version: Counts its secrets.
        enabled: Whether Mercury still knows it.
    """

    uuid: str
    name: str | None
    app_id: str
    app_secret: str = field(repr=False)
    enabled_services: tuple[str, ...]
    secret_version: int = 0
    enabled: bool = True

    @property
    def keys_path(self) -> str:
        """Where its key set is."""
        return f"/auth/projects/{self.uuid}/.well-known/jwks.json"

    @property
    def headers(self) -> dict[str, str]:
        """What it presents to a service."""
        return {X_APP_ID: self.app_id, X_APP_SECRET: self.app_secret}


AnyProject: TypeAlias = MercuryProject | str
"""A project or its id."""


class _Place:
    """Where Mercury is, as all its mints say: the address is known only once it is served."""

    __slots__ = ("url",)

    def __init__(self) -> None:
        self.url = _NOWHERE


class _Mint(TokenMint):
    """Signs with RS512, as tokens of Mercury are."""

    def __init__(self, place: _Place, clock: Clock, stem: str, audience: str = "") -> None:
        self._place = place
        super().__init__(place.url, audience=audience, algorithm="RS512", clock=clock, stem=stem)

    @property
    def url(self) -> str:
        """The issuer, as in ``iss``."""
        return self._place.url

    def header(self, algorithm: str | None = None, kid: str | Absent | None = None) -> dict[str, object]:
        """The header of a token."""
        return super().header(algorithm, kid) | {"typ": "JWT"}


class _UserMint(_Mint):
    """Signs the user tokens of one project."""

    def __init__(self, place: _Place, clock: Clock, stem: str, audience: str, project_uuid: str) -> None:
        self._project_uuid = project_uuid
        super().__init__(place, clock, stem, audience)

    def claims(self, sub: object = "u1", *, expires_in: float = 300) -> dict[str, Any]:
        """The claims of a user token; Any because they are JSON."""
        plain = super().claims(sub, expires_in=expires_in)
        return plain | {"project_uuid": self._project_uuid, "type": "access", "nbf": plain["iat"]}


class _ProjectMint(_Mint):
    """Signs the tokens of all projects."""

    def claims(self, sub: object = ABSENT, *, expires_in: float = 300) -> dict[str, Any]:
        """The claims that all project tokens have; Any because they are JSON."""
        plain = super().claims(sub, expires_in=expires_in)
        return {name: plain[name] for name in ("iss", "iat", "exp")}


class MercuryMint:
    """Projects, their keys, and tokens signed with them.

    Args:
        service_id: The service that new projects are enabled for.
        audience: The ``aud`` of user tokens.
        clock: What tokens are dated by; the machine's by default.
    """

    def __init__(
        self, *, service_id: str = "orders", audience: str = "test-api", clock: Clock | None = None
    ) -> None:
        self.service_id = service_id
        self.audience = audience
        self._clock: Clock = SystemClock() if clock is None else clock
        self._place = _Place()
        self._projects: dict[str, MercuryProject] = {}
        self._mints: dict[str, TokenMint] = {}
        self.project_keys: TokenMint = _ProjectMint(self._place, self._clock, "project-tokens")
        self.nexus = self.add_project(name="Nexus")

    @property
    def url(self) -> str:
        """The ``iss`` of all tokens: the address, or ``https://mercury.test`` where it never was served."""
        return self._place.url

    @property
    def nexus_id(self) -> str:
        """The id of the fallback project."""
        return self.nexus.uuid

    def add_project(
        self,
        project_uuid: str | None = None,
        *,
        name: str | None = None,
        app_id: str | None = None,
        app_secret: str | None = None,
        enabled_services: Sequence[str] | None = None,
        secret_version: int = 0,
        kid: str | None = None,
    ) -> MercuryProject:
        """Make a project with a key set of its own; what is left out is made up.

        Args:
            project_uuid: Its id.
            name: What it is called; None stays None.
            app_id: Its app id.
            app_secret: Its secret.
            enabled_services: The services that it may use; by default ``service_id`` alone.
            secret_version: The version of that secret.
            kid: What the names of its keys begin with; projects with the same publish other keys under one name.
        """
        services = (self.service_id,) if enabled_services is None else tuple(enabled_services)
        project = MercuryProject(
            uuid=project_uuid or str(uuid.uuid4()),
            name=name,
            app_id=app_id or f"app-{secrets.token_hex(4)}",
            app_secret=app_secret or secrets.token_urlsafe(32),
            enabled_services=services,
            secret_version=secret_version,
        )
        self._mints[project.uuid] = _UserMint(
            self._place, self._clock, kid or project.uuid, self.audience, project.uuid
        )
        self._projects[project.uuid] = project
        return project

    def project(self, project: AnyProject) -> MercuryProject:
        """A project as it is now.

        Raises:
            KeyError: If it was never added.
        """
        return self._projects[project if isinstance(project, str) else project.uuid]

    def disable(self, project: AnyProject) -> None:
        """Know a project no longer: its keys are not found and its credentials are not valid."""
        self._change(project, enabled=False)

    def enable(self, project: AnyProject) -> None:
        """Know it again."""
        self._change(project, enabled=True)

    def enable_services(self, project: AnyProject, *services: str) -> None:
        """Enable a project for these services and no others."""
        self._change(project, enabled_services=services)

    def raise_secret_version(self, project: AnyProject, app_secret: str | None = None) -> int:
        """Count the project's secret up, and replace it where another is given.

        Returns:
            The new version.
        """
        before = self.project(project)
        version = before.secret_version + 1
        self._change(project, secret_version=version, app_secret=app_secret or before.app_secret)
        return version

    def keys(self, project: AnyProject) -> TokenMint:
        """What signs the user tokens of a project: publishes, rotates and drops keys like a ``FakeIssuer``.

        Raises:
            KeyError: If the project was never added.
        """
        return self._mints[self.project(project).uuid]

    def rotate(self, project: AnyProject, *, keep_old: bool = True) -> str:
        """Publish a new key of a project and sign its user tokens with it.

        Returns:
            The new kid.
        """
        return self.keys(project).rotate(keep_old=keep_old)

    def hostile(self, project: AnyProject | None = None) -> HostileTokens:
        """User tokens that no gate may accept; give them ``user()`` for a subject."""
        return HostileTokens(self.keys(self.nexus if project is None else project))

    def user_token(
        self,
        project: AnyProject | None = None,
        sub: object = None,
        *,
        expires_in: float = 300,
        algorithm: str | None = None,
        headers: Mapping[str, object] | None = None,
        kid: str | Absent | None = None,
        **claims: object,
    ) -> str:
        """A token of a user, signed with a key of the project.

        Args:
            project: Whose user; by default of the fallback project.
            sub: The user; by default the one of ``user()``.
            expires_in: Seconds from now to ``exp``.
            algorithm: What to sign with; by default RS512.
            headers: Header parameters to add or replace; ``ABSENT`` leaves one out.
            kid: As in ``FakeIssuer.token``.
            claims: Claims to add or replace; ``ABSENT`` leaves one out.
        """
        owner = self.nexus if project is None else self.project(project)
        return self.keys(owner).token(
            self.user() if sub is None else sub,
            expires_in=expires_in,
            algorithm=algorithm,
            headers=headers,
            kid=kid,
            **claims,
        )

    def user(self, **members: object) -> dict[str, object]:
        """A ``sub`` as Mercury writes it, with members to add or replace."""
        ada = str(uuid.uuid5(uuid.NAMESPACE_DNS, "ada.example.com"))
        return {"uuid": ada, "email": "ada@example.com", "name": "Ada"} | members

    def project_token(
        self,
        project: AnyProject | None = None,
        *,
        enabled_services: object = None,
        secret_version: object = None,
        token_id: object = None,
        expires_in: float = 300,
        algorithm: str | None = None,
        headers: Mapping[str, object] | None = None,
        kid: str | Absent | None = None,
        **claims: object,
    ) -> str:
        """A token of a project.

        Args:
            project: Whose; by default of the fallback project.
            enabled_services: The claim; by default what the project is enabled for.
            secret_version: The claim; by default the project's present version.
            token_id: The claim; by default one of its own.
            expires_in: Seconds from now to ``exp``.
            algorithm: As in ``user_token``, like ``headers`` and ``kid``.
            headers: Header parameters to add or replace.
            kid: The key to sign with.
            claims: Claims to add or replace; ``ABSENT`` leaves one out.
        """
        owner = self.nexus if project is None else self.project(project)
        usual = {
            "project_uuid": owner.uuid,
            "enabled_services": owner.enabled_services if enabled_services is None else enabled_services,
            "secret_version": owner.secret_version if secret_version is None else secret_version,
            "token_id": str(uuid.uuid4()) if token_id is None else token_id,
        }
        return self.project_keys.token(
            ABSENT,
            expires_in=expires_in,
            algorithm=algorithm,
            headers=headers,
            kid=kid,
            **(usual | claims),
        )

    def _change(self, project: AnyProject, **changes: Any) -> None:
        changed = replace(self.project(project), **changes)
        self._projects[changed.uuid] = changed
