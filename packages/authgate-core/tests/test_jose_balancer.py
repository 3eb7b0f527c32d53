"""What the header of a load balancer's token must say, before its key is looked for."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest

from authgate_core.errors import InvalidClaim, MalformedToken
from authgate_core.jose.balancer import BalancerRules, check_balancer
from authgate_core.jose.compact import Limits
from authgate_core.testing import ABSENT
from authgate_core.testing.shapes import encode_json, encode_segment

LIMITS: Final = Limits()
RULES: Final = BalancerRules(frozenset({"edge", "inner"}), frozenset({"app", "admin"}))
KID: Final = "0b6f6c1e-2f57-4b5b-9c4e-111111111111"
HEADER: Final = {"kid": KID, "signer": "edge", "client": "app", "iss": "https://id.test", "exp": 2000}
CLAIMS: Final = {"iss": "https://id.test", "exp": 2000}
NO_NUMBERS: Final[list[object]] = [None, True, False, "2000", [2000], {}]


def claims(**changes: object) -> dict[str, Any]:
    """A payload with members added, replaced or (ABSENT) left out."""
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ABSENT}


def header(**changes: object) -> str:
    """A header segment with members added, replaced or (ABSENT) left out."""
    return encode_segment(encode_json({**HEADER, **changes}))


def refused(name: str, payload: dict[str, Any] | None = None, /, **changes: object) -> None:
    """The header is refused, and this is said to be the reason."""
    with pytest.raises(InvalidClaim) as caught:
        check_balancer(header(**changes), claims() if payload is None else payload, RULES, LIMITS)
    assert f"{name} header" == caught.value.claim


class TestWho:
    @pytest.mark.parametrize("signer", ["edge", "inner"])
    @pytest.mark.parametrize("client", ["app", "admin"])
    def test_each_that_is_configured(self, signer: str, client: str) -> None:
        """Any of them, for any client; the key's name is what comes back."""
        payload = claims()
        assert KID == check_balancer(header(signer=signer, client=client), payload, RULES, LIMITS)
        assert CLAIMS == payload

    @pytest.mark.parametrize("name", ["signer", "client"])
    @pytest.mark.parametrize("value", [ABSENT, None, "", "theirs", "EDGE", "APP", ["edge"], {"app": 1}, 7])
    def test_nobody_else(self, name: str, value: object) -> None:
        """Whose keys are the same, since they are those of a region."""
        refused(name, **{name: value})

    @pytest.mark.parametrize("kid", [ABSENT, None, 7, "", "key", KID.upper(), f"{KID}/x"])
    def test_a_key_is_named_by_a_uuid(self, kid: object) -> None:
        """It becomes a part of a URL."""
        refused("kid", kid=kid)


class TestWhen:
    @pytest.mark.parametrize(
        ("ends", "also", "earlier"),
        [
            (1000, 2000, 1000),
            (2000, 1000, 1000),
            (1000, ABSENT, 1000),
            (1000.5, 2000, 1000.5),
            (2000, 1000.5, 1000.5),
        ],
    )
    def test_the_earlier_end_counts(self, ends: object, also: object, earlier: float) -> None:
        """Of the header's and the payload's, for both are under the signature."""
        payload = claims(exp=also)
        check_balancer(header(exp=ends), payload, RULES, LIMITS)
        assert earlier == payload["exp"]

    @pytest.mark.parametrize("ends", [ABSENT, *NO_NUMBERS])
    def test_the_header_says_it(self, ends: object) -> None:
        """In seconds; nothing else is a time (Law 3.7)."""
        refused("exp", exp=ends)

    @pytest.mark.parametrize("also", NO_NUMBERS)
    def test_what_is_no_time_in_the_payload_stays(self, also: object) -> None:
        """The check of the claims refuses it, as in any token; the header does not mend it."""
        payload = claims(exp=also)
        check_balancer(header(exp=1000), payload, RULES, LIMITS)
        assert also is payload["exp"]


class TestWhose:
    @pytest.mark.parametrize(
        ("of_header", "of_payload"), [({}, {"iss": ABSENT}), ({"iss": ABSENT}, {}), ({}, {})]
    )
    def test_either_names_the_issuer(self, of_header: dict[str, Any], of_payload: dict[str, Any]) -> None:
        """And where both do, they say the same."""
        payload = claims(**of_payload)
        check_balancer(header(**of_header), payload, RULES, LIMITS)
        assert "https://id.test" == payload["iss"]

    @pytest.mark.parametrize("iss", ["https://evil.test", "", None, ["https://id.test"]])
    def test_both_say_the_same(self, iss: object) -> None:
        """Another beside the payload's is no word for it."""
        refused("iss", iss=iss)

    def test_nobody_is_named(self) -> None:
        """Then the claims name nobody either, and their check refuses that (Law 3.5)."""
        payload = claims(iss=ABSENT)
        check_balancer(header(iss=ABSENT), payload, RULES, LIMITS)
        assert payload["iss"] is None


class TestForm:
    @pytest.mark.parametrize("data", [b"", b"[]", b"x", b'{"kid":1,"kid":1}', b'{"exp":NaN}'])
    def test_a_header_is_one_strict_object(self, data: bytes) -> None:
        """Law 3.1."""
        with pytest.raises(MalformedToken):
            check_balancer(encode_segment(data), claims(), RULES, LIMITS)

    def test_its_size_is_bounded(self) -> None:
        """Law 2.4."""
        segment = header()
        check_balancer(segment, claims(), RULES, Limits(header=len(segment)))
        with pytest.raises(MalformedToken, match="more than"):
            check_balancer(segment, claims(), RULES, Limits(header=len(segment) - 1))

    def test_padding_is_read_where_it_is_allowed(self) -> None:
        """Law 3.1: none, one and two, as the length asks for."""
        texts = [encode_json({**HEADER, "more": more}) for more in ("", "x", "xx")]
        segments = [base64.urlsafe_b64encode(text).decode() for text in texts]
        assert [0, 1, 2] == sorted(segment.count("=") for segment in segments)
        for segment in segments:
            assert KID == check_balancer(segment, claims(), RULES, Limits(padded=True))
        for segment in segments:
            if "=" in segment:
                with pytest.raises(MalformedToken):
                    check_balancer(segment, claims(), RULES, LIMITS)
