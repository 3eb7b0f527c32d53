"""A gateway in front of the service, as configured."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypedDict, Unpack, cast

from ..identity_headers import CallerKind, IdentityHeaders
from ..issuer import Issuer
from ..jose.balancer import BalancerRules
from ..secret import Secret
from .assertions import cloudflare_access, iap, pomerium
from .balancers import balancer_issuer, balancer_problems, balancer_rules
from .peers import Peers, peer_problems
from .presets import INTROSPECTOR, STAMP, consumer_headers
from .signed import HttpSignatures
from .stamped import key_problems

__all__ = ["Gateway", "GatewayOptions"]

_LONGEST_SOCKET: Final = 86400.0
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LABEL: Final = re.compile(r"[A-Za-z0-9-]+")


class GatewayOptions(TypedDict, total=False):
    """What every constructor of ``Gateway`` takes; see ``Gateway`` for the meaning."""

    name: str
    peers: Collection[str]
    tls_peers: Collection[str]
    server_shows_peer: bool
    server_drops_underscores: bool
    socket_lifetime: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway that has authenticated the caller: identity comes from what it says, and from nothing else (Law 2.7).

    Made by ``Gateway.kong``, ``.kong_consumers``, ``.signed``, and for tokens in headers ``.asserted``, ``.iap``,
    ``.cloudflare_access``, ``.pomerium`` and ``.alb``. What shows that it is the gateway that speaks is its address,
    its client certificate, its signature, or the token that it hands on.

    Args:
        name: The label in logs, metrics and refs.
        identity: How it names its headers; None where it hands on a token.
        assertion: The header of that token, in lower case.
        issuer: Whose token that is.
        balancer: What the header of that token must say, where an AWS load balancer wrote it.
        signatures: What its message signatures must be; None where it signs no messages.
        hmac_keys: The keys of HMAC v1, of which any may have signed; none where that is not asked for.
        peers: Its addresses, or networks in which nothing else is; nobody is trusted for where it is by default.
        tls_peers: The subjects of its client certificates, as the server's TLS layer names them once it has verified
            them: ASGI's TLS extension, or mod_ssl's ``SSL_CLIENT_S_DN``.
        server_shows_peer: Says that the server names the socket's own peer, though a request carries forwarding
            headers. uvicorn does with ``--no-proxy-headers``; without this, such requests have no peer in ASGI.
        server_drops_underscores: Says that the WSGI server drops headers with underscores in their names, as gunicorn,
            waitress and werkzeug do: without this, unsigned headers are refused in WSGI (Law 2.8).
        socket_lifetime: How long a WebSocket may go on with what was said at its handshake, in seconds (Law 5.13).
        mistakes: What could not be read of the options; no gate is built then.
    """

    name: str
    identity: IdentityHeaders | None = None
    assertion: str | None = None
    issuer: Issuer | None = None
    balancer: BalancerRules | None = None
    signatures: HttpSignatures | None = None
    hmac_keys: tuple[Secret, ...] = ()
    peers: tuple[str, ...] = ()
    tls_peers: tuple[str, ...] = ()
    server_shows_peer: bool = False
    server_drops_underscores: bool = False
    socket_lifetime: float = 900.0
    mistakes: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def kong(
        cls,
        *,
        hmac_key: Secret | str | Collection[Secret | str] | None = None,
        **options: Unpack[GatewayOptions],
    ) -> Gateway:
        """Kong with a token introspector: ``X-User-ID``, ``X-Service-Name`` and their like, from trusted peers.

        Args:
            hmac_key: The key of its HMAC v1 signature, or several while one replaces another. It signs neither roles
                nor scopes and can be replayed for a minute, so ``peers`` or ``tls_peers`` are needed all the same.
            options: As for every gateway.
        """
        keys = _keys(hmac_key)
        identity = replace(INTROSPECTOR, stamp=STAMP if keys else None)
        return _made("kong", options, identity=identity, hmac_keys=keys)

    @classmethod
    def kong_consumers(
        cls, kind: CallerKind, *, oauth2: bool = False, **options: Unpack[GatewayOptions]
    ) -> Gateway:
        """Kong by itself: ``X-Consumer-ID`` and its like, from trusted peers.

        Args:
            kind: What its consumers are, ``user`` or ``service``: nothing in the headers says it (Law 3.13).
            oauth2: Whether its OAuth 2 plugin is on for every route, so that ``X-Authenticated-Userid`` and
                ``X-Authenticated-Scope`` are its own; other plugins pass on what a caller wrote there.
            options: As for every gateway.
        """
        wrong: object = kind
        mistakes = () if wrong in {"user", "service"} else (f"kind: write 'user' or 'service', not {kind!r}",)
        identity = consumer_headers(kind, oauth2=oauth2)
        return _made("kong", options, identity=identity, mistakes=mistakes)

    @classmethod
    def signed(
        cls,
        keys: Mapping[str, Secret | str | bytes],
        *,
        origin: str,
        tag: str = "authgate",
        max_age: float = 60.0,
        **options: Unpack[GatewayOptions],
    ) -> Gateway:
        """A gateway that signs what it says (RFC 9421), from wherever: ``X-User-ID`` and the headers beside it.

        The signature covers the method, the address, each of those headers that is there, the digest of the body where
        there is one, a nonce and the time.

        Args:
            keys: Its keys by ``keyid``: a ``Secret`` of 32 bytes or more for ``hmac-sha256``, or a public key in PEM
                for ``ed25519``, ``ecdsa-p256-sha256``, ``ecdsa-p384-sha384`` or ``rsa-pss-sha512``.
            origin: Scheme and authority of this service as the gateway signs them.
            tag: The tag of its signatures.
            max_age: How long after ``created`` one is good, in seconds.
            options: As for every gateway.
        """
        signatures = HttpSignatures(keys=keys, origin=origin, tag=tag, max_age=max_age)
        return _made("gateway", options, identity=replace(INTROSPECTOR, signed=True), signatures=signatures)

    @classmethod
    def asserted(cls, header: str, issuer: Issuer, **options: Unpack[GatewayOptions]) -> Gateway:
        """A gateway that hands on a token of its own in a header, which is verified like any token.

        Args:
            header: The name of the header.
            issuer: Whose token it is.
            options: As for every gateway; ``peers`` are not needed, and asked for besides where they are given.
        """
        given: object = issuer
        named: object = header
        mistakes: tuple[str, ...] = ()
        if not isinstance(named, str) or not _HEADER.fullmatch(named):
            mistakes = ("header: write the name of the header that the token stands in",)
        if not isinstance(given, Issuer):
            mistakes += ("issuer: give Issuer.jwks(...) or another Issuer, whose token it is",)
            return _made("gateway", options, assertion=str(named).lower(), mistakes=mistakes)
        return _made(issuer.name, options, assertion=str(named).lower(), issuer=issuer, mistakes=mistakes)

    @classmethod
    def iap(cls, *, audience: str | Collection[str], **options: Unpack[GatewayOptions]) -> Gateway:
        """Google's Identity-Aware Proxy: ``X-Goog-IAP-JWT-Assertion``.

        Args:
            audience: Of this service, such as ``/projects/NUMBER/global/backendServices/ID``.
            options: As for every gateway.
        """
        return cls.asserted("X-Goog-IAP-JWT-Assertion", iap(audience), **options)

    @classmethod
    def cloudflare_access(
        cls, team: str, *, audience: str | Collection[str], **options: Unpack[GatewayOptions]
    ) -> Gateway:
        """Cloudflare Access: ``Cf-Access-Jwt-Assertion``. Users only: the token of a service has no subject.

        Args:
            team: The team's name, as in ``TEAM.cloudflareaccess.com``.
            audience: The AUD tag of the application, or several.
            options: As for every gateway.
        """
        made = cls.asserted("Cf-Access-Jwt-Assertion", cloudflare_access(team, audience), **options)
        wrong = "team: write its name alone, TEAM of https://TEAM.cloudflareaccess.com"
        return made if _LABEL.fullmatch(str(team)) else replace(made, mistakes=(*made.mistakes, wrong))

    @classmethod
    def pomerium(cls, host: str, **options: Unpack[GatewayOptions]) -> Gateway:
        """Pomerium: ``X-Pomerium-Jwt-Assertion``, whose groups are roles.

        Args:
            host: The host of the route, which is issuer and audience of its tokens, and has their keys.
            options: As for every gateway.
        """
        made = cls.asserted("X-Pomerium-Jwt-Assertion", pomerium(host), **options)
        wrong = "host: write the host alone, without https:// and without a path"
        return replace(made, mistakes=(*made.mistakes, wrong)) if "/" in str(host) else made

    @classmethod
    def alb(
        cls,
        signer: str | Collection[str],
        *,
        issuer: str,
        client_id: str | Collection[str],
        keys_url: str | None = None,
        **options: Unpack[GatewayOptions],
    ) -> Gateway:
        """An AWS Application Load Balancer that signs users in: ``X-Amzn-Oidc-Data``.

        Args:
            signer: Its ARN, or those of several of one region, whose keys are the same for everybody there.
            issuer: The ``iss`` of the provider that it signs users in with, byte for byte.
            client_id: The OAuth client of its rule, or several; its tokens have no audience.
            keys_url: Where its region publishes keys; by default as the ARN says.
            options: As for every gateway.
        """
        rules = balancer_rules(signer, client_id)
        mistakes = tuple(balancer_problems(signer, client_id, issuer, keys_url))
        whose = None if mistakes else balancer_issuer(issuer, rules.signers, keys_url)
        return _made(
            "alb", options, assertion="x-amzn-oidc-data", issuer=whose, balancer=rules, mistakes=mistakes
        )

    @property
    def makes_users(self) -> bool:
        """Whether it can speak of users."""
        if self.issuer is not None:
            return self.issuer.makes_users
        identity = self.identity
        return identity is not None and (identity.user is not None or identity.on_behalf is not None)

    @property
    def makes_services(self) -> bool:
        """Whether it can speak of services."""
        if self.issuer is not None:
            return self.issuer.makes_services
        return self.identity is not None and self.identity.service is not None

    @property
    def is_signed(self) -> bool:
        """Whether a signature covers all that it says (Law 2.8)."""
        return self.signatures is not None or self.assertion is not None

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that say who calls, as ``Vary`` names them."""
        if self.identity is None:
            return (self.assertion or "",)
        return self.identity.read()

    def trusted(self) -> Peers:
        """Its peers; of the gateway nothing is wrong."""
        return Peers.of(self.peers, self.tls_peers, as_named=self.server_shows_peer)

    def problems(self) -> Iterator[str]:
        """What is wrong: a sentence each, naming the setting and the fix (Law 1.6)."""
        found = [*self.mistakes, *peer_problems(self.peers, self.tls_peers), *key_problems(self.hmac_keys)]
        found += self._own_problems()
        if self.signatures is not None:
            found += self.signatures.problems()
        if self.issuer is not None:
            found += self.issuer.problems()
        return (f"gateway: {problem}" for problem in found)

    def _own_problems(self) -> Iterator[str]:
        if not (self.is_signed or self.peers or self.tls_peers):
            yield "peers: name the addresses of the gateway; anyone could write its unsigned headers"
        if (self.identity is None) == (self.assertion is None):
            # Who must hand on a token needs no peer, and headers beside it would be anyone's.
            yield "identity: a gateway either names its headers or hands on a token (assertion); give one of both"
        if not isinstance(cast("object", self.name), str) or not self.name:
            yield "name: is empty"
        for flag in ("server_shows_peer", "server_drops_underscores"):
            if not isinstance(getattr(self, flag), bool):
                yield f"{flag}: write True or False"
        lifetime: object = self.socket_lifetime
        is_number = isinstance(lifetime, (int, float)) and not isinstance(lifetime, bool)
        if not is_number or not 0 < self.socket_lifetime <= _LONGEST_SOCKET:
            yield f"socket_lifetime: is not a positive number of seconds, at most {_LONGEST_SOCKET:g}"


def _made(name: str, options: GatewayOptions, **parts: object) -> Gateway:
    given: dict[str, object] = {**options}
    mistakes = list(cast("tuple[str, ...]", parts.pop("mistakes", ())))
    for option in given.keys() - GatewayOptions.__annotations__.keys():
        mistakes.append(f"{option!r} is unknown; write {', '.join(sorted(GatewayOptions.__annotations__))}")
        del given[option]
    for option in ("peers", "tls_peers"):
        value = given.get(option, ())
        if isinstance(value, (list, tuple, set, frozenset)):
            given[option] = tuple(cast("Collection[object]", value))
        else:
            mistakes.append(f"{option}: give a list of texts")
            given[option] = ()
    parts = {"name": name, **given, **parts, "mistakes": tuple(mistakes)}
    return Gateway(**cast("dict[str, Any]", parts))  # ``problems`` looks at each of them


def _keys(given: object) -> tuple[Secret, ...]:
    if given is None:
        return ()
    several = cast("Collection[object]", given) if isinstance(given, (list, tuple)) else (given,)
    return tuple(cast("Secret", Secret(key) if isinstance(key, str) else key) for key in several)
