"""Tokens of an issuer that are no access tokens (Laws 3.8, 3.15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...errors import InvalidClaim
from ..tokens import TokenMint
from .attack import Attack, Forge, Members

__all__ = ["bound", "kinds"]

_OTHERS: Final[tuple[object, ...]] = (
    *("ID", "id", "id_token", "Refresh", "refresh", "refresh_token", "Offline", "Logout", "logout_token"),
    *(
        "verify-email",
        "reset-credentials",
        "execute-actions",
        "action",
        "m2m",
        "dpop",
        "Serialized-ID",
        "UMA",
    ),
    *(
        "",
        " ",
        "access ",
        " access",
        "access\x00",
        "\u0430ccess",
        "acce\u017f\u017f",
        "access,refresh",
        "no-access",
    ),
    *('{"typ":"access"}', '["access"]', None, True, False, 1, [], ["access"], {}, {"typ": "access"}),
)
_HEADER_TYPES: Final = (
    *(
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "id+jwt",
        "kb+jwt",
        "vc+sd-jwt",
        "passport",
        "JOSE",
        "JOSE+JSON",
    ),
    *("entity-statement+jwt", "oauth-authz-req+jwt", "token-introspection+jwt", "client-authentication+jwt"),
    *("", " ", "JWT ", " JWT", "at+jwt ", "at jwt", "at+jwt; x=1", "at+jwt,JWT", "JWT\x00", "\u0430t+jwt"),
    *('{"typ":"at+jwt"}', '"at+jwt"', "application/", "text/at+jwt", "at%2Bjwt"),
)
_DIGESTS: Final[tuple[object, ...]] = ("LDktKdoQak3Pk0cnXxCltA", None, {}, True)
_FOREIGN: Final = ("at_hash", "c_hash", "s_hash", "events")


def kinds(mint: TokenMint) -> Iterator[Attack]:
    """Other kinds by what their claims or their header call themselves, and by claims that only they have."""
    forge = Forge(mint, "kind")
    for name in ("typ", "type", "token_type", "token_use"):
        for value in _OTHERS:
            yield forge.of_claims(f"{name} is {value!a}", "3.8", {name: value}, {name: "access"})
    for name in _FOREIGN:
        for value in _DIGESTS:
            yield forge.of_claims(f"{name} is {value!r}", "3.8", {name: value})
    for typ in _HEADER_TYPES:
        what, reason = f"header typ {typ!a}", "typ header:"
        yield forge.of_header(what, "3.8", {"typ": typ}, reason, refusal=InvalidClaim)
    for value in (None, True, 1, [], ["JWT"], {}, {"typ": "JWT"}):
        yield forge.of_header(f"header typ is {value!r}", "3.8", {"typ": value}, "the header's typ is not")
    yield from _whole(forge)


def _whole(forge: Forge) -> Iterator[Attack]:
    """The tokens that an OpenID provider really hands out, in full."""
    client = {"azp": "web", "sid": "s1"}
    yield forge.of_claims(
        "an ID token",
        "3.8",
        {"at_hash": "x", "nonce": "n", "auth_time": forge.claims()["iat"], **client},
        client,
    )
    logout: Members = {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sid": "s1"}
    yield forge.of_claims("a logout token", "3.8", logout, {"sid": "s1"})
    yield forge.of_claims("a refresh token", "3.8", {"typ": "Refresh", **client}, {"typ": "Bearer", **client})


def bound(mint: TokenMint) -> Iterator[Attack]:
    """Bound to a key that nobody checks here: DPoP and mTLS."""
    forge = Forge(mint, "bound")
    confirmations: tuple[object, ...] = (
        {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
        {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
        {"jwk": mint.stranger().jwk()},
        {"kid": "x"},
        {"jkt": None},
        *({}, [], "", None, False),
    )
    for number, cnf in enumerate(confirmations):
        what = next(iter(cnf)) if isinstance(cnf, dict) and cnf else repr(cnf)
        yield forge.of_claims(f"{number} {what}", "3.15", {"cnf": cnf})
    dpop = {"token_type": "DPoP"}
    yield forge.of_claims("by its type", "3.8", dpop, {"token_type": "Bearer"})
