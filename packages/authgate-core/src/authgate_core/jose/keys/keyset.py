"""A key, and the set of keys that an issuer has at one time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..compact import Header
from ..signature import Check, Material, checker

__all__ = ["Key", "KeySet"]

_MAX_TRIES: Final = 4
_MAX_HEADERS: Final = 64


@dataclass(frozen=True, slots=True)
class Key:
    """A public key or shared secret, ready to verify with.

    Args:
        kid: Its name (RFC 7517 section 4.5).
        kty: Its type: ``RSA``, ``EC``, ``OKP`` or ``oct``.
        crv: Its curve, where the type has curves.
        algorithms: What it may verify: the allow-list less what its type, ``alg``, ``use`` and size rule out.
        material: What verifies.
        answers_any_kid: Whether it stands for every ``kid``: a configured key that nobody named.
    """

    kid: str | None
    kty: str
    crv: str | None
    algorithms: frozenset[str]
    material: Material = field(repr=False, hash=False)
    answers_any_kid: bool = False
    _checks: Mapping[str, Check] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checks = {alg: checker(self.material, alg) for alg in self.algorithms}
        object.__setattr__(self, "_checks", checks)

    def verifies(self, alg: str, signing_input: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's; False also where the algorithm does not fit the key."""
        check = self._checks.get(alg)
        return check is not None and check(signing_input, signature)


class KeySet:
    """The keys of one (issuer, tenant) at one time; never changed, only replaced (Law 3.12).

    Args:
        keys: In document order.
    """

    __slots__ = ("_by_kid", "_headers", "_members", "_unnamed", "keys")

    def __init__(self, keys: Sequence[Key]) -> None:
        self.keys: Final = tuple(keys)
        self._by_kid: dict[str, tuple[Key, ...]] = {}
        for key in self.keys:
            if key.kid is not None:
                self._by_kid[key.kid] = (*self._by_kid.get(key.kid, ()), key)
        self._unnamed = tuple(key for key in self.keys if key.answers_any_kid)
        self._members = frozenset(map(id, self.keys))
        self._headers: dict[str, tuple[Header, Key]] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"KeySet({list(self.keys)!r})"

    def __contains__(self, key: Key) -> bool:
        """Whether this very key is one of the set; an equal one of another set is not."""
        return id(key) in self._members

    def has_kid(self, kid: str) -> bool:
        """Whether some key answers to ``kid``, whatever it may verify."""
        return kid in self._by_kid or bool(self._unnamed)

    def select(self, kid: str | None, alg: str) -> tuple[Key, ...]:
        """The keys to try for a token (Law 3.4).

        Args:
            kid: The token's; None tries up to four keys in document order.
            alg: The token's; only keys that may verify it are given.

        Returns:
            With a ``kid`` one key, or none where it names none or more than one.
        """
        named = self.keys if kid is None else self._by_kid.get(kid, self._unnamed)
        found = tuple(key for key in named if alg in key.algorithms)
        if kid is None:
            return found[:_MAX_TRIES]
        return found if len(found) == 1 else ()

    def without(self, kids: Collection[str]) -> KeySet:
        """This set less the keys of these names."""
        return KeySet([key for key in self.keys if key.kid not in kids])

    def recall(self, header: str) -> tuple[Header, Key] | None:
        """What a header segment meant on an earlier good token of this set."""
        return self._headers.get(header)

    def remember(self, header: str, parsed: Header, key: Key) -> None:
        """Keep what a header segment means, once the signature of its token was good."""
        if len(self._headers) >= _MAX_HEADERS:
            self._headers.clear()  # one step that readers without a lock cannot see half of (Law 4.2)
        self._headers[header] = (parsed, key)
