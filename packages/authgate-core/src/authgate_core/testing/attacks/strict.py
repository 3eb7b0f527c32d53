"""Attacks on an issuer of whose tokens more is asked: RFC 9068, a maximum lifetime, known parties (Laws 3.7, 3.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ...errors import InvalidClaim
from ...issuer.options import Options
from ..shapes import ABSENT
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["STRICT", "on_strict_terms"]

STRICT: Final[Options] = {
    "require_at_jwt": True,
    "max_lifetime": 3600.0,
    "authorized_parties": ["web"],
    "required_claims": ["org"],
}
"""The options of an issuer that is attacked so."""

_OTHER_PARTIES: Final[tuple[object, ...]] = ("evil", "", "WEB", "web ", "we", ["web"], None, True, {}, 1)


def on_strict_terms(mint: TokenMint) -> Iterator[Attack]:
    """Tokens that a gate with the options of ``STRICT`` refuses."""
    forge = _Strict(mint, "strict")
    for typ in ("JWT", "jwt", "", "at", "at+jwt ", ABSENT):
        what = f"header typ {typ!r}"
        yield forge.of_header(what, "3.8", {"typ": typ}, "typ header:", refusal=InvalidClaim)
    for name in ("sub", "iat", "jti", "client_id", "org"):
        for value in (ABSENT, None):
            yield forge.of_claims(f"{name} is {value!r}", "3.8", {name: value})
    now = forge.claims()["iat"]
    for exp in (now + 3601, now + 3600.5, now + 10**9, 253402300799):
        yield forge.of_claims(f"exp is {exp - now} s away", "3.7", {"exp": exp}, {"exp": now + 3600})
    earlier = {"iat": now - 3500, "exp": now + 101}
    yield forge.of_claims(
        "a life that began long ago", "3.7", earlier, {**earlier, "exp": now + 100}, about="exp:"
    )
    for party in _OTHER_PARTIES:
        yield forge.of_claims(f"azp is {party!r}", "3.5", {"azp": party})
    for party in _OTHER_PARTIES:
        flawed, honest = {"azp": ABSENT, "client_id": party}, {"azp": ABSENT}
        if party is not None:  # RFC 9068 asks for one before it matters which
            yield forge.of_claims(f"without azp, client_id is {party!r}", "3.5", flawed, honest)
    both = {"azp": "evil", "client_id": "web"}
    yield forge.of_claims("azp before client_id", "3.5", both, {"azp": "web", "client_id": "evil"})


class _Strict(Forge):
    """Makes honest tokens that keep RFC 9068 in full."""

    def claims(self, **changes: object) -> dict[str, Any]:
        """As in ``Forge``, with what is asked for besides."""
        return {**super().claims(azp="web", client_id="web", org="north"), **changes}
