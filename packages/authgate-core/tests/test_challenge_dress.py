"""What an application may say for itself, what is explained and what caches are told (Laws 1.7, 1.10, 10.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.challenge import Problem, admitted_headers, dressed, on_refusal_problems, problem
from authgate_core.errors import AuthgateError, KeysUnavailable, TokenRevoked
from authgate_core.testing import FakeIssuer
from tests.support.gates import trusted, view


def said(error: AuthgateError) -> Problem:
    """The problem of an error."""
    return problem(error, realm="api", jitter=0.0)


class TestDressed:
    def test_the_body_is_the_applications(self) -> None:
        """Status, challenge and Retry-After stand; the body is plain JSON, since it is no problem any more."""
        error = KeysUnavailable("gone", retry_after=7)
        plain = said(error)
        changed = dressed(error, plain, lambda _, plain: {"error": plain.body["detail"]})

        assert b'{"error":"Authentication is temporarily unavailable."}' == changed.json()
        assert (503, "7", "no-store", "application/json") == (
            changed.status,
            *(dict(changed.headers)[name] for name in ("Retry-After", "Cache-Control", "Content-Type")),
        )

    def test_challenges_stand(self) -> None:
        """A dressed 401 still says how to authenticate."""
        error = TokenRevoked("gone")
        named = dict(dressed(error, said(error), lambda *_: {}).headers)

        assert 'Bearer realm="api", error="invalid_token"' == named["WWW-Authenticate"]

    @pytest.mark.parametrize("on_refusal", [None, lambda *_: None])
    def test_nothing_to_say(self, on_refusal: Any) -> None:
        """Without words of its own the problem goes out as it is."""
        plain = said(TokenRevoked("gone"))

        assert plain is dressed(TokenRevoked("gone"), plain, on_refusal)

    def test_it_is_told_the_error(self) -> None:
        """The precise code is there for whoever wants it."""
        heard: list[str] = []

        def on_refusal(error: AuthgateError, _problem: Problem) -> Mapping[str, Any] | None:
            heard.append(error.code)
            return None

        dressed(TokenRevoked("gone"), said(TokenRevoked("gone")), on_refusal)
        assert ["token_revoked"] == heard

    def test_a_bug_of_the_application(self) -> None:
        """Law 1.3: what is neither a mapping nor None is a bug, and no outcome."""
        wrong: Any = lambda *_: "no"  # noqa: E731 - a function of the wrong type
        with pytest.raises(TypeError, match="on_refusal returned str"):
            dressed(TokenRevoked("gone"), said(TokenRevoked("gone")), wrong)

    def test_mistakes(self) -> None:
        """Law 1.6: what cannot be called, or would have to be awaited, is said at start."""

        async def later(*_: object) -> None:
            """Answer later."""

        assert ([], []) == ([*on_refusal_problems(None)], [*on_refusal_problems(dict)])
        assert all([*on_refusal_problems(wrong)] for wrong in (later, "text"))


class TestExplained:
    @pytest.fixture
    def refused(self) -> ag.MalformedToken:
        """A refusal with a reason."""
        return ag.MalformedToken("the header has no alg")

    @pytest.mark.parametrize(
        ("explain", "peer", "shown"),
        [(True, "127.0.0.1", True), (True, "10.0.0.1", False), (True, None, False), (False, "::1", False)],
    )
    def test_who_is_told(
        self, refused: ag.MalformedToken, explain: bool, peer: str | None, shown: bool
    ) -> None:
        """The reason is for callers on this machine, and only where it was asked for."""
        config = ag.GateConfig(issuers=[trusted(FakeIssuer())], explain=explain)
        with ag.Gate(config) as gate:
            body = gate.problem(refused, view(peer=peer)).body

        reason = {"reason": "the header has no alg", "reason_code": "token_malformed"}
        assert {**said(refused).body, **(reason if shown else {})} == body

    @pytest.mark.parametrize(
        ("value", "expected"), [("1", True), ("0", False), ("true", False), (None, False)]
    )
    def test_the_environment_says_so(
        self, monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool
    ) -> None:
        """AUTHGATE_EXPLAIN=1, however the gate is configured."""
        monkeypatch.delenv("AUTHGATE_EXPLAIN", raising=False)
        if value is not None:
            monkeypatch.setenv("AUTHGATE_EXPLAIN", value)

        assert expected == ag.GateConfig().explain
        assert (
            expected
            == ag.GateConfig.from_mapping(
                {"AUTHGATE_ISSUER": "https://a.test", "AUTHGATE_AUDIENCE": "a"}
            ).explain
        )

    def test_a_gate_that_explains_says_so(self) -> None:
        """At start, where it was left on by mistake."""
        told: list[Any] = []
        config = ag.GateConfig(issuers=[trusted(FakeIssuer())], explain=True, on_event=told.append)
        with ag.Gate(config):
            assert ["explain"] == [notice.code for notice in told]


class TestAdmittedHeaders:
    def test_a_response_that_says_nothing(self) -> None:
        """It is private, and varies with what the policy reads."""
        expected = {"Cache-Control": "private", "Vary": "Authorization, X-App-Id"}
        assert expected == admitted_headers(None, [], ["Authorization", "X-App-Id"])

    def test_what_the_handler_said_stands(self) -> None:
        """Its own Cache-Control is kept, and its own Vary is added to."""
        expected = {"Vary": "Accept, Origin, Authorization"}
        assert expected == admitted_headers("public", ["Accept", "Origin,"], ["Authorization"])

    @pytest.mark.parametrize("vary", [["*"], ["authorization"], ["Accept, AUTHORIZATION"]])
    def test_what_is_said_already(self, vary: list[str]) -> None:
        """A name is not said twice, and an asterisk says all of them."""
        assert {"Cache-Control": "private"} == admitted_headers(None, vary, ["Authorization"])

    def test_a_policy_that_reads_nothing(self) -> None:
        """A route that lets anybody in is private still."""
        assert {"Cache-Control": "private"} == admitted_headers(None, [], [])

    def test_what_policies_read(self) -> None:
        """The gate names the headers of the kinds that a policy asks for."""
        projects = ag.StaticProjects({"shop": {"secret": "a-chosen-secret-of-thirty-two-characters"}})
        with ag.Gate(ag.GateConfig(issuers=[trusted(FakeIssuer())], projects=projects)) as gate:
            assert ("Authorization",) == gate.headers_read(ag.is_user)
            assert ("Authorization", "X-App-Id", "X-App-Secret") == gate.headers_read(
                ag.is_project | ag.is_user
            )
