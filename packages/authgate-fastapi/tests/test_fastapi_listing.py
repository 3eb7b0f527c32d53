"""The routes of an app and what stands before each, as requests meet it."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from authgate_core import AsyncGate, ConfigurationError, all_scopes, any_role, is_project, is_service, is_user
from authgate_core.routes import GuardedRoute, RouteGuard, routes_of
from authgate_fastapi import (
    AuthGate,
    AuthMiddleware,
    CurrentUser,
    OptionalUser,
    get_current_user,
    guarded_routes,
    protect,
    public,
    requires,
)
from authgate_fastapi.compat.auth_sdk import APIKeyAuthMiddleware

Make = Callable[..., FastAPI]


@pytest.fixture
def make(gate: AsyncGate) -> Make:
    """Makes apps without the pages of FastAPI."""

    def new(**options: object) -> FastAPI:
        app = FastAPI(openapi_url=None)
        AuthGate(app, gate=gate, **options)  # type: ignore[arg-type]
        return app

    return new


def hello() -> str:
    """An endpoint that asks for nobody."""
    return "hello"


async def socket(websocket: WebSocket) -> None:
    """A WebSocket that asks for nobody."""
    await websocket.accept()


async def plain(request: Request) -> PlainTextResponse:
    """An endpoint of Starlette's."""
    return PlainTextResponse("plain")


class Anything:
    """An application that nobody can look into."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("anything")(scope, receive, send)


anything = Anything()


def lines(app: FastAPI) -> list[str]:
    """Each route with what stands before it, in words."""
    return [f"{route} - {route.standing}" for route in guarded_routes(app)]


class TestOwnGuards:
    """What FastAPI runs before an endpoint."""

    def test_of_routes_and_sockets(self, make: Make) -> None:
        """The policy with the scopes of ``Security``, and whether it is optional."""
        app = make()

        @app.get("/me")
        def me(user: CurrentUser) -> str:
            return user.id

        @app.get("/feed")
        def feed(user: OptionalUser) -> str:
            return "feed"

        app.post("/orders", dependencies=[Security(get_current_user, scopes=["orders:write"])])(hello)
        app.websocket("/ticker", dependencies=[requires(is_service)])(socket)
        app.websocket("/forgotten")(socket)
        feed_guard = guarded_routes(app)[1].guards[0]

        assert GuardedRoute("http", "/me", ("GET",), (RouteGuard("own", is_user),)) == guarded_routes(app)[0]
        assert (True, False) == (feed_guard.optional, guarded_routes(app)[1].is_unguarded)
        assert [
            "POST /orders - own: is_user & all_scopes('orders:write')",
            "websocket /ticker - own: is_service",
            "websocket /forgotten - UNGUARDED",
        ] == lines(app)[2:]

    def test_of_routers_and_of_the_app(self, gate: AsyncGate) -> None:
        """Dependencies of everything around a route are its own, the outermost first."""
        app = FastAPI(openapi_url=None, dependencies=[requires(is_project)])
        AuthGate(app, gate=gate)
        inner, outer = APIRouter(dependencies=[requires(any_role("clerk"))]), APIRouter()
        inner.get("/orders")(hello)
        outer.include_router(inner, prefix="/inner", dependencies=[requires(is_user)])
        app.include_router(outer, prefix="/outer")

        assert ["GET /outer/inner/orders - own: is_project, own: is_user, own: any_role('clerk')"] == lines(
            app
        )

    def test_of_a_dependency_of_a_dependency(self, make: Make) -> None:
        """However deep it is."""
        app = make()

        def tenant(user: CurrentUser) -> str:
            return user.id

        app.get("/", dependencies=[Depends(tenant)])(hello)

        assert ["GET / - own: is_user"] == lines(app)

    def test_of_pages_that_fastapi_adds(self, gate: AsyncGate) -> None:
        """They are as open as anything that nobody guards; HEAD, which comes with GET, is not listed."""
        app = FastAPI()
        AuthGate(app, gate=gate)

        assert [
            "GET /openapi.json - UNGUARDED",
            "GET /docs - UNGUARDED",
            "GET /docs/oauth2-redirect - UNGUARDED",
            "GET /redoc - UNGUARDED",
        ] == lines(app)


class TestDefault:
    """Law 8.8: ``AuthGate(app, default=...)``."""

    def test_stands_before_what_says_nothing_itself(self, make: Make) -> None:
        """Not before what is public, nor beside guards."""
        app = make(default=is_user)
        app.get("/open")(public(lambda: "in"))
        app.get("/orders")(hello)
        app.websocket("/ticker")(socket)
        app.get("/admin", dependencies=[requires(any_role("admin"))])(hello)

        assert [
            "GET /open - public",
            "GET /orders - default: is_user",
            "websocket /ticker - default: is_user",
            "GET /admin - own: any_role('admin')",
        ] == lines(app)

    def test_goes_into_what_is_mounted(self, make: Make) -> None:
        """But for an app with a gate of its own, which has its own default."""
        app, plain_app, own = make(default=is_user), FastAPI(openapi_url=None), make()
        plain_app.get("/in")(hello)
        own.get("/in")(hello)
        app.mount("/plain", plain_app)
        app.mount("/own", own)
        app.mount("/router", Router([Route("/in", plain, methods=["POST"])]))
        app.router.routes.append(Host("api.example.com", Router([Route("/in", plain)])))

        assert [
            "GET /plain/in - default: is_user",
            "GET /own/in - UNGUARDED",
            "POST /router/in - default: is_user",
            "GET api.example.com/in - default: is_user",
        ] == lines(app)

    def test_what_nobody_can_look_into(self, make: Make, tmp_path: Path) -> None:
        """Files, foreign applications, and routes behind middleware are one route each."""
        app = make()
        app.mount("/static", StaticFiles(directory=tmp_path))
        app.mount("/", anything)
        app.router.routes.append(
            Mount("/behind", routes=[Route("/in", plain)], middleware=[Middleware(GZipMiddleware)])
        )

        assert ["mount /static - UNGUARDED", "mount  - UNGUARDED", "mount /behind - UNGUARDED"] == lines(app)

    def test_what_is_looked_for_after_all_routes(self, make: Make, tmp_path: Path) -> None:
        """The files of a frontend, of included routers too, and an application for the rest."""
        app, router = make(default=is_user), APIRouter(prefix="/shop", dependencies=[requires(is_service)])
        app.frontend("/app", directory=tmp_path, check_dir=False)
        router.frontend("/", directory=tmp_path, check_dir=False)
        app.include_router(router, prefix="/v1")
        app.router.default = anything

        assert [
            "mount /app - default: is_user",
            "mount /v1/shop - own: is_service",
            "mount / - default: is_user",
        ] == [line.replace("shop/", "shop") for line in lines(app)]

    def test_routes_without_methods(self, make: Make) -> None:
        """A class takes those that it has, and an application any."""

        class Orders(HTTPEndpoint):
            async def get(self, request: Request) -> PlainTextResponse:
                return PlainTextResponse("in")

        app = make()
        app.router.routes.append(Route("/orders", Orders))
        app.router.routes.append(Route("/any", anything))

        assert ["GET /orders", "DELETE, GET, PATCH, POST, PUT /any"] == [
            str(route) for route in guarded_routes(app)
        ]

    def test_classes_that_name_no_common_method(self, make: Make) -> None:
        """Law 8.8: what answers is listed, be it an ASGI class, one that dispatches itself, or has one odd handler."""

        class Asgi:
            def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
                self.answer = PlainTextResponse("in")(scope, receive, send)

            def __await__(self) -> Generator[object]:
                return self.answer.__await__()

        class Dispatching(HTTPEndpoint):
            async def dispatch(self) -> None:
                await PlainTextResponse("in")(self.scope, self.receive, self.send)

        class Odd(HTTPEndpoint):
            async def options(self, request: Request) -> PlainTextResponse:
                return PlainTextResponse("in")

        app = make()
        classes = {"/asgi": Asgi, "/dispatching": Dispatching, "/odd": Odd}
        app.router.routes += [Route(path, endpoint) for path, endpoint in classes.items()]

        client = TestClient(app)
        assert ["in"] * 3 == [client.options(path).text for path in classes]
        assert [
            "DELETE, GET, PATCH, POST, PUT /asgi",
            "DELETE, GET, PATCH, POST, PUT /dispatching",
            "OPTIONS /odd",
        ] == [str(route) for route in guarded_routes(app) if route.is_unguarded]


class TestProtectedRouters:
    """Law 8.8: ``protect(router, ...)``."""

    def test_all_that_is_in_them(self, make: Make) -> None:
        """Routes of FastAPI and of Starlette, sockets and mounts, included and nested; not what is public."""
        app, outer, inner = make(), APIRouter(), APIRouter()
        protect(outer, is_user)
        protect(inner, any_role("clerk"))
        inner.get("/orders")(hello)
        inner.websocket("/ticker")(socket)
        inner.get("/open")(public(lambda: "in"))
        inner.routes.append(Route("/plain", plain))
        inner.mount("/mounted", Router([Route("/in", public(lambda request: PlainTextResponse("in")))]))
        outer.include_router(inner, prefix="/inner")
        app.include_router(outer, prefix="/outer")

        both = "protect: is_user, protect: any_role('clerk')"
        assert [
            f"GET /outer/inner/orders - {both}",
            f"websocket /outer/inner/ticker - {both}",
            "GET /outer/inner/open - public",
            f"GET /outer/inner/plain - {both}",
            f"GET /outer/inner/mounted/in - {both}, public",
        ] == lines(app)
        assert not guarded_routes(app)[-1].is_open

    def test_that_are_mounted(self, make: Make) -> None:
        """They are guarded there as well."""
        app, router = make(), APIRouter()
        protect(router, is_user)
        router.get("/orders")(hello)
        router.routes.append(Route("/plain", plain))
        app.mount("/shop", router)

        assert ["GET /shop/orders - protect: is_user", "GET /shop/plain - protect: is_user"] == lines(app)


class TestMiddleware:
    """``AuthMiddleware`` that was added to the app."""

    def test_stands_before_everything(self, make: Make) -> None:
        """Routes, sockets and what is mounted; without a policy it asks for anybody that the gate knows."""
        app = make()
        app.add_middleware(AuthMiddleware, policy=is_user)
        app.get("/orders", dependencies=[requires(any_role("clerk"))])(hello)
        app.websocket("/ticker")(socket)
        app.mount("/shop", anything)
        bare = make()
        bare.add_middleware(AuthMiddleware)
        bare.get("/")(hello)

        assert [
            "GET /orders - middleware: is_user, own: any_role('clerk')",
            "websocket /ticker - middleware: is_user",
            "mount /shop - middleware: is_user",
        ] == lines(app)
        (route,) = guarded_routes(bare)
        assert (False, False) == (route.is_unguarded, route.is_open)

    def test_hosts_are_no_part_of_a_path(self, make: Make) -> None:
        """What is left alone is so for every host, and is listed as open there."""
        app = make()
        app.add_middleware(AuthMiddleware, policy=is_user, excluded_paths={"/in", "/shop/in"})
        host = Host("api.example.com", Router([Route("/in", plain), Route("/guarded", plain)]))
        app.mount("/shop", Router([host]))
        app.router.routes.append(host)

        client = TestClient(app, base_url="http://api.example.com")
        assert [200, 200, 401, 401] == [
            client.get(path).status_code for path in ("/in", "/shop/in", "/guarded", "/shop/guarded")
        ]
        assert [
            "GET api.example.com/shop/in - public",
            "GET api.example.com/shop/guarded - middleware: is_user",
            "GET api.example.com/in - public",
            "GET api.example.com/guarded - middleware: is_user",
        ] == lines(app)

    def test_what_it_is_told_to_leave_alone(self, make: Make, tmp_path: Path) -> None:
        """Law 8.7: is public by that, method by method; a path without methods is meant for sockets as well."""
        app = make()
        app.add_middleware(
            AuthMiddleware,
            policy=is_user,
            excluded_paths={"/orders": {"GET"}, "/health": None, "/ticker": {"GET"}},
            excluded_prefixes={"/static", "/files/"},
            optional_auth_paths={"/feed"},
        )
        app.api_route("/orders", methods=["GET", "POST"])(hello)
        app.websocket("/health")(socket)
        app.websocket("/ticker")(socket)
        app.get("/static/{name}/page")(hello)
        app.mount("/files", StaticFiles(directory=tmp_path))
        app.get("/feed")(hello)

        assert [
            "GET /orders - public",
            "POST /orders - middleware: is_user",
            "websocket /health - public",
            "websocket /ticker - middleware: is_user",
            "GET /static/{name}/page - public",
            "mount /files - public",
            "GET /feed - middleware (optional): is_user",
        ] == lines(app)

    @pytest.mark.parametrize(
        ("template", "may_be_left_alone"),
        [
            ("/orders/{id}", True),
            ("/orders/{id}/lines", False),
            ("/{rest:path}", True),
            ("/users/{id}", True),
            ("/users/me", False),
            ("/users/{id}/{more}", False),
            ("/open/{id}", True),
            ("/{anything}/x/y", True),
            ("/open", False),
            ("/closed/{id}", False),
        ],
    )
    def test_a_route_some_of_whose_paths_it_leaves_alone(
        self, make: Make, template: str, may_be_left_alone: bool
    ) -> None:
        """Is guarded for the others: the guard may let in who presents nothing."""
        app = make()
        app.add_middleware(
            AuthMiddleware,
            policy=is_user,
            excluded_paths={"/orders/special", "/users/{id:uuid}"},
            excluded_prefixes={"/open/x"},
        )
        app.get(template)(hello)

        assert may_be_left_alone == guarded_routes(app)[0].guards[0].optional

    def test_of_an_app_that_is_mounted(self, make: Make) -> None:
        """Its paths begin where it is mounted; what stands around it sees the whole path."""
        app, inner = make(), FastAPI(openapi_url=None)
        app.add_middleware(AuthMiddleware, policy=is_user, excluded_paths={"/shop/a", "/b"})
        inner.add_middleware(AuthMiddleware, policy=is_service, excluded_paths={"/b"})
        for path in ("/a", "/b"):
            inner.get(path)(hello)
        app.mount("/shop", inner)

        assert ["GET /shop/a - middleware: is_service", "GET /shop/b - middleware: is_user"] == lines(app)

    def test_what_derives_from_it(self, make: Make) -> None:
        """Is read as it was added: here that of an older SDK."""
        app = make()
        app.add_middleware(APIKeyAuthMiddleware, "https://auth.example.com", excluded_paths={"/open"})
        app.get("/keys")(hello)
        app.get("/open")(hello)

        assert ["GET /keys - middleware: is_api_key", "GET /open - public"] == lines(app)


class TestListing:
    """How it is asked for."""

    def test_the_core_finds_them(self, make: Make) -> None:
        """By the package of the framework."""
        app = make()
        app.get("/")(hello)

        assert guarded_routes(app) == routes_of(app)

    def test_without_a_gate(self) -> None:
        """Names the line that is missing."""
        with pytest.raises(ConfigurationError, match=r"write AuthGate\(app\) after app = FastAPI\(\)"):
            guarded_routes(FastAPI())

    def test_a_guard_that_cannot_be_judged(self, make: Make) -> None:
        """Law 1.6: says what the start of the app would say."""
        app = make()
        app.get("/", dependencies=[requires(all_scopes("a") & is_user)])(public(lambda: "in"))
        with pytest.raises(ConfigurationError, match="@public lifts no guard"):
            guarded_routes(app)
