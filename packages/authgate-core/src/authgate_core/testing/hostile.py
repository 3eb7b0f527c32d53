"""Tokens that no gate may accept, each one step away from a good one."""

from __future__ import annotations

from .keys import SIGNERS
from .shapes import encode_json, encode_segment
from .tokens import TokenMint

__all__ = ["HostileTokens"]


class HostileTokens:
    """Forged and misused tokens; each takes a subject, and claims to add or replace.

    Args:
        mint: Whose tokens they pass themselves off as.
    """

    def __init__(self, mint: TokenMint) -> None:
        self._mint = mint

    def unsigned(self, sub: object = "u1", **claims: object) -> str:
        """``alg: none`` and no signature (RFC 8725 section 2.1)."""
        return f"{self._message('none', sub, claims)}."

    def tampered(self, sub: object = "u1", *, becomes: object = "admin", **claims: object) -> str:
        """A good token whose ``sub`` was changed after it was signed."""
        good = {**self._mint.claims(sub), **claims}
        header, _, signature = self._signed(good).split(".")
        return f"{header}.{encode_segment(encode_json({**good, 'sub': becomes}))}.{signature}"

    def forged(self, sub: object = "u1", **claims: object) -> str:
        """Signed with a stranger's key under the issuer's own ``kid``."""
        stranger = self._mint.stranger()
        message = self._message(stranger.algorithm, sub, claims)
        return f"{message}.{encode_segment(stranger.sign(message.encode('ascii'), stranger.algorithm))}"

    def keyed_with_public_key(self, sub: object = "u1", **claims: object) -> str:
        """HS256 with the published key as the secret: algorithm confusion (RFC 8725 section 2.1)."""
        message = self._message("HS256", sub, claims)
        signature = SIGNERS["HS256"].sign(message.encode("ascii"), self._mint.key().public_pem())
        return f"{message}.{encode_segment(signature)}"

    def expired(self, sub: object = "u1", *, ago: float = 3600, **claims: object) -> str:
        """Good once, until ``ago`` seconds before now."""
        plain = self._mint.claims(sub)
        times = {"iat": plain["iat"] - ago - 300, "exp": plain["iat"] - ago}
        return self._signed({**plain, **times, **claims})

    def for_another_audience(self, sub: object = "u1", **claims: object) -> str:
        """Meant for another API of the same issuer (Law 3.6)."""
        return self._signed({**self._mint.claims(sub), "aud": f"not-{self._mint.audience}", **claims})

    def refresh(self, sub: object = "u1", **claims: object) -> str:
        """A refresh token: good, but no access token (Law 3.8)."""
        return self._signed({**self._mint.claims(sub), "token_use": "refresh", **claims}, typ="JWT")

    def _signed(self, claims: dict[str, object], **header: object) -> str:
        return self._mint.raw_token(encode_json({**self._mint.header(), **header}), encode_json(claims))

    def _message(self, algorithm: str, sub: object, claims: dict[str, object]) -> str:
        payload = {**self._mint.claims(sub), **claims}
        parts = (self._mint.header(algorithm), payload)
        return ".".join(encode_segment(encode_json(part)) for part in parts)
