"""A gateway that is known by its client certificate: over TLS in WSGI, and as a server of ASGI says it (Law 2.7)."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from werkzeug.serving import WSGIRequestHandler, make_server

import authgate_core as ag
from tests.gateways.serving import fastapi_app, flask_app
from tests.support.certificates import certificate
from tests.support.gateways import USER

CONFIG = ag.GateConfig(gateway=ag.Gateway.kong(tls_peers=["CN=kong"], server_drops_underscores=True))


class LikeModSsl(WSGIRequestHandler):
    """Says of the client's certificate what mod_ssl does; werkzeug itself says what it is, and not whose."""

    def make_environ(self) -> dict[str, Any]:
        """The environment of a request, with whom the TLS layer has verified."""
        connection: ssl.SSLSocket = self.connection
        subject: Any = (connection.getpeercert() or {}).get("subject", ())
        names = [f"{'CN' if kind == 'commonName' else kind}={value}" for ((kind, value),) in subject]
        said = {"SSL_CLIENT_VERIFY": "SUCCESS" if names else "NONE", "SSL_CLIENT_S_DN": ",".join(names)}
        return {**super().make_environ(), **said}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The server's, the gateway's, another client's that the server knows, and a stranger's in the gateway's name."""
    files, elsewhere = tmp_path_factory.mktemp("known"), tmp_path_factory.mktemp("unknown")
    known = {name: certificate(files / f"{name}.pem")[0] for name in ("server", "kong", "other")}
    return {**known, "stranger": certificate(elsewhere / "kong.pem")[0]}


@pytest.fixture(scope="module")
def port(certificates: Mapping[str, Path]) -> Iterator[int]:
    """Flask behind TLS, which takes the certificate of a client that has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["server"])
    context.verify_mode = ssl.CERT_OPTIONAL
    for name in ("kong", "other"):
        context.load_verify_locations(certificates[name])
    app = flask_app(CONFIG)
    serving = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context, request_handler=LikeModSsl)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving.server_port
    serving.shutdown()
    thread.join()
    serving.server_close()
    app.extensions["authgate"].gate.close()


class TestOverTls:
    """What a WSGI server says of the connection."""

    @pytest.fixture(autouse=True)
    def _known(self, port: int, certificates: Mapping[str, Path]) -> None:
        self.port = port
        self.certificates = certificates

    def ask(self, headers: Mapping[str, str], shows: str | None = None) -> int:
        """The status of a request on a connection of its own."""
        context = ssl.create_default_context(cafile=str(self.certificates["server"]))
        if shows is not None:
            context.load_cert_chain(self.certificates[shows])
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)
        with closing(connection):
            connection.request("GET", "/orders", headers=dict(headers))
            return connection.getresponse().status

    def test_the_gateway_is_believed(self) -> None:
        """By the certificate that it shows, wherever it is."""
        assert 200 == self.ask(USER, "kong")

    @pytest.mark.parametrize("shows", [None, "other"])
    def test_nobody_else_is(self, shows: str | None) -> None:
        """Neither who shows none, nor another client that the server knows."""
        assert 401 == self.ask(USER, shows)

    def test_its_name_alone_is_not_enough(self) -> None:
        """A certificate that the server does not know is refused by the TLS layer."""
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.ask(USER, "stranger")

    def test_headers_are_no_certificate(self) -> None:
        """Whatever their names."""
        sent = {"SSL-Client-S-DN": "CN=kong", "SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": "CN=kong"}
        assert 401 == self.ask({**USER, **sent})


class TestByAsgi:
    """What a server says in the TLS extension of ASGI."""

    @pytest.mark.parametrize(
        ("tls", "status"),
        [
            ({"client_cert_name": "CN=kong", "client_cert_error": None}, 200),
            ({"client_cert_name": "CN=kong", "client_cert_error": "self-signed certificate"}, 401),
            ({"client_cert_name": "CN=other", "client_cert_error": None}, 401),
            ({"client_cert_name": None, "client_cert_error": None}, 401),
            (None, 401),
        ],
    )
    def test_the_gateway_alone_is_believed(self, tls: object, status: int) -> None:
        """By the subject of a certificate that was verified."""
        app = fastapi_app(CONFIG)

        async def served(scope: Any, receive: Any, send: Any) -> None:
            scope = {**scope, "extensions": {"tls": tls}} if scope["type"] == "http" else scope
            await app(scope, receive, send)

        with TestClient(served) as client:
            assert status == client.get("/orders", headers=USER).status_code
