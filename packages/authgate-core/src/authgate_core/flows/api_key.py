"""From an API key to who holds it."""

from __future__ import annotations

from ..api_keys import ApiKeys
from ..clock import Instant
from ..credentials import ApiKeyCredential
from ..effects import Flow, LookUpApiKey
from ..errors import InvalidApiKey
from ..principal import ApiKey

__all__ = ["authenticate_api_key"]


def authenticate_api_key(credential: ApiKeyCredential, keys: ApiKeys, now: Instant) -> Flow[ApiKey]:
    """Refuse what is no key unasked (Law 6.7), ask the store about the rest, and judge the end of the key's life.

    Args:
        credential: What was presented.
        keys: Who knows the keys.
        now: The time of the request.

    Raises:
        InvalidApiKey: Mistyped, unknown, wrong or expired, told alike.
        AuthUnavailable: If the store cannot answer.
    """
    if not keys.fits(credential.value):
        raise InvalidApiKey("mistyped, made up, or not of the prefix of our keys")
    key = yield from LookUpApiKey(credential)
    if key is None:
        raise InvalidApiKey("the store does not know this key")
    if key.has_expired(now.wall):
        raise InvalidApiKey(f"the key {key.id!a} has expired", issuer=key.issuer)
    return key
