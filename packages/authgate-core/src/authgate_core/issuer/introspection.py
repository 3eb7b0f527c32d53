"""How an issuer is asked about tokens that cannot be verified here, or shall not be (RFC 7662)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..clients import ClientAuthentication, is_client
from ..request import url_problems

__all__ = ["Introspection"]

_LONGEST: Final = 30.0
_LONGEST_CALL: Final = 5.0
_MOST_FAILURES: Final = 5
_LONGEST_REST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Introspection:
    """Has an issuer say whether a token is active, and what it means.

    Args:
        url: The introspection endpoint; the client's credentials are sent there and nowhere else (Law 4.9).
        client: Who this service is to the issuer.
        opaque: Whether it is asked about tokens that are no JWTs.
        jwts: Whether it is asked about its JWTs too, instead of verifying them here.
        signed: Whether answers must be signed with the keys of the issuer (RFC 9701); others are not believed then.
        remember: How long a yes counts at most, in seconds, from 0 to 30; a no counts for 5 (Law 7.4).
        timeout: How long one question may take in all, in seconds, at most 5.
        opens_after: How many failures in a row have the endpoint left alone, at most 5.
        longest_rest: For how long at most before it is tried again, in seconds, at most 2.
    """

    url: str
    client: ClientAuthentication
    opaque: bool = True
    jwts: bool = False
    signed: bool = False
    remember: float = _LONGEST
    timeout: float = _LONGEST_CALL
    opens_after: int = _MOST_FAILURES
    longest_rest: float = _LONGEST_REST

    def problems(self, *, plain_http: bool, issuer: str | None) -> Iterator[str]:
        """What is wrong with it (Law 1.6).

        Args:
            plain_http: Whether http beyond loopback was allowed.
            issuer: The exact ``iss`` of the issuer.
        """
        yield from url_problems("introspection: url", self.url, plain_http=plain_http)
        if is_client(self.client):
            yield from (f"introspection: {problem}" for problem in self.client.problems())
        else:
            yield "introspection: client is who this service is to the issuer; give ClientSecret or PrivateKeyJwt"
        if not (self.opaque or self.jwts):
            yield "introspection: asks about no token; leave it out, or set opaque=True or jwts=True"
        if issuer is None and (self.signed or self.jwts):
            yield "introspection: signed answers and JWTs name their issuer; this one has issuer=None"
        yield from self._limit_problems()

    def _limit_problems(self) -> Iterator[str]:
        limits = (
            ("remember", self.remember, 0.0, _LONGEST),
            ("timeout", self.timeout, 0.01, _LONGEST_CALL),
            ("opens_after", self.opens_after, 1, _MOST_FAILURES),
            ("longest_rest", self.longest_rest, 0.01, _LONGEST_REST),
        )
        for name, value, least, most in limits:
            if not _is_number(value) or not least <= value <= most:
                yield f"introspection: {name}={value!r} is not between {least:g} and {most:g}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
