"""What a logout token must be, by its header and its claims (Back-Channel Logout 1.0 sections 2.4 and 2.6)."""

from __future__ import annotations

from typing import Any, Final

import pytest

from authgate_core.clock import Instant
from authgate_core.errors import AlgorithmRefused, InvalidClaim, TokenExpired
from authgate_core.jose.claims import TokenRules
from authgate_core.jose.compact import Header
from authgate_core.jose.logout import LogoutClaims, check_logout, check_logout_header
from authgate_core.testing import ABSENT

NOW: Final = 1_800_000_000.0
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS: Final = frozenset({"RS256", "EdDSA"})
RULES: Final = TokenRules(issuer="https://id.test", audience=None, algorithms=ALGORITHMS, leeway=30.0)
CLIENTS: Final = frozenset({"shop", "desk"})
NO_CLIENT: Final[list[object]] = [ABSENT, None, "other", "SHOP", [], ["other"], [7], {"shop": 1}, [["shop"]]]
NO_LOGOUT: Final[list[object]] = [
    *(ABSENT, None, EVENT, [EVENT], {}, {EVENT: None}, {EVENT: "{}"}, {EVENT: True}, {EVENT: []}),
    *({EVENT.upper(): {}}, {"": {}}),
]
GOOD: Final[dict[str, Any]] = {
    "iss": "https://id.test",
    "aud": "shop",
    "events": {EVENT: {}},
    "jti": "t1",
    "iat": NOW - 10,
    "exp": NOW + 110,
    "sid": "s1",
    "sub": "u1",
}


def read(now: float = NOW, /, **changes: object) -> LogoutClaims:
    """What good claims say, with members added, replaced or (ABSENT) left out."""
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not ABSENT}
    return check_logout(claims, RULES, CLIENTS, Instant(now, 0.0))


class TestHeader:
    @pytest.mark.parametrize(
        "typ", [None, "logout+jwt", "Logout+JWT", "application/logout+jwt", "JWT", "jwt"]
    )
    @pytest.mark.parametrize("alg", ["RS256", "EdDSA", "Ed25519"])
    def test_what_it_may_be(self, alg: str, typ: str | None) -> None:
        """Section 2.4: providers may name the type, and older ones do not."""
        check_logout_header(Header(alg, typ=typ), ALGORITHMS)

    @pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "dpop+jwt", "logout", "", "id_token"])
    def test_another_type(self, typ: str) -> None:
        """RFC 8725 section 3.11: a token of another kind is none."""
        with pytest.raises(InvalidClaim) as refused:
            check_logout_header(Header("RS256", typ=typ), ALGORITHMS)
        assert "typ header" == refused.value.claim

    @pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "rs256", ""])
    def test_another_algorithm(self, alg: str) -> None:
        """Law 3.2."""
        with pytest.raises(AlgorithmRefused):
            check_logout_header(Header(alg), ALGORITHMS)


class TestWhom:
    def test_what_it_says(self) -> None:
        """A session and whose it is, and when that was said."""
        assert LogoutClaims("s1", "u1", NOW - 10) == read()

    @pytest.mark.parametrize(
        ("changes", "session_id", "subject"),
        [
            ({"sid": ABSENT}, None, "u1"),
            ({"sub": ABSENT}, "s1", None),
            ({"sid": None}, None, "u1"),
            ({"sid": "s" * 255, "sub": "u"}, "s" * 255, "u"),
        ],
    )
    def test_either_is_enough(
        self, changes: dict[str, object], session_id: str | None, subject: str | None
    ) -> None:
        """Section 2.4: a session, or everything of a subject."""
        said = read(**changes)
        assert (session_id, subject) == (said.session_id, said.subject)

    def test_nobody(self) -> None:
        """Section 2.4: of neither, nothing ends."""
        with pytest.raises(InvalidClaim) as refused:
            read(sid=ABSENT, sub=ABSENT)
        assert "sub" == refused.value.claim

    @pytest.mark.parametrize("name", ["sid", "sub"])
    @pytest.mark.parametrize("value", ["", "x" * 256, 7, True, ["s1"], {}])
    def test_a_name_is_a_text(self, name: str, value: object) -> None:
        """Also where the other alone would do."""
        with pytest.raises(InvalidClaim) as refused:
            read(**{name: value})
        assert name == refused.value.claim


class TestWhatItMustBe:
    @pytest.mark.parametrize("aud", ["shop", "desk", ["other", "desk"], [7, "shop"]])
    def test_it_is_for_one_of_the_clients(self, aud: object) -> None:
        """Section 2.6: of which one is enough."""
        assert "u1" == read(aud=aud).subject

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("aud", aud) for aud in NO_CLIENT),
            *(("events", events) for events in NO_LOGOUT),
            *(("nonce", nonce) for nonce in ("n", None, "")),
            *(("jti", jti) for jti in (ABSENT, None, 7, ["t1"])),
            *(("iat", iat) for iat in (ABSENT, None, True, "now", -1, 253402300800, NOW + 30.5)),
            *(("exp", exp) for exp in (None, False, "soon", -1, 253402300800)),
        ],
    )
    def test_each_claim(self, name: str, value: object) -> None:
        """Sections 2.4 and 2.6: what is missing or says something else, by its name."""
        with pytest.raises(InvalidClaim) as refused:
            read(**{name: value})
        assert name == refused.value.claim

    def test_an_event_may_say_more(self) -> None:
        """Section 2.4: beside others, and with whatever in it."""
        assert "u1" == read(events={"other": 1, EVENT: {"more": 1}}).subject


class TestWhen:
    def test_it_ends_with_its_exp(self) -> None:
        """To the second, with the leeway (Law 3.7)."""
        assert "u1" == read(NOW + 139.9).subject
        with pytest.raises(TokenExpired, match="expired 30 s ago"):
            read(NOW + 140)

    def test_without_exp_it_is_good_for_two_minutes(self) -> None:
        """Section 2.4 recommends that."""
        assert "u1" == read(NOW + 139.9, exp=ABSENT).subject
        with pytest.raises(TokenExpired, match="expired 30 s ago"):
            read(NOW + 140, exp=ABSENT)

    def test_the_ends_of_time(self) -> None:
        """Law 3.7: from 1970 to the end of the year 9999."""
        assert 0.0 == read(iat=0, exp=253402300799).issued_at
        with pytest.raises(TokenExpired):
            read(iat=0, exp=0)

    def test_it_may_be_ahead_by_the_leeway(self) -> None:
        """And is taken for said now, so that it ends nothing that begins after it."""
        assert NOW == read(iat=NOW + 30).issued_at
        assert NOW == read(iat=NOW).issued_at

    def test_what_else_is_wrong_is_said_first(self) -> None:
        """Of what was never good nobody says that it is old."""
        with pytest.raises(InvalidClaim):
            read(NOW + 1000, jti=ABSENT)
