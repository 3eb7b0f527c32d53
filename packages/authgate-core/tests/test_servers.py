"""Requests as servers hand them over: the same request by ASGI and by WSGI, and what each has of its own."""

from __future__ import annotations

from typing import Any

import pytest

from authgate_core.request import Memo
from authgate_core.servers import asgi_view, wsgi_view


def scope(*headers: tuple[bytes, bytes], **more: Any) -> dict[str, Any]:
    """What an ASGI server says of a request."""
    return {"type": "http", "method": "PUT", "path": "/o/7", "headers": [*headers], **more}


def environ(**more: Any) -> dict[str, Any]:
    """What a WSGI server says of a request."""
    return {"REQUEST_METHOD": "PUT", "SCRIPT_NAME": "", "PATH_INFO": "/o/7", "QUERY_STRING": "", **more}


CERTIFICATE = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
PEMS = [
    (CERTIFICATE.format("Y2VydGlm\r\naWNhdGU="), b"certificate"),
    (CERTIFICATE.format("Zmlyc3Q=") + CERTIFICATE.format("c2Vjb25k"), b"first"),
    (CERTIFICATE.format("Y2VydGlmaWNhdGU"), None),
    (CERTIFICATE.format("!"), None),
    ("Y2VydGlmaWNhdGU=", None),
    ("", None),
    (None, None),
]
"""What a server says of a client certificate, and what that is."""


class TestCertificates:
    """RFC 8705: what a token may be bound to, as the TLS layer got it."""

    @pytest.mark.parametrize(("pem", "der"), PEMS)
    def test_by_asgi(self, pem: str | None, der: bytes | None) -> None:
        """The TLS extension has the whole chain, the client's own certificate first."""
        chain = [] if pem is None else [pem, CERTIFICATE.format("aXNzdWVy")]
        assert der == asgi_view(scope(extensions={"tls": {"client_cert_chain": chain}})).certificate

    @pytest.mark.parametrize(
        "more", [{}, {"extensions": None}, {"extensions": {}}, {"extensions": {"tls": None}}]
    )
    def test_by_asgi_without_one(self, more: dict[str, Any]) -> None:
        """Servers need not have the extension, nor fill it."""
        assert asgi_view(scope(**more)).certificate is None

    @pytest.mark.parametrize(("pem", "der"), PEMS)
    def test_by_wsgi(self, pem: str | None, der: bytes | None) -> None:
        """In a variable of the server's."""
        assert der == wsgi_view(environ(SSL_CLIENT_CERT=pem)).certificate

    def test_by_no_header(self) -> None:
        """Law 2.7: a client that sends one is not believed."""
        pem = PEMS[0][0]
        assert wsgi_view(environ(HTTP_SSL_CLIENT_CERT=pem)).certificate is None
        assert asgi_view(scope((b"ssl-client-cert", str(pem).encode()))).certificate is None


class TestTlsPeers:
    """Law 2.7: the subject of the client certificate that the TLS layer has verified."""

    def test_by_asgi(self) -> None:
        """The TLS extension names it."""
        assert "CN=kong" == asgi_view(scope(extensions={"tls": {"client_cert_name": "CN=kong"}})).tls_peer

    @pytest.mark.parametrize(
        "tls",
        [
            None,
            {},
            {"client_cert_name": None},
            {"client_cert_name": b"CN=kong"},
            {"client_cert_name": "CN=kong", "client_cert_error": "self-signed certificate"},
            {"client_cert_name": "CN=kong", "client_cert_error": ""},
        ],
    )
    def test_by_asgi_without_one(self, tls: Any) -> None:
        """Or of one that could not be verified."""
        assert asgi_view(scope(extensions={"tls": tls})).tls_peer is None
        assert asgi_view(scope()).tls_peer is None

    def test_by_wsgi(self) -> None:
        """In variables of the server's."""
        assert (
            "CN=kong" == wsgi_view(environ(SSL_CLIENT_S_DN="CN=kong", SSL_CLIENT_VERIFY="SUCCESS")).tls_peer
        )

    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"SSL_CLIENT_VERIFY": "SUCCESS"},
            {"SSL_CLIENT_S_DN": "CN=kong"},
            {"SSL_CLIENT_S_DN": "CN=kong", "SSL_CLIENT_VERIFY": "GENEROUS"},
            {"SSL_CLIENT_S_DN": "CN=kong", "SSL_CLIENT_VERIFY": "FAILED:expired"},
            {"HTTP_SSL_CLIENT_S_DN": "CN=kong", "HTTP_SSL_CLIENT_VERIFY": "SUCCESS"},
        ],
    )
    def test_by_wsgi_without_one(self, more: dict[str, Any]) -> None:
        """Or of one that could not be verified, or as a header says."""
        assert wsgi_view(environ(**more)).tls_peer is None


class TestTargets:
    def test_by_asgi(self) -> None:
        """As it was sent."""
        assert "/o/%37?q=1" == asgi_view(scope(raw_path=b"/o/%37", query_string=b"q=1")).target

    @pytest.mark.parametrize(
        ("path", "target"),
        [
            ("/o/7", "/o/7"),
            ("/a b?c#d%e", "/a%20b%3Fc%23d%25e"),
            ("/caf\u00c3\u00a9", "/caf%C3%A9"),
            ("/a;b=(1)", "/a;b=(1)"),
        ],
    )
    def test_by_wsgi(self, path: str, target: str) -> None:
        """PEP 3333 hands a path over decoded; encoded anew, no character of it is taken for another."""
        seen = wsgi_view(environ(SCRIPT_NAME="/m", PATH_INFO=path, QUERY_STRING="q=%20"))
        assert f"/m{target}?q=%20" == seen.target

    @pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
    @pytest.mark.parametrize("sent", ["/m/u/a%40b?q=1", "/%6d/u/a@b?q=1", "/m%2Fu/a%40b?q=1"])
    def test_as_it_was_sent_where_wsgi_servers_say_so(self, variable: str, sent: str) -> None:
        """What was signed of a path is how it was written."""
        line = {"SCRIPT_NAME": "/m", "PATH_INFO": "/u/a@b", "QUERY_STRING": "q=1"}
        assert sent == wsgi_view(environ(**line, **{variable: sent})).target

    @pytest.mark.parametrize(
        "sent",
        [
            "/m/other?q=1",
            "/m/u/a@b?q=2",
            "/m/u/a@b",
            "/m/u/a@b?q=1#x",
            "https://a.example/m/u/a@b?q=1",
            "",
            None,
        ],
    )
    def test_what_a_router_does_not_see_is_not_believed(self, sent: str | None) -> None:
        """Something rewrote the one or the other since."""
        line = {"SCRIPT_NAME": "/m", "PATH_INFO": "/u/a@b", "QUERY_STRING": "q=1"}
        assert "/m/u/a@b?q=1" == wsgi_view(environ(**line, RAW_URI=sent, HTTP_RAW_URI="/x")).target


class TestAsgi:
    def test_all_that_a_view_holds(self) -> None:
        """Everything that the gate may ask for is taken over, and the URL as it was sent."""
        memo = Memo()
        seen = asgi_view(
            scope(raw_path=b"/o/%37", query_string=b"q=%e9", client=("192.0.2.7", 9), path_params={"n": 7}),
            memo=memo,
            subprotocols=["chat"],
        )
        assert ("PUT", "/o/%37?q=%e9", "192.0.2.7") == (seen.method, seen.url, seen.peer)
        assert ({"n": 7}, ("chat",)) == (seen.path_params, seen.subprotocols)
        assert memo is seen.memo

    def test_headers(self) -> None:
        """Law 2.2: every pair in order, under its name in lower case, whatever bytes it holds."""
        pairs = ((b"X-App-Id", b"1"), (b"accept", b"\xe9"), (b"x-app-id", b"2"), (b"x_app_id", b"3"))
        expected = (("x-app-id", "1"), ("accept", "\xe9"), ("x-app-id", "2"), ("x_app_id", "3"))
        assert expected == asgi_view(scope(*pairs)).headers

    def test_headers_of_one_name(self) -> None:
        """Law 2.2: asked for one name, it gives what it gives among all of them."""
        pairs = ((b"Authorization", b"1"), (b"x-request-id1", b"2"), (b"authorization", b"\xe9"))
        assert (("authorization", "1"), ("authorization", "\xe9")) == asgi_view(scope(*pairs)).only(
            "authorization"
        )

    def test_headers_that_change(self) -> None:
        """It stays what arrived, whatever an application makes of that later."""
        asked = scope((b"accept", b"1"))
        seen = asgi_view(asked)
        asked["headers"][:] = [(b"accept", b"2")]
        assert (("accept", "1"),) == seen.headers

    def test_what_is_optional(self) -> None:
        """A handshake has no method, and a server may leave the raw path, the query and the client out."""
        seen = asgi_view({"type": "websocket", "path": "/caf\xe9 \ud800", "headers": []})
        assert ("GET", "/caf%C3%A9%20%3F", None) == (seen.method, seen.url, seen.peer)
        assert ({}, (), None) == (dict(seen.path_params), seen.subprotocols, seen.memo)

    @pytest.mark.parametrize("name", [b"Forwarded", b"via", b"X-Forwarded-For", b"x-real-ip"])
    def test_a_forwarded_request(self, name: bytes) -> None:
        """Law 2.7: a server may have believed that header, so nobody is known to hold the socket."""
        assert None is asgi_view(scope((name, b"203.0.113.9"), client=("127.0.0.1", 9))).peer

    def test_a_socket_without_an_address(self) -> None:
        """A client on a Unix socket has none."""
        assert None is asgi_view(scope(client=None)).peer


class TestWsgi:
    def test_all_that_a_view_holds(self) -> None:
        """Everything that the gate may ask for is taken over."""
        memo = Memo()
        request = environ(REQUEST_METHOD="put", QUERY_STRING="q=%e9", REMOTE_ADDR="192.0.2.7")
        seen = wsgi_view(request, memo=memo, path_params={"n": 7})
        assert ("PUT", "/o/7?q=%e9", "192.0.2.7", {"n": 7}) == (
            seen.method,
            seen.url,
            seen.peer,
            seen.path_params,
        )
        assert memo is seen.memo

    def test_headers(self) -> None:
        """Names get their hyphens back; what is no header is none."""
        request = environ(
            HTTP_AUTHORIZATION="Bearer a,Bearer b",
            HTTP_X_APP_ID="\xe9",
            CONTENT_TYPE="text/plain",
            CONTENT_LENGTH="3",
            AUTHORIZATION="Basic c",
            UPSTREAM_HTTP_X_APP_ID="other",
        )
        expected = {
            ("authorization", "Bearer a,Bearer b"),
            ("x-app-id", "\xe9"),
            ("content-type", "text/plain"),
            ("content-length", "3"),
        }
        assert expected == set(wsgi_view(request).headers)

    def test_two_headers_of_cgi(self) -> None:
        """Type and length of the content have one place, and are not there where it is empty."""
        request = environ(
            CONTENT_TYPE="", CONTENT_LENGTH="", HTTP_CONTENT_TYPE="text/html", HTTP_CONTENT_LENGTH="9"
        )
        assert () == wsgi_view(request).headers

    @pytest.mark.parametrize(
        ("mounted", "path", "expected"),
        [
            ("/api", "/o", "/api/o"),
            ("/api/", "o", "/api/o"),
            ("/api", "", "/api/"),
            ("", "//o", "/o"),
            ("", "/caf\xc3\xa9", "/caf\xe9"),
            ("", "/\xe9", "/\ufffd"),
        ],
    )
    def test_paths(self, mounted: str, path: str, expected: str) -> None:
        """The whole path, from its mount on, out of the bytes that PEP 3333 hides in latin-1."""
        assert expected == wsgi_view(environ(SCRIPT_NAME=mounted, PATH_INFO=path)).url

    def test_what_is_optional(self) -> None:
        """PEP 3333 lets a server leave empty variables out."""
        seen = wsgi_view({})
        assert ("GET", "/", None) == (seen.method, seen.url, seen.peer)
        assert ({}, (), None) == (dict(seen.path_params), seen.subprotocols, seen.memo)

    @pytest.mark.parametrize(
        ("before", "expected"), [({"REMOTE_ADDR": "192.0.2.7"}, "192.0.2.7"), ({}, None)]
    )
    def test_behind_proxy_fix(self, before: dict[str, str], expected: str | None) -> None:
        """Law 2.7: the peer is who held the socket before middleware believed a header."""
        request = environ(REMOTE_ADDR="203.0.113.9", **{"werkzeug.proxy_fix.orig": before})
        assert expected == wsgi_view(request).peer

    @pytest.mark.parametrize("address", ["", None])
    def test_a_socket_without_an_address(self, address: str | None) -> None:
        """A client on a Unix socket has none, which servers say in two ways."""
        assert None is wsgi_view(environ(REMOTE_ADDR=address)).peer

    @pytest.mark.parametrize(
        "name", ["authorization", "x-app-id", "content-type", "content-length", "accept", "d", "wsgi.input"]
    )
    def test_headers_of_one_name(self, name: str) -> None:
        """Law 2.2: asked for one name, it gives what it gives among all of them."""
        more = {
            "CONTENT_TYPE": "text/plain",
            "CONTENT_LENGTH": "",
            "HTTP_CONTENT_TYPE": "x",
            "HTTP_CONTENT_LENGTH": "1",
        }
        names = (
            "HTTP_AUTHORIZATION",
            "HTTP_Authorization",
            "HTTP_X_APP_ID",
            "HTTPS_X_APP_I",
            "QUERY_STRING_AUTH1",
        )
        asked = environ(**more, **dict.fromkeys(names, "1"))
        among = tuple(pair for pair in wsgi_view(asked).headers if pair[0] == name)
        assert among == wsgi_view(asked).only(name)
        assert (name in {"authorization", "x-app-id", "content-type"}) == bool(among)

    def test_headers_that_change(self) -> None:
        """It stays what arrived, whatever an application makes of that later."""
        asked = environ(HTTP_ACCEPT="1")
        seen = wsgi_view(asked)
        asked["HTTP_ACCEPT"] = "2"
        assert (("accept", "1"),) == seen.headers
