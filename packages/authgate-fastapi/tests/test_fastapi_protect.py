"""``protect(router, policy)``: every route of a router (Law 8.8)."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
from authgate_core import any_role, is_project, is_service, is_user
from authgate_fastapi import AuthGate, CurrentAdmission, CurrentUser, protect, public, requires

Headers = dict[str, str]

PREFLIGHT = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}


def hello() -> str:
    """An endpoint that asks for nobody."""
    return "hello"


async def plain(request: Request) -> PlainTextResponse:
    """An endpoint of Starlette's."""
    return PlainTextResponse("plain")


async def ws(websocket: WebSocket) -> None:
    """A WebSocket that asks for nobody."""
    await websocket.accept()
    await websocket.close()


@pytest.fixture
def router(app: FastAPI) -> APIRouter:
    """A router with a route of each kind before it is protected, and after that; included in the middle."""
    router, early, late = APIRouter(), APIRouter(), APIRouter()
    for holder, name in ((router, "before"), (early, "early")):
        _fill(holder, name)
    router.include_router(early)
    protect(router, is_user)
    app.include_router(router, prefix="/p")
    for holder, name in ((router, "after"), (late, "late"), (early, "afterwards")):
        _fill(holder, name)
    router.include_router(late)
    return router


def _fill(router: APIRouter, name: str) -> None:
    router.add_api_route(f"/{name}/api", hello, methods=["GET", "OPTIONS"])
    router.add_api_websocket_route(f"/{name}/ws", ws)
    router.add_route(f"/{name}/plain", plain)
    router.mount(f"/{name}/mount", Router(routes=[Route("/x", plain)]))


KINDS = ("api", "plain", "mount/x")
NAMES = ("before", "early", "after", "late", "afterwards")


class TestRouters:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_route(self, router: APIRouter, client: TestClient, user: Headers, name: str) -> None:
        """Those there were, those that came later, those of routers that it includes."""
        for kind in KINDS:
            path = f"/p/{name}/{kind}"
            assert (path, 401) == (path, client.get(path).status_code)
            assert (path, 200) == (path, client.get(path, headers=user).status_code)
        with pytest.raises(WebSocketDenialResponse), client.websocket_connect(f"/p/{name}/ws"):
            pass
        with client.websocket_connect(f"/p/{name}/ws", headers=user):
            pass

    def test_nothing_else(self, app: FastAPI, router: APIRouter, client: TestClient) -> None:
        """Other routes are as they were, and 404 and 405 stay."""
        app.get("/other")(hello)
        statuses = [client.get("/other"), client.get("/p/nothing"), client.delete("/p/before/api")]
        assert [200, 404, 405] == [answer.status_code for answer in statuses]

    def test_its_guards_must_hold_as_well(
        self, router: APIRouter, client: TestClient, user: Headers, project: Headers, counter: Any
    ) -> None:
        """Each guard admits; a kind of credential is verified once (Law 2.6)."""

        @router.get("/both", dependencies=[requires(is_user & any_role("clerk"))])
        async def both(user: CurrentUser, admission: CurrentAdmission) -> str:
            return user.id

        router.get("/project", dependencies=[requires(is_project)])(hello)
        assert "u1" == client.get("/p/both", headers=user).json()
        assert 1 == len(counter.asked)
        statuses = [
            client.get("/p/project", headers=one).status_code for one in (user, project, user | project)
        ]
        assert [401, 401, 200] == statuses

    def test_public(self, router: APIRouter, client: TestClient) -> None:
        """Opts out, of both routers where one protected router includes another."""
        inner = APIRouter()
        protect(inner, is_service)
        router.include_router(inner)
        for holder in (router, inner):
            holder.get("/open")(public(lambda: "open"))
            holder.add_route("/inner/open", public(_open()))
            holder.get("/shut")(hello)
        assert [200, 200, 401] == [
            client.get(f"/p/{path}").status_code for path in ("open", "inner/open", "shut")
        ]

    def test_nested(self, router: APIRouter, client: TestClient, user: Headers) -> None:
        """A protected router in a protected one asks for both."""
        inner = APIRouter()
        protect(inner, any_role("admin"))
        inner.get("/inner")(hello)
        inner.add_route("/inner/plain", plain)
        router.include_router(inner)
        for path in ("/p/inner", "/p/inner/plain"):
            assert [401, 403] == [client.get(path, headers=one).status_code for one in ({}, user)]

    @pytest.mark.parametrize("default", [None, is_user])
    def test_mounted(self, gate: ag.AsyncGate, user: Headers, default: ag.Policy | None) -> None:
        """A router may be mounted instead of included, with a default around it too."""
        app, router, inner = FastAPI(), APIRouter(), APIRouter()
        for holder, name in ((router, "before"), (inner, "inner")):
            _fill(holder, name)
        router.include_router(inner)
        protect(router, is_user)
        _fill(router, "after")
        app.mount("/m", router)
        AuthGate(app, gate=gate, default=default)
        client = TestClient(app)
        for path in (f"/m/{name}/{kind}" for name in ("before", "inner", "after") for kind in KINDS):
            assert (path, 401) == (path, client.get(path).status_code)
            assert (path, 200) == (path, client.get(path, headers=user).status_code)
        assert 404 == client.get("/m/nothing").status_code

    def test_several_times(self, router: APIRouter, client: TestClient, user: Headers) -> None:
        """Once more asks for more, of the routes that are there too."""
        assert 200 == client.get("/p/before/plain", headers=user).status_code
        protect(router, any_role("admin"))
        for path in ("/p/before/plain", "/p/before/api", "/p/late/api"):
            assert (path, 403) == (path, client.get(path, headers=user).status_code)

    def test_preflights(self, router: APIRouter, client: TestClient) -> None:
        """Law 1.11: nothing is asked of a preflight."""
        assert "hello" == client.options("/p/after/api", headers=PREFLIGHT).json()
        assert 401 == client.options("/p/after/api", headers={"Origin": "https://shop.example"}).status_code

    def test_before_a_default(self, gate: ag.AsyncGate, project: Headers, user: Headers) -> None:
        """A protected router has its own guard, so that the default is not asked; that of routes before it as well."""
        app, router, inner = FastAPI(), APIRouter(), APIRouter()
        inner.get("/inner")(hello)
        router.include_router(inner)
        router.get("/before")(hello)
        protect(router, is_project)
        router.get("/after")(hello)
        app.include_router(router)
        AuthGate(app, gate=gate, default=is_user)
        client = TestClient(app)
        for path in ("/inner", "/before", "/after"):
            assert [200, 401] == [client.get(path, headers=one).status_code for one in (project, user)]
            asked = app.openapi()["paths"][path]["get"]["x-authgate-policy"]
            assert "is_project" == asked

    def test_files(self, app: FastAPI, client: TestClient, user: Headers, tmp_path: Path) -> None:
        """``router.frontend`` is guarded when it comes after ``protect``, and refused before."""
        (tmp_path / "index.html").write_text("page")
        router = APIRouter()
        protect(router, is_user)
        router.frontend("/site", directory=tmp_path)
        app.include_router(router)
        assert [401, 200] == [client.get("/site/index.html", headers=one).status_code for one in ({}, user)]
        late = APIRouter()
        late.frontend("/site", directory=tmp_path)
        with pytest.raises(ag.ConfigurationError, match=r"before router\.frontend"):
            protect(late, is_user)

    def test_without_a_gate(self) -> None:
        """Law 1.6: it lets nobody in, and names the missing line."""
        app, router = FastAPI(), APIRouter()
        _fill(router, "x")
        protect(router, is_user)
        app.include_router(router)
        for path in ("/x/api", "/x/plain"):
            with pytest.raises(ag.ConfigurationError, match=r"write AuthGate\(app\)"):
                TestClient(app).get(path)
        with TestClient(router) as alone, pytest.raises(ag.ConfigurationError, match="no gate"):
            alone.get("/x/plain")


def _open() -> Any:
    async def opened(request: Request) -> PlainTextResponse:
        return PlainTextResponse("open")

    return opened


class TestMistakes:
    def test_what_is_no_router(self, app: FastAPI) -> None:
        """An application has a line of its own."""
        for mistake in (app, Router()):
            with pytest.raises(TypeError, match=r"AuthGate\(app, default="):
                protect(mistake, is_user)  # type: ignore[arg-type]  # that is the mistake
        with pytest.raises(ag.ConfigurationError, match=r"AuthGate\(app, default="):
            protect(app.router, is_user)

    def test_what_is_no_policy(self) -> None:
        """Or is one that contradicts itself."""
        for mistake in ("is_user", is_user & is_service):
            with pytest.raises(ag.ConfigurationError, match="protect"):
                protect(APIRouter(prefix="/p"), mistake)  # type: ignore[arg-type]  # that is the mistake

    def test_what_the_gate_has_no_source_for(self, trusted: ag.Issuer) -> None:
        """Law 1.6: said at start, with the route."""
        app, router = FastAPI(), APIRouter(prefix="/p")
        protect(router, is_project)
        router.get("/x")(hello)
        app.include_router(router)
        AuthGate(app, config=ag.GateConfig(issuers=[trusted]))
        with pytest.raises(ag.ConfigurationError, match=r"/p/x: .*projects="), TestClient(app):
            pass
