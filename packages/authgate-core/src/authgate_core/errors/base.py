"""What every outcome other than admission has."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["AuthenticationError", "AuthgateError"]


class AuthgateError(Exception):
    """An outcome other than admission.

    Args:
        reason: Why, for logs and for the developer; never shown to a caller and never holding a credential.

    Attributes:
        status: The HTTP status of the outcome.
        code: Precise and stable, for logs and metrics.
        public_code: What the problem body says.
        detail: Short text that is safe to show.
        scheme: The authentication scheme that failed, where one did; at first the class's ``default_scheme``.
        accepts: The schemes that the policy accepts, set by the flow that knows the policy.
        issuer: The configured name of the issuer concerned, for logs.
        known: Who had been authenticated by then, each with the name of the kind, for an audit log.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    public_code: ClassVar[str] = "error"
    detail: ClassVar[str] = "The request was refused."
    default_scheme: ClassVar[str | None] = None

    def __init__(self, reason: str = "", *, scheme: str | None = None, issuer: str | None = None) -> None:
        super().__init__(reason or self.detail)
        self.reason = reason or self.detail
        self.scheme = scheme or self.default_scheme
        self.issuer = issuer
        self.accepts: tuple[str, ...] = ()
        self.known: tuple[tuple[str, tuple[str, str | None, str]], ...] = ()

    @property
    def message(self) -> str:
        """The ``detail``, for libraries that show an error's message to a caller, as those of GraphQL do (Law 1.2)."""
        return self.detail


class AuthenticationError(AuthgateError):
    """Nobody could be identified: 401, or 400 where the credentials are malformed."""

    status = 401
    code = public_code = "unauthenticated"
    detail = "Authentication is required."
