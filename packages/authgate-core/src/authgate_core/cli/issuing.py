"""``dev-issuer`` and ``token``: a local issuer, and tokens of it."""

from __future__ import annotations

import json
import threading
from typing import Annotated, Final, cast
from urllib.parse import urlsplit

import typer

from ..errors import AuthUnavailable, MalformedToken
from ..io.http import SafeHttp
from ..io.sockets import is_loopback
from ..jose.compact import Limits, parse_object
from ..request import HttpReply, HttpRequest
from .dev_issuer import MINT_PATH, DevIssuer
from .mistakes import Mistake
from .saying import plain, tell
from .wanted import LONGEST, DevUser, Wanted

__all__ = ["dev_issuer", "token"]

_PORT: Final = 8400
_USERS: Final = ("alice:admin", "bob")
_JSON: Final = (("content-type", "application/json"), ("accept", "application/json"))


def dev_issuer(
    user: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:ROLE,ROLE]", help="A user, once for each; by default alice:admin and bob."
        ),
    ] = None,
    audience: Annotated[str, typer.Option(help="The aud of its tokens.")] = "test-api",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens on 127.0.0.1.")] = _PORT,
) -> None:
    """Serve an issuer for development on this machine, until interrupted; its page mints tokens."""
    issuer = DevIssuer([DevUser.of(text) for text in user or _USERS], audience=audience, port=port)
    if not all(known.name for known in issuer.users):
        raise Mistake("a user has no name; write --user NAME or --user NAME:ROLE,ROLE")
    try:
        issuer.start()
    except OSError:
        raise Mistake(f"port {port} cannot be listened on; choose another with --port") from None
    try:
        plain(f"{issuer.url}/")
        tell(
            f"AUTHGATE_ISSUER={issuer.url} AUTHGATE_AUDIENCE={audience} has a service trust it; Ctrl-C ends it."
        )
        _wait()
    finally:
        issuer.stop()


def _wait() -> None:
    threading.Event().wait()


def token(
    sub: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[
        list[str] | None, typer.Option(help="A role, once for each; by default the user's.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="A scope, once for each.")] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A further claim; VALUE is JSON, or else a text."),
    ] = None,
    lifetime: Annotated[
        float, typer.Option(min=1, max=LONGEST, help="How long it lives, in seconds.")
    ] = 3600.0,
    issuer: Annotated[
        str, typer.Option(help="Where the development issuer is.")
    ] = f"http://127.0.0.1:{_PORT}",
) -> None:
    """Print a token of the development issuer that runs on this machine."""
    wanted = Wanted(
        sub,
        None if role is None else tuple(role),
        " ".join(scope or ()),
        lifetime,
        dict(_claim(text) for text in claim or ()),
    )
    plain(_asked(issuer.rstrip("/"), wanted))


def _claim(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise Mistake("--claim: write NAME=VALUE, as in --claim tenant=acme")
    try:
        return name, cast("object", json.loads(value))
    except ValueError:
        return name, value


def _asked(issuer: str, wanted: Wanted) -> str:
    if not _is_here(issuer):
        raise Mistake("--issuer: a development issuer runs on this machine, such as http://127.0.0.1:8400")
    request = HttpRequest(
        "POST", issuer + MINT_PATH, _JSON, json.dumps(wanted.to_json()).encode(), refusal_body=True
    )
    http = SafeHttp()
    try:
        return _read(http.send(request))
    except AuthUnavailable:
        raise Mistake(f"no development issuer answers at {issuer}; start one: authgate dev-issuer") from None
    finally:
        http.close()


def _is_here(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # what begins like an IPv6 address and is none
        return False


def _read(reply: HttpReply) -> str:
    try:
        answer = parse_object(reply.body, Limits())
    except MalformedToken:
        answer = {}
    minted, error = answer.get("token"), answer.get("error")
    if isinstance(minted, str):
        return minted
    if isinstance(error, str):
        raise Mistake(error)
    raise Mistake(
        f"what answers there with status {reply.status} is no development issuer; see authgate dev-issuer"
    )
