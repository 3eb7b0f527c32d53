"""Tokens of any shape, signed with real keys."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from typing import Any

from ..clock import Clock, SystemClock
from .keys import SigningKey, lease_key
from .shapes import Absent, encode_json, encode_segment

__all__ = ["TokenMint"]


class TokenMint:
    """Keys, the key set that publishes them, and tokens signed with them.

    Args:
        url: The ``iss`` of its tokens.
        audience: The ``aud`` of its tokens.
        algorithm: What the first key signs with: RS, PS or ES 256 to 512, or EdDSA.
        clock: What ``iat`` and ``exp`` are counted from; the machine's by default.
        stem: What the names of its keys begin with.

    Raises:
        ValueError: If the algorithm is not one of those.
    """

    def __init__(
        self,
        url: str,
        *,
        audience: str = "test-api",
        algorithm: str = "RS256",
        clock: Clock | None = None,
        stem: str = "key",
    ) -> None:
        self.audience = audience
        self._url = url
        self._clock: Clock = SystemClock() if clock is None else clock
        self._keys: dict[str, SigningKey] = {}
        self._strangers: dict[str, SigningKey] = {}
        self._published: tuple[str, ...] = ()
        self._kid = ""
        self._stem = stem
        self.rotate(algorithm=algorithm)

    @property
    def clock(self) -> Clock:
        """What ``iat`` and ``exp`` are counted from."""
        return self._clock

    @property
    def url(self) -> str:
        """The issuer, as in ``iss``."""
        return self._url

    @property
    def kid(self) -> str:
        """The name of the key that signs."""
        return self._kid

    @property
    def kids(self) -> tuple[str, ...]:
        """The names of the keys that are published, oldest first."""
        return self._published

    def key(self, kid: str | None = None) -> SigningKey:
        """One of the keys, published or not; by default the one that signs.

        Raises:
            KeyError: If there never was a key of that name.
        """
        return self._keys[self._kid if kid is None else kid]

    def stranger(self) -> SigningKey:
        """A key that is never published, of the name and algorithm of the one that signs."""
        key = self.key()
        if key.algorithm not in self._strangers:
            self._strangers[key.algorithm] = lease_key(self, key.kid, key.algorithm)
        return SigningKey(key.kid, key.algorithm, self._strangers[key.algorithm].private)

    def jwks(self) -> dict[str, Any]:
        """The key set (RFC 7517 section 5), also for ``Issuer.static``; Any because it is JSON."""
        return {"keys": [self._keys[kid].jwk() for kid in self._published]}

    def rotate(self, *, keep_old: bool = True, algorithm: str | None = None) -> str:
        """Publish a new key and sign with it.

        Args:
            keep_old: Whether the keys before it stay published.
            algorithm: What it signs with; by default the same as the key before it.

        Returns:
            The new kid.
        """
        kid = f"{self._stem}-{len(self._keys) + 1}"
        self._keys[kid] = lease_key(self, kid, algorithm or self.key().algorithm)
        self._kid = kid
        self._published = (*self._published, kid) if keep_old else (kid,)
        return kid

    def drop_key(self, kid: str) -> None:
        """Publish a key no longer; ``token(kid=kid)`` still signs with it.

        Raises:
            KeyError: If there never was a key of that name.
        """
        self._published = tuple(published for published in self._published if published != self.key(kid).kid)

    def publish_key(self, kid: str) -> None:
        """Publish again a key that was dropped.

        Raises:
            KeyError: If there never was a key of that name.
        """
        self.drop_key(kid)
        self._published = (*self._published, kid)

    def token(
        self,
        sub: object = "u1",
        *,
        expires_in: float = 300,
        algorithm: str | None = None,
        headers: Mapping[str, object] | None = None,
        kid: str | Absent | None = None,
        **claims: object,
    ) -> str:
        """A signed access token (RFC 9068) with ``iss, aud, sub, iat, exp`` and a ``jti`` of its own.

        Args:
            sub: The subject; any JSON value.
            expires_in: Seconds from now to ``exp``.
            algorithm: What to sign with; by default what the key is for.
            headers: Header parameters to add or replace; ``ABSENT`` leaves one out.
            kid: The key to sign with, dropped or not. A name that no key has goes into the header of a token
                signed with the present key; ``ABSENT`` leaves ``kid`` out.
            claims: Claims to add or replace; ``ABSENT`` leaves one out.

        Raises:
            ValueError: If the key cannot sign with the algorithm.
        """
        key = self._keys.get(kid, self.key()) if isinstance(kid, str) else self.key()
        named = self.header(algorithm or key.algorithm, key.kid if kid is None else kid)
        return self.raw_token(
            encode_json({**named, **(headers or {})}),
            encode_json({**self.claims(sub, expires_in=expires_in), **claims}),
            algorithm=algorithm,
            kid=key.kid,
        )

    def header(self, algorithm: str | None = None, kid: str | Absent | None = None) -> dict[str, object]:
        """The header of a plain access token (RFC 9068 section 2.1), by default naming the present key."""
        key = self.key()
        return {"alg": algorithm or key.algorithm, "typ": "at+jwt", "kid": key.kid if kid is None else kid}

    def claims(self, sub: object = "u1", *, expires_in: float = 300) -> dict[str, Any]:
        """The claims of a plain access token; Any because they are JSON."""
        now = math.floor(self._clock.now().wall)
        plain = {"iss": self.url, "aud": self.audience, "sub": sub, "iat": now, "exp": now + expires_in}
        return {**plain, "jti": uuid.uuid4().hex}

    def raw_token(
        self, header: bytes, payload: bytes, *, algorithm: str | None = None, kid: str | None = None
    ) -> str:
        """A token of any bytes, truly signed.

        Args:
            header: The header before encoding; it may say anything.
            payload: The payload before encoding.
            algorithm: What to sign with, whatever the header says; by default what the key is for.
            kid: The key to sign with, whatever the header says; by default the present one.

        Raises:
            ValueError: If the key cannot sign with the algorithm.
            KeyError: If there never was a key of that name.
        """
        key = self.key(kid)
        name = algorithm or key.algorithm
        if not key.fits(name):
            raise ValueError(f"{key.kid} signs {key.algorithm}, not {name}; see rotate(algorithm=)")
        message = f"{encode_segment(header)}.{encode_segment(payload)}"
        return f"{message}.{encode_segment(key.sign(message.encode('ascii'), name))}"
