"""Law 2.3, read word by word: every mix of a token and a project's credentials under every form of policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import authgate_core as ag
from tests.adapter_contract.presenting import Presents, app, authorization, hostile, stranger, user
from tests.adapter_contract.promises import Promise
from tests.adapter_contract.row import (
    APP,
    BEARER,
    UNAVAILABLE,
    Row,
    failed,
    invalid,
    lets_in,
    malformed,
    missing,
    wrong_project,
)

__all__ = ["MIXES"]

TOKENS: Mapping[str, tuple[Presents, ...]] = {
    "no token": (),
    "a malformed token": (authorization("Bearer"),),
    "a forged token": (hostile("forged"),),
    "a token that cannot be checked": (stranger(),),
    "a good token": (user(),),
}
PROJECTS: Mapping[str, tuple[Presents, ...]] = {
    "no project": (),
    "a malformed project": (app("shop,shop"),),
    "a wrong secret": (app("shop", "w" * 40),),
    "a project that cannot be checked": (app("unreachable"),),
    "a good project": (app("shop"),),
}
WHOM: Mapping[str, tuple[ag.Policy, bool]] = {
    "user and project": (ag.is_user & ag.is_project, True),
    "project and user": (ag.is_project & ag.is_user, True),
    "user or project": (ag.is_user | ag.is_project, False),
    "project or user": (ag.is_project | ag.is_user, False),
}

_ABSENT, _MALFORMED, _INVALID, _DOWN, _GOOD = range(5)


def promised(token: int, project: int, *, both: bool) -> Promise:
    """How a mix ends: any malformed, else any invalid, else any outage, else the policy decides."""
    states = (token, project)
    if _MALFORMED in states:
        return malformed(*_tried(states.index(_MALFORMED), "invalid_request"))
    if _INVALID in states:
        at = states.index(_INVALID)
        return (invalid, wrong_project)[at](*_tried(at, "invalid_token"))
    if _DOWN in states:
        return UNAVAILABLE
    if _ABSENT in states if both else states == (_ABSENT, _ABSENT):
        return missing(*(scheme for scheme, state in zip((BEARER, APP), states, strict=True) if not state))
    if both:
        return lets_in(user="u1", project="p1")
    return lets_in(user="u1") if token == _GOOD else lets_in(project="p1")


def _tried(failed_at: int, error: str) -> tuple[str, ...]:
    schemes = [BEARER, APP]
    schemes[failed_at] = failed(schemes[failed_at], error)
    return tuple(schemes)


def _rows() -> Iterator[Row]:
    for (whom, (policy, both)), token, project in product(WHOM.items(), range(5), range(5)):
        (named, presents), (other, besides) = [*TOKENS.items()][token], [*PROJECTS.items()][project]
        name = f"{whom}: {named}, {other}"
        ends = promised(token, project, both=both)
        yield Row(name, "2.3", (*presents, *besides), policy, ends, gate="parts")


MIXES: tuple[Row, ...] = tuple(_rows())
