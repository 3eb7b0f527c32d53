"""Sync connections that keep a deadline: redis-py's own time-outs start anew with every byte (Law 5.4)."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

from redis.backoff import NoBackoff
from redis.connection import Connection as RedisConnection
from redis.connection import ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from .handles import Connection, url_settings
from .tls import TlsHolder, prepare_tls

__all__ = ["connections_to"]

T = TypeVar("T")
S = TypeVar("S", bound=socket.socket)
_Where: TypeAlias = tuple[str | int | bytes, ...] | str
_NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _DeadlineSocket:
    """A socket whose every wait ends at one moment, however bytes trickle in.

    Args:
        wrapped: The connected socket.
        until: The moment, monotonic seconds.
    """

    def __init__(self, wrapped: socket.socket, until: float) -> None:
        self._wrapped = wrapped
        self.until = until

    def recv(self, size: int) -> bytes:
        return self._in_time(lambda: self._wrapped.recv(size))

    def recv_into(self, buffer: bytearray) -> int:
        return self._in_time(lambda: self._wrapped.recv_into(buffer))

    def sendall(self, data: bytes) -> None:
        return self._in_time(lambda: self._wrapped.sendall(data))

    def settimeout(self, _seconds: float | None) -> None:
        """Do nothing: redis-py sets time-outs of its own, but the deadline stands."""

    def shutdown(self, how: int) -> None:
        self._wrapped.shutdown(how)

    def close(self) -> None:
        self._wrapped.close()

    def _in_time(self, call: Callable[[], T]) -> T:
        # Past the deadline, what has arrived may be read: a thread that waited for its turn is not late.
        self._wrapped.settimeout(max(0.0, self.until - time.monotonic()))
        try:
            return call()
        except _NOT_YET:
            raise TimeoutError("not in time") from None


def _guarded(connected: S, until: float) -> S:
    return cast("S", cast("object", _DeadlineSocket(connected, until)))


class _Bounded:
    """Mixed into redis-py's connections, which dial with ``_connect`` and keep the result in ``_sock``."""

    until = 0.0

    def allow(self, until: float) -> None:
        self.until = until
        connected = getattr(self, "_sock", None)
        if isinstance(connected, _DeadlineSocket):
            connected.until = until


class _TcpConnection(_Bounded, RedisConnection):
    def _connect(self) -> socket.socket:
        return _guarded(_dial(self.host, self.port, self.until), self.until)


class _UnixConnection(_Bounded, UnixDomainSocketConnection):
    def _connect(self) -> socket.socket:
        address = (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", self.path)
        return _guarded(_dial_one(address, self.until), self.until)


_KINDS: Mapping[str, Callable[..., object]] = {"redis": _TcpConnection, "unix": _UnixConnection}


def connections_to(url: str) -> Callable[[], Connection]:
    """What makes new connections to the server of a URL, not connected yet.

    Raises:
        ConfigurationError: If files that the URL names are of no use.
    """
    scheme = urlsplit(url).scheme
    kind = _tls_kind(prepare_tls(url)) if scheme == "rediss" else _KINDS[scheme]
    settings = url_settings(url, ConnectionPool, Retry(NoBackoff(), 0))
    return lambda: cast("Connection", kind(**settings))


def _tls_kind(tls: TlsHolder) -> Callable[..., object]:
    class TlsConnection(_Bounded, SSLConnection):
        def _connect(self) -> ssl.SSLSocket:
            plain = _dial(self.host, self.port, self.until)
            try:
                return _guarded(tls.get().wrap_socket(plain, server_hostname=self.host), self.until)
            except BaseException:
                plain.close()
                raise

    return TlsConnection


def _dial(host: str, port: int, until: float) -> socket.socket:
    """Connect to the first address that answers; all of them together have until the deadline."""
    failure: OSError = OSError(f"no address for {host}")
    for address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return _dial_one(address, until)
        except OSError as error:
            failure = error
    raise failure


def _dial_one(address: tuple[int, int, int, str, _Where], until: float) -> socket.socket:
    family, kind, protocol, _, where = address
    found = socket.socket(family, kind, protocol)
    try:
        found.settimeout(_left(until))
        found.connect(where)
        if family != socket.AF_UNIX:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        found.settimeout(_left(until))
    except BaseException:
        found.close()
        raise
    return found


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no connection in time")
    return left
