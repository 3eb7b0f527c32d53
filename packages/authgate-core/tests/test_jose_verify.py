"""Verification: the one way from a token to claims that may be believed."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authgate_core.clock import Instant
from authgate_core.errors import (
    AlgorithmRefused,
    AuthgateError,
    BadSignature,
    InvalidClaim,
    MalformedToken,
    TokenExpired,
    UnknownKey,
)
from authgate_core.jose.claims import TokenRules
from authgate_core.jose.compact import Limits, parse_header, parse_object, split
from authgate_core.jose.keys import KeySet, key_from_pem, key_from_secret, read_key_set
from authgate_core.jose.signature import DEFAULT_ALGORITHMS, HMAC_ALGORITHMS, KNOWN_ALGORITHMS
from authgate_core.jose.verify import (
    VerifiedClaims,
    check_signature,
    verify,
    verify_signature,
    verify_with,
    vouch,
    vouch_bearer,
)
from authgate_core.testing import ABSENT, ManualClock, TokenMint
from authgate_core.testing.keys import SIGNERS
from authgate_core.testing.shapes import encode_json, encode_segment

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW: Final = 1_800_000_000.0
LIMITS: Final = Limits()
ASYMMETRIC: Final = sorted(DEFAULT_ALGORITHMS | {"Ed25519"})
SECRET: Final = bytes(range(64))


def mint(alg: str = "RS256") -> TokenMint:
    """An issuer whose first key signs with ``alg``, at ``NOW``."""
    return _mint(alg)


@cache
def _mint(alg: str) -> TokenMint:
    return TokenMint("https://id.test", audience="api", algorithm=alg, clock=ManualClock(Instant(NOW, 0.0)))


def keys_of(alg: str = "RS256", allowed: frozenset[str] = KNOWN_ALGORITHMS) -> KeySet:
    """The published keys of ``mint(alg)``."""
    return read_key_set(mint(alg).jwks(), allowed).keys


def rules(**changes: Any) -> TokenRules:
    """Rules that accept what ``mint`` makes."""
    plain = {"issuer": "https://id.test", "audience": frozenset({"api"}), "algorithms": DEFAULT_ALGORITHMS}
    return TokenRules(**{**plain, **changes})


def believe(token: str, keys: KeySet, one: TokenRules | None = None, *, now: float = NOW) -> VerifiedClaims:
    """Verify as a flow does: split, parse, select, verify."""
    parts = split(token, LIMITS)
    claims, header = parse_object(parts.payload, LIMITS), parse_header(parts.header, LIMITS)
    selected = keys.select(header.kid, header.alg)
    return verify(parts, header, claims, selected, one or rules(), Instant(now, 0.0))


def message(of: str = "RS256", /, **header: object) -> str:
    """Header and payload of a good token, with header parameters added, replaced or (ABSENT) left out."""
    parts = {**mint(of).header(), **header}, mint(of).claims()
    return ".".join(encode_segment(encode_json(part)) for part in parts)


def hmac_token(alg: str, secret: bytes, **header: object) -> str:
    """A token signed with a shared secret."""
    text = message(alg=alg, **header)
    return f"{text}.{encode_segment(SIGNERS[alg].sign(text.encode(), secret))}"


def outcome(call: Callable[..., object], *arguments: object) -> str:
    """``accept``, or the name of authgate's refusal; anything else fails the test."""
    try:
        call(*arguments)
    except AuthgateError as error:
        return type(error).__name__
    return "accept"


def outcome_of(call: Callable[[], object]) -> object:
    """What it gives, or the reason of authgate's refusal."""
    try:
        return call()
    except AuthgateError as error:
        return error.reason


class TestAccepted:
    @pytest.mark.parametrize("alg", ASYMMETRIC)
    def test_a_token_of_every_algorithm(self, alg: str) -> None:
        """Law 3.2: what a real key signed is believed, with kid and without."""
        for kid in (None, ABSENT):
            verified = believe(mint(alg).token("u1", kid=kid), keys_of(alg))
            assert ("u1", mint(alg).kid) == (verified.claims["sub"], verified.kid)

    @pytest.mark.parametrize("alg", sorted(HMAC_ALGORITHMS))
    def test_a_token_of_a_shared_secret(self, alg: str) -> None:
        """Law 3.2: HMAC where a shared secret is configured, whatever the token calls the key."""
        keys = KeySet([key_from_secret(SECRET, HMAC_ALGORITHMS)])
        verified = believe(hmac_token(alg, SECRET, kid="any"), keys, rules(algorithms=HMAC_ALGORITHMS))

        assert ("u1", "any") == (verified.claims["sub"], verified.kid)

    def test_both_names_of_eddsa(self) -> None:
        """Law 3.2: EdDSA and Ed25519 are one algorithm, whichever the key, the list and the header say."""
        for published in ("EdDSA", "Ed25519"):
            for listed in ("EdDSA", "Ed25519"):
                allowed = frozenset({listed})
                keys = keys_of(published, allowed)
                for header in ("EdDSA", "Ed25519"):
                    token = mint(published).token(algorithm=header)
                    assert believe(token, keys, rules(algorithms=allowed)).claims

    def test_the_times_are_given(self) -> None:
        """What a revocation source needs is read once (Law 5.7)."""
        verified = believe(mint().token(auth_time=NOW - 60, iat=NOW - 5.5), keys_of())
        assert (NOW - 5.5, NOW - 60, NOW + 300) == (
            verified.issued_at,
            verified.auth_time,
            verified.expires_at,
        )

        bare = believe(mint().token(iat=ABSENT), keys_of())
        assert (None, None) == (bare.issued_at, bare.auth_time)

    def test_claims_of_any_shape_are_given(self) -> None:
        """A subject may be an object: what a claim means is for the issuer's mapping (Law 3.9)."""
        sub = {"uuid": "u1", "email": "e", "name": None}

        assert sub == believe(mint().token(sub, extra=[1, {"a": None}]), keys_of()).claims["sub"]


class TestName:
    def test_a_token_is_named_by_its_jti(self) -> None:
        """Law 5.9: the jti where there is one."""
        verified = believe(mint().token(jti="t-1"), keys_of())

        assert ("t-1", True) == (verified.name, verified.has_jti)

    def test_without_a_jti_by_what_was_signed(self) -> None:
        """Law 5.9: the SHA-256 of header.payload in hex."""
        token = mint().token(jti=ABSENT)
        verified = believe(token, keys_of())

        assert (hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest(), False) == (
            verified.name,
            verified.has_jti,
        )

    def test_a_second_signature_is_the_same_token(self) -> None:
        """Law 5.9: ECDSA signs anew each time, and the name stays."""
        header, payload = encode_json(mint("ES256").header()), encode_json({**mint().claims(), "jti": ABSENT})
        one, other = (mint("ES256").raw_token(header, payload) for _ in range(2))

        assert one != other
        assert believe(one, keys_of("ES256")).name == believe(other, keys_of("ES256")).name

    def test_the_key_is_named_by_itself(self) -> None:
        """Law 5.2: a token without a kid still belongs to the key that verified it, and ends with it."""
        assert mint().kid == believe(mint().token(kid=ABSENT), keys_of()).kid
        nameless = KeySet([key_from_pem(mint().key().public_pem(), DEFAULT_ALGORITHMS)])
        assert None is believe(mint().token(kid=ABSENT), nameless).kid


class TestRefused:
    def test_no_signature(self) -> None:
        """Law 3.2: ``none`` in any spelling, with a signature and without, whatever is allowed."""
        for alg in ("none", "None", "NONE", "nOnE", "nonE", ""):
            for signature in ("", mint().token().rpartition(".")[2]):
                for one in (rules(), rules(algorithms=frozenset({alg, "RS256"}))):
                    with pytest.raises(AlgorithmRefused):
                        believe(f"{message(alg=alg)}.{signature}", keys_of(), one)

    @pytest.mark.parametrize("alg", sorted(HMAC_ALGORITHMS))
    def test_algorithm_confusion(self, alg: str) -> None:
        """Law 3.2: HMAC under any form of the public key, even where HMAC is on the list by mistake."""
        public, jwk = mint().key().private.public_key(), mint().key().jwk()
        spki, pkcs1, ssh = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1, PublicFormat.OpenSSH
        pem = public.public_bytes(Encoding.PEM, spki)
        forms = [
            *(pem, pem.strip(), b"\n" + pem, pem.replace(b"\n", b"\r\n"), b"", jwk["n"].encode()),
            *(public.public_bytes(Encoding.PEM, pkcs1), public.public_bytes(Encoding.DER, spki)),
            *(public.public_bytes(Encoding.OpenSSH, ssh), json.dumps(jwk).encode()),
            *(encode_json(jwk), encode_json(mint().jwks())),
        ]
        for form in forms:
            for kid in (mint().kid, ABSENT):
                token = hmac_token(alg, form, kid=kid)
                for algorithms in (DEFAULT_ALGORITHMS, KNOWN_ALGORITHMS):
                    with pytest.raises((AlgorithmRefused, BadSignature)):
                        believe(token, keys_of(), rules(algorithms=algorithms))
                    with pytest.raises(AlgorithmRefused):
                        verify_signature(token, keys_of(), algorithms)

    @pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
    def test_a_key_in_the_header_is_not_believed(self, alg: str) -> None:
        """Law 3.3: CVE-2018-0114; the signer's own key in jwk, x5c or jku changes nothing."""
        stranger = mint(alg).stranger()
        key = mint(alg).key()
        url = "https://evil.test"
        for extra in ({"jwk": stranger.jwk()}, {"jku": url}, {"x5u": url}, {"x5c": ["MII="]}):
            text = message(alg, **extra)
            forged, honest = (
                f"{text}.{encode_segment(one.sign(text.encode(), alg))}" for one in (stranger, key)
            )
            with pytest.raises(BadSignature):
                believe(forged, keys_of(alg))
            assert believe(honest, keys_of(alg)).claims

    def test_an_algorithm_outside_the_list(self) -> None:
        """Law 3.2: the key fits and the signature is good, and the list decides."""
        with pytest.raises(AlgorithmRefused):
            believe(mint("RS512").token(), keys_of("RS512"), rules(algorithms=frozenset({"RS256"})))

    def test_an_algorithm_that_does_not_fit_the_key(self) -> None:
        """Law 3.2: the published alg binds the key; the very same key signs another algorithm in vain."""
        for alg in ("RS512", "PS256"):
            with pytest.raises(BadSignature):
                believe(mint().token(algorithm=alg), keys_of())
            with pytest.raises(AlgorithmRefused):
                verify_signature(mint().token(algorithm=alg), keys_of(), DEFAULT_ALGORITHMS)

    def test_an_unfitting_key_handed_in_does_not_verify(self) -> None:
        """Law 3.2: ``verify`` asks the key itself, so a wrong selection is no way in."""
        parts = split(mint().token(algorithm="RS512"), LIMITS)
        header, claims = parse_header(parts.header, LIMITS), parse_object(parts.payload, LIMITS)

        for selected in (keys_of().keys, ()):
            with pytest.raises(BadSignature):
                verify(parts, header, claims, selected, rules(), Instant(NOW, 0.0))

    def test_the_signature_comes_before_the_claims(self) -> None:
        """Law 1.2: "expired" is said only after a good signature."""
        expired = mint().token(expires_in=-3600)
        header, payload, signature = expired.split(".")
        forged = f"{header}.{payload}.{'A' * len(signature)}"

        with pytest.raises(TokenExpired):
            believe(expired, keys_of())
        with pytest.raises(BadSignature):
            believe(forged, keys_of())

    def test_the_header_type_is_part_of_it(self) -> None:
        """Law 3.8: ``verify`` needs no one to have checked the header before."""
        with pytest.raises(InvalidClaim, match="typ header"):
            believe(mint().token(headers={"typ": "logout+jwt"}), keys_of())

    @pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES512", "EdDSA"])
    @settings(UNHURRIED, max_examples=60)
    @given(data=st.data())
    def test_no_single_change_survives(self, alg: str, data: st.DataObject) -> None:
        """Law 3.1: a token with any one character changed, added or left out is refused."""
        token = _token(alg)
        at = data.draw(st.integers(0, len(token)))
        piece = data.draw(st.sampled_from("ABYZabyz0189-_.=+/ \n\0") | st.characters())
        before, after = token[:at], token[at + 1 :]
        changed = {before + piece + token[at:], before + after, before + piece + after} - {token}

        for one in changed:
            assert outcome(believe, one, keys_of(alg)) != "accept"
            assert outcome(verify_signature, one, keys_of(alg), DEFAULT_ALGORITHMS) != "accept"

    @UNHURRIED
    @given(
        st.text()
        | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,90}", fullmatch=True)
    )
    def test_any_text_is_refused(self, text: str) -> None:
        """Law 3.11: nothing but authgate's own exception leaves."""
        assert outcome(verify_signature, text, keys_of(), KNOWN_ALGORITHMS) != "accept"

    @UNHURRIED
    @given(st.binary(), st.binary())
    def test_signed_garbage_is_judged(self, header: bytes, payload: bytes) -> None:
        """Law 3.11: a good signature over anything at all is no reason to raise."""
        headless = mint().raw_token(header, payload)
        assert ["MalformedToken"] * 2 == [
            outcome(believe, headless, keys_of()),
            outcome(verify_signature, headless, keys_of(), DEFAULT_ALGORITHMS),
        ]

        senseless = mint().raw_token(encode_json(mint().header()), payload)
        assert outcome(believe, senseless, keys_of()) != "accept"
        assert payload == verify_signature(senseless, keys_of(), DEFAULT_ALGORITHMS)


class TestRawPayload:
    def test_any_payload_is_given(self) -> None:
        """The signature layer alone: the payload is bytes, and no claim is looked at."""
        for payload in (b"", b"\xff\x00", b"not json", encode_json({"exp": 0})):
            token = mint().raw_token(encode_json({"alg": "RS256", "typ": "anything"}), payload)
            assert payload == verify_signature(token, keys_of(), DEFAULT_ALGORITHMS)

    def test_what_is_refused(self) -> None:
        """Laws 3.1 to 3.4: each refusal by its name."""
        keys, allowed = keys_of(), DEFAULT_ALGORITHMS
        token = mint().token()

        with pytest.raises(MalformedToken):
            verify_signature(token + "=", keys, allowed)
        with pytest.raises(MalformedToken, match="characters"):
            verify_signature(token, keys, allowed, Limits(token=100))
        with pytest.raises(AlgorithmRefused, match="list"):
            verify_signature(token, keys, frozenset({"ES256"}))
        with pytest.raises(UnknownKey):
            verify_signature(mint().token(kid="stranger"), keys, allowed)
        with pytest.raises(AlgorithmRefused, match="exactly one"):
            verify_signature(mint("ES256").token(kid=ABSENT), keys, allowed)
        with pytest.raises(AlgorithmRefused, match="exactly one"):
            verify_signature(token, KeySet([*keys.keys, *keys.keys]), allowed)
        with pytest.raises(BadSignature):
            verify_signature(token[:-4] + "AAAA", keys, allowed)


class TestVouched:
    """What an issuer says of a token when it is asked, which no signature of the token's speaks for."""

    def test_what_it_says_is_given(self) -> None:
        """As that of a verified token is: names, times, the claims and what they were read from."""
        said = {**mint().claims(), "jti": "t-1", "iat": NOW - 5.5, "auth_time": NOW - 60}
        vouched = vouch(said, "digest", b"said", rules(), Instant(NOW, 0.0))

        assert (said, "t-1", True, NOW - 5.5, NOW - 60, NOW + 300, b"said", None) == vouched

    def test_without_a_jti_the_token_has_the_name_that_is_given(self) -> None:
        """Law 5.9: and no times but those that it says."""
        said = {"iss": "https://id.test", "aud": "api", "exp": NOW + 300}
        vouched = vouch(said, "digest", b"said", rules(), Instant(NOW, 0.0))

        assert (said, "digest", False, None, None, NOW + 300, b"said", None) == vouched

    def test_it_is_judged_as_any_token_is(self) -> None:
        """Laws 3.5 to 3.8: by the rules of the issuer, at the moment that is given."""
        said = mint().claims()
        with pytest.raises(InvalidClaim):
            vouch({**said, "aud": "another"}, "digest", b"", rules(), Instant(NOW, 0.0))
        with pytest.raises(TokenExpired):
            vouch(said, "digest", b"", rules(), Instant(NOW + 331, 0.0))

    def test_of_the_bearer_alone(self) -> None:
        """Where the issuer says nothing of the token, it has the name that is given, and no dates."""
        said = {"id": "u1", "jti": "no-name-of-a-token", "iat": 5, "exp": 1}

        assert (said, "digest", False, None, None, math.inf, b"said", None) == vouch_bearer(
            said, "digest", b"said"
        )

    def test_the_repr_masks(self) -> None:
        """Law 2.5."""
        said = {**mint().claims("secret-subject"), "exp": 1_800_000_300}
        vouched = vouch(said, "secret-name", b"secret", rules(), Instant(NOW, 0.0))

        assert "VouchedClaims(expires_at=1800000300)" == repr(vouched)


class TestSignatureAlone:
    def test_any_of_the_keys_may_have_made_it(self) -> None:
        """And none of another; what the claims are worth is judged elsewhere."""
        parts = split(mint().token(expires_in=-3600), LIMITS)
        header = parse_header(parts.header, LIMITS)
        wrong, right = keys_of("RS512").keys, keys_of().keys

        check_signature(parts, header, [*wrong, *right])
        for keys in (wrong, ()):
            with pytest.raises(BadSignature, match=f"with {len(keys)} keys"):
                check_signature(parts, header, keys)


class TestSilence:
    def test_the_repr_masks(self) -> None:
        """Law 2.5: verified claims are not shown by accident."""
        verified = believe(mint().token("secret-subject", jti="secret-jti"), keys_of())

        assert f"VerifiedClaims(kid='{mint().kid}', expires_at={NOW + 300:.0f})" == repr(verified).replace(
            ".0)", ")"
        )

    def test_a_bad_signature_says_nothing_of_the_token(self) -> None:
        """Law 1.2: before the signature is verified only lengths and digests."""
        with pytest.raises(BadSignature) as refused:
            believe(mint().token("secret-subject")[:-4] + "AAAA", keys_of())

        assert "the signature of 256 bytes does not verify with 1 keys" == refused.value.reason

    def test_the_short_way_for_a_header_that_is_known_says_the_same(self) -> None:
        """Laws 1.2, 4.2: what a key is remembered to be named by is verified with it, and with it alone."""
        good = mint().token()
        for token in (good, good[:-4] + "AAAA"):
            parts = split(token, LIMITS)
            claims, header = parse_object(parts.payload, LIMITS), parse_header(parts.header, LIMITS)
            (key,) = keys_of().select(header.kid, header.alg)
            given = parts, header, claims
            said = [
                outcome_of(partial(verify, *given, (key,), rules(), Instant(NOW, 0.0))),
                outcome_of(partial(verify_with, *given, key, rules(), Instant(NOW, 0.0))),
            ]
            assert said[0] == said[1]


_VERDICTS: Final = """
import json, sys
from authgate_core.errors import AuthgateError
from authgate_core.jose.keys import read_key_set
from authgate_core.jose.signature import KNOWN_ALGORITHMS
from authgate_core.jose.verify import verify_signature
given = json.load(sys.stdin)
keys = read_key_set(given["jwks"], KNOWN_ALGORITHMS).keys
for token in given["tokens"]:
    try:
        verify_signature(token, keys, KNOWN_ALGORITHMS)
        print("accept")
    except AuthgateError as error:
        print(type(error).__name__)
"""


class TestOptimised:
    def test_the_verdict_is_the_same_under_o(self) -> None:
        """Law 3.1: nothing rests on assert."""
        good, none = mint().token(), encode_segment(b'{"alg":"none"}')
        header, payload, _ = good.split(".")
        tokens = [
            *(good, f"{good}=", f" {good}", f"{none}.{payload}.", f"{header}.{payload}.{'A' * 342}"),
            *(mint().token(algorithm="RS512"), hmac_token("HS256", mint().key().public_pem())),
            mint().raw_token(b'{"alg":"RS256","alg":"RS256"}', b"{}"),
            mint().raw_token(b'{"alg":"RS256","crit":["x"],"x":1}', b"{}"),
        ]
        given = json.dumps({"jwks": mint().jwks(), "tokens": tokens})

        plain, optimised = (
            subprocess.check_output([sys.executable, *flags, "-c", _VERDICTS], input=given, text=True)
            for flags in ((), ("-O",))
        )
        assert ["accept"] == [verdict for verdict in plain.split() if verdict == "accept"]
        assert len(tokens) == len(plain.split())
        assert plain == optimised


@cache
def _token(alg: str) -> str:
    return mint(alg).token()
