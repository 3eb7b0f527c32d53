"""Message signatures (RFC 9421) on real servers: whatever is changed on the way, or sent again, is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import authgate_core as ag
from authgate_core.gateways import Gateway
from authgate_core.replays import RedisReplays
from tests.gateways.serving import SERVERS, send
from tests.support.gateways import ORIGIN, USER, Signer
from tests.support.valkey import valkey

KEY = b"thirty-two bytes of a shared key"
BODY = b'{"price": 1}'

signer = Signer(KEY)


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    """What ends with the module."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture(scope="module")
def config(stack: ExitStack) -> ag.GateConfig:
    """A gate behind the gateway, with a Valkey that remembers nonces."""
    server = stack.enter_context(valkey())
    replays = RedisReplays(f"redis://127.0.0.1:{server.port}/0")
    gateway = Gateway.signed({"gateway-1": ag.Secret(KEY)}, origin=ORIGIN)
    return ag.GateConfig(gateway=gateway, replays=replays)


@pytest.fixture(scope="module", params=list(SERVERS))
def port(request: pytest.FixtureRequest, stack: ExitStack, config: ag.GateConfig) -> int:
    """The application on each server."""
    return int(stack.enter_context(SERVERS[request.param](config)))


@pytest.fixture(scope="module")
def sockets(stack: ExitStack, config: ag.GateConfig) -> str:
    """The address of FastAPI's WebSockets."""
    return f"ws://127.0.0.1:{stack.enter_context(SERVERS['plain uvicorn'](config))}"


class TestWhatIsAdmitted:
    def test_a_signed_request(self, port: int) -> None:
        """From any peer, by every server, though it joins names."""
        status, body = send(port, signer.sign(USER, "GET", "/orders?page=1"), target="/orders?page=1")

        assert (200, "u1") == (status, json.loads(body)["id"])

    @pytest.mark.parametrize("body", [BODY, b"x" * 300_000])
    def test_a_signed_body_reaches_the_handler(self, port: int, body: bytes) -> None:
        """Whole, after the gate has read it."""
        status, answer = send(port, signer.sign(USER, "POST", "/orders", body), "POST", body=body)

        assert (200, body.decode()) == (status, json.loads(answer)["body"])

    @pytest.mark.parametrize("target", ["/a%20b", "/a+b/~c:d@e", "/gr%C3%BCn?q=%C3%BC"])
    def test_an_address_with_escapes(self, port: int, target: str) -> None:
        """As they are usually written."""
        assert 200 == send(port, signer.sign(USER, "GET", target), target=target)[0]

    @pytest.mark.parametrize("server", ["waitress", "plain uvicorn"])
    @pytest.mark.parametrize("target", ["/a%40b.c", "/%61%2Fb?q=%7E"])
    def test_an_address_with_more_escapes(self, config: ag.GateConfig, server: str, target: str) -> None:
        """As browsers write what is given to them, where the server tells what it was sent."""
        with SERVERS[server](config) as port:
            assert 200 == send(port, signer.sign(USER, "GET", target), target=target)[0]


class TestWhatIsRefused:
    def test_without_a_signature(self, port: int) -> None:
        """Spoofed."""
        assert 401 == send(port, USER)[0]

    def test_by_another_key(self, port: int) -> None:
        """Forged."""
        forger = Signer(b"another key, of thirty-two bytes")

        assert 401 == send(port, forger.sign(USER, "GET", "/orders"))[0]

    def test_a_second_time(self, port: int) -> None:
        """Replayed."""
        headers = signer.sign(USER, "GET", "/orders")

        assert [200, 401, 401] == [send(port, headers)[0] for _ in range(3)]

    @pytest.mark.parametrize("name", ["X-User-ID", "X-User-Roles", "X-Session-ID"])
    @pytest.mark.parametrize("more", ["repeated", "underscored", "added", "changed"])
    def test_a_header_that_is_more_than_was_signed(self, port: int, name: str, more: str) -> None:
        """Repeated, spelled with underscores where a server makes one of both, added, or changed."""
        headers = signer.sign(USER, "GET", "/orders")
        pairs = [*headers.items()]
        if more == "repeated":
            pairs.append((name, "admin"))
        elif more == "underscored":
            pairs.append((name.replace("-", "_"), "admin"))
        elif more == "added":
            pairs.append(("X-User-Scopes", "admin"))
        else:
            pairs = [(key, "admin" if key == name else value) for key, value in pairs]
        status, body = send(port, pairs)

        if more == "underscored" and status == 200:  # the server has dropped it, or keeps it apart
            assert ("u1", ["clerk"]) == (json.loads(body)["id"], json.loads(body)["roles"])
        else:
            assert status in {400, 401}

    def test_underscored_in_the_place_of_the_signed_one(self, port: int) -> None:
        """A gateway that removes X-User-ID may leave X_User_ID."""
        headers = signer.sign(USER, "GET", "/orders")
        spoofed = {("X_User_ID" if name == "X-User-ID" else name): value for name, value in headers.items()}
        spoofed["X_User_ID"] = "admin"

        assert send(port, spoofed)[0] in {400, 401}

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("GET", "/admin?page=1"),
            ("POST", "/orders?page=1"),
            ("GET", "/orders?page=2"),
            ("GET", "/orders?page=1&all=1"),
            ("GET", "//orders?page=1"),
            ("GET", "/orders%3Fpage=1"),
            ("GET", "/orders?page=1#x"),
            ("GET", "/orders?page=1%23x"),
            ("GET", "/%6Frders%2F?page=1"),
            ("GET", "/Orders?page=1"),
        ],
    )
    def test_for_another_address(self, port: int, method: str, target: str) -> None:
        """Re-pathed; a server may make the signed address of it, and then the handler sees no other."""
        headers = signer.sign(USER, "GET", "/orders?page=1")
        status, body = send(port, headers, method, target)

        assert status in {400, 401} or json.loads(body)["asked"] == "orders?page=1"

    @pytest.mark.parametrize("body", [b'{"price": 2}', b""])
    def test_with_another_body(self, port: int, body: bytes) -> None:
        """Re-bodied."""
        headers = signer.sign(USER, "POST", "/orders", BODY)

        assert 401 == send(port, headers, "POST", body=body)[0]

    def test_with_a_body_of_which_nothing_was_signed(self, port: int) -> None:
        """Though the method is none that has one."""
        headers = signer.sign(USER, "GET", "/orders")

        assert 401 == send(port, headers, body=b"x")[0]

    def test_with_a_body_in_chunks_that_was_not_signed(self, port: int) -> None:
        """No header says how long it is."""
        headers = {**signer.sign(USER, "POST", "/orders"), "Transfer-Encoding": "chunked"}
        body = b"1\r\nx\r\n0\r\n\r\n"
        status, answer = send(port, headers, "POST", body=body, sized=False)

        # A server that knows no chunks gives the handler none of them.
        assert status == 401 or json.loads(answer)["body"] == ""


class TestWebSockets:
    def test_a_signed_handshake_is_admitted_once(self, sockets: str) -> None:
        """By all guards of it, and by nobody who sends it again."""
        headers = signer.sign(USER, "GET", "/socket")
        with connect(f"{sockets}/socket", additional_headers=headers) as socket:
            assert "u1" == socket.recv(timeout=10)
        with pytest.raises(InvalidStatus), connect(f"{sockets}/socket", additional_headers=headers):
            pass
