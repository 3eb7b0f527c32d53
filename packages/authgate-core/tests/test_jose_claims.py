"""Claims: what a token must say, judged after its signature; and what its header must."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authgate_core.clock import Instant
from authgate_core.errors import AlgorithmRefused, InvalidClaim, InvalidToken, TokenExpired
from authgate_core.jose.claims import TokenRules, check_claims, check_header
from authgate_core.jose.compact import Header
from authgate_core.testing import ABSENT

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW: Final = 1_800_000_000.0
RULES: Final = TokenRules(
    issuer="https://id.test", audience=frozenset({"api"}), algorithms=frozenset({"RS256"})
)
GOOD: Final = {"iss": "https://id.test", "aud": "api", "sub": "u1", "iat": NOW - 10, "exp": NOW + 300}
RFC_9068: Final = {**GOOD, "client_id": "app", "jti": "t1"}
DIGEST: Final = "-_" + "aZ09" * 10 + "A"
BOUND: Final = dataclasses.replace(RULES, confirmations=frozenset({"jkt", "x5t#S256"}))
WRONG_TYPES: Final = [None, True, False, 0, 1, 1.5, [], {}, ["x"], {"x": 1}]


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with members added, replaced or (ABSENT) left out."""
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not ABSENT}


def judge(one: TokenRules = RULES, /, **changes: Any) -> None:
    """Check good claims with these changes; raises what ``check_claims`` raises."""
    check_claims(claims(**changes), one, Instant(NOW, 0.0))


def refused(claim: str, one: TokenRules = RULES, /, **changes: Any) -> InvalidClaim:
    """The refusal of good claims with these changes, which must name this claim."""
    with pytest.raises(InvalidClaim) as caught:
        judge(one, **changes)
    assert claim == caught.value.claim
    return caught.value


def rules(**changes: Any) -> TokenRules:
    """The rules of the tests with these changes."""
    return dataclasses.replace(RULES, **changes)


class TestHeaderAlgorithm:
    def test_only_the_allow_list_is_accepted(self) -> None:
        """Law 3.2: an algorithm is listed or refused."""
        check_header(Header("RS256"), RULES)
        for alg in ("RS512", "PS256", "HS256", "none", "NONE", "rs256", "RS256 ", "", "ES256K"):
            with pytest.raises(AlgorithmRefused, match="not one of: RS256"):
                check_header(Header(alg), RULES)

    @pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", "ES521", "Ed448"])
    def test_none_cannot_be_listed(self, alg: str) -> None:
        """Law 3.2: ``none`` never, nor what is unknown, whatever the allow-list says."""
        with pytest.raises(AlgorithmRefused):
            check_header(Header(alg), rules(algorithms=frozenset({alg, "RS256"})))

    @pytest.mark.parametrize("listed", ["EdDSA", "Ed25519"])
    def test_both_names_of_eddsa(self, listed: str) -> None:
        """Law 3.2: EdDSA and Ed25519 are one algorithm, in both directions."""
        for alg in ("EdDSA", "Ed25519"):
            check_header(Header(alg), rules(algorithms=frozenset({listed})))

    def test_the_value_is_not_repeated(self) -> None:
        """Law 1.2: before the signature is verified only a length and a digest are logged."""
        with pytest.raises(AlgorithmRefused) as algorithm:
            check_header(Header("evil\nalg"), RULES)
        with pytest.raises(InvalidClaim) as typ:
            check_header(Header("RS256", typ="evil\ntyp"), RULES)

        assert "(8 characters, sha256 " in algorithm.value.reason
        assert "evil" not in algorithm.value.reason + typ.value.reason


class TestHeaderType:
    @pytest.mark.parametrize(
        "typ", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/AT+jwt"]
    )
    def test_types_of_access_tokens(self, typ: str | None) -> None:
        """Law 3.8: at+jwt, JWT or absent; media types have no case (RFC 7515 section 4.1.9)."""
        check_header(Header("RS256", typ=typ), RULES)

    @pytest.mark.parametrize(
        "typ",
        [
            *("", "logout+jwt", "dpop+jwt", "secevent+jwt", "id+jwt"),
            *("JOSE", "jwt+at", "at_jwt", "at+jwt ", "application/jwt"),
        ],
    )
    def test_other_types_are_refused(self, typ: str) -> None:
        """Law 3.8: a logout token, a DPoP proof and their like say what they are."""
        with pytest.raises(InvalidClaim, match="typ header"):
            check_header(Header("RS256", typ=typ), RULES)

    def test_require_at_jwt(self) -> None:
        """Law 3.8: with require_at_jwt the type is at+jwt and nothing else (RFC 9068 section 4)."""
        strict = rules(require_at_jwt=True)
        for typ in ("at+jwt", "application/at+jwt", "At+JWT"):
            check_header(Header("RS256", typ=typ), strict)
        for other in (None, "JWT", ""):
            with pytest.raises(InvalidClaim, match="RFC 9068"):
                check_header(Header("RS256", typ=other), strict)


class TestHeaderKey:
    def test_a_key_is_named_where_that_is_required(self) -> None:
        """Law 3.4: an issuer that names the key of each token has none without a name."""
        check_header(Header("RS256", kid="k"), rules(require_kid=True))
        check_header(Header("RS256"), RULES)
        with pytest.raises(InvalidClaim) as caught:
            check_header(Header("RS256"), rules(require_kid=True))
        assert "kid header" == caught.value.claim


class TestIssuer:
    def test_the_issuer_is_exact(self) -> None:
        """Law 3.5: byte for byte; GHSA-75c5-xw7c-p5pm matched a part of it."""
        judge()
        for iss in (
            "https://id.test/",
            "https://id.tes",
            "https",
            "h",
            "https://id.test\n",
            "HTTPS://ID.TEST",
            "",
        ):
            refused("iss", iss=iss)
        refused("iss", iss=ABSENT)

    @pytest.mark.parametrize("iss", [*WRONG_TYPES, ["https://id.test"]])
    def test_the_issuer_is_a_string(self, iss: object) -> None:
        """Law 3.5: a list that contains it is not it."""
        refused("iss", iss=iss)

    def test_no_issuer(self) -> None:
        """Law 3.5: ``issuer=None`` matches only a token without iss."""
        judge(rules(issuer=None), iss=ABSENT)
        for iss in ("https://id.test", "", None):
            refused("iss", rules(issuer=None), iss=iss)

    def test_the_reason_says_what_is_expected(self) -> None:
        """Law 1.2: after the signature the log tells what is there and what should be."""
        assert "iss: is 'x', not 'https://id.test'" == refused("iss", iss="x").reason
        assert "iss: is missing, not 'https://id.test'" == refused("iss", iss=ABSENT).reason
        assert "iss: is 'x', and none is expected" == refused("iss", rules(issuer=None), iss="x").reason

    def test_what_is_shown_is_ascii_and_short(self) -> None:
        """Law 1.2: after the signature values are shown through ascii() and cut at 64 characters."""
        reason = refused("iss", iss="\u202e\n" + "x" * 1000).reason

        assert reason.isascii()
        assert "\n" not in reason
        assert "x" * 54 in reason
        assert f"is '{'x' * 63}, not" in refused("iss", iss="x" * 1000).reason


class TestAudience:
    @pytest.mark.parametrize("aud", ["api", ["api"], ["other", "api"], ["api", "api"]])
    def test_one_audience_is_ours(self, aud: object) -> None:
        """Law 3.6: a string or a list of strings that names this API."""
        judge(aud=aud)

    @pytest.mark.parametrize(
        "aud", [ABSENT, "", "ap", "apis", "API", "api ", "other,api", [], ["other"], ["api "], [["api"]]]
    )
    def test_other_audiences_are_refused(self, aud: object) -> None:
        """Law 3.6: whole strings, never a part of one."""
        refused("aud", aud=aud)

    @pytest.mark.parametrize(
        "aud", [None, True, 1, {"api": 1}, ["api", 1], ["api", None], ["api", ["x"]], [{"api": 1}]]
    )
    def test_the_type_counts_even_for_any_audience(self, aud: object) -> None:
        """RFC 7519 section 4.1.3: a string or a list of strings, also where any will do."""
        refused("aud", aud=aud)
        refused("aud", rules(audience=None), aud=aud)

    @pytest.mark.parametrize("aud", [ABSENT, "other", [], ["a", "b"]])
    def test_any_audience(self, aud: object) -> None:
        """Law 3.6: where opted out, a token may be meant for anyone."""
        judge(rules(audience=None), aud=aud)

    def test_a_hint_is_logged_with_the_refusal(self) -> None:
        """Law 10.1: where a profile knows what is usually wrong, the log says it, whatever is in the token."""
        hinted = rules(audience_hint="; the realm has a mapper for it")
        assert "aud: is 'other', which names none of ['api']; the realm has a mapper for it" == (
            refused("aud", hinted, aud="other").reason
        )
        assert "aud: is missing; the realm has a mapper for it" == refused("aud", hinted, aud=ABSENT).reason
        assert "aud: is missing" == refused("aud", aud=ABSENT).reason

    def test_several_audiences_of_ours(self) -> None:
        """Law 3.6: any of the configured ones."""
        both = rules(audience=frozenset({"api", "api2"}))
        judge(both, aud="api2")
        judge(both, aud=["x", "api"])
        refused("aud", both, aud="api3")


class TestKind:
    @pytest.mark.parametrize("name", ["typ", "type", "token_type", "token_use"])
    def test_kinds_of_access_tokens(self, name: str) -> None:
        """Law 3.8: access, access_token, at+jwt and Bearer in any case, or absent."""
        for kind in ("access", "access_token", "at+jwt", "Bearer", "bearer", "ACCESS"):
            judge(**{name: kind})

    @pytest.mark.parametrize("name", ["typ", "type", "token_type", "token_use"])
    @pytest.mark.parametrize(
        "kind",
        [
            *("refresh", "Refresh", "id", "ID", "Offline", "Logout", "action_token", "m2m", "access ", ""),
            *WRONG_TYPES,
        ],
    )
    def test_other_kinds_are_refused(self, name: str, kind: object) -> None:
        """Law 3.8: an ID, refresh, logout or action token is not an access token, and null says nothing."""
        refused(name, **{name: kind})

    def test_a_profile_adds_kinds(self) -> None:
        """Law 3.8: values that the issuer's profile adds, exactly."""
        profile = rules(token_types=frozenset({"m2m"}))
        judge(profile, type="m2m")
        judge(profile, type="access")
        refused("type", profile, type="M2M")
        refused("type", profile, type="refresh")

    def test_each_of_them_counts(self) -> None:
        """Law 3.8: one that is right does not excuse another that is wrong."""
        refused("token_use", typ="Bearer", token_use="id")

    @pytest.mark.parametrize("name", ["at_hash", "c_hash", "s_hash", "events"])
    def test_claims_of_other_tokens_are_refused(self, name: str) -> None:
        """Law 3.8: ID tokens and security events have them, access tokens do not."""
        values: list[object] = ["x", None, {}]
        for value in values:
            refused(name, **{name: value})

    @pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {}, None, "x"])
    def test_a_bound_token_is_refused(self, cnf: object) -> None:
        """Law 3.15: a confirmation that nobody checks makes the token invalid."""
        refused("cnf", cnf=cnf)


class TestBound:
    """Law 3.15 where somebody checks what a token is bound to."""

    def test_what_is_checked_may_be_there(self) -> None:
        """One of the listed, or all of them; and a token without one, where none is required."""
        judge(BOUND)
        judge(BOUND, cnf={"jkt": DIGEST})
        judge(BOUND, cnf={"x5t#S256": DIGEST})
        judge(BOUND, cnf={"jkt": DIGEST, "x5t#S256": DIGEST})

    @pytest.mark.parametrize(
        "cnf",
        [
            *(
                {"kid": DIGEST},
                {"jkt": DIGEST, "jku": DIGEST},
                {"JKT": DIGEST},
                {},
                [],
                None,
                DIGEST,
                ["jkt"],
            ),
            *({"jkt": None}, {"jkt": 7}, {"jkt": [DIGEST]}, {"jkt": DIGEST, "x5t#S256": None}, {"jkt": ""}),
            *({"jkt": value} for value in (DIGEST[:-1], DIGEST + "A", DIGEST + "=", DIGEST + "\n")),
            *({"jkt": DIGEST[:-1] + wrong} for wrong in ("+", "/", "=", " ", ".", "\u0661", "\xe9")),
        ],
    )
    def test_nothing_else_may(self, cnf: object) -> None:
        """A member that nobody checks, or a digest that is none, binds to nothing."""
        refused("cnf", BOUND, cnf=cnf)

    def test_it_may_be_required(self) -> None:
        """Then a token without one is anybody's who has seen it."""
        one = dataclasses.replace(BOUND, require_confirmation=True)
        judge(one, cnf={"jkt": DIGEST})
        refused("cnf", one)

    @pytest.mark.parametrize("name", ["typ", "type", "token_type", "token_use"])
    def test_its_kind_may_be_dpop(self, name: str) -> None:
        """RFC 9449 section 6.2: what is bound may be called so, in any case; nothing else may."""
        for kind in ("DPoP", "dpop", "DPOP"):
            judge(BOUND, cnf={"jkt": DIGEST}, **{name: kind})
            refused(name, BOUND, **{name: kind})
            refused(name, cnf={"jkt": DIGEST}, **{name: kind})

    @pytest.mark.parametrize("name", ["typ", "type", "token_type", "token_use"])
    @pytest.mark.parametrize("kind", ["id", "refresh", "DPoP ", "", None, 7, ["DPoP"]])
    def test_what_is_bound_is_still_of_a_kind(self, name: str, kind: object) -> None:
        """Law 3.8: a refresh token that is bound is no access token."""
        refused(name, BOUND, cnf={"jkt": DIGEST}, **{name: kind})

    def test_one_kind_excuses_no_other(self) -> None:
        """Law 3.8: what is bound and calls itself an ID token besides is one."""
        refused("token_use", BOUND, cnf={"jkt": DIGEST}, typ="DPoP", token_use="id")

    @pytest.mark.parametrize("name", ["at_hash", "c_hash", "s_hash", "events"])
    def test_claims_of_other_tokens_are_refused(self, name: str) -> None:
        """Law 3.8: as in a token that is bound to nothing."""
        refused(name, BOUND, cnf={"jkt": DIGEST}, **{name: "x"})


class TestParties:
    def test_the_authorized_party_is_listed(self) -> None:
        """azp, or client_id where there is no azp, is one of the configured ones."""
        parties = rules(authorized_parties=frozenset({"app", "cli"}))
        judge(parties, azp="app")
        judge(parties, client_id="cli")
        judge(parties, azp="cli", client_id="stranger")

    @pytest.mark.parametrize(
        "wrong",
        [{}, {"azp": "stranger"}, {"client_id": "stranger"}, {"azp": "ap"}, {"azp": "", "client_id": "app"}],
    )
    def test_others_are_refused(self, wrong: dict[str, Any]) -> None:
        """A client_id does not excuse an azp that is not listed."""
        refused("azp", rules(authorized_parties=frozenset({"app"})), **wrong)

    def test_the_azp_alone_is_shown(self) -> None:
        """Law 1.2: of the claims logged after the signature, client_id is not one."""
        parties = rules(authorized_parties=frozenset({"app"}))

        assert "'stranger'" in refused("azp", parties, azp="stranger").reason
        assert "stranger" not in refused("azp", parties, client_id="stranger").reason

    @pytest.mark.parametrize("azp", WRONG_TYPES)
    def test_the_party_is_a_string(self, azp: object) -> None:
        """Any other type is refused, null included."""
        refused("azp", rules(authorized_parties=frozenset({"app"})), azp=azp, client_id="app")


class TestRequired:
    def test_required_claims_are_there(self) -> None:
        """Configured claims must be present; false and empty are values, null is none."""
        needed = rules(required_claims=("sid", "tenant"))
        judge(needed, sid="", tenant=False)
        refused("sid", needed, tenant="t")
        refused("tenant", needed, sid="s", tenant=None)

    def test_fixed_claims_are_these_texts(self) -> None:
        """What a profile says of all tokens of an issuer holds for each, whatever else it asks for."""
        fixed = rules(fixed_claims=(("class", "user"), ("realm", "main")))
        judge(fixed, **{"class": "user", "realm": "main"})
        refused("class", fixed, realm="main")
        refused("realm", fixed, **{"class": "user", "realm": "other"})

    def test_one_shape_holds_as_a_whole(self) -> None:
        """Claims that go together in one kind of token do not mix with those of another."""
        shaped = rules(shapes=((("class", "user"), ("realm", "main")), (("kind", "service"),)))
        judge(shaped, **{"class": "user", "realm": "main"})
        judge(shaped, kind="service")
        judge(shaped, **{"class": "user", "realm": "other", "kind": "service"})
        refused("class", shaped, **{"class": "user", "realm": "other"})
        refused("class", shaped, realm="main")

    @pytest.mark.parametrize("name", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
    def test_rfc_9068(self, name: str) -> None:
        """Law 3.8: require_at_jwt is the full promise (RFC 9068 section 2.2)."""
        strict = rules(require_at_jwt=True, audience=None)
        judge(strict, **RFC_9068)
        refused(name, strict, **{**RFC_9068, name: ABSENT})

    @pytest.mark.parametrize("jti", [*WRONG_TYPES, ""])
    def test_a_jti_is_a_name(self, jti: object) -> None:
        """Law 5.9: a token is named by its jti, so it is a text, and no claim needs to be one otherwise."""
        judge(jti="t1")
        judge(jti=ABSENT)
        refused("jti", jti=jti)

    @pytest.mark.parametrize(
        "jti", ["t1", "a", "A.b_c:d-9", "x" * 255, "7e0dbd5c-0c3f-4f52-9a8e-1f6d7a1d6a3c"]
    )
    def test_a_plain_jti(self, jti: str) -> None:
        """Law 5.9: what may stand in the keys of others."""
        judge(rules(plain_jti=True), jti=jti)

    @pytest.mark.parametrize(
        "jti",
        [ABSENT, "x" * 256, "a b", "a\n", "a{b}", "a*", "a/b", "\u00e9", "\u0661", "a\x00", *WRONG_TYPES, ""],
    )
    def test_a_jti_that_is_not_plain(self, jti: object) -> None:
        """Law 5.9: nobody could have listed the token under it, so it is refused, and without one as well."""
        refused("jti", rules(plain_jti=True), jti=jti)

    def test_expired_is_said_last(self) -> None:
        """Law 1.2: a token that has no plain name either is not called expired."""
        refused("jti", rules(plain_jti=True), jti="a b", exp=NOW - 999)


class TestTimes:
    @pytest.mark.parametrize("name", ["exp", "nbf", "iat", "auth_time"])
    @pytest.mark.parametrize(
        "value",
        [
            *(None, True, False, "1800000300", "\u0661\u0662", "1_900_000_000", "", [], {}, [NOW]),
            *(-1, -0.5, 253402300800, 253402300799.5, 10**400, -(10**400)),
            *(float("nan"), float("inf"), float("-inf")),
        ],
    )
    def test_a_date_is_a_number(self, name: str, value: object) -> None:
        """Law 3.7: a finite JSON number from 0 to 253402300799, not a boolean, not a string."""
        assert "is not a number" in refused(name, **{name: value}).reason

    def test_the_ends_of_time(self) -> None:
        """Law 3.7: 0 and the last second of the year 9999 are dates."""
        judge(exp=253402300799, nbf=0, iat=0, auth_time=0)
        judge(exp=253402300799.0, nbf=0.0, iat=-0.0)

    def test_exp_is_required(self) -> None:
        """Law 3.7: a token that never ends is none."""
        assert "missing" in refused("exp", exp=ABSENT).reason

    def test_a_token_expires_at_exp_and_leeway(self) -> None:
        """Law 3.7: good until the last moment before exp + leeway, expired at it."""
        judge(exp=NOW - 29.999)
        for exp in (NOW - 30, NOW - 30.001, NOW - 86400, 0):
            with pytest.raises(TokenExpired):
                judge(exp=exp)
        judge(rules(leeway=0.0), exp=NOW + 0.001)
        with pytest.raises(TokenExpired):
            judge(rules(leeway=0.0), exp=NOW)

    @pytest.mark.parametrize("name", ["nbf", "iat", "auth_time"])
    def test_the_future_is_refused(self, name: str) -> None:
        """Law 3.7: later than now + leeway; at it is still good."""
        judge(**{name: NOW + 30})
        assert "ahead" in refused(name, **{name: NOW + 30.001}).reason
        judge(rules(leeway=0.0), **{name: NOW})
        refused(name, rules(leeway=0.0), **{name: NOW + 0.001})

    def test_iat_is_required_where_age_counts(self) -> None:
        """Law 3.7: where a cut-off store or a maximum lifetime is configured."""
        judge(iat=ABSENT)
        refused("iat", rules(require_iat=True), iat=ABSENT)
        refused("iat", rules(max_lifetime=3600.0), iat=ABSENT)
        judge(rules(require_iat=True, max_lifetime=3600.0))

    def test_the_lifetime_is_bounded(self) -> None:
        """Law 3.7: from iat to exp, exactly at the limit still good."""
        judge(rules(max_lifetime=310.0), iat=NOW - 10, exp=NOW + 300)
        refused("exp", rules(max_lifetime=309.0), iat=NOW - 10, exp=NOW + 300)
        refused("exp", rules(max_lifetime=3600.0), exp=253402300799)

    @pytest.mark.parametrize(
        "wrong",
        [{"iss": "x"}, {"aud": "x"}, {"typ": "ID"}, {"cnf": {}}, {"nbf": NOW + 99}, {"jti": 1}, {"iat": "x"}],
    )
    def test_expired_is_said_only_of_what_was_good(self, wrong: dict[str, Any]) -> None:
        """Law 1.2: "expired" is the one thing a caller is told, so nothing else may be wrong."""
        with pytest.raises(InvalidClaim):
            judge(exp=NOW - 1000, **wrong)

    @pytest.mark.parametrize(
        ("dates", "latest"),
        [
            ({"iat": ABSENT}, 0.0),
            ({"iat": 0}, 0.0),
            ({"iat": NOW - 10, "nbf": NOW + 5, "auth_time": NOW - 100}, NOW + 5),
            ({"iat": int(NOW) - 10, "nbf": int(NOW) - 20, "auth_time": NOW - 15}, NOW - 10),
            ({"iat": NOW - 20, "nbf": int(NOW) - 10, "auth_time": int(NOW) - 15}, NOW - 10),
        ],
    )
    def test_when_it_starts_is_told(self, dates: dict[str, Any], latest: float) -> None:
        """Law 7.1: whoever keeps the token judges at each hit whether one of these moments lies ahead by then."""
        assert latest == check_claims(claims(**dates), RULES, Instant(NOW, 0.0))

    def test_only_the_wall_clock_is_read(self) -> None:
        """The monotonic clock says nothing about dates."""
        for mono in (0.0, NOW, 1e12):
            check_claims(claims(), RULES, Instant(NOW, mono))


class TestAnything:
    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )

    @UNHURRIED
    @given(
        st.dictionaries(
            st.sampled_from([*GOOD, "nbf", "auth_time", "jti", "typ", "azp", "client_id", "cnf"]), JSON
        )
    )
    def test_any_claims_are_judged(self, changes: dict[str, Any]) -> None:
        """Law 3.11: whatever the values, nothing but authgate's own exception leaves."""
        strict = rules(
            authorized_parties=frozenset({"app"}), max_lifetime=600.0, token_types=frozenset({"m2m"})
        )
        for one in (RULES, strict, rules(issuer=None, audience=None)):
            with suppress(InvalidToken):
                judge(one, **changes)
