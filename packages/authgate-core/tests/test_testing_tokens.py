import base64
import gc
import json
from typing import Any

import jwt
import pytest

from authgate_core.clock import Instant
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock, SigningKey, TokenMint
from authgate_core.testing.keys import SIGNERS

ASYMMETRIC = [name for name in SIGNERS if not name.startswith("HS")]


@pytest.fixture
def issuer() -> FakeIssuer:
    """An issuer that nobody serves."""
    return FakeIssuer(audience="orders-api")


def decode(issuer: TokenMint, token: str, *, algorithm: str = "RS256") -> dict[str, Any]:
    """What PyJWT makes of a token with the key set as it is published now."""
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(issuer.jwks())[header["kid"]]
    return jwt.decode(token, key, algorithms=[algorithm], audience=issuer.audience, issuer=issuer.url)


def part(token: str, index: int) -> dict[str, Any]:
    """The JSON of one segment, unverified."""
    segment = token.split(".")[index]
    loaded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return loaded


class TestToken:
    @pytest.mark.parametrize("algorithm", [name for name in ASYMMETRIC if name != "Ed25519"])
    def test_verifies_with_the_published_key(self, algorithm: str) -> None:
        """A library that knows nothing of ours accepts the token of every algorithm."""
        issuer = FakeIssuer(algorithm=algorithm)
        assert "u1" == decode(issuer, issuer.token(), algorithm=algorithm)["sub"]

    def test_signs_ed25519_under_its_newer_name(self) -> None:
        """RFC 9864 calls the same signature Ed25519."""
        issuer = FakeIssuer(algorithm="EdDSA")
        token = issuer.token(algorithm="Ed25519")
        message, _, signature = token.rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        assert "Ed25519" == part(token, 0)["alg"]
        assert SIGNERS["EdDSA"].verify(message.encode(), issuer.key().private.public_key(), raw)

    def test_has_the_claims_of_an_access_token(self) -> None:
        """The defaults are what every gate asks for, counted from the issuer's clock."""
        issuer = FakeIssuer(audience="orders-api", clock=ManualClock(Instant(1_000.9, 0.0)))
        claims = part(issuer.token("u7", expires_in=60), 1)
        jti = claims.pop("jti")
        assert 32 == len(jti)
        assert {
            "iss": "https://issuer.test",
            "aud": "orders-api",
            "sub": "u7",
            "iat": 1000,
            "exp": 1060,
        } == claims

    def test_has_the_header_of_an_access_token(self, issuer: FakeIssuer) -> None:
        """RFC 9068 section 2.1: at+jwt, so that the strictest configuration accepts it too."""
        assert {"alg": "RS256", "typ": "at+jwt", "kid": "key-1"} == part(issuer.token(), 0)

    def test_no_two_tokens_have_one_jti(self, issuer: FakeIssuer) -> None:
        """Revoking one token must not revoke another."""
        assert 20 == len({part(issuer.token(), 1)["jti"] for _ in range(20)})

    def test_claims_and_headers_are_replaced_added_and_left_out(self, issuer: FakeIssuer) -> None:
        """Any shape can be asked for by name."""
        token = issuer.token(
            {"uuid": "x"}, aud=["a", "b"], scope="read", exp=ABSENT, headers={"typ": ABSENT, "crit": ["b64"]}
        )
        claims = part(token, 1)
        assert ({"uuid": "x"}, ["a", "b"], "read") == (claims["sub"], claims["aud"], claims["scope"])
        assert "exp" not in claims
        assert {"alg": "RS256", "kid": "key-1", "crit": ["b64"]} == part(token, 0)

    def test_sub_can_be_left_out(self, issuer: FakeIssuer) -> None:
        """The one claim that is positional can be absent as well."""
        assert "sub" not in part(issuer.token(ABSENT), 1)

    def test_kid_can_be_left_out_or_invented(self, issuer: FakeIssuer) -> None:
        """A kid that no key has is signed with the present key."""
        key = issuer.key().private.public_key()
        for kid, header in ((ABSENT, {}), ("nobody", {"kid": "nobody"})):
            token = issuer.token(kid=kid)
            assert header.get("kid") == part(token, 0).get("kid")
            assert jwt.decode(token, key, algorithms=["RS256"], audience="orders-api")

    def test_one_rsa_key_signs_every_rsa_algorithm(self, issuer: FakeIssuer) -> None:
        """The header follows the algorithm asked for."""
        token = issuer.token(algorithm="PS384")
        key = issuer.key().private.public_key()
        assert jwt.decode(token, key, algorithms=["PS384"], audience="orders-api")

    @pytest.mark.parametrize("algorithm", ["ES256", "HS256", "none"])
    def test_a_key_that_does_not_fit_is_a_mistake(self, issuer: FakeIssuer, algorithm: str) -> None:
        """The message names what helps."""
        with pytest.raises(ValueError, match=f"not {algorithm}; see rotate"):
            issuer.token(algorithm=algorithm)

    @pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256K"])
    def test_an_issuer_signs_with_asymmetric_keys_only(self, algorithm: str) -> None:
        """Secrets have no place in a published key set."""
        with pytest.raises(ValueError, match="is not one of RS256"):
            FakeIssuer(algorithm=algorithm)


class TestRawToken:
    def test_carries_any_bytes_under_a_true_signature(self, issuer: FakeIssuer) -> None:
        """Parsers are tested with what no encoder writes."""
        header, payload = b'{"alg":"RS256","alg":"none"}', b"\xff\x00 not JSON"
        token = issuer.raw_token(header, payload)
        first, second, signature = token.split(".")
        assert [header, payload] == [
            base64.urlsafe_b64decode(s + "=" * (-len(s) % 4)) for s in (first, second)
        ]
        raw = base64.urlsafe_b64decode(signature + "==")
        assert SIGNERS["RS256"].verify(f"{first}.{second}".encode(), issuer.key().private.public_key(), raw)

    def test_no_padding(self, issuer: FakeIssuer) -> None:
        """RFC 7515 section 2."""
        assert "=" not in issuer.raw_token(b"1", b"22")


class TestKeys:
    def test_rotation_keeps_the_old_key_published(self, issuer: FakeIssuer) -> None:
        """Tokens from before the rotation go on."""
        before = issuer.token()
        new = issuer.rotate()
        assert ("key-2", ("key-1", "key-2")) == (new, issuer.kids)
        assert new == part(issuer.token(), 0)["kid"] == issuer.kid
        assert decode(issuer, before)
        assert decode(issuer, issuer.token())

    def test_rotation_may_drop_every_old_key(self, issuer: FakeIssuer) -> None:
        """Only the new key is published then."""
        assert (issuer.rotate(keep_old=False),) == issuer.kids

    def test_rotation_may_change_the_algorithm(self, issuer: FakeIssuer) -> None:
        """Key sets of several kinds are usual."""
        issuer.rotate(algorithm="ES256")
        assert ["RS256", "ES256"] == [key["alg"] for key in issuer.jwks()["keys"]]
        assert decode(issuer, issuer.token(), algorithm="ES256")

    def test_a_dropped_key_still_signs(self, issuer: FakeIssuer) -> None:
        """Whoever stole it has it still; the key set does not show it."""
        old = issuer.kid
        new = issuer.rotate()
        issuer.drop_key(old)
        assert (new,) == issuer.kids
        assert old == part(issuer.token(kid=old), 0)["kid"]
        with pytest.raises(KeyError):
            decode(issuer, issuer.token(kid=old))

    def test_a_dropped_key_can_be_published_again(self, issuer: FakeIssuer) -> None:
        """Publishing twice does not list it twice."""
        issuer.drop_key("key-1")
        assert {"keys": []} == issuer.jwks()
        issuer.publish_key("key-1")
        issuer.publish_key("key-1")
        assert ("key-1",) == issuer.kids

    @pytest.mark.parametrize("name", ["drop_key", "publish_key", "key"])
    def test_a_key_that_never_was_is_a_mistake(self, issuer: FakeIssuer, name: str) -> None:
        """A typo in a test must not pass for a dropped key."""
        with pytest.raises(KeyError):
            getattr(issuer, name)("key-9")

    @pytest.mark.parametrize("algorithm", ["RS256", "ES512", "EdDSA"])
    def test_only_the_public_half_is_published(self, algorithm: str) -> None:
        """RFC 7517 section 4: what a verifier needs, and ``use`` but not ``key_ops``."""
        (jwk,) = FakeIssuer(algorithm=algorithm).jwks()["keys"]
        assert {"d", "p", "q", "dp", "dq", "qi", "k", "key_ops"}.isdisjoint(jwk)
        assert ("key-1", "sig", algorithm) == (jwk["kid"], jwk["use"], jwk["alg"])

    def test_no_two_living_issuers_share_a_key(self) -> None:
        """Law 3.5: a test that mixes issuers up must not pass by accident."""
        issuers = [FakeIssuer() for _ in range(3)]
        moduli = {issuer.jwks()["keys"][0]["n"] for issuer in issuers}
        assert 3 == len(moduli | {issuers[0].stranger().jwk()["n"]}) - 1

    def test_the_key_of_an_issuer_that_is_gone_is_used_again(self) -> None:
        """RSA keys take long to make, and a suite has many issuers."""
        gc.collect()
        first = FakeIssuer()
        modulus = first.jwks()["keys"][0]["n"]
        del first
        assert modulus == FakeIssuer().jwks()["keys"][0]["n"]

    def test_repr_shows_no_key(self, issuer: FakeIssuer) -> None:
        """Law 2.5."""
        assert "SigningKey(kid='key-1', algorithm='RS256')" == repr(issuer.key())
        assert isinstance(issuer.key(), SigningKey)


class TestHostileTokens:
    def test_unsigned(self, issuer: FakeIssuer) -> None:
        """RFC 8725 section 2.1: ``alg: none``, everything else as in a good token."""
        token = issuer.hostile.unsigned("u1", scope="read")
        assert {"alg": "none", "typ": "at+jwt", "kid": "key-1"} == part(token, 0)
        assert ("u1", "read") == (part(token, 1)["sub"], part(token, 1)["scope"])
        assert token.endswith(".")
        assert part(token, 1) == jwt.decode(token, options={"verify_signature": False})

    def test_tampered(self, issuer: FakeIssuer) -> None:
        """A true signature, over something else."""
        token = issuer.hostile.tampered("u1", becomes="root", scope="read")
        assert ("root", "read") == (part(token, 1)["sub"], part(token, 1)["scope"])
        with pytest.raises(jwt.InvalidSignatureError):
            decode(issuer, token)

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
    def test_forged(self, algorithm: str) -> None:
        """A true signature of the right kind, by a key that is never published."""
        issuer = FakeIssuer(algorithm=algorithm)
        issuer.rotate()
        token = issuer.hostile.forged("u1")
        assert issuer.kid == part(token, 0)["kid"]
        with pytest.raises(jwt.InvalidSignatureError):
            decode(issuer, token, algorithm=algorithm)
        stranger = issuer.stranger().private.public_key()
        assert jwt.decode(token, stranger, algorithms=[algorithm], audience=issuer.audience)

    def test_keyed_with_the_public_key(self, issuer: FakeIssuer) -> None:
        """RFC 8725 section 2.1: HS256 over the public key, which a careless verifier accepts."""
        token = issuer.hostile.keyed_with_public_key("u1")
        message, _, signature = token.rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "=")
        assert {"alg": "HS256", "typ": "at+jwt", "kid": "key-1"} == part(token, 0)
        assert SIGNERS["HS256"].verify(message.encode(), issuer.key().public_pem(), raw)

    def test_expired(self, issuer: FakeIssuer) -> None:
        """Good in all but its time, and older than any leeway."""
        with pytest.raises(jwt.ExpiredSignatureError):
            decode(issuer, issuer.hostile.expired())
        claims = part(issuer.hostile.expired(ago=600), 1)
        assert 300 == claims["exp"] - claims["iat"]

    def test_for_another_audience(self, issuer: FakeIssuer) -> None:
        """Law 3.6: good in all but its audience."""
        with pytest.raises(jwt.InvalidAudienceError):
            decode(issuer, issuer.hostile.for_another_audience())

    def test_refresh(self, issuer: FakeIssuer) -> None:
        """Law 3.8: good in all but its use, which no JWT library looks at."""
        token = issuer.hostile.refresh("u1")
        assert "refresh" == decode(issuer, token)["token_use"]
        assert "JWT" == part(token, 0)["typ"]
