"""A client that its certificate proves, at an issuer that asks for one in the TLS handshake (RFC 8705)."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

import authgate_core as ag
from authgate_core.outbound import ClientCertificate, ServiceClient
from tests.support.certificates import certificate


class Issuer(ThreadingHTTPServer):
    """Issues tokens to whoever shows a certificate that it knows; at its alias only.

    Args:
        own: The file that holds its own certificate.
        clients: The file that holds those of its clients.
    """

    daemon_threads = True

    def __init__(self, own: Path, clients: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own)
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.forms: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that fails is what one test is about."""


class _Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        url = self.server.url
        aliases = {"token_endpoint": f"{url}/alias"}
        self._say({"issuer": url, "token_endpoint": f"{url}/plain", "mtls_endpoint_aliases": aliases})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.forms.append({"path": [self.path], **parse_qs(body.decode())})
        self._say({"access_token": "t1", "token_type": "Bearer", "expires_in": 60})

    def _say(self, members: object) -> None:
        body = json.dumps(members).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well."""


@pytest.fixture(name="own")
def _own(tmp_path: Path) -> Path:
    return certificate(tmp_path / "issuer.pem")[0]


@pytest.fixture(name="mine")
def _mine(tmp_path: Path) -> Path:
    return certificate(tmp_path / "orders.pem")[0]


@pytest.fixture(name="issuer")
def _issuer(own: Path, mine: Path) -> Iterator[Issuer]:
    issuer = Issuer(own, mine)
    thread = threading.Thread(target=issuer.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield issuer
    issuer.shutdown()
    thread.join()
    issuer.server_close()


class TestCertificates:
    def test_it_is_shown_in_the_handshake(self, issuer: Issuer, own: Path, mine: Path) -> None:
        """And the form names the client; nothing in it is a secret."""
        client = ServiceClient(issuer.url, credential=ClientCertificate("orders", mine, authorities=own))
        assert "Bearer t1" == client.auth(audience="https://billing.example.com").header()
        assert [
            {
                "path": ["/alias"],
                "grant_type": ["client_credentials"],
                "audience": ["https://billing.example.com"],
                "client_id": ["orders"],
            }
        ] == issuer.forms

    def test_another_certificate(self, issuer: Issuer, own: Path) -> None:
        """It proves nobody that the issuer knows: no token, and no request that arrives."""
        client = ServiceClient(issuer.url, credential=ClientCertificate("orders", own, authorities=own))
        with pytest.raises(ag.EndpointUnavailable):
            client.auth(audience="https://billing.example.com").header()
        assert [] == issuer.forms

    def test_an_issuer_that_nobody_vouches_for(self, issuer: Issuer, mine: Path) -> None:
        """Law 4.9: the machine's authorities do not know it."""
        client = ServiceClient(issuer.url, credential=ClientCertificate("orders", mine))
        with pytest.raises(ag.EndpointUnavailable):
            client.auth(audience="https://billing.example.com").header()

    def test_a_key_that_is_not_its_own(self, own: Path, mine: Path) -> None:
        """Said when the client is made, and no password is asked for at a terminal."""
        with pytest.raises(ag.ConfigurationError, match="certificate: "):
            ServiceClient(
                "https://id.example.com", credential=ClientCertificate("orders", mine, own, "secret")
            )

    def test_its_password_is_masked(self, mine: Path) -> None:
        """Law 2.5."""
        assert "secret" not in repr(ClientCertificate("orders", mine, password="secret"))
