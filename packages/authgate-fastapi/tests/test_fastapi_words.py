"""The words of a refusal: an application's own (Law 1.10), and the reason for whoever develops (Law 10.3)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

import authgate_core as ag
from authgate_core import any_role, is_user
from authgate_core.challenge import Problem
from authgate_fastapi import AuthGate, CurrentAdmission, CurrentUser, requires

Headers = dict[str, str]


def own(error: ag.AuthgateError, problem: Problem) -> Mapping[str, Any] | None:
    """Words for everything but a 403."""
    return None if problem.status == 403 else {"error": error.detail, "was": problem.status}


def routes(app: FastAPI) -> FastAPI:
    """An endpoint, a decision in an endpoint, and a WebSocket."""

    @app.get("/")
    def route(user: CurrentUser) -> str:
        return user.id

    @app.get("/admin", dependencies=[requires(is_user)])
    def admin(admission: CurrentAdmission) -> bool:
        if not admission.allows(any_role("clerk")):
            admission.require(any_role("admin"))
        return True

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, user: CurrentUser) -> None: ...

    return app


class TestOwnWords:
    @pytest.fixture
    def app(self, gate: ag.AsyncGate) -> FastAPI:
        """An application with words of its own."""
        app = routes(FastAPI())
        AuthGate(app, gate=gate, on_refusal=own)
        return app

    def test_the_body_is_replaced(self, app: FastAPI, client: TestClient) -> None:
        """Status, challenge and caching stand."""
        answer = client.get("/")
        assert {"error": ag.MissingCredentials.detail, "was": 401} == answer.json()
        assert (401, "application/json") == (answer.status_code, answer.headers["content-type"])
        assert ('Bearer realm="orders"', "no-store") == (
            answer.headers["www-authenticate"],
            answer.headers["cache-control"],
        )

    def test_retry_after_stands(self, client: TestClient, user: Headers, counter: Any) -> None:
        """An outage says when to come back, whatever its body."""
        counter.failure = ag.RevocationUnavailable("the store is down")
        answer = client.get("/", headers=user)
        assert (503, 503) == (answer.status_code, answer.json()["was"])
        assert 1 <= int(answer.headers["retry-after"]) <= 60

    def test_none_leaves_the_problem(
        self, client: TestClient, user: Headers, bearer: Callable[..., Headers]
    ) -> None:
        """As it is; refusals in an endpoint are answered like those of guards."""
        assert client.get("/admin", headers=user).json()
        answer = client.get("/admin", headers=bearer())
        assert (403, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
        assert "forbidden" == answer.json()["code"]

    def test_web_sockets(self, app: FastAPI, client: TestClient) -> None:
        """The same body where the handshake is answered; the code of a close has no body to replace."""
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/ws"):
            pass
        assert 401 == json.loads(refused.value.content)["was"]
        denying = app.router.middleware_stack

        async def undeniable(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {}
            await denying(scope, receive, send)

        app.router.middleware_stack = undeniable
        with client.websocket_connect("/ws") as socket, pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert (4401, "credentials_missing") == (closed.value.code, closed.value.reason)

    def test_mounted_applications(self, app: FastAPI, client: TestClient, trusted: ag.Issuer) -> None:
        """Refuse in the words of the gate that refuses."""
        app.mount("/sub", routes(FastAPI()))
        other = routes(FastAPI())
        AuthGate(other, config=ag.GateConfig(issuers=[trusted]))
        app.mount("/other", other)
        assert (401, "credentials_missing") == (
            client.get("/sub/").json()["was"],
            client.get("/other/").json()["code"],
        )

    def test_by_default(self, gate: ag.AsyncGate) -> None:
        """What the default refuses, too."""
        app = FastAPI()
        AuthGate(app, gate=gate, default=is_user, on_refusal=own)
        assert 401 == TestClient(app).get("/docs").json()["was"]

    def test_a_bug_of_the_words(self, gate: ag.AsyncGate) -> None:
        """Law 1.3: it propagates, and nobody is let in."""
        app = routes(FastAPI())
        AuthGate(app, gate=gate, on_refusal=lambda error, problem: "no")  # type: ignore[arg-type, return-value]
        with pytest.raises(TypeError, match="on_refusal returned str"):
            TestClient(app).get("/")

    def test_words_that_nobody_would_hear(self, gate: ag.AsyncGate) -> None:
        """Law 1.6: an async function, or none."""

        async def slow(error: ag.AuthgateError, problem: Problem) -> None: ...

        for mistake in (slow, "no"):
            with pytest.raises(ag.ConfigurationError, match="on_refusal"):
                AuthGate(FastAPI(), gate=gate, on_refusal=mistake)  # type: ignore[arg-type]  # that is the mistake


class TestReasons:
    """Law 10.3: ``AUTHGATE_EXPLAIN=1`` tells whoever asks from the same machine."""

    @pytest.fixture
    def app(self, config: ag.GateConfig) -> FastAPI:
        """An application that explains."""
        app = routes(FastAPI())
        AuthGate(app, config=replace(config, explain=True))
        return app

    def test_from_this_machine(self, served: Any, bearer: Callable[..., Headers]) -> None:
        """The reason stands beside the public text, over a real connection."""
        answer = httpx2.get(served.url, headers=bearer(aud="another-api"))
        assert (401, "token_invalid") == (answer.status_code, answer.json()["code"])
        assert "token_claim" == answer.json()["reason_code"]

    def test_through_a_proxy(self, served: Any, bearer: Callable[..., Headers]) -> None:
        """Whoever comes through a proxy is not from here, whatever the proxy says."""
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            answer = httpx2.get(served.url, headers=bearer(aud="another-api") | {header: "127.0.0.1"})
            assert (401, False) == (answer.status_code, "reason" in answer.json())

    def test_from_elsewhere(self, app: FastAPI, bearer: Callable[..., Headers]) -> None:
        """Other machines read the public text, and so does whoever has no address."""
        for client in (("203.0.113.7", 5000), ("testclient", 5000)):
            answer = TestClient(app, client=client).get("/", headers=bearer(aud="another-api"))
            assert (401, False) == (answer.status_code, "reason" in answer.json())

    def test_only_when_asked_for(
        self, app: FastAPI, config: ag.GateConfig, bearer: Callable[..., Headers]
    ) -> None:
        """Without the setting nobody is told."""
        silent = routes(FastAPI())
        AuthGate(silent, config=config)
        told = [
            "reason" in TestClient(one, client=("127.0.0.1", 5000)).get("/", headers=bearer(aud="x")).json()
            for one in (app, silent)
        ]
        assert [True, False] == told
