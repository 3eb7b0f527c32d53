"""A real Mercury for tests, demos and examples: signed requests, a key set for each project, project credentials."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from typing import Final

from ..clock import Clock
from .mercury_mint import MercuryMint, MercuryProject
from .served import Served
from .server import Answer, Asked
from .signatures import signature_flaw

__all__ = ["PROJECT_KEYS_PATH", "VERIFY_PATH", "FakeMercury", "MercuryProject"]

PROJECT_KEYS_PATH: Final = "/auth/project/.well-known/jwks.json"
VERIFY_PATH: Final = "/auth/projects/verify"

_NOT_FOUND: Final = Answer(b"", status=404, content_type="text/plain")


class FakeMercury(Served, MercuryMint):  # pyright: ignore[reportUnsafeMultipleInheritance] - it initialises both
    """Mercury as far as a service sees it: real keys, real tokens, real HTTP, and every signature checked.

    It has one project from the start, ``nexus``, which owns the user tokens that name none. Served like a
    ``FakeIssuer``, and as easily put out of order::

        with FakeMercury() as mercury:
            shop = mercury.add_project(name="Shop")
            projects = RemoteProjects(
                mercury.url, signing_secret=mercury.secret, service_id=mercury.service_id
            )
            gate = Gate(GateConfig(projects=projects))
            gate.admit(RequestView("GET", "/", shop.headers), is_project).project["projectName"]

    A request whose signature or time is wrong is answered 401 ``invalid_signature``, whatever else is the case.

    Args:
        secret: What signed requests are checked with.
        service_id: The service that new projects are enabled for.
        audience: The ``aud`` of user tokens.
        clock: What tokens are dated by and timestamps held against; the machine's by default.

    Attributes:
        secret: As given.
        service_id: As given.
        audience: As given.
        nexus: The fallback project, as it was made.
        project_keys: Signs project tokens; publishes, rotates and drops keys like a ``FakeIssuer``.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        service_id: str = "orders",
        audience: str = "test-api",
        clock: Clock | None = None,
    ) -> None:
        Served.__init__(self)
        MercuryMint.__init__(self, service_id=service_id, audience=audience, clock=clock)
        self.secret = secrets.token_urlsafe(32) if secret is None else secret
        self._checked = threading.Lock()
        self._accepted = 0
        self._refused = 0

    @property
    def accepted(self) -> int:
        """How many requests arrived rightly signed and in time."""
        with self._checked:
            return self._accepted

    @property
    def refused(self) -> int:
        """How many requests did not."""
        with self._checked:
            return self._refused

    def environment(self, redis_url: str | None = None) -> dict[str, str]:
        """The variables with which a service of the older client finds it; without CACHE_EXPIRY_TIME and its like.

        Args:
            redis_url: Where Mercury's Redis is; left out with None.
        """
        redis = {} if redis_url is None else {"REDIS_URL": redis_url}
        return redis | {
            "AUTHGATE_PROFILE": "mercury",
            "MERCURY_BASE_URL": self.url,
            "SIGNATURE_SHARED_SECRET": self.secret,
            "SERVICE_ID": self.service_id,
            "NEXUS_ID": self.nexus_id,
        }

    def _settle(self) -> None:
        super()._settle()
        self._place.url = self._address or self._place.url

    def _respond(self, asked: Asked) -> Answer:
        flaw = signature_flaw(asked, self.secret, self._clock.now())
        with self._checked:
            self._accepted += flaw is None
            self._refused += flaw is not None
        answer = super()._respond(asked)
        return answer if flaw is None else _coded(401, "invalid_signature", detail=flaw)

    def _truth(self, asked: Asked) -> Answer:
        match asked.method, asked.path:
            case "POST", path if path == VERIFY_PATH:
                return self._verify(asked.body)
            case "GET", path if path == PROJECT_KEYS_PATH:
                return _json(200, self.project_keys.jwks())
            case "GET", path:
                found = (one.uuid for one in self._known() if one.keys_path == path)
                owner = next(found, None)
                return _NOT_FOUND if owner is None else _json(200, self._mints[owner].jwks())
            case _:
                return _NOT_FOUND

    def _known(self) -> list[MercuryProject]:
        return [project for project in tuple(self._projects.values()) if project.enabled]

    def _verify(self, body: bytes) -> Answer:
        question = _question(body)
        if question is None:
            return _coded(400, "invalid_request")
        app_id, app_secret, service_id = question
        found = (one for one in self._known() if (one.app_id, one.app_secret) == (app_id, app_secret))
        project = next(found, None)
        if project is None:
            return _coded(401, "invalid_credentials")
        if service_id not in project.enabled_services:
            return _coded(403, "service_not_enabled")
        confirmed = {
            "app_id": project.app_id,
            "projectUuid": project.uuid,
            "projectName": project.name,
            "enabledServices": project.enabled_services,
            "secretVersion": project.secret_version,
        }
        return _json(200, confirmed)


def _question(body: bytes) -> list[str] | None:
    """What was asked, if all of it is there and text."""
    try:
        question = json.loads(body)
        members = [question[name] for name in ("app_id", "app_secret", "service_id")]
    except (ValueError, TypeError, KeyError):
        return None
    return members if all(isinstance(member, str) for member in members) else None


def _json(status: int, document: Mapping[str, object]) -> Answer:
    return Answer(json.dumps(document).encode(), status=status)


def _coded(status: int, code: str, **more: object) -> Answer:
    return _json(status, {"code": code, **more})
