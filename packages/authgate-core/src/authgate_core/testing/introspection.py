"""The introspection endpoint of the pretended issuer: opaque tokens, its own clients, JSON or signed answers."""

from __future__ import annotations

import base64
import hmac
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, unquote_plus

import jwt

from ..clock import Clock
from .server import Answer, Asked
from .shapes import ABSENT, encode_json

__all__ = ["INTROSPECTION_PATH", "IntrospectionDesk"]

INTROSPECTION_PATH: Final = "/introspect"
_ASSERTED: Final = ["iss", "sub", "aud", "jti", "iat", "exp"]
_SIGNED: Final = "application/token-introspection+jwt"

Sign: TypeAlias = Callable[[str, Mapping[str, object]], str]
"""Makes a JWT of a header's ``typ`` and claims."""


class IntrospectionDesk:
    """Knows opaque tokens and answers whoever may ask about them (RFC 7662, RFC 9701).

    Attributes:
        clients: Who may ask: the secret of each client, or the PEM of its public key.
        asked: The form of every question that was answered, in order; without what proves the client.
    """

    def __init__(self, clock: Clock) -> None:
        self.clients: dict[str, str] = {}
        self._clock = clock
        self._assertions: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self._known: dict[str, dict[str, Any]] = {}

    def issue(self, claims: Mapping[str, object]) -> str:
        """A new opaque token with these claims."""
        token = uuid.uuid4().hex
        self.know(token, claims)
        return token

    def know(self, token: str, claims: Mapping[str, object]) -> None:
        """Say this of a token, whatever it is; ``ABSENT`` leaves a claim out."""
        self._known[token] = {name: value for name, value in claims.items() if value is not ABSENT}

    def forget(self, token: str) -> None:
        """Say from now on that a token is not active."""
        self._known.pop(token, None)

    def answer(self, asked: Asked, issuer: str, sign: Sign) -> Answer:
        """What a question is answered; with 401 where the client proves nothing."""
        form = {name: values[-1] for name, values in parse_qs(asked.body.decode()).items()}
        client = self.client_of(asked, form)
        if client is None:
            return Answer(encode_json({"error": "invalid_client"}), status=401)
        self.asked.append({name: form[name] for name in ("token", "token_type_hint") if name in form})
        known = self._known.get(form.get("token", ""))
        members: dict[str, Any] = {"active": False} if known is None else {"active": True, **known}
        if _SIGNED not in asked.headers.get("accept", ""):
            return Answer(encode_json(members))
        body = {
            "iss": issuer,
            "aud": client,
            "iat": int(self._clock.now().wall),
            "token_introspection": members,
        }
        return Answer(sign("token-introspection+jwt", body).encode(), content_type=_SIGNED)

    def client_of(self, asked: Asked, form: Mapping[str, str]) -> str | None:
        """The client that a request proves to come from; None where it proves nothing."""
        scheme, _, encoded = asked.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            return self._with_secret(unquote_plus(name), unquote_plus(secret))
        name = form.get("client_id", "")
        if "client_assertion" in form:
            return self._with_assertion(name, form["client_assertion"])
        return self._with_secret(name, form.get("client_secret", ""))

    def _with_secret(self, name: str, secret: str) -> str | None:
        known = self.clients.get(name)
        return name if known is not None and hmac.compare_digest(known.encode(), secret.encode()) else None

    def _with_assertion(self, name: str, assertion: str) -> str | None:
        try:
            claims = jwt.decode(
                assertion,
                self.clients.get(name, ""),
                algorithms=["RS256", "ES256", "EdDSA"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "require": _ASSERTED},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        if not claims["iss"] == claims["sub"] == name or claims["jti"] in self._assertions:
            return None
        self._assertions.add(claims["jti"])
        return name if claims["iat"] <= self._clock.now().wall < claims["exp"] else None
