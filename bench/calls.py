"""A request as servers hand it to applications."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final, TypeAlias

__all__ = ["Headers", "RawHeaders", "environ", "raw_headers", "scope"]

Headers: TypeAlias = Sequence[tuple[str, str]]
RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]

PEER: Final = ("203.0.113.7", 52144)


def environ(headers: Headers, path: str, method: str = "GET") -> dict[str, object]:
    """As a WSGI server does.

    Args:
        headers: Names in lower case.
        path: What is asked for.
        method: Of the request.
    """
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": PEER[0],
        "REMOTE_PORT": str(PEER[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers},
    }


def raw_headers(headers: Headers) -> RawHeaders:
    """As bytes."""
    return [(name.encode(), value.encode()) for name, value in headers]


def scope(headers: RawHeaders, path: str, method: str = "GET") -> dict[str, object]:
    """As an ASGI server does; ``headers`` as ``raw_headers`` makes them, else as ``environ``."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": PEER,
        "scheme": "http",
        "method": method,
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [*headers],
        "state": {},
    }
