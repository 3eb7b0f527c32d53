"""One API key as a store has it: a table of names and values, the same in a file and in Redis."""

from __future__ import annotations

import difflib
import hmac
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from ..principal import ApiKey
from ..projects import SALT_BYTES, SecretHash, secret_digest
from ..secret import Secret

__all__ = ["StoredKey", "read_entry"]

_LATEST: Final = 253402300799.0
"""The end of the year 9999, as with the times of tokens (Law 3.7)."""
_MINT: Final = "`python -m authgate_core api-key`"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key's hash, and what the key proves.

    Args:
        hash: What is compared with.
        key: The principal; None for a decoy, which nothing matches.
    """

    hash: SecretHash
    key: ApiKey | None

    @classmethod
    def decoy(cls) -> StoredKey:
        """What is compared with where there is no key, so that it takes no less."""
        return cls(SecretHash(bytes(SALT_BYTES), bytes(32)), None)

    def proven(self, presented: Secret) -> ApiKey | None:
        """The principal, if this is the key; compared in constant time (Law 2.5)."""
        same = hmac.compare_digest(secret_digest(presented, self.hash.salt), self.hash.digest)
        return self.key if same else None


def read_entry(name: str, entry: object, prefix: str, problems: list[str]) -> StoredKey | None:
    """Read a key's table; what is wrong with it is added to ``problems``, and then there is no key.

    Args:
        name: The key's id.
        entry: The table.
        prefix: What keys begin with.
        problems: Takes a sentence for each mistake, none of which repeats a value: it may be a secret.
    """
    if not isinstance(entry, Mapping):
        problems.append(f"[{name!r}] must be a table such as {{secret_hash = ...}}; mint one with {_MINT}")
        return None
    table = cast("Mapping[str, Any]", entry)
    found = [_unknown(key) for key in table if key not in _MEMBERS]
    found += [
        f"{member}: write {advice}"
        for member, (is_right, advice) in _MEMBERS.items()
        if (member in table or member == "secret_hash") and not is_right(table.get(member))
    ]
    problems.extend(f"[{name!r}].{problem}" for problem in found)
    return None if found else StoredKey(SecretHash.parse(table["secret_hash"]), _key(name, table, prefix))


def _key(name: str, table: Mapping[str, Any], prefix: str) -> ApiKey:
    ends = table.get("expires_at")
    return ApiKey(
        id=name,
        owner_id=table.get("owner_id"),
        service=table.get("service"),
        tenant=table.get("tenant"),
        roles=table.get("roles", ()),
        scopes=table.get("scopes", ()),
        expires_at=ends.timestamp() if isinstance(ends, datetime) else ends,
        prefix=f"{prefix}_{name}",
    )


def _unknown(name: object) -> str:
    near = difflib.get_close_matches(str(name), _MEMBERS, n=1)
    return f"{name}: is not known; write {near[0] if near else 'one of ' + ', '.join(_MEMBERS)}"


def _is_hash(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(SecretHash.parse(value))
    except ValueError:
        return False


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 255 and value.isprintable()


def _are_names(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_name, cast("list[object]", value)))


def _is_moment(value: object) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and 0 <= value <= _LATEST


_NAME: Final = "1 to 255 printable characters, or leave it out"
_NAMES: Final = 'a list of names such as ["orders:read"], or leave it out'
_MEMBERS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "secret_hash": (_is_hash, f"the hash that {_MINT} prints"),
    "owner_id": (_is_name, _NAME),
    "service": (_is_name, _NAME),
    "tenant": (_is_name, _NAME),
    "roles": (_are_names, _NAMES),
    "scopes": (_are_names, _NAMES),
    "expires_at": (
        _is_moment,
        "a date and time with its offset, such as 2027-01-31T00:00:00Z, or Unix seconds",
    ),
}
"""What a table may hold, what each member must be, and what to write instead."""
