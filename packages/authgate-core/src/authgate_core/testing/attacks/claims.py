"""Attacks by dates, and by who or what a token speaks of (Laws 3.7, 3.9, 5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ...errors import InvalidClaim, InvalidToken, TokenExpired
from ..shapes import ABSENT, encode_json
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["dates", "identities"]

_LATEST: Final = 253402300799
_LEEWAY: Final = 30
_DATES: Final = ("exp", "nbf", "iat", "auth_time")
_NO_DATES: Final[tuple[object, ...]] = (
    *(True, False, None, [], {}, [1], {"exp": 1}, "", "now", "1900000000", "1_900_000_000", " 1900000000"),
    *(
        "\u0661\u0669\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660",
        "2030-01-01T00:00:00Z",
        "0x7fffffff",
        "1e9",
    ),
    *(-1, -0.5, -1e300, _LATEST + 1, 2**53, 2**63, 2**64, 10**40, 1e15, 1e300),
)


def dates(mint: TokenMint) -> Iterator[Attack]:
    """What is no date, dates that are over, and dates that have not come."""
    forge = Forge(mint, "date")
    now = forge.claims()["iat"]
    for name in _DATES:
        for value in _NO_DATES:
            yield forge.of_claims(f"{name} is {value!a}", "3.7", {name: value}, {name: _honest(name, now)})
        later = now * 1000
        yield forge.of_claims(f"{name} in milliseconds", "3.7", {name: later}, {name: _honest(name, now)})
    yield forge.of_claims("no exp", "3.7", {"exp": ABSENT})
    for name in _DATES[1:]:
        for what, ahead in (
            ("half a minute and 1 s", 1),
            ("an hour", 3600),
            ("a fraction of a second", 0.25),
        ):
            flawed, honest = {name: now + _LEEWAY + ahead}, {name: now + _LEEWAY}
            attack = forge.of_claims(f"{name} ahead by {what}", "3.7", flawed, honest)
            yield replace(attack, lasts=ahead > mint.claims()["exp"] - now)
    for what, exp in (
        ("the leeway", now - _LEEWAY),
        ("a day", now - 86400),
        ("all time", 0),
        ("a fraction of a second", now - _LEEWAY - 0.25),
    ):
        honest = {"exp": now - _LEEWAY + 1}
        yield forge.of_claims(
            f"expired since {what}", "3.7", {"exp": exp}, honest, about="expired ", refusal=TokenExpired
        )
    yield from _spelled(forge)


def _honest(name: str, now: int) -> float:
    return now + 300.5 if name == "exp" else now - 0.5


def _spelled(forge: Forge) -> Iterator[Attack]:
    """Numbers that only a text can spell."""
    for name in _DATES:
        for number, refusal, reason in (
            ("-0", TokenExpired, "expired "),
            ("-0.0", TokenExpired, "expired "),
            ("1e-400", TokenExpired, "expired "),
            ("-1e-3", InvalidClaim, f"{name}:"),
            ("9" * 400, InvalidClaim, f"{name}:"),
            ("2.534023008e11", InvalidClaim, f"{name}:"),
        ):
            if name == "exp" or refusal is InvalidClaim:
                yield _number(forge, name, number, refusal, reason)


def _number(forge: Forge, name: str, number: str, refusal: type[InvalidToken], reason: str) -> Attack:
    header, claims = forge.header(), forge.claims()
    twin = forge.signed(header, claims)
    rest = {other: value for other, value in claims.items() if other != name}
    payload = encode_json(rest)[:-1] + f',"{name}":{number}}}'.encode()
    what = f"{name} is {number[:20]}"
    return forge.attack(what, "3.7", forge.signed(header, payload), refusal, reason, twin=twin)


_NO_TEXTS: Final[tuple[object, ...]] = (None, True, 1, 1.5, [], ["u1"], {}, {"id": "u1"}, "")
_NO_NAMES: Final[tuple[object, ...]] = (
    *(
        None,
        True,
        1,
        {},
        {"admin": True},
        [1],
        ["clerk", None],
        ["clerk", ["admin"]],
        [""],
        [{"name": "admin"}],
    ),
)


def identities(mint: TokenMint) -> Iterator[Attack]:
    """Subjects, token names, roles and scopes of another type than they have."""
    forge = Forge(mint, "identity")
    for value in (*_NO_TEXTS, ABSENT, "u" * 256, "u1\n", "u1\x00", "\x7f", "u\u009b1"):
        yield forge.of_claims(f"sub is {value!a}"[:60], "3.9", {"sub": value}, {"sub": "u" * 255})
    for value in _NO_TEXTS:
        yield forge.of_claims(f"jti is {value!r}", "5.9", {"jti": value})
    for value in (*_NO_NAMES, "admin", "clerk,admin"):
        yield forge.of_claims(f"roles is {value!r}", "3.9", {"roles": value}, {"roles": ["clerk"]})
    for value in _NO_NAMES:
        yield forge.of_claims(f"scope is {value!r}", "3.9", {"scope": value}, {"scope": "read write"})
