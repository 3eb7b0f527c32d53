"""TLS towards Redis: one context for all connections of a URL, because each new one reads every authority anew."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Protocol, cast

from redis.asyncio.connection import ConnectionPool, SSLConnection

from ...errors import ConfigurationError
from .handles import url_settings

__all__ = ["TlsHolder", "UsesTls", "prepare_tls"]


class TlsHolder(Protocol):
    """redis-py's ``RedisSSLContext``: makes a context when first asked, and then keeps it."""

    def get(self) -> ssl.SSLContext:
        """The context."""
        ...


class UsesTls(Protocol):
    """An async connection, which asks the holder for the context whenever it connects."""

    ssl_context: TlsHolder


_new_connection = cast("Callable[..., UsesTls]", SSLConnection)


def prepare_tls(url: str) -> TlsHolder:
    """Read what the options of a rediss:// URL name, and the authorities of the system; either colour uses it.

    Raises:
        ConfigurationError: If a file cannot be read or is of no use.
    """
    holder = _new_connection(**url_settings(url, ConnectionPool, None)).ssl_context
    try:
        holder.get()
    except (OSError, ValueError) as error:
        reason = f"revocation: the ssl_ options of the URL of Redis are of no use: {error}"
        raise ConfigurationError(reason) from error
    return holder
