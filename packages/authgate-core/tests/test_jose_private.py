"""Private keys: which are read, and what they sign (Law 3.2)."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from authgate_core.jose.compact import decode_segment, encode_segment
from authgate_core.jose.keys import UnusableKeys, private_key, read_key_set
from authgate_core.jose.signature import DEFAULT_ALGORITHMS, HMAC_ALGORITHMS, KNOWN_ALGORITHMS
from authgate_core.testing.keys import SIGNERS, SigningKey, lease_key

ALGORITHMS: Final = sorted(DEFAULT_ALGORITHMS | {"Ed25519"})
MESSAGE: Final = b"header.payload"


class _Owner:
    """Keeps the keys of this module from being lent to others meanwhile."""


OWNER: Final = _Owner()


@cache
def signing_key(alg: str) -> SigningKey:
    """A private key for an algorithm."""
    return lease_key(OWNER, "k1", alg)


def pem(key: Any) -> bytes:
    """A private key as files hold it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[no-any-return]  # of any type of key


def jwk(alg: str) -> dict[str, Any]:
    """The same as a JWK."""
    return dict(SIGNERS[alg].to_jwk(signing_key(alg).private, as_dict=True))


class TestSigning:
    @pytest.mark.parametrize("alg", ALGORITHMS)
    def test_what_it_signs_is_verified(self, alg: str) -> None:
        """RFC 7515 section 5.1: by the public key, and of that message alone; from PEM and from JWK."""
        private = signing_key(alg).private
        public = read_key_set({"keys": [signing_key(alg).jwk()]}, KNOWN_ALGORITHMS).keys.keys[0]
        for material in (pem(private), pem(private).decode(), jwk(alg)):
            key = private_key(material, alg)
            assert alg == key.algorithm
            assert public.verifies(alg, MESSAGE, key.sign(MESSAGE))
            assert not public.verifies(alg, MESSAGE + b"x", key.sign(MESSAGE))

    def test_the_repr_masks(self) -> None:
        """Law 2.5: of a private key its algorithm is shown."""
        assert "PrivateKey(algorithm='EdDSA')" == repr(private_key(jwk("EdDSA"), "EdDSA"))


class TestRefused:
    @pytest.mark.parametrize("alg", [*sorted(HMAC_ALGORITHMS), "none", "RS1", "ES256K", "", "eddsa"])
    def test_an_algorithm_that_no_private_key_has(self, alg: str) -> None:
        """Law 3.2: a shared secret is no private key, and what is unknown signs nothing."""
        with pytest.raises(UnusableKeys, match="no algorithm that a private key signs with"):
            private_key(pem(signing_key("RS256").private), alg)

    @pytest.mark.parametrize(
        ("of", "alg"),
        [("RS256", "ES256"), ("RS256", "EdDSA"), ("ES256", "ES384"), ("ES384", "ES256"), ("EdDSA", "PS256")],
    )
    def test_another_type_than_the_algorithm_has(self, of: str, alg: str) -> None:
        """Law 3.2: type and curve fit the algorithm."""
        with pytest.raises(UnusableKeys, match=f"another type than {alg} signs with"):
            private_key(pem(signing_key(of).private), alg)

    def test_a_curve_that_no_algorithm_has(self) -> None:
        """Law 3.2: ES256K is unknown."""
        with pytest.raises(UnusableKeys, match="another type"):
            private_key(pem(ec.generate_private_key(ec.SECP256K1())), "ES256")

    def test_rsa_keys_that_are_too_short(self) -> None:
        """Law 3.2: 2048 bits at least; exactly as many are enough."""
        assert "RS256" == private_key(pem(rsa.generate_private_key(65537, 2048)), "RS256").algorithm
        with pytest.raises(UnusableKeys, match="has 2040 bits; RSA needs at least 2048"):
            private_key(pem(rsa.generate_private_key(65537, 2040)), "RS256")

    @pytest.mark.parametrize("material", ["", "\ud800", "secret", b"-----BEGIN PRIVATE KEY-----"])
    def test_what_is_no_pem(self, material: str | bytes) -> None:
        """Law 1.6: it is told at the start, and not shown."""
        with pytest.raises(UnusableKeys, match="no private key in PEM") as refused:
            private_key(material, "RS256")
        assert "secret" not in str(refused.value)

    def test_a_pem_with_a_password(self) -> None:
        """Nobody could ask for it."""
        locked = signing_key("EdDSA").private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        )
        with pytest.raises(UnusableKeys, match="without a password"):
            private_key(locked, "EdDSA")

    @pytest.mark.parametrize("material", [{}, {"kty": "RSA"}, {"kty": "oct", "k": "c2VjcmV0"}])
    def test_what_is_no_such_jwk(self, material: dict[str, str]) -> None:
        """Law 2.5: the reason names what was asked for, and nothing of what was given."""
        with pytest.raises(UnusableKeys, match="is no JWK that RS256 signs with") as refused:
            private_key(material, "RS256")
        assert "c2VjcmV0" not in str(refused.value)

    @pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
    def test_a_public_key(self, alg: str) -> None:
        """It signs nothing."""
        with pytest.raises(UnusableKeys, match="no private key"):
            private_key(signing_key(alg).jwk(), alg)
        with pytest.raises(UnusableKeys, match="no private key"):
            private_key(signing_key(alg).public_pem(), alg)


class TestSegments:
    @pytest.mark.parametrize(
        ("data", "segment"),
        [(b"", ""), (b"\x00", "AA"), (b"\x00\x00", "AAA"), (b"\x00\x00\x00", "AAAA"), (b"\xfb\xff", "-_8")],
    )
    def test_a_segment_is_written_as_it_is_read(self, data: bytes, segment: str) -> None:
        """RFC 7515 section 2: base64url without padding."""
        assert segment == encode_segment(data)
        assert data == decode_segment(segment)
