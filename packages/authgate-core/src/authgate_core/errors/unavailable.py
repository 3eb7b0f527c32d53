"""Outages: what could not be checked (Law 1.5)."""

from __future__ import annotations

from .base import AuthgateError

__all__ = [
    "ApiKeysUnavailable",
    "AuthUnavailable",
    "EndpointRefused",
    "EndpointUnavailable",
    "KeysUnavailable",
    "ProjectsUnavailable",
    "ReplaysUnavailable",
    "RevocationUnavailable",
]


class AuthUnavailable(AuthgateError):
    """It could not be checked, which is neither a yes nor a no: 503 (Law 1.5).

    Args:
        reason: Why, for logs.
        retry_after: What is left of the back-off, in seconds; the response adds jitter (Law 1.8).
    """

    status = 503
    code = public_code = "unavailable"
    detail = "Authentication is temporarily unavailable."

    def __init__(
        self,
        reason: str = "",
        *,
        retry_after: float = 1.0,
        scheme: str | None = None,
        issuer: str | None = None,
    ) -> None:
        super().__init__(reason, scheme=scheme, issuer=issuer)
        self.retry_after = float(
            retry_after
        )  # what is no number shows where it is written, not in the answer


class KeysUnavailable(AuthUnavailable):
    """The issuer's keys cannot be had."""

    code = "keys_unavailable"


class RevocationUnavailable(AuthUnavailable):
    """The revocation store cannot answer (Law 5.3)."""

    code = "revocation_unavailable"


class ReplaysUnavailable(AuthUnavailable):
    """It cannot be told whether what may be used once was used before."""

    code = "replays_unavailable"


class ProjectsUnavailable(AuthUnavailable):
    """The project directory cannot answer."""

    code = "projects_unavailable"


class ApiKeysUnavailable(AuthUnavailable):
    """The store of API keys cannot answer."""

    code = "api_keys_unavailable"


class EndpointUnavailable(AuthUnavailable):
    """An endpoint that is asked about credentials cannot answer, or answers what cannot be believed."""

    code = "endpoint_unavailable"


class EndpointRefused(EndpointUnavailable):
    """An endpoint refuses this service itself, as where its client secret is wrong: an alarm (Law 1.6)."""

    code = "endpoint_refused"
