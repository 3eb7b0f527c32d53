"""Verifies message signatures (RFC 9421), on the library that knows their grammar; imported where one is configured.

The library reads the headers, resolves what is covered and builds the base of the signature. What decides is ours:
the keys, the cryptography, the clock, what must be covered, and that a nonce is there (docs/adr/0026).
"""

# The library exports its names without saying so, and leaves the message that it verifies without a type.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
)

from ..clock import Instant
from ..errors import GatewaySignatureRefused
from ..headers import CONTENT_DIGEST, HeaderPairs
from ..identity_headers import GatewayIdentity
from ..jose.keys import Key
from ..request import RequestView
from .signed import HttpSignatures

__all__ = ["SignatureVerifier", "VerifiedMessage"]

_AHEAD: Final = 30.0
"""How far the gateway's clock may be ahead of this machine's, in seconds."""
_LONGEST_NONCE: Final = 256
_TARGETS: Final = (
    frozenset({'"@target-uri"'}),
    frozenset({'"@authority"', '"@request-target"'}),
    frozenset({'"@authority"', '"@path"', '"@query"'}),
)
"""What covers the whole address of a request: one of these."""


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """What a good signature says.

    Args:
        keyid: Which key has signed.
        nonce: What the gateway uses once.
        ttl: How long the signature could be used again, in seconds.
        digest: The ``Content-Digest`` that it covers; None where it covers none.
    """

    keyid: str
    nonce: str
    ttl: float
    digest: str | None

    def check_body(self, body: bytes) -> None:
        """Check that the body is the one that was signed (RFC 9530).

        Raises:
            GatewaySignatureRefused: If it is not, or there is one and none was signed.
        """
        if self.digest is None:
            if body:
                raise GatewaySignatureRefused(
                    "the request has a body, and the signature covers no content-digest"
                )
            return
        try:
            ContentDigest.verify(self.digest, body)
        except HTTPMessageSignaturesException:
            raise GatewaySignatureRefused("the body is not the one whose digest was signed") from None


class SignatureVerifier:
    """Verifies the signatures of one gateway.

    Args:
        spec: What they must be; nothing is wrong with it.
    """

    def __init__(self, spec: HttpSignatures) -> None:
        self._spec = spec
        self._verifiers = tuple(
            _Verifier(signature_algorithm=_algorithm(name, spec.jose(name)), key_resolver=_Keys(keys))
            for name, keys in spec.by_algorithm().items()
        )

    def verify(self, identity: GatewayIdentity, view: RequestView, now: Instant) -> VerifiedMessage:
        """Verify that the gateway has signed these headers for this very request, a moment ago.

        Args:
            identity: What was read of the headers.
            view: The request.
            now: The present moment.

        Raises:
            GatewaySignatureRefused: If it has not; the body is checked later.
        """
        if identity.signature is None:
            raise GatewaySignatureRefused("the request is not signed")
        verified = self._verified(view)
        covered = verified.covered_components
        _check_coverage(covered, identity)
        ttl = self._fresh(verified.parameters, now.wall)
        nonce = verified.nonce
        if not nonce or len(nonce) > _LONGEST_NONCE:
            raise GatewaySignatureRefused(f"the signature has no nonce of 1 to {_LONGEST_NONCE} characters")
        return VerifiedMessage(
            str(verified.parameters["keyid"]), nonce, ttl, covered.get(f'"{CONTENT_DIGEST}"')
        )

    def _verified(self, view: RequestView) -> VerifyResult:
        """The one good signature with the gateway's tag, of whichever algorithm the key that it names has."""
        if not view.target.startswith("/") or "#" in view.target:
            # A URL has its fragment cut off and its host moved by such, and a request line has none that is meant.
            raise GatewaySignatureRefused("the request line holds no path, or a fragment")
        message = _Message(view.method, self._spec.origin + view.target, _Headers(view.headers))
        for verifier in self._verifiers:
            try:
                found = verifier.verify(message, max_age=None, expect_tag=self._spec.tag)
            except HTTPMessageSignaturesException:
                continue
            if len(found) == 1:
                return found[0]
        # Law 1.2: what the library says holds parts of the headers, of which nothing is verified.
        raise GatewaySignatureRefused(
            f"no one signature tagged {self._spec.tag!r} verifies with a key that is configured, for this method and "
            "address; compare keyid, tag and origin"
        )

    def _fresh(self, parameters: Mapping[str, Any], now: float) -> float:
        """How long the signature is good still, with a margin for clocks that are set back."""
        created, expires = parameters.get("created"), parameters.get("expires")
        if not isinstance(created, int):
            raise GatewaySignatureRefused("the signature does not say when it was created")
        if created > now + _AHEAD:
            raise GatewaySignatureRefused(f"created is {created - now:.0f} s ahead of this machine's clock")
        if now >= created + self._spec.max_age:
            raise GatewaySignatureRefused(f"the signature was created {now - created:.0f} s ago")
        if isinstance(expires, int) and now >= expires:
            raise GatewaySignatureRefused(f"the signature expired {now - expires:.0f} s ago")
        return created + self._spec.max_age - now + _AHEAD


def _check_coverage(covered: Mapping[str, str], identity: GatewayIdentity) -> None:
    needed = {'"@method"', *(f'"{name}"' for name in identity.names)}
    missing = sorted(needed - covered.keys())
    if missing:
        raise GatewaySignatureRefused(f"the signature does not cover {', '.join(missing)}")
    if not any(target <= covered.keys() for target in _TARGETS):
        raise GatewaySignatureRefused("the signature does not cover the address; sign @target-uri")


class _Verifier(HTTPMessageVerifier):
    """The library's, but for the times: they are judged by the gate's clock, once the signature is good."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Leave that to ``SignatureVerifier``."""


class _Keys(HTTPSignatureKeyResolver):
    """The keys of one algorithm, by ``keyid``.

    Args:
        keys: The keys.
    """

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Key | None:
        """The key; None where none has that name."""
        return self._keys.get(key_id)


def _algorithm(name: str, jose: str) -> type[HTTPSignatureAlgorithm]:
    """An algorithm of RFC 9421 whose cryptography is that of ``jose``, with keys that were looked at (Law 3.2)."""

    class _Jose(HTTPSignatureAlgorithm):
        algorithm_id = name

        def __init__(  # pyright: ignore[reportMissingSuperCall] - it would only raise
            self, public_key: Key | None = None, private_key: object = None
        ) -> None:
            del private_key  # nothing is signed here
            self._key = public_key

        def verify(self, signature: bytes, message: bytes) -> None:
            if self._key is None or not self._key.verifies(jose, message, signature):
                raise InvalidSignature("the signature does not verify")

    return _Jose


@dataclass(frozen=True, slots=True)
class _Headers:
    """Header pairs as the library asks for them."""

    pairs: HeaderPairs

    def items(self) -> Iterator[tuple[str, str]]:
        """Every pair, in order."""
        return iter(self.pairs)


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the library asks for it."""

    method: str
    url: str
    headers: _Headers
