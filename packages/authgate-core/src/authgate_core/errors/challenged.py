"""Failures that a client mends by itself: by another login, or by another proof."""

from __future__ import annotations

from .base import AuthenticationError

__all__ = ["InvalidProof", "ProofNonceRequired", "StepUpRequired"]


class InvalidProof(AuthenticationError):
    """A proof of possession that is not good for its request (RFC 9449); the token that it goes with may be."""

    code = public_code = "proof_invalid"
    detail = "The proof of possession is not valid."
    default_scheme = "DPoP"


class ProofNonceRequired(InvalidProof):
    """A proof without a nonce of this service, or with an old one (RFC 9449 section 9).

    Args:
        nonce: What the next proof is to hold.
    """

    code = public_code = "proof_nonce_required"
    detail = "A proof of possession with the given nonce is required."

    def __init__(self, nonce: str) -> None:
        super().__init__("the proof holds no nonce of this service, or an old one")
        self.nonce = nonce


class StepUpRequired(AuthenticationError):
    """The user must log in again, more strongly or more recently (RFC 9470).

    Args:
        acr_values: The classes of authentication of which one will do, the first preferred; empty for any.
        max_age: How long ago the login may be, in seconds; None for any time.
        scopes: Where scopes are missing as well, all that the policy asks for.
        reason: Why, for logs.
        missing: Those of the scopes that the token lacks.
        issuer: The configured name of the token's issuer.

    Attributes:
        action: The action that the user has to confirm, where that is missing.
        is_stale: Whether the login is not recent enough.
    """

    code = public_code = "step_up_required"
    detail = "A stronger or more recent login is required."
    default_scheme = "Bearer"

    def __init__(
        self,
        acr_values: tuple[str, ...] = (),
        max_age: int | None = None,
        scopes: tuple[str, ...] = (),
        reason: str = "",
        *,
        missing: tuple[str, ...] = (),
        issuer: str | None = None,
    ) -> None:
        super().__init__(reason, issuer=issuer)
        self.action: str | None = None
        self.is_stale = False
        self.acr_values = acr_values
        self.max_age = max_age
        self.scopes = scopes
        self.missing = missing
