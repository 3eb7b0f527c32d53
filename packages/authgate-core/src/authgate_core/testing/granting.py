"""The token endpoint of the pretended issuer: tokens for services, in exchange for others, and refreshed ones."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs

from ..errors import InvalidToken
from ..jose.compact import Limits, parse_object
from ..jose.keys import read_key_set
from ..jose.signature import DEFAULT_ALGORITHMS
from ..jose.verify import verify_signature
from .introspection import IntrospectionDesk
from .server import Answer, Asked
from .shapes import ABSENT, encode_json
from .tokens import TokenMint

__all__ = ["TOKEN_PATH", "TokenDesk"]

TOKEN_PATH: Final = "/token"
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"
_PROOF: Final = frozenset({"client_secret", "client_assertion", "client_assertion_type"})
_LIMITS: Final = Limits()

_Form: TypeAlias = Mapping[str, str]
_Granted: TypeAlias = tuple[str, dict[str, object]] | None
"""Whose token it is and what it says besides; None for a grant that is not valid."""


class TokenDesk:
    """Issues tokens to the clients that the introspection endpoint knows (RFC 6749, RFC 8693).

    Attributes:
        lifetime: For how many seconds tokens are issued.
        rotates: Whether each refresh token is good once, as it should be; one that is used again ends its family.
        asked: The form of every request that was answered, in order; without what proves the client.
        issued: The tokens that were issued, in order.
    """

    def __init__(self, clients: IntrospectionDesk) -> None:
        self.lifetime = 300
        self.rotates = True
        self.asked: list[dict[str, str]] = []
        self.issued: list[str] = []
        self._clients = clients
        self._families: dict[str, str] = {}
        self._subjects: dict[str, str] = {}

    def refresh_token(self, sub: str = "u1") -> str:
        """A refresh token of a person's, the first of its family."""
        family = uuid.uuid4().hex
        self._subjects[family] = sub
        return self._next(family)

    def end_session(self, sub: str) -> None:
        """Take no refresh token of a person's any more."""
        self._subjects = {family: whose for family, whose in self._subjects.items() if whose != sub}

    def answer(self, asked: Asked, mint: TokenMint) -> Answer:
        """What a request is answered, with tokens of that mint."""
        form = {name: values[-1] for name, values in parse_qs(asked.body.decode()).items()}
        client = self._clients.client_of(asked, form)
        if client is None:
            return _refused("invalid_client", status=401)
        self.asked.append({name: value for name, value in form.items() if name not in _PROOF})
        grant = self._grants.get(form.get("grant_type", ""))
        if grant is None:
            return _refused("unsupported_grant_type")
        granted = grant(form, client, mint)
        return _refused("invalid_grant") if granted is None else self._issue(form, client, mint, *granted)

    @property
    def _grants(self) -> Mapping[str, Callable[[_Form, str, TokenMint], _Granted]]:
        return {
            "client_credentials": self._own_name,
            _EXCHANGE: self._exchange,
            "refresh_token": self._refresh,
        }

    def _issue(self, form: _Form, client: str, mint: TokenMint, sub: str, more: dict[str, object]) -> Answer:
        audience = form.get("resource") or form.get("audience") or mint.audience
        refresh_token = more.pop("refresh_token", ABSENT)
        lifetime = self.lifetime
        named: dict[str, Any] = {
            "aud": audience,
            "client_id": client,
            "scope": form.get("scope", ABSENT),
            **more,
        }
        token = mint.token(sub, expires_in=lifetime, **named)
        self.issued.append(token)
        members = {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}
        kind = _ACCESS_TOKEN if form["grant_type"] == _EXCHANGE else ABSENT
        return Answer(encode_json({**members, "issued_token_type": kind, "refresh_token": refresh_token}))

    def _own_name(self, _form: _Form, client: str, _mint: TokenMint) -> _Granted:
        return client, {}

    def _exchange(self, form: _Form, client: str, mint: TokenMint) -> _Granted:
        """A token for whoever a token of this issuer speaks of; the client acts, and so did who acted before."""
        claims = _read(form.get("subject_token", ""), mint)
        if claims is None or form.get("subject_token_type") != _ACCESS_TOKEN:
            return None
        act = {"sub": client, **({"act": claims["act"]} if "act" in claims else {})}
        return str(claims["sub"]), {"act": act}

    def _refresh(self, form: _Form, _client: str, _mint: TokenMint) -> _Granted:
        presented = form.get("refresh_token", "")
        family = presented.partition(".")[0]
        sub = self._subjects.get(family)
        if sub is None or self._families.get(family) != presented:
            self._subjects.pop(family, None)  # somebody else has used it before (RFC 9700 section 4.14)
            return None
        return sub, {"refresh_token": self._next(family)} if self.rotates else {}

    def _next(self, family: str) -> str:
        self._families[family] = f"{family}.{uuid.uuid4().hex}"
        return self._families[family]


def _read(token: str, mint: TokenMint) -> dict[str, Any] | None:
    """The claims of a token that the mint has signed and that has not ended."""
    algorithms = DEFAULT_ALGORITHMS
    try:
        payload = verify_signature(token, read_key_set(mint.jwks(), algorithms).keys, algorithms)
        claims = parse_object(payload, _LIMITS)
    except InvalidToken:
        return None
    return claims if claims["exp"] > mint.clock.now().wall else None


def _refused(error: str, *, status: int = 400) -> Answer:
    return Answer(encode_json({"error": error}), status=status)
