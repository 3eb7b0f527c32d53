"""Calling other services: in this service's own name, for whoever has called it, or with what they have presented.

What it gives is ``auth=`` of a client of httpx2 or httpx, with or without ``async``.
"""

from ..clients import ClientSecret, PrivateKeyJwt
from .auth import RelayAuth, TokenAuth
from .certificate import ClientCertificate
from .client import ServiceClient, relay
from .origins import TokenWithheld
from .signatures import MessageSignatureAuth, SharedSecretAuth

PrivateKeyJWT = PrivateKeyJwt
"""``PrivateKeyJwt``, as RFC 7523 spells it."""

__all__ = [
    "ClientCertificate",
    "ClientSecret",
    "MessageSignatureAuth",
    "PrivateKeyJWT",
    "PrivateKeyJwt",
    "RelayAuth",
    "ServiceClient",
    "SharedSecretAuth",
    "TokenAuth",
    "TokenWithheld",
    "relay",
]
