"""Endpoints that are asked about credentials: each is asked about one that was made up, with our own credentials."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_urlsafe
from typing import Final

from ...api_keys import mint_key
from ...credentials import ApiKeyCredential, AppCredentials, BearerToken
from ...errors import AuthUnavailable, EndpointRefused, InvalidToken, ServiceNotEnabled, TokenInactive
from ...flows.introspection import vouched_claims
from ...flows.remote import RequestRefused
from ...flows.remote_keys import ask_about_key
from ...flows.trust import TrustedIssuer
from ...gate.api_keys import known_keys
from ...io.remote import RemoteDirectory
from ...projects import RemoteProjects
from ...secret import Secret
from .bench import Bench
from .findings import Finding, failed, ok

__all__ = ["look_at_endpoints"]

_REACH: Final = "see that the URL is right, that this machine reaches it, and that it is up"


def look_at_endpoints(bench: Bench) -> Iterator[Finding]:
    """Introspection of each issuer, the directory of projects, and the service that knows API keys."""
    for trusted in bench.issuers:
        if trusted.asking is not None or trusted.apex is not None:
            yield _introspection(bench, trusted)
        if trusted.issuer.sessions_url is not None:
            text = f"{trusted.issuer.sessions_url} is asked about tokens of users; without one it cannot be tried"
            yield ok(f"sessions of {trusted.issuer.name}", text)
    if isinstance(bench.config.projects, RemoteProjects):
        yield _projects(bench, bench.config.projects)
    yield from _api_keys(bench)


def _introspection(bench: Bench, trusted: TrustedIssuer) -> Finding:
    """Law 4.9: our credentials go to the configured endpoint alone, and with them a token that nobody issued."""
    check = f"introspection by {trusted.issuer.name}"
    flow = vouched_claims(BearerToken(_made_up()), trusted, bench.clock.now())
    try:
        bench.runner.run(flow)
    except TokenInactive:
        answers = "accepts our credentials" if trusted.apex is None else "knows no token that was made up"
        return ok(check, f"answers, and {answers}")
    except EndpointRefused as error:
        return failed(
            check, error.reason, "compare client_id and secret or key with those that the issuer has"
        )
    except AuthUnavailable as error:
        return failed(check, error.reason, _REACH)
    except InvalidToken as error:
        return failed(
            check, f"calls a made-up token active ({error.reason})", "see that the URL is the issuer's"
        )
    return failed(
        check, "calls a made-up token active", "see that the URL is the issuer's introspection endpoint"
    )


def _projects(bench: Bench, projects: RemoteProjects) -> Finding:
    check = "projects of Mercury"
    directory = RemoteDirectory(projects, bench.http, bench.clock, notice=bench.told.append)
    try:
        found = directory.look_up(AppCredentials("authgate-doctor", _made_up()))
    except RequestRefused as error:
        return failed(check, error.reason, "compare signing_secret= and this machine's clock with Mercury's")
    except AuthUnavailable as error:
        return failed(check, error.reason, _REACH)
    except ServiceNotEnabled:
        found = None
    if found is not None:
        return failed(check, "a made-up project was confirmed", "see that base_url= is Mercury's")
    return ok(check, "answers, and accepts our signature")


def _api_keys(bench: Bench) -> Iterator[Finding]:
    known = known_keys(bench.config.api_keys)
    if known is None or known.service is None:
        return
    check = f"API keys of {known.service.spec.name}"
    credential = ApiKeyCredential(mint_key(known.service.prefix).key)
    try:
        found = bench.runner.run(ask_about_key(known.service, credential, bench.clock.now()))
    except AuthUnavailable as error:
        yield failed(check, error.reason, _REACH)
        return
    if found is None:
        yield ok(check, "answers, and knows no key that was made up")
    else:
        yield failed(check, "calls a made-up key good", "see that base_url= is the service's")


def _made_up() -> Secret:
    return Secret(f"authgate-doctor-{token_urlsafe(16)}")
