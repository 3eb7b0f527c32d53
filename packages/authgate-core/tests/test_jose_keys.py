"""Keys: what is read from documents, PEM and secrets, and which key a token gets."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from functools import cache
from typing import Any, Final

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from authgate_core.jose.compact import Header
from authgate_core.jose.keys import (
    Key,
    KeyDocument,
    KeySet,
    UnusableKeys,
    key_from_pem,
    key_from_secret,
    read_key_set,
    reading,
)
from authgate_core.jose.signature import DEFAULT_ALGORITHMS, HMAC_ALGORITHMS, KNOWN_ALGORITHMS
from authgate_core.secret import Secret
from authgate_core.testing.keys import SigningKey, lease_key
from authgate_core.testing.shapes import encode_segment

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
ROCA_MODULUS: Final = (  # of the public Wycheproof case jws_rsa_roca_key
    "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09y"
    "BFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSii"
    "Owz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJ"
    "vC64vAbROBR4Ubg6Bxg9IQVZ-QYyE"
)


class _Owner:
    """Keeps the keys of this module from being lent to others meanwhile."""


OWNER: Final = _Owner()


@cache
def signing_key(alg: str) -> SigningKey:
    """A private key for an algorithm."""
    return lease_key(OWNER, "k1", alg)


def jwk(signs: str = "RS256", /, **members: Any) -> dict[str, Any]:
    """A good public JWK without use and alg, with members added, replaced or (None) left out."""
    plain = {name: value for name, value in signing_key(signs).jwk().items() if name not in {"use", "alg"}}
    return {name: value for name, value in {**plain, **members}.items() if value is not None}


def read(*entries: object, algorithms: frozenset[str] = KNOWN_ALGORITHMS) -> tuple[Key, ...]:
    """The keys of a document with these entries."""
    return read_key_set({"keys": list(entries)}, algorithms).keys.keys


def warned(entry: object) -> str:
    """The one warning about an entry beside a good key."""
    document = read_key_set({"keys": [jwk(), entry]}, KNOWN_ALGORITHMS)
    assert ["k1"] == [key.kid for key in document.keys.keys]
    (warning,) = document.warnings
    return warning


def is_left_out(entry: object) -> bool:
    """Whether an entry beside a good key is passed over without a warning."""
    document = read_key_set({"keys": [entry, jwk()]}, KNOWN_ALGORITHMS)
    return (1, ()) == (len(document.keys), document.warnings)


def key(kid: str | None, *algorithms: str, size: int = 64, answers_any_kid: bool = False) -> Key:
    """A key for tests of selection, told apart by its bytes."""
    return Key(kid, "oct", None, frozenset(algorithms), bytes(size), answers_any_kid)


class TestDocument:
    def test_a_document_is_read_as_json_or_parsed(self) -> None:
        """Law 4.8: the keys in document order."""
        document = {"keys": [jwk(kid="a"), jwk("ES256", kid="b"), jwk("EdDSA", kid="c")]}

        for body in (document, json.dumps(document).encode()):
            keys = read_key_set(body, KNOWN_ALGORITHMS).keys
            assert [("a", "RSA", None), ("b", "EC", "P-256"), ("c", "OKP", "Ed25519")] == [
                (one.kid, one.kty, one.crv) for one in keys.keys
            ]

    def test_one_bad_key_does_not_spoil_the_others(self) -> None:
        """Law 4.8: what is wrong is left out with a warning that names its place."""
        document = read_key_set({"keys": [None, jwk(n="AQAB", kid="short"), jwk()]}, KNOWN_ALGORITHMS)

        assert ["k1"] == [one.kid for one in document.keys.keys]
        assert ["key 1", "key 2"] == [warning[:5] for warning in document.warnings]

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"<html>", b"[]", b"null", b"{", b'{"keys":', b"\xff\xfe", b'\xef\xbb\xbf{"keys":[]}'),
            *(b'{"keys":[],"keys":[]}', b'{"keys":[NaN]}', b'{"keys":' + b"[" * 5000, b'{"keys":{}}', b"{}"),
            *({}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": 1}, {"key": []}, {"keys": ()}),
        ],
    )
    def test_what_is_no_jwk_set_is_unusable(self, body: bytes | dict[str, object]) -> None:
        """Law 4.8: a document replaces nothing unless it parses; garbage is no definite answer (Law 4.4)."""
        with pytest.raises(UnusableKeys, match="no JWK set") as unusable:
            read_key_set(body, KNOWN_ALGORITHMS)

        assert not unusable.value.empty

    @pytest.mark.parametrize("body", [b'{"keys":[]}', {"keys": []}])
    def test_an_empty_set_is_a_definite_answer(self, body: bytes | dict[str, object]) -> None:
        """Law 4.4: a valid document with no keys is told apart."""
        with pytest.raises(UnusableKeys) as unusable:
            read_key_set(body, KNOWN_ALGORITHMS)

        assert unusable.value.empty

    def test_no_usable_key_is_unusable_but_not_empty(self) -> None:
        """Law 4.8: at least one usable key; the reason says what was wrong with the first few."""
        with pytest.raises(
            UnusableKeys, match="key 1 is not an object, key 2 is not for signatures"
        ) as unusable:
            read(1, jwk(use="enc"))

        assert not unusable.value.empty

    def test_a_hundred_keys_are_read_and_no_more(self) -> None:
        """Law 4.8: at most 100 keys."""
        entries = [jwk("EdDSA", kid=str(number)) for number in range(101)]

        assert 100 == len(read(*entries[:100]))
        with pytest.raises(UnusableKeys, match="101 keys"):
            read(*entries)

    @settings(UNHURRIED, max_examples=200)
    @given(st.data())
    def test_any_document_is_read_or_unusable(self, data: st.DataObject) -> None:
        """Law 3.11: whatever an issuer answers, nothing but authgate's own exception leaves."""
        values = (
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text()
            | st.sampled_from(
                ["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "sig", "verify", "RS256", "none", "AQAB"]
            )
        )
        odd = values | st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3)
        names = st.sampled_from(["kty", "kid", "crv", "alg", "use", "key_ops", "n", "e", "x", "y", "d", "k"])
        changes = data.draw(st.dictionaries(names, odd, max_size=4))
        base = data.draw(st.sampled_from([{}, jwk(), jwk("ES256"), jwk("EdDSA")]))
        with suppress(UnusableKeys):
            (one,) = read({**base, **changes})
            assert not changes.keys() & {"d", "k"}
            assert one.algorithms <= DEFAULT_ALGORITHMS | {"Ed25519"}

    @UNHURRIED
    @given(st.binary())
    def test_any_bytes_are_read_or_unusable(self, body: bytes) -> None:
        """Law 3.11: whatever bytes arrive."""
        with pytest.raises(UnusableKeys):
            read_key_set(body, KNOWN_ALGORITHMS)


class TestJwk:
    def test_without_alg_the_type_and_the_allow_list_decide(self) -> None:
        """Law 3.2: a JWK without alg may verify what fits it and is allowed, not RS256 alone."""
        assert RSA_ALGORITHMS == read(jwk())[0].algorithms
        assert {"RS512", "PS256"} == read(jwk(), algorithms=frozenset({"RS512", "PS256", "ES256"}))[
            0
        ].algorithms

    def test_its_alg_is_the_only_one(self) -> None:
        """Law 3.2: a JWK with alg verifies that algorithm only; both names stand for EdDSA."""
        assert {"RS512"} == read(jwk(alg="RS512"))[0].algorithms
        for name in ("EdDSA", "Ed25519"):
            assert {"EdDSA", "Ed25519"} == read(jwk("EdDSA", alg=name), algorithms=frozenset({"EdDSA"}))[
                0
            ].algorithms

    @pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "rs256", "", "RSA-OAEP", "ES256K", "ES521"])
    def test_an_alg_that_does_not_fit_rules_the_key_out(self, alg: str) -> None:
        """Law 3.2: alg of the JWK against its type; PyJWT raises NotImplementedError for none."""
        assert is_left_out(jwk(alg=alg, kid="other"))

    @pytest.mark.parametrize("name", ["kty", "kid", "crv", "alg", "use", "n"])
    @pytest.mark.parametrize("value", [1, True, ["RSA"], {"RSA": 1}])
    def test_members_are_strings(self, name: str, value: object) -> None:
        """RFC 7517 section 4: any other type is a broken key, not an exception."""
        assert name in warned(jwk(**{name: value}))

    @pytest.mark.parametrize(
        "change", [{"use": "enc"}, {"use": ""}, {"use": "SIG"}, {"key_ops": ["encrypt"]}, {"key_ops": []}]
    )
    def test_use_and_key_ops_count(self, change: dict[str, Any]) -> None:
        """Law 3.2: a key that is not for signatures verifies none, and is normal in a document."""
        assert is_left_out(jwk(**change, kid="other"))

    @pytest.mark.parametrize("operations", ["verify", 1, True, {"verify": 1}])
    def test_key_ops_is_a_list(self, operations: object) -> None:
        """RFC 7517 section 4.3: a text that contains "verify" is not a list that does."""
        assert "key_ops" in warned(jwk(key_ops=operations))

    def test_a_key_for_signatures_is_used(self) -> None:
        """Law 3.2: use and key_ops that allow it."""
        assert RSA_ALGORITHMS == read(jwk(use="sig", key_ops=["sign", "verify"]))[0].algorithms

    def test_a_symmetric_key_is_ignored_with_a_warning(self) -> None:
        """Law 4.8: a secret that is published is none."""
        assert "symmetric" in warned(
            {"kty": "oct", "kid": "s", "k": encode_segment(bytes(64)), "alg": "HS256"}
        )

    @pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
    def test_a_private_key_is_ignored_with_a_warning(self, alg: str) -> None:
        """Law 4.8: also where only one private member is there; PyJWT would load it as a signing key."""
        writer = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}[alg]
        whole = {**writer.to_jwk(signing_key(alg).private, as_dict=True), "key_ops": ["verify"]}  # type: ignore[attr-defined]  # each has it

        assert "private" in warned(whole)
        for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"):
            assert "private" in warned(jwk(alg, **{member: "AQAB"}))

    @pytest.mark.parametrize("kty", ["AKP", "rsa", "", None, "RSA "])
    def test_an_unknown_type_is_passed_over(self, kty: str | None) -> None:
        """RFC 7517 section 5: keys of types that are not understood are ignored."""
        assert is_left_out(jwk(kty=kty))

    @pytest.mark.parametrize("bits", [1024, 2047, 8193])
    def test_an_rsa_key_of_another_size_is_refused(self, bits: int) -> None:
        """Law 3.2: 2048 to 8192 bits."""
        assert f"{bits} bits" in warned(jwk(n=_modulus(bits)))

    @pytest.mark.parametrize("bits", [2048, 8192])
    def test_the_sizes_of_an_rsa_key(self, bits: int) -> None:
        """Law 3.2: both ends are used."""
        assert RSA_ALGORITHMS == read(jwk(n=_modulus(bits)))[0].algorithms

    def test_a_key_that_can_be_factored_is_refused(self) -> None:
        """CVE-2017-15361: a modulus that 65537 generates modulo every small prime has the fingerprint of ROCA."""
        primes = [number for number in range(3, 168) if all(number % divisor for divisor in range(2, number))]
        orders = {prime: len({pow(65537, power, prime) for power in range(prime)}) for prime in primes}
        telling = {prime: order for prime, order in orders.items() if order < prime - 1}

        assert telling == dict(zip(reading._ROCA_PRIMES, reading._ROCA_ORDERS, strict=True))
        assert "ROCA" in warned(jwk(n=ROCA_MODULUS))

    @pytest.mark.parametrize("exponent", ["AQ", "AA", "", "Ag"])
    def test_an_exponent_that_proves_nothing_is_refused(self, exponent: str) -> None:
        """With e = 1 every message is its own signature."""
        assert warned(jwk(e=exponent))

    @pytest.mark.parametrize(
        ("alg", "change"),
        [
            *(
                ("RS256", {name: value})
                for name in ("n", "e")
                for value in (None, "", "A", "AQ==", "+/AA", "A Q", "AB")
            ),
            *(
                ("ES256", {name: value})
                for name in ("x", "y")
                for value in (None, "", "AQAB", encode_segment(bytes(33)))
            ),
            *(
                ("EdDSA", {"x": value})
                for value in (None, "", "AQAB", encode_segment(bytes(31)), encode_segment(bytes(57)))
            ),
        ],
    )
    def test_broken_members_rule_a_key_out(self, alg: str, change: dict[str, Any]) -> None:
        """Law 3.2: canonical base64url of the right size (RFC 7518 section 6, RFC 8037 section 2)."""
        assert warned(jwk(alg, **change))

    @pytest.mark.parametrize("exponent", ["AQAB====", "AQAB=", "AQ AB", "AQAB\n", "AQ+B", "AQ/B", "AQB"])
    def test_what_lenient_readers_would_read_is_refused(self, exponent: str) -> None:
        """Law 3.1: a number has one spelling, and the reason says which member has another."""
        assert "has a e that is not base64url" in warned(jwk("RS256", e=exponent))

    def test_a_point_off_the_curve_is_refused(self) -> None:
        """RFC 8725 section 3.4: the library checks that the point is on the curve."""
        assert "valid EC key" in warned(jwk("ES256", y=jwk("ES256")["x"]))

    @pytest.mark.parametrize(
        ("alg", "crv"),
        [
            *(
                ("ES256", "P-384"),
                ("ES256", "secp256k1"),
                ("ES256", None),
                ("ES384", "P-256"),
                ("ES512", "P-521 "),
            ),
            *(("EdDSA", "Ed448"), ("EdDSA", "X25519"), ("EdDSA", None), ("EdDSA", "P-256")),
        ],
    )
    def test_another_curve_is_another_key(self, alg: str, crv: str | None) -> None:
        """Law 3.2: Ed448, ES256K and keys for key agreement are unknown; another curve is no key."""
        with pytest.raises(UnusableKeys):
            read(jwk(alg, crv=crv))

    def test_a_curve_that_the_machine_lacks_is_no_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 4.8: where cryptography was built without an algorithm, the other keys still work."""

        def lacking(jwk: object) -> None:
            raise UnsupportedAlgorithm("not in this build")

        monkeypatch.setattr(OKPAlgorithm, "from_jwk", staticmethod(lacking))

        assert "valid OKP key" in warned(jwk("EdDSA"))

    def test_a_curve_beside_an_rsa_key_means_nothing(self) -> None:
        """RFC 7517 section 4: members that are not understood are ignored."""
        assert RSA_ALGORITHMS == read(jwk(crv="P-256"))[0].algorithms

    def test_a_kid_may_be_absent_or_odd(self) -> None:
        """RFC 7517 section 4.5: any text is a name."""
        assert [None, "", "a/../b\n"] == [
            one.kid for one in read(jwk(kid=None), jwk(kid=""), jwk(kid="a/../b\n"))
        ]

    def test_the_repr_masks(self) -> None:
        """Law 2.5: of a key its name and purpose are shown, of an exception nothing of the key."""
        (one,) = read(jwk(alg="RS256"))

        assert (
            "Key(kid='k1', kty='RSA', crv=None, algorithms=frozenset({'RS256'}), answers_any_kid=False)"
            == repr(one)
        )
        assert "KeySet([Key(kid='k1'" in repr(KeySet([one]))
        with pytest.raises(UnusableKeys) as unusable:
            read(jwk(n="c2VjcmV0c2VjcmV0"))
        assert "c2VjcmV0" not in str(unusable.value)


class TestPem:
    @pytest.mark.parametrize("alg", ["RS256", "ES256", "ES384", "ES512", "EdDSA"])
    def test_a_public_pem_is_a_key(self, alg: str) -> None:
        """Law 3.2: its type says what it verifies; text and bytes, with space around."""
        pem = signing_key(alg).public_pem()
        expected = read(jwk(alg))[0]

        for form in (pem, pem.decode(), b"\n  " + pem + b"\n"):
            found = key_from_pem(form, KNOWN_ALGORITHMS)
            assert (expected.kty, expected.crv, expected.algorithms) == (
                found.kty,
                found.crv,
                found.algorithms,
            )
            assert found.verifies(alg, b"message", signing_key(alg).sign(b"message", alg))

    def test_pkcs1_is_read(self) -> None:
        """The older form of an RSA public key."""
        pem = signing_key("RS256").private.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)

        assert RSA_ALGORITHMS == key_from_pem(pem, KNOWN_ALGORITHMS).algorithms

    def test_a_name_is_optional(self) -> None:
        """Law 3.4: without a name the one configured key answers to every kid."""
        pem = signing_key("RS256").public_pem()

        assert (None, True) == _identity(key_from_pem(pem, KNOWN_ALGORITHMS))
        assert ("k", False) == _identity(key_from_pem(pem, KNOWN_ALGORITHMS, "k"))

    @pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_a_private_key_is_refused(self, form: PrivateFormat) -> None:
        """Law 4.8: a verifier that holds a private key is a place to steal it from."""
        pem = signing_key("RS256").private.private_bytes(Encoding.PEM, form, NoEncryption())

        with pytest.raises(UnusableKeys, match="private"):
            key_from_pem(pem, KNOWN_ALGORITHMS)

    @pytest.mark.parametrize(
        "pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", b"\xff\xfe", "\ud800"]
    )
    def test_what_is_no_pem_is_refused(self, pem: str | bytes) -> None:
        """Law 1.6: with a reason fit for a configuration error."""
        with pytest.raises(UnusableKeys, match="PEM"):
            key_from_pem(pem, KNOWN_ALGORITHMS)

    @pytest.mark.parametrize(
        ("public", "reason"),
        [
            (rsa.RSAPublicNumbers(65537, (1 << 1023) | 1).public_key(), "1024 bits"),
            (ec.generate_private_key(ec.SECP256K1()).public_key(), "secp256k1"),
            (ed448.Ed448PrivateKey.generate().public_key(), "not known"),
            (x25519.X25519PrivateKey.generate().public_key(), "not known"),
        ],
    )
    def test_keys_that_verify_nothing_here_are_refused(self, public: PublicKeyTypes, reason: str) -> None:
        """Law 3.2: too small, or of a kind that no known algorithm uses."""
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

        with pytest.raises(UnusableKeys, match=reason):
            key_from_pem(pem, KNOWN_ALGORITHMS)

    def test_a_key_that_the_allow_list_cannot_use_is_refused(self) -> None:
        """Law 1.6: a configuration in which nothing could ever verify is told at start."""
        with pytest.raises(UnusableKeys, match="RSA, and none of the allowed"):
            key_from_pem(signing_key("RS256").public_pem(), frozenset({"ES256"}))

    @UNHURRIED
    @given(st.text() | st.binary())
    def test_anything_else_is_refused(self, pem: str | bytes) -> None:
        """Law 3.11: nothing but authgate's own exception leaves."""
        with pytest.raises(UnusableKeys):
            key_from_pem(pem, KNOWN_ALGORITHMS)


class TestSecret:
    @pytest.mark.parametrize(
        ("size", "expected"),
        [(32, {"HS256"}), (47, {"HS256"}), (48, {"HS256", "HS384"}), (64, {"HS256", "HS384", "HS512"})],
    )
    def test_a_secret_is_as_long_as_the_hash(self, size: int, expected: set[str]) -> None:
        """Law 3.2: HMAC key >= the hash size (RFC 7518 section 3.2)."""
        assert expected == key_from_secret(Secret("s" * size), KNOWN_ALGORITHMS).algorithms

    @pytest.mark.parametrize("secret", [Secret(""), Secret("s" * 31), bytes(31)])
    def test_a_short_secret_is_refused(self, secret: Secret | bytes) -> None:
        """Law 3.2: refused, not warned about."""
        with pytest.raises(UnusableKeys, match="32 are the least"):
            key_from_secret(secret, HMAC_ALGORITHMS)

    def test_only_hmac_uses_a_secret(self) -> None:
        """Law 3.2: HMAC only where it is allowed."""
        with pytest.raises(UnusableKeys, match="none of the allowed"):
            key_from_secret(Secret("s" * 64), DEFAULT_ALGORITHMS)

    def test_text_is_its_utf_8(self) -> None:
        """A Secret's bytes are its UTF-8; bytes are taken as they are."""
        text = "\u00e9" * 32

        assert text.encode() == key_from_secret(Secret(text), HMAC_ALGORITHMS).material
        assert bytes(range(64)) == key_from_secret(bytes(range(64)), HMAC_ALGORITHMS).material
        assert bytes(range(64)) == key_from_secret(bytes(range(64)), HMAC_ALGORITHMS).material

    def test_text_that_is_no_unicode_is_read_as_secrets_are_compared(self) -> None:
        """Law 3.11: an environment may hold bytes that are no UTF-8; they neither fail nor become one another."""
        one, other = (key_from_secret(Secret(half * 32), HMAC_ALGORITHMS) for half in ("\udc80", "\udc81"))

        assert b"\xed\xb2\x80" * 32 == one.material != other.material
        assert ("oct", None) == (one.kty, one.crv)

    def test_no_form_of_a_public_key_is_a_secret(self) -> None:
        """CVE-2017-11424, CVE-2022-29217, CVE-2026-48526: what everyone knows cannot be what is shared."""
        public = signing_key("RS256").private.public_key()
        spki, pkcs1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
        forms = [
            public.public_bytes(Encoding.PEM, spki),
            public.public_bytes(Encoding.PEM, pkcs1),
            public.public_bytes(Encoding.DER, spki),
            public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
            b"  \n" + public.public_bytes(Encoding.PEM, spki),
            public.public_bytes(Encoding.PEM, spki).replace(b"\n", b""),
            public.public_bytes(Encoding.PEM, spki).replace(b"\n", b"\\n"),
            public.public_bytes(Encoding.PEM, spki)[:-20],
            b"".join(public.public_bytes(Encoding.PEM, spki).splitlines()[1:-1]),
            b"\n".join(public.public_bytes(Encoding.PEM, spki).splitlines()[1:-1]),
            base64.urlsafe_b64encode(public.public_bytes(Encoding.DER, spki)).rstrip(b"="),
            json.dumps(jwk()).encode(),
            json.dumps({"keys": [jwk()]}).encode(),
        ]

        for form in forms:
            with pytest.raises(UnusableKeys, match="public key"):
                key_from_secret(form, HMAC_ALGORITHMS)

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
    def test_no_spelling_of_a_bare_public_key_is_a_secret(self, algorithm: str) -> None:
        """Law 3.2: as pages show it: with padding, without, with too much, over lines, in either alphabet."""
        spki = PublicFormat.SubjectPublicKeyInfo
        der = signing_key(algorithm).private.public_key().public_bytes(Encoding.DER, spki)
        padded, url = base64.b64encode(der), base64.urlsafe_b64encode(der)
        forms = [padded, url, padded.rstrip(b"="), url.rstrip(b"="), padded + b"==", base64.encodebytes(der)]

        for form in forms:
            with pytest.raises(UnusableKeys, match="public key"):
                key_from_secret(form, HMAC_ALGORITHMS)

    def test_the_repr_masks(self) -> None:
        """Law 2.5: a secret is not shown, and neither is a short one in its refusal."""
        assert "hunter2" not in repr(KeySet([key_from_secret(Secret("hunter2" * 10), HMAC_ALGORITHMS)]))
        with pytest.raises(UnusableKeys) as unusable:
            key_from_secret(Secret("hunter2"), HMAC_ALGORITHMS)
        assert "hunter2" not in str(unusable.value)

    def test_a_name_is_optional(self) -> None:
        """Law 3.4: without a name it answers to every kid."""
        assert (None, True) == _identity(key_from_secret(bytes(64), HMAC_ALGORITHMS))
        assert ("k", False) == _identity(key_from_secret(bytes(64), HMAC_ALGORITHMS, "k"))


class TestSelection:
    def test_a_kid_selects_one_key(self) -> None:
        """Law 3.4: exactly, also among keys that fit as well."""
        a, b = key("a", "RS256"), key("b", "RS256")

        assert (a,) == KeySet([a, b]).select("a", "RS256")
        for kid in ("c", "A", "a ", ""):
            assert () == KeySet([a, b]).select(kid, "RS256")

    def test_a_document_of_which_nothing_is_to_be_said(self) -> None:
        """Law 4.8: warnings are of what was left out."""
        assert () == KeyDocument(KeySet([key("a", "RS256")])).warnings

    def test_a_key_answers_to_its_own_kid_unless_told_otherwise(self) -> None:
        """Law 3.4: only a configured key that nobody named stands for every kid."""
        one = Key("a", "RSA", None, frozenset({"RS256"}), b"material")

        assert ((one,), ()) == (KeySet([one]).select("a", "RS256"), KeySet([one]).select("b", "RS256"))
        assert [True, False] == [KeySet([one]).has_kid(kid) for kid in ("a", "b")]

    def test_the_algorithm_filters_first(self) -> None:
        """Law 3.4: two keys of one kid are told apart by what they may verify (Law 3.2)."""
        rsa_key, ec_key = key("k", "RS256"), key("k", "ES256")
        keys = KeySet([rsa_key, ec_key])

        assert [(rsa_key,), (ec_key,), ()] == [keys.select("k", alg) for alg in ("RS256", "ES256", "RS512")]

    def test_two_keys_of_one_kid_are_none(self) -> None:
        """Law 3.4: exactly one key or the token is refused."""
        keys = KeySet([key("k", "RS256"), key("k", "RS256", size=65)])

        assert keys.has_kid("k")
        assert () == keys.select("k", "RS256")

    def test_without_a_kid_four_keys_are_tried(self) -> None:
        """Law 3.4: up to four that fit, in document order."""
        keys = [key(str(number), "ES256" if number % 2 else "RS256") for number in range(12)]

        assert ["0", "2", "4", "6"] == [one.kid for one in KeySet(keys).select(None, "RS256")]

    def test_a_published_key_without_a_kid_answers_to_none(self) -> None:
        """Law 3.4: a kid that no key has is unknown, even if some key has no name."""
        keys = KeySet(read(jwk(kid=None)))

        assert not keys.has_kid("k")
        assert () == keys.select("k", "RS256")
        assert 1 == len(keys.select(None, "RS256"))

    def test_a_configured_key_without_a_name_answers_to_every_kid(self) -> None:
        """Law 3.4: a PEM has no place for a kid, so the one key that was configured is the one selected."""
        one = key_from_pem(signing_key("RS256").public_pem(), KNOWN_ALGORITHMS)

        assert KeySet([one]).has_kid("whatever")
        assert (one,) == KeySet([one]).select("whatever", "RS256")
        assert () == KeySet([one]).select("whatever", "ES256")
        assert () == KeySet([one, one]).select("whatever", "RS256")

    def test_a_named_key_comes_before_one_without_a_name(self) -> None:
        """Law 3.4: who has the kid is selected, not who answers to all."""
        named, unnamed = key("k", "HS256"), key(None, "HS256", answers_any_kid=True)

        assert (named,) == KeySet([unnamed, named]).select("k", "HS256")
        assert (unnamed,) == KeySet([unnamed, named]).select("other", "HS256")

    def test_keys_are_taken_out_by_name(self) -> None:
        """Law 4.7: what is forgotten verifies nothing; the rest and the old set stay as they are."""
        a, b, nameless = key("a", "RS256"), key("b", "RS256"), key(None, "RS256")
        keys = KeySet([a, b, nameless])

        assert (b, nameless) == keys.without({"a", "zz"}).keys
        assert not keys.without({"a"}).has_kid("a")
        assert (3, True) == (len(keys), keys.has_kid("a"))

    def test_keys_are_equal_by_value(self) -> None:
        """A key that is published again is not a newer one."""
        assert read(jwk()) == read(jwk())
        assert {*read(jwk())} == {*read(jwk())}
        assert read(jwk()) != read(jwk(kid="other"))
        assert read(jwk(kid="k")) != read(jwk(kid="k", n=_modulus(2048)))


class TestHeaders:
    def test_a_header_is_recalled_in_its_own_set_only(self) -> None:
        """Law 3.12: what a header meant belongs to one set and dies with it."""
        one = key("k", "RS256")
        keys = KeySet([one])
        keys.remember("segment", Header("RS256", "k"), one)

        assert (Header("RS256", "k"), one) == keys.recall("segment")
        assert None is keys.recall("other")
        assert None is keys.without({"other"}).recall("segment")
        assert None is KeySet([one]).recall("segment")

    def test_the_memory_is_bounded(self) -> None:
        """Law 3.12: 64 headers and no more, whatever is sent; the latest is among them."""
        one = key("k", "RS256")
        keys = KeySet([one])
        held: list[int] = []
        for number in range(200):
            keys.remember(str(number), Header("RS256", "k"), one)
            assert None is not keys.recall(str(number))
            held.append(sum(keys.recall(str(earlier)) is not None for earlier in range(200)))

        assert 64 == max(held)


def _modulus(bits: int) -> str:
    return encode_segment(((1 << (bits - 1)) | 0x10001).to_bytes((bits + 7) // 8))


def _identity(one: Key) -> tuple[str | None, bool]:
    return one.kid, one.answers_any_kid
