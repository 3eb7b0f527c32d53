"""Names of HTTP headers, and a case-insensitive reading of what a request carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias, cast

__all__ = [
    "AUTHORIZATION",
    "CACHE_CONTROL",
    "CONTENT_DIGEST",
    "CONTENT_TYPE",
    "COOKIE",
    "DPOP",
    "DPOP_NONCE",
    "FORWARDING",
    "ORIGIN",
    "RETRY_AFTER",
    "SEC_WEBSOCKET_VERSION",
    "SIGNATURE",
    "SIGNATURE_INPUT",
    "TRACEPARENT",
    "VARY",
    "WWW_AUTHENTICATE",
    "X_ACTION_TOKEN",
    "X_API_KEY",
    "X_APP_ID",
    "X_APP_SECRET",
    "X_CONTENT_SHA256",
    "X_OTP_ACTION",
    "X_OTP_REQUIRED",
    "X_PROJECT_TOKEN",
    "X_REAUTH_REQUIRED",
    "X_REQUEST_ID",
    "X_SIGNATURE",
    "X_TIMESTAMP",
    "HeaderPairs",
    "header_pairs",
    "values",
]

AUTHORIZATION: Final = "authorization"
X_API_KEY: Final = "x-api-key"
DPOP: Final = "dpop"
X_APP_ID: Final = "x-app-id"
X_APP_SECRET: Final = "x-app-secret"  # the name of a header, not a secret
X_PROJECT_TOKEN: Final = "x-project-token"
X_ACTION_TOKEN: Final = "x-action-token"
X_OTP_REQUIRED: Final = "X-OTP-Required"
X_OTP_ACTION: Final = "X-OTP-Action"
X_REAUTH_REQUIRED: Final = "X-Reauth-Required"
COOKIE: Final = "cookie"
ORIGIN: Final = "origin"
SEC_WEBSOCKET_VERSION: Final = "sec-websocket-version"
X_REQUEST_ID: Final = "x-request-id"
TRACEPARENT: Final = "traceparent"

SIGNATURE: Final = "signature"  # of a message (RFC 9421 section 4)
SIGNATURE_INPUT: Final = "signature-input"
CONTENT_DIGEST: Final = "content-digest"

WWW_AUTHENTICATE: Final = "WWW-Authenticate"
RETRY_AFTER: Final = "Retry-After"
CACHE_CONTROL: Final = "Cache-Control"
CONTENT_TYPE: Final = "Content-Type"
VARY: Final = "Vary"
DPOP_NONCE: Final = "DPoP-Nonce"

FORWARDING: Final = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""What proxies add to a request that they hand on."""

X_TIMESTAMP: Final = "X-Timestamp"
X_SIGNATURE: Final = "X-Signature"
X_CONTENT_SHA256: Final = "X-Content-SHA256"

HeaderPairs: TypeAlias = tuple[tuple[str, str], ...]
_Pairs: TypeAlias = Iterable[tuple[str, str]]


def header_pairs(headers: Iterable[tuple[str, str]] | Mapping[str, str]) -> HeaderPairs:
    """Lower the names and keep every pair, duplicates included.

    Raises:
        TypeError: If a name is no text: as bytes it would match nothing, and a credential would go unseen.
    """
    # To ask a list whether it is a mapping takes as long as to lower half of the names.
    is_mapping = not isinstance(headers, (list, tuple)) and isinstance(headers, Mapping)
    pairs = cast("Mapping[str, str]", headers).items() if is_mapping else cast("_Pairs", headers)
    lower = str.lower
    return tuple([(lower(name), value) for name, value in pairs])


def values(headers: HeaderPairs, name: str) -> list[str]:
    """Every value that the request carries under a lower-case name, in order."""
    return [value for key, value in headers if key == name]
