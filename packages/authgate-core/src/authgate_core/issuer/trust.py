"""Where an issuer's keys come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from ..errors import MalformedToken
from ..jose.compact import Limits, parse_object
from ..jose.keys import KeySet, UnusableKeys, key_from_pem, key_from_secret, read_key_set
from ..request import url_problems
from ..secret import Secret
from ..signing import RequestSigning

__all__ = ["Discovery", "JwksUrl", "NoKeys", "StaticKeys"]

_DOCUMENT: Final = "/.well-known/openid-configuration"
_DOCUMENT_LIMITS = Limits(token=512 * 1024)


@dataclass(frozen=True, slots=True)
class StaticKeys:
    """Keys that are part of the configuration.

    Args:
        material: A JWKS document (mapping or JSON text), a PEM, or a ``Secret`` for HMAC.
    """

    material: Mapping[str, Any] | str | bytes | Secret = field(repr=False)

    def load(self, algorithms: frozenset[str]) -> KeySet:
        """Read the keys.

        Raises:
            UnusableKeys: With a reason fit for a configuration error.
        """
        material = self.material
        if isinstance(material, Secret):
            return KeySet((key_from_secret(material, algorithms),))
        if isinstance(material, Mapping):
            return read_key_set(material, algorithms).keys
        text: object = material.decode("utf-8", "replace") if isinstance(material, bytes) else material
        if not isinstance(text, str):
            raise UnusableKeys(f"a {type(text).__name__} holds no keys")
        if text.lstrip().startswith("-----BEGIN"):
            return KeySet((key_from_pem(text, algorithms),))
        try:
            document = parse_object(text.encode("utf-8", "surrogatepass"), _DOCUMENT_LIMITS)
        except MalformedToken:
            raise UnusableKeys("is neither a PEM nor a JWKS document") from None
        return read_key_set(document, algorithms).keys

    def problems(self, algorithms: frozenset[str]) -> Iterator[str]:
        """What is wrong with the keys."""
        try:
            self.load(algorithms)
        except UnusableKeys as error:
            yield f"keys: {error}; give a JWKS document, a public PEM, or a Secret for HMAC"


@dataclass(frozen=True, slots=True)
class NoKeys:
    """No keys at all: the issuer is asked about each token, and none is verified here."""


@dataclass(frozen=True, slots=True)
class JwksUrl:
    """Keys that are fetched from one URL.

    Args:
        url: Where they are.
        signing: Signs the requests, where the issuer asks for that.
    """

    url: str
    signing: RequestSigning | None = field(default=None, repr=False)

    def problems(self, *, plain_http: bool) -> Iterator[str]:
        """What is wrong with the URL."""
        yield from url_problems("jwks_url", self.url, plain_http=plain_http)


@dataclass(frozen=True, slots=True)
class Discovery:
    """Keys whose URL is read from the issuer's discovery document (OpenID Connect Discovery, section 4)."""

    url: str

    def problems(self, *, plain_http: bool) -> Iterator[str]:
        """What is wrong with the URL."""
        yield from url_problems("issuer URL", self.url, plain_http=plain_http)
        if isinstance(cast("object", self.url), str) and self.url.endswith(_DOCUMENT):
            yield f"issuer URL: leave out {_DOCUMENT}, which is added; it is the iss of the tokens"

    @property
    def document_url(self) -> str:
        """Where the discovery document is."""
        return self.url.rstrip("/") + _DOCUMENT
