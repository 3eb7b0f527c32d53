"""Revocation over TLS, through a client of one's own (Law 5.12)."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authgate_core.principal import ProjectRef, Revocation
from authgate_core.revocation import secret_version_entry

REF = ProjectRef("shop", 1)
ENTRY: Revocation = secret_version_entry("shop", 2)


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "valkey.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


class Tunnel:
    """Speaks TLS on a port of its own and hands on what it hears, one thread for each direction.

    Args:
        certificate: With its key.
        port: Where what is heard goes, on loopback.
    """

    def __init__(self, certificate: Path, port: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._behind = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listening.getsockname()[1]
        self._threads[0].start()

    def close(self) -> None:
        """End it, and every connection through it."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            self._sockets.append(raw)
            with contextlib.suppress(OSError):
                outside = self._context.wrap_socket(raw, server_side=True)
                inside = socket.create_connection(("127.0.0.1", self._behind))
                self._sockets += [outside, inside]
                for pair in ((outside, inside), (inside, outside)):
                    thread = threading.Thread(target=_pump, args=pair)
                    self._threads.append(thread)
                    thread.start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while heard := source.recv(65536):
            target.sendall(heard)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture(name="tunnel")
def _tunnel(certificate: Path, shared_valkey: Any) -> Iterator[Tunnel]:
    tunnel = Tunnel(certificate, shared_valkey.port)
    yield tunnel
    tunnel.close()


def client_of(colour: str, tunnel: Tunnel, certificate: Path) -> Any:
    """A redis-py client that speaks TLS, quick enough to be taken."""
    kind: Any = redis.Redis if colour == "sync" else redis.asyncio.Redis
    limits = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "retry": None}
    return kind(host="127.0.0.1", port=tunnel.port, ssl=True, ssl_ca_certs=str(certificate), **limits)


class TestTls:
    """Law 5.12: a client of one's own that speaks TLS; for URLs see test_redis_store_wires."""

    def test_by_a_client_of_ones_own(
        self, tunnel: Tunnel, certificate: Path, open_store: Callable[..., Any], colour: str
    ) -> None:
        """As its owner built it, in both colours; writing and checking."""
        client = client_of(colour, tunnel, certificate)
        store = open_store(client)
        assert not store.is_revoked(REF)
        store.revoke(ENTRY)

        assert store.is_revoked(REF)
        store._done(client.close() if colour == "sync" else client.aclose())
