"""Guards of another library behind a FastAPI route, which find what is known about the connection in its scope."""

from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import is_project, is_user
from authgate_core.gate.visited import Visited
from authgate_core.servers import asgi_view
from authgate_core.testing import as_user, async_gate_for_tests
from authgate_fastapi import AuthGate, get_admission, requires, sockets
from authgate_fastapi.visit import Visit, carried_visit

Headers = dict[str, str]
Scope = dict[str, Any]


async def admit(scope: Any, policy: ag.Policy, *, optional: bool = False) -> ag.Admission:
    """What a library does that knows nothing of this adapter."""
    gate: ag.AsyncGate = scope["authgate.gate"]
    visit: Visited[ag.AsyncGate] = scope["authgate.visit"].of(scope)
    view = asgi_view(scope, memo=visit.memo, subprotocols=visit.subprotocols)
    admission = await gate.admit(view, policy, optional=optional)
    visit.entered(admission, gate, policy, view, optional=optional, lasts=bool(admission))
    return admission


@pytest.fixture(autouse=True)
def routes(app: FastAPI) -> None:
    """Routes with and without a guard of their own, behind which that library stands."""

    @app.get("/open")
    async def alone(request: Request) -> list[str]:
        admission = await admit(request.scope, is_user)
        return [admission.user.id, (await get_admission(request)).user.id]

    @app.get("/maybe")
    async def maybe(request: Request) -> bool:
        return bool(await admit(request.scope, is_user | is_project, optional=True))

    @app.get("/guarded", dependencies=[requires(is_project), requires(is_user)])
    async def guarded(request: Request) -> str:
        return (await admit(request.scope, is_user)).user.id

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text((await admit(websocket.scope, is_user)).user.id)
        with suppress(WebSocketDisconnect):
            await websocket.receive_text()


class TestResponses:
    """Law 1.7: caches learn of every guard, whoever's it is."""

    def test_marked(self, client: TestClient, user: Headers) -> None:
        """Private, and varying with what that guard reads; it counts for the route as well."""
        answer = client.get("/open", headers=user)
        assert ["u1", "u1"] == answer.json()
        assert ("private", "Authorization") == (answer.headers["cache-control"], answer.headers["vary"])

    def test_nobody(self, client: TestClient) -> None:
        """What strangers see is not for users."""
        answer = client.get("/maybe")
        assert (False, "private") == (answer.json(), answer.headers["cache-control"])
        assert "Authorization, X-App-Id, X-App-Secret" == answer.headers["vary"]

    def test_a_stand_in(self, config: ag.GateConfig) -> None:
        """Law 9.6: stand-ins come through that library too."""
        app = FastAPI()
        AuthGate(app, gate=async_gate_for_tests(config))

        @app.get("/")
        async def view(request: Request) -> str:
            return (await admit(request.scope, is_user)).user.id

        with as_user("ann"):
            answer = TestClient(app).get("/")
        assert ("ann", "private") == (answer.json(), answer.headers["cache-control"])


class TestOnce:
    def test_behind_guards(self, client: TestClient, user: Headers, project: Headers, counter: Any) -> None:
        """Law 2.6: who was authenticated before it is not authenticated again."""
        answer = client.get("/guarded", headers=user | project)
        assert ("u1", ["ProjectRef", "TokenRef"]) == (
            answer.json(),
            [type(ref).__name__ for ref in counter.asked],
        )


class TestSockets:
    @pytest.mark.parametrize("offered", [True, False])
    def test_revoked(
        self,
        client: TestClient,
        user: Headers,
        counter: Any,
        monkeypatch: pytest.MonkeyPatch,
        *,
        offered: bool,
    ) -> None:
        """Law 5.13: a socket is closed whose caller only that library admitted, by header or by subprotocol."""
        monkeypatch.setattr(sockets, "_PERIOD", 0.01)
        token = user["Authorization"].removeprefix("Bearer ")
        presented: Any = (
            {"subprotocols": ["chat", f"authgate.bearer.{token}"]} if offered else {"headers": user}
        )
        with client.websocket_connect("/socket", **presented) as socket:
            assert "u1" == socket.receive_text()
            counter.revoked = True
            with pytest.raises(WebSocketDisconnect) as end:
                socket.receive_text()
        assert (4401, "token_invalid") == (end.value.code, end.value.reason)


class TestScopes:
    """Law 2.6: a visit is that of its scope only while the scope says what it said at first."""

    @staticmethod
    def scope(**more: Any) -> Scope:
        return {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], **more}

    def test_the_same(self) -> None:
        """A copy that says the same is the same request, wherever it is routed."""
        scope = self.scope()
        visit = Visit(scope)
        assert visit is visit.of({**scope, "path_params": {"n": 7}})

    def test_another(self, gate: ag.AsyncGate) -> None:
        """One that says something else begins with nobody; who began the visit hears of its guards."""
        origin, heard = Visit(self.scope()), list[int]()
        origin.memo.remember(1, "bearer", "token", "ann")
        origin.on_grant = lambda: heard.append(len(origin.grants))
        other = self.scope(path="/other")
        visit = origin.of(other)
        assert (None, True) == (visit.memo.recall(1, "bearer", "token"), visit is carried_visit(other))
        visit.entered(ag.Admission(), gate, is_user, asgi_view(other), optional=True, lasts=False)
        assert ([1], None) == (heard, origin.admission)
