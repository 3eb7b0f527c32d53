"""Whom tokens are asked of: where the token endpoint is, and what it is asked (RFC 6749, RFC 8414)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

from ..clients import Proving, form_request
from ..clock import Instant
from ..effects import Answered, AskEndpoint, Endpoint
from ..errors import AuthUnavailable, EndpointRefused, EndpointUnavailable
from ..request import HttpRequest, url_problems
from ..secret import Secret
from .answers import read_answer, read_object
from .tokens import IssuedToken
from .wanted import Wanted

__all__ = ["TokenFlow", "TokenServer", "obtain"]

_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"
_OPENS_AFTER: Final = 5
_REST: Final = 60.0
"""How long an endpoint that has failed so often on end is left alone, in seconds, before each probe."""


TokenFlow: TypeAlias = Generator[AskEndpoint, Answered, IssuedToken]
"""A ``Flow`` that asks endpoints only, so that it runs on a thread of its own."""


@dataclass(frozen=True, slots=True)
class TokenServer:
    """The issuer, as far as it issues tokens to this service.

    Args:
        issuer: Its URL, as it calls itself.
        client: What proves who this service is to it.
        token_url: Where it is asked for tokens; None where its own document says.
        alias: Whether the address is wanted at which it reads client certificates (RFC 8705 section 5).
        timeout: How long one request may take in all, in seconds.
        nonce: Makes random texts.
    """

    issuer: str
    client: Proving = field(repr=False)
    token_url: str | None
    alias: bool
    timeout: float
    nonce: Callable[[], str]

    def problems(self) -> Iterator[str]:
        """What is wrong with it (Law 1.6)."""
        yield from url_problems("issuer_url", self.issuer, plain_http=None)
        if self.token_url is not None:
            yield from url_problems("token_url", self.token_url, plain_http=None)
        timeout: object = self.timeout
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= 5:
            yield f"timeout: {timeout!r} is not a positive number of seconds, at most 5"

    def endpoint(self, url: str, what: str) -> Endpoint:
        """One of its endpoints, as logs call it; its breaker counts failures however far apart they are."""
        name = f"{self.issuer} ({what})"
        return Endpoint(name, url, _OPENS_AFTER, longest_rest=_REST, first_rest=_REST, within=inf)


def obtain(
    server: TokenServer,
    wanted: Wanted,
    newer: Secret | None,
    known_url: str | None,
    now: Instant,
    *,
    found: Callable[[str], None],
) -> TokenFlow:
    """Ask for a token.

    Args:
        server: Whom.
        wanted: What for.
        newer: The refresh token that came with the last answer.
        known_url: Where the token endpoint was lately; spares asking for that.
        now: The moment of asking.
        found: Told where the token endpoint is, where the issuer was asked that.

    Raises:
        AuthgateError: As ``read_answer`` does; EndpointRefused also where the token endpoint is nowhere that this
            service's credentials may go (Law 4.9).
    """
    url = server.token_url or known_url
    if url is None:
        url, now = yield from _discover(server)
        found(url)
    endpoint = server.endpoint(url, "tokens")
    nonce = server.nonce()
    request = form_request(
        url,
        wanted.form(newer),
        server.client,
        audience=server.issuer,
        now=now,
        nonce=nonce,
        timeout=server.timeout,
    )
    answered = yield from _ask(AskEndpoint(endpoint, request, nonce.encode()))
    return read_answer(answered, endpoint, wanted)


def _ask(effect: AskEndpoint) -> Generator[AskEndpoint, Answered, Answered]:
    try:
        return (yield effect)
    except AuthUnavailable as outage:
        raise EndpointUnavailable(outage.reason, retry_after=outage.retry_after) from outage


def _discover(server: TokenServer) -> Generator[AskEndpoint, Answered, tuple[str, Instant]]:
    """Where the issuer's own document says that its token endpoint is, and when it said so."""
    parts = urlsplit(server.issuer)
    openid = f"{server.issuer.rstrip('/')}{_OPENID}"
    oauth = f"{parts.scheme}://{parts.netloc}{_OAUTH}{parts.path.rstrip('/')}"  # RFC 8414 section 3.1
    endpoint, answered = yield from _document(server, openid)
    if answered.reply.status == 404:
        endpoint, answered = yield from _document(server, oauth)
    document = read_object(answered, endpoint)
    if document.get("issuer") != server.issuer:
        other = ascii(document.get("issuer"))[:64]
        raise EndpointRefused(f"the discovery document is of issuer {other}, not {server.issuer!r}")
    return _checked(_named(document, alias=server.alias), server), answered.at


def _document(server: TokenServer, url: str) -> Generator[AskEndpoint, Answered, tuple[Endpoint, Answered]]:
    endpoint = server.endpoint(url, "discovery")
    request = HttpRequest("GET", url, (("accept", "application/json"),), timeout=server.timeout)
    answered = yield from _ask(AskEndpoint(endpoint, request, server.nonce().encode()))
    return endpoint, answered


def _named(document: Mapping[str, Any], *, alias: bool) -> object:
    aliases = document.get("mtls_endpoint_aliases") if alias else None
    named = cast("Mapping[str, object]", aliases).get("token_endpoint") if isinstance(aliases, dict) else None
    return named or document.get("token_endpoint")


def _checked(url: object, server: TokenServer) -> str:
    """The address, if this service's credentials may go there: to the issuer's own origin (Law 4.9)."""
    if not isinstance(url, str):
        raise EndpointUnavailable("the discovery document has no token_endpoint")
    try:
        there = urlsplit(url)
    except ValueError:
        raise EndpointUnavailable("the token_endpoint of the discovery document is no URL") from None
    here = urlsplit(server.issuer)
    if (there.scheme.lower(), there.netloc.lower()) != (here.scheme.lower(), here.netloc.lower()):
        raise EndpointRefused(
            f"the discovery document has its token endpoint at {ascii(there.netloc)[:64]}, another origin than the "
            "issuer's; write token_url=... if that is meant"
        )
    return url
