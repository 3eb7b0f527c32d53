"""The connections that authgate builds for a URL: TLS, other parsers, deadlines."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis._parsers import _RESP2Parser

from authgate_core.errors import ConfigurationError, RevocationUnavailable
from authgate_core.io.redis.protocol import LIMITS
from authgate_core.io.redis.sockets import connections_to
from authgate_core.io.redis.wire import UrlWire
from authgate_core.principal import ProjectRef
from authgate_core.revocation import secret_version_entry

OpenAny = Callable[..., Any]
FAR: Final = 1e9


def write_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(certificate.public_bytes(encoding) + plain)
    return path


class TlsFront:
    """Speaks TLS before a server that does not.

    Args:
        certificate: Certificate and key in one PEM file.
        port: The port of the server behind.
    """

    def __init__(self, certificate: Path, port: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._behind = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(plain)
            self._threads.append(threading.Thread(target=self._serve, args=(plain,)))
            self._threads[-1].start()

    def _serve(self, plain: socket.socket) -> None:
        with (
            plain,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._behind)) as behind,
        ):
            self._open.append(behind)
            with (
                self._context.wrap_socket(plain, server_side=True) as secure,
                selectors.DefaultSelector() as ready,
            ):
                self._open.append(secure)
                ready.register(secure, selectors.EVENT_READ, (secure, behind))
                ready.register(behind, selectors.EVENT_READ, (behind, secure))
                while True:
                    for selected, _ in ready.select():
                        source, target = selected.data
                        data = source.recv(65536)
                        if not data:
                            return
                        target.sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that only those trust who are told to."""
    return write_certificate(tmp_path)


@pytest.fixture
def front(certificate: Path, own_valkey: Any) -> Iterator[TlsFront]:
    """TLS before a server of the test's own."""
    front = TlsFront(certificate, own_valkey.port)
    yield front
    front.close()


class TestTls:
    def test_a_server_that_is_trusted(self, open_store: OpenAny, front: TlsFront, certificate: Path) -> None:
        """Law 5.12: rediss:// encrypts, and checks the server against the authorities that the URL names."""
        store = open_store(f"rediss://127.0.0.1:{front.port}?ssl_ca_certs={certificate}")
        store.revoke(secret_version_entry("p", 2))
        assert store.is_revoked(ProjectRef("p", 1)) is True
        assert store.is_revoked(ProjectRef("p", 2)) is False
        store.close_early()

    def test_a_server_that_is_not(self, open_store: OpenAny, front: TlsFront) -> None:
        """A certificate that nobody vouches for is an outage, not a warning."""
        store = open_store(f"rediss://127.0.0.1:{front.port}")
        with pytest.raises(RevocationUnavailable, match="certificate verify failed"):
            store.is_revoked(ProjectRef("p", 1))

    def test_one_context_for_all_connections(
        self, open_store: OpenAny, front: TlsFront, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 9.2: reading every authority of the system takes long, so it is not done while requests wait."""
        store = open_store(f"rediss://127.0.0.1:{front.port}?ssl_ca_certs={certificate}")

        def read_again(*_: object) -> None:
            raise AssertionError("the authorities were read again")

        monkeypatch.setattr(ssl, "create_default_context", read_again)
        store.warm_up()
        store.close_early()
        store.warm_up()
        store.close_early()

    @pytest.mark.parametrize(
        "option", ["ssl_ca_certs=/no/such/file", "ssl_ca_data=nothing", "ssl_certfile=/no/file"]
    )
    def test_files_that_are_of_no_use(self, open_store: OpenAny, option: str) -> None:
        """Law 1.6: said when the store is built, not at the first request."""
        with pytest.raises(ConfigurationError, match="ssl_ options"):
            open_store(f"rediss://127.0.0.1?{option}")

    def test_a_server_that_speaks_no_tls(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.4: a handshake that goes nowhere ends with the connect time-out, or at once."""
        store = open_store(f"rediss://127.0.0.1:{own_valkey.port}", limits=LIMITS)
        with pytest.raises(RevocationUnavailable, match="Redis does not answer"):
            store.is_revoked(ProjectRef("p", 1))


class TestSockets:
    def test_without_hiredis(self, own_valkey: Any) -> None:
        """The pure Python parser of redis-py reads from the same sockets."""
        wire = UrlWire(connections_to(own_valkey.url), LIMITS)
        connection: Any = connections_to(own_valkey.url)()
        connection.set_parser(_RESP2Parser)
        wire._idle.append(connection)
        assert [b"OK", b"v"] == [
            reply.encode() if isinstance(reply, str) else reply
            for reply in wire.exchange((("SET", "k", "v"), ("GET", "k")), FAR)
        ]
        assert [connection] == list(wire._idle)
        wire.close()

    def test_a_deadline_that_has_passed(self, own_valkey: Any) -> None:
        """Law 5.4: no attempt begins when its time is over."""
        with pytest.raises(Exception, match="Timeout connecting"):
            UrlWire(connections_to(own_valkey.url), LIMITS).exchange((("GET", "k"),), time.monotonic() - 1)

    def test_what_has_arrived_in_time_is_read(self, own_valkey: Any) -> None:
        """Law 5.5: a thread that had to wait for its turn does not take a reply for a time-out."""
        connection = connections_to(own_valkey.url)()
        connection.allow(time.monotonic() + 5)
        connection.connect()
        connection.send_packed_command(connection.pack_commands((("GET", "k"),)), check_health=False)
        time.sleep(0.2)
        connection.allow(time.monotonic() - 1)
        assert connection.read_response() is None
        with pytest.raises(Exception, match="Timeout reading"):
            connection.read_response()

    def test_a_host_without_an_address(self, own_valkey: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 1.5: a resolver that answers with nothing is an outage."""
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        with pytest.raises(Exception, match="no address for"):
            UrlWire(connections_to(own_valkey.url), LIMITS).exchange((("GET", "k"),), FAR)
