"""The credential headers of a request: one whole credential of a kind, malformed, or nothing (Laws 2.1 to 2.4)."""

from __future__ import annotations

from collections.abc import Iterator

from authgate_core.cookies import Cookies
from authgate_core.credentials import (
    API_KEY,
    APP,
    BEARER,
    DPOP_SCHEME,
    SCHEMES,
    ApiKeyCredential,
    AppCredentials,
    BearerToken,
    Credential,
    DPoPToken,
    ProjectToken,
    Reading,
    extract,
)
from authgate_core.errors import CrossSiteRefused, MalformedCredentials
from authgate_core.headers import COOKIE, header_pairs
from authgate_core.identity_headers import GatewayIdentity

from ..target import hold

__all__ = ["probe", "seeds"]

_LIMIT = 256
_READING = Reading(_LIMIT, project_tokens=True, cookies=Cookies(), proofs=True)
_KINDS = (BEARER, APP, API_KEY)
_SCHEMES = {kind: {SCHEMES[kind]} for kind in _KINDS} | {BEARER: {SCHEMES[BEARER], DPOP_SCHEME}}


def probe(data: bytes) -> None:
    """Lines of ``name: value``; what stands after an empty line are the subprotocols, as servers split them."""
    head, _, offered = data.decode("latin-1").partition("\n\n")
    pairs = [(name, value) for name, _, value in (line.partition(":") for line in head.split("\n"))]
    subprotocols = [name.strip() for name in offered.split(",")] if offered else ()
    headers = header_pairs(pairs)
    found = extract(headers, _KINDS, _READING, subprotocols=subprotocols, method="POST")
    other = extract(headers, _KINDS[::-1], _READING, subprotocols=subprotocols, method="POST")
    hold("the order of kinds is nothing to it", kept={*map(str, found)} == {*map(str, other)})
    for kind, credential in found.items():
        if isinstance(credential, MalformedCredentials):
            hold("what is malformed names its scheme", kept=credential.scheme in _SCHEMES[kind])
        elif isinstance(credential, CrossSiteRefused):
            has_cookie = any(name == COOKIE for name, _ in headers)
            hold("another site can send cookies alone", kept=has_cookie and kind == BEARER)
        else:
            hold("a credential is one clean text", kept=all(map(_is_clean, _texts(credential))))


def _texts(credential: Credential) -> tuple[str, ...]:
    match credential:
        case BearerToken(value) | ProjectToken(value) | ApiKeyCredential(value):
            return (value.reveal(),)
        case DPoPToken(value, proof):
            return (value.reveal(),) if proof is None else (value.reveal(), proof.reveal())
        case AppCredentials(app_id, secret):
            return (app_id, secret.reveal())
        case GatewayIdentity(id=caller):
            return (caller,)


def _is_clean(text: str) -> bool:
    return 0 < len(text) <= _LIMIT and text.isascii() and text.isprintable() and "," not in text


def seeds() -> Iterator[bytes]:
    """What clients send, what servers make of it, and what others try."""
    yield from (
        b"authorization: Bearer abc.def.ghi",
        b"Authorization:bearer  x\nAuthorization: Basic eA==",
        b"authorization: Bearer a, Bearer b",
        b"authorization: DPoP a.b.c\ndpop: d.e.f",
        b'authorization: Digest username="a, b", realm="x\\"y", nc=1',
        b'authorization: Signature keyId="x",headers="a b"',
        b"x-app-id: shop\nx-app-secret: secret",
        b"X-App-Id: shop\nX-App-Id: till\nx-app-secret: s",
        b"x-project-token: a.b.c\nx-app-id: shop\nx-app-secret: s",
        b"authorization: Bearer\xe9\nx-app-secret:\x00",
        b"\n\nauthgate.bearer.abc.def.ghi, graphql-transport-ws",
        b"x-api-key: sk_1",
        b"cookie: __Host-auth_access=a.b.c; __Host-auth_csrf=x\nx-csrf-token: x",
        b"cookie: __Host-auth_access=a.b.c\ncookie: __Host-auth_access=d",
        b"x-api-key: sk_1\nauthorization: ApiKey sk_2",
        b"forwarded: for=127.0.0.1\nauthorization: Bearer x",
    )
