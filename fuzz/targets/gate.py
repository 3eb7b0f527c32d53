"""A whole gate under any token: nobody is let in by one that the issuer did not sign (Laws 3.1, 3.2, 3.11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import authgate_core as ag

from ..honest import hostile_tokens, open_gate, twins
from ..target import hold

__all__ = ["probe", "seeds"]

_GATE: Final = open_gate()


def probe(data: bytes) -> None:
    """A token alone and in a request: refused with 401 or 400, or one of those that were signed."""
    text = data.decode("utf-8", "surrogateescape")
    request = ag.RequestView("GET", "/", [("Authorization", f"Bearer {text}")])
    alone = _refusal(lambda: _GATE.verify_token(text))
    whole = _refusal(lambda: _GATE.admit(request, ag.is_user))
    hold("a refused token is a 401", kept=alone in {None, 401})
    hold("a refused request is a 401, or a 400 where it is malformed", kept=whole in {None, 400, 401})
    if alone is None:
        hold("only what was signed is let in", kept=_is_signed(text))
    if whole is None:
        hold("only what was signed is let in with a request", kept=_is_signed(text.strip(" \t")))


def _refusal(ask: Callable[[], ag.Admission]) -> int | None:
    try:
        ask()
    except ag.AuthgateError as error:
        return error.status
    return None


def _is_signed(token: str) -> bool:
    return token.rpartition(".")[0] in twins()


def seeds() -> Iterator[bytes]:
    """Hostile tokens and their twins."""
    for token in hostile_tokens():
        yield token.encode("utf-8", "surrogateescape")
