"""What Mercury asks of a signed request, written from its contract and sharing nothing with what signs."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from ..clock import Instant
from .server import Asked

__all__ = ["signature_flaw"]

_AGE: Final = 60_000
_MILLISECONDS: Final = re.compile(r"[0-9]{1,15}")


def signature_flaw(asked: Asked, secret: str, now: Instant) -> str | None:
    """What is wrong with the signature of a request; None if nothing is.

    Args:
        asked: The request.
        secret: What both ends share.
        now: The moment of arrival; timestamps up to 60 s from it are accepted.
    """
    timestamp = asked.headers.get("x-timestamp", "")
    if not _MILLISECONDS.fullmatch(timestamp):
        return "the timestamp is no number of milliseconds"
    if abs(now.wall * 1000 - int(timestamp)) > _AGE:
        return "the timestamp is more than 60 s away"
    signed = [f"{asked.method}/{asked.path.removeprefix('/')}{timestamp}"]
    if asked.body:
        signed.append(hashlib.sha256(asked.body).hexdigest())
        if asked.headers.get("x-content-sha256") != signed[1]:
            return "the digest is not that of the body"
    expected = hmac.digest(secret.encode(), "\n".join(signed).encode(), "sha256").hex()
    given = asked.headers.get("x-signature", "")
    return (
        None if hmac.compare_digest(expected.encode(), given.encode("latin-1")) else "the signature is wrong"
    )
