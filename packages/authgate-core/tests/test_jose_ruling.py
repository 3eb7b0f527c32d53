"""Each rule for a token by itself: what is expected, what is there, and that it is the gate's own rule."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authgate_core.clock import Instant
from authgate_core.errors import AlgorithmRefused, InvalidClaim, InvalidToken
from authgate_core.jose.claims import TokenRules, check_claims, check_header
from authgate_core.jose.compact import Header
from authgate_core.jose.ruling import Rule, claim_rules, header_rules, judged, shown
from authgate_core.testing import ABSENT

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW: Final = Instant(1_800_000_000.0, 50.0)  # 2027-01-15 08:00:00Z
ISSUER: Final = "https://id.test"
PLAIN: Final = TokenRules(
    issuer=ISSUER, audience=frozenset({"api", "admin"}), algorithms=frozenset({"RS256", "ES256"})
)
STRICT: Final = dataclasses.replace(
    PLAIN,
    max_lifetime=600.0,
    require_iat=True,
    plain_jti=True,
    required_claims=("org", "iss"),
    authorized_parties=frozenset({"cli", "app"}),
    token_types=frozenset({"m2m"}),
    fixed_claims=(("env", "prod"),),
    confirmations=frozenset({"x5t#S256", "jkt"}),
    require_confirmation=True,
    shapes=((("a", "1"), ("b", "2")), (("c", "3"), ("a", "4"))),
)
DIGEST: Final = "-_" + "aZ09" * 10 + "A"
GOOD: Final[dict[str, Any]] = {"iss": ISSUER, "aud": "api", "sub": "u1", "exp": 1_800_000_300}
FULL: Final[dict[str, Any]] = {
    **GOOD,
    "iat": 1_799_999_990,
    "auth_time": 1_799_999_000.5,
    "typ": "m2m",
    "jti": "t1",
    "azp": "app",
    "org": "acme",
    "env": "prod",
    "cnf": {"jkt": DIGEST},
    "a": "1",
    "b": "2",
}
AHEAD: Final = "no later than 2027-01-15 08:00:30Z"
LATER: Final = "later than 2027-01-15 07:59:30Z"


def told(claims: dict[str, Any], rules: TokenRules, now: Instant = NOW) -> dict[str, Rule]:
    """The rules for these claims by name, of which each is there once; the first of two that are about one claim."""
    found: dict[str, Rule] = {}
    for one in claim_rules(
        {name: value for name, value in claims.items() if value is not ABSENT}, rules, now
    ):
        found.setdefault(one.name, one)
    return found


def broken(claims: dict[str, Any], rules: TokenRules = PLAIN, now: Instant = NOW) -> list[str]:
    """The names of the rules that are broken, each refused as the gate refuses a claim."""
    rules_broken = [one for one in told(claims, rules, now).values() if one.verdict == "broken"]
    assert all(one.reason for one in rules_broken)
    assert {"token_claim", "token_expired"} >= {one.code for one in rules_broken}
    return [one.name for one in rules_broken]


def presence(claims: dict[str, Any], rules: TokenRules) -> dict[str, str]:
    """What became of each rule that a claim is there."""
    found = claim_rules(claims, rules, NOW)
    return {one.name: one.verdict for one in found if one.expected == "there, and not null"}


def compared(rule: Rule) -> tuple[str, str, str]:
    """What became of a rule, what it expects and what is there."""
    return rule.verdict, rule.expected, rule.actual


def header_told(header: Header, rules: TokenRules = PLAIN) -> list[tuple[str, str, str, str]]:
    """The rules for this header."""
    return [(one.name, *compared(one)) for one in header_rules(header, rules)]


def code_of(check: Callable[..., object], *given: object) -> str | None:
    """The code with which the gate refuses; None where it does not."""
    try:
        check(*given)
    except InvalidToken as refused:
        return refused.code
    return None


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine five hours ahead of UTC."""
    monkeypatch.setenv("TZ", "XYZ-5")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class TestJudged:
    def test_kept(self) -> None:
        """What its check lets pass, whatever the check gives."""
        assert Rule("name", "kept", "this", "that", "", "") == judged("name", "this", "that", lambda: False)

    def test_broken(self) -> None:
        """What its check refuses: why, and the code of the refusal."""

        def check() -> None:
            raise InvalidClaim("aud", "is missing")

        rule = judged("name", "this", "that", check)
        assert ("name", "broken", "this", "that") == (rule.name, *compared(rule))
        assert (InvalidClaim("aud", "is missing").reason, "token_claim") == (rule.reason, rule.code)

    def test_a_mistake_is_no_verdict(self) -> None:
        """Law 1.3: it leaves as what it is."""

        def check() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            judged("name", "this", "that", check)


class TestShown:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("x", "'x'"),
            (None, "None"),
            ("\u00e9\n\x1b", "'\\xe9\\n\\x1b'"),
            ("x" * 62, f"'{'x' * 62}'"),
            ("x" * 63, f"'{'x' * 63}..."),
        ],
    )
    def test_for_a_terminal(self, value: object, text: str) -> None:
        """Printable ASCII, of which nothing is cut up to 64 characters."""
        assert text == shown({"name": value}, "name")
        assert "missing" == shown({"other": value}, "name")


class TestHeader:
    def test_each_rule(self) -> None:
        """What is expected and what is there."""
        algorithms = "one of ES256, RS256"
        assert [
            ("alg", "kept", algorithms, "'RS256'"),
            ("typ", "kept", "at+jwt, JWT or none", "'JWT'"),
        ] == header_told(Header("RS256", "k1", "JWT"))
        strict = dataclasses.replace(PLAIN, require_kid=True, require_at_jwt=True)
        assert [
            ("alg", "kept", algorithms, "'ES256'"),
            ("kid", "kept", "the name of a key", "'k1'"),
            ("typ", "kept", "at+jwt", "'at+jwt'"),
        ] == header_told(Header("ES256", "k1", "at+jwt"), strict)

    def test_each_alone(self) -> None:
        """One that is broken breaks no other."""
        strict = dataclasses.replace(PLAIN, require_kid=True, require_at_jwt=True)
        cases = {
            "alg": Header("HS256", "k1", "at+jwt"),
            "kid": Header("RS256", None, "at+jwt"),
            "typ": Header("RS256", "k1", "JWT"),
        }
        for name, header in cases.items():
            assert [name] == [one.name for one in header_rules(header, strict) if one.verdict == "broken"]
        assert ["alg", "kid", "typ"] == [
            one.name for one in header_rules(Header("none"), strict) if one.verdict == "broken"
        ]

    def test_what_is_missing(self) -> None:
        """A kid that nobody asks for is no rule; a type is one that may be missing."""
        strict = dataclasses.replace(PLAIN, require_kid=True, require_at_jwt=True)
        assert [("alg", "'RS256'"), ("typ", "missing")] == [
            (name, actual) for name, _, _, actual in header_told(Header("RS256"))
        ]
        assert ["'RS256'", "missing", "missing"] == [
            one.actual for one in header_rules(Header("RS256"), strict)
        ]

    def test_why(self) -> None:
        """As the gate says it of the same header."""
        header = Header("HS256", None, "logout+jwt")
        alg, typ = header_rules(header, PLAIN)
        with pytest.raises(AlgorithmRefused) as refused:
            check_header(header, PLAIN)
        assert (refused.value.reason, refused.value.code) == (alg.reason, alg.code)
        with pytest.raises(InvalidClaim) as refused_typ:
            check_header(dataclasses.replace(header, alg="RS256"), PLAIN)
        assert (refused_typ.value.reason, refused_typ.value.code) == (typ.reason, typ.code)

    def test_where_nothing_is_allowed(self) -> None:
        """There is no algorithm to take in the place of the token's, and nothing passes."""
        rules = dataclasses.replace(PLAIN, algorithms=frozenset())
        assert "broken" == next(iter(header_rules(Header("RS256"), rules))).verdict
        assert "broken" == [*header_rules(Header("RS256", None, "JWT"), rules)][-1].verdict

    @UNHURRIED
    @given(
        st.builds(
            Header,
            st.sampled_from(["RS256", "ES256", "HS256", "none", ""]),
            st.sampled_from([None, "", "k"]),
            st.sampled_from([None, "", "JWT", "jwt", "at+jwt", "application/at+jwt", "dpop+jwt"]),
        ),
        st.booleans(),
        st.booleans(),
    )
    def test_it_is_what_the_gate_says(self, header: Header, kid: bool, at_jwt: bool) -> None:
        """Some rule is broken where the gate refuses, and the first with the gate's code."""
        rules = dataclasses.replace(PLAIN, require_kid=kid, require_at_jwt=at_jwt)
        codes = [one.code for one in header_rules(header, rules) if one.verdict == "broken"]
        assert code_of(check_header, header, rules) == next(iter(codes), None)


class TestClaims:
    def test_each_rule(self) -> None:
        """In the order in which the gate asks; what is not configured is no rule."""
        assert [
            ("iss", "kept", "'https://id.test'", "'https://id.test'"),
            ("aud", "kept", "'admin' or 'api'", "'api'"),
            ("kind", "kept", "an access token", "says nothing of it"),
            ("jti", "kept", "a text, or none", "missing"),
            ("nbf", "kept", f"{AHEAD}, or none", "missing"),
            ("iat", "kept", f"{AHEAD}, or none", "missing"),
            ("auth_time", "kept", f"{AHEAD}, or none", "missing"),
            ("exp", "kept", LATER, "2027-01-15 08:05:00Z, 300 s ahead"),
        ] == [(one.name, *compared(one)) for one in claim_rules(GOOD, PLAIN, NOW)]

    def test_each_that_can_be_configured(self) -> None:
        """With what it expects."""
        assert [
            ("iss", "kept", "'https://id.test'", "'https://id.test'"),
            ("aud", "kept", "'admin' or 'api'", "'api'"),
            ("kind", "kept", "an access token", "typ 'm2m'"),
            ("cnf", "kept", "'jkt' or 'x5t#S256'", f"{{'jkt': '{DIGEST}'}}"),
            ("azp", "kept", "'app' or 'cli'", "azp 'app', client_id missing"),
            ("org", "kept", "there, and not null", "'acme'"),
            ("iss", "kept", "there, and not null", "'https://id.test'"),
            ("env", "kept", "'prod'", "'prod'"),
            ("a", "kept", "a='1', b='2' or c='3', a='4'", "a '1', b '2', c missing"),
            ("jti", "kept", "a plain name", "'t1'"),
            ("nbf", "kept", f"{AHEAD}, or none", "missing"),
            ("iat", "kept", AHEAD, "2027-01-15 07:59:50Z, 10 s ago"),
            ("auth_time", "kept", f"{AHEAD}, or none", "2027-01-15 07:43:20Z, 1000 s ago"),
            ("lifetime", "kept", "at most 600 s from iat to exp", "iat 1799999990, exp 1800000300"),
            ("exp", "kept", LATER, "2027-01-15 08:05:00Z, 300 s ahead"),
        ] == [(one.name, *compared(one)) for one in claim_rules(FULL, STRICT, NOW)]

    @pytest.mark.parametrize(
        ("changes", "name", "actual"),
        [
            ({"iss": "https://evil.test"}, "iss", "'https://evil.test'"),
            ({"aud": "other"}, "aud", "'other'"),
            ({"aud": ABSENT}, "aud", "missing"),
            ({"typ": "ID"}, "kind", "typ 'ID'"),
            ({"token_use": "id"}, "kind", "typ 'm2m', token_use 'id'"),
            ({"type": "id"}, "kind", "typ 'm2m', type 'id'"),
            ({"token_type": None}, "kind", "typ 'm2m', token_type None"),
            ({"at_hash": "x"}, "kind", "typ 'm2m', at_hash 'x'"),
            ({"c_hash": "x"}, "kind", "typ 'm2m', c_hash 'x'"),
            ({"s_hash": "x"}, "kind", "typ 'm2m', s_hash 'x'"),
            ({"events": {}}, "kind", "typ 'm2m', events {}"),
            ({"cnf": ABSENT}, "cnf", "missing"),
            ({"cnf": {"jkt": "x"}}, "cnf", "{'jkt': 'x'}"),
            ({"azp": "other"}, "azp", "azp 'other', client_id missing"),
            ({"azp": ABSENT, "client_id": "other"}, "azp", "azp missing, client_id 'other'"),
            ({"org": None}, "org", "None"),
            ({"env": "test"}, "env", "'test'"),
            ({"b": "3"}, "a", "a '1', b '3', c missing"),
            ({"jti": "a b"}, "jti", "'a b'"),
            ({"jti": ABSENT}, "jti", "missing"),
            ({"nbf": 1_800_000_031}, "nbf", "2027-01-15 08:00:31Z, 31 s ahead"),
            ({"nbf": "soon"}, "nbf", "'soon'"),
            ({"auth_time": True}, "auth_time", "True"),
            ({"auth_time": -1}, "auth_time", "-1"),
            ({"iat": 1_799_999_699}, "lifetime", "iat 1799999699, exp 1800000300"),
            ({"iat": 1_799_999_000, "exp": 1_799_999_970}, "exp", "2027-01-15 07:59:30Z, 30 s ago"),
        ],
    )
    def test_each_alone(self, changes: dict[str, Any], name: str, actual: str) -> None:
        """One that is broken breaks no other, and what is there is said."""
        claims = {**FULL, **changes}
        rules = dataclasses.replace(STRICT, max_lifetime=970.0) if name == "exp" else STRICT
        assert [name] == broken(claims, rules)
        assert ("broken", actual) == (told(claims, rules)[name].verdict, told(claims, rules)[name].actual)

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": ["other", "admin"]},
            {"typ": ABSENT},
            {"typ": "DPoP"},
            {"cnf": {"x5t#S256": DIGEST}},
            {"azp": ABSENT, "client_id": "cli"},
            {"azp": "cli", "client_id": "other"},
            {"a": "4", "b": ABSENT, "c": "3"},
            {"nbf": 1_800_000_030},
            {"iat": 1_799_999_700},
            {"exp": 1_799_999_971},
        ],
    )
    def test_what_is_enough(self, changes: dict[str, Any]) -> None:
        """To the last second."""
        assert [] == broken({**FULL, **changes}, STRICT)

    def test_a_rule_that_is_broken_says_why(self) -> None:
        """As the gate says it of the same claims."""
        for changes in ({"aud": "other"}, {"env": "test"}, {"exp": 1_799_999_900, "iat": 1_799_999_800}):
            claims = {**FULL, **changes}
            with pytest.raises(InvalidToken) as refused:
                check_claims(claims, STRICT, NOW)
            (one,) = [one for one in claim_rules(claims, STRICT, NOW) if one.verdict == "broken"]
            assert (refused.value.reason, refused.value.code) == (one.reason, one.code)


class TestWhatIsConfigured:
    def test_no_issuer(self) -> None:
        """Then there must be none."""
        rules = dataclasses.replace(PLAIN, issuer=None)
        assert ("kept", "none", "missing") == compared(told({**GOOD, "iss": ABSENT}, rules)["iss"])
        assert ["iss"] == broken(GOOD, rules)

    def test_any_audience(self) -> None:
        """Of the right type all the same."""
        rules = dataclasses.replace(PLAIN, audience=None)
        assert ("kept", "anything", "'other'") == compared(told({**GOOD, "aud": "other"}, rules)["aud"])
        assert ["aud"] == broken({**GOOD, "aud": 7}, rules)

    def test_a_binding_that_nobody_checks(self) -> None:
        """It is a rule where it is there; where it may be there, it may be missing."""
        assert ("broken", "none", "{'jkt': 'x'}") == compared(
            told({**GOOD, "cnf": {"jkt": "x"}}, PLAIN)["cnf"]
        )
        assert "cnf" not in told(GOOD, PLAIN)
        rules = dataclasses.replace(PLAIN, confirmations=frozenset({"jkt"}))
        assert ("kept", "'jkt', or none", "missing") == compared(told(GOOD, rules)["cnf"])

    def test_a_binding_says_nothing_of_the_kind(self) -> None:
        """Whether it is good is a rule of its own; that there is one is what lets a kind be DPoP."""
        rules = dataclasses.replace(PLAIN, confirmations=frozenset({"jkt"}))
        assert ["cnf"] == broken({**GOOD, "cnf": {"jkt": "x"}, "typ": "DPoP"}, rules)
        assert ["kind"] == broken({**GOOD, "typ": "DPoP"}, rules)
        assert ["kind", "cnf"] == broken({**GOOD, "cnf": {"jkt": DIGEST}, "typ": "DPoP"}, PLAIN)

    def test_rfc_9068(self) -> None:
        """Its claims are asked for before one's own, each once."""
        rules = dataclasses.replace(PLAIN, require_at_jwt=True, required_claims=("org", "sub"))
        claims = {**GOOD, "org": "acme", "client_id": "app", "iat": 1_800_000_000, "jti": "t1"}
        there = [*presence(claims, rules)]
        assert ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "org"] == there
        for name in there:
            assert name in broken({**claims, name: ABSENT}, rules)

    def test_what_is_there_is_there(self) -> None:
        """Law 1.2: that it is old, early or of another kind is said by other rules, and last of all that it is old."""
        names = ("exp", "iat", "nbf", "auth_time", "typ", "type", "token_type", "token_use", "cnf", "iss")
        rules = dataclasses.replace(PLAIN, required_claims=names, confirmations=frozenset({"jkt"}))
        dates = {"exp": 0, "iat": 2_000_000_000, "nbf": "soon", "auth_time": 2_000_000_000}
        kinds = dict.fromkeys(("typ", "type", "token_type", "token_use"), "id")
        claims = {**GOOD, **dates, **kinds, "cnf": {"jkt": DIGEST}}
        assert dict.fromkeys(names, "kept") == presence(claims, rules)
        last = [one for one in claim_rules(claims, rules, NOW) if one.verdict == "broken"][-1]
        assert ("exp", "token_expired") == (last.name, last.code)
        for nothing in (dict.fromkeys(names), {}):
            assert dict.fromkeys(names, "broken") == presence({**nothing}, rules)

    def test_a_lifetime_is_no_age(self) -> None:
        """A token that expired long ago was as long-lived as it was; without dates there is none."""
        rules = dataclasses.replace(PLAIN, max_lifetime=600.0)
        old = {**GOOD, "iat": 1_000, "exp": 1_600}
        assert ["exp"] == broken(old, rules)
        assert ["lifetime", "exp"] == broken({**old, "exp": 1_601}, rules)
        assert ["lifetime"] == broken(GOOD, rules)
        assert ["iat", "lifetime"] == broken({**GOOD, "iat": True}, rules)
        assert ["iat", "lifetime"] == broken({**GOOD, "iat": 10**400}, rules)
        assert ["lifetime", "exp"] == broken({**GOOD, "iat": 1_800_000_000, "exp": "soon"}, rules)

    def test_a_date_of_issue_may_be_required(self) -> None:
        """Law 3.7: where a revocation source judges by age."""
        rules = dataclasses.replace(PLAIN, require_iat=True)
        assert ("broken", AHEAD, "missing") == compared(told(GOOD, rules)["iat"])
        assert ["iat"] == broken(GOOD, rules)
        assert [] == broken({**GOOD, "iat": 1_800_000_000}, rules)

    def test_the_leeway(self) -> None:
        """Counts in each time that is said."""
        rules = dataclasses.replace(PLAIN, leeway=5.0)
        found = told({**GOOD, "nbf": 1_800_000_005}, rules)
        assert ("kept", "no later than 2027-01-15 08:00:05Z, or none") == compared(found["nbf"])[:2]
        assert "later than 2027-01-15 07:59:55Z" == found["exp"].expected
        assert ["nbf"] == broken({**GOOD, "nbf": 1_800_000_006}, rules)
        assert [] == broken(GOOD, dataclasses.replace(PLAIN, leeway=0.0))


class TestTimes:
    @pytest.mark.parametrize(
        ("moment", "text"),
        [
            (1_800_000_000, "2027-01-15 08:00:00Z, 0 s ago"),
            (1_800_000_000.4, "2027-01-15 08:00:00Z, 0 s ahead"),
            (0, "1970-01-01 00:00:00Z, 1800000000 s ago"),
            (253402300799, "9999-12-31 23:59:59Z, 251602300799 s ahead"),
            (253402300800, "253402300800"),
            (-1, "-1"),
            (True, "True"),
            (False, "False"),
            ("1800000000", "'1800000000'"),
            (None, "None"),
        ],
    )
    def test_a_date_is_shown_as_one(self, moment: object, text: str) -> None:
        """Law 3.7: from 1970 to the end of the year 9999; what is none is shown as it is."""
        assert text == told({**GOOD, "auth_time": moment}, PLAIN)["auth_time"].actual
        assert text == told({**GOOD, "exp": moment}, PLAIN)["exp"].actual

    @pytest.mark.usefixtures("far_east")
    def test_a_date_is_shown_in_utc(self) -> None:
        """As the Z behind it says, wherever the machine is."""
        assert "2027-01-15 08:05:00Z, 300 s ahead" == told(GOOD, PLAIN)["exp"].actual

    def test_the_ends_of_time(self) -> None:
        """A clock that is there has bounds to show as well."""
        begin, end = Instant(10.0, 0.0), Instant(253402300790.0, 0.0)
        assert "later than 1970-01-01 00:00:00Z" == told(GOOD, PLAIN, begin)["exp"].expected
        assert "no later than 9999-12-31 23:59:59Z, or none" == told(GOOD, PLAIN, end)["nbf"].expected
        assert [] == broken({**GOOD, "exp": 253402300799}, PLAIN, end)


class TestAnything:
    JSON = st.none() | st.booleans() | st.integers(-1, 2) | st.text(max_size=2)
    VALUES = st.one_of(
        JSON,
        st.sampled_from(["api", "app", "access", "DPoP", "id", "acme", "prod", "1", "2", ISSUER, "t1"]),
        st.integers(1_799_999_000, 1_800_000_700),
        st.sampled_from([{"jkt": DIGEST}, {"jkt": "x"}, {}, ["api"], ["other", 7], 253402300800, 1e300]),
    )
    NAMES = (*FULL, "nbf", "client_id", "c", "token_use", "at_hash")

    @UNHURRIED
    @given(
        st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
        st.sets(st.sampled_from(NAMES), max_size=2),
    )
    def test_it_is_what_the_gate_says(self, changes: dict[str, Any], without: set[str]) -> None:
        """Some rule is broken where the gate refuses, and none where it does not; the first has the gate's code."""
        claims = {name: value for name, value in {**FULL, **changes}.items() if name not in without}
        for rules in (PLAIN, STRICT, dataclasses.replace(STRICT, require_at_jwt=True, audience=None)):
            codes = [one.code for one in claim_rules(claims, rules, NOW) if one.verdict == "broken"]
            assert code_of(check_claims, claims, rules, NOW) == next(iter(codes), None)
