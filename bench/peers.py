"""How the usual libraries verify a token, each as its documentation has it, with keys loaded beforehand."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeAlias

import jwt
from authlib.jose import JsonWebKey, JsonWebToken
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwk
from joserfc.jwt import JWTClaimsRegistry
from joserfc.jwt import decode as joserfc_decode

from authgate_core.testing import FakeIssuer

from .issued import AUDIENCE, Issued, by_turns
from .rounds import Work

__all__ = ["Verifier", "authlib", "check", "joserfc", "peers", "pyjwkclient", "pyjwt", "raw"]

Verifier: TypeAlias = Callable[[str], object]
"""Returns what it found of a token, or raises."""


def peers(issued: Issued) -> dict[str, Verifier]:
    """Every library that verifies tokens, by name."""
    return {"pyjwt": pyjwt(issued), "joserfc": joserfc(issued), "authlib": authlib(issued)}


def pyjwt(issued: Issued) -> Verifier:
    """``jwt.decode``."""
    (document,) = issued.fake.jwks()["keys"]
    key = jwt.PyJWK(document)
    return lambda token: _decoded(token, key, issued)


def pyjwkclient(issued: Issued) -> Verifier:
    """``PyJWKClient``, as it is by default, and ``jwt.decode`` with the key that it finds."""
    client = jwt.PyJWKClient(issued.fake.jwks_url)
    return lambda token: _decoded(token, client.get_signing_key_from_jwt(token), issued)


def _decoded(token: str, key: jwt.PyJWK, issued: Issued) -> object:
    return jwt.decode(
        token,
        key,
        algorithms=[issued.algorithm],
        audience=AUDIENCE,
        issuer=issued.fake.url,
        options={"require": ["iss", "aud", "sub", "exp", "iat"]},
    )


def joserfc(issued: Issued) -> Verifier:
    """``joserfc.jwt.decode`` and a registry of claims."""
    (document,) = issued.fake.jwks()["keys"]
    key = jwk.import_key(document)
    registry = JWTClaimsRegistry(
        iss={"essential": True, "value": issued.fake.url},
        aud={"essential": True, "value": AUDIENCE},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )

    def verify(token: str) -> object:
        found = joserfc_decode(token, key, algorithms=[issued.algorithm])
        registry.validate(found.claims)
        return found.claims

    return verify


def authlib(issued: Issued) -> Verifier:
    """``authlib.jose``, and its claims' own validation."""
    (document,) = issued.fake.jwks()["keys"]
    key = JsonWebKey.import_key(document)
    library = JsonWebToken([issued.algorithm])
    options = {
        "iss": {"essential": True, "value": issued.fake.url},
        "aud": {"essential": True, "value": AUDIENCE},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }

    def verify(token: str) -> object:
        claims = library.decode(token, key, claims_options=options)
        claims.validate()
        return claims

    return verify


def raw(issued: Issued) -> Work:
    """Nothing but the verification of signatures by ``cryptography``: what no library can do without."""
    public = issued.fake.key().private.public_key()
    pairs = [_signature_and_message(token) for token in issued.tokens]
    if isinstance(public, RSAPublicKey):
        padding, digest = PKCS1v15(), SHA256()
        return by_turns(pairs, lambda pair: public.verify(pair[0], pair[1], padding, digest))
    if isinstance(public, EllipticCurvePublicKey):
        algorithm = ECDSA(SHA256())
        pairs = [(_der(signature), message) for signature, message in pairs]
        return by_turns(pairs, lambda pair: public.verify(pair[0], pair[1], algorithm))
    return by_turns(pairs, lambda pair: public.verify(pair[0], pair[1]))


def _signature_and_message(token: str) -> tuple[bytes, bytes]:
    message, _, signature = token.rpartition(".")
    return base64.urlsafe_b64decode(f"{signature}=="), message.encode()


def _der(signature: bytes) -> bytes:
    half = len(signature) // 2
    first, second = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    return encode_dss_signature(first, second)


def check(verifiers: dict[str, Verifier], issued: Issued) -> None:
    """See that each accepts what is right, and refuses the same: only such are compared.

    Raises:
        AssertionError: Naming who does not.
    """
    stranger = Issued(FakeIssuer(audience=AUDIENCE, algorithm=issued.algorithm, url=issued.fake.url))
    now = issued.fake.claims()["iat"]
    wrong = (
        stranger.token(0),
        issued.token(0, iss="https://other.example.com"),
        issued.token(0, aud=["other-api"]),
        issued.token(0, exp=now - 120),
        issued.token(0, nbf=now + 120),
        issued.token(0, iat=now + 120),
    )
    for name, verify in verifiers.items():
        assert verify(issued.tokens[0]), name
        assert not [token for token in wrong if _accepts(verify, token)], name


def _accepts(verify: Verifier, token: str) -> bool:
    try:
        verify(token)
    except Exception:  # noqa: BLE001 - each library has a tree of its own
        return False
    return True
