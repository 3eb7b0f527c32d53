"""Issuers: whose tokens are believed, on what terms, and what their claims mean."""

from .settings import ANY_AUDIENCE, AnyAudience
from .spec import Issuer
from .trust import Discovery, JwksUrl, StaticKeys, Trust

__all__ = ["ANY_AUDIENCE", "AnyAudience", "Discovery", "Issuer", "JwksUrl", "StaticKeys", "Trust"]
