"""Gateways that hand on a token of their own: whose it is, and what it must be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from ..issuer import Issuer

__all__ = ["cloudflare_access", "iap", "pomerium"]

_IAP: Final = "https://cloud.google.com/iap"
_IAP_KEYS: Final = "https://www.gstatic.com/iap/verify/public_key-jwk"
_IAP_LIFETIME: Final = 630.0
"""Ten minutes, and the leeway that its documentation gives both ends."""


def iap(audience: str | Collection[str]) -> Issuer:
    """Google's Identity-Aware Proxy."""
    return Issuer.jwks(
        _IAP_KEYS,
        issuer=_IAP,
        audience=audience,
        name="iap",
        algorithms=["ES256"],
        max_lifetime=_IAP_LIFETIME,
    )


def cloudflare_access(team: str, audience: str | Collection[str]) -> Issuer:
    """Cloudflare Access, whose tokens for an application say ``type: app``; those for the whole team do not."""
    origin = f"https://{team}.cloudflareaccess.com"
    issuer = Issuer.jwks(
        f"{origin}/cdn-cgi/access/certs",
        issuer=origin,
        audience=audience,
        name="cloudflare_access",
        algorithms=["RS256"],
    )
    return replace(issuer, terms=replace(issuer.terms, token_types=frozenset({"app"})))


def pomerium(host: str) -> Issuer:
    """Pomerium, whose tokens are from and for the host of the route."""
    return Issuer.jwks(
        f"https://{host}/.well-known/pomerium/jwks.json",
        issuer=host,
        audience=host,
        name="pomerium",
        algorithms=["ES256"],
        roles=["groups"],
    )
