"""From an API key to who holds it."""

from __future__ import annotations

from dataclasses import dataclass

from ..api_keys import ApiKeys
from ..clock import Instant
from ..credentials import ApiKeyCredential
from ..effects import Flow, LookUpApiKey
from ..errors import InvalidApiKey
from ..principal import ApiKey
from .remote_keys import KeyService, ask_about_key

__all__ = ["KnownKeys", "authenticate_api_key"]


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The API keys that a gate admits.

    Args:
        spec: As they were configured.
        service: Who is asked about them; None where a store of the runner's is.
    """

    spec: ApiKeys
    service: KeyService | None = None


def authenticate_api_key(credential: ApiKeyCredential, keys: KnownKeys, now: Instant) -> Flow[ApiKey]:
    """Refuse what is no key unasked (Law 6.7), ask the store about the rest, and judge the end of the key's life.

    Args:
        credential: What was presented.
        keys: Who knows the keys.
        now: The time of the request.

    Raises:
        InvalidApiKey: Mistyped, unknown, wrong or expired, told alike.
        AuthUnavailable: If the store cannot answer.
    """
    if not keys.spec.fits(credential.value):
        raise InvalidApiKey("mistyped, made up, or not of the prefix of our keys")
    if keys.service is None:
        key = yield from LookUpApiKey(credential)
    else:
        key = yield from ask_about_key(keys.service, credential, now)
    if key is None:
        raise InvalidApiKey("the store does not know this key, or no longer")
    if key.has_expired(now.wall):
        raise InvalidApiKey(f"the key {key.id!a} has expired", issuer=key.issuer)
    return key
