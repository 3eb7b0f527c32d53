"""WebSockets that stay open, driven by hand: what a server would see, message by message."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

import authgate_core as ag
from authgate_core import check, claim_equals, is_project, is_user
from authgate_core.testing import FakeIssuer, ManualClock
from authgate_fastapi import (
    AuthGate,
    AuthMiddleware,
    CurrentUser,
    OptionalUser,
    get_admission,
    get_current_project,
    get_current_user,
    protect,
    requires,
    sockets,
)
from authgate_fastapi.visit import visit_of

Headers = dict[str, str]
Message = dict[str, Any]
Script = Callable[["Line"], Awaitable[Any]]

LEEWAY = 30


class Line:
    """The server's end of one WebSocket.

    Args:
        app: The application.
        path: Where the client opens it.
        headers: The client's.
        scope: What else the scope holds.
    """

    def __init__(self, app: Any, path: str, headers: Headers, **scope: Any) -> None:
        self.app = app
        self.scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            **scope,
        }
        self.sent: list[Message] = []
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.when_sending: Callable[[Message], Awaitable[None]] | None = None
        self.failure: Exception | None = None
        self.handler: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        """What the application receives."""
        message = await self.incoming.get()
        if self.failure is not None:
            raise self.failure
        return message

    async def send(self, message: Any) -> None:
        """What the application sends."""
        self.sent.append(message)
        if self.when_sending is not None:
            await self.when_sending(message)

    async def open(self) -> None:
        """Run the application, until it has accepted."""
        self.handler = asyncio.create_task(self.app(self.scope, self.receive, self.send))
        await self.until(lambda: self.sent)
        assert "websocket.accept" == self.sent[0]["type"]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)

    async def ended(self) -> list[Message]:
        """Wait for the application to end; what it sent after it had accepted."""
        assert self.handler is not None
        async with asyncio.timeout(5):
            await self.handler
        return self.sent[1:]

    def say(self, text: str) -> None:
        """A message of the client."""
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        """The client goes."""
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001, "reason": ""})


class Numbered:
    """Middleware that gives each connection a number, as a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope["headers"] = [*scope["headers"], (b"x-request-id", b"7")]
        await self._app(scope, receive, send)


def run(line: Line, script: Script) -> Any:
    """Open a WebSocket and run a script; no task may be left when it ends (Law 5.13)."""

    async def scripted() -> Any:
        await line.open()
        result = await script(line)
        assert {asyncio.current_task()} == asyncio.all_tasks()
        return result

    return asyncio.run(scripted())


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look a hundred times more often."""
    monkeypatch.setattr(sockets, "_PERIOD", 0.01)


@pytest.fixture
def clock() -> ManualClock:
    """Time that a test moves."""
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> FakeIssuer:
    """An issuer that lives in this time."""
    return FakeIssuer(audience="orders-api", url="https://id.example.com", clock=clock)


@pytest.fixture
def trusted(issuer: FakeIssuer) -> ag.Issuer:
    """The issuer as the gate is told of it."""
    return ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, leeway=LEEWAY)


@pytest.fixture
def gate(config: ag.GateConfig, clock: ManualClock) -> ag.AsyncGate:
    """A gate that lives in this time."""
    return ag.AsyncGate(config, clock=clock)


@pytest.fixture
def allowed() -> list[bool]:
    """What the check of one of the sockets says."""
    return [True]


@pytest.fixture
def ends() -> list[Any]:
    """How handlers saw their sockets end."""
    return []


@pytest.fixture(autouse=True)
def guarded(app: FastAPI, ends: list[Any], allowed: list[bool]) -> None:
    """WebSockets whose handlers know nothing of all this."""

    async def listen(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect as end:
            ends.append((end.code, end.reason))

    app.websocket("/me", dependencies=[Depends(get_current_user)])(listen)
    app.websocket("/open")(listen)
    by_check = is_user & check("allowed", lambda *_: allowed[0])
    app.websocket("/checked", dependencies=[requires(by_check)])(listen)
    app.websocket(
        "/all",
        dependencies=[
            Depends(get_current_user),
            requires(is_user & is_project),
            Depends(get_current_project),
        ],
    )(listen)

    @app.websocket("/maybe")
    async def maybe(websocket: WebSocket, user: OptionalUser) -> None:
        await listen(websocket)

    async def accepts(websocket: WebSocket) -> None:
        await websocket.accept()

    @app.websocket("/late", dependencies=[Depends(accepts), Depends(get_current_user)])
    async def late(websocket: WebSocket) -> None:
        with suppress(WebSocketDisconnect):
            await websocket.receive_text()


async def looked(line: Line, counter: Any) -> None:
    """Wait until the socket was looked at, from beginning to end."""
    looks = len(counter.asked)
    await line.until(lambda: len(counter.asked) > looks + 1)


async def closed_by_the_gate(line: Line) -> list[Message]:
    """Wait for the end, without a word of the client."""
    return await line.ended()


class TestRevoked:
    """Law 5.13: nobody stays whom the gate would not let in any more."""

    def test_closed(self, app: FastAPI, user: Headers, counter: Any, ends: list[Any]) -> None:
        """The client gets the code of the table; the handler sees the end as one of the client's."""

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        close = {"type": "websocket.close", "code": 4401, "reason": "token_invalid"}
        assert [close] == run(Line(app, "/me", user), script)
        assert [(4401, "token_invalid")] == ends

    def test_while_the_handler_sends_without_end(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """To a client that reads as fast as it sends it never waits."""

        @app.websocket("/feed", dependencies=[Depends(get_current_user)])
        async def feed(websocket: WebSocket) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                for _ in range(50_000):
                    await websocket.send_text("more")

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        assert "websocket.close" == run(Line(app, "/feed", user), script)[-1]["type"]

    def test_the_policy_is_asked_again(self, app: FastAPI, user: Headers, allowed: list[bool]) -> None:
        """4403: still known, and no longer allowed."""

        async def script(line: Line) -> list[Message]:
            allowed[0] = False
            return await line.ended()

        (close,) = run(Line(app, "/checked", user), script)
        assert (4403, "forbidden") == (close["code"], close["reason"])

    def test_open_until_then(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """Messages come and go while it looks."""

        async def script(line: Line) -> list[Message]:
            for text in "abc":
                line.say(text)
                await looked(line, counter)
            line.leave()
            return await line.ended()

        assert ["a", "b", "c"] == [message["text"] for message in run(Line(app, "/me", user), script)]

    def test_policies_that_read_the_path(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """They see again what they saw."""

        @app.websocket("/of/{who}", dependencies=[requires(is_user & claim_equals("sub", path="who"))])
        async def of(websocket: WebSocket) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()

        async def script(line: Line) -> list[Message]:
            await looked(line, counter)
            line.leave()
            return await line.ended()

        assert [] == run(Line(app, "/of/u1", user), script)

    def test_tokens_in_a_subprotocol(self, app: FastAPI, issuer: FakeIssuer, counter: Any) -> None:
        """The handshake is asked about as it came, though no handler sees all of it."""
        offered = [f"authgate.bearer.{issuer.token('u1')}", "authgate"]

        async def script(line: Line) -> list[Message]:
            await looked(line, counter)
            assert 1 == len(line.sent)
            counter.revoked = True
            return await line.ended()

        (close,) = run(Line(app, "/me", {}, subprotocols=offered), script)
        assert (4401, "token_invalid") == (close["code"], close["reason"])

    def test_handshakes_that_middleware_changes(
        self, gate: ag.AsyncGate, issuer: FakeIssuer, counter: Any
    ) -> None:
        """It stands between the gate and the route, and adds a header; where the token came is all the same."""
        app = FastAPI()
        app.add_middleware(Numbered)
        app.add_middleware(Numbered)
        AuthGate(app, gate=gate)

        @app.websocket("/me", dependencies=[Depends(get_current_user)])
        async def me(websocket: WebSocket) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        token = issuer.token("u1")
        for handshake in (
            Line(app, "/me", {"Authorization": f"Bearer {token}"}),
            Line(app, "/me", {}, subprotocols=[f"authgate.bearer.{token}", "authgate"]),
        ):
            counter.revoked = False
            assert 4401 == run(handshake, script)[0]["code"]

    def test_who_was_admitted_by_the_middleware(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """It may be the only guard."""
        app.add_middleware(AuthMiddleware)

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        assert 4401 == run(Line(app, "/open", user), script)[0]["code"]

    def test_who_was_admitted_by_what_stands_over_many(
        self, gate: ag.AsyncGate, user: Headers, counter: Any
    ) -> None:
        """The guard may be the default of the application, or that of a router, on a socket of Starlette's too."""
        app, router = FastAPI(), APIRouter()
        AuthGate(app, gate=gate, default=is_user)
        protect(router, is_user)

        async def listen(websocket: WebSocket) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()

        for holder, name in ((app.router, "default"), (router, "router")):
            holder.add_api_websocket_route(f"/{name}/api", listen)
            holder.add_websocket_route(f"/{name}/plain", listen)
        app.include_router(router)

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        for path in ("/default/api", "/default/plain", "/router/api", "/router/plain"):
            counter.revoked = False
            assert 4401 == run(Line(app, path, user), script)[0]["code"]

    def test_who_was_admitted_late(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """A guard may come after the socket was accepted."""

        async def script(line: Line) -> list[Message]:
            await line.until(lambda: counter.asked)
            counter.revoked = True
            return await line.ended()

        assert 4401 == run(Line(app, "/late", user), script)[0]["code"]

    def test_a_guard_that_the_handler_asks_again(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """However often it does, there is one guard to ask about."""

        @app.websocket("/again")
        async def again(websocket: WebSocket) -> None:
            for _ in range(100):
                await get_current_user(websocket)
            await websocket.accept()
            counter.asked.clear()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()
            assert 1 == len(visit_of(websocket).grants)

        async def script(line: Line) -> list[Message]:
            await looked(line, counter)
            counter.revoked = True
            return await line.ended()

        assert 4401 == run(Line(app, "/again", user), script)[0]["code"]

    def test_in_a_mounted_application(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """What is mounted is watched as well."""
        outer = FastAPI()
        outer.mount("/inner", app)

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        assert 4401 == run(Line(outer, "/inner/me", user), script)[0]["code"]

    def test_every_kind_once(
        self, app: FastAPI, user: Headers, project: Headers, counter: Any, clock: ManualClock
    ) -> None:
        """Law 2.6: one look verifies each kind once, however many guards there are."""

        async def script(line: Line) -> list[Any]:
            counter.asked.clear()
            await line.until(lambda: len(counter.asked) >= 6)
            line.leave()
            await line.ended()
            return [type(ref).__name__ for ref in counter.asked[:6]]

        assert ["TokenRef", "ProjectRef"] * 3 == run(Line(app, "/all", user | project), script)


class TestExpired:
    def test_at_the_end_of_the_leeway(
        self, app: FastAPI, bearer: Callable[..., Headers], counter: Any, clock: ManualClock
    ) -> None:
        """Law 5.13: open to the end of the leeway, and no longer."""

        async def script(line: Line) -> list[Message]:
            clock.advance(60 + LEEWAY - 1)
            await looked(line, counter)
            assert 1 == len(line.sent)
            clock.advance(2)
            return await line.ended()

        close = {"type": "websocket.close", "code": 4401, "reason": "token_expired"}
        assert [close] == run(Line(app, "/me", bearer(expires_in=60)), script)


class TestOutage:
    """Laws 1.5 and 5.13: an outage says nothing about who was admitted, for 60 s."""

    def test_borne(self, app: FastAPI, user: Headers, counter: Any, clock: ManualClock) -> None:
        """Then the code is 1013: come back later."""

        async def script(line: Line) -> list[Message]:
            counter.failure = ag.RevocationUnavailable("down")
            await looked(line, counter)
            clock.advance(59)
            await looked(line, counter)
            assert 1 == len(line.sent)
            clock.advance(1)
            return await line.ended()

        close = {"type": "websocket.close", "code": 1013, "reason": "unavailable"}
        assert [close] == run(Line(app, "/me", user), script)

    def test_over(self, app: FastAPI, user: Headers, counter: Any, clock: ManualClock) -> None:
        """One that ends in time is forgotten."""

        async def script(line: Line) -> list[Message]:
            for _ in range(3):
                counter.failure = ag.RevocationUnavailable("down")
                await looked(line, counter)
                clock.advance(50)
                await looked(line, counter)
                counter.failure = None
                await looked(line, counter)
            line.leave()
            return await line.ended()

        assert [] == run(Line(app, "/me", user), script)

    def test_a_definite_answer_beside_it(
        self, app: FastAPI, user: Headers, project: Headers, allowed: list[bool], counter: Any
    ) -> None:
        """What another guard knows for sure is not put off."""
        inner = FastAPI()

        @inner.websocket("/", dependencies=[requires(is_user & check("allowed", lambda *_: allowed[0]))])
        async def socket(websocket: WebSocket) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()

        app.mount("/inner", inner)
        app.add_middleware(AuthMiddleware, policy=is_project)

        async def fails_for_projects(ref: Any) -> bool:
            if isinstance(ref, ag.principal.ProjectRef):
                raise ag.RevocationUnavailable("down")
            return False

        async def script(line: Line) -> list[Message]:
            counter.is_revoked = fails_for_projects
            allowed[0] = False
            return await line.ended()

        assert 4403 == run(Line(app, "/inner/", user | project), script)[0]["code"]


class TestNotWatched:
    """Where nobody was admitted, nothing runs beside the handler."""

    @pytest.mark.parametrize("path", ["/maybe", "/open"])
    def test_nobody(self, app: FastAPI, path: str) -> None:
        """Neither a task for looking, nor one for receiving."""

        async def script(line: Line) -> int:
            line.say("a")
            await line.until(lambda: len(line.sent) > 1)
            tasks = len(asyncio.all_tasks())
            line.leave()
            await line.ended()
            return tasks

        assert 2 == run(Line(app, path, {}), script)

    def test_a_stand_in(self, app: FastAPI, clock: ManualClock) -> None:
        """Whom an override put there, nobody can revoke."""
        ann = ag.Admission((ag.User(id="ann", issuer="test"),))
        app.dependency_overrides[get_admission] = lambda: ann

        async def script(line: Line) -> int:
            await line.until(line.incoming.empty)
            tasks = len(asyncio.all_tasks())
            line.leave()
            await line.ended()
            return tasks

        assert 2 == run(Line(app, "/me", {}), script)

    def test_a_stand_in_beside_somebody(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """Who came by himself is watched, and who was put beside him is not asked for."""
        inner = FastAPI()

        @inner.websocket("/", dependencies=[Depends(get_current_project)])
        async def socket(websocket: WebSocket) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()

        app.mount("/inner", inner)
        app.add_middleware(AuthMiddleware)
        shop = ag.Admission((ag.Project(id="p1", issuer="test", name="Shop"),))
        inner.dependency_overrides[get_admission] = lambda: shop

        async def script(line: Line) -> list[Message]:
            await looked(line, counter)
            assert 1 == len(line.sent)
            counter.revoked = True
            return await line.ended()

        assert 4401 == run(Line(app, "/inner/", user), script)[0]["code"]

    def test_in_shadow_mode(
        self, config: ag.GateConfig, trusted: ag.Issuer, user: Headers, counter: Any, clock: ManualClock
    ) -> None:
        """Law 8.6: a refusal is reported and not carried out."""
        app = FastAPI()
        shadow = ag.GateConfig(issuers=[trusted], revocation=counter, shadow=True)
        AuthGate(app, gate=ag.AsyncGate(shadow, clock=clock))

        @app.websocket("/")
        async def socket(websocket: WebSocket, user: CurrentUser) -> None:
            await websocket.accept()
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            await looked(line, counter)
            line.leave()
            return await line.ended()

        assert [] == run(Line(app, "/", user), script)


class TestTheHandler:
    """It is never cancelled, and needs to know nothing."""

    def served(self, app: FastAPI, handler: Callable[[WebSocket], Awaitable[None]]) -> FastAPI:
        """A guarded WebSocket with this handler."""

        @app.websocket("/own")
        async def own(websocket: WebSocket, user: CurrentUser) -> None:
            await websocket.accept()
            await handler(websocket)

        return app

    def test_that_only_sends(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """Sending fails as it does when a client has left; nothing reaches the client after the close."""
        seen: list[Any] = []

        async def handler(websocket: WebSocket) -> None:
            try:
                while True:
                    await websocket.send_text("tick")
                    await asyncio.sleep(0.001)
            except WebSocketDisconnect as end:
                seen.append(end.code)

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        sent = run(Line(self.served(app, handler), "/own", user), script)
        assert "websocket.close" == sent[-1]["type"]
        assert [1006] == seen

    def test_that_asks_on(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """In plain ASGI it is told again and again, and sending raises OSError."""
        seen: list[Any] = []

        async def handler(websocket: WebSocket) -> None:
            for _ in range(2):
                seen.append(await websocket._receive())
            for message in ({"type": "websocket.send", "text": "a"}, {"type": "websocket.close"}):
                with pytest.raises(OSError, match="token_invalid"):
                    await websocket._send(message)
            await asyncio.sleep(0.05)  # nobody cancels it
            seen.append("over")

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        assert 1 == len(run(Line(self.served(app, handler), "/own", user), script))
        end = {"type": "websocket.disconnect", "code": 4401, "reason": "token_invalid"}
        assert [end, end, "over"] == seen

    def test_that_refuses_after_the_close(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """An outcome of its own comes too late, and harms nobody."""

        async def handler(websocket: WebSocket) -> None:
            await asyncio.sleep(0.1)
            raise ag.MissingCredentials

        async def script(line: Line) -> list[Message]:
            counter.revoked = True
            return await line.ended()

        assert [4401] == [
            message["code"] for message in run(Line(self.served(app, handler), "/own", user), script)
        ]

    def test_that_waits_with_a_timeout(self, app: FastAPI, user: Headers) -> None:
        """A cancelled wait loses no message."""
        seen: list[Any] = []

        async def handler(websocket: WebSocket) -> None:
            while len(seen) < 3:
                with suppress(TimeoutError):
                    seen.append(await asyncio.wait_for(websocket.receive_text(), 0.01))

        async def script(line: Line) -> list[Message]:
            for text in "abc":
                await asyncio.sleep(0.03)
                line.say(text)
            return await line.ended()

        assert [] == run(Line(self.served(app, handler), "/own", user), script)
        assert ["a", "b", "c"] == seen

    def test_that_closes(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """A socket that the handler closed is closed once."""

        async def handler(websocket: WebSocket) -> None:
            await websocket.close(4000)
            counter.revoked = True
            await asyncio.sleep(0.05)

        assert [4000] == [
            message["code"]
            for message in run(Line(self.served(app, handler), "/own", user), closed_by_the_gate)
        ]

    def test_whose_client_left(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """Nor is one closed that the client has left."""

        async def handler(websocket: WebSocket) -> None:
            with suppress(WebSocketDisconnect):
                await websocket.receive_text()
            counter.revoked = True
            await asyncio.sleep(0.05)

        async def script(line: Line) -> list[Message]:
            line.leave()
            return await line.ended()

        assert [] == run(Line(self.served(app, handler), "/own", user), script)

    def test_that_is_cancelled(self, app: FastAPI, user: Headers) -> None:
        """A server that stops takes everything along."""

        async def handler(websocket: WebSocket) -> None:
            await websocket.receive_text()

        async def script(line: Line) -> None:
            assert line.handler is not None
            await asyncio.sleep(0.02)
            line.handler.cancel()
            with pytest.raises(asyncio.CancelledError):
                await line.handler

        run(Line(self.served(app, handler), "/own", user), script)

    def test_that_fails(self, app: FastAPI, user: Headers) -> None:
        """Law 1.3: what it raises is raised."""

        async def handler(websocket: WebSocket) -> None:
            await asyncio.sleep(0.03)
            raise LookupError("a bug of the handler")

        async def script(line: Line) -> None:
            with pytest.raises(LookupError, match="a bug of the handler"):
                await line.ended()

        run(Line(self.served(app, handler), "/own", user), script)

    def test_that_accepts_late(
        self, app: FastAPI, user: Headers, counter: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who was admitted long before is looked at when the socket opens."""
        monkeypatch.setattr(sockets, "_PERIOD", 0.2)

        @app.websocket("/slow")
        async def slow(websocket: WebSocket, user: CurrentUser) -> None:
            counter.revoked = True
            await asyncio.sleep(0.3)
            await websocket.accept()
            await asyncio.sleep(0.1)

        (close,) = run(Line(app, "/slow", user), closed_by_the_gate)
        assert 4401 == close["code"]


class TestTheServer:
    @pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("after 'websocket.close'")])
    def test_that_is_closing(self, app: FastAPI, user: Headers, counter: Any, error: Exception) -> None:
        """A client that leaves in the same moment is no bug."""

        async def refuse(message: Message) -> None:
            if message["type"] == "websocket.close":
                raise error

        async def script(line: Line) -> None:
            line.when_sending = refuse
            counter.revoked = True
            await line.ended()

        run(Line(app, "/me", user), script)

    def test_that_closes_slowly(self, app: FastAPI, user: Headers, counter: Any, ends: list[Any]) -> None:
        """The handler is told at once, and the close is not cut off when it ends."""
        done: list[bool] = []

        async def linger(message: Message) -> None:
            if message["type"] == "websocket.close":
                await asyncio.sleep(0.1)
                done.append(bool(ends))

        async def script(line: Line) -> None:
            line.when_sending = linger
            counter.revoked = True
            await line.ended()

        run(Line(app, "/me", user), script)
        assert [True] == done

    def test_that_fails(self, app: FastAPI, user: Headers) -> None:
        """What its receiving raises, the handler sees."""

        async def script(line: Line) -> None:
            await asyncio.sleep(0.03)
            line.failure = OSError("broken")
            line.say("a")
            with pytest.raises(OSError, match="broken"):
                await line.ended()

        run(Line(app, "/me", user), script)


class TestBugs:
    def test_of_what_the_gate_asks(self, app: FastAPI, user: Headers, counter: Any, ends: list[Any]) -> None:
        """Law 1.3: the socket is closed, since nobody can tell, and the bug reaches the server as itself."""

        async def script(line: Line) -> list[Message]:
            counter.failure = LookupError("a bug of the store")
            with pytest.raises(LookupError, match="a bug of the store"):
                await line.ended()
            return line.sent[1:]

        assert [1011] == [message["code"] for message in run(Line(app, "/me", user), script)]
        assert [(1011, "")] == ends
