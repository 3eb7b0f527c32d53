"""From an app id and a secret to a project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

from ..cache import Ask, Barred, Hit, HitAndRefresh, Limited, ProjectCache, Refused, TenantsServed
from ..clock import Instant
from ..credentials import APP, SCHEMES, AppCredentials
from ..effects import Flow, LookUpProject, RefreshProject
from ..errors import AuthUnavailable, InvalidProjectCredentials, ProjectsUnavailable, ServiceNotEnabled
from ..principal import Project, ProjectRef

__all__ = ["authenticate_project", "check_served", "judge_project"]

_SCHEME: Final = SCHEMES[APP]
_BARRED: Final = "the directory says that the project may not use this service"


def authenticate_project(
    credentials: AppCredentials,
    cache: ProjectCache,
    service_id: str | None,
    now: Instant,
    revoked: Callable[[ProjectRef], Flow[bool]],
    *,
    served: TenantsServed | None = None,
) -> Flow[Project]:
    """Find the project, then judge revocation, services and tenant anew, whatever the cache knew (Law 6.4).

    Args:
        credentials: What was presented.
        cache: What the directory answered before.
        service_id: The service that the project must be enabled for; None asks for none.
        now: The time of the request.
        revoked: Answers whether a secret version was revoked.
        served: The projects that may be admitted at all; None for any.

    Raises:
        InvalidProjectCredentials: Unknown app id, wrong secret or revoked version, told alike (Law 6.5).
        ServiceNotEnabled: If the project may not use this service.
        ProjectsUnavailable: If the directory cannot answer, or too much has failed to ask it.
        RevocationUnavailable: If the revocation source cannot answer.
    """
    project = yield from _find(credentials, cache, now)
    if project is None:
        raise InvalidProjectCredentials(
            "the directory does not know this app id with this secret", scheme=_SCHEME
        )
    ref = ProjectRef(project.id, project.secret_version)
    yield from judge_project(project, ref, service_id, revoked)
    check_served(project, served, now)
    return project


def judge_project(
    project: Project, ref: ProjectRef, service_id: str | None, revoked: Callable[[ProjectRef], Flow[bool]]
) -> Flow[None]:
    """Judge a project that was identified: revocation first, then services (Law 6.4).

    Args:
        project: The project.
        ref: What a revocation source is asked about what it presented.
        service_id: The service that it must be enabled for; None asks for none.
        revoked: Answers whether that was revoked.

    Raises:
        InvalidProjectCredentials: If its secret version was revoked, told like a wrong secret (Law 6.5).
        ServiceNotEnabled: If it may not use this service.
        RevocationUnavailable: If the revocation source cannot answer.
    """
    if (yield from revoked(ref)):
        raise InvalidProjectCredentials("this version of the secret was revoked", scheme=_SCHEME)
    enabled = project.enabled_services
    if service_id is not None and enabled is not None and service_id not in enabled:
        raise ServiceNotEnabled("the project's enabled services do not hold this service", scheme=_SCHEME)


def check_served(project: Project, served: TenantsServed | None, now: Instant) -> None:
    """Check that a project is one of those that are served here; None asks for none.

    Raises:
        ServiceNotEnabled: If it is not.
    """
    if served is not None and not served.admits(project.id, now):
        raise ServiceNotEnabled("the project is none of the tenants that are served here", scheme=_SCHEME)


def _find(credentials: AppCredentials, cache: ProjectCache, now: Instant) -> Flow[Project | None]:
    key = cache.key(credentials)
    plan = cache.plan(key, credentials.app_id, now)
    match plan:
        case Hit(project):
            return project
        case HitAndRefresh(project):
            yield from RefreshProject(credentials, key)
            return project
        case Refused():
            return None
        case Barred():
            raise ServiceNotEnabled(_BARRED, scheme=_SCHEME)
        case Limited(retry_after):
            raise ProjectsUnavailable("too many failed attempts", retry_after=retry_after, scheme=_SCHEME)
        case Ask():
            return (yield from _ask(LookUpProject(credentials, key), cache, now))
        case _:
            assert_never(plan)


def _ask(effect: LookUpProject, cache: ProjectCache, now: Instant) -> Flow[Project | None]:
    try:
        return (yield from effect)
    except ServiceNotEnabled as barred:
        # All who waited for one call were given one exception; each request gets an error of its own.
        raise ServiceNotEnabled(barred.reason, scheme=_SCHEME) from barred
    except AuthUnavailable as outage:
        project = cache.last_good(effect.flight_key, now)
        if project is not None:
            return project
        raise ProjectsUnavailable(outage.reason, retry_after=outage.retry_after, scheme=_SCHEME) from outage
