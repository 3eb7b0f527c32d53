"""Signatures of the requests that an application sends, as ``auth=``: by a shared secret, or by RFC 9421."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..clock import Clock, SystemClock
from ..errors import ConfigurationError
from ..headers import AUTHORIZATION, CONTENT_TYPE
from ..io.outgoing import OutgoingAuth, Request, Sending
from ..request import HttpRequest
from ..secret import Secret
from ..signing import RequestSigning
from .messages import MessageSigning
from .origins import named_origins, texts_of

if TYPE_CHECKING:
    from .rfc9421 import MessageSigner

__all__ = ["MessageSignatureAuth", "SharedSecretAuth"]


class SharedSecretAuth(OutgoingAuth):
    """Signs each request with a secret that both ends share, as Mercury asks of the services that call it.

    The signature covers method, path, time and body; neither host nor query. The whole body is read into memory. A
    client that follows redirects sends the signature on, so it should not follow any.

    Args:
        secret: What both ends share.
        hosts: Which origins it is for (Law 11.1), as in ``ServiceClient.auth``.
        clock: Where the time of signing comes from.

    Raises:
        ConfigurationError: If the secret is empty, or no such origin is named.
    """

    requires_request_body = True

    def __init__(
        self, secret: Secret | str, *, hosts: str | Iterable[str], clock: Clock = SystemClock()
    ) -> None:
        self._signing = RequestSigning(Secret(secret) if isinstance(secret, str) else secret)
        problems = self._signing.problems()
        if problems:
            raise ConfigurationError(*problems)
        self._origins = named_origins(hosts)
        self._clock = clock

    def auth_flow(self, request: Request) -> Sending:
        """What a client of either colour asks; raises TokenWithheld."""
        self._origins.check(request.url)
        plain = HttpRequest(request.method, str(request.url), body=request.content)
        for name, value in self._signing.signed(plain, self._clock.now()).headers:
            request.headers[name] = value
        yield request


class MessageSignatureAuth(OutgoingAuth):
    """Signs each request by RFC 9421, as ``Gateway.signed`` and others verify it.

    The signature covers the method, the address, the digest of the body where there is one, a nonce, the time, and the
    headers that are named. The whole body is read into memory. Needs the extra ``gateway``.

    Args:
        key: A ``Secret`` of 32 bytes or more for ``hmac-sha256``, or a private key in PEM or as a JWK for ``ed25519``,
            ``ecdsa-p256-sha256``, ``ecdsa-p384-sha384`` or ``rsa-pss-sha512``.
        keyid: What whoever verifies knows the key by.
        hosts: Which origins it is for (Law 11.1), as in ``ServiceClient.auth``.
        tag: What the signature is for.
        headers: Which headers it covers, of those that a request has.
        lifetime: How long after it was made it is good, in seconds.
        clock: Where the time of signing comes from.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    requires_request_body = True

    def __init__(
        self,
        key: Secret | str | bytes | Mapping[str, Any],
        *,
        keyid: str,
        hosts: str | Iterable[str],
        tag: str = "authgate",
        headers: str | Iterable[str] = (AUTHORIZATION, CONTENT_TYPE),
        lifetime: float = 60.0,
        clock: Clock = SystemClock(),
    ) -> None:
        names = texts_of(headers)
        signing = MessageSigning(key, keyid, tag, tuple(map(str.lower, names or ())), lifetime)
        problems = [*signing.problems()]
        if names is None:
            problems.append("headers: give the names of those that it covers, as text or a list of texts")
        if problems:
            raise ConfigurationError(*problems)
        from .rfc9421 import MessageSigner

        self._signer: MessageSigner = MessageSigner(signing)
        self._origins = named_origins(hosts)
        self._clock = clock

    def auth_flow(self, request: Request) -> Sending:
        """What a client of either colour asks; raises TokenWithheld."""
        self._origins.check(request.url)
        self._signer.sign(request, request.content, self._clock.now())
        yield request
