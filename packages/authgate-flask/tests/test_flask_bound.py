"""Tokens that are bound to keys, over real connections: a client certificate with TLS, and DPoP proofs (Law 3.15)."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from authgate_core import DPoP, GateConfig, Issuer
from authgate_core.testing import FakeIssuer, ProofKey
from authgate_flask import AuthGate, current_user, flask_jwt_auth
from tests.support.certificates import certificate


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where certificates are."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def server_certificate(files: Path) -> Path:
    """The server's."""
    return certificate(files / "server.pem")[0]


@pytest.fixture(scope="module")
def client_certificate(files: Path) -> tuple[Path, str]:
    """The client's, and its SHA-256."""
    return certificate(files / "client.pem")


@pytest.fixture(scope="module")
def server(
    issuer: FakeIssuer, server_certificate: Path, client_certificate: tuple[Path, str]
) -> Iterator[BaseWSGIServer]:
    """An application on a socket with TLS, which takes the certificate of a client that has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(client_certificate[0])
    app = Flask("orders")
    serving = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    trusted = Issuer.static(
        issuer.jwks(), issuer=issuer.url, audience=issuer.audience, confirmation=["dpop", "mtls"]
    )
    proofs = DPoP(f"https://127.0.0.1:{serving.server_port}")
    AuthGate(app, config=GateConfig(issuers=[trusted], dpop=proofs))
    app.add_url_rule("/me/<name>", "me", flask_jwt_auth()(lambda name: {"id": current_user.id}))
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


class TestOverTls:
    """What clients of a WSGI server show."""

    @pytest.fixture(autouse=True)
    def _known(self, server: BaseWSGIServer, server_certificate: Path) -> None:
        self.port = server.server_port
        self.trusted = server_certificate

    def ask(self, headers: dict[str, str], shows: Path | None = None, path: str = "/me/x") -> tuple[int, str]:
        """Ask on a connection of its own; the status, and the id or the code of the answer."""
        context = ssl.create_default_context(cafile=str(self.trusted))
        if shows is not None:
            context.load_cert_chain(shows)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body: dict[str, str] = json.loads(answer.read())
        connection.close()
        return answer.status, body.get("id") or body["code"]

    def test_a_certificate(self, issuer: FakeIssuer, client_certificate: tuple[Path, str]) -> None:
        """RFC 8705: whoever shows the one that the token is bound to is admitted, and nobody else is."""
        shown, digest = client_certificate
        token = issuer.token("u1", cnf={"x5t#S256": digest})
        headers = {"Authorization": f"Bearer {token}"}
        assert (200, "u1") == self.ask(headers, shown)
        assert (401, "token_invalid") == self.ask(headers)
        other = issuer.token("u1", cnf={"x5t#S256": "x" * 43})
        assert (401, "token_invalid") == self.ask({"Authorization": f"Bearer {other}"}, shown)

    @pytest.mark.parametrize("path", ["/me/x", "/me/a%20b", "/me/caf%C3%A9", "/me/a%3Fb", "/me/a;b?q=1"])
    def test_a_proof(self, issuer: FakeIssuer, path: str) -> None:
        """RFC 9449: for the URL as the client sent it, once."""
        key = ProofKey()
        token = issuer.token("u1", cnf=key.confirmation)
        headers = key.headers("GET", f"https://127.0.0.1:{self.port}{path}", token)
        assert (200, "u1") == self.ask(headers, path=path)
        assert (401, "proof_invalid") == self.ask(headers, path=path)
        assert (401, "token_invalid") == self.ask({"Authorization": f"Bearer {token}"}, path=path)

    def test_headers_are_no_certificate(
        self, issuer: FakeIssuer, client_certificate: tuple[Path, str]
    ) -> None:
        """Law 2.7: whoever sends the certificate without its key has shown nothing."""
        shown, digest = client_certificate
        pem = shown.read_text().replace("\n", " ")
        token = issuer.token("u1", cnf={"x5t#S256": digest})
        for name in ("SSL-Client-Cert", "SSL_CLIENT_CERT", "Client-Cert", "X-SSL-Client-Cert"):
            assert (401, "token_invalid") == self.ask({"Authorization": f"Bearer {token}", name: pem})
