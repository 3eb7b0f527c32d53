"""Issuers: whose tokens are believed, on what terms, and what their claims mean."""

from .settings import ANY_AUDIENCE, AnyAudience
from .spec import Issuer
from .trust import Discovery, JwksUrl, KeyOrigin, StaticKeys

__all__ = ["ANY_AUDIENCE", "AnyAudience", "Discovery", "Issuer", "JwksUrl", "KeyOrigin", "StaticKeys"]
