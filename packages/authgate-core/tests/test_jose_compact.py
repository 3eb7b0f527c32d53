"""Parsing: a compact JWS is read in one way or not at all."""

from __future__ import annotations

import base64
import json
import string
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from authgate_core.errors import MalformedToken
from authgate_core.jose.compact import (
    Header,
    Limits,
    _read_any,
    _read_flat,
    decode_segment,
    may_be_signed,
    may_hold_object,
    parse_header,
    parse_object,
    split,
    split_object,
)
from authgate_core.jose.compact import encode_segment as written
from authgate_core.testing.shapes import encode_segment

UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIMITS = Limits()
PADDED: Final = Limits(padded=True)
ALPHABET = string.ascii_letters + string.digits + "-_"
HEADER = encode_segment(b'{"alg":"RS256"}')
# Pieces that objects are made of, and that break them: put together they are nearly JSON, and often JSON.
PIECES: Final = (
    *('{"', '":', '"', ":", ",", "{", "}", "[", "]", " ", "\n", "\\", "\\u0061", "\\ud800", "\\\\", '\\"'),
    *('"a":', '"b":', '"a"', '"iss"', '"a" :', '"{"', '"["', '":"', '{"a":1}', "[[", "]]", "[1,2]", "\u00e9"),
    *("1", "-1", "1.5", "1e999", "NaN", "-Infinity", "null", "true", "9" * 4400, ',"a":2', ',"b":[3]'),
)
MARKER = "c0ffee-c0ffee"


def header_of(**members: object) -> Header:
    """The parsed header of these members."""
    return parse_header(encode_segment(json.dumps(members).encode()), LIMITS)


def nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    """An object that holds arrays or objects, so that all are ``levels`` deep."""
    inner = opening * (levels - 1) + ("1" if opening.endswith(":") else "") + closing * (levels - 1)
    return f'{{"a":{inner}}}'.encode()


class TestSplit:
    def test_a_token_is_taken_apart(self) -> None:
        """RFC 7515 section 7.1: three segments, of which the first two are signed as they arrived."""
        parts = split(f"{HEADER}.{encode_segment(b'payload')}.{encode_segment(b'signature')}", LIMITS)

        assert (HEADER, b"payload", b"signature") == (parts.header, parts.payload, parts.signature)
        assert f"{HEADER}.{encode_segment(b'payload')}".encode() == parts.signing_input

    @pytest.mark.parametrize(
        "token", ["", ".", "abc", "a.b", "e30.e30", "e30.e30.e30.e30", "e30...e30", ".....", "...e30"]
    )
    def test_anything_but_three_segments_is_refused(self, token: str) -> None:
        """Law 3.1: a token has exactly three segments."""
        with pytest.raises(MalformedToken, match="segments"):
            split(token, LIMITS)

    @pytest.mark.parametrize(
        "token", ["e30.e30.e30.e30.e30", "e30..e30.e30.e30", ".e30.e30.e30.e30", ".a.e30.e30.e30", "...."]
    )
    def test_an_encrypted_token_is_refused_by_its_shape(self, token: str) -> None:
        """Law 3.3: five segments are a JWE, also with an empty key (RFC 7516 section 5.1); none is decrypted."""
        with pytest.raises(MalformedToken, match="JWE"):
            split(token, LIMITS)

    @pytest.mark.parametrize(
        "token", ["", "e30", "e30.e30", "e30.e30.e30.e30", "e.e.e.e.e.e", "e.e.e.e..", "........."]
    )
    def test_nothing_else_is_called_one(self, token: str) -> None:
        """Whoever reads the log looks for no encryption where there is none."""
        with pytest.raises(MalformedToken, match="this is no token"):
            split(token, LIMITS)

    @pytest.mark.parametrize(
        ("token", "may"),
        [(f"{HEADER}.{HEADER}.", True), (f".{HEADER}", True), (f"{HEADER}.AAAA.", False), (HEADER, False)],
    )
    def test_a_glance_at_the_second_segment(self, token: str, *, may: bool) -> None:
        """Law 2.4: whatever stands before it, two characters tell whether it is worth decoding."""
        assert may == may_hold_object(token)

    @pytest.mark.parametrize(
        ("token", "may"),
        [
            (f"{HEADER}..", True),
            (f"{HEADER}....", True),
            (f"{HEADER}.", False),
            (f"{HEADER}...", False),
            (f"{HEADER}.....", False),
            ("AAAA..", False),
            ("", False),
            ("opaque", False),
        ],
    )
    def test_what_looks_like_one_at_all(self, token: str, *, may: bool) -> None:
        """RFC 6749 section 1.4: any other token says something to its issuer only."""
        assert may == may_be_signed(token)

    @pytest.mark.parametrize("header", ["\u00e9", "\ud800", "e30\u2028"])
    def test_a_header_that_is_not_ascii_is_refused_where_it_is_read(self, header: str) -> None:
        """Law 3.11: the way that reads a payload first lets no other exception out."""
        parts, claims = split_object(f"{header}.{encode_segment(b'{}')}.AAAA", LIMITS)
        assert {} == claims
        with pytest.raises(MalformedToken):
            parse_header(parts.header, LIMITS)

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_only_the_base64url_alphabet_is_read(self, place: int) -> None:
        """Law 3.1: no padding, whitespace, base64 of the other kind, control or non-ASCII character."""
        segments = ["eyJhbGciOiJub25lIn0", "e30", "AAAA"]
        foreign = [chr(code) for code in range(0x180) if chr(code) not in ALPHABET + "."]
        for character in [*foreign, "\u2028", "\uff21", "\U0001f600", "\ud800"]:
            for position in (0, 1, len(segments[place])):
                segment = segments[place]
                spoilt = segment[:position] + character + segment[position:]
                with pytest.raises(MalformedToken):
                    read(".".join([*segments[:place], spoilt, *segments[place + 1 :]]))

    @pytest.mark.parametrize("segment", ["AAA+", "AAA/", "+AAA", "/AAA", "+/+/"])
    def test_the_other_alphabet_is_refused_where_it_would_fit(self, segment: str) -> None:
        """Law 3.1: base64 is not base64url (RFC 4648 section 5), or a text would have two spellings."""
        assert 3 == len(decode_segment(segment.replace("+", "-").replace("/", "_")))
        with pytest.raises(MalformedToken, match="canonical"):
            decode_segment(segment)

    @pytest.mark.parametrize(
        "padded", ["AA==", "AA=", "AAA=", "AAAA=", "AAAA====", "=", "====", "A", "AAAAA"]
    )
    def test_padding_and_impossible_lengths_are_refused(self, padded: str) -> None:
        """Law 3.1: segments are not padded (RFC 7515 section 2), and no byte needs one character alone."""
        for token in (f"{HEADER}.{padded}.AAAA", f"{HEADER}.AAAA.{padded}"):
            with pytest.raises(MalformedToken):
                split(token, LIMITS)

    def test_padding_around_an_object_is_refused(self) -> None:
        """Law 3.1: in the payload as in the signature, also where it is the padding of its length."""
        bare, padded = encode_segment(b'{"a":1}'), base64.urlsafe_b64encode(b'{"a":1}').decode()
        assert {"a": 1} == split_object(f"{HEADER}.{bare}.AA", LIMITS)[1]
        for token in (f"{HEADER}.{padded}.AA", f"{HEADER}.{bare}.AA=="):
            with pytest.raises(MalformedToken):
                split_object(token, LIMITS)

    @pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", b"abcd", b"abcde"])
    def test_padding_is_read_where_it_is_allowed(self, data: bytes) -> None:
        """Law 3.1: as AWS load balancers write it, in every segment, or none of it."""
        bare, padded = encode_segment(data), base64.urlsafe_b64encode(data).decode()
        for payload, signature in ((bare, bare), (padded, bare), (bare, padded), (padded, padded)):
            parts = split(f"{HEADER}.{payload}.{signature}", PADDED)
            assert (data, data, f"{HEADER}.{payload}".encode()) == (
                parts.payload,
                parts.signature,
                parts.signing_input,
            )

        whole = base64.urlsafe_b64encode(b'{"a":"%s"}' % data).decode()
        parts, claims = split_object(f"{HEADER}.{whole}.{padded}", PADDED)
        assert (data, {"a": data.decode()}) == (parts.signature, claims)

    @pytest.mark.parametrize(
        "segment",
        ["=", "==", "===", "====", "A===", "AA=", "AAA==", "AAAA=", "AA==AA==", "AB==", "AAB=", "A=A="],
    )
    def test_it_is_the_padding_of_its_length(self, segment: str) -> None:
        """Law 3.1: half of it, more of it, and bits that belong to no byte make another token of it."""
        for token in (f"{HEADER}.{segment}.", f"{HEADER}..{segment}"):
            with pytest.raises(MalformedToken):
                split(token, PADDED)
        with pytest.raises(MalformedToken):
            parse_header(segment, PADDED)

    @pytest.mark.parametrize(("start", "accepted"), [("A", 4), ("AA", 16), ("AAA", 64)])
    def test_trailing_bits_are_canonical(self, start: str, accepted: int) -> None:
        """Law 3.1: bits that belong to no byte are zero: a text has one spelling (RFC 4648 section 3.5)."""
        read_as: dict[bytes, list[str]] = {}
        for last in ALPHABET:
            try:
                read_as.setdefault(decode_segment(start + last), []).append(start + last)
            except MalformedToken:
                continue

        assert accepted == len(read_as)
        assert {1} == {len(spellings) for spellings in read_as.values()}
        assert all(encode_segment(data) == spellings[0] for data, spellings in read_as.items())

    def test_the_size_is_bounded(self) -> None:
        """Law 2.4: a token of the limit is read, one character more is not."""
        token = f"{HEADER}.{'A' * 100}.AAAA"

        assert 75 == len(split(token, Limits(token=len(token))).payload)
        with pytest.raises(MalformedToken, match="characters"):
            split(token, Limits(token=len(token) - 1))

    def test_the_limits_of_the_law(self) -> None:
        """Law 2.4: 16 KiB, 2 KiB and 16 levels unless configured."""
        assert Limits(token=16 * 1024, header=2 * 1024, depth=16) == LIMITS

    @UNHURRIED
    @given(st.binary(), st.binary())
    def test_every_payload_and_signature_survives(self, payload: bytes, signature: bytes) -> None:
        """Whatever is encoded by RFC 7515 section 2 is read as it was."""
        parts = split(f"{HEADER}.{encode_segment(payload)}.{encode_segment(signature)}", LIMITS)

        assert (payload, signature) == (parts.payload, parts.signature)

    @UNHURRIED
    @given(
        st.text(ALPHABET + ".", max_size=24)
        | st.from_regex(r"[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*){2}", fullmatch=True)
    )
    def test_what_is_read_has_no_other_spelling(self, token: str) -> None:
        """Law 3.1: a token that is read is the one text that encodes what was read."""
        try:
            parts = split(token, LIMITS)
        except MalformedToken:
            return
        assert token == f"{parts.header}.{encode_segment(parts.payload)}.{encode_segment(parts.signature)}"

    @UNHURRIED
    @given(
        st.text() | st.text(st.characters(codec=None)) | st.binary().map(lambda data: data.decode("latin-1"))
    )
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        """Law 3.11: nothing but authgate's own exception leaves."""
        answer(read, text)

    @given(st.binary())
    @example(b"\x00\x00\x17")
    def test_what_is_written_is_read(self, data: bytes) -> None:
        """RFC 7515 section 2: also what ends with any letter of the alphabet."""
        assert encode_segment(data) == written(data)
        assert data == decode_segment(written(data))

    def test_the_repr_masks(self) -> None:
        """Law 2.5: a token taken apart shows nothing of itself."""
        parts = split(f"{HEADER}.{encode_segment(MARKER.encode())}.{encode_segment(b'signature')}", LIMITS)

        assert "Parts(39 and 9 bytes)" == repr(parts)

    @UNHURRIED
    @given(st.text(ALPHABET[-6:] + "AQgw+/= \n=", max_size=9))
    def test_a_segment_is_read_as_the_standard_library_writes_it(self, segment: str) -> None:
        """Law 3.1: whatever the decoder lets pass, a segment is read if it is how its bytes are written."""
        try:
            data = decode_segment(segment)
        except MalformedToken:
            with suppress(ValueError):
                lenient = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
                assert segment != encode_segment(lenient)
        else:
            assert segment == base64.urlsafe_b64encode(data).decode().rstrip("=")

    @UNHURRIED
    @given(
        st.binary(max_size=6)
        | st.sampled_from([b"{}", b' {"a":1}', b"\t{}", b"\r\n{}", b"[]", b"\xef\xbb\xbf{}"])
    )
    def test_a_glance_at_a_payload_refuses_nothing_that_is_an_object(self, payload: bytes) -> None:
        """Law 3.1: what is refused by its first characters would not have been read."""
        token = f"{HEADER}.{encode_segment(payload)}.AAAA"

        strict, found = outcome(lambda: read(token)[1]), outcome(lambda: split_object(token, LIMITS)[1])
        assert isinstance(strict, str) is isinstance(found, str)
        if isinstance(strict, dict):
            assert strict == found

    def test_every_first_byte_is_judged(self) -> None:
        """RFC 8259 section 2: an object begins with a brace, or with one of four kinds of whitespace."""
        tokens = [f"{HEADER}.{encode_segment(bytes([first, 0x20]))}.AAAA" for first in range(256)]
        reasons = [outcome(partial(split_object, token, LIMITS)) for token in tokens]
        begins = [
            first for first, reason in enumerate(reasons) if reason != "the payload is not a JSON object"
        ]

        assert sorted(b"{ \t\n\r") == begins


class TestHeader:
    def test_what_counts_is_read(self) -> None:
        """``alg``, ``kid`` and ``typ``; the last two may be absent."""
        assert Header("RS256") == header_of(alg="RS256")
        assert Header("ES256", "k1", "at+jwt") == header_of(alg="ES256", kid="k1", typ="at+jwt", cty="x")

    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t", "enc", "zip"])
    def test_keys_in_the_header_are_not_even_read(self, name: str) -> None:
        """Law 3.3: a header says nothing about where keys are."""
        assert Header("RS256", "k") == header_of(alg="RS256", kid="k", **{name: "https://evil.test/keys"})

    @pytest.mark.parametrize(
        "crit",
        [
            *(["exp"], ["b64"], ["alg"], [], [None], [1], [["b64"]], ["b64", "b64"]),
            *(None, "", "exp", {}, 0, False, True),
        ],
    )
    def test_crit_is_refused_in_every_shape(self, crit: object) -> None:
        """Law 3.3: no extension is implemented, and an empty crit is malformed (RFC 7515 section 4.1.11)."""
        with pytest.raises(MalformedToken, match="crit"):
            header_of(alg="RS256", crit=crit, exp=1)

    @pytest.mark.parametrize("b64", [True, False, None, "false"])
    def test_an_unencoded_payload_is_refused(self, b64: object) -> None:
        """Law 3.3: RFC 7797 is not implemented."""
        with pytest.raises(MalformedToken, match="b64"):
            header_of(alg="RS256", b64=b64)

    @pytest.mark.parametrize("alg", [None, 1, True, ["RS256"], {"RS256": 1}, 1.5])
    def test_alg_is_a_string(self, alg: object) -> None:
        """RFC 7515 section 4.1.1: alg is a string and must be there; its name has one case."""
        with pytest.raises(MalformedToken, match="alg"):
            header_of(alg=alg)
        with pytest.raises(MalformedToken, match="alg"):
            header_of(ALG="RS256", Alg="RS256")

    @pytest.mark.parametrize("name", ["kid", "typ"])
    @pytest.mark.parametrize("value", [None, 1, True, ["k"], {"k": 1}])
    def test_kid_and_typ_are_strings_where_present(self, name: str, value: object) -> None:
        """RFC 7515 sections 4.1.4 and 4.1.9: null is a value, and not a string."""
        with pytest.raises(MalformedToken, match=name):
            header_of(alg="RS256", **{name: value})

    def test_the_size_is_bounded(self) -> None:
        """Law 2.4: a header segment of the limit is read, one character more is not."""
        segment = encode_segment(json.dumps({"alg": "RS256", "pad": "x" * 90}).encode())

        assert Header("RS256") == parse_header(segment, Limits(header=len(segment)))
        with pytest.raises(MalformedToken, match="header has"):
            parse_header(segment, Limits(header=len(segment) - 1))

    @UNHURRIED
    @given(st.text() | st.binary().map(encode_segment))
    def test_any_segment_is_read_or_refused(self, segment: str) -> None:
        """Law 3.11: nothing but authgate's own exception leaves."""
        answer(parse_header, segment, LIMITS)


class TestObject:
    @pytest.mark.parametrize(
        "text",
        [
            '{"iss":"a","iss":"a"}',
            '{"iss":"a","iss":"b"}',
            '{"iss":"a","\\u0069ss":"b"}',
            '{"a":{"b":1,"b":2}}',
            '{"a":[{"b":1,"b":2}]}',
        ],
    )
    def test_a_repeated_member_is_refused(self, text: str) -> None:
        """Law 3.1: also when spelled with an escape, and at any depth."""
        with pytest.raises(MalformedToken, match="twice"):
            parse_object(text.encode(), LIMITS)

    @pytest.mark.parametrize(
        "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400 + ".0"]
    )
    def test_what_is_no_finite_number_is_refused(self, number: str) -> None:
        """Law 3.1: without NaN or Infinity, however written and whichever claim holds it."""
        with pytest.raises(MalformedToken):
            parse_object(f'{{"a":{number}}}'.encode(), LIMITS)

    def test_an_endless_integer_is_refused(self) -> None:
        """Law 3.11: an integer of more digits than CPython converts is a bad token."""
        with pytest.raises(MalformedToken, match="not JSON"):
            parse_object(b'{"exp":' + b"9" * 5000 + b"}", LIMITS)

    @pytest.mark.parametrize(
        "codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "latin-1"]
    )
    def test_only_utf_8_without_a_mark_is_read(self, codec: str) -> None:
        """Law 3.1: json.loads would guess the encoding."""
        with pytest.raises(MalformedToken):
            parse_object('{"a":"\u00e9"}'.encode(codec), LIMITS)

    @pytest.mark.parametrize(
        "text", [r'{"a":"\ud800"}', r'{"a":["\uDFFF"]}', r'{"\udbff":1}', r'{"a":"\udc00\ud800"}']
    )
    def test_half_a_surrogate_pair_is_refused(self, text: str) -> None:
        """Law 3.1: what could not be written again as UTF-8 is not read."""
        with pytest.raises(MalformedToken, match="UTF-8"):
            parse_object(text.encode(), LIMITS)

    def test_surrogates_beyond_an_escape_are_refused(self) -> None:
        """Law 3.1: UTF-8 has no surrogates."""
        with pytest.raises(MalformedToken, match="UTF-8"):
            parse_object(b'{"a":"\xed\xa0\x80"}', LIMITS)

    def test_escapes_are_read(self) -> None:
        """A pair of surrogates is a character, and a doubled backslash begins no escape."""
        assert {"a": "\U0001f600", "b": "\\ud800", "c": "/"} == parse_object(
            rb'{"a":"\ud83d\ude00","b":"\\ud800","c":"\/"}', LIMITS
        )

    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
    def test_the_depth_is_bounded(self, opening: str, closing: str) -> None:
        """Law 2.4: sixteen levels are read, seventeen are not."""
        assert parse_object(nested(16, opening, closing), LIMITS)
        with pytest.raises(MalformedToken, match="deeper than 16"):
            parse_object(nested(17, opening, closing), LIMITS)

    def test_width_is_not_depth(self) -> None:
        """Law 2.4: many brackets side by side, or inside a text, are no depth."""
        wide = {"a": [[] for _ in range(100)], "b": "[{" * 100, "c": [{"d": [index]} for index in range(50)]}

        assert wide == parse_object(json.dumps(wide).encode(), LIMITS)

    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ("[", ""), ('{"a":', "")])
    def test_bottomless_nesting_is_refused(self, opening: str, closing: str) -> None:
        """Laws 3.1 and 3.11: RecursionError is an invalid token."""
        for levels in (500, 5_000, 100_000):
            with pytest.raises(MalformedToken):
                parse_object(nested(levels, opening, closing), LIMITS)

    @pytest.mark.parametrize(
        "data",
        [
            *(b"", b" ", b"{", b"}", b"[]", b"1", b"null", b'"{}"', b"{}{}", b"{} {}", b"{}x", b"{},"),
            *(b"{'a':1}", b"{a:1}", b'{"a":1,}', b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1}//'),
            *(b'{"a":"\n"}', b'{"a":"\x00"}', b'{"a":\xff}', b"{}\x00", b"\x00{}", b"\x0b{}", b"{}\x0c"),
            *(b"\xc2\xa0{}", b"{}\xc2\xa0", b'X{"a":1}', b'{"a":1}X', b'x{"a":[1]}', b'{"a":[1]}x'),
        ],
    )
    def test_what_is_not_one_object_is_refused(self, data: bytes) -> None:
        """Law 3.1: one JSON object by RFC 8259, and nothing besides."""
        with pytest.raises(MalformedToken):
            parse_object(data, LIMITS)

    def test_json_whitespace_around_is_allowed(self) -> None:
        """RFC 8259 section 2: whitespace belongs to the JSON text, not to the token."""
        assert {"a": [1]} == parse_object(b' \t\r\n{ "a" : [ 1 ] }\r\n\t ', LIMITS)

    @settings(UNHURRIED, max_examples=1000)
    @given(
        text=st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
        | st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "{" + "".join(pieces) + "}"),
        depth=st.integers(1, 4),
    )
    def test_the_quick_way_reads_what_the_strict_one_reads(self, text: str, depth: int) -> None:
        """Law 3.1: an object that needs no second look is read as it would have been, or not at all."""
        limits, data = Limits(depth=depth), text.encode()
        found = _read_flat(data, limits)

        if found is not None:
            assert (found, list(found)) == (strict := _read_any(data, limits), list(strict))
        assert outcome(lambda: _read_any(data, limits)) == outcome(lambda: parse_object(data, limits))

    @pytest.mark.parametrize(
        ("text", "is_quick"),
        [
            ('{"a":1,"b":["x"],"c":"https://a.test:1/"}', True),
            ("{}", True),
            ('{"a":1,"a":1}', False),
            ('{"a":{"b":1}}', False),
            ('{"a":"{"}', False),
            ('{"a":"\\n"}', False),
            ('{"a":NaN}', False),
            (' {"a":1}', False),
            ('{"a":1} ', False),
            ('{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}', False),
        ],
    )
    def test_which_objects_are_read_quickly(self, text: str, *, is_quick: bool) -> None:
        """Those of plain tokens; what is unusual is left to the strict way."""
        assert is_quick is (_read_flat(text.encode(), LIMITS) is not None)

    @UNHURRIED
    @given(st.binary())
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        """Law 3.11: nothing but authgate's own exception leaves."""
        answer(parse_object, data, LIMITS)

    @UNHURRIED
    @given(
        members=st.dictionaries(
            st.text(),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats(allow_nan=False, allow_infinity=False)
                | st.text(),
                lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
                max_leaves=12,
            ),
        ),
        ascii_only=st.booleans(),
    )
    def test_every_object_survives(self, *, members: dict[str, Any], ascii_only: bool) -> None:
        """What a correct writer writes is read as it was."""
        data = json.dumps(members, ensure_ascii=ascii_only).encode("utf-8")

        assert members == parse_object(data, Limits(depth=100))


class TestSilence:
    @pytest.mark.parametrize(
        "token",
        [
            MARKER,
            f"{MARKER}.{MARKER}.{MARKER}=",
            f"{encode_segment(MARKER.encode())}.e30.AAAA",
            encode_segment(f'{{"alg":"{MARKER}","crit":["{MARKER}"]}}'.encode()) + ".e30.AAAA",
            encode_segment(f'{{"alg":["{MARKER}"]}}'.encode()) + ".e30.AAAA",
            encode_segment(f'{{"alg":"RS256","{MARKER}":1,"{MARKER}":2}}'.encode()) + ".e30.AAAA",
            encode_segment(b'{"alg":"' + MARKER.encode() + b'\xff"}') + ".e30.AAAA",
            f"{HEADER}.{encode_segment(MARKER.encode())}.AAAA",
            f"{HEADER}.{encode_segment(json.dumps({'a': MARKER + chr(0xD800)}).encode())}.AAAA",
            f"{HEADER}.{encode_segment(b'{' + MARKER.encode() * 10)}.AAAA",
        ],
    )
    def test_a_refusal_repeats_nothing_of_the_token(self, token: str) -> None:
        """Law 1.2: before the signature is verified neither the reason nor a traceback shows what came."""
        with pytest.raises(MalformedToken) as refused:
            read(token)

        shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
        assert MARKER not in shown
        assert base64.urlsafe_b64encode(MARKER.encode()).decode().rstrip("=") not in shown


def read(token: str) -> tuple[Header, dict[str, Any]]:
    """Header and payload of a token, as a flow reads them."""
    parts = split(token, LIMITS)
    return parse_header(parts.header, LIMITS), parse_object(parts.payload, LIMITS)


def answer(parse: Callable[..., object], *arguments: object) -> None:
    """Call a parser that may refuse; any other exception fails the test."""
    with suppress(MalformedToken):
        parse(*arguments)


def outcome(parse: Callable[[], object]) -> object:
    """What a parser reads, or why it refuses."""
    try:
        return parse()
    except MalformedToken as refused:
        return refused.reason
