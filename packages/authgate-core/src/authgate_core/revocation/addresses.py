"""URLs of Redis servers: what may stand in one, and how it is shown."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

__all__ = ["masked_url", "url_problems"]

_SCHEMES: Final = ("redis", "rediss", "unix")
_OPTIONS: Final = frozenset({"client_name", "db", "password", "username"})
_TLS_OPTIONS: Final = frozenset(
    {
        "ssl_ca_certs",
        "ssl_ca_data",
        "ssl_ca_path",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_password",
    }
)


def url_problems(url: str) -> list[str]:
    """What is wrong with a Redis URL: one sentence each, holding nothing of it but the names of options."""
    parts = _parts(url)
    if parts is None or parts.scheme not in _SCHEMES or not url.startswith(f"{parts.scheme}://"):
        return [
            "the URL of Redis begins with redis://, rediss:// (TLS) or unix://, such as redis://localhost:6379/0"
        ]
    found: list[str] = []
    if parts.scheme == "unix" and not parts.path:
        found.append("a unix:// URL names a socket, such as unix:///run/valkey.sock")
    if parts.scheme != "unix":
        found += _address_problems(parts)
    allowed = _OPTIONS | _TLS_OPTIONS if parts.scheme == "rediss" else _OPTIONS
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in allowed:
            found.append(_option_problem(name))
        elif name == "db" and not value.isdecimal():
            found.append("db in the URL of Redis is a number, such as ?db=0")
    return found


def masked_url(url: str) -> str:
    """The URL without its password and without its options, which may hold one (Law 2.5)."""
    parts = _parts(url)
    if parts is None or parts.scheme not in _SCHEMES:
        return "***"
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{parts.scheme}://{name}{colon and ':***'}{at}{host}{parts.path}{parts.query and '?***'}"


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return None if parts.port == -1 else parts
    except ValueError:
        return None


def _address_problems(parts: SplitResult) -> list[str]:
    found: list[str] = []
    if not parts.hostname:
        found.append("the URL of Redis names a host, such as redis://localhost:6379/0")
    if parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        found.append(
            "the path of a Redis URL is the number of the database, such as redis://localhost:6379/0"
        )
    return found


def _option_problem(name: str) -> str:
    if name in _TLS_OPTIONS:
        return f"{name} in the URL of Redis needs rediss://"
    return (
        f"{name} in the URL of Redis is not read: authgate sets its own limits and checks certificates; "
        "leave it out, or hand in a redis-py client of your own"
    )
