"""Sockets under one deadline: name look-up, connecting, TLS, writing and reading together (Law 4.9).

An HTTP library's own time-outs start anew with each read, so a peer that sends one byte a second never meets
them. Here every step gets what is left of the whole.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any, TypeAlias

import httpcore2

__all__ = ["Deadline", "DeadlineBackend", "Patience", "is_loopback"]

_Address: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Deadline:
    """A moment that all steps of one exchange share.

    Args:
        seconds: How far away it is.
    """

    __slots__ = ("_at",)

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def rest(self, at_most: float | None = None) -> float:
        """What is left, in seconds, and no more than ``at_most``; always more than zero.

        Raises:
            TimeoutError: If nothing is left.
        """
        rest = self._at - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        return rest if at_most is None else min(rest, at_most)


class Patience(Deadline):
    """A moment as ``Deadline``, before which no single step may take long: for what is read bit by bit.

    Args:
        seconds: How far away it is.
        each: How long one step may take, in seconds.
    """

    __slots__ = ("_each",)

    def __init__(self, seconds: float, each: float) -> None:
        super().__init__(seconds)
        self._each = each

    def rest(self, at_most: float | None = None) -> float:
        """What is left for one step."""
        return super().rest(self._each if at_most is None else min(at_most, self._each))


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens connections that keep a deadline, whatever time-outs the HTTP library has.

    Args:
        deadline: For everything that happens on them.
    """

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: object, **__: object
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that answers."""
        addresses = _resolve(host, port, self._deadline)
        failure = OSError(f"{host} has no address")
        for number, address in enumerate(addresses):
            # A fair share of the rest each: an address that swallows packets leaves time for the next.
            share = self._deadline.rest(timeout) / (len(addresses) - number)
            try:
                return _Stream(_connect(address, share), self._deadline)
            except OSError as error:
                failure = error
        raise failure


class _Stream(httpcore2.NetworkStream):
    """A connection that keeps a deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._socket = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._socket.settimeout(self._deadline.rest(timeout))
        return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            self._socket.settimeout(self._deadline.rest(timeout))
            view = view[self._socket.send(view) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            self._socket.settimeout(self._deadline.rest(timeout))  # one time-out for the whole handshake
            secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return _Stream(secured, self._deadline)


def _connect(address: _Address, timeout: float) -> socket.socket:
    family, kind, protocol, _, where = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.settimeout(timeout)
        connection.connect(where)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _resolve(host: str, port: int, deadline: Deadline) -> Sequence[_Address]:
    """Look a name up on a thread that is left behind at the deadline: nothing can interrupt the look-up."""
    answers: queue.SimpleQueue[Sequence[_Address] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            # As bytes, so that the idna codec, which raises other errors, is left out of it.
            answers.put(socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    try:
        threading.Thread(target=look_up, name="authgate-names", daemon=True).start()
    except RuntimeError as error:  # no thread can be had
        raise OSError(str(error)) from None
    try:
        answer = answers.get(timeout=deadline.rest())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine by its spelling: ``localhost``, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
