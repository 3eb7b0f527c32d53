"""An issuer for development: real keys and tokens on loopback, and a page that shows its users and mints tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import parse_qs

from ..testing import FakeIssuer
from ..testing.server import Answer, Asked
from ..testing.shapes import encode_json
from .page import refusal_page, users_page
from .wanted import DevUser, Wanted

__all__ = ["MINT_PATH", "DevIssuer"]

MINT_PATH: Final = "/mint"
_HTML: Final = "text/html; charset=utf-8"


class DevIssuer(FakeIssuer):
    """A ``FakeIssuer`` that people can ask for tokens, on this machine alone.

    Requests that name another host are refused: a page of elsewhere, whose name was made to lead here, reads no token.

    Args:
        users: Whom it knows.
        audience: The ``aud`` of its tokens.
        port: Where it listens on 127.0.0.1; 0 for any port that is free.
    """

    def __init__(self, users: Sequence[DevUser], *, audience: str, port: int) -> None:
        super().__init__(audience=audience)
        self.users = tuple(users)
        self._port = port

    def mint(self, wanted: Wanted) -> str:
        """A token as it was asked for."""
        known = next((user.roles for user in self.users if user.name == wanted.sub), ())
        roles = known if wanted.roles is None else wanted.roles
        claims: dict[str, Any] = {"name": wanted.sub, "roles": [*roles]}
        if wanted.scope.split():
            claims["scope"] = " ".join(wanted.scope.split())
        plain = self.claims(wanted.sub, expires_in=wanted.lifetime)
        return self.raw_token(encode_json(self.header()), encode_json({**plain, **claims, **wanted.claims}))

    def _truth(self, asked: Asked) -> Answer:
        if asked.path not in {"/", MINT_PATH}:
            return super()._truth(asked)
        if asked.headers.get("host", "").rpartition(":")[0] not in {"127.0.0.1", "localhost"}:
            return _page(refusal_page("This issuer answers this machine only, under its own name."), 403)
        if asked.path == "/":
            return _page(users_page(self.users, self.url, self.audience))
        return self._minted(asked)

    def _minted(self, asked: Asked) -> Answer:
        """Law 3.8 and its like are for gates to keep; what is asked for here may be as odd as a test needs."""
        if asked.method != "POST":
            return _page(refusal_page("Tokens are minted by POST."), 405)
        is_form = not asked.headers.get("content-type", "").startswith("application/json")
        try:
            wanted = Wanted.read(_form(asked.body) if is_form else _object(asked.body))
            token = self.mint(wanted)
        except (ValueError, RecursionError) as error:  # json knows no other end of what is nested
            return _page(refusal_page(str(error)), 400) if is_form else _json({"error": str(error)}, 400)
        if not is_form:
            return _json({"token": token, "expires_in": wanted.lifetime})
        return _page(users_page(self.users, self.url, self.audience, minted=(wanted.sub, token)))


def _page(html: str, status: int = 200) -> Answer:
    return Answer(html.encode(), status, _HTML, _PRIVATE)


def _json(members: Mapping[str, object], status: int = 200) -> Answer:
    return Answer(json.dumps(members).encode(), status, headers=_PRIVATE)


_PRIVATE: Final = (
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
)


def _form(body: bytes) -> dict[str, object]:
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _object(body: bytes) -> dict[str, object]:
    members: object = json.loads(body)
    if not isinstance(members, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004 - about what was sent, not about the code
    return cast("dict[str, object]", members)
