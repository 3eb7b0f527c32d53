"""Message signatures of a gateway (RFC 9421), as configured: whose they are, and of what."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

from ..jose.keys import Key, UnusableKeys, key_from_pem, key_from_secret
from ..secret import Secret

__all__ = ["HttpSignatures"]

_JOSE: Final[Mapping[str, str]] = {
    "hmac-sha256": "HS256",
    "rsa-pss-sha512": "PS512",
    "ecdsa-p256-sha256": "ES256",
    "ecdsa-p384-sha384": "ES384",
    "ed25519": "EdDSA",
}
"""The algorithms of RFC 9421 section 3.3 by the names that they have in JOSE: the same computation."""
_LONGEST: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSignatures:
    """What a gateway's signature of a request must be.

    Args:
        keys: The keys that may have signed, by ``keyid``: a ``Secret`` for HMAC, or a public key in PEM. Each has
            the one algorithm that its type says.
        origin: Scheme and authority of this service as the gateway signs them, such as ``https://api.example.com``.
        tag: The ``tag`` of the gateway's signatures.
        max_age: How long after ``created`` a signature is good, in seconds.
    """

    keys: Mapping[str, object] = field(repr=False)
    origin: str
    tag: str
    max_age: float

    def by_algorithm(self) -> dict[str, dict[str, Key]]:
        """The keys by ``keyid``, of each algorithm of RFC 9421; of what was configured nothing is wrong."""
        found: dict[str, dict[str, Key]] = {}
        for keyid, key in self.keys.items():
            algorithm, read = _read(key)
            found.setdefault(algorithm, {})[keyid] = read
        return found

    def jose(self, algorithm: str) -> str:
        """What JOSE calls an algorithm of RFC 9421."""
        return _JOSE[algorithm]

    def problems(self) -> Iterator[str]:
        """What is wrong: a sentence each, with the fix; no key is shown."""
        keys: object = self.keys
        if importlib.util.find_spec("http_message_signatures") is None:
            yield "Gateway.signed needs http-message-signatures: pip install 'authgate-core[gateway]'"
        if not isinstance(keys, Mapping) or not keys:
            yield "keys: give the gateway's keys by their keyid, {'gateway-2026': Secret(...)}"
        else:
            for keyid, key in cast("Mapping[object, object]", keys).items():
                yield from _key_problems(keyid, key)
        if not _is_origin(self.origin):
            yield f"origin: {self.origin!r} is no origin; write scheme and host, such as https://api.example.com"
        tag: object = self.tag
        if not isinstance(tag, str) or not tag or not (tag.isascii() and tag.isprintable()):
            yield "tag: write the tag of the gateway's signatures, a printable ASCII text"
        age: object = self.max_age
        if isinstance(age, bool) or not isinstance(age, (int, float)) or not 0 < age <= _LONGEST:
            yield f"max_age: {age!r} is not a positive number of seconds, at most {_LONGEST:g}"


def _read(key: object) -> tuple[str, Key]:
    """A key, and the one algorithm that it is used with.

    Raises:
        UnusableKeys: If it is of no use.
    """
    if isinstance(key, Secret):
        return "hmac-sha256", key_from_secret(key, frozenset({"HS256"}))
    if not isinstance(key, (str, bytes)):
        raise UnusableKeys("is neither a Secret nor a public key in PEM")
    read = key_from_pem(key, frozenset(_JOSE.values()) - {"HS256"})
    return next(name for name, jose in _JOSE.items() if jose in read.algorithms), read


def _key_problems(keyid: object, key: object) -> Iterator[str]:
    if not isinstance(keyid, str) or not keyid or not (keyid.isascii() and keyid.isprintable()):
        yield f"keys: {keyid!r} is no keyid; write a printable ASCII text"
    try:
        _read(key)
    except UnusableKeys as unusable:
        yield f"keys: {keyid!r} {unusable}"


def _is_origin(origin: object) -> bool:
    if (
        not isinstance(origin, str)
        or not origin.isascii()
        or not origin.isprintable()
        or origin.endswith("/")
    ):
        return False
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return False
    is_bare = not (parts.path or "?" in origin or "#" in origin or "@" in origin)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_bare
