"""Attacks by names: of keys, issuers and audiences (Laws 3.4 to 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...errors import AlgorithmRefused, BadSignature, InvalidToken, UnknownIssuer, UnknownKey
from ..shapes import ABSENT
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["audiences", "issuers", "key_names"]

_NO_TEXT: Final = "the header's kid is not a string"
_STRANGE_KIDS: Final = (
    *("", " ", "*", "%", ".", "/", "..", "0", "null", "undefined", "__proto__", "constructor"),
    *("../../../../dev/null", "/dev/null", "file:///etc/passwd", "C:\\windows\\win.ini", "\\\\host\\share"),
    *("' OR '1'='1", "x' UNION SELECT 'secret' --", "$(sleep 5)", "| sleep 5", "`id`", "{{7*7}}"),
    *("${jndi:ldap://127.0.0.1/x}", "http://127.0.0.1:9/keys", "//127.0.0.1:9/keys", "data:,secret"),
    *("\x00", "\r\nX-Injected: 1", "\x1b[2J", "\u202e1-yek", "\U0001f511", "k" * 1200),
)


def key_names(mint: TokenMint) -> Iterator[Attack]:
    """Truly signed, under a kid that the issuer never gave away."""
    forge = Forge(mint, "kid")
    kid = forge.key.kid
    for number, name in enumerate((*_STRANGE_KIDS, *_lookalikes(kid))):
        what = f"{number} {ascii(name)[:40]}"
        yield _unknown(forge, what, name)
    for value in (None, True, False, 1, 1.5, [], [kid], {}, {"kid": kid}):
        yield forge.of_header(f"is {value!r}", "3.4", {"kid": value}, _NO_TEXT)


def _unknown(forge: Forge, what: str, kid: str) -> Attack:
    reason = "no key of the issuer"
    return forge.of_header(what, "3.4", {"kid": kid}, reason, refusal=UnknownKey, asks=True)


def _lookalikes(name: str) -> Iterator[str]:
    """Names that some comparison takes for this one."""
    yield from (
        f" {name}",
        f"{name} ",
        f"{name}\n",
        f"{name}\x00",
        f"\ufeff{name}",
        f"{name}\u200b",
        f"{name}\u00ad",
    )
    yield from (name[:-1], name[1:], name[0], name + name, f"{name},{name}", f"x{name}", f"{name}x")
    yield from (name.upper(), name.title(), name.swapcase())
    yield from (
        f"%{ord(name[0]):02x}{name[1:]}",
        f"{chr(ord(name[0]) + 0xFEE0)}{name[1:]}",
        f"{name[0]}\u0301{name[1:]}",
    )


def issuers(mint: TokenMint, other: TokenMint | None = None) -> Iterator[Attack]:
    """Truly signed, in the name of nobody that is trusted; and in that of another issuer that is."""
    forge = Forge(mint, "issuer")
    url = mint.url
    scheme, _, rest = url.partition("://")
    spelled = (
        *(
            f"{url}/",
            f"{url}?",
            f"{url}#",
            f"{url}/.",
            f"{url}//",
            f"{url}/../",
            f"{url}:443",
            f"{url}%2f",
            f"{url}.",
        ),
        *(
            f"http://{rest}" if scheme == "https" else f"https://{rest}",
            f"//{rest}",
            rest,
            f"{scheme}:{rest}",
        ),
        *(f"{scheme}://user@{rest}", f"{scheme}://evil.test@{rest}", f"{url}@evil.test", f"{url}.evil.test"),
        *(f"https://evil.test/{url}", f"{url} https://evil.test", f"{url},https://evil.test"),
        *(f"{scheme}://{rest.upper()}", "", "null", "https://evil.test", *_lookalikes(url)),
    )
    for number, iss in enumerate(dict.fromkeys(spelled)):
        if iss != url:
            yield _of_nobody(forge, f"{number} {ascii(iss)[:60]}", iss)
    for value in (None, ABSENT, [url], [url, "x"], {"iss": url}, True, 0, [], [[url]]):
        yield _of_nobody(forge, f"is {value!r}", value)
    if other is not None:
        yield from _crossed(forge, other)


def _of_nobody(forge: Forge, what: str, iss: object) -> Attack:
    return forge.of_claims(what, "3.5", {"iss": iss}, about="no configured issuer", refusal=UnknownIssuer)


def _crossed(forge: Forge, other: TokenMint) -> Iterator[Attack]:
    """One issuer's key under another's name; both are trusted."""
    theirs = Forge(other, "issuer")
    for what, bench, victim in (("the other's", forge, other), ("this one's", theirs, forge.mint)):
        header, claims = bench.header(kid=victim.kid), bench.claims(iss=victim.url, aud=victim.audience)
        twin = bench.signed({**header, "kid": bench.key.kid}, {**claims, "iss": bench.mint.url})
        token = bench.signed(header, claims)
        refusal, reason = _by_its_key(bench, victim)
        yield forge.attack(f"{what} name and kid, own key", "3.5", token, refusal, reason, twin=twin)


def _by_its_key(bench: Forge, victim: TokenMint) -> tuple[type[InvalidToken], str]:
    if bench.key.fits(victim.key().algorithm):
        return BadSignature, "the signature of"
    return AlgorithmRefused, "the key of this kid does not verify the alg of the token"


def audiences(mint: TokenMint) -> Iterator[Attack]:
    """Truly signed, and meant for somebody else."""
    forge, name = Forge(mint, "audience"), mint.audience
    others = (
        *(f"not-{name}", "", "*", "null", f"{name}/", f"{name}.evil.test", f"{name}?x", f"https://{name}"),
        *(f"{name} other", f"other {name}", f"{name},other", f'["{name}"]', *_lookalikes(name)),
    )
    for number, aud in enumerate(dict.fromkeys(others)):
        if aud != name:
            yield forge.of_claims(f"{number} {ascii(aud)[:40]}", "3.6", {"aud": aud}, {"aud": [aud, name]})
    for value in (None, ABSENT, [], [[name]], [None], [name, 1], [name, None], {name: True}, {}, True, 0):
        yield forge.of_claims(f"is {value!r}", "3.6", {"aud": value}, {"aud": [name]})
