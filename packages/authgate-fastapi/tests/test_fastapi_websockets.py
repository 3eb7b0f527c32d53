import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.routing import APIWebSocketRoute
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import authgate_core as ag
from authgate_core import any_role, claim_equals, is_project, is_user
from authgate_fastapi import CurrentUser, OptionalUser, fastapi_jwt_auth, requires

Headers = dict[str, str]
Message = dict[str, Any]


@pytest.fixture
def ran() -> list[str]:
    """Which handlers ran."""
    return []


@pytest.fixture(autouse=True)
def guarded(app: FastAPI, ran: list[str]) -> None:
    """WebSockets with guards of every kind."""

    @app.websocket("/me")
    async def me(websocket: WebSocket, user: CurrentUser) -> None:
        ran.append("me")
        await websocket.accept()
        await websocket.send_text(user.id)
        await websocket.close()

    @app.websocket("/both", dependencies=[requires(is_user & is_project)])
    async def both(websocket: WebSocket) -> None:
        ran.append("both")

    @app.websocket("/clerks", dependencies=[requires(any_role("owner"))])
    async def clerks(websocket: WebSocket) -> None:
        ran.append("clerks")

    @app.websocket("/of/{who}", dependencies=[requires(is_user & claim_equals("sub", path="who"))])
    async def of(websocket: WebSocket, who: str) -> None:
        await websocket.accept()
        await websocket.close()

    @app.websocket("/hello")
    async def hello(websocket: WebSocket, user: OptionalUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.id if user else "stranger")
        await websocket.close()

    async def greeter(websocket: WebSocket) -> None:
        await websocket.accept()

    @app.websocket("/hasty", dependencies=[Depends(greeter), Depends(fastapi_jwt_auth)])
    async def hasty(websocket: WebSocket) -> None:
        ran.append("hasty")


@pytest.fixture(autouse=True)
def accepted(app: FastAPI) -> None:
    """WebSockets whose handlers refuse what a guard has let in."""

    @app.websocket("/later")
    async def later(websocket: WebSocket, admission: ag.Admission = requires(is_user)) -> None:
        await websocket.accept()
        await websocket.receive_text()
        admission.require(any_role("owner"))

    @app.websocket("/over")
    async def over(websocket: WebSocket, admission: ag.Admission = requires(is_user)) -> None:
        await websocket.accept()
        await websocket.close(4000)
        admission.require(any_role("owner"))

    @app.websocket("/gone")
    async def gone(websocket: WebSocket, admission: ag.Admission = requires(is_user)) -> None:
        await websocket.accept()
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()
        admission.require(any_role("owner"))


def drive(app: FastAPI, path: str, headers: Headers, *incoming: Message, **more: Any) -> list[Message]:
    """What an application sends when a server opens a WebSocket, message by message."""
    sent: list[Message] = []
    waiting = [{"type": "websocket.connect"}, *incoming]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        **more,
    }
    asyncio.run(app(scope, receive, send))
    return sent


def guards_of(app: FastAPI, path: str) -> list[Any]:
    """The guards of a WebSocket route, to stand before a route of the other protocol."""
    (route,) = (route for route in app.routes if isinstance(route, APIWebSocketRoute) and route.path == path)
    return [Depends(needed.call) for needed in route.dependant.dependencies]


class TestAdmitted:
    def test_gives_who_called(self, client: TestClient, user: Headers) -> None:
        """The handler runs, and accepts by itself."""
        with client.websocket_connect("/me", headers=user) as socket:
            assert "u1" == socket.receive_text()

    def test_optional(self, client: TestClient, user: Headers) -> None:
        """Law 1.4: nothing presented is None, also here."""
        for headers, expected in (({}, "stranger"), (user, "u1")):
            with client.websocket_connect("/hello", headers=headers) as socket:
                assert expected == socket.receive_text()

    def test_path_policies(self, client: TestClient, user: Headers) -> None:
        """Policies see the path parameters."""
        with client.websocket_connect("/of/u1", headers=user):
            pass
        with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/of/u2", headers=user):
            pass


class Row(NamedTuple):
    """A refusal: what is asked and presented, and the outcome in HTTP and as a close code."""

    path: str
    headers: Headers
    status: int
    code: int


REFUSALS = [
    Row("/me", {}, 401, 4401),
    Row("/both", {}, 401, 4401),
    Row("/me", {"Authorization": "Bearer"}, 400, 4400),
    Row("/me", {"Authorization": "Bearer a.b.c"}, 401, 4401),
    Row("/hello", {"Authorization": "Bearer a.b.c"}, 401, 4401),
]


class TestRefusedBeforeAccept:
    """Law 1.9: no handler runs."""

    @pytest.mark.parametrize("row", REFUSALS)
    def test_as_http(self, app: FastAPI, client: TestClient, ran: list[str], row: Row) -> None:
        """The same status, headers and body as a request would get, where the server can send them."""
        app.get(f"/http{row.path}", dependencies=guards_of(app, row.path))(lambda: None)
        with (
            pytest.raises(WebSocketDenialResponse) as denied,
            client.websocket_connect(row.path, headers=row.headers),
        ):
            pass
        asked = client.get(f"/http{row.path}", headers=row.headers)
        assert row.status == asked.status_code == denied.value.status_code
        assert dict(asked.headers) == dict(denied.value.headers)
        assert asked.json() == denied.value.json()
        assert [] == ran

    @pytest.mark.parametrize("row", REFUSALS)
    def test_without_the_extension(self, app: FastAPI, ran: list[str], row: Row) -> None:
        """A server that cannot send a response accepts, and closes with the code of the outcome."""
        sent = drive(app, row.path, row.headers)
        assert ["websocket.accept", "websocket.close"] == [message["type"] for message in sent]
        assert (row.code, True) == (sent[1]["code"], 0 < len(sent[1]["reason"]) < 124)
        assert [] == ran

    def test_forbidden_and_unavailable(
        self, app: FastAPI, user: Headers, counter: Any, ran: list[str]
    ) -> None:
        """The codes of the table: 4403 and 1013."""
        assert 4403 == drive(app, "/clerks", user)[-1]["code"]
        counter.failure = ag.RevocationUnavailable("down")
        assert 1013 == drive(app, "/me", user)[-1]["code"]
        assert [] == ran

    def test_browsers_see_the_code(self, app: FastAPI) -> None:
        """A browser that asks for subprotocols reports no code of a socket that names none of them."""
        sent = drive(app, "/me", {}, subprotocols=["graphql-transport-ws", "other"])
        assert "graphql-transport-ws" == sent[0]["subprotocol"]
        assert None is drive(app, "/me", {})[0]["subprotocol"]

    def test_messages_with_the_extension(self, app: FastAPI) -> None:
        """What a server is sent is the response, in the messages that it offered."""
        sent = drive(app, "/me", {}, extensions={"websocket.http.response": {}})
        assert ["websocket.http.response.start", "websocket.http.response.body"] == [m["type"] for m in sent]
        assert 401 == sent[0]["status"]
        assert "credentials_missing" == json.loads(sent[1]["body"])["code"]


class TestRefusedAfterAccept:
    def test_by_the_handler(self, client: TestClient, user: Headers) -> None:
        """Law 1.9: once accepted, an outcome closes the socket with its code."""
        with client.websocket_connect("/later", headers=user) as socket:
            socket.send_text("go on")
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
        assert (4403, "forbidden") == (closed.value.code, closed.value.reason)

    def test_by_a_guard_that_comes_late(self, client: TestClient, ran: list[str]) -> None:
        """A dependency that accepts before the guard changes how it is told, and nothing else."""
        with client.websocket_connect("/hasty") as socket, pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert (4401, []) == (closed.value.code, ran)

    def test_when_nobody_is_there(self, app: FastAPI, user: Headers) -> None:
        """What was closed by either side is not closed again."""
        sent = drive(app, "/over", user)
        assert [4000] == [message["code"] for message in sent[1:]]
        gone = drive(app, "/gone", user, {"type": "websocket.disconnect", "code": 1001})
        assert ["websocket.accept"] == [message["type"] for message in gone]

    def test_bugs_are_not_outcomes(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """Law 1.3: what the handler raises propagates as itself."""

        @app.websocket("/bug")
        async def bug(websocket: WebSocket, user: CurrentUser) -> None:
            raise LookupError("a bug of the handler")

        with pytest.raises(LookupError, match="a bug"), client.websocket_connect("/bug", headers=user):
            pass


class TestOnTheWire:
    """A real server and a real client."""

    def test_handshakes(
        self, served: Any, ran: list[str], user: Headers, bearer: Callable[..., Headers]
    ) -> None:
        """Law 1.9: without a token the handshake is answered with 401 and the problem; with one it opens."""
        url = f"ws://127.0.0.1:{served.port}"
        with pytest.raises(InvalidStatus) as refused:
            connect(f"{url}/me")
        answer = refused.value.response
        assert 401 == answer.status_code
        assert ('Bearer realm="orders"', "no-store", "application/problem+json") == (
            answer.headers["www-authenticate"],
            answer.headers["cache-control"],
            answer.headers["content-type"],
        )
        assert "credentials_missing" == json.loads(answer.body or b"")["code"]
        with pytest.raises(InvalidStatus) as expired:
            connect(f"{url}/me", additional_headers=bearer(expires_in=-3600))
        assert "token_expired" == json.loads(expired.value.response.body or b"")["code"]
        assert [] == ran
        with connect(f"{url}/me", additional_headers=user) as socket:
            assert "u1" == socket.recv()

    def test_closed_by_the_handler(self, served: Any, user: Headers) -> None:
        """The code of an outcome reaches the client."""
        with connect(f"ws://127.0.0.1:{served.port}/later", additional_headers=user) as socket:
            socket.send("go on")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv()
        assert closed.value.rcvd is not None
        assert (4403, "forbidden") == (closed.value.rcvd.code, closed.value.rcvd.reason)
