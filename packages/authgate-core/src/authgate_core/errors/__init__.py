"""The ways a request can fail, and nothing else.

    AuthgateError                          an outcome; leaves through ``challenge.problem``
    |-- AuthenticationError                401
    |   |-- MissingCredentials             credentials_missing
    |   |-- MalformedCredentials           credentials_malformed (400)
    |   |-- InvalidToken                   token_invalid
    |   |   |-- MalformedToken             token_malformed
    |   |   |-- UnknownIssuer              token_issuer_unknown
    |   |   |-- AlgorithmRefused           token_algorithm
    |   |   |-- UnknownKey                 token_key_unknown
    |   |   |-- BadSignature               token_signature
    |   |   |-- InvalidClaim               token_claim
    |   |   |-- TokenInactive              token_inactive
    |   |   |-- TokenExpired               token_expired
    |   |   |-- TokenRevoked               token_revoked
    |   |   |-- TokenReused                token_reused
    |   |   |-- UntrustedGateway           gateway_untrusted
    |   |   |-- GatewaySignatureRefused    gateway_signature
    |   |   `-- GatewaySignatureReplayed   gateway_replayed
    |   |-- InvalidProjectCredentials      project_invalid
    |   |-- InvalidApiKey                  api_key_invalid
    |   |-- LoginRefused                   login_refused
    |   |-- InvalidProof                   proof_invalid
    |   |   `-- ProofNonceRequired         proof_nonce_required
    |   `-- StepUpRequired                 step_up_required
    |-- AuthorizationError                 403
    |   |-- InsufficientScope              scope_insufficient
    |   |-- ServiceNotEnabled              service_not_enabled
    |   |-- UserInactive                   user_inactive
    |   |-- CrossSiteRefused               cross_site
    |   `-- TenantMismatch                 tenant_mismatch
    `-- AuthUnavailable                    503
        |-- KeysUnavailable                keys_unavailable
        |-- RevocationUnavailable          revocation_unavailable
        |-- ReplaysUnavailable             replays_unavailable
        |-- ProjectsUnavailable            projects_unavailable
        |-- ApiKeysUnavailable             api_keys_unavailable
        `-- EndpointUnavailable            endpoint_unavailable
            `-- EndpointRefused            endpoint_refused

    ConfigurationError                     a mistake of the operator; never becomes a response
    NotAdmitted                            a mistake of the handler; never becomes a response

``code`` is precise, stable and meant for logs; ``public_code`` and ``detail`` are what a caller may see.
Law 1.2: below ``InvalidToken`` callers see one text, but for "expired", which is said after a good signature.
"""

from __future__ import annotations

from .base import AuthenticationError, AuthgateError
from .challenged import InvalidProof, ProofNonceRequired, StepUpRequired
from .mistakes import ConfigurationError, NotAdmitted
from .unavailable import (
    ApiKeysUnavailable,
    AuthUnavailable,
    EndpointRefused,
    EndpointUnavailable,
    KeysUnavailable,
    ProjectsUnavailable,
    ReplaysUnavailable,
    RevocationUnavailable,
)

__all__ = [
    "AlgorithmRefused",
    "ApiKeysUnavailable",
    "AuthUnavailable",
    "AuthenticationError",
    "AuthgateError",
    "AuthorizationError",
    "BadSignature",
    "ConfigurationError",
    "CrossSiteRefused",
    "EndpointRefused",
    "EndpointUnavailable",
    "GatewaySignatureRefused",
    "GatewaySignatureReplayed",
    "InsufficientScope",
    "InvalidApiKey",
    "InvalidClaim",
    "InvalidProjectCredentials",
    "InvalidProof",
    "InvalidToken",
    "KeysUnavailable",
    "LoginRefused",
    "MalformedCredentials",
    "MalformedToken",
    "MissingCredentials",
    "NotAdmitted",
    "ProjectsUnavailable",
    "ProofNonceRequired",
    "ReplaysUnavailable",
    "RevocationUnavailable",
    "ServiceNotEnabled",
    "StepUpRequired",
    "TenantMismatch",
    "TokenExpired",
    "TokenInactive",
    "TokenReused",
    "TokenRevoked",
    "UnknownIssuer",
    "UnknownKey",
    "UntrustedGateway",
    "UserInactive",
]


class MissingCredentials(AuthenticationError):
    """What the policy asks for was not presented (RFC 6750 section 3.1: a challenge without ``error``)."""

    code = public_code = "credentials_missing"


class MalformedCredentials(AuthenticationError):
    """Credentials that cannot be read in one way only: repeated, joined, half a pair, oversized (Law 2.2)."""

    status = 400
    code = public_code = "credentials_malformed"
    detail = "The credentials are malformed."


class InvalidToken(AuthenticationError):
    """A token that is not accepted; the subclass says why, the caller is not told."""

    code = public_code = "token_invalid"
    detail = "The token is not valid."
    default_scheme = "Bearer"


class MalformedToken(InvalidToken):
    """Not a strict compact JWS (Law 3.1), or over a size limit (Law 2.4)."""

    code = "token_malformed"


class UnknownIssuer(InvalidToken):
    """No configured issuer has this ``iss`` (Law 3.5)."""

    code = "token_issuer_unknown"


class AlgorithmRefused(InvalidToken):
    """The algorithm is not on the issuer's list or does not fit the key (Law 3.2)."""

    code = "token_algorithm"


class UnknownKey(InvalidToken):
    """No key, or more than one, answers to the token's ``kid`` (Law 3.4)."""

    code = "token_key_unknown"


class BadSignature(InvalidToken):
    """The signature does not verify."""

    code = "token_signature"


class InvalidClaim(InvalidToken):
    """A claim is missing, of the wrong type, or not what the issuer's rules ask for.

    Args:
        claim: The name of the claim, as configured or standardised; never taken from the token.
        reason: What was wrong with it.
    """

    code = "token_claim"

    def __init__(self, claim: str, reason: str, *, issuer: str | None = None) -> None:
        super().__init__(f"{claim}: {reason}", issuer=issuer)
        self.claim = claim


class TokenInactive(InvalidToken):
    """The issuer was asked, and says that the token is not active (RFC 7662 section 2.2)."""

    code = "token_inactive"


class TokenExpired(InvalidToken):
    """The token was good once; said to the caller only after a good signature (Law 1.2)."""

    code = public_code = "token_expired"
    detail = "The token has expired."


class TokenRevoked(InvalidToken):
    """The token, its session, subject, client, tenant or key was revoked (Law 5.2)."""

    code = "token_revoked"


class TokenReused(InvalidToken):
    """A refresh token was used a second time, which ends its family: one of the two users has stolen it.

    Args:
        reason: As for ``AuthgateError``.
        subject: Whose token it is: who issues tokens may want to end more than the family.
    """

    code = "token_reused"

    def __init__(self, reason: str = "", *, subject: str | None = None) -> None:
        super().__init__(reason)
        self.subject = subject


class UntrustedGateway(InvalidToken):
    """Headers say who calls, and nothing shows that the gateway has written them (Law 2.7)."""

    code = "gateway_untrusted"


class GatewaySignatureRefused(InvalidToken):
    """A gateway's signature is missing, does not verify, or does not cover what it must."""

    code = "gateway_signature"


class GatewaySignatureReplayed(InvalidToken):
    """A gateway's signature is good and was used before."""

    code = "gateway_replayed"


class InvalidProjectCredentials(AuthenticationError):
    """Unknown app id, wrong secret or revoked secret version: one answer for all (Law 6.5)."""

    code = public_code = "project_invalid"
    detail = "The project credentials are not valid."
    default_scheme = "AppCredentials"


class InvalidApiKey(AuthenticationError):
    """An API key that is mistyped, unknown, expired or revoked: one answer for all."""

    code = public_code = "api_key_invalid"
    detail = "The API key is not valid."
    default_scheme = "ApiKey"


class LoginRefused(AuthenticationError):
    """A login that is not accepted, by password or by code: one answer for all."""

    code = public_code = "login_refused"
    detail = "The login is not accepted."


class AuthorizationError(AuthgateError):
    """Identified, but the policy does not admit: 403."""

    status = 403
    code = public_code = "forbidden"
    detail = "You are not allowed to do this."


class InsufficientScope(AuthorizationError):
    """Scopes are all that is missing (RFC 6750 section 3.1).

    Args:
        scopes: The scopes that the policy asks for.
        reason: Why, for logs.
        missing: Those of them that the token lacks; all of them unless said.
        scheme: The authentication scheme of what lacks them; Bearer unless said.
        issuer: The configured name of the issuer of the token or key.
    """

    code = public_code = "scope_insufficient"
    detail = "The token lacks a required scope."
    default_scheme = "Bearer"

    def __init__(
        self,
        scopes: tuple[str, ...],
        reason: str = "",
        *,
        missing: tuple[str, ...] | None = None,
        scheme: str | None = None,
        issuer: str | None = None,
    ) -> None:
        super().__init__(reason, scheme=scheme, issuer=issuer)
        self.scopes = scopes
        self.missing = scopes if missing is None else missing


class ServiceNotEnabled(AuthorizationError):
    """The project is known but may not use this service."""

    code = public_code = "service_not_enabled"
    detail = "The project is not enabled for this service."


class UserInactive(AuthorizationError):
    """The user is known, but the issuer says that the account is not active."""

    code = public_code = "user_inactive"
    detail = "The user is not active."


class CrossSiteRefused(AuthorizationError):
    """A token came in a cookie, and nothing shows that a page of one's own sent the request (Law 2.9)."""

    code = public_code = "cross_site"
    detail = "The request does not show that it comes from a page of this site."
    default_scheme = "Bearer"


class TenantMismatch(AuthorizationError):
    """One request shows a user and a project that belong to different tenants (Law 6.8)."""

    code = public_code = "tenant_mismatch"
    detail = "The user and the project do not belong together."
