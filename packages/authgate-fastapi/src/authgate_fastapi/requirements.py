"""What the guards of a route ask for, in the words of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from typing import Final

from authgate_core import AsyncGate, Policy
from authgate_core.credentials import API_KEY, APP, BEARER, PROJECT_TOKEN_HEADER, Kind
from authgate_core.headers import X_ACTION_TOKEN, X_API_KEY, X_APP_ID, X_APP_SECRET, X_PROJECT_TOKEN
from authgate_core.policy import compile_policy

__all__ = ["SCHEMES", "Asked", "alternatives", "described", "scheme"]

SCHEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "A token: Authorization: Bearer"},
    "Cookie": {"type": "apiKey", "in": "cookie", "name": "", "description": "A token in a cookie"},
    "ActionToken": {
        "type": "apiKey",
        "in": "header",
        "name": X_ACTION_TOKEN,
        "description": "A token that shows that the user has confirmed the action",
    },
    "AppId": {"type": "apiKey", "in": "header", "name": X_APP_ID, "description": "The id of a project"},
    "AppSecret": {"type": "apiKey", "in": "header", "name": X_APP_SECRET, "description": "Its secret"},
    "ProjectToken": {
        "type": "apiKey",
        "in": "header",
        "name": X_PROJECT_TOKEN,
        "description": "A token of a project",
    },
    "ApiKey": {"type": "apiKey", "in": "header", "name": X_API_KEY, "description": "An API key"},
}
"""The security schemes, by the name that they have in a document; what a cookie is called says ``scheme``."""

_BEARER: Final = ("Bearer",)
_COOKIE: Final = ("Cookie",)
_PAIR: Final = ("AppId", "AppSecret")
_TOKEN: Final = ("ProjectToken",)
_KEY: Final = ("ApiKey",)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one guard asks.

    Args:
        policy: Who is let in.
        optional: Whether a request that presents nothing goes on (Law 1.4).
        by_pair: Whether a project may present its app id and secret.
        by_token: Whether a project may present a token.
        by_cookie: Whether a token may come in a cookie.
        plain_body: Whether a refusal has the problem as its body.
    """

    policy: Policy
    optional: bool = False
    by_pair: bool = True
    by_token: bool = False
    by_cookie: bool = False
    plain_body: bool = True

    @classmethod
    def of(cls, policy: Policy, gate: AsyncGate, *, optional: bool = False, plain_body: bool = True) -> Asked:
        """What a guard asks of callers of this gate."""
        by_token = gate.has_source(policy) and PROJECT_TOKEN_HEADER in gate.headers_read(policy)
        by_pair = gate.config.projects is not None or not by_token
        by_cookie = gate.config.cookies is not None
        return cls(policy, optional, by_pair, by_token, by_cookie, plain_body)

    def ways(self) -> Iterator[tuple[str, ...]]:
        """The schemes that are presented together, for each way to be admitted."""
        of_project = (*([_PAIR] if self.by_pair else []), *([_TOKEN] if self.by_token else []))
        presented: Mapping[Kind, tuple[tuple[str, ...], ...]] = {
            BEARER: (_BEARER, _COOKIE) if self.by_cookie else (_BEARER,),
            APP: of_project,
            API_KEY: (_KEY,),
        }
        for branch in compile_policy(self.policy).branches:
            action = ("ActionToken",) if branch.asks_action else ()
            for way in product(*(presented[kind] for kind in branch.kinds)):
                yield (*chain(*way), *action)
        if self.optional:
            yield ()

    def __str__(self) -> str:
        return f"optional: {self.policy!r}" if self.optional else repr(self.policy)


def alternatives(asked: Iterable[Asked]) -> list[dict[str, list[str]]]:
    """The security requirements of which one must be met: guards add up, branches are alternatives.

    What stands in one requirement is needed together (OpenAPI 3.1 section 4.8.30); an empty one means that
    nothing need be presented, and stands last.
    """
    ways = product(*(tuple(one.ways()) for one in asked))
    together = dict.fromkeys(tuple(name for name in SCHEMES if name in chain(*way)) for way in ways)
    return [{name: [] for name in names} for names in sorted(together, key=lambda names: not names)]


def scheme(name: str, gate: AsyncGate) -> dict[str, str]:
    """A security scheme as callers of this gate use it."""
    cookies = gate.config.cookies
    if name != "Cookie" or cookies is None:
        return dict(SCHEMES[name])
    confirmed = f"; what changes something repeats {cookies.csrf} in {cookies.csrf_header}"
    text = SCHEMES[name]["description"] + confirmed
    return {**SCHEMES[name], "name": cookies.access, "description": text}


def described(asked: Iterable[Asked]) -> str:
    """The policies as they are written (Law 8.4)."""
    return "; ".join(map(str, asked))
