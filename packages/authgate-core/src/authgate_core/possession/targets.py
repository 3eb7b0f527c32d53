"""The URL of a request, in the one form in which two spellings of it are equal (RFC 3986 sections 6.2.2 and 6.2.3)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ..request import IN_A_PATH

__all__ = ["target"]

_PORTS: Final = {"https": 443, "http": 80}
_ESCAPE: Final = re.compile("%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")


def target(url: str, *, decodes: bool = False) -> str | None:
    """The URL without query and fragment, as RFC 9449 section 4.3 compares it; None for what is no absolute URL.

    Dot segments are left as they are: no client sends them, and servers differ in what they make of them.

    Args:
        url: The URL.
        decodes: Whether the server decodes every escape of a path before anybody sees it, as WSGI has it (PEP 3333):
            then two paths that it decodes alike are one.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme
    if scheme not in _PORTS or not host or "@" in parts.netloc:
        return None
    shown = f"[{host}]" if ":" in host else host
    at = "" if port in {None, _PORTS[scheme]} else f":{port}"
    return f"{scheme}://{shown}{at}{_path(parts.path, decodes=decodes) or '/'}"


def _path(path: str, *, decodes: bool) -> str:
    return quote(unquote_to_bytes(path), safe=IN_A_PATH) if decodes else _ESCAPE.sub(_plain, path)


def _plain(escape: re.Match[str]) -> str:
    """What an escape stands for where it need not be one, else the escape in capital letters."""
    character = chr(int(escape[0][1:], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()
