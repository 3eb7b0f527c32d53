"""Signatures: the table of algorithms, and what verifies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from unittest.mock import create_autospec

import pytest
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authgate_core.jose import signature
from authgate_core.jose.keys import Key, key_from_secret, read_key_set
from authgate_core.jose.signature import (
    ALGORITHMS,
    DEFAULT_ALGORITHMS,
    HMAC_ALGORITHMS,
    KNOWN_ALGORITHMS,
    checker,
    fitting,
    is_allowed,
)
from authgate_core.testing.keys import SIGNERS, SigningKey, lease_key

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MESSAGE: Final = b"eyJhbGciOiJub25lIn0.e30"
SECRET: Final = bytes(range(64))
CURVE_ORDERS: Final = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": int("f" * 48 + "c7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16),
    "ES512": int("1" + "f" * 64 + "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16),
}
FAMILIES: Final[Mapping[tuple[str, str | None], set[str]]] = {
    ("RSA", None): {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
    ("EC", "P-256"): {"ES256"},
    ("EC", "P-384"): {"ES384"},
    ("EC", "P-521"): {"ES512"},
    ("OKP", "Ed25519"): {"EdDSA", "Ed25519"},
    ("oct", None): {"HS256", "HS384", "HS512"},
}


class _Owner:
    """Keeps the keys of this module from being lent to others meanwhile."""


OWNER: Final = _Owner()


@cache
def signing_key(alg: str) -> SigningKey:
    """A private key for an asymmetric algorithm."""
    return lease_key(OWNER, "k", alg)


@cache
def signed(alg: str) -> tuple[Key, bytes]:
    """The public key and a good signature of ``MESSAGE``."""
    if alg in HMAC_ALGORITHMS:
        return key_from_secret(SECRET, HMAC_ALGORITHMS), SIGNERS[alg].sign(MESSAGE, SECRET)
    key = signing_key(alg)
    published = {name: value for name, value in key.jwk().items() if name != "alg"}
    return read_key_set({"keys": [published]}, KNOWN_ALGORITHMS).keys.keys[0], key.sign(MESSAGE, alg)


def verifies(alg: str, candidate: bytes) -> bool:
    """Whether the key of an algorithm takes this for its signature of ``MESSAGE``."""
    return signed(alg)[0].verifies(alg, MESSAGE, candidate)


class TestTable:
    def test_the_algorithms_of_the_law(self) -> None:
        """Law 3.2: these and no others, with the hash size as the shortest secret (RFC 7518 section 3.2)."""
        fits: dict[tuple[str, str | None], set[str]] = {}
        for name, algorithm in ALGORITHMS.items():
            fits.setdefault((algorithm.kty, algorithm.crv), set()).add(name)

        assert fits == FAMILIES
        assert set(ALGORITHMS) == KNOWN_ALGORITHMS
        assert {"HS256": 32, "HS384": 48, "HS512": 64} == {
            name: algorithm.secret_size for name, algorithm in ALGORITHMS.items() if algorithm.kty == "oct"
        }

    def test_the_default_allow_list(self) -> None:
        """Law 3.2: RS, PS and ES with 256, 384 and 512 bits, and EdDSA; HMAC only where it is configured."""
        expected = {f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {
            "EdDSA"
        }

        assert expected == DEFAULT_ALGORITHMS
        assert {"HS256", "HS384", "HS512"} == HMAC_ALGORITHMS

    @pytest.mark.parametrize(
        "alg", ["none", "None", "NONE", "nOnE", "", "ES256K", "ES521", "Ed448", "rs256", "RS256 "]
    )
    def test_an_unknown_algorithm_is_never_allowed(self, alg: str) -> None:
        """Law 3.2: not even where an allow-list names it; ``none`` in any spelling."""
        assert not is_allowed(alg, frozenset({alg}))
        assert frozenset() == frozenset().union(*(fitting(*family, frozenset({alg})) for family in FAMILIES))

    def test_only_what_is_listed_is_allowed(self) -> None:
        """Law 3.2: the allow-list decides, also over algorithms of the same family."""
        assert is_allowed("RS256", frozenset({"RS256"}))
        assert not is_allowed("RS512", frozenset({"RS256", "PS512"}))
        assert not is_allowed("RS256", frozenset())

    @pytest.mark.parametrize("listed", ["EdDSA", "Ed25519"])
    def test_eddsa_has_two_names(self, listed: str) -> None:
        """Law 3.2: either name in the allow-list accepts both names in a header (RFC 9864)."""
        assert is_allowed("EdDSA", frozenset({listed}))
        assert is_allowed("Ed25519", frozenset({listed}))
        assert {"EdDSA", "Ed25519"} == fitting("OKP", "Ed25519", frozenset({listed}))

    @pytest.mark.parametrize("family", FAMILIES)
    def test_a_key_fits_the_algorithms_of_its_type_and_curve(self, family: tuple[str, str | None]) -> None:
        """Law 3.2: kty and crv bind a key to its algorithms."""
        assert fitting(*family, KNOWN_ALGORITHMS) == FAMILIES[family]

    @pytest.mark.parametrize(
        "kind", [("EC", "secp256k1"), ("EC", None), ("OKP", "Ed448"), ("OKP", "X25519"), ("AKP", None)]
    )
    def test_other_keys_fit_nothing(self, kind: tuple[str, str | None]) -> None:
        """Law 3.2: Ed448 and ES256K are unknown."""
        assert frozenset() == fitting(*kind, KNOWN_ALGORITHMS)


@pytest.mark.parametrize("alg", ["PS256", "PS384", "PS512"])
class TestLength:
    def test_a_leading_zero_counts(self, alg: str) -> None:
        """RFC 8017 section 8.1.2: one signature has one form, also where it begins with a zero byte."""
        key = signing_key(alg)
        good = next(good for good in (key.sign(MESSAGE, alg) for _ in range(20_000)) if good[0] == 0)

        assert verifies(alg, good)
        assert not verifies(alg, good[1:])


@pytest.mark.parametrize("alg", sorted(KNOWN_ALGORITHMS))
class TestEveryAlgorithm:
    def test_a_real_signature_verifies(self, alg: str) -> None:
        """Law 3.2: what a real key signed is accepted, for this message and this algorithm only."""
        key, good = signed(alg)
        twins = {"EdDSA", "Ed25519"} if alg in {"EdDSA", "Ed25519"} else {alg}

        assert twins == {name for name in KNOWN_ALGORITHMS if key.verifies(name, MESSAGE, good)}
        assert not key.verifies(alg, MESSAGE + b"x", good)
        assert not key.verifies(alg, b"", good)

    def test_every_byte_counts(self, alg: str) -> None:
        """A signature with one bit turned, a byte less or a byte more is not one."""
        good = signed(alg)[1]
        turned = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(len(good))]

        assert [] == [at for at, bad in enumerate(turned) if verifies(alg, bad)]
        for bad in (b"", good[:-1], good[1:], good + b"\0", b"\0" + good, good + good, bytes(len(good))):
            assert not verifies(alg, bad)

    def test_pyjwt_says_the_same(self, alg: str) -> None:
        """The plain twin (docs/adr/0003): PyJWT, of which PSS alone takes what is short by leading zeros."""
        key, good = signed(alg)
        turned = bytes([good[0] ^ 1]) + good[1:]
        plain = ALGORITHMS[alg].implementation

        for candidate in (good, turned, b"", good[:-1], good + b"\0", bytes(len(good)), b"\xff" * len(good)):
            assert plain.verify(MESSAGE, key.material, candidate) == key.verifies(alg, MESSAGE, candidate)

    @settings(UNHURRIED, max_examples=25)
    @given(data=st.data())
    def test_any_bytes_are_judged(self, alg: str, data: st.DataObject) -> None:
        """Law 3.11: no bytes make the verification raise."""
        size = len(signed(alg)[1])

        assert not verifies(alg, data.draw(st.binary() | st.binary(min_size=size, max_size=size)))


@pytest.mark.parametrize("alg", sorted(CURVE_ORDERS))
class TestElliptic:
    def test_the_signature_has_the_exact_raw_length(self, alg: str) -> None:
        """RFC 7518 section 3.4: R and S of fixed size; DER is not a signature here."""
        size = len(signed(alg)[1]) // 2
        r, s = (int.from_bytes(signed(alg)[1][part]) for part in (slice(size), slice(size, None)))

        assert {"ES256": 32, "ES384": 48, "ES512": 66}[alg] == size
        assert not verifies(alg, encode_dss_signature(r, s))
        assert not verifies(alg, b"\0" + r.to_bytes(size) + b"\0" + s.to_bytes(size))
        assert not verifies(alg, r.to_bytes(size) + b"\0" + s.to_bytes(size))

    def test_degenerate_numbers_are_refused(self, alg: str) -> None:
        """CVE-2022-21449: zero, the order of the curve and what is above it are no signature."""
        size, order = len(signed(alg)[1]) // 2, CURVE_ORDERS[alg]
        limit = 256**size - 1
        for r in (0, 1, order - 1, order, order + 1, limit):
            for s in (0, 1, order - 1, order, order + 1, limit):
                assert not verifies(alg, min(r, limit).to_bytes(size) + min(s, limit).to_bytes(size))

    def test_there_is_a_second_valid_form(self, alg: str) -> None:
        """Law 5.9: S and order - S both verify, which is why a token is never named by its signature."""
        size, good = len(signed(alg)[1]) // 2, signed(alg)[1]
        mirrored = CURVE_ORDERS[alg] - int.from_bytes(good[size:])

        assert verifies(alg, good[:size] + mirrored.to_bytes(size))


class _Failing:
    """An implementation whose verify raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def verify(self, msg: bytes, key: object, sig: bytes) -> bool:
        """Raise."""
        raise self.error


def failing(
    material: type[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey], error: Exception
) -> Any:
    """A public key whose ``verify`` raises."""
    key = create_autospec(material, instance=True)
    key.key_size, key.curve = 2048, SECP256R1()
    key.verify.side_effect = error
    return key


LIBRARY_FAILURES: Final = [ValueError("x"), UnsupportedAlgorithm("x"), InternalError("x", [])]
FAILING: Final = [
    ("RS256", RSAPublicKey, 256),
    ("PS256", RSAPublicKey, 256),
    ("ES256", EllipticCurvePublicKey, 64),
    ("EdDSA", Ed25519PublicKey, 64),
]


class TestFailure:
    @pytest.mark.parametrize("error", LIBRARY_FAILURES)
    def test_what_the_library_cannot_look_at_is_no_signature(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        """Law 3.11: an exception of the cryptography is a bad signature, not an exception of ours."""
        assert not self.outcome(monkeypatch, error)

    @pytest.mark.parametrize("error", LIBRARY_FAILURES)
    @pytest.mark.parametrize(("alg", "material", "size"), FAILING)
    def test_nor_is_what_a_public_key_cannot_look_at(
        self, alg: str, material: type[Any], size: int, error: Exception
    ) -> None:
        """Law 3.11: so for each kind of key, asked with a signature of its length."""
        key = failing(material, error)

        assert not checker(key, alg)(MESSAGE, bytes(size))
        key.verify.assert_called_once()

    def test_a_bug_is_not_an_outcome(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 1.3: anything else is a bug and is seen as one."""
        with pytest.raises(RuntimeError):
            self.outcome(monkeypatch, RuntimeError("bug"))

    @pytest.mark.parametrize(("alg", "material", "size"), FAILING)
    def test_nor_is_a_bug_with_a_public_key(self, alg: str, material: type[Any], size: int) -> None:
        """Law 1.3: so for each kind of key."""
        with pytest.raises(RuntimeError):
            checker(failing(material, RuntimeError("bug")), alg)(MESSAGE, bytes(size))

    def outcome(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> bool:
        """What ``checker`` makes of an implementation that raises."""
        key, good = signed("HS256")
        faulty = dataclasses.replace(ALGORITHMS["HS256"], implementation=_Failing(error))  # type: ignore[arg-type]  # a fake
        monkeypatch.setattr(signature, "ALGORITHMS", {**ALGORITHMS, "HS256": faulty})
        return checker(key.material, "HS256")(MESSAGE, good)
