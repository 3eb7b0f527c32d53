"""The directory that is part of the configuration."""

from __future__ import annotations

import hmac
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from ..credentials import AppCredentials
from ..principal import Project
from .entries import Candidate, read_entry
from .hashes import SALT_BYTES, Hasher, SecretHash, secret_digest

__all__ = ["StaticProjects"]

_DECOY: Final = Candidate(SecretHash(bytes(SALT_BYTES), bytes(32)), None)


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class StaticProjects:
    """Projects from a mapping of app ids, or with ``from_file`` from a TOML file with one table for each.

    A table holds ``secret_hash`` (printed by ``python -m authgate_core.hash_secret``) or a chosen ``secret``
    of at least 32 characters, and may hold ``id`` (default: the app id), ``name``, ``enabled_services``
    (default: every one), ``roles``, ``scopes``, ``tenant`` and ``secret_version``. While a secret is being
    replaced, ``secret_hash`` is a list; an item that is a table ``{hash, version}`` has its own version.

    Args:
        projects: Tables by app id. What is wrong with them is told by ``problems()``; no gate is built then.
    """

    _table: Mapping[str, tuple[Candidate, ...]]
    _unknown: tuple[Candidate, ...]
    _problems: tuple[str, ...]

    def __init__(self, projects: Mapping[str, Mapping[str, object]]) -> None:
        self._settle(projects, "give a mapping of app ids, or StaticProjects.from_file(path)")

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> StaticProjects:
        """Read a TOML file, now; one that cannot be read is among the ``problems()``."""
        self = cls.__new__(cls)
        name = os.fspath(path)
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - Path would change the path that a problem names
                tables = tomllib.load(file)
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            self._settle(
                None, f"the file {name!r} cannot be read as TOML ({why}); correct the path or the file"
            )
        else:
            self._settle(tables, "", f"in {name!r}: ")
        return self

    def _settle(self, projects: object, otherwise: str, prefix: str = "") -> None:
        problems: list[str] = []
        table: dict[str, tuple[Candidate, ...]] = {}
        if not isinstance(projects, Mapping):
            problems.append(otherwise)
        elif not projects:
            problems.append("there is none; add a project, or leave projects= out")
        else:
            entries = cast("Mapping[str, object]", projects)
            table = {app_id: read_entry(app_id, entry, problems) for app_id, entry in entries.items()}
        # Law 6.5: whether an app id exists, and how many secrets it has, must not show in how much is hashed.
        most = max(map(len, table.values()), default=1)
        padded = {app_id: (*found, *[_DECOY] * (most - len(found))) for app_id, found in table.items()}
        object.__setattr__(self, "_table", MappingProxyType(padded))
        object.__setattr__(self, "_unknown", (_DECOY,) * most)
        object.__setattr__(self, "_problems", tuple(prefix + problem for problem in problems))

    def problems(self) -> list[str]:
        """What is wrong with the configuration: a sentence each, with setting and fix (Law 1.6)."""
        return list(self._problems)

    def find(self, credentials: AppCredentials, hasher: Hasher = secret_digest) -> Project | None:
        """The project that the credentials prove, or None; with the same work for every answer (Law 6.5)."""
        if not credentials.secret:
            return None  # Law 2.5: the empty secret is refused before anything is compared.
        found: Project | None = None
        for candidate in self._table.get(credentials.app_id, self._unknown):
            same = hmac.compare_digest(hasher(credentials.secret, candidate.hash.salt), candidate.hash.digest)
            if same and found is None:
                found = candidate.project
        return found

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"StaticProjects({len(self)} app ids)"
