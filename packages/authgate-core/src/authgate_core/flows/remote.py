"""Asking Mercury about project credentials, and reading its answer in the only way it can be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from typing import Final, TypeAlias, cast

from ..clock import Instant
from ..credentials import AppCredentials
from ..effects import SendRequest
from ..errors import MalformedToken, ProjectsUnavailable, ServiceNotEnabled
from ..jose.compact import Limits, parse_object
from ..principal import MISSING, Project, is_uuid
from ..projects import RemoteProjects
from ..request import HttpReply, HttpRequest

__all__ = ["AskedToWait", "RemoteFlow", "RequestRefused", "verify_remotely"]

_HEADERS: Final = (("accept", "application/json"), ("content-type", "application/json"))
_CODES: Final = {401: "invalid_credentials", 403: "service_not_enabled"}
_LIMITS: Final = Limits()

RemoteFlow: TypeAlias = Generator[SendRequest, HttpReply, Project | None]
"""A ``Flow`` that asks for nothing but HTTP requests, so that it can run apart from any gate's runner."""


class RequestRefused(ProjectsUnavailable):
    """Mercury refused the request itself, as where the signing secret is wrong: only a person can mend it (Law 1.6)."""


class AskedToWait(ProjectsUnavailable):
    """Mercury could not answer, and said for how long it wants to be left alone (RFC 9110 section 10.2.3)."""


def verify_remotely(projects: RemoteProjects, credentials: AppCredentials, now: Instant) -> RemoteFlow:
    """Have Mercury judge project credentials (Law 6.1).

    Args:
        projects: Which Mercury, and for which service.
        credentials: What was presented.
        now: The moment of asking, which is signed.

    Returns:
        The project, or None where the app id is unknown or the secret wrong.

    Raises:
        ServiceNotEnabled: If the project may not use this service.
        ProjectsUnavailable: If the answer is anything else than the contract has; it is no verdict then (Law 1.5).
    """
    reply = yield SendRequest(projects.signing.signed(_question(projects, credentials), now))
    if reply.status == 200:
        return _project(reply.body, credentials.app_id)
    if reply.status not in _CODES:
        raise _outage(reply)
    if _code(reply.body) != _CODES[reply.status]:
        raise RequestRefused(f"Mercury refused the request itself, with status {reply.status}")
    if reply.status == 403:
        raise ServiceNotEnabled("Mercury says that the project may not use this service")
    return None


def _question(projects: RemoteProjects, credentials: AppCredentials) -> HttpRequest:
    asked = {
        "app_id": credentials.app_id,
        "app_secret": credentials.secret.reveal(),
        "service_id": projects.service_id,
    }
    return HttpRequest(
        "POST",
        projects.verify_url,
        _HEADERS,
        json.dumps(asked).encode(),
        plain_http=projects.allow_http,
        refusal_body=True,
    )


def _outage(reply: HttpReply) -> ProjectsUnavailable:
    reason = f"Mercury answered with status {reply.status}"
    if reply.retry_after is None:
        return ProjectsUnavailable(reason)
    return AskedToWait(reason, retry_after=reply.retry_after)


def _code(body: bytes) -> object:
    try:
        return parse_object(body, _LIMITS).get("code")
    except MalformedToken:
        return None


def _project(body: bytes, app_id: str) -> Project:
    try:
        answer = parse_object(body, _LIMITS)
    except MalformedToken as error:
        raise ProjectsUnavailable(f"the answer of Mercury cannot be read: {error.reason}") from None
    if answer.get("app_id") != app_id:
        raise ProjectsUnavailable("the answer of Mercury is about another app id")
    wrong = [name for name, is_right in _MEMBERS.items() if not is_right(answer.get(name, MISSING))]
    if wrong:
        raise ProjectsUnavailable(f"{wrong[0]} in the answer of Mercury is missing, or not what it should be")
    uuid, services, version = answer["projectUuid"], answer["enabledServices"], answer["secretVersion"]
    claims = {name: answer[name] for name in _MEMBERS}
    # The names of the project token's claims as well, so that a handler reads both kinds of project alike.
    claims |= {"project_uuid": uuid, "enabled_services": services, "secret_version": version}
    return Project(
        id=uuid,
        name=answer["projectName"],
        enabled_services=services,
        secret_version=version,
        claims=claims,
        public=tuple(_MEMBERS),
    )


def _is_name(value: object) -> bool:
    return value is None or isinstance(value, str)


def _are_services(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast("list[object]", value))


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_MEMBERS: Final[Mapping[str, Callable[[object], bool]]] = {
    "projectUuid": is_uuid,
    "projectName": _is_name,
    "enabledServices": _are_services,
    "secretVersion": _is_version,
}
"""What a confirmation holds beside the app id, and what each member must be."""
