"""The error tree: what each outcome is called, and how little of it a caller sees."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from authgate_core import errors
from authgate_core.errors import (
    AlgorithmRefused,
    ApiKeysUnavailable,
    AuthenticationError,
    AuthgateError,
    AuthorizationError,
    AuthUnavailable,
    BadSignature,
    ConfigurationError,
    CrossSiteRefused,
    EndpointRefused,
    EndpointUnavailable,
    GatewaySignatureRefused,
    GatewaySignatureReplayed,
    InsufficientScope,
    InvalidApiKey,
    InvalidClaim,
    InvalidProjectCredentials,
    InvalidProof,
    InvalidToken,
    KeysUnavailable,
    LoginRefused,
    MalformedCredentials,
    MalformedToken,
    MissingCredentials,
    NotAdmitted,
    ProjectsUnavailable,
    ProofNonceRequired,
    ReplaysUnavailable,
    RevocationUnavailable,
    ServiceNotEnabled,
    StepUpRequired,
    TenantMismatch,
    TokenExpired,
    TokenInactive,
    TokenReused,
    TokenRevoked,
    UnknownIssuer,
    UnknownKey,
    UntrustedGateway,
    UserInactive,
)

OUTCOMES = [
    (AuthenticationError, 401, "unauthenticated", "unauthenticated"),
    (MissingCredentials, 401, "credentials_missing", "credentials_missing"),
    (MalformedCredentials, 400, "credentials_malformed", "credentials_malformed"),
    (InvalidToken, 401, "token_invalid", "token_invalid"),
    (MalformedToken, 401, "token_malformed", "token_invalid"),
    (UnknownIssuer, 401, "token_issuer_unknown", "token_invalid"),
    (AlgorithmRefused, 401, "token_algorithm", "token_invalid"),
    (UnknownKey, 401, "token_key_unknown", "token_invalid"),
    (BadSignature, 401, "token_signature", "token_invalid"),
    (InvalidClaim, 401, "token_claim", "token_invalid"),
    (TokenInactive, 401, "token_inactive", "token_invalid"),
    (TokenExpired, 401, "token_expired", "token_expired"),
    (TokenRevoked, 401, "token_revoked", "token_invalid"),
    (UntrustedGateway, 401, "gateway_untrusted", "token_invalid"),
    (GatewaySignatureRefused, 401, "gateway_signature", "token_invalid"),
    (GatewaySignatureReplayed, 401, "gateway_replayed", "token_invalid"),
    (TokenReused, 401, "token_reused", "token_invalid"),
    (InvalidProjectCredentials, 401, "project_invalid", "project_invalid"),
    (InvalidApiKey, 401, "api_key_invalid", "api_key_invalid"),
    (LoginRefused, 401, "login_refused", "login_refused"),
    (InvalidProof, 401, "proof_invalid", "proof_invalid"),
    (ProofNonceRequired, 401, "proof_nonce_required", "proof_nonce_required"),
    (StepUpRequired, 401, "step_up_required", "step_up_required"),
    (AuthorizationError, 403, "forbidden", "forbidden"),
    (InsufficientScope, 403, "scope_insufficient", "scope_insufficient"),
    (ServiceNotEnabled, 403, "service_not_enabled", "service_not_enabled"),
    (UserInactive, 403, "user_inactive", "user_inactive"),
    (CrossSiteRefused, 403, "cross_site", "cross_site"),
    (TenantMismatch, 403, "tenant_mismatch", "tenant_mismatch"),
    (AuthUnavailable, 503, "unavailable", "unavailable"),
    (KeysUnavailable, 503, "keys_unavailable", "unavailable"),
    (RevocationUnavailable, 503, "revocation_unavailable", "unavailable"),
    (ProjectsUnavailable, 503, "projects_unavailable", "unavailable"),
    (ApiKeysUnavailable, 503, "api_keys_unavailable", "unavailable"),
    (ReplaysUnavailable, 503, "replays_unavailable", "unavailable"),
    (EndpointUnavailable, 503, "endpoint_unavailable", "unavailable"),
    (EndpointRefused, 503, "endpoint_refused", "unavailable"),
]

BAD_TOKENS = [kind for kind, *_ in OUTCOMES if issubclass(kind, InvalidToken)]


def subclasses(kind: type[AuthgateError]) -> set[type[AuthgateError]]:
    """Every class below this one that the room itself defines."""
    below = {found for child in kind.__subclasses__() for found in (child, *subclasses(child))}
    return {child for child in below if child.__module__.startswith(errors.__name__)}


class TestTheTree:
    @pytest.mark.parametrize(("kind", "status", "code", "public_code"), OUTCOMES)
    def test_each_outcome_has_one_status_and_two_codes(
        self, kind: type[AuthgateError], status: int, code: str, public_code: str
    ) -> None:
        """Laws 1.1 and 1.2: the status and codes of an outcome are a promise."""
        assert (status, code, public_code) == (kind.status, kind.code, kind.public_code)

    def test_no_outcome_is_left_out_of_the_table(self) -> None:
        """The table above covers the whole tree, so a new outcome is named on purpose."""
        assert subclasses(AuthgateError) == {kind for kind, *_ in OUTCOMES}

    def test_the_message_is_what_may_be_shown(self) -> None:
        """Law 1.2: a library that shows an error's message shows no reason."""
        error = InvalidToken("the precise reason")
        assert ("The token is not valid.", "the precise reason") == (error.message, str(error))

    def test_codes_are_told_apart(self) -> None:
        """Law 1.2: a log line's code says which outcome it was."""
        codes = [code for _, _, code, _ in OUTCOMES]
        assert len(codes) == len(set(codes))

    def test_all_errors_are_exported(self) -> None:
        """What the room defines can be caught by name."""
        defined = {
            name
            for name, value in vars(errors).items()
            if inspect.isclass(value) and value.__module__.startswith(errors.__name__)
        }
        assert defined == set(errors.__all__)

    @pytest.mark.parametrize("row", OUTCOMES[1:], ids=lambda row: row[0].__name__)
    def test_the_picture_in_the_docstring_is_true(
        self, row: tuple[type[AuthgateError], int, str, str]
    ) -> None:
        """The tree that a reader sees first names each outcome that is raised, with its code."""
        kind, _, code, _ = row
        said = {AuthorizationError: "403", AuthUnavailable: "503"}.get(kind, code)
        lines = [line.strip("|`- ").split() for line in str(errors.__doc__).splitlines()]
        assert [said] == [line[1] for line in lines if kind.__name__ == next(iter(line), "")]


class TestWhatACallerSees:
    @pytest.mark.parametrize("kind", [kind for kind in BAD_TOKENS if kind is not TokenExpired])
    def test_every_bad_token_reads_alike(self, kind: type[InvalidToken]) -> None:
        """Law 1.2: public text is the same for every kind of bad token but an expired one."""
        assert (InvalidToken.detail, InvalidToken.public_code) == (kind.detail, kind.public_code)

    def test_expired_is_said(self) -> None:
        """Law 1.2: that a token has expired is the one thing that a caller is told."""
        assert InvalidToken.detail != TokenExpired.detail

    def test_the_reason_is_not_the_detail(self) -> None:
        """Law 1.2: the precise reason stands on the exception and the public text beside it."""
        error = BadSignature("ES256 over 512 bytes")
        assert ("ES256 over 512 bytes", "The token is not valid.") == (error.reason, error.detail)
        assert "ES256 over 512 bytes" == str(error)

    def test_without_a_reason_the_public_text_stands_in(self) -> None:
        """An error is never silent in a log."""
        assert TokenRevoked.detail == TokenRevoked().reason == str(TokenRevoked())


class TestWhatAnErrorCarries:
    @pytest.mark.parametrize("kind", [kind for kind in BAD_TOKENS if kind is not InvalidClaim])
    def test_a_bad_token_failed_as_bearer(self, kind: type[InvalidToken]) -> None:
        """Law 1.1: whoever raises it, the challenge knows which scheme failed."""
        assert "Bearer" == kind().scheme

    def test_bad_project_credentials_failed_as_their_scheme(self) -> None:
        """Law 1.1: so does the challenge for app id and secret."""
        assert "AppCredentials" == InvalidProjectCredentials().scheme
        assert "ApiKey" == InvalidApiKey().scheme
        assert ("Bearer", "ApiKey") == (
            InsufficientScope(()).scheme,
            InsufficientScope((), scheme="ApiKey").scheme,
        )

    def test_a_scheme_that_is_given_wins(self) -> None:
        """A malformed header names its own scheme."""
        assert "AppCredentials" == MalformedCredentials("half a pair", scheme="AppCredentials").scheme
        assert MissingCredentials().scheme is None

    def test_an_error_begins_with_no_accepted_schemes(self) -> None:
        """The flow that knows the policy fills them in."""
        assert () == MissingCredentials().accepts

    def test_a_claim_is_named_by_its_configured_name(self) -> None:
        """Law 1.2: the reason names the claim and what was wrong, and holds no value of the token."""
        error = InvalidClaim("aud", "is not ours", issuer="main")
        assert ("aud", "aud: is not ours", "main", "Bearer") == (
            error.claim,
            error.reason,
            error.issuer,
            error.scheme,
        )

    def test_missing_scopes_are_all_unless_said(self) -> None:
        """Law 1.2: the scopes that are asked for, and those of them that the token lacks."""
        assert ("a", "b") == InsufficientScope(("a", "b")).missing
        error = InsufficientScope(("a", "b"), "why", missing=("b",), issuer="main")
        assert (("a", "b"), ("b",), "why", "main") == (
            error.scopes,
            error.missing,
            error.reason,
            error.issuer,
        )

    def test_an_outage_says_when_to_come_back(self) -> None:
        """Law 1.8: what is left of the back-off travels with the error."""
        error = KeysUnavailable("refused", retry_after=7.5, scheme="Bearer", issuer="main")
        assert (7.5, "Bearer", "main") == (error.retry_after, error.scheme, error.issuer)
        assert 1.0 == AuthUnavailable().retry_after


class TestMistakes:
    def test_a_configuration_error_lists_everything(self) -> None:
        """Law 1.6: all that is wrong, in one message."""
        error = ConfigurationError("issuers: give one", "roles: write a list")
        assert ("issuers: give one", "roles: write a list") == error.problems
        assert [
            "authgate is not configured correctly:",
            "  - issuers: give one",
            "  - roles: write a list",
        ] == str(error).splitlines()

    @pytest.mark.parametrize("kind", [ConfigurationError, NotAdmitted])
    def test_a_mistake_is_no_outcome(self, kind: type[Exception]) -> None:
        """Law 1.3: a bug never becomes a response."""
        assert not issubclass(kind, AuthgateError)


class TestRetryAfter:
    """Law 1.8: a number of seconds."""

    @pytest.mark.parametrize("seconds", [None, "soon"])
    def test_what_is_no_number_is_a_bug_where_it_is_written(self, seconds: Any) -> None:
        """A port that makes such an error fails there, and not the answer that is made of it."""
        with pytest.raises((TypeError, ValueError)):
            AuthUnavailable("down", retry_after=seconds)
