"""Which token is wanted: for whom, for what, and in whose name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ..secret import Secret

__all__ = ["Grant", "InOwnName", "OnBehalf", "Renewing", "Wanted"]

_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"


@dataclass(frozen=True, slots=True)
class InOwnName:
    """The service acts in its own name (RFC 6749 section 4.4)."""

    def form(self, _newer: Secret | None) -> Mapping[str, str]:
        """What the token endpoint is asked."""
        return {"grant_type": "client_credentials"}


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """The service acts for whoever has called it (RFC 8693).

    Args:
        subject: The token of the caller, which was verified.
        ends: When that token expires, Unix seconds: no token that stands for it is used longer.
        actor: Who acted for the caller before: the ``act`` of the token.
    """

    subject: Secret
    ends: float | None = field(default=None, compare=False)
    actor: Mapping[str, Any] | None = field(default=None, compare=False)

    def form(self, _newer: Secret | None) -> Mapping[str, str]:
        """What the token endpoint is asked (RFC 8693 section 2.1)."""
        return {
            "grant_type": _EXCHANGE,
            "subject_token": self.subject.reveal(),
            "subject_token_type": _ACCESS_TOKEN,
            "requested_token_type": _ACCESS_TOKEN,
        }


@dataclass(frozen=True, slots=True)
class Renewing:
    """The service acts for somebody who has left it a refresh token (RFC 6749 section 6).

    Args:
        refresh_token: The one that it began with; whoever issues may hand out another each time.
    """

    refresh_token: Secret

    def form(self, newer: Secret | None) -> Mapping[str, str]:
        """What the token endpoint is asked; ``newer`` is the refresh token that came with the last answer."""
        token = self.refresh_token if newer is None else newer
        return {"grant_type": "refresh_token", "refresh_token": token.reveal()}


Grant: TypeAlias = InOwnName | OnBehalf | Renewing


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token as it is asked for; what is asked for alike is one token.

    Args:
        grant: In whose name.
        audience: Whom the token is for, as the issuer calls it.
        scopes: What it is to allow, sorted.
        resource: Whom it is for, as a URI (RFC 8707).
    """

    grant: Grant
    audience: str | None = None
    scopes: tuple[str, ...] = ()
    resource: str | None = None

    def form(self, newer: Secret | None) -> dict[str, str]:
        """What the token endpoint is asked.

        Args:
            newer: The refresh token that came with the last answer, if one did.
        """
        named = {"audience": self.audience, "scope": " ".join(self.scopes), "resource": self.resource}
        return {**self.grant.form(newer), **{name: value for name, value in named.items() if value}}
