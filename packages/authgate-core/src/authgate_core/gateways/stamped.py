"""HMAC v1 of Kong's token-introspector: who was identified, when and for which request; neither roles nor scopes.

It says nothing of the kind of caller either, and may be replayed while it is fresh: so it is only ever an addition
to a trusted peer (Law 2.7).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..clock import Instant
from ..errors import GatewaySignatureRefused
from ..identity_headers import GatewayIdentity
from ..request import RequestView
from ..secret import Secret

__all__ = ["check_stamp", "key_problems"]

_WINDOW: Final = 60.0
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_SHORTEST: Final = 32


def check_stamp(identity: GatewayIdentity, view: RequestView, keys: Sequence[Secret], now: Instant) -> None:
    """Check the signature of an identity for this very request.

    Args:
        identity: Whom it is said of.
        view: The request; its method and its path, as it was sent, are signed.
        keys: Of which any may have signed.
        now: The present moment.

    Raises:
        GatewaySignatureRefused: If it is missing, another's, of another request, or older or newer than 60 s.
    """
    if identity.stamp is None:
        raise GatewaySignatureRefused("the gateway's HMAC signature is missing")
    stamp, signature = identity.stamp
    session = identity.claim("sid") or ""
    if "|" in identity.id or "|" in session:
        raise GatewaySignatureRefused("a signed value holds what separates signed values")
    if not _SECONDS.fullmatch(stamp) or abs(now.wall - int(stamp)) > _WINDOW:
        raise GatewaySignatureRefused(f"the time of the HMAC signature is not within {_WINDOW:.0f} s")
    path = view.target.partition("?")[0]
    message = f"{identity.id}|{session}|{stamp}|{view.method}|{path}"
    given = Secret(signature)
    # Every key is tried, so that the time tells nothing of which one signs (Law 2.5).
    if not sum([_signed(message, key).matches(given) for key in keys]):
        raise GatewaySignatureRefused("the HMAC signature is not this request's")


def _signed(message: str, key: Secret) -> Secret:
    digest = hmac.new(_bytes(key), message.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return Secret(base64.b64encode(digest))


def _bytes(key: Secret) -> bytes:
    return key.reveal().encode("utf-8", "surrogatepass")


def key_problems(keys: Sequence[object]) -> Iterator[str]:
    """What is wrong with the keys of HMAC v1; none is shown."""
    for key in keys:
        if not isinstance(key, Secret):
            yield f"hmac_key: give a text of at least {_SHORTEST} bytes, or a Secret, not {type(key).__name__}"
        elif len(_bytes(key)) < _SHORTEST or not key.reveal().strip():
            yield f"hmac_key: has {len(_bytes(key))} bytes, and {_SHORTEST} are the least; share a random one"
