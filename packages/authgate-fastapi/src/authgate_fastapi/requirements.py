"""What the guards of a route ask for, in the words of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Final

from authgate_core import Policy
from authgate_core.credentials import APP, BEARER, Kind
from authgate_core.headers import X_APP_ID, X_APP_SECRET
from authgate_core.policy import compile_policy

__all__ = ["SCHEMES", "Asked", "alternatives", "described"]

SCHEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "A token: Authorization: Bearer"},
    "AppId": {"type": "apiKey", "in": "header", "name": X_APP_ID, "description": "The id of a project"},
    "AppSecret": {"type": "apiKey", "in": "header", "name": X_APP_SECRET, "description": "Its secret"},
}
"""The security schemes, by the name that they have in a document."""

_PRESENTED_BY: Final[Mapping[Kind, tuple[str, ...]]] = {BEARER: ("Bearer",), APP: ("AppId", "AppSecret")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What one guard asks.

    Args:
        policy: Who is let in.
        optional: Whether a request that presents nothing goes on (Law 1.4).
    """

    policy: Policy
    optional: bool = False

    def __str__(self) -> str:
        return f"optional: {self.policy!r}" if self.optional else repr(self.policy)


def alternatives(asked: Iterable[Asked]) -> list[dict[str, list[str]]]:
    """The security requirements of which one must be met: guards add up, branches are alternatives.

    What stands in one requirement is needed together (OpenAPI 3.1 section 4.8.30); an empty one means that
    nothing need be presented, and stands last.
    """
    ways = product(*(tuple(_ways(one)) for one in asked))
    together = dict.fromkeys(tuple(name for name in SCHEMES if name in chain(*way)) for way in ways)
    return [{name: [] for name in names} for names in sorted(together, key=lambda names: not names)]


def _ways(asked: Asked) -> Iterator[tuple[str, ...]]:
    for branch in compile_policy(asked.policy).branches:
        yield tuple(name for kind in branch.kinds for name in _PRESENTED_BY[kind])
    if asked.optional:
        yield ()


def described(asked: Iterable[Asked]) -> str:
    """The policies as they are written (Law 8.4)."""
    return "; ".join(map(str, asked))
