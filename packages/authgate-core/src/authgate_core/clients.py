"""How this service says who it is to the endpoints of an issuer: OAuth client authentication (RFC 6749 section 2.3)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeGuard
from urllib.parse import quote_plus, urlencode

from .clock import Instant
from .headers import AUTHORIZATION
from .jose.compact import encode_segment
from .jose.keys import PrivateKey, UnusableKeys, private_key
from .request import HttpRequest
from .secret import Secret

__all__ = [
    "ClientAuthentication",
    "ClientSecret",
    "PrivateKeyJwt",
    "Proving",
    "bearer_request",
    "form_request",
    "is_client",
]

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFETIME: Final = 60
"""How long an assertion is good for, in seconds; it is used at once."""
_FORM: Final = ("content-type", "application/x-www-form-urlencoded")


class Proving(Protocol):
    """Something that proves who a client is, in the form or in the headers of a request."""

    def proof(
        self, audience: str, now: Instant, nonce: str, /
    ) -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
        """The form fields and headers that prove it.

        Args:
            audience: Who an assertion is for.
            now: The moment of asking.
            nonce: A random text that names an assertion.
        """
        ...


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client that shows a secret (RFC 6749 section 2.3.1).

    Args:
        client_id: The client that this service is to the issuer.
        secret: Its secret.
        method: ``basic`` for the header that the RFC prefers, ``post`` for the form.
    """

    client_id: str
    secret: Secret | str = field(repr=False)
    method: Literal["basic", "post"] = "basic"

    def __post_init__(self) -> None:
        secret: object = self.secret
        if isinstance(secret, str):
            object.__setattr__(self, "secret", Secret(secret))

    def problems(self) -> Iterator[str]:
        """What is wrong with it (Law 1.6)."""
        secret: object = self.secret
        yield from _name_problems(self.client_id)
        if not isinstance(secret, Secret) or not _is_text(secret.reveal()):
            yield "client: the secret is empty, or no text"
        if self.method not in {"basic", "post"}:
            yield f"client: method={self.method!r} is neither 'basic' nor 'post'"

    def proof(
        self, _audience: str, _now: Instant, _nonce: str, /
    ) -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
        """The form fields and headers that prove it."""
        secret = self.secret.reveal() if isinstance(self.secret, Secret) else self.secret
        if self.method == "post":
            return {"client_id": self.client_id, "client_secret": secret}, ()
        # Both are encoded as in a form first, so that a colon in either is none (RFC 6749 section 2.3.1).
        pair = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
        return {}, ((AUTHORIZATION, f"Basic {b64encode(pair.encode()).decode()}"),)


@dataclass(frozen=True, slots=True)
class PrivateKeyJwt:
    """A client that signs an assertion, so that no secret travels (OpenID Connect Core section 9, RFC 7523).

    Args:
        client_id: The client that this service is to the issuer.
        key: Its private key, a PEM or a JWK.
        algorithm: What the key signs with.
        kid: What the issuer knows the key by.
        audience: Who the assertion is for; by default the issuer.
    """

    client_id: str
    key: str | bytes | Mapping[str, Any] = field(repr=False)
    algorithm: str = "RS256"
    kid: str | None = None
    audience: str | None = None
    _signer: PrivateKey | None = field(init=False, repr=False, compare=False)
    _mistake: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        signer, mistake = None, None
        try:
            signer = private_key(self.key, self.algorithm)
        except UnusableKeys as error:
            mistake = str(error)
        object.__setattr__(self, "_signer", signer)
        object.__setattr__(self, "_mistake", mistake)

    def problems(self) -> Iterator[str]:
        """What is wrong with it (Law 1.6)."""
        yield from _name_problems(self.client_id)
        if self._mistake is not None:
            yield f"client: the key {self._mistake}; give a private key as PEM or JWK"

    def proof(
        self, audience: str, now: Instant, nonce: str, /
    ) -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
        """The form fields and headers that prove it."""
        assertion = self._assertion(self.audience or audience, int(now.wall), nonce)
        return {
            "client_id": self.client_id,
            "client_assertion_type": _ASSERTION,
            "client_assertion": assertion,
        }, ()

    def _assertion(self, audience: str, now: int, nonce: str) -> str:
        signer = self._signer
        if signer is None:
            raise ValueError(f"the key {self._mistake}")
        header = {"alg": self.algorithm, "typ": "JWT"} | ({} if self.kid is None else {"kid": self.kid})
        named = {"iss": self.client_id, "sub": self.client_id, "aud": audience, "jti": nonce}
        claims = {**named, "iat": now, "exp": now + _LIFETIME}
        message = ".".join(encode_segment(json.dumps(part).encode()) for part in (header, claims))
        return f"{message}.{encode_segment(signer.sign(message.encode()))}"


ClientAuthentication: TypeAlias = ClientSecret | PrivateKeyJwt


def is_client(client: object) -> TypeGuard[ClientAuthentication]:
    """Whether this is a way to authenticate, and not something that looks like one."""
    return isinstance(client, (ClientSecret, PrivateKeyJwt))


def form_request(
    url: str,
    form: Mapping[str, str],
    client: Proving,
    *,
    audience: str,
    now: Instant,
    nonce: str,
    accept: str = "application/json",
    plain_http: bool = False,
    timeout: float | None = None,
) -> HttpRequest:
    """A request to an endpoint of an issuer, with the client's proof of who it is.

    Args:
        url: The endpoint.
        form: What is asked.
        client: Who asks.
        audience: Who an assertion is for: the issuer.
        now: The moment of asking; its wall time is signed.
        nonce: A random text that names an assertion; never used twice.
        accept: What form the answer may have.
        plain_http: Whether http to a host other than loopback was allowed explicitly.
        timeout: As in ``HttpRequest``.
    """
    fields, headers = client.proof(audience, now, nonce)
    return HttpRequest(
        "POST",
        url,
        (("accept", accept), _FORM, *headers),
        urlencode({**form, **fields}).encode(),
        plain_http=plain_http,
        refusal_body=True,
        timeout=timeout,
    )


def bearer_request(
    url: str, token: str, *, plain_http: bool = False, method: str = "GET", sent: object = None
) -> HttpRequest:
    """A request to an issuer with a token of its own, which it is shown as the bearer would show it.

    Args:
        url: The endpoint.
        token: The token.
        plain_http: Whether http to a host other than loopback was allowed explicitly.
        method: The HTTP method.
        sent: What is sent as JSON; None for nothing.
    """
    form = () if sent is None else (("content-type", "application/json"),)
    headers = (("accept", "application/json"), *form, (AUTHORIZATION, f"Bearer {token}"))
    body = b"" if sent is None else json.dumps(sent).encode()
    return HttpRequest(method, url, headers, body, plain_http=plain_http, refusal_body=True)


def _name_problems(client_id: object) -> Iterator[str]:
    if not isinstance(client_id, str) or not _is_text(client_id):
        yield "client: client_id is empty, or no text"


def _is_text(value: str) -> bool:
    """Whether this says something, and can be sent: half a surrogate pair can not."""
    return bool(value.strip()) and not any("\ud800" <= character <= "\udfff" for character in value)
