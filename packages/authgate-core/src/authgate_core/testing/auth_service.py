"""A real auth service for tests, demos and examples, as far as an API sees one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from secrets import token_urlsafe
from typing import Any, Final
from uuid import uuid4

from ..clock import Clock
from ..errors import InvalidToken
from ..jose.keys import read_key_set
from ..jose.verify import verify_signature
from .served import Served
from .server import Answer, Asked
from .shapes import Absent, encode_json
from .tokens import TokenMint

__all__ = ["INTROSPECT_PATH", "KEYS_PATH", "VALIDATE_PATH", "FakeAuthService"]

KEYS_PATH: Final = "/.well-known/jwks.json"

VALIDATE_PATH: Final = "/auth/validate"

INTROSPECT_PATH: Final = "/auth/introspect"

_NOWHERE: Final = "https://auth.test"
_BEARER: Final = "Bearer "
_ALGORITHMS: Final = frozenset({"RS256"})
_NOT_FOUND: Final = Answer(b"", status=404, content_type="text/plain")


class FakeAuthService(Served, TokenMint):  # pyright: ignore[reportUnsafeMultipleInheritance] - it initialises both
    """The auth service of the profile of that name: real keys, real tokens without ``iss``, real HTTP.

    Served like a ``FakeIssuer``, and as easily put out of order::

        with FakeAuthService(audience="orders-api") as service:
            gate = Gate(GateConfig(issuers=[Issuer.auth_service(service.url, audience=service.audience)]))
            gate.verify_token(service.token("u1", role="admin"))

    Args:
        audience: The ``aud`` of its tokens.
        clock: What ``iat`` and ``exp`` are counted from; the machine's by default.

    Attributes:
        audience: The ``aud`` of its tokens.
    """

    def __init__(self, *, audience: str = "test-api", clock: Clock | None = None) -> None:
        Served.__init__(self)
        TokenMint.__init__(self, _NOWHERE, audience=audience, clock=clock)
        self._ended: set[str] = set()
        self._api_keys: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        """Where it is."""
        return self._address or self._url

    def header(self, algorithm: str | None = None, kid: str | Absent | None = None) -> dict[str, object]:
        """The header of a token."""
        return super().header(algorithm, kid) | {"typ": "JWT"}

    def claims(self, sub: object = "u1", *, expires_in: float = 300) -> dict[str, Any]:
        """The claims of a person's access token; Any because they are JSON."""
        plain = super().claims(sub, expires_in=expires_in)
        del plain["iss"]
        return plain | {
            "type": "access",
            "role": "user",
            "email": f"{sub}@example.com",
            "email_verified": True,
            "email_otp_enabled": False,
            "auth_time": plain["iat"],
            "scopes": [],
        }

    def service_token(self, client_id: str = "billing", *, scope: str = "", **claims: object) -> str:
        """The access token of a program, of the type m2m.

        Args:
            client_id: The program.
            scope: Its scopes, with spaces between them.
            claims: Claims to add or replace; ``ABSENT`` leaves one out.
        """
        plain = super().claims(client_id)
        shown = {name: plain[name] for name in ("aud", "sub", "iat", "exp", "jti")}
        return self._signed(shown | {"type": "m2m", "role": "service", "scope": scope} | claims)

    def action_token(self, action: str, sub: str = "u1", /, **claims: object) -> str:
        """The token by which a user shows that an action was confirmed.

        Args:
            action: The action.
            sub: The user.
            claims: Claims to add or replace; ``ABSENT`` leaves one out.
        """
        plain = super().claims(sub)
        shown = {name: plain[name] for name in ("aud", "sub", "iat", "exp", "jti")}
        return self._signed(shown | {"type": "action_token", "action": action} | claims)

    def end_session(self, token: str) -> None:
        """Say from here on that the session of a token is over."""
        self._ended.add(token)

    def api_key(
        self,
        user_id: str | None = "u1",
        *,
        scopes: Sequence[str] = (),
        expires_at: str | None = None,
        service: str | None = None,
    ) -> str:
        """Hand out an API key.

        Args:
            user_id: Whose it is; None for nobody's.
            scopes: What it may do.
            expires_at: When it ends, as ISO 8601 writes it; the service says so and does not look at it.
            service: The service that it is for.
        """
        key = f"sk_{token_urlsafe(24)}"
        known = {"user_id": user_id, "scopes": [*scopes], "key_id": str(uuid4()), "expires_at": expires_at}
        self._api_keys[key] = {"valid": True, **known, **({} if service is None else {"service": service})}
        return key

    def revoke_api_key(self, key: str) -> None:
        """Say from here on that an API key was revoked."""
        self._api_keys[key] = {"valid": False, "code": "revoked_api_key"}

    def _signed(self, claims: dict[str, Any]) -> str:
        return self.raw_token(encode_json(self.header()), encode_json(claims))

    def _truth(self, asked: Asked) -> Answer:
        if (asked.method, asked.path) == ("GET", KEYS_PATH):
            return Answer(json.dumps(self.jwks()).encode())
        if (asked.method, asked.path) == ("GET", VALIDATE_PATH):
            return self._validate(asked.headers.get("authorization", ""))
        if (asked.method, asked.path) == ("POST", INTROSPECT_PATH):
            return self._introspect(asked.body)
        return _NOT_FOUND

    def _introspect(self, body: bytes) -> Answer:
        unknown = {"valid": False, "code": "invalid_api_key"}
        return Answer(json.dumps(self._api_keys.get(json.loads(body)["api_key"], unknown)).encode())

    def _has_signed(self, token: str) -> bool:
        try:
            verify_signature(token, read_key_set(self.jwks(), _ALGORITHMS).keys, _ALGORITHMS)
        except InvalidToken:
            return False
        return True

    def _validate(self, authorization: str) -> Answer:
        token = authorization.removeprefix(_BEARER)
        if token == authorization or not self._has_signed(token):
            return _refused("Invalid token.", "invalid_token")
        if token in self._ended:
            return _refused("Session expired.", "session_expired")
        return Answer(b"", status=204)


def _refused(detail: str, code: str) -> Answer:
    return Answer(json.dumps({"detail": detail, "code": code}).encode(), status=401)
