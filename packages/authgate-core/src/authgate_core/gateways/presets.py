"""How gateways name the headers in which they say who calls."""

from __future__ import annotations

from typing import Final

from ..identity_headers import CallerKind, IdentityHeaders

__all__ = ["INTROSPECTOR", "STAMP", "consumer_headers"]

INTROSPECTOR: Final = IdentityHeaders(
    user="x-user-id",
    service="x-service-name",
    texts=(
        ("x-username", "preferred_username"),
        ("x-user-email", "email"),
        ("x-session-id", "sid"),
        ("x-client-id", "client_id"),
        ("x-auth-source", "auth_source"),
    ),
    roles=(("user", "x-user-roles"), ("service", "x-service-roles")),
    scopes="x-user-scopes",
    marks=("x-token-verified",),
    service_mark="x-service-authenticated",
    shared=frozenset({"x-session-id", "x-client-id", "x-auth-source"}),
)
"""Those of Kong's token-introspector, which other gateways can be taught."""

STAMP: Final = ("x-authz-ts", "x-authz-signature")
"""Its HMAC v1: the time, and the signature."""


def consumer_headers(kind: CallerKind, *, oauth2: bool) -> IdentityHeaders:
    """Those of Kong itself, which knows consumers and not what they are.

    Args:
        kind: What its consumers are.
        oauth2: Whether its plugin for OAuth 2 sets or removes, at every request, for whom a consumer calls. Without it
            the consumer itself may have written those headers, and they are not read.
    """
    return IdentityHeaders(
        user="x-consumer-id" if kind == "user" else None,
        service="x-consumer-id" if kind == "service" else None,
        texts=(
            ("x-consumer-username", "preferred_username"),
            ("x-consumer-custom-id", "custom_id"),
            ("x-credential-identifier", "credential_id"),
        ),
        scopes="x-authenticated-scope" if oauth2 else None,
        separator=",",
        anonymous="x-anonymous-consumer",
        on_behalf="x-authenticated-userid" if oauth2 else None,
    )
