import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from authgate_core import is_user
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthMiddleware, CurrentUser, OptionalUser, requires

Headers = dict[str, str]
Message = dict[str, Any]


@pytest.fixture
def token(issuer: FakeIssuer) -> str:
    """A user's token, as a subprotocol."""
    return f"authgate.bearer.{issuer.token('u1')}"


@pytest.fixture
def seen() -> list[Any]:
    """What handlers see of what a client offers."""
    return []


@pytest.fixture(autouse=True)
def guarded(app: FastAPI, seen: list[Any]) -> None:
    """WebSockets that answer in several ways."""

    def look(websocket: WebSocket) -> None:
        seen.append((websocket.scope["subprotocols"], websocket.headers.getlist("sec-websocket-protocol")))

    @app.websocket("/me")
    async def me(websocket: WebSocket, user: CurrentUser) -> None:
        look(websocket)
        await websocket.accept()
        await websocket.send_text(user.id)
        await websocket.close()

    @app.websocket("/chat", dependencies=[requires(is_user)])
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept("chat")
        await websocket.close()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket, user: OptionalUser) -> None:
        look(websocket)
        await websocket.accept(next(iter(websocket.scope["subprotocols"]), None))
        await websocket.close()


def drive(
    app: Any, path: str, offered: list[str], headers: Headers | None = None, **more: Any
) -> list[Message]:
    """What an application sends to a client that offers these subprotocols."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"Sec-WebSocket-Protocol": ", ".join(offered), **(headers or {})}
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "subprotocols": offered,
        **more,
    }
    asyncio.run(app(scope, receive, send))
    return sent


class TestAdmitted:
    """A browser can set no header of a handshake, so its token may come as a subprotocol."""

    def test_by_the_token(self, app: FastAPI, token: str) -> None:
        """It is a Bearer token like any, and answered with the subprotocol that came with it."""
        accept, hello, _ = drive(app, "/me", [token, "authgate"])
        assert ("u1", "authgate") == (hello["text"], accept["subprotocol"])

    def test_by_the_middleware(self, app: FastAPI, token: str) -> None:
        """The middleware reads it as well, wherever it stands."""
        app.add_middleware(AuthMiddleware)
        assert "websocket.send" == drive(app, "/me", [token])[1]["type"]

    def test_nothing_else_offered(self, app: FastAPI, token: str) -> None:
        """There is nothing to answer with: never with the token."""
        assert None is drive(app, "/me", [token])[0]["subprotocol"]

    @pytest.mark.parametrize(
        ("path", "others", "expected"),
        [("/chat", ["chat"], "chat"), ("/chat", ["authgate"], "chat"), ("/me", ["authgate", "chat"], None)],
    )
    def test_what_the_handler_answers(
        self, app: FastAPI, token: str, path: str, others: list[str], expected: str | None
    ) -> None:
        """A handler that speaks a protocol says so, and one among several is its choice to make."""
        assert expected == drive(app, path, [token, *others])[0]["subprotocol"]

    def test_without_a_token(self, app: FastAPI, user: Headers) -> None:
        """Who offers no token is answered by the handler alone."""
        assert None is drive(app, "/me", ["authgate"], user)[0]["subprotocol"]


class TestNeverEchoed:
    """The token is no protocol: nobody behind the gate sees it."""

    @pytest.mark.parametrize("path", ["/me", "/echo"])
    def test_handlers_do_not_see_it(self, app: FastAPI, token: str, seen: list[Any], path: str) -> None:
        """Neither in the scope nor in the header."""
        drive(app, path, ["chat", token, "authgate"])
        assert [(["chat", "authgate"], ["chat, authgate"])] == seen

    def test_whatever_is_offered(self, app: FastAPI, seen: list[Any]) -> None:
        """Nor what is no good credential."""
        for offered in ("authgate.bearer.", "authgate.bearer.a.b.c", "Authgate.Bearer.a.b.c"):
            sent = drive(app, "/echo", [offered])
            assert offered.lower() not in json.dumps(sent).lower()
        assert [([], [])] == seen

    def test_refused(self, app: FastAPI, issuer: FakeIssuer) -> None:
        """A refusal answers with another one, or with none."""
        expired = f"authgate.bearer.{issuer.token(expires_in=-3600)}"
        for others, expected in (([], None), (["authgate"], "authgate"), (["chat", "authgate"], "chat")):
            accept, close = drive(app, "/me", [expired, *others])
            assert (expected, 4401) == (accept["subprotocol"], close["code"])
        assert expired not in repr(drive(app, "/me", [expired], extensions={"websocket.http.response": {}}))


class TestRefused:
    @pytest.mark.parametrize("offered", [["authgate.bearer."], ["authgate.bearer.a", "authgate.bearer.a"]])
    def test_malformed(self, app: FastAPI, offered: list[str]) -> None:
        """Law 2.2: an empty token, and two of them."""
        assert 4400 == drive(app, "/me", offered)[-1]["code"]

    def test_two_tokens(self, app: FastAPI, token: str, user: Headers) -> None:
        """Law 2.2: one in a header counts as well."""
        assert 4400 == drive(app, "/me", [token], user)[-1]["code"]

    def test_requests(self, app: FastAPI, token: str) -> None:
        """A request that opens no WebSocket can set headers, and has no subprotocols."""
        app.get("/http", dependencies=[requires(is_user)])(lambda: None)
        answer = TestClient(app).get("/http", headers={"Sec-WebSocket-Protocol": token})
        assert (401, "credentials_missing") == (answer.status_code, answer.json()["code"])

    def test_by_the_middleware(self, app: FastAPI) -> None:
        """An invalid one is refused before any route is looked for."""
        app.add_middleware(AuthMiddleware)
        client = TestClient(app)
        with (
            pytest.raises(WebSocketDenialResponse) as denied,
            client.websocket_connect("/none", subprotocols=["authgate.bearer.a.b.c"]),
        ):
            pass
        assert "token_invalid" == denied.value.json()["code"]


class TestCopiedScopes:
    def test_authenticate_anew(self, app: FastAPI, token: str, counter: Any) -> None:
        """Law 2.6: a connection that is sent to another path keeps its credentials, as with a header."""

        class Rewrites:
            def __init__(self, app: Any) -> None:
                self._app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await self._app({**scope, "path": "/me"}, receive, send)

        app.add_middleware(Rewrites)
        app.add_middleware(AuthMiddleware)
        assert "u1" == drive(app, "/old", [token])[1]["text"]
        assert 2 == len(counter.asked)


class TestOnTheWire:
    """The same through a real server, with a client that insists on an answer among what it offered."""

    def test_admitted(self, served: Any, token: str, seen: list[Any]) -> None:
        """As a browser would open it."""
        url = f"ws://127.0.0.1:{served.port}/me"
        with connect(url, subprotocols=[Subprotocol(token), Subprotocol("authgate")]) as socket:
            assert ("u1", "authgate") == (socket.recv(), socket.subprotocol)
        assert [(["authgate"], ["authgate"])] == seen

    def test_refused(self, served: Any, issuer: FakeIssuer) -> None:
        """As a request would be, without a word of the token."""
        expired = f"authgate.bearer.{issuer.token(expires_in=-3600)}"
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{served.port}/me", subprotocols=[Subprotocol(expired)])
        answer = refused.value.response
        assert (401, "token_expired") == (answer.status_code, json.loads(answer.body or b"")["code"])
        assert expired not in repr((answer.headers, answer.body))
