"""Key sets with keys that must not verify what they are named for (Laws 3.2, 3.4, 4.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import Algorithm, get_default_algorithms

from ...errors import AlgorithmRefused, InvalidToken, UnknownKey
from ..keys import SIGNERS
from ..shapes import encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["Misfits"]

_NOT_THERE: Final = (UnknownKey, "no key of the issuer")
_NOT_FOR_IT: Final = (AlgorithmRefused, "the key of this kid does not verify")
_NOT_ALONE: Final = (UnknownKey, "more than one key has the kid")

Verdict = tuple[type[InvalidToken], str]
Jwk = dict[str, Any]

_CHANGES: Final[Mapping[str, tuple[Mapping[str, object], Verdict]]] = {
    "use is enc": ({"use": "enc"}, _NOT_THERE),
    "use in upper case": ({"use": "SIG"}, _NOT_THERE),
    "use is a list": ({"use": ["sig"]}, _NOT_THERE),
    "use is empty": ({"use": ""}, _NOT_THERE),
    "key_ops without verify": ({"key_ops": ["sign"]}, _NOT_THERE),
    "key_ops for encryption": ({"key_ops": ["encrypt", "wrapKey"]}, _NOT_THERE),
    "key_ops empty": ({"key_ops": []}, _NOT_THERE),
    "key_ops is a text": ({"key_ops": "verify"}, _NOT_THERE),
    "key_ops is null": ({"key_ops": None}, _NOT_THERE),
    "key_ops in upper case": ({"key_ops": ["VERIFY"]}, _NOT_THERE),
    "use and key_ops at odds": ({"use": "enc", "key_ops": ["verify"]}, _NOT_THERE),
    "alg of a longer hash": ({"alg": "RS512"}, _NOT_FOR_IT),
    "alg of another padding": ({"alg": "PS256"}, _NOT_FOR_IT),
    "alg of another type": ({"alg": "ES256"}, _NOT_THERE),
    "alg of a shared secret": ({"alg": "HS256"}, _NOT_THERE),
    "alg of encryption": ({"alg": "RSA-OAEP"}, _NOT_THERE),
    "alg is none": ({"alg": "none"}, _NOT_THERE),
    "alg is empty": ({"alg": ""}, _NOT_THERE),
    "alg is a number": ({"alg": 256}, _NOT_THERE),
    "alg is a list": ({"alg": ["RS256"]}, _NOT_THERE),
    "kty in lower case": ({"kty": "rsa"}, _NOT_THERE),
    "kty of a secret": ({"kty": "oct", "k": "c2VjcmV0"}, _NOT_THERE),
    "kty of a curve": ({"kty": "EC", "crv": "P-256"}, _NOT_THERE),
    "kty is null": ({"kty": None}, _NOT_THERE),
    "kid is a number": ({"kid": 7}, _NOT_THERE),
    "a private member": ({"d": "AQAB"}, _NOT_THERE),
    "an empty private member": ({"dp": ""}, _NOT_THERE),
    "a secret beside it": ({"k": "c2VjcmV0"}, _NOT_THERE),
    "an even exponent": ({"e": "AQAC"}, _NOT_THERE),
    "an exponent of 1": ({"e": "AQ"}, _NOT_THERE),
    "an exponent of 0": ({"e": "AA"}, _NOT_THERE),
    "no exponent": ({"e": ""}, _NOT_THERE),
    "a padded exponent": ({"e": "AQAB="}, _NOT_THERE),
    "an exponent that is a number": ({"e": 65537}, _NOT_THERE),
    "a modulus of 1": ({"n": "AQ"}, _NOT_THERE),
    "a modulus of another alphabet": ({"n": "+/+/"}, _NOT_THERE),
}
"""What is changed of an RSA key's JWK, and what becomes of a token signed with it."""


@dataclass(frozen=True, slots=True)
class Misfits:
    """An issuer whose key set holds, beside its own keys, one for each way in which a key is unfit.

    Args:
        mint: The issuer; its keys are for RS256, and fit.
        document: The key set.
        attacks: Tokens truly signed with the unfit keys.
    """

    mint: TokenMint
    document: Mapping[str, Any]
    attacks: tuple[Attack, ...]

    @classmethod
    def of(cls, mint: TokenMint) -> Misfits:
        """The misfits beside the keys of this issuer."""
        entries: list[Jwk] = list(mint.jwks()["keys"])
        found: list[Attack] = []
        for each in (_changed, _short, _twice, _of_curves):
            for attack, jwks in each(Forge(mint, "key")):
                found.append(attack)
                entries += jwks
        return cls(mint, {"keys": entries}, tuple(found))


def _changed(forge: Forge) -> Iterator[tuple[Attack, list[Jwk]]]:
    for what, (changes, verdict) in _CHANGES.items():
        jwk = {**forge.key.jwk(), "kid": what, **changes}
        if "key_ops" in changes and "use" not in changes:
            del jwk["use"]
        yield _signed(forge, what, verdict, SIGNERS["RS256"], forge.key.private), [jwk]


def _short(forge: Forge) -> Iterator[tuple[Attack, list[Jwk]]]:
    for bits in (1024, 1536, 2040):
        private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        what = f"RSA of {bits} bits"
        jwk = _jwk(what, "RS256", private.public_key())
        yield _signed(forge, what, _NOT_THERE, SIGNERS["RS256"], private), [jwk]


def _twice(forge: Forge) -> Iterator[tuple[Attack, list[Jwk]]]:
    what = "a kid of two keys"
    other = _jwk(what, "RS256", forge.mint.stranger().private.public_key())
    attack = _signed(forge, what, _NOT_ALONE, SIGNERS["RS256"], forge.key.private)
    yield attack, [{**forge.key.jwk(), "kid": what}, other]


def _of_curves(forge: Forge) -> Iterator[tuple[Attack, list[Jwk]]]:
    """Curves that are not ours, and points that are not on theirs (RFC 8725 section 3.4)."""
    private = ec.generate_private_key(ec.SECP256R1())
    honest = _jwk("", "ES256", private.public_key())
    x, y = honest["x"], honest["y"]
    for what, changes in (
        ("a point off its curve", {"y": x}),
        ("the point at infinity", {"x": "A" * 43, "y": "A" * 43}),
        ("a point of another curve", {"crv": "P-384", "alg": "ES384"}),
        ("a curve in lower case", {"crv": "p-256"}),
        ("no curve", {"crv": None}),
        ("secp256k1", {"crv": "secp256k1", "alg": "ES256K"}),
        ("no second half", {"y": ""}),
        ("a point with a zero before it", {"x": encode_segment(b"\x00") + x}),
        ("alg of another curve", {"alg": "ES384"}),
        ("x and y exchanged", {"x": y, "y": x}),
        ("a curve's key called OKP", {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA"}),
    ):
        jwk = {**honest, "kid": what, **changes}
        verdict = _NOT_FOR_IT if jwk["kty"] == "OKP" else _NOT_THERE  # any 32 bytes may be a key of Ed25519
        yield _signed(forge, what, verdict, SIGNERS["ES256"], private, alg="ES256"), [jwk]
    koblitz = ec.generate_private_key(ec.SECP256K1())
    es256k = get_default_algorithms()["ES256K"]
    what = "secp256k1 called P-256"
    jwk = {**es256k.to_jwk(koblitz.public_key(), as_dict=True), "kid": what, "crv": "P-256", "alg": "ES256"}
    yield _signed(forge, what, _NOT_THERE, es256k, koblitz, alg="ES256"), [jwk]


def _jwk(kid: str, algorithm: str, public: object) -> Jwk:
    jwk: Jwk = {**SIGNERS[algorithm].to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": algorithm}
    jwk.pop("key_ops", None)
    return jwk


def _signed(
    forge: Forge, what: str, verdict: Verdict, signer: Algorithm, private: object, alg: str = "RS256"
) -> Attack:
    """A token under the kid of a misfit, with its signature; the twin is the issuer's own."""
    sign: Callable[..., bytes] = signer.sign
    header, claims = forge.header(), forge.claims()
    message = forge.message({**header, "alg": alg, "kid": what}, claims)
    token = f"{message}.{encode_segment(sign(message.encode('ascii'), private))}"
    refusal, reason = verdict
    return forge.attack(what, "3.2", token, refusal, reason, twin=forge.signed(header, claims), asks=True)
