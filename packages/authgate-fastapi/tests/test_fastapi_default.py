"""``AuthGate(app, default=...)``: whatever does not say otherwise is refused (Law 8.8)."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.testclient import WebSocketDenialResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

import authgate_core as ag
from authgate_core import any_role, claim_equals, is_project, is_service, is_user
from authgate_fastapi import (
    AuthGate,
    AuthMiddleware,
    CurrentAdmission,
    CurrentUser,
    OptionalUser,
    public,
    requires,
)

Headers = dict[str, str]

PREFLIGHT = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}


def hello() -> str:
    """An endpoint that asks for nobody."""
    return "hello"


async def plain(request: Request) -> PlainTextResponse:
    """An endpoint of Starlette's."""
    return PlainTextResponse("plain")


class Rewriting:
    """Middleware that gives a path another name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").endswith("/alias"):
            scope = {**scope, "path": scope["path"].replace("alias", "inner")}
        await self._app(scope, receive, send)


@pytest.fixture
def app(gate: ag.AsyncGate) -> FastAPI:
    """An application that refuses by default."""
    app = FastAPI()
    AuthGate(app, gate=gate, default=is_user)
    return app


class TestRoutes:
    """Law 8.8: whatever a router can run."""

    def test_an_endpoint_without_a_guard(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """Refused like by a guard of its own, with the challenge of the default."""
        app.get("/")(hello)
        answer = client.get("/")
        assert (401, 'Bearer realm="orders"') == (answer.status_code, answer.headers["www-authenticate"])
        assert "no-store" == answer.headers["cache-control"]
        assert "hello" == client.get("/", headers=user).json()

    def test_before_the_gate_and_after_it(self, gate: ag.AsyncGate) -> None:
        """It does not matter when a route was added."""
        app, router = FastAPI(), APIRouter()
        app.get("/before")(hello)
        app.include_router(router, prefix="/in")
        AuthGate(app, gate=gate, default=is_user)
        app.get("/after")(hello)
        router.get("/cluded")(hello)
        client = TestClient(app)
        for path in ("/before", "/after", "/in/cluded"):
            assert 401 == client.get(path).status_code

    def test_routes_of_every_kind(
        self, app: FastAPI, client: TestClient, user: Headers, tmp_path: Path
    ) -> None:
        """Those that know no dependencies too: Starlette's, files, applications of any make, in routers too."""
        (tmp_path / "index.html").write_text("page")
        router = APIRouter()
        for holder, prefix in ((app, ""), (router, "/in")):
            holder.add_route(f"{prefix}/plain", plain)
            holder.mount(f"{prefix}/files", StaticFiles(directory=tmp_path))
            holder.mount(f"{prefix}/other", Starlette(routes=[Route("/x", plain)]))
            holder.mount(f"{prefix}/router", Router(routes=[Route("/x", plain)]))
            holder.mount(f"{prefix}/hidden", Rewriting(Router(routes=[Route("/x", plain)])))
        app.include_router(router)
        app.routes.append(Mount("/bare", routes=[Route("/x", plain)], middleware=[Middleware(Rewriting)]))
        paths = ["/plain", "/files/index.html", "/other/x", "/router/x", "/hidden/x"]
        for path in (*paths, *(f"/in{path}" for path in paths), "/bare/x"):
            assert (path, 401) == (path, client.get(path).status_code)
            assert (path, 200) == (path, client.get(path, headers=user).status_code)

    def test_what_runs_after_all_routes(
        self, app: FastAPI, client: TestClient, user: Headers, tmp_path: Path
    ) -> None:
        """The files of ``app.frontend`` are looked for last, and judged before they are sent."""
        (tmp_path / "index.html").write_text("page")
        router = APIRouter(dependencies=[requires(is_user | is_project)])
        router.frontend("/shop", directory=tmp_path)
        app.frontend("/site", directory=tmp_path)
        app.include_router(router)
        assert 401 == client.get("/site/index.html").status_code
        assert "page" == client.get("/site/index.html", headers=user).text
        assert 401 == client.get("/shop/index.html").status_code
        assert 404 == client.get("/nothing/index.html").status_code

    def test_web_sockets(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """Refused at the handshake."""

        @app.websocket("/ws")
        async def ws(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text("hello")
            await websocket.close()

        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/ws"):
            pass
        assert 401 == refused.value.status_code
        with client.websocket_connect("/ws", headers=user) as socket:
            assert "hello" == socket.receive_text()

    def test_the_documentation_is_no_exception(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """Law 8.6: nobody said that it is public; one line says so."""
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (path, 401) == (path, client.get(path).status_code)
            assert (path, 200) == (path, client.get(path, headers=user).status_code)
        for route in app.routes:
            public(route.endpoint)  # type: ignore[attr-defined]  # of these routes
        assert [200, 200] == [client.get(path).status_code for path in ("/docs", "/openapi.json")]

    def test_whom_it_admitted(self, app: FastAPI, client: TestClient, user: Headers, counter: Any) -> None:
        """An endpoint may ask, and may ask for more: nobody is verified twice (Law 2.6)."""

        @app.get("/")
        def route(admission: CurrentAdmission) -> str:
            admission.require(any_role("clerk"))
            return admission.user.id

        assert "u1" == client.get("/", headers=user).json()
        assert 1 == len(counter.asked)
        assert "authorization" == client.get("/", headers=user).headers["vary"].lower()

    def test_middleware_that_lets_in_others(
        self, app: FastAPI, client: TestClient, user: Headers, service: Headers, tmp_path: Path
    ) -> None:
        """Whoever passed ``AuthMiddleware`` is still held against the default, for files that come last too."""
        (tmp_path / "index.html").write_text("page")
        app.add_middleware(AuthMiddleware)
        app.get("/")(hello)
        app.frontend("/site", directory=tmp_path)
        for path in ("/", "/site/index.html"):
            assert [200, 403] == [client.get(path, headers=one).status_code for one in (user, service)]

    def test_path_parameters(self, gate: ag.AsyncGate, user: Headers) -> None:
        """A default may look at the path."""
        app = FastAPI()
        AuthGate(app, gate=gate, default=is_user & claim_equals("sub", path="who"))
        app.get("/of/{who}")(hello)
        client = TestClient(app)
        assert (200, 403) == (
            client.get("/of/u1", headers=user).status_code,
            client.get("/of/u2", headers=user).status_code,
        )


class TestFallbacks:
    """What a router runs where it has no route."""

    @pytest.fixture
    def ran(self) -> list[str]:
        """The paths that it was run for."""
        return []

    @pytest.fixture
    def legacy(self, ran: list[str]) -> ASGIApp:
        """An application that knows paths of its own."""

        async def legacy(scope: Scope, receive: Receive, send: Send) -> None:
            ran.append(scope["path"])
            await PlainTextResponse("legacy")(scope, receive, send)

        return legacy

    def test_judged_before_they_run(
        self, app: FastAPI, client: TestClient, user: Headers, legacy: ASGIApp, ran: list[str]
    ) -> None:
        """An application may be moved route by route, with what is left of the older one behind it."""
        app.get("/new")(hello)
        app.mount("/mounted", Router(default=legacy))
        app.router.default = legacy
        for path in ("/old", "/mounted/old"):
            assert 401 == client.post(path).status_code
            assert [] == ran
            assert "legacy" == client.post(path, headers=user).text
            ran.clear()

    def test_public(self, app: FastAPI, client: TestClient, legacy: ASGIApp) -> None:
        """Law 8.6: in so many words."""
        app.router.default = public(legacy)
        assert "legacy" == client.get("/old").text


class TestOtherwise:
    def test_a_route_with_a_guard_of_its_own(
        self, app: FastAPI, client: TestClient, user: Headers, project: Headers, counter: Any
    ) -> None:
        """Is judged by that alone, wherever it comes from: the route, its router, a dependency."""

        async def deeper(name: str = Depends(hello), user: OptionalUser = None) -> str:
            return user.id if user else name

        router = APIRouter(prefix="/in", dependencies=[requires(is_project)])
        router.get("/")(hello)
        app.include_router(router)
        app.get("/own", dependencies=[requires(is_project)])(hello)
        app.get("/deeper")(lambda who=Depends(deeper): who)
        assert (200, 200) == (
            client.get("/own", headers=project).status_code,
            client.get("/in/", headers=project).status_code,
        )
        assert (401, 401) == (client.get("/own", headers=user).status_code, client.get("/in/").status_code)
        assert ["hello", "u1"] == [client.get("/deeper", headers=one).json() for one in ({}, user)]
        assert 3 == len(counter.asked)

    def test_public(self, app: FastAPI, client: TestClient) -> None:
        """Law 8.6: above the route's decorator or below it, for functions, sockets and classes."""

        @public
        @app.get("/above")
        def above() -> str:
            return "open"

        @app.get("/below")
        @public
        async def below() -> str:
            return "open"

        @app.websocket("/ws")
        @public
        async def ws(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.close()

        @public
        class Page(HTTPEndpoint):
            async def get(self, request: Request) -> PlainTextResponse:
                return PlainTextResponse("open")

        class Inherits(Page):
            pass

        @public
        async def marked(request: Request) -> PlainTextResponse:
            return PlainTextResponse("open")

        app.routes.append(Route("/class", Page))
        app.add_route("/plain", marked)
        app.routes.append(Route("/subclass", Inherits))
        app.add_route("/partial", partial(marked))
        opened = ("/above", "/below", "/class", "/plain")
        assert [200] * 4 == [client.get(path).status_code for path in opened]
        assert [401] * 2 == [client.get(path).status_code for path in ("/subclass", "/partial")]
        with client.websocket_connect("/ws"):
            pass

    def test_what_cannot_be_public(self) -> None:
        """A text is no endpoint, nor is anything that takes no mark."""
        for mistake in ("/path", print):
            with pytest.raises(TypeError, match="public marks functions"):
                public(mistake)  # type: ignore[type-var]  # that is the mistake

    def test_not_found_stays_not_found(self, app: FastAPI, client: TestClient) -> None:
        """So does a method that is not allowed, and a path that lacks its slash."""
        app.get("/things/")(hello)
        assert 404 == client.get("/nothing").status_code
        assert 405 == client.post("/things/").status_code
        assert 307 == client.get("/things", follow_redirects=False).status_code
        assert 401 == client.get("/things").status_code
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/nothing"):
            pass
        assert 1000 == closed.value.code

    def test_preflights(self, app: FastAPI, client: TestClient) -> None:
        """Law 1.11: nothing is asked of a preflight, but by the route's own guard."""
        app.options("/open")(hello)
        app.options("/guarded", dependencies=[requires(is_user)])(hello)
        assert "hello" == client.options("/open", headers=PREFLIGHT).json()
        assert 401 == client.options("/open", headers={"Origin": "https://shop.example"}).status_code
        assert 401 == client.options("/guarded", headers=PREFLIGHT).status_code

    def test_anonymous_in_so_many_words(self, gate: ag.AsyncGate) -> None:
        """Law 8.6: a default may let anyone in, which every log says."""
        app = FastAPI()
        AuthGate(app, gate=gate, default=ag.UnsafeAllowAnonymous())
        app.get("/")(hello)
        assert 200 == TestClient(app).get("/").status_code


class TestMounted:
    @pytest.fixture
    def mounted(self, app: FastAPI) -> FastAPI:
        """An application without a gate, under one that has one."""
        mounted = FastAPI()
        app.mount("/sub", mounted)
        mounted.get("/")(hello)
        return mounted

    def test_included(self, mounted: FastAPI, client: TestClient, user: Headers) -> None:
        """Its routes are judged one by one, as if they were the application's own."""
        mounted.get("/open")(public(lambda: "open"))
        mounted.get("/own", dependencies=[requires(is_service)])(hello)
        assert [401, 200, 404, 401] == [
            client.get(f"/sub/{path}").status_code for path in ("", "open", "nothing", "docs")
        ]
        assert (200, 403) == (
            client.get("/sub/", headers=user).status_code,
            client.get("/sub/own", headers=user).status_code,
        )

    def test_deeper(self, mounted: FastAPI, client: TestClient, user: Headers) -> None:
        """And what is mounted in it."""
        deeper = FastAPI()
        deeper.get("/x")(hello)
        mounted.mount("/deeper", deeper)
        assert [401, 200] == [client.get("/sub/deeper/x", headers=one).status_code for one in ({}, user)]

    @pytest.mark.parametrize("kind", [FastAPI, Starlette, Router])
    def test_what_answers_by_itself(
        self, app: FastAPI, client: TestClient, user: Headers, kind: type[Any]
    ) -> None:
        """An application that need not ask its router is judged as a whole, before it runs."""

        class Own(kind):  # type: ignore[misc]  # one of three
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                await PlainTextResponse("own")(scope, receive, send)

        app.mount("/own", Own())
        assert [401, 200] == [client.get("/own/x", headers=one).status_code for one in ({}, user)]

    def test_files_in_so_many_words(self, app: FastAPI, client: TestClient, tmp_path: Path) -> None:
        """Law 8.6: what is mounted may be public."""
        (tmp_path / "a.txt").write_text("a")
        app.mount("/files", public(StaticFiles(directory=tmp_path)))
        assert "a" == client.get("/files/a.txt").text

    def test_what_its_middleware_makes_of_a_path(self, mounted: FastAPI, client: TestClient) -> None:
        """The path that is judged is the one that its router sees."""
        mounted.add_middleware(Rewriting)
        mounted.get("/alias")(public(lambda: "open"))
        mounted.get("/inner")(hello)
        assert [401, 401] == [client.get(f"/sub/{path}").status_code for path in ("alias", "inner")]

    def test_a_gate_of_its_own(
        self, app: FastAPI, client: TestClient, projects: Any, project: Headers
    ) -> None:
        """Then it has its own default, or none."""
        for path, default in (("/none", None), ("/one", is_project)):
            mounted = FastAPI()
            gate = AuthGate(mounted, config=ag.GateConfig(projects=projects), default=default).gate
            mounted.get("/")(lambda: "hello")
            app.mount(path, mounted)
            asyncio.run(gate.aclose())
        assert [200, 401] == [client.get(path).status_code for path in ("/none/", "/one/")]
        assert 200 == client.get("/one/", headers=project).status_code

    def test_the_same_application_alone(self, mounted: FastAPI, client: TestClient) -> None:
        """Nothing of the gate sticks to it."""
        assert 401 == client.get("/sub/").status_code
        assert 200 == TestClient(mounted).get("/").status_code

    def test_middleware_before_the_router(self, app: FastAPI, client: TestClient) -> None:
        """In the application itself too, the path is judged as the router sees it."""
        app.add_middleware(Rewriting)
        app.get("/alias")(public(lambda: "open"))
        app.get("/inner")(hello)
        assert [401, 401] == [client.get(path).status_code for path in ("/alias", "/inner")]


class TestConfiguration:
    def test_a_default_that_cannot_be_judged(self, trusted: ag.Issuer) -> None:
        """Law 1.6: it is said when the gate is built."""
        for mistake in (is_project, is_user & is_service, "is_user"):
            with pytest.raises(ag.ConfigurationError):
                AuthGate(FastAPI(), config=ag.GateConfig(issuers=[trusted]), default=mistake)  # type: ignore[arg-type]

    def test_public_and_guarded(self, app: FastAPI, router_guards: Callable[[FastAPI], None]) -> None:
        """One of them would be there for nothing, so that the start says which routes it is."""
        router_guards(app)
        with pytest.raises(ag.ConfigurationError) as wrong, TestClient(app):
            pass
        assert ["/both", "/in/both", "/sub/both", "/ws"] == sorted(
            problem.partition(":")[0] for problem in wrong.value.problems
        )

    @pytest.fixture
    def router_guards(self) -> Callable[[FastAPI], None]:
        """Adds routes that are public and guarded."""

        def add(app: FastAPI) -> None:
            router, mounted = APIRouter(dependencies=[requires(any_role("admin"))]), FastAPI()
            app.get("/both", dependencies=[requires(is_user)])(public(lambda: None))
            router.get("/both")(public(lambda: None))

            @app.websocket("/ws")
            @public
            async def ws(websocket: WebSocket, user: CurrentUser) -> None: ...

            @mounted.get("/both")
            @public
            def both(user: OptionalUser) -> None: ...

            app.include_router(router, prefix="/in")
            app.mount("/sub", mounted)

        return add

    def test_public_and_a_default(self, app: FastAPI) -> None:
        """That is what it is for."""
        app.get("/")(public(lambda: None))
        with TestClient(app) as client:
            assert 200 == client.get("/").status_code
