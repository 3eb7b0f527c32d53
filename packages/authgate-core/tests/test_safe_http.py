"""The HTTP client against real sockets that misbehave (Law 4.9)."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from authgate_core.errors import AuthUnavailable, ConfigurationError
from authgate_core.io.http import SafeHttp
from authgate_core.io.sockets import is_loopback
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.testing.contracts import HttpPortContract

Talk = Callable[[socket.socket], None]

LIMIT = 512 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Peer:
    """A TCP server on loopback that answers each connection as it is told, and keeps what it was sent."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.heard: list[bytes] = []
        self.stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]

    def url(self, path: str = "/keys", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def hear(self, connection: socket.socket) -> bytes:
        """Read the head of one request."""
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                break
            head += piece
        self.heard.append(head)
        return head

    def _accept(self) -> None:
        while not self.stopping.is_set():
            connection, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # the client hangs up on what it refuses
            connection.settimeout(10)
            if not self.stopping.is_set():
                self.talk(connection)

    def stop(self) -> None:
        self.stopping.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@contextlib.contextmanager
def peer_that(talk: Callable[[Peer, socket.socket], None]) -> Iterator[Peer]:
    """A peer with these manners."""
    peer = Peer(lambda connection: talk(peer, connection))
    peer._threads[0].start()
    try:
        yield peer
    finally:
        peer.stop()


def answering(answer: bytes) -> contextlib.AbstractContextManager[Peer]:
    """A peer that hears a request, sends these bytes and hangs up."""

    def talk(peer: Peer, connection: socket.socket) -> None:
        peer.hear(connection)
        connection.sendall(answer)

    return peer_that(talk)


def reply_with(answer: bytes) -> HttpReply:
    """What the client makes of these bytes."""
    with answering(answer) as peer:
        return SafeHttp().send(HttpRequest("GET", peer.url()))


def refusal(http: SafeHttp, request: HttpRequest) -> str:
    """Why a request brings nothing."""
    with pytest.raises(AuthUnavailable) as raised:
        http.send(request)
    return raised.value.reason


def refusal_of(answer: bytes) -> str:
    """Why the client does not take these bytes."""
    with answering(answer) as peer:
        return refusal(SafeHttp(), HttpRequest("GET", peer.url()))


class TestExchange:
    def test_a_good_answer_is_read_whole(self) -> None:
        """Status, headers in lower case, repeated ones joined, and the raw body."""
        reply = reply_with(OK + b"X-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\n{}")
        assert (200, b"{}", "1, 2") == (reply.status, reply.body, reply.headers["x-a"])

    def test_what_is_sent(self) -> None:
        """No compression is offered, no connection kept, and nothing is said that was not asked for."""
        with answering(OK + b"\r\n{}") as peer:
            SafeHttp().send(HttpRequest("GET", peer.url("/keys?x=1#y"), (("accept", "application/json"),)))
            head = peer.heard[0].decode().lower().split("\r\n")
        expected = {
            f"host: 127.0.0.1:{peer.port}",
            "accept-encoding: identity",
            "connection: close",
            "user-agent: authgate",
            "accept: application/json",
        }
        assert "get /keys?x=1 http/1.1" == head[0]
        assert expected == set(filter(None, head[1:]))

    def test_a_body_is_sent(self) -> None:
        """With its length."""
        with answering(b"HTTP/1.1 204 No Content\r\n\r\n") as peer:
            assert 204 == SafeHttp().send(HttpRequest("POST", peer.url(), body=b"grant")).status
            assert b"content-length: 5" in peer.heard[0].lower()

    def test_redirects_are_not_followed(self) -> None:
        """Law 4.9: the caller sees the status, and nobody is asked a second time."""
        with answering(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n") as peer:
            assert 302 == SafeHttp().send(HttpRequest("GET", peer.url())).status
            assert 1 == len(peer.heard)

    def test_cookies_are_not_kept(self) -> None:
        """One request knows nothing of another."""
        with answering(OK + b"Set-Cookie: a=b\r\n\r\n{}") as peer:
            http = SafeHttp()
            http.send(HttpRequest("GET", peer.url()))
            http.send(HttpRequest("GET", peer.url()))
            assert b"cookie" not in peer.heard[1].lower()

    def test_nothing_is_inherited_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Law 4.9: trust_env=False."""
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login u password p\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with answering(OK + b"\r\n{}") as peer:
            assert 200 == SafeHttp().send(HttpRequest("GET", peer.url())).status
            assert b"authorization" not in peer.heard[0].lower()

    def test_ipv6_loopback(self) -> None:
        """A literal address is bracketed in the Host header."""
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        host = f"[::1]:{listener.getsockname()[1]}"
        with listener, ThreadPoolExecutor(1) as pool:
            sent = pool.submit(SafeHttp().send, HttpRequest("GET", f"http://{host}/"))
            connection, _ = listener.accept()
            with connection:
                assert f"host: {host}".encode() in connection.recv(65536).lower()
                connection.sendall(OK + b"\r\n{}")
            assert 200 == sent.result().status

    def test_it_can_be_used_again_after_it_was_closed(self) -> None:
        """Nothing is kept between requests, so a gate that starts twice needs no new client."""
        http = SafeHttp()
        http.close()
        with answering(OK + b"\r\n{}") as peer:
            assert 200 == http.send(HttpRequest("GET", peer.url())).status


class TestContract(HttpPortContract):
    """What every HTTP port promises."""

    @pytest.fixture
    def http(self) -> SafeHttp:
        """With less patience than the law allows, for the suite's sake."""
        return SafeHttp(timeout=2.0)


class TestRefusedAnswers:
    @pytest.mark.parametrize("encoding", ["gzip", "br", "identity", "GZIP"])
    def test_compressed(self, encoding: str) -> None:
        """Law 4.9: any Content-Encoding is refused; a few bytes could unpack to gigabytes."""
        body = gzip.compress(b"{}" * 1000)
        assert "compressed" in refusal_of(OK + f"Content-Encoding: {encoding}\r\n\r\n".encode() + body)

    @pytest.mark.parametrize("kind", ["text/html", "text/HTML; charset=utf-8", "application/xhtml+xml"])
    def test_html(self, kind: str) -> None:
        """Law 4.9: a proxy's page with status 200 is no document of the issuer."""
        assert "HTML" in refusal_of(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n<html>".encode())

    def test_larger_than_the_limit(self) -> None:
        """Law 4.9: 512 KiB of raw bytes while streaming; the rest is not read."""
        assert LIMIT == len(reply_with(OK + b"\r\n" + b" " * LIMIT).body)
        assert f"larger than {LIMIT} bytes" in refusal_of(OK + b"\r\n" + b" " * (LIMIT + 1))

    @pytest.mark.parametrize("head", [b"Content-Length: 10485760\r\n\r\n", b"\r\n"])
    def test_10_megabytes_and_no_end(self, head: bytes) -> None:
        """The client hangs up long before it has been sent everything."""
        sent: list[int] = []

        def talk(peer: Peer, connection: socket.socket) -> None:
            peer.hear(connection)
            connection.sendall(OK + head)
            while not peer.stopping.is_set() and sum(sent) < 10_485_760:
                sent.append(connection.send(b"x" * 65536))

        with peer_that(talk) as peer:
            assert "larger" in refusal(SafeHttp(), HttpRequest("GET", peer.url()))
        assert 10_485_760 > sum(sent)

    def test_endless_chunks(self) -> None:
        """A chunked body is measured as it comes."""
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        assert "larger" in refusal_of(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 40)

    @pytest.mark.parametrize(
        "answer",
        [
            OK + b"Content-Length: 100\r\n\r\n{}",
            OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
            b"HTTP/1.1 200 OK\r\nContent-",
            b"",
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
            OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        ],
    )
    def test_truncated_or_not_http(self, answer: bytes) -> None:
        """Half a document is none."""
        assert "broke off, or answered something that is not HTTP" in refusal_of(answer)

    @pytest.mark.parametrize("status", [404, 410, 500, 503])
    def test_of_an_error_only_status_and_headers_are_read(self, status: int) -> None:
        """An error page, compressed and endless, still tells its status: 404 is a definite answer (Law 4.4)."""
        head = f"HTTP/1.1 {status} Error\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nRetry-After: 7\r\n"
        reply = reply_with(head.encode() + b"Content-Length: 99999999\r\n\r\n<html>")
        assert (status, b"", "7") == (reply.status, reply.body, reply.headers["retry-after"])

    @settings(max_examples=150, deadline=None)
    @given(st.one_of(st.binary(max_size=300), st.binary(max_size=100).map(lambda tail: OK + tail)))
    def test_any_bytes(self, answer: bytes) -> None:
        """Law 3.11: nothing but a reply or ``AuthUnavailable`` comes of it."""
        with contextlib.suppress(AuthUnavailable):
            assert isinstance(reply_with(answer), HttpReply)


def drip(peer: Peer, connection: socket.socket, data: bytes) -> None:
    """Send one byte a second, of which no single one is late."""
    for byte in data:
        connection.sendall(bytes((byte,)))
        if peer.stopping.wait(1):
            return


def dripping_head(peer: Peer, connection: socket.socket) -> None:
    """A status line and headers without end."""
    peer.hear(connection)
    drip(peer, connection, OK)


def dripping_body(peer: Peer, connection: socket.socket) -> None:
    """A body that will be complete in two minutes."""
    peer.hear(connection)
    connection.sendall(OK + b"Content-Length: 120\r\n\r\n")
    drip(peer, connection, b" " * 120)


def dripping_chunks(peer: Peer, connection: socket.socket) -> None:
    """Chunks of one byte."""
    peer.hear(connection)
    connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    drip(peer, connection, b"1\r\nx\r\n" * 20)


def early_hints(peer: Peer, connection: socket.socket) -> None:
    """Interim answers (RFC 9110 section 15.2) without a final one."""
    peer.hear(connection)
    while not peer.stopping.wait(0.2):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def dripping_tls(peer: Peer, connection: socket.socket) -> None:
    """The first bytes of a handshake record, and no more than one a second."""
    drip(peer, connection, b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")


def silence(peer: Peer, connection: socket.socket) -> None:
    """A connection and nothing else."""
    peer.stopping.wait(30)


class TestDeadline:
    def test_5_seconds_in_all(self) -> None:
        """Law 4.9: whatever part of the exchange hangs or drips, one byte a second."""
        http = SafeHttp()

        def measure(talk: Callable[[Peer, socket.socket], None], scheme: str) -> tuple[str, float]:
            with peer_that(talk) as peer:
                started = time.monotonic()
                return refusal(http, HttpRequest("GET", peer.url(scheme=scheme))), time.monotonic() - started

        plain = (dripping_head, dripping_body, dripping_chunks, early_hints, silence)
        manners = [*((talk, "http") for talk in plain), (dripping_tls, "https"), (silence, "https")]
        with ThreadPoolExecutor(len(manners)) as pool:
            for reason, seconds in pool.map(measure, *zip(*manners, strict=True)):
                assert "127.0.0.1 did not answer within 5 s" == reason
                assert 5.5 > seconds

    def test_a_peer_that_sips(self) -> None:
        """Writing counts as well, and however little is taken it is never too late for the next piece."""

        def sip(peer: Peer, connection: socket.socket) -> None:
            while not peer.stopping.wait(0.05) and connection.recv(524_288):
                pass

        with peer_that(sip) as peer:
            request = HttpRequest("POST", peer.url(), body=b"x" * 60_000_000)
            started = time.monotonic()
            assert "did not answer within 0.3 s" in refusal(SafeHttp(timeout=0.3), request)
            assert 5 > time.monotonic() - started

    def test_a_request_may_allow_less_time(self) -> None:
        """And never more than the client does."""

        def hang(peer: Peer, _connection: socket.socket) -> None:
            peer.stopping.wait()

        with peer_that(hang) as peer:
            asking = HttpRequest("GET", peer.url(), timeout=0.1)
            assert "did not answer within 0.1 s" in refusal(SafeHttp(timeout=30.0), asking)
            assert "did not answer within 0.2 s" in refusal(
                SafeHttp(timeout=0.2), replace(asking, timeout=30.0)
            )

    def test_a_name_look_up_that_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing can interrupt the look-up; it is left behind."""
        done = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(30) and [])
        reason = refusal(SafeHttp(timeout=0.2), HttpRequest("GET", "https://id.example.com/"))
        done.set()
        assert "id.example.com did not answer within 0.2 s" == reason

    def test_a_deadline_that_is_over_ends_everything(self) -> None:
        """Not even a connection is tried."""
        reason = refusal(SafeHttp(timeout=-1.0), HttpRequest("GET", "http://127.0.0.1:9/"))
        assert "did not answer" in reason


def resolving_to(*addresses: tuple[str, int]) -> Callable[..., list[Any]]:
    """A name service that knows one answer."""
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", where) for where in addresses]


class TestConnecting:
    def test_refused(self) -> None:
        """The reason is the system's, without the URL."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        reason = refusal(SafeHttp(), HttpRequest("GET", f"http://127.0.0.1:{port}/?token=secret"))
        assert "no connection to 127.0.0.1: Connection refused" == reason

    def test_a_name_that_does_not_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As the resolver says."""

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        reason = refusal(SafeHttp(), HttpRequest("GET", "https://id.example.com/"))
        assert "no connection to id.example.com: Name or service not known" == reason

    def test_a_name_without_addresses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty answer is no crash."""
        monkeypatch.setattr(socket, "getaddrinfo", resolving_to())
        reason = refusal(SafeHttp(), HttpRequest("GET", "https://id.example.com/"))
        assert "no connection to id.example.com: OSError" == reason

    def test_the_next_address_is_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that refuses and one that swallows packets leave time for the third."""
        with contextlib.ExitStack() as stack, answering(OK + b"\r\n{}") as peer:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                refusing = ("127.0.0.1", listener.getsockname()[1])
            full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(3):  # a full queue makes the kernel drop what knocks
                knocking = stack.enter_context(socket.socket())
                knocking.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    knocking.connect(full.getsockname())
            where = (refusing, full.getsockname(), ("127.0.0.1", peer.port))
            request = HttpRequest("GET", "http://keys.internal/", plain_http=True)
            with monkeypatch.context() as patch:
                patch.setattr(socket, "getaddrinfo", resolving_to(*where))
                assert 200 == SafeHttp(timeout=1.0).send(request).status

    def test_no_thread_to_be_had(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An exhausted process is an outage, not a bug."""

        def exhausted(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", exhausted)
        assert "no connection" in refusal(SafeHttp(), HttpRequest("GET", "https://id.example.com/"))


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("http://id.example.com/keys", "not https"),
            ("http://localhost.evil.example/keys", "not https"),
            ("http://127.0.0.1.evil.example/keys", "not https"),
            ("http://0x7f.1/keys", "not https"),
            ("http://127.1/keys", "not https"),
            ("http://[::2]/keys", "not https"),
            ("http://127.0.0.1@evil.example/keys", "user name"),
            ("https://user:pa55@id.example.com/keys", "user name"),
            ("ftp://id.example.com/keys", "neither https nor http"),
            ("file:///etc/passwd", "neither https nor http"),
            ("https:///keys", "neither https nor http"),
            ("//id.example.com/keys", "neither https nor http"),
            ("", "neither https nor http"),
            ("https://id.example.com:0/keys", "not valid"),
            ("https://id.example.com:99999/keys", "not valid"),
            ("https://id.example.com:x/keys", "not valid"),
            ("https://id.example.com/\r\nX: y", "not valid"),
            ("https://id.example.com/\ud800", "not valid"),
        ],
    )
    def test_refused(self, url: str, why: str) -> None:
        """Law 4.9: https; http for loopback only; no credentials; and the reason repeats none."""
        reason = refusal(SafeHttp(), HttpRequest("GET", url))
        assert why in reason
        assert "pa55" not in reason

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
    def test_loopback(self, host: str) -> None:
        """Law 4.9: these are this machine, by their spelling."""
        assert is_loopback(host)

    @pytest.mark.parametrize("host", ["", "localhost.", "a.localhost", "128.0.0.1", "::", "::2", "0.0.0.0"])
    def test_not_loopback(self, host: str) -> None:
        """These may be anyone."""
        assert not is_loopback(host)

    def test_plain_http_when_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 4.9: allowed explicitly, for one request."""
        with answering(OK + b"\r\n{}") as peer:
            url = peer.url(host="keys.internal")
            with monkeypatch.context() as patch:
                patch.setattr(socket, "getaddrinfo", resolving_to(("127.0.0.1", peer.port)))
                assert 200 == SafeHttp().send(HttpRequest("GET", url, plain_http=True)).status
            assert "not https" in refusal(SafeHttp(), HttpRequest("GET", url))

    @settings(max_examples=200, deadline=None)
    @given(
        st.one_of(st.text(), st.text().map("https://".__add__), st.text().map("https://id.example/".__add__))
    )
    def test_any_text(self, url: str) -> None:
        """Law 3.11: a URL from a document can only be refused."""

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", unknown)
            assert refusal(SafeHttp(), HttpRequest("GET", url))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and id.example.com, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id.example.com")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("id.example.com"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def serving_tls(certificate: Path) -> Callable[[Peer, socket.socket], None]:
    """The manners of an https server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def talk(peer: Peer, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            peer.hear(secured)
            secured.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    return talk


class TestTls:
    def test_a_trusted_certificate(self, certificate: Path) -> None:
        """TLS is spoken, and the certificate checked against the host."""
        trust = ssl.create_default_context(cafile=certificate)
        with peer_that(serving_tls(certificate)) as peer:
            http = SafeHttp(ssl_context=trust)
            assert b"{}" == http.send(HttpRequest("GET", peer.url(scheme="https"))).body
            assert "certificate" in refusal(
                http, HttpRequest("GET", peer.url(scheme="https", host="localhost"))
            )

    def test_an_unknown_certificate(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The machine's authorities decide, not the environment, and nothing switches that off."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with peer_that(serving_tls(certificate)) as peer:
            reason = refusal(SafeHttp(), HttpRequest("GET", peer.url(scheme="https")))
            assert "certificate verify failed" in reason


class TestProxy:
    def test_plain_http_goes_through_it(self) -> None:
        """With the credentials of its URL, and the whole URL as target (RFC 9112 section 3.2.2)."""
        with answering(OK + b"\r\n{}") as proxy:
            http = SafeHttp(proxy=f"http://user:pa%3A55@127.0.0.1:{proxy.port}")
            assert 200 == http.send(HttpRequest("GET", "http://keys.internal/k", plain_http=True)).status
            head = proxy.heard[0]
        assert head.startswith(b"GET http://keys.internal/k HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic dXNlcjpwYTo1NQ==" in head

    def test_https_is_tunnelled(self, certificate: Path) -> None:
        """The proxy sees a host and a port, and TLS is spoken with the issuer."""
        speak_tls = serving_tls(certificate)

        def talk(proxy: Peer, connection: socket.socket) -> None:
            proxy.hear(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            speak_tls(proxy, connection)

        with peer_that(talk) as proxy:
            trust = ssl.create_default_context(cafile=certificate)
            http = SafeHttp(proxy=f"http://127.0.0.1:{proxy.port}", ssl_context=trust)
            assert b"{}" == http.send(HttpRequest("GET", "https://id.example.com/keys")).body
            assert proxy.heard[0].startswith(b"CONNECT id.example.com:443 ")
            assert proxy.heard[1].startswith(b"GET /keys ")

    def test_loopback_is_asked_directly(self) -> None:
        """Plain http is allowed there because it does not leave the machine."""
        with answering(OK + b"\r\n{}") as peer:
            assert 200 == SafeHttp(proxy="http://127.0.0.1:9").send(HttpRequest("GET", peer.url())).status

    def test_a_proxy_that_refuses(self) -> None:
        """The reason names the issuer, not the proxy's credentials."""
        with answering(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") as proxy:
            http = SafeHttp(proxy=f"http://user:pa55@127.0.0.1:{proxy.port}")
            reason = refusal(http, HttpRequest("GET", "https://id.example.com/"))
        assert "the proxy does not connect to id.example.com" == reason

    @pytest.mark.parametrize(
        "url", ["", "127.0.0.1:3128", "socks5://user:pa55@h:1", "https://h:1", "http://", "http://h:pa55"]
    )
    def test_anything_else_is_a_configuration_error(self, url: str) -> None:
        """Law 1.6: said when it is configured, with what to write instead, and no password."""
        with pytest.raises(ConfigurationError, match="write http://host:port") as raised:
            SafeHttp(proxy=url)
        assert "pa55" not in str(raised.value)
