"""Who knows the API keys, as frozen values: a gate makes the stores of them."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Final, Literal, cast

from ..ports import ApiKeyStore, AsyncApiKeyStore
from ..principal import ApiKey
from ..revocation import masked_url, prefix_problems, server_problems
from ..secret import Secret
from .entries import StoredKey, read_entry
from .form import DEFAULT_PREFIX, key_id, prefix_problem
from .remote import RemoteKeys

__all__ = ["ApiKeys", "RedisKeys", "StaticKeys"]

_DECOY: Final = StoredKey.decoy()


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class StaticKeys:
    """Keys that are part of the configuration.

    Args:
        keys: Tables by key id; what is wrong with them is told by ``problems()``.
        prefix: What the keys begin with.
        where: What problems begin with, such as the name of a file.
    """

    _table: Mapping[str, StoredKey]
    _prefix: str
    _problems: tuple[str, ...]

    def __init__(self, keys: object, prefix: str, where: str = "") -> None:
        problems: list[str] = []
        table: dict[str, StoredKey] = {}
        if not isinstance(keys, Mapping):
            problems.append("give a mapping of key ids, or ApiKeys.from_file(path)")
        elif not keys:
            problems.append("there is none; add a key, or leave api_keys= out")
        else:
            entries = cast("Mapping[str, object]", keys)
            read = {
                str(name): read_entry(str(name), entry, prefix, problems) for name, entry in entries.items()
            }
            table = {name: stored for name, stored in read.items() if stored is not None}
        object.__setattr__(self, "_table", MappingProxyType(table))
        object.__setattr__(self, "_prefix", prefix)
        object.__setattr__(self, "_problems", tuple(where + problem for problem in problems))

    def problems(self) -> list[str]:
        """What is wrong with them: a sentence each, with member and fix (Law 1.6)."""
        return list(self._problems)

    def find(self, presented: Secret) -> ApiKey | None:
        """The key that was presented, or None; an id that is not there takes no less than a wrong secret."""
        name = key_id(presented.reveal(), self._prefix)
        return self._table.get(name or "", _DECOY).proven(presented)

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"StaticKeys({len(self)} keys)"


@dataclass(frozen=True, slots=True)
class RedisKeys:
    """Keys in Redis or Valkey, which ``gate.api_keys`` mints and removes.

    Args:
        client_or_url: As for ``RedisRevocation``.
        namespace: What every name in Redis begins with.
        accept_slow_client: Accept, in writing, a client with time-outs above 1 s or more than one retry.
    """

    client_or_url: object
    _: KW_ONLY
    namespace: str = "authgate"
    accept_slow_client: bool = False

    def problems(self, colour: Literal["sync", "async"]) -> list[str]:
        """What is wrong with it: a sentence each, naming the setting and the fix (Law 1.6)."""
        server, slow = self.client_or_url, self.accept_slow_client
        found = server_problems("ApiKeys.redis", server, colour, accept_slow=slow)
        return [*found, *prefix_problems(self.namespace, "namespace")]

    def __repr__(self) -> str:
        server = self.client_or_url
        shown = repr(masked_url(server)) if isinstance(server, str) else f"<{type(server).__name__}>"
        return f"RedisKeys({shown}, namespace={self.namespace!r})"


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Who knows API keys: ``ApiKeys.from_file(path)``, ``ApiKeys.redis(url)``, ``ApiKeys.auth_service(url)``, or yours.

    Args:
        store: Who knows them; one of your own is an ``ApiKeyStore`` or an ``AsyncApiKeyStore`` of ``ports``.
        prefix: What the keys begin with; what begins in another way is refused unasked (Law 6.7).
    """

    store: StaticKeys | RedisKeys | RemoteKeys | ApiKeyStore | AsyncApiKeyStore
    _: KW_ONLY
    prefix: str = DEFAULT_PREFIX

    @classmethod
    def static(cls, keys: Mapping[str, Mapping[str, object]], *, prefix: str = DEFAULT_PREFIX) -> ApiKeys:
        """Keys from a mapping of key ids to tables.

        A table holds the ``secret_hash`` that ``python -m authgate_core api-key`` prints, and may hold ``owner_id``,
        ``service``, ``tenant``, ``roles``, ``scopes`` and ``expires_at``, a date and time or Unix seconds.

        Args:
            keys: The tables. What is wrong with them is told by ``problems()``; no gate is built then.
            prefix: What the keys begin with.
        """
        return cls(StaticKeys(keys, prefix), prefix=prefix)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, prefix: str = DEFAULT_PREFIX) -> ApiKeys:
        """Read a TOML file with one table for each key, now; one that cannot be read is among the ``problems()``."""
        name = os.fspath(path)
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - Path would change the path that a problem names
                tables: object = tomllib.load(file)
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            return cls(
                StaticKeys(None, prefix, f"the file {name!r} cannot be read as TOML ({why}): "), prefix=prefix
            )
        return cls(StaticKeys(tables, prefix, f"in {name!r}: "), prefix=prefix)

    @classmethod
    def redis(
        cls,
        client_or_url: object,
        *,
        prefix: str = DEFAULT_PREFIX,
        namespace: str = "authgate",
        accept_slow_client: bool = False,
    ) -> ApiKeys:
        """Keys in Redis or Valkey, asked at every request, so that one that was removed is refused at the next.

        Args:
            client_or_url: As for ``RedisRevocation``.
            prefix: What the keys begin with.
            namespace: What every name in Redis begins with.
            accept_slow_client: Accept, in writing, a client with time-outs above 1 s or more than one retry.
        """
        store = RedisKeys(client_or_url, namespace=namespace, accept_slow_client=accept_slow_client)
        return cls(store, prefix=prefix)

    @classmethod
    def auth_service(
        cls, base_url: str, *, prefix: str = "sk", name: str = "auth_service", allow_http: bool = False
    ) -> ApiKeys:
        """Keys that a central auth service hands out and is asked about, at ``{base_url}/auth/introspect``.

        A yes is remembered for a minute and never beyond the key's end, a no for 10 s (Law 7.4). Such keys have a
        prefix, but no checksum that is known here: what begins with it is asked about.

        Args:
            base_url: Where it is.
            prefix: What its keys begin with.
            name: The ``issuer`` of its keys, and what logs call it.
            allow_http: Whether ``base_url`` may be http beyond loopback.
        """
        return cls(RemoteKeys(base_url, name=name, allow_http=allow_http), prefix=prefix)

    def problems(self, colour: Literal["sync", "async"]) -> list[str]:
        """What is wrong with it, but for a store of your own: a sentence each, with the fix (Law 1.6).

        Args:
            colour: ``sync`` for ``Gate``, ``async`` for ``AsyncGate``.
        """
        problem = prefix_problem(self.prefix)
        found = [] if problem is None else [problem]
        if isinstance(self.store, (StaticKeys, RemoteKeys)):
            found += self.store.problems()
        elif isinstance(self.store, RedisKeys):
            found += self.store.problems(colour)
        return found

    def fits(self, presented: Secret) -> bool:
        """Whether this may be one of the keys, which no store need be asked for (Law 6.7)."""
        if isinstance(self.store, RemoteKeys):
            return presented.reveal().startswith(f"{self.prefix}_")
        return key_id(presented.reveal(), self.prefix) is not None
