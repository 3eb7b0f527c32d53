"""Secrets: never shown, compared in constant time (Law 2.5)."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import logging
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.secret import Secret, fingerprint

VALUE = "correct horse battery staple"


class TestShowing:
    def test_no_way_of_formatting_shows_it(self) -> None:
        """Law 2.5: repr, str and every format show the mask."""
        secret = Secret(VALUE)
        shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", "%s" % secret, "%r" % secret]  # noqa: UP031 - logging formats so
        assert {"Secret('***')"} == {text.strip() for text in shown}

    def test_a_container_does_not_show_it(self) -> None:
        """Law 2.5: nor does anything that holds one."""
        assert "{'key': [Secret('***')]}" == repr({"key": [Secret(VALUE)]})

    def test_a_traceback_with_locals_does_not_show_it(self) -> None:
        """Law 2.5: formatted tracebacks are masked, even where they print local variables."""

        def look_up(held: Secret) -> None:
            raise LookupError(f"no such {held}")

        with pytest.raises(LookupError) as caught:
            look_up(Secret(VALUE))
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        text = "".join(report.format())
        assert "no such Secret('***')" in text
        assert "held = Secret('***')" in text

    def test_a_log_record_does_not_show_it(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 2.5: log records are masked."""
        logging.getLogger("authgate.test").warning("using %s and %r", Secret(VALUE), Secret(VALUE))
        assert "using Secret('***') and Secret('***')" == caplog.messages[0]

    def test_it_is_neither_pickled_nor_copied_deeply(self) -> None:
        """A secret does not travel by accident."""
        for travel in (pickle.dumps, copy.deepcopy, copy.copy):
            with pytest.raises(TypeError, match="not pickled"):
                travel(Secret(VALUE))
        with pytest.raises(TypeError, match="not JSON serializable"):
            json.dumps(Secret(VALUE))

    def test_bytes_that_are_no_text_are_refused_without_showing_them(self) -> None:
        """Law 2.5: the message and its causes hold nothing of the value."""
        with pytest.raises(ValueError, match="UTF-8") as caught:
            Secret(VALUE.encode() + b"\xff")
        assert VALUE not in "".join(traceback.format_exception(caught.value))
        assert (None, None) == (caught.value.__cause__, caught.value.__context__)
        assert not isinstance(caught.value, UnicodeDecodeError)

    def test_other_types_are_refused_without_showing_them(self) -> None:
        """Law 2.5: a number in the place of a secret is named by its type."""
        wrong: object = 1234567
        with pytest.raises(TypeError, match="not int") as caught:
            Secret(wrong)  # type: ignore[arg-type]  # what a configuration may hold
        assert "1234567" not in str(caught.value)


class TestComparing:
    def test_the_same_matches(self) -> None:
        """A secret is equal to itself, as text and as bytes."""
        assert Secret(VALUE).matches(Secret(VALUE.encode()))
        assert Secret(VALUE) == Secret(VALUE.encode())
        assert hash(Secret(VALUE)) == hash(Secret(VALUE))

    def test_another_does_not(self) -> None:
        """One character is enough."""
        assert not Secret(VALUE).matches(Secret(VALUE + " "))
        assert Secret(VALUE) != Secret(VALUE.upper())
        assert Secret(VALUE) != VALUE

    @pytest.mark.parametrize(
        ("one", "other"), [("", ""), ("", VALUE), (VALUE, ""), ("", None), (VALUE, None)]
    )
    def test_nothing_matches_nothing(self, one: str, other: str | None) -> None:
        """Law 2.5: None and empty are refused before comparing: a missing secret is not a missing one."""
        assert not Secret(one).matches(None if other is None else Secret(other))

    def test_digests_of_one_length_are_compared_in_constant_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 2.5: what is compared is bytes of a fixed length, by the function made for it."""
        compared: list[tuple[bytes, bytes]] = []

        def compare(one: bytes, other: bytes) -> bool:
            compared.append((one, other))
            return one == other

        monkeypatch.setattr(hmac, "compare_digest", compare)
        Secret("a").matches(Secret("a" * 1000))
        assert Secret("a") != Secret("b" * 50)
        assert [(32, 32), (32, 32)] == [(len(one), len(other)) for one, other in compared]

    @given(st.text(), st.text())
    def test_matching_is_equality_of_what_is_not_empty(self, one: str, other: str) -> None:
        """Law 2.5: for any two texts, lone surrogates and all."""
        assert (one == other and one != "") == Secret(one).matches(Secret(other))
        assert (one == other) == (Secret(one) == Secret(other))


class TestUsing:
    def test_the_one_who_must_use_it_can(self) -> None:
        """A secret can be revealed on purpose, and measured without."""
        assert VALUE == Secret(VALUE.encode()).reveal()
        assert (len(VALUE), True, False) == (len(Secret(VALUE)), bool(Secret(VALUE)), bool(Secret("")))

    def test_the_digest_is_of_the_whole(self) -> None:
        """Caches name a credential by all of it."""
        assert hashlib.sha256(VALUE.encode()).digest() == Secret(VALUE).digest()

    def test_a_log_names_a_credential_by_eight_digits(self) -> None:
        """Law 2.5: the first 8 hex digits of its SHA-256, and no more."""
        assert hashlib.sha256(VALUE.encode()).hexdigest()[:8] == fingerprint(VALUE)
        assert 8 == len(fingerprint("\ud800"))
