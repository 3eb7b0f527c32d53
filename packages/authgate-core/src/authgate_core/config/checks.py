"""What is wrong with the parts of a configuration: a sentence each, with the setting and what to write instead.

Each part is looked at as whatever it may be, not as what its annotation says (Law 1.6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, starmap
from typing import Final, cast
from urllib.parse import urlsplit

from ..api_keys import ApiKeys, RedisKeys, RemoteKeys, StaticKeys
from ..cookies import Cookies
from ..gateways import Gateway
from ..issuer import Issuer
from ..policy import RoleHierarchy
from ..ports import is_async
from ..possession import DPoP
from ..projects import RemoteProjects, StaticProjects
from ..replays import MemoryReplays, RedisReplays
from ..revocation import MemoryRevocation, RedisRevocation
from .colours import Colour, port_problems

__all__ = [
    "NOBODY",
    "api_key_problems",
    "cookie_problems",
    "count_problems",
    "dpop_problems",
    "flag_problems",
    "gateway_problems",
    "issuer_problems",
    "logout_problems",
    "observer_problems",
    "project_problems",
    "project_token_problems",
    "proxy_problems",
    "realm_problems",
    "replay_problems",
    "revocation_problems",
    "role_problems",
    "seconds_problems",
    "service_problems",
    "size_problems",
]

NOBODY: Final = "issuers: nobody could be admitted; give issuers=[Issuer...], projects=..., or api_keys=..."
"""Said where there is nothing at all; settings say it in their own words."""

_SEPARATE: Final = (
    "issuers: several issue users, so one id could mean two people; give each namespace=... that no other "
    "begins with, or write shared_subjects=True if they speak of the same people"
)


def issuer_problems(issuers: object, *, has_others: bool, shared_subjects: bool) -> Iterator[str]:
    """Of each issuer, and of all of them together."""
    found = cast("tuple[object, ...]", issuers) if isinstance(issuers, tuple) else (None,)
    trusted = [issuer for issuer in found if isinstance(issuer, Issuer)]
    if len(trusted) < len(found):
        yield "issuers: give a list of Issuer.oidc(...), Issuer.jwks(...) or Issuer.static(...)"
    elif not trusted and not has_others:
        yield NOBODY
    for issuer in trusted:
        yield from issuer.problems()
    yield from _conflicts(trusted)
    yield from _opaque(trusted)
    namespaces = [issuer.mapping.namespace for issuer in trusted if issuer.makes_users]
    if not shared_subjects and any(starmap(_may_meet, combinations(namespaces, 2))):
        yield _SEPARATE


def _conflicts(issuers: Sequence[Issuer]) -> Iterator[str]:
    for iss, count in Counter(issuer.issuer for issuer in issuers).items():
        if count > 1:
            yield f"issuers: {count} have issuer={iss!r}; a token could not tell them apart (Law 3.5)"
    names = (name for issuer in issuers for name in (issuer.name, issuer.project_keys_name))
    for name, count in Counter(names).items():
        if name is not None and count > 1:
            yield f"issuers: {count} are named {name!r}; give each a name= of its own"


def _opaque(issuers: Sequence[Issuer]) -> Iterator[str]:
    asked = [issuer for issuer in issuers if issuer.is_asked_about_opaque]
    if len(asked) > 1:
        names = ", ".join(repr(issuer.name) for issuer in asked)
        yield (
            f"issuers: {names} are all asked about tokens that name no issuer; write opaque=False for all but one, "
            "as far as they have that, or build a second gate"
        )


def logout_problems(issuers: object, *, is_writable: bool) -> Iterator[str]:
    """Of logouts that are listened to, which have to be written down somewhere."""
    found = cast("tuple[object, ...]", issuers) if isinstance(issuers, tuple) else ()
    for issuer in found:
        if not isinstance(issuer, Issuer) or not issuer.logout_clients:
            continue
        if issuer.issuer is None:
            yield f"Issuer {issuer.name!r}: logout_clients: a logout token names its issuer; this one has issuer=None"
        if not is_writable:
            yield f"Issuer {issuer.name!r}: logout_clients: needs a revocation source that can be written to"


def _may_meet(one: str, other: str) -> bool:
    """Whether ids that begin with the one and ids that begin with the other can be equal (Law 3.14)."""
    return one.startswith(other) or other.startswith(one)


def gateway_problems(gateway: object, issuers: object, cookies: object) -> Iterator[str]:
    """Of the gateway in front, beside which nobody else speaks of users and services (Law 2.7)."""
    if gateway is None:
        return
    if not isinstance(gateway, Gateway):
        yield "gateway: give Gateway.kong(...), .kong_consumers(...), .signed(...) or .asserted(...)"
        return
    yield from gateway.problems()
    if cookies is not None:
        yield "cookies: a gateway says who calls, and no token in a cookie is looked at; leave one of both out"
    if issuers:
        yield (
            "gateway: identity comes from the gateway alone, so issuers= would never be asked; leave one of both out, "
            "or build a second gate for callers who do not come through the gateway"
        )


def role_problems(roles: object) -> Iterator[str]:
    """Of the role hierarchy."""
    if isinstance(roles, RoleHierarchy):
        yield from roles.problems()
    else:
        yield "roles: give RoleHierarchy({role: [roles that it implies]})"


def project_problems(projects: object, colour: Colour) -> Iterator[str]:
    """Of the project directory."""
    if isinstance(projects, (StaticProjects, RemoteProjects)):
        yield from (f"projects: {problem}" for problem in projects.problems())
    elif projects is not None:
        yield from port_problems("projects", projects, "look_up", colour)


def revocation_problems(sources: Sequence[object], colour: Colour) -> Iterator[str]:
    """Of the revocation sources."""
    for source in sources:
        if isinstance(source, (MemoryRevocation, RedisRevocation)):
            yield from (f"revocation: {problem}" for problem in source.problems(colour))
        else:
            yield from _store_problems(source, colour)


def _store_problems(store: object, colour: Colour) -> Iterator[str]:
    found = [*port_problems("revocation", store, "is_revoked", colour)]
    if not found and callable(getattr(store, "revoke", None)):
        found += port_problems(
            "revocation", store, "revoke", colour
        )  # RevocationLog, which a store may be too
    yield from found


def api_key_problems(keys: object, colour: Colour) -> Iterator[str]:
    """Of who knows API keys."""
    if isinstance(keys, ApiKeys):
        yield from (f"api_keys: {problem}" for problem in keys.problems(colour))
        if not isinstance(keys.store, (StaticKeys, RedisKeys, RemoteKeys)):
            yield from port_problems("api_keys", keys.store, "look_up", colour)
    elif keys is not None:
        given = type(keys).__name__
        yield f"api_keys: give ApiKeys.from_file(path), ApiKeys.redis(url) or ApiKeys(store), not a {given}"


def replay_problems(replays: object, colour: Colour) -> Iterator[str]:
    """Of what remembers what was used once."""
    if isinstance(replays, (MemoryReplays, RedisReplays)):
        yield from (f"replays: {problem}" for problem in replays.problems(colour))
    else:
        yield from port_problems("replays", replays, "use", colour)


def dpop_problems(dpop: object, issuers: object) -> Iterator[str]:
    """Of what DPoP proofs are held against, which is there where some issuer's tokens need them, and only there."""
    found = cast("tuple[object, ...]", issuers) if isinstance(issuers, tuple) else ()
    needed = any(isinstance(issuer, Issuer) and "dpop" in issuer.terms.confirmation for issuer in found)
    if isinstance(dpop, DPoP):
        yield from dpop.problems()
    elif dpop is not None:
        yield 'dpop: give DPoP("https://host"), with the URL that clients know this API by'
    if needed and dpop is None:
        yield 'dpop: confirmation="dpop" needs dpop=DPoP("https://host"), with the URL that clients know this API by'
    elif dpop is not None and not needed:
        yield 'dpop: no issuer has tokens that need proofs; give one confirmation="dpop", or leave it out'


def service_problems(service_id: object, projects: object) -> Iterator[str]:
    """Of the name of this service, which must not have two."""
    if service_id is not None and not (isinstance(service_id, str) and service_id):
        yield f"service_id: {service_id!r} is not the name of a service; leave it out to ask for none"
    elif (
        service_id is not None and isinstance(projects, RemoteProjects) and projects.service_id != service_id
    ):
        yield f"service_id: {service_id!r} is another than RemoteProjects(service_id=...) has; leave it out here"


def project_token_problems(issuers: object, service_id: str | None) -> Iterator[str]:
    """Of project tokens, each of which is for some services only."""
    found = cast("tuple[object, ...]", issuers) if isinstance(issuers, tuple) else ()
    issued = any(isinstance(issuer, Issuer) and issuer.project_tokens is not None for issuer in found)
    if issued and service_id is None:
        yield "service_id: project tokens name the services that they are for; name this one"


def size_problems(setting: str, size: object) -> Iterator[str]:
    """Of a bound on what is counted."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        yield f"{setting}: {size!r} is not a positive whole number"


def count_problems(setting: str, count: object, most: int) -> Iterator[str]:
    """Of how many things are kept, where none may be meant."""
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= most:
        yield f"{setting}: {count!r} is not a whole number from 0 to {most:_}"


def seconds_problems(setting: str, seconds: object, most: float) -> Iterator[str]:
    """Of a time."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= most:
        yield f"{setting}: {seconds!r} is not a positive number of seconds, at most {most:g}"


def flag_problems(setting: str, flag: object) -> Iterator[str]:
    """Of what is on or off: a text such as "false" would be on."""
    if not isinstance(flag, bool):
        yield f"{setting}: write True or False, not {flag!r}"


def observer_problems(setting: str, given: object) -> Iterator[str]:
    """Of the observers: nobody would await what an async one returns."""
    several = cast("tuple[object, ...]", given) if isinstance(given, tuple) else (given,)
    observers = () if given is None else several
    if not all(callable(observer) and not is_async(observer) for observer in observers):
        yield f"{setting}: give a function that takes an event, and is not async"


def cookie_problems(cookies: object) -> Iterator[str]:
    """Of the cookies that tokens are kept in."""
    if isinstance(cookies, Cookies):
        yield from (f"cookies: {problem}" for problem in cookies.problems())
    elif cookies is not None:
        yield "cookies: give Cookies(origins=[...]), or leave it out to read none"


def realm_problems(realm: object) -> Iterator[str]:
    """Of the realm, which stands in a header."""
    if not isinstance(realm, str) or not realm or not (realm.isascii() and realm.isprintable()):
        yield f"realm: {realm!r} is not a printable ASCII text"


def proxy_problems(proxy: object) -> Iterator[str]:
    """Of the proxy, whose URL may hold a password and is not shown."""
    if proxy is not None and not _is_proxy(proxy):
        yield "proxy: is not the URL of an HTTP proxy; write http://host:port"


def _is_proxy(url: object) -> bool:
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme == "http" and bool(parts.hostname)
