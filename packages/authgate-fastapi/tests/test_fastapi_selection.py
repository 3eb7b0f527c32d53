"""The doorkeeper's account of the routes: what it judges is what runs, whatever the routes are."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_fastapi.selection import selected

SEGMENTS = ("/a", "/b", "/{x}", "/{x:int}", "/{x:path}")
SIMPLE = ("/a", "/b", "/7")

routes = st.recursive(
    st.lists(
        st.tuples(st.sampled_from(("get", "post", "plain", "mount")), st.sampled_from(SEGMENTS)), max_size=3
    ),
    lambda inner: st.lists(st.tuples(st.sampled_from(SIMPLE), inner), max_size=3),
    max_leaves=8,
)
paths = st.lists(st.sampled_from((*SIMPLE, "/")), min_size=1, max_size=3).map("".join)


class Account:
    """Asks, before a router runs, which endpoint that will be, and hears from the endpoint that it ran."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._run: ASGIApp = router.middleware_stack
        self.foreseen: object = None
        self.ran: object = None
        router.middleware_stack = self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = selected(self._router.routes, scope)
        self.foreseen = found and (found.found["endpoint"], found.found["path_params"])
        await self._run(scope, receive, send)

    def endpoint(self, mounted: object = None) -> Callable[[Request], Any]:
        """An endpoint of its own."""

        async def endpoint(request: Request) -> PlainTextResponse:
            params = {name: value for name, value in request.path_params.items() if name != "everything"}
            self.ran = (mounted or endpoint, params)
            return PlainTextResponse("")

        return endpoint

    def add(self, router: APIRouter, described: list[tuple[str, Any]]) -> None:
        """Add the routes that are described."""
        for kind, path in described:
            if kind in SIMPLE:
                inner = APIRouter()
                self.add(inner, path)
                router.include_router(inner, prefix=kind)
            elif kind == "mount":
                mounted = Router()
                mounted.add_route("/{everything:path}", self.endpoint(mounted), methods=["GET", "POST"])
                router.mount(path, mounted)
            elif kind == "plain":
                router.add_route(path, self.endpoint())
            else:
                router.add_api_route(path, self.endpoint(), methods=[kind.upper()])


class TestSelection:
    @given(described=routes, path=paths, method=st.sampled_from(("GET", "POST")))
    def test_what_is_judged_is_what_runs(self, described: Any, path: str, method: str) -> None:
        """The same endpoint with the same parameters, or nothing at all."""
        app = FastAPI(openapi_url=None)
        account = Account(app.router)
        account.add(app.router, described)
        TestClient(app).request(method, path, follow_redirects=False)
        assert account.foreseen == account.ran
