"""Algorithm confusion: HMAC with something that everybody knows as the secret (RFC 8725 section 2.1, Law 3.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ...errors import AlgorithmRefused, BadSignature
from ..keys import SigningKey
from ..shapes import ABSENT, encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["confusion", "mac", "well_known_secrets"]

_REFUSED: Final = "the header's alg ("
_HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def mac(message: str, secret: bytes, algorithm: str = "HS256") -> str:
    """The message with its HMAC."""
    signature = hmac.digest(secret, message.encode("ascii"), _HASHES[algorithm])
    return f"{message}.{encode_segment(signature)}"


def confusion(mint: TokenMint) -> Iterator[Attack]:
    """Every published key in every form as a secret, and what an issuer says of itself."""
    forge = Forge(mint, "confusion")
    for bench in forge.each_key():
        for form, secret in key_forms(bench.key, mint.jwks()).items():
            yield _keyed(bench, f"{bench.key.algorithm} as {form}", secret)
    pem = forge.key.public_pem()
    yield _keyed(forge, "SPKI PEM, HS384", pem, "HS384")
    yield _keyed(forge, "SPKI PEM, HS512", pem, "HS512")
    yield _keyed(forge, "SPKI PEM, no kid", pem, kid=ABSENT)
    yield _keyed(forge, "SPKI PEM, a kid that is unknown", pem, kid="hmac")
    for what, secret in well_known_secrets(mint).items():
        yield _keyed(forge, what, secret)
    header, claims = forge.header(), forge.claims()
    yield forge.attack(
        "HMAC under the key's own alg",
        "3.2",
        mac(forge.message(header, claims), pem),
        BadSignature,
        "the signature of",
        twin=forge.signed(header, claims),
    )


def _keyed(forge: Forge, what: str, secret: bytes, algorithm: str = "HS256", **changes: object) -> Attack:
    header, claims = forge.header(), forge.claims()
    token = mac(forge.message({**header, "alg": algorithm, **changes}, claims), secret, algorithm)
    return forge.attack(what, "3.2", token, AlgorithmRefused, _REFUSED, twin=forge.signed(header, claims))


def key_forms(key: SigningKey, document: Mapping[str, object]) -> dict[str, bytes]:
    """Every form in which a public key goes round."""
    public, jwk = key.private.public_key(), key.jwk()
    pem = key.public_pem()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    required = {name: jwk[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in jwk}
    thumbprint = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
    forms = {
        "SPKI PEM": pem,
        "SPKI PEM without the last newline": pem.rstrip(b"\n"),
        "SPKI PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "SPKI PEM after white space": b" \n" + pem,
        "SPKI PEM in one line": pem.replace(b"\n", b""),
        "SPKI PEM with escaped newlines": pem.replace(b"\n", b"\\n"),
        "SPKI PEM without its frame": b"".join(pem.splitlines()[1:-1]),
        "SPKI DER": der,
        "SPKI DER in base64": base64.b64encode(der),
        "SPKI DER in base64url": encode_segment(der).encode(),
        "SPKI DER in hex": der.hex().encode(),
        "its SHA-256": hashlib.sha256(der).digest(),
        "SSH": ssh,
        "SSH with a newline": ssh + b"\n",
        "SSH with a comment": ssh + b" someone@host",
        "JWK": json.dumps(jwk).encode(),
        "JWK in compact JSON": json.dumps(jwk, separators=(",", ":")).encode(),
        "JWK as its thumbprint is made": thumbprint,
        "JWK thumbprint": encode_segment(hashlib.sha256(thumbprint).digest()).encode(),
        "the whole key set": json.dumps(document).encode(),
        "the member that is the key": str(jwk.get("n", jwk.get("x"))).encode(),
    }
    if isinstance(public, RSAPublicKey):
        pkcs1 = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        forms |= {
            "PKCS1 PEM": pkcs1,
            "PKCS1 PEM without the last newline": pkcs1.rstrip(b"\n"),
            "PKCS1 DER": public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        }
    else:
        raw = Encoding.X962 if "y" in jwk else Encoding.Raw
        point = PublicFormat.UncompressedPoint if "y" in jwk else PublicFormat.Raw
        forms["its raw bytes"] = public.public_bytes(raw, point)
    return forms


def well_known_secrets(mint: TokenMint) -> dict[str, bytes]:
    """What a careless verifier takes for a secret."""
    return {
        "no secret": b"",
        "one zero": b"\x00",
        "32 zeros": bytes(32),
        "the word secret": b"secret",
        "the word changeme": b"changeme",
        "the example of a well-known page": b"your-256-bit-secret",
        "the word None": b"None",
        "the kid": mint.kid.encode(),
        "the issuer": mint.url.encode(),
        "the audience": mint.audience.encode(),
    }
