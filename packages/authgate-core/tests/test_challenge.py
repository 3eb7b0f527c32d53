"""What a refusal looks like: the table of outcomes (Laws 1.1, 1.2, 1.7 and 1.8)."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.challenge import Problem, problem
from authgate_core.errors import (
    AuthgateError,
    AuthorizationError,
    AuthUnavailable,
    BadSignature,
    InsufficientScope,
    InvalidClaim,
    InvalidProjectCredentials,
    InvalidProof,
    InvalidToken,
    KeysUnavailable,
    MalformedCredentials,
    MissingCredentials,
    ProofNonceRequired,
    ServiceNotEnabled,
    StepUpRequired,
    TokenExpired,
    TokenRevoked,
)

BEARER, APP, DPOP = "Bearer", "AppCredentials", "DPoP"
STEP_UP = 'Bearer realm="api", error="insufficient_user_authentication"'


def said(error: AuthgateError, *accepts: str, realm: str = "api", jitter: float = 0.0) -> Problem:
    """What a caller is told, where the policy accepts these schemes."""
    error.accepts = accepts
    return problem(error, realm=realm, jitter=jitter)


def challenge(error: AuthgateError, *accepts: str, realm: str = "api") -> str | None:
    """The value of WWW-Authenticate, which is sent at most once."""
    found = [
        value for name, value in said(error, *accepts, realm=realm).headers if name == "WWW-Authenticate"
    ]
    assert len(found) < 2
    return next(iter(found), None)


class TestTheTable:
    @pytest.mark.parametrize(
        ("error", "status", "code", "websocket", "graphql"),
        [
            (MissingCredentials(), 401, "credentials_missing", 4401, "UNAUTHENTICATED"),
            (MalformedCredentials(scheme=BEARER), 400, "credentials_malformed", 4400, "BAD_CREDENTIALS"),
            (BadSignature(), 401, "token_invalid", 4401, "UNAUTHENTICATED"),
            (TokenExpired(), 401, "token_expired", 4401, "UNAUTHENTICATED"),
            (TokenRevoked(), 401, "token_invalid", 4401, "UNAUTHENTICATED"),
            (InvalidProjectCredentials(), 401, "project_invalid", 4401, "UNAUTHENTICATED"),
            (StepUpRequired(), 401, "step_up_required", 4401, "STEP_UP_REQUIRED"),
            (AuthorizationError(), 403, "forbidden", 4403, "FORBIDDEN"),
            (InsufficientScope(("a",)), 403, "scope_insufficient", 4403, "FORBIDDEN"),
            (ServiceNotEnabled(), 403, "service_not_enabled", 4403, "FORBIDDEN"),
            (KeysUnavailable(), 503, "unavailable", 1013, "AUTH_UNAVAILABLE"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, AuthgateError) else "",
    )
    def test_each_outcome_in_each_protocol(
        self, error: AuthgateError, status: int, code: str, websocket: int, graphql: str
    ) -> None:
        """Law 1.1: one table of outcomes for HTTP, WebSocket and GraphQL."""
        answer = said(error, BEARER)
        assert (status, status, code, websocket, graphql) == (
            answer.status,
            answer.body["status"],
            answer.body["code"],
            answer.websocket_code,
            answer.graphql_code,
        )

    @pytest.mark.parametrize(
        ("error", "accepts", "value"),
        [
            (MissingCredentials(), (BEARER,), 'Bearer realm="api"'),
            (MissingCredentials(), (APP,), 'AppCredentials realm="api"'),
            (MissingCredentials(), (APP, BEARER), 'Bearer realm="api", AppCredentials realm="api"'),
            (MissingCredentials(scheme=BEARER), (BEARER,), 'Bearer realm="api"'),
            (MissingCredentials(), (), 'Bearer realm="api"'),
            (BadSignature(), (BEARER,), 'Bearer realm="api", error="invalid_token"'),
            (BadSignature(), (), 'Bearer realm="api", error="invalid_token"'),
            (
                InvalidClaim("aud", "no"),
                (APP, BEARER),
                'Bearer realm="api", error="invalid_token", AppCredentials realm="api"',
            ),
            (
                InvalidProjectCredentials(),
                (APP, BEARER),
                'Bearer realm="api", AppCredentials realm="api", error="invalid_token"',
            ),
            (InvalidProjectCredentials(), (), 'AppCredentials realm="api", error="invalid_token"'),
            (
                MalformedCredentials(scheme=APP),
                (BEARER, APP),
                'Bearer realm="api", AppCredentials realm="api", error="invalid_request"',
            ),
            (MalformedCredentials(scheme=BEARER), (), 'Bearer realm="api", error="invalid_request"'),
            (
                InsufficientScope(("a", "b")),
                (BEARER, APP),
                'Bearer realm="api", error="insufficient_scope", scope="a b"',
            ),
            (
                InsufficientScope(("a",), scheme="ApiKey"),
                (BEARER, "ApiKey"),
                'ApiKey realm="api", error="insufficient_scope", scope="a"',
            ),
            (
                StepUpRequired(("gold", "silver"), 300),
                (APP, BEARER),
                f'{STEP_UP}, acr_values="gold silver", max_age="300", AppCredentials realm="api"',
            ),
            (StepUpRequired(("gold",)), (BEARER,), f'{STEP_UP}, acr_values="gold"'),
            (StepUpRequired(max_age=5), (BEARER,), f'{STEP_UP}, max_age="5"'),
            (
                StepUpRequired((), 5, ("a", "b"), missing=("b",)),
                (BEARER,),
                f'{STEP_UP}, max_age="5", scope="a b"',
            ),
            (AuthorizationError(), (BEARER,), None),
            (ServiceNotEnabled(), (APP,), None),
            (KeysUnavailable(scheme=BEARER), (BEARER,), None),
        ],
    )
    def test_the_challenges(self, error: AuthgateError, accepts: tuple[str, ...], value: str | None) -> None:
        """Law 1.1: one field, Bearer first, only accepted schemes, and ``error`` at the one that failed."""
        assert value == challenge(error, *accepts)


class TestWhereTokensComeFrom:
    URL = "https://api.example.com/.well-known/oauth-protected-resource"

    def said(self, resource_metadata: str | None, *accepts: str) -> str:
        """The challenges of a refusal where nothing was presented."""
        error = MissingCredentials()
        error.accepts = accepts
        told = problem(error, realm="api", resource_metadata=resource_metadata, jitter=0.0)
        return dict(told.headers)["WWW-Authenticate"]

    def test_a_challenge_for_a_token_says_so(self) -> None:
        """Law 1.1 and RFC 9728 section 5.1: where it is configured, and of tokens alone."""
        assert f'Bearer realm="api", resource_metadata="{self.URL}", AppCredentials realm="api"' == self.said(
            self.URL, BEARER, APP
        )

    def test_nothing_is_said_where_nothing_is_configured(self) -> None:
        """Law 1.1: the parameter is left out, and not empty."""
        assert 'Bearer realm="api"' == self.said(None, BEARER)


class TestTokensThatAreBound:
    """Where tokens may be presented with a proof of possession (RFC 9449 section 7.1)."""

    ALGS = 'algs="ES256 ES384 ES512 EdDSA PS256 PS384 PS512 RS256 RS384 RS512"'
    URL = TestWhereTokensComeFrom.URL

    def told(
        self, error: AuthgateError, *accepts: str, schemes: tuple[str, ...], metadata: str | None = None
    ) -> dict[str, str]:
        """The headers of a refusal, where tokens are presented by these schemes."""
        error.accepts = accepts
        answer = problem(error, realm="api", jitter=0.0, token_schemes=schemes, resource_metadata=metadata)
        return dict(answer.headers)

    @pytest.mark.parametrize(
        ("error", "accepts", "value"),
        [
            (MissingCredentials(), (BEARER,), f'Bearer realm="api", DPoP realm="api", {ALGS}'),
            (
                MissingCredentials(),
                (APP, BEARER),
                f'Bearer realm="api", DPoP realm="api", {ALGS}, AppCredentials realm="api"',
            ),
            (MissingCredentials(), (APP,), 'AppCredentials realm="api"'),
            (
                BadSignature(),
                (BEARER,),
                f'Bearer realm="api", error="invalid_token", DPoP realm="api", {ALGS}',
            ),
            (
                BadSignature(scheme=DPOP),
                (BEARER,),
                f'Bearer realm="api", DPoP realm="api", error="invalid_token", {ALGS}',
            ),
            (
                InvalidProof(),
                (BEARER,),
                f'Bearer realm="api", DPoP realm="api", error="invalid_dpop_proof", {ALGS}',
            ),
            (InvalidProof(), (), f'DPoP realm="api", error="invalid_dpop_proof", {ALGS}'),
            (
                ProofNonceRequired("n1"),
                (APP, BEARER),
                f'Bearer realm="api", DPoP realm="api", error="use_dpop_nonce", {ALGS}, AppCredentials realm="api"',
            ),
            (
                InsufficientScope(("a",)),
                (BEARER,),
                'Bearer realm="api", error="insufficient_scope", scope="a"',
            ),
            (
                InsufficientScope(("a",), scheme=DPOP),
                (BEARER,),
                f'DPoP realm="api", error="insufficient_scope", scope="a", {ALGS}',
            ),
        ],
    )
    def test_either_scheme_challenges(
        self, error: AuthgateError, accepts: tuple[str, ...], value: str
    ) -> None:
        """Law 1.1: why stands with the scheme that failed, and what a proof may be signed with beside ``DPoP``."""
        assert value == self.told(error, *accepts, schemes=(BEARER, DPOP))["WWW-Authenticate"]

    def test_where_nothing_else_is_accepted(self) -> None:
        """A token that anybody could use is not asked for."""
        told = self.told(MissingCredentials(), BEARER, schemes=(DPOP,))
        assert f'DPoP realm="api", {self.ALGS}' == told["WWW-Authenticate"]

    def test_a_plain_token_where_that_is_no_way(self) -> None:
        """RFC 9449 section 7.1: the scheme that is says that the token was refused; another kind's says nothing."""
        error = InvalidToken("cnf is missing", scheme=BEARER)
        told = self.told(error, BEARER, APP, schemes=(DPOP,))
        why = f'DPoP realm="api", error="invalid_token", {self.ALGS}, AppCredentials realm="api"'
        assert why == told["WWW-Authenticate"]
        assert 'AppCredentials realm="api"' == self.told(error, APP, schemes=(DPOP,))["WWW-Authenticate"]

    def test_a_challenge_for_either_says_where_tokens_come_from(self) -> None:
        """RFC 9728 section 5.1."""
        told = self.told(MissingCredentials(), APP, BEARER, schemes=(BEARER, DPOP), metadata=self.URL)
        where = f'resource_metadata="{self.URL}"'
        assert (
            f'Bearer realm="api", {where}, DPoP realm="api", {self.ALGS}, {where}, AppCredentials realm="api"'
            == told["WWW-Authenticate"]
        )

    def test_the_nonce_has_a_header_of_its_own(self) -> None:
        """RFC 9449 section 9; nothing else has one."""
        assert "n1" == self.told(ProofNonceRequired("n1"), BEARER, schemes=(BEARER, DPOP))["DPoP-Nonce"]
        assert "DPoP-Nonce" not in self.told(InvalidProof(), BEARER, schemes=(BEARER, DPOP))


class TestTheAuthService:
    """Where its clients are served, a step-up is said in their headers as well."""

    HEADERS = ("X-OTP-Required", "X-OTP-Action", "X-Reauth-Required")

    def told(self, error: AuthgateError, *, otp_headers: bool = True) -> list[tuple[str, str]]:
        """Those headers, besides the challenge that is there all the same."""
        headers = problem(error, realm="api", jitter=0.0, otp_headers=otp_headers).headers
        assert {"Content-Type", "Cache-Control"} <= {name for name, _ in headers}
        return [(name, value) for name, value in headers if name in self.HEADERS]

    def test_an_action_that_has_to_be_confirmed(self) -> None:
        """It is named; a login that is recent enough is not asked for anew."""
        error = StepUpRequired()
        error.action = "delete_order"
        assert [("X-OTP-Required", "true"), ("X-OTP-Action", "delete_order")] == self.told(error)

    def test_the_body_names_the_action(self) -> None:
        """Whoever cannot read headers learns it there, and of no action where there is none."""
        error = StepUpRequired()
        assert "action" not in said(error, BEARER).body
        error.action = "delete_order"
        assert "delete_order" == said(error, BEARER).body["action"]

    def test_a_login_that_is_stale(self) -> None:
        """It is asked for anew, with no action."""
        error = StepUpRequired(max_age=60)
        error.is_stale = True
        assert [("X-Reauth-Required", "true")] == self.told(error)
        assert [] == self.told(error, otp_headers=False)

    def test_only_where_they_are_served(self) -> None:
        """Nobody is told in the words of a service that nobody named."""
        error = StepUpRequired(max_age=60)
        error.action, error.is_stale = "delete_order", True
        assert {"Content-Type", "Cache-Control", "WWW-Authenticate"} == dict(
            said(error, BEARER).headers
        ).keys()

    def test_nothing_else_is_a_step_up(self) -> None:
        """Other refusals say nothing of the kind."""
        for error in (StepUpRequired(), BadSignature(), MissingCredentials(), KeysUnavailable()):
            assert [] == self.told(error)


class TestTheBody:
    def test_it_is_a_problem(self) -> None:
        """Law 1.1: RFC 9457, with a code of our own."""
        answer = said(MissingCredentials("nobody knows"), BEARER)
        assert {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "Authentication is required.",
            "code": "credentials_missing",
        } == answer.body
        assert answer.body == json.loads(answer.json())
        assert ("Content-Type", "application/problem+json") in answer.headers

    @pytest.mark.parametrize(
        ("error", "more"),
        [
            (StepUpRequired(("gold",), 300), {"acr_values": ["gold"], "max_age": 300}),
            (StepUpRequired(max_age=5), {"max_age": 5}),
            (StepUpRequired(("gold",)), {"acr_values": ["gold"]}),
            (StepUpRequired((), 5, ("a", "b"), missing=("b",)), {"max_age": 5, "missing": ["b"]}),
        ],
    )
    def test_it_says_which_login_would_do(self, error: StepUpRequired, more: dict[str, object]) -> None:
        """RFC 9470: as the challenge does, which scripts in a browser may not be able to read."""
        body = said(error, BEARER).body
        assert more == {name: body[name] for name in ("acr_values", "max_age", "missing") if name in body}

    @pytest.mark.parametrize(
        ("error", "title"),
        [
            (MalformedCredentials(scheme=BEARER), "Bad Request"),
            (AuthorizationError(), "Forbidden"),
            (AuthUnavailable(), "Service Unavailable"),
        ],
    )
    def test_the_title_is_the_phrase_of_the_status(self, error: AuthgateError, title: str) -> None:
        """RFC 9457 section 4.2.1: of about:blank the title is the HTTP phrase."""
        assert title == said(error).body["title"]

    def test_missing_names_scopes_only(self) -> None:
        """Law 1.2: of what is missing, a caller is told the scopes that the token lacks."""
        error = InsufficientScope(("a", "b"), "is_user & any_role('boss'): no", missing=("b",))
        assert ["b"] == said(error).body["missing"]
        assert "missing" not in said(AuthorizationError("any_role('boss')")).body

    @given(st.text())
    def test_the_reason_is_never_told(self, reason: str) -> None:
        """Law 1.2: the precise reason is for logs."""
        told = [said(error(reason or "x"), BEARER) for error in (InvalidToken, BadSignature, TokenRevoked)]
        assert told[0] == told[1] == told[2]
        assert said(AuthorizationError(reason)) == said(AuthorizationError("another"))

    @pytest.mark.parametrize(
        "error",
        [MissingCredentials(), AuthorizationError(), AuthUnavailable(), MalformedCredentials()],
        ids=repr,
    )
    def test_a_refusal_is_not_stored(self, error: AuthgateError) -> None:
        """Law 1.7: every refusal carries Cache-Control: no-store."""
        assert ("Cache-Control", "no-store") in said(error).headers


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("rest", "jitter", "seconds"),
        [
            (10.0, 0.0, "10"),
            (10.0, 0.5, "13"),
            (10.0, 0.999, "15"),
            (0.0, 0.9, "1"),
            (-5.0, 0.0, "1"),
            (0.2, 0.0, "1"),
            (1.01, 0.0, "2"),
            (59.9, 0.9, "60"),
            (3600.0, 0.0, "60"),
            (math.inf, 0.0, "60"),
            (math.nan, 0.0, "60"),
        ],
    )
    def test_the_rest_of_the_back_off_and_jitter(self, rest: float, jitter: float, seconds: str) -> None:
        """Law 1.8: up to 50 % more, rounded up, from 1 to 60 s."""
        answer = said(KeysUnavailable(retry_after=rest), BEARER, jitter=jitter)
        assert [seconds] == [value for name, value in answer.headers if name == "Retry-After"]

    @given(st.floats(0, 1e9), st.floats(0, 1, exclude_max=True))
    def test_it_is_always_within_bounds(self, rest: float, jitter: float) -> None:
        """Law 1.8: never before the back-off is over, never later than a minute or half as much again."""
        answer = said(KeysUnavailable(retry_after=rest), jitter=jitter)
        seconds = int(dict(answer.headers)["Retry-After"])
        assert 1 <= seconds <= 60
        assert seconds >= min(rest, 60)
        assert seconds <= max(1, math.ceil(rest * 1.5))

    def test_only_an_outage_has_one(self) -> None:
        """The table: 503 with Retry-After, and nothing else."""
        assert "Retry-After" not in dict(said(MissingCredentials(), BEARER).headers)


QUOTED = r'"(?:[^"\\]|\\.)*"'
CHALLENGE = re.compile(
    rf'(Bearer|AppCredentials)(?: realm={QUOTED})?(?:,? error="\w+")?(?:, scope={QUOTED})?'
)


class TestInjection:
    @pytest.mark.parametrize(
        ("realm", "written"),
        [
            ('a"b', r'Bearer realm="a\"b"'),
            ("a\\b", r'Bearer realm="a\\b"'),
            ('\\"', r'Bearer realm="\\\""'),
            ("a\r\nSet-Cookie: x=1", 'Bearer realm="a??Set-Cookie: x=1"'),
            ("caf\xe9", 'Bearer realm="caf?"'),
            ("", "Bearer"),
        ],
    )
    def test_a_realm_stays_inside_its_quotes(self, realm: str, written: str) -> None:
        """RFC 9110 section 5.6.4: quotes and backslashes are escaped, what no header holds is replaced."""
        assert written == challenge(MissingCredentials(), BEARER, realm=realm)

    @pytest.mark.parametrize("scope", ['a"b', "a\\b", "a b", "a\r\nX: y", "caf\xe9", "\x00", ""])
    def test_a_scope_that_is_none_is_left_out(self, scope: str) -> None:
        """RFC 6749 section 3.3: what is no scope token is not asked for in a header; the body names it."""
        answer = said(InsufficientScope(("good", scope, "fine:too")))
        assert (
            'Bearer realm="api", error="insufficient_scope", scope="good fine:too"'
            == dict(answer.headers)["WWW-Authenticate"]
        )
        assert ["good", scope, "fine:too"] == json.loads(answer.json())["missing"]

    def test_no_scope_at_all_leaves_the_parameter_out(self) -> None:
        """A parameter is never empty."""
        assert 'Bearer realm="api", error="insufficient_scope"' == challenge(InsufficientScope(('"',)))

    @given(st.text(), st.lists(st.text()).map(tuple))
    def test_no_text_breaks_the_header(self, realm: str, scopes: tuple[str, ...]) -> None:
        """Law 1.1: whatever a realm or a scope holds, the field is one challenge in printable ASCII."""
        for error in (MissingCredentials(), BadSignature(), InsufficientScope(scopes)):
            value = challenge(error, BEARER, realm=realm)
            assert value is not None
            assert value.isascii()
            assert value.isprintable()
            assert CHALLENGE.fullmatch(value)
