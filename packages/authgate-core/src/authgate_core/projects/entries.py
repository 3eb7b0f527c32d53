"""Reading one project's entry of a directory: either credentials, or everything that is wrong with it."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeGuard, cast

from ..credentials import APP
from ..principal import Project
from ..secret import Secret
from .hashes import SALT_BYTES, SecretHash, secret_problem, travels_in_a_header

__all__ = ["Candidate", "read_entry"]

MOST_SECRETS: Final = 8
"""How many secrets an app id may have: every look-up pays for the most that one has (Law 6.5)."""

_KEYS: Final = (
    "enabled_services",
    "id",
    "name",
    "roles",
    "scopes",
    "secret",
    "secret_hash",
    "secret_version",
    "tenant",
)
_Table: TypeAlias = Mapping[object, object]
_Versioned: TypeAlias = list[tuple[SecretHash, int]]
_MINT: Final = "mint one with `python -m authgate_core.hash_secret`"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One secret of an app id.

    Args:
        hash: What the secret is compared with.
        project: What it proves; None for a decoy, which nothing matches.
    """

    hash: SecretHash
    project: Project | None


def read_entry(app_id: object, entry: object, problems: list[str]) -> tuple[Candidate, ...]:
    """The secrets of one app id; what is wrong is added to ``problems``, and then nothing counts."""
    where = f"[{app_id!r}]"
    found: list[str] = []
    if not isinstance(app_id, str) or not _is_name(app_id) or not travels_in_a_header(app_id):
        found.append(
            f"{where}: write an app id of 1 to 255 printable ASCII characters without commas, for a header"
        )
    table = _as_table(entry)
    if table is None:
        found.append(f"{where} must be a table such as {{secret_hash = ...}}; {_MINT}")
    candidates = () if table is None else _Entry(str(app_id), where, table, found).candidates()
    problems.extend(found)
    return candidates


class _Entry:
    """The reader of one table; it goes on after a problem so that all of them are told at once (Law 1.6)."""

    _app_id: str
    _where: str
    _table: _Table
    _problems: list[str]

    def __init__(self, app_id: str, where: str, table: _Table, problems: list[str]) -> None:
        self._app_id = app_id
        self._where = where
        self._table = table
        self._problems = problems

    def candidates(self) -> tuple[Candidate, ...]:
        self._check_keys(self._where, self._table, _KEYS)
        name, tenant = self._text("name"), self._text("tenant")
        services = self._texts("enabled_services", "leave it out to enable every service")
        project_id = self._text("id")
        roles, scopes = self._texts("roles"), self._texts("scopes")
        hashes = self._hashes(self._version(self._where, self._table, "secret_version"))
        if self._problems:
            return ()
        return tuple(
            Candidate(
                secret_hash,
                Project(
                    id=project_id or self._app_id,
                    name=name,
                    tenant=tenant,
                    roles=roles or (),
                    scopes=scopes or (),
                    enabled_services=services,
                    secret_version=version,
                    source=APP,
                ),
            )
            for secret_hash, version in hashes
        )

    def _hashes(self, default: int) -> _Versioned:
        stored = self._table.get("secret_hash", ())
        items = _as_list(stored)
        items = (stored,) if items is None else items
        hashes = [pair for item in items for pair in self._parsed(item, default)]
        if "secret" in self._table:
            hashes += self._chosen(self._table["secret"], default)
        count = len(items) + ("secret" in self._table)
        if not 1 <= count <= MOST_SECRETS:
            self._problems.append(f"{self._where} has {count} secrets, not 1 to {MOST_SECRETS}; {_MINT}")
        return hashes

    def _parsed(self, item: object, version: int) -> _Versioned:
        where = f"{self._where}.secret_hash"
        table = _as_table(item)
        if table is not None:
            self._check_keys(where, table, ("hash", "version"))
            item, version = table.get("hash"), self._version(where, table, "version", version)
        try:
            return [(SecretHash.parse(item if isinstance(item, str) else ""), version)]
        except ValueError:
            # Law 2.5: what stands here may be the secret itself, so it is not repeated.
            self._problems.append(f"{where} is not of the form sha256:<salt>:<digest>; {_MINT}")
            return []

    def _chosen(self, value: object, version: int) -> _Versioned:
        if not isinstance(value, (str, Secret)):
            self._problems.append(f"{self._where}.secret must be text, or a Secret; {_MINT}")
            return []
        secret = value if isinstance(value, Secret) else Secret(value)
        problem = secret_problem(secret)
        if problem is not None:
            self._problems.append(f"{self._where}.secret {problem}")
            return []
        # This hash is never stored, so its salt need not be random: it makes one form of all secrets.
        salt = hashlib.sha256(self._app_id.encode("utf-8", "surrogatepass")).digest()[:SALT_BYTES]
        return [(SecretHash.of(secret, salt), version)]

    def _text(self, key: str) -> str | None:
        value = self._table.get(key)
        if key in self._table and not _is_name(value):
            self._problems.append(
                f"{self._where}.{key} must be 1 to 255 printable characters; leave it out if unset"
            )
        return value if isinstance(value, str) else None

    def _texts(self, key: str, otherwise: str = "leave it out for none") -> tuple[str, ...] | None:
        if key not in self._table:
            return None
        items = _as_list(self._table[key])
        names = tuple(item for item in items or () if _is_name(item))
        if items is None or len(names) != len(items):
            self._problems.append(
                f'{self._where}.{key} must be a list of names such as ["orders"]; {otherwise}'
            )
        return names

    def _version(self, where: str, table: _Table, key: str, default: int = 0) -> int:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self._problems.append(
                f"{where}.{key} must be a whole number from 0; raise it with each new secret"
            )
            return default
        return value

    def _check_keys(self, where: str, table: _Table, known: tuple[str, ...]) -> None:
        for key in table:
            if key in known:
                continue
            if isinstance(table[key], Mapping):
                advice = "in TOML an app id that holds a dot is written in quotes"
            else:
                nearest = difflib.get_close_matches(str(key), known, n=1)
                advice = f"write {nearest[0]}" if nearest else f"known are {', '.join(known)}"
            self._problems.append(f"{where} has no setting {key!r}; {advice}")


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 1 <= len(value) <= 255 and value.isprintable()


def _as_table(value: object) -> _Table | None:
    return cast("_Table", value) if isinstance(value, Mapping) else None


def _as_list(value: object) -> Sequence[object] | None:
    return cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else None
