"""States of logins in a browser: begun here, lately, and by whoever ends it (RFC 7636, docs/adr/0032)."""

from __future__ import annotations

import base64
import hashlib

import pytest

from authgate_core.apex import LoginStates
from authgate_core.errors import ConfigurationError, LoginRefused
from authgate_core.testing import ManualClock

SECRET = "a-secret-of-the-client"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The pair of RFC 7636 appendix B."""


class TestState:
    def test_whoever_began_a_login_ends_it(self) -> None:
        """In this process or another that has the secret, and as often as they like."""
        clock = ManualClock()
        state = LoginStates(SECRET).begin(CHALLENGE, clock.now())

        for _ in range(2):
            LoginStates(SECRET).check(state, VERIFIER, clock.now())

    def test_two_are_never_the_same(self) -> None:
        """So that none is known beforehand."""
        states, now = LoginStates(SECRET), ManualClock().now()

        assert states.begin(CHALLENGE, now) != states.begin(CHALLENGE, now)

    @pytest.mark.parametrize("verifier", ["", VERIFIER[:-1], VERIFIER + "k", CHALLENGE, "\udc80"])
    def test_of_somebody_else(self, verifier: str) -> None:
        """Whoever has not the verifier ends no login."""
        states, now = LoginStates(SECRET), ManualClock().now()

        with pytest.raises(LoginRefused, match="code verifier"):
            states.check(states.begin(CHALLENGE, now), verifier, now)

    @pytest.mark.parametrize("verifier", ["short", "x" * 129, "blank " * 8])
    def test_a_verifier_that_is_none(self, verifier: str) -> None:
        """Does not count, though it be that of the challenge: one that is short can be guessed."""
        states, now = LoginStates(SECRET), ManualClock().now()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")

        with pytest.raises(LoginRefused, match="code verifier"):
            states.check(states.begin(challenge.decode(), now), verifier, now)

    def test_begun_too_long_ago(self) -> None:
        """Ten minutes are what a login may take, or what was said."""
        clock = ManualClock()
        states, brief = LoginStates(SECRET), LoginStates(SECRET, lifetime=60)
        state, other = states.begin(CHALLENGE, clock.now()), brief.begin(CHALLENGE, clock.now())

        clock.advance(58)
        brief.check(other, VERIFIER, clock.now())
        clock.advance(2)
        with pytest.raises(LoginRefused, match="too long ago"):
            brief.check(other, VERIFIER, clock.now())
        clock.advance(538)
        states.check(state, VERIFIER, clock.now())
        clock.advance(2)
        with pytest.raises(LoginRefused, match="too long ago"):
            states.check(state, VERIFIER, clock.now())

    def test_not_begun_here(self) -> None:
        """Another secret, another time, another challenge, or anything at all."""
        states, now = LoginStates(SECRET), ManualClock().now()
        ends, nonce, challenge, signature = states.begin(CHALLENGE, now).split(".")
        foreign = LoginStates("another-secret-of-a-client").begin(CHALLENGE, now)
        later, other = f"{int(ends) + 1}", "A" * 43

        for state in (
            foreign,
            f"{later}.{nonce}.{challenge}.{signature}",
            f"{ends}.{nonce}.{other}.{signature}",
            f"{ends}.{nonce}.{challenge}.{other}",
            f"{ends}.{nonce}.{challenge}.{signature}\n",
            f"{ends}.{nonce}.{challenge}",
            f" {ends}.{nonce}.{challenge}.{signature}",
            "",
            "\udc80",
        ):
            with pytest.raises(LoginRefused, match="not handed out here"):
                states.check(state, VERIFIER, now)

    @pytest.mark.parametrize(
        "challenge", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "\n", VERIFIER + "\n"]
    )
    def test_a_challenge_that_is_none(self, challenge: str) -> None:
        """Begins nothing; plain verifiers, which RFC 7636 knows too, look like one and then fit no verifier."""
        with pytest.raises(ValueError, match="a code challenge is"):
            LoginStates(SECRET).begin(challenge, ManualClock().now())

    def test_nothing_is_shown(self) -> None:
        """Law 2.5."""
        assert "LoginStates(lifetime=600)" == repr(LoginStates(SECRET))

    def test_mistakes(self) -> None:
        """Law 1.6: a secret that can be guessed, or a time that is none."""
        with pytest.raises(ConfigurationError, match="less than 16"):
            LoginStates("short")
        for lifetime in (0, 86_401):
            with pytest.raises(ConfigurationError, match="lifetime"):
                LoginStates(SECRET, lifetime=lifetime)
