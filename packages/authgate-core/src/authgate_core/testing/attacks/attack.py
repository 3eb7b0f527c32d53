"""One hostile token, and the bench on which they are made."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ...errors import InvalidClaim, InvalidToken, MalformedToken
from ..keys import SigningKey
from ..shapes import encode_json, encode_segment
from ..tokens import TokenMint

__all__ = ["Attack", "Forge", "Members"]

Members: TypeAlias = Mapping[str, object]
_NOTHING: Final[Members] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Attack:
    """A token that no gate may accept, beside the honest one that it was made of.

    Args:
        name: Its class and what it tries, such as ``confusion/RSA as SPKI PEM``.
        law: The law that refuses it.
        token: The token.
        refusal: What is raised.
        reason: How the reason of the refusal begins: it is refused for what is wrong with it and for nothing else.
        twin: The same without its flaw, which a gate accepts.
        asks: Whether its issuer may be asked for newer keys before it is refused (Law 4.5).
        is_presentable: Whether a header can carry it; if not, a request with it is malformed (Laws 2.2, 2.4).
        lasts: Whether it is as bad a moment later; what is dated a little ahead is good by then.
    """

    name: str
    law: str
    token: str = field(repr=False)
    refusal: type[InvalidToken]
    reason: str
    twin: str = field(repr=False)
    asks: bool = False
    is_presentable: bool = True
    lasts: bool = True

    @property
    def kind(self) -> str:
        """Its class."""
        return self.name.partition("/")[0]

    def __str__(self) -> str:
        return self.name


class Forge:
    """Makes tokens of an issuer, honest ones and others, and calls no two of them by one ``jti``.

    Every header has a number of its own, so that what a gate remembers of one says nothing of another.

    Args:
        mint: Whose tokens they are or pretend to be.
        kind: The class of the attacks.
        kid: The key that signs; by default the one that the mint signs with.
    """

    def __init__(self, mint: TokenMint, kind: str, kid: str | None = None) -> None:
        self.mint = mint
        self.key: SigningKey = mint.key(kid)
        self._kind = kind
        self._numbers = itertools.count(1)

    def with_key(self, kid: str) -> Forge:
        """The same bench with another key."""
        other = Forge(self.mint, self._kind, kid)
        other._numbers = self._numbers
        return other

    def header(self, **changes: object) -> dict[str, object]:
        """An honest header with changes; ``ABSENT`` leaves a member out."""
        honest = self.mint.header(self.key.algorithm, self.key.kid)
        return {**honest, "n": f"{self._kind}-{next(self._numbers)}", **changes}

    def claims(self, **changes: object) -> dict[str, Any]:
        """Honest claims with changes; Any because they are JSON."""
        return {**self.mint.claims(), "jti": f"{self._kind}-{next(self._numbers)}", **changes}

    def signed(self, header: Members | bytes, claims: Members | bytes) -> str:
        """A token with a good signature, whatever it says."""
        return self.mint.raw_token(
            _encoded(header), _encoded(claims), algorithm=self.key.algorithm, kid=self.key.kid
        )

    def message(self, header: Members | bytes, claims: Members | bytes) -> str:
        """What a signature would cover."""
        return f"{encode_segment(_encoded(header))}.{encode_segment(_encoded(claims))}"

    def attack(
        self,
        what: str,
        law: str,
        token: str,
        refusal: type[InvalidToken],
        reason: str,
        *,
        twin: str | None = None,
        asks: bool = False,
        is_presentable: bool = True,
    ) -> Attack:
        """An attack of this class; without a ``twin`` a plain token of the issuer is its twin."""
        honest = self.signed(self.header(), self.claims()) if twin is None else twin
        name = f"{self._kind}/{what}"
        return Attack(name, law, token, refusal, reason, honest, asks, is_presentable)

    def of_claims(
        self,
        what: str,
        law: str,
        flawed: Members,
        honest: Members = _NOTHING,
        *,
        about: str = "",
        refusal: type[InvalidToken] = InvalidClaim,
    ) -> Attack:
        """An attack by the claims of a token whose signature is good.

        Args:
            what: What it tries.
            law: The law that refuses it.
            flawed: Claims to add or replace.
            honest: The same for its twin.
            about: How the reason begins: the claim that is refused; by default the first of the flawed.
            refusal: What is raised.
        """
        header, claims = self.header(), self.claims()
        twin = self.signed(header, {**claims, **honest})
        reason = about or f"{next(iter(flawed))}:"
        token = self.signed(header, {**claims, **flawed})
        return self.attack(what, law, token, refusal, reason, twin=twin)

    def of_header(
        self,
        what: str,
        law: str,
        flawed: Members,
        reason: str,
        *,
        refusal: type[InvalidToken] = MalformedToken,
        asks: bool = False,
    ) -> Attack:
        """An attack by the header of a token whose signature is good."""
        header, claims = self.header(), self.claims()
        token = self.signed({**header, **flawed}, claims)
        return self.attack(what, law, token, refusal, reason, twin=self.signed(header, claims), asks=asks)

    def of_text(
        self, what: str, law: str, flawed: Members | bytes, reason: str, *, header: bytes = b""
    ) -> Attack:
        """An attack by what its JSON texts are made of, truly signed: of the payload, or where given of the header."""
        honest, claims = self.header(), self.claims()
        token = self.signed(header or honest, flawed)
        if isinstance(flawed, bytes) and not _begins_an_object(flawed):
            reason = "the payload is not a JSON object"  # seen before anything is decoded
        return self.attack(what, law, token, MalformedToken, reason, twin=self.signed(honest, claims))

    def each_key(self) -> Iterator[Forge]:
        """The same bench with each key that is published."""
        return (self.with_key(kid) for kid in self.mint.kids)


def _begins_an_object(payload: bytes) -> bool:
    return payload != b"" and payload.lstrip(b" \t\r\n")[:1] in {b"{", b""}


def _encoded(part: Members | bytes) -> bytes:
    return part if isinstance(part, bytes) else encode_json(part)
