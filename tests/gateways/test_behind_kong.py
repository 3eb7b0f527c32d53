"""Kong's headers on real servers: spoofed, repeated, underscored, re-pathed; only the gateway's own get through."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import authgate_core as ag
from authgate_core.gateways import Gateway
from tests.gateways.serving import SERVERS, send
from tests.support.gateways import HMAC_KEY, USER, stamped

HERE = "127.0.0.1/32"
ELSEWHERE = "10.0.0.0/8"


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    """What ends with the module."""
    with ExitStack() as opened:
        yield opened


@pytest.fixture(scope="module", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> str:
    """Each server."""
    return str(request.param)


def _port(stack: ExitStack, server: str, gateway: Gateway) -> int:
    return int(stack.enter_context(SERVERS[server](ag.GateConfig(gateway=gateway))))


@pytest.fixture(scope="module")
def behind(stack: ExitStack, server: str) -> int:
    """The gateway is on this machine, and the server is declared to be what it is."""
    drops, shows = server == "waitress", server == "plain uvicorn"
    kong = Gateway.kong(peers=[HERE], server_drops_underscores=drops, server_shows_peer=shows)
    return _port(stack, server, kong)


@pytest.fixture(scope="module")
def elsewhere(stack: ExitStack, server: str) -> int:
    """The gateway is on another machine, so that every request here is a stranger's."""
    kong = Gateway.kong(
        peers=[ELSEWHERE], server_drops_underscores=True, server_shows_peer=server == "plain uvicorn"
    )
    return _port(stack, server, kong)


@pytest.fixture(scope="module")
def stamping(stack: ExitStack, server: str) -> int:
    """The gateway is here, and signs by HMAC v1."""
    kong = Gateway.kong(peers=[HERE], hmac_key=HMAC_KEY, server_drops_underscores=True)
    return _port(stack, server, kong)


class TestFromTheGateway:
    def test_a_user_is_admitted(self, behind: int, server: str) -> None:
        """But by a server that joins names with underscores, which cannot be declared away (Law 2.8)."""
        status, body = send(behind, USER)

        if server == "wsgiref":
            assert 401 == status
        else:
            assert 200 == status
            assert '"u1"' in body

    def test_a_gateway_says_for_whom_it_forwards(self, behind: int, server: str) -> None:
        """Uvicorn takes the peer from that unless it is told not to, so it has to be, and said to be."""
        status, _ = send(behind, {**USER, "X-Forwarded-For": "203.0.113.9"})

        assert (200 if server in {"waitress", "plain uvicorn"} else 401) == status

    @pytest.mark.parametrize("name", list(USER))
    def test_a_repeated_header_is_no_identity(self, behind: int, name: str) -> None:
        """ASGI shows both; WSGI joins them, which a list survives: that is for the gateway to remove (Law 2.8)."""
        status, body = send(behind, [*USER.items(), (name, USER[name])])

        if name == "X-User-Roles" and status == 200:
            assert '["clerk"]' in body.replace(" ", "")
        else:
            assert status in {400, 401}

    @pytest.mark.parametrize("name", ["X_User_ID", "X_User_Id", "x_user_id", "X-User_ID"])
    def test_an_underscored_name_is_nobodys(self, behind: int, name: str) -> None:
        """Alone it names nobody; beside the gateway's it changes nothing (Law 2.8)."""
        alone = {**USER, name: "admin"}
        del alone["X-User-ID"]

        assert 200 != send(behind, alone)[0]
        assert '"admin"' not in send(behind, {**USER, name: "admin"})[1]

    def test_no_header_switches_it_off(self, behind: int) -> None:
        """Nothing that a caller can send does."""
        for headers in (
            {"X-Auth-Source": "kong"},
            {"X-Token-Verified": "true"},
            {"Authorization": "Bearer x"},
            {},
        ):
            assert send(behind, headers)[0] in {400, 401}


class TestFromAStranger:
    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"X-Forwarded-For": "10.1.2.3"},
            {"X-Real-IP": "10.1.2.3"},
            {"Forwarded": "for=10.1.2.3"},
            {"Client-IP": "10.1.2.3"},
            {"Remote-Addr": "10.1.2.3"},
            {"REMOTE_ADDR": "10.1.2.3"},
        ],
    )
    def test_nobody_is_admitted(self, elsewhere: int, more: dict[str, str]) -> None:
        """Whatever is said of where it comes from (Law 2.7)."""
        assert 401 == send(elsewhere, {**USER, **more})[0]


class TestStamps:
    @pytest.mark.parametrize("target", ["/orders", "/orders?page=2", "/a%20b", "/a+b/~c:d@e"])
    def test_a_signed_request_is_admitted(self, stamping: int, target: str) -> None:
        """With the path as it is sent."""
        signed = stamped(USER, "GET", target.partition("?")[0], time.time())

        assert 200 == send(stamping, signed, target=target)[0]

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("GET", "/orders/all"),
            ("POST", "/orders"),
            ("GET", "//orders"),
            ("GET", "/orders/."),
            ("GET", "/orders;x"),
            ("GET", "/Orders"),
            ("GET", "/orders%3Fx"),
            ("GET", "/orders%23x"),
        ],
    )
    def test_another_request_with_its_signature_is_refused(
        self, stamping: int, method: str, target: str
    ) -> None:
        """Re-pathed; a server may make the signed path of it, and then the handler sees no other."""
        signed = stamped(USER, "GET", "/orders", time.time())
        status, body = send(stamping, signed, method, target)

        assert status == 401 or (method, json.loads(body)["asked"]) == ("GET", "orders?")

    def test_an_old_one_is_refused(self, stamping: int) -> None:
        """Replayed after a minute."""
        signed = stamped(USER, "GET", "/orders", time.time() - 61)

        assert 401 == send(stamping, signed)[0]
