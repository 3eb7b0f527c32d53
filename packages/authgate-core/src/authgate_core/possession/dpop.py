"""Proofs of possession in a header of their own, as they are configured (RFC 9449)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Final

from ..request import url_problems
from ..secret import Secret

__all__ = ["DPoP"]

_LONGEST: Final = 300.0
_SHORTEST_SECRET: Final = 32


@dataclass(frozen=True, slots=True)
class DPoP:
    """What DPoP proofs are held against; issuers say with ``confirmation="dpop"`` that their tokens need them.

    Args:
        url: The URL that clients send requests to, up to where the paths begin that this application sees. A proof
            names the whole URL of its request; what a request says of its host is nobody's word.
        window: How many seconds ago, or ahead, by this machine's clock a proof may have been made.
        nonce_secret: Has every proof hold a nonce of this service, five minutes old at most, so that none can be
            made in advance. All processes need the same: at least 32 characters. None asks for no nonce.
    """

    url: str
    _: KW_ONLY
    window: float = 60.0
    nonce_secret: Secret | None = None

    def problems(self) -> Iterator[str]:
        """What is wrong with it: one sentence each, naming the setting and the fix (Law 1.6)."""
        url: object = self.url
        yield from url_problems("dpop: url", url, plain_http=None)
        if isinstance(url, str) and ("?" in url or "#" in url):
            yield "dpop: url: must not hold a query or a fragment; write https://host"
        window: object = self.window
        is_number = isinstance(window, (int, float)) and not isinstance(window, bool)
        if not is_number or not 0 < self.window <= _LONGEST:
            yield f"dpop: window: {window!r} is not a positive number of seconds, at most {_LONGEST:g}"
        secret: object = self.nonce_secret
        if secret is not None and not (isinstance(secret, Secret) and len(secret) >= _SHORTEST_SECRET):
            yield f"dpop: nonce_secret: give a Secret of at least {_SHORTEST_SECRET} characters, or leave it out"
