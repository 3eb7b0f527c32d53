"""API keys of one's own: what they look like, how they are stored, and who knows them, as frozen values (Law 6.7)."""

from .entries import StoredKey, read_entry
from .form import DEFAULT_PREFIX, MintedKey, key_id, mint_key, prefix_problem
from .remote import RemoteKeys
from .specs import ApiKeys, RedisKeys, StaticKeys

__all__ = [
    "DEFAULT_PREFIX",
    "ApiKeys",
    "MintedKey",
    "RedisKeys",
    "RemoteKeys",
    "StaticKeys",
    "StoredKey",
    "key_id",
    "mint_key",
    "prefix_problem",
    "read_entry",
]
