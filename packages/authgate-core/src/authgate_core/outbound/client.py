"""The client that this service is to an issuer, for what it calls in its own name and in its callers'."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from ..clients import ClientSecret, Proving, is_client
from ..clock import Clock, SystemClock
from ..errors import ConfigurationError
from ..events import Journal, Observer
from ..io.http import SafeHttp
from ..principal import Admission
from ..runner.exchanges import Exchanges
from ..secret import Secret
from .auth import RelayAuth, TokenAuth
from .caller import caller_of
from .certificate import ClientCertificate
from .origins import named_origins, texts_of
from .server import TokenServer
from .supply import Supply
from .wanted import Grant, InOwnName, Renewing, Wanted

__all__ = ["ServiceClient", "relay"]

Hosts: TypeAlias = str | Iterable[str] | None

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 section 3.3."""


class ServiceClient:
    """Calls other services with tokens of an issuer; make one for each issuer, and keep it.

    Tokens are kept for as long as they are good and asked for anew before they end, by one call however many threads
    and tasks want one. A token that is good is used while the issuer does not answer::

        client = ServiceClient("https://id.example.com", credential=ClientSecret("orders", secret))
        with httpx2.Client(auth=client.auth(audience="https://billing.example.com")) as http:
            http.post("https://billing.example.com/invoices", json=invoice)

    Args:
        issuer_url: The issuer, as its discovery document names it.
        credential: What proves who this service is: a ``ClientSecret``, a ``PrivateKeyJwt``, a
            ``ClientCertificate``, or a secret alone.
        client_id: The client that this service is; to be given with a secret alone.
        token_url: Where tokens are asked for; where it is left out, the discovery document says that.
        proxy: As in ``GateConfig``; nothing is read from the environment.
        timeout: How long one request to the issuer may take in all, in seconds.
        on_event: Told what an operator should know, besides the log.
        clock: Where it gets the time from.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(
        self,
        issuer_url: str,
        *,
        credential: ClientSecret | Proving | Secret | str,
        client_id: str | None = None,
        token_url: str | None = None,
        proxy: str | None = None,
        timeout: float = 5.0,
        on_event: Observer | None = None,
        clock: Clock = SystemClock(),
    ) -> None:
        proving = _proving(credential, client_id)
        alias = isinstance(proving, ClientCertificate)
        server = TokenServer(issuer_url, proving, token_url, alias, timeout, _nonce)
        problems = [*_credential_problems(proving, client_id), *server.problems()]
        if problems:
            raise ConfigurationError(*problems)
        context = proving.context() if isinstance(proving, ClientCertificate) else None
        notice = Journal(on_event).notice
        http = SafeHttp(proxy=proxy, ssl_context=context)
        exchanges = Exchanges(http, clock, notice=notice)
        self._supply = Supply(server, exchanges, clock, notice=notice, random=random.random)

    def auth(
        self,
        *,
        audience: str | None = None,
        scopes: str | Iterable[str] = (),
        resource: str | None = None,
        hosts: Hosts = None,
    ) -> TokenAuth:
        """Calls in this service's own name.

        Args:
            audience: Whom the token is for, as the issuer calls it.
            scopes: What it is to allow.
            resource: Whom it is for, as a URI, where the issuer wants that (RFC 8707).
            hosts: Where the token may go (Law 11.1): origins, or hosts, which stands for https. Where the audience
                or the resource is a URL, its origin is meant unless others are named.

        Raises:
            ConfigurationError: If that says nowhere that a token may go.
        """
        return self._auth(InOwnName(), audience, scopes, resource, hosts)

    def on_behalf_of(
        self,
        admission: Admission,
        *,
        audience: str | None = None,
        scopes: str | Iterable[str] = (),
        resource: str | None = None,
        hosts: Hosts = None,
    ) -> TokenAuth:
        """Calls for whoever has called this service, by a token that the issuer gives in exchange (RFC 8693).

        It ends with the caller's own, and is good for this caller alone. Whoever has acted for the caller before is
        named in it still.

        Args:
            admission: Who has called, as the guard of the request let them in.
            audience: As in ``auth``; so are the others.
            scopes: What it is to allow.
            resource: Whom it is for, as a URI.
            hosts: Where it may go.

        Raises:
            NotAdmitted: If the caller was not admitted by a Bearer token.
            ConfigurationError: As ``auth`` does.
        """
        return self._auth(caller_of(admission), audience, scopes, resource, hosts)

    def renewing(
        self,
        refresh_token: Secret | str,
        *,
        audience: str | None = None,
        scopes: str | Iterable[str] = (),
        resource: str | None = None,
        hosts: Hosts = None,
    ) -> TokenAuth:
        """Calls for somebody who has left this service a refresh token.

        Where the issuer hands out another refresh token each time, that one is used next; it is kept in this process.

        Args:
            refresh_token: The refresh token.
            audience: As in ``auth``; so are the others.
            scopes: What it is to allow.
            resource: Whom it is for, as a URI.
            hosts: Where it may go.

        Raises:
            ConfigurationError: As ``auth`` does, or if the refresh token is empty.
        """
        kept: object = Secret(refresh_token) if isinstance(refresh_token, str) else refresh_token
        if not isinstance(kept, Secret) or not kept or not kept.reveal().isprintable():
            raise ConfigurationError("refresh_token: is empty, or no text that can be printed")
        return self._auth(Renewing(kept), audience, scopes, resource, hosts)

    def _auth(
        self,
        grant: Grant,
        audience: str | None,
        scopes: str | Iterable[str],
        resource: str | None,
        hosts: Hosts,
    ) -> TokenAuth:
        names = texts_of(scopes.split() if isinstance(scopes, str) else scopes)
        problems = [*_wanted_problems(names, audience=audience, resource=resource)]
        if problems or names is None:
            raise ConfigurationError(*problems)
        wanted = Wanted(grant, audience, tuple(sorted(set(names))), resource)
        return TokenAuth(self._supply, wanted, named_origins(hosts, audience, resource))


def relay(admission: Admission, *, hosts: str | Iterable[str]) -> RelayAuth:
    """Hands the caller's own token on, to services that accept it as this one does.

    Args:
        admission: Who has called, as the guard of the request let them in.
        hosts: Where the token may go (Law 11.1), as in ``ServiceClient.auth``.

    Raises:
        NotAdmitted: If the caller was not admitted by a Bearer token.
        ConfigurationError: If no token may go there.
    """
    return RelayAuth(caller_of(admission).subject, named_origins(hosts))


def _proving(credential: object, client_id: str | None) -> Proving:
    if isinstance(credential, (str, Secret)):
        return ClientSecret(client_id or "", credential)
    if isinstance(credential, ClientCertificate) or is_client(credential):
        return credential
    raise ConfigurationError(
        "credential: give a ClientSecret(...), a PrivateKeyJwt(...), a ClientCertificate(...), or a secret with "
        "client_id=..."
    )


def _credential_problems(proving: Proving, client_id: str | None) -> Iterator[str]:
    if isinstance(proving, ClientCertificate) or is_client(proving):
        yield from proving.problems()
        if client_id is not None and client_id != proving.client_id:
            yield f"client_id: is {client_id!r}, and that of the credential is {proving.client_id!r}; leave it out"


def _wanted_problems(scopes: tuple[str, ...] | None, **named: object) -> Iterator[str]:
    """What is wrong with what a token is asked for."""
    if scopes is None or not all(map(_SCOPE.fullmatch, scopes)):
        yield "scopes: give them as one text with spaces between them, or as a list of texts without"
    for name, value in named.items():
        if value is not None and not (isinstance(value, str) and value.isprintable()):
            yield f"{name}: is no text that can be printed"


def _nonce() -> str:
    return secrets.token_urlsafe(16)
