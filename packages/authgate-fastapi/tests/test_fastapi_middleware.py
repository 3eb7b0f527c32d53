import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.testclient import TestClient
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.routing import Mount, Router
from starlette.testclient import WebSocketDenialResponse
from starlette.types import ASGIApp

import authgate_core as ag
from authgate_core import any_role, claim_equals, is_project, is_service, is_user, same_tenant
from authgate_core.credentials import AppCredentials
from authgate_core.testing import FakeIssuer
from authgate_fastapi import (
    OLDER_EXCLUSIONS,
    AuthGate,
    AuthMiddleware,
    CurrentAdmission,
    CurrentUser,
    OptionalPrincipal,
    get_admission,
    get_current_principal,
    get_current_project,
    get_current_user,
    requires,
)
from authgate_fastapi.compat import auth_gate
from authgate_fastapi.visit import Visit, view_of, visit_of

Headers = dict[str, str]
Message = dict[str, Any]

PREFLIGHT = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "DELETE"}


def who(request: Request) -> dict[str, Any]:
    """What the middleware shows to a handler."""
    state = request.state
    shown = {
        name: getattr(state, name) and getattr(state, name).id for name in ("user", "service", "project")
    }
    return {**shown, "admitted": [principal.id for principal in state.admission.principals]}


def open_to_all(app: FastAPI, **options: Any) -> FastAPI:
    """An application without guards, behind the middleware."""
    app.add_middleware(AuthMiddleware, **options)
    for path in ("/", "/health", "/health/deep", "/static/a", "/static-admin", "/maybe"):
        app.api_route(path, methods=["GET", "POST", "OPTIONS"], include_in_schema=False)(who)
    return app


@pytest.fixture
def behind(app: FastAPI) -> TestClient:
    """Asks an application that the middleware alone protects."""
    return TestClient(open_to_all(app), raise_server_exceptions=False)


class TestAdmits:
    def test_a_user(self, behind: TestClient, user: Headers) -> None:
        """Handlers find the user where the older client put whoever called."""
        shown = {"user": "u1", "service": None, "project": None, "admitted": ["u1"]}
        assert shown == behind.get("/", headers=user).json()

    def test_a_service(self, behind: TestClient, service: Headers) -> None:
        """Law 3.13: a service is no user, so no handler takes it for one."""
        shown = {"user": None, "service": "s1", "project": None, "admitted": ["s1"]}
        assert shown == behind.get("/", headers=service).json()

    def test_a_project(self, behind: TestClient, project: Headers) -> None:
        """Any kind that the gate has a source for will do."""
        shown = {"user": None, "service": None, "project": "p1", "admitted": ["p1"]}
        assert shown == behind.get("/", headers=project).json()

    def test_everyone_who_is_presented(self, behind: TestClient, user: Headers, project: Headers) -> None:
        """A project that comes along is shown as well."""
        shown = {"user": "u1", "service": None, "project": "p1", "admitted": ["u1", "p1"]}
        assert shown == behind.get("/", headers=user | project).json()

    def test_by_a_policy(self, app: FastAPI, bearer: Callable[..., Headers], project: Headers) -> None:
        """Only the kinds that it names are looked at (Law 2.3)."""
        client = TestClient(open_to_all(app, policy=is_user & any_role("clerk")))
        answer = client.get("/", headers=bearer(roles=["clerk"]) | project | {"x-app-secret": "wrong"})
        assert {"user": "u1", "service": None, "project": None, "admitted": ["u1"]} == answer.json()
        assert 403 == client.get("/", headers=bearer()).status_code

    def test_only_what_the_gate_knows(self, trusted: ag.Issuer, user: Headers) -> None:
        """A gate without projects and services names users alone."""
        app = FastAPI()
        gate = AuthGate(app, config=ag.GateConfig(issuers=[trusted])).gate
        client = TestClient(open_to_all(app))
        assert 'Bearer realm="api"' == client.get("/").headers["www-authenticate"]
        assert 200 == client.get("/", headers=user).status_code
        asyncio.run(gate.aclose())

    def test_in_shadow_mode(self, trusted: ag.Issuer) -> None:
        """Law 8.6: refusals are reported and not carried out."""
        app = FastAPI()
        gate = AuthGate(app, config=ag.GateConfig(issuers=[trusted], shadow=True)).gate
        assert [] == TestClient(open_to_all(app)).get("/").json()["admitted"]
        asyncio.run(gate.aclose())

    def test_other_scopes_pass(self, app: FastAPI) -> None:
        """A lifespan is nobody's request."""
        with TestClient(open_to_all(app)):
            pass


class TestRefuses:
    """The same answers as guards give, whatever refuses."""

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer a.b.c"},
            {"x-app-id": "shop"},
            {"x-app-id": "shop", "x-app-secret": "wrong"},
        ],
    )
    def test_as_guards_do(self, app: FastAPI, gate: ag.AsyncGate, headers: Headers) -> None:
        """Law 1.1: status, headers and body."""
        guarded = FastAPI()
        AuthGate(guarded, gate=gate)
        guarded.get("/", dependencies=[Depends(get_current_principal)])(who)
        expected = TestClient(guarded).get("/", headers=headers)
        refused = TestClient(open_to_all(app)).get("/", headers=headers)
        assert expected.status_code == refused.status_code
        assert expected.headers == refused.headers
        assert expected.json() == refused.json()

    def test_nothing_presented(self, behind: TestClient) -> None:
        """The challenges of every kind that would do."""
        answer = behind.get("/")
        assert (401, "credentials_missing") == (answer.status_code, answer.json()["code"])
        assert 'Bearer realm="orders", AppCredentials realm="orders"' == answer.headers["www-authenticate"]

    def test_outage(self, behind: TestClient, user: Headers, counter: Any) -> None:
        """Law 1.5: what cannot be checked is 503."""
        counter.failure = ag.RevocationUnavailable("down")
        answer = behind.get("/", headers=user)
        assert (503, True) == (answer.status_code, "retry-after" in answer.headers)

    def test_paths_that_do_not_exist(self, behind: TestClient, user: Headers) -> None:
        """What the application has is told to nobody who is not admitted."""
        assert [401, 404] == [behind.get("/none").status_code, behind.get("/none", headers=user).status_code]

    def test_cors_headers_of_outer_middleware(self, app: FastAPI) -> None:
        """A browser can read why its page was refused."""
        open_to_all(app).add_middleware(CORSMiddleware, allow_origins=["https://shop.example.com"])
        answer = TestClient(app).get("/", headers={"Origin": "https://shop.example.com"})
        assert (401, "https://shop.example.com") == (
            answer.status_code,
            answer.headers["access-control-allow-origin"],
        )

    def test_the_handler_of_the_application(self, app: FastAPI) -> None:
        """A handler for refusals, or for some of them, covers those of the middleware, in either colour."""

        @app.exception_handler(ag.AuthgateError)
        async def refused(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse({"error": "refused"}, 401)

        @app.exception_handler(ag.MalformedCredentials)
        def malformed(request: Request, error: Exception) -> PlainTextResponse:
            return PlainTextResponse("malformed", 400)

        client = TestClient(open_to_all(app))
        assert {"error": "refused"} == client.get("/").json()
        assert "malformed" == client.get("/", headers={"Authorization": "Bearer"}).text

    def test_handlers_answer_for_themselves(self, app: FastAPI, user: Headers) -> None:
        """Laws 1.3 and 1.9: what an endpoint raises never passes for a refusal of the middleware."""
        app.add_middleware(AuthMiddleware)

        @app.get("/later")
        def later(request: Request) -> None:
            request.state.admission.require(any_role("owner"))

        @app.get("/bug")
        def bug() -> None:
            raise LookupError("a bug of the endpoint")

        client = TestClient(app)
        assert 403 == client.get("/later", headers=user).status_code
        with pytest.raises(LookupError, match="a bug of the endpoint"):
            client.get("/bug", headers=user)


class TestLeavesAlone:
    def test_excluded(self, app: FastAPI, counter: Any, user: Headers) -> None:
        """Law 8.7: nobody is asked for, nobody is verified and nobody is shown."""
        excluded = {"excluded_paths": {"/health"}, "excluded_prefixes": {"/static": {"get"}}}
        client = TestClient(open_to_all(app, **excluded))
        nobody: dict[str, Any] = {"user": None, "service": None, "project": None, "admitted": []}
        for path in ("/health", "/static/a"):
            assert nobody == client.get(path, headers=user).json()
        assert [] == counter.asked
        for path in ("/health/deep", "/static-admin", "/", "/maybe"):
            assert 401 == client.get(path).status_code
        assert 401 == client.post("/static/a").status_code

    def test_by_the_query_or_forwarded_headers(self, app: FastAPI) -> None:
        """Law 8.7: nothing but the path opens it."""
        client = TestClient(open_to_all(app, excluded_paths={"/health"}))
        for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Uri"):
            assert 401 == client.get("/?path=/health", headers={name: "/health"}).status_code

    def test_nothing_by_default(self, behind: TestClient) -> None:
        """None excludes nothing."""
        assert {401} == {behind.get(path).status_code for path in ("/health", "/static/a", "/openapi.json")}

    def test_what_the_older_client_did(self, app: FastAPI) -> None:
        """Its defaults are there by name, and open no more than they say."""
        client = TestClient(open_to_all(app, **OLDER_EXCLUSIONS))
        opened = [
            client.get(path).status_code
            for path in ("/health", "/static/a", "/static-admin", "/openapi.json")
        ]
        assert [200, 200, 401, 200] == opened
        assert {"/health", "/metrics", "/openapi.json", "/favicon.ico"} == OLDER_EXCLUSIONS["excluded_paths"]
        prefixes = {"/api/docs", "/api/redoc", "/static", "/_health"}
        assert prefixes == OLDER_EXCLUSIONS["excluded_prefixes"]

    def test_optional(self, app: FastAPI, user: Headers) -> None:
        """Law 1.4: nothing presented goes on; what is wrong is refused."""
        client = TestClient(open_to_all(app, optional_auth_paths={"/maybe"}))
        assert [] == client.get("/maybe").json()["admitted"]
        assert ["u1"] == client.get("/maybe", headers=user).json()["admitted"]
        assert 401 == client.get("/maybe", headers={"Authorization": "Bearer a.b.c"}).status_code
        assert 401 == client.get("/").status_code

    def test_preflights(self, app: FastAPI, counter: Any, user: Headers) -> None:
        """Law 1.11: a browser asks without credentials; other OPTIONS are requests like any."""
        open_to_all(app).options("/own", dependencies=[requires(is_user)])(who)
        client = TestClient(app)
        assert [] == client.options("/", headers=PREFLIGHT | user).json()["admitted"]
        assert [] == counter.asked
        assert 401 == client.options("/").status_code
        assert 401 == client.options("/", headers={"Origin": "https://shop.example.com"}).status_code
        assert 401 == client.get("/", headers=PREFLIGHT).status_code
        assert 401 == client.options("/own", headers=PREFLIGHT).status_code

    def test_routes_with_guards_of_their_own(self, app: FastAPI, user: Headers) -> None:
        """An exclusion opens the middleware and nothing else."""
        app.add_middleware(AuthMiddleware, excluded_prefixes={"/x"})
        app.get("/x", dependencies=[requires(is_user)])(who)
        client = TestClient(app)
        assert [401, 200] == [client.get("/x").status_code, client.get("/x", headers=user).status_code]


class TestOnce:
    """Law 2.6: what the middleware verified, guards do not verify again."""

    def test_a_guard_after_it(self, app: FastAPI, counter: Any, user: Headers, project: Headers) -> None:
        """Each kind once, whoever asks."""
        app.add_middleware(AuthMiddleware)

        @app.get("/", dependencies=[requires(is_user), Depends(get_current_project)])
        async def route(user: CurrentUser, who: OptionalPrincipal, admission: CurrentAdmission) -> list[str]:
            return sorted(principal.id for principal in admission.principals)

        assert ["p1", "u1"] == TestClient(app).get("/", headers=user | project).json()
        assert 2 == len(counter.asked)

    def test_further_kinds(self, app: FastAPI, counter: Any, user: Headers, project: Headers) -> None:
        """What the middleware did not ask for is verified when a guard does, once."""
        app.add_middleware(AuthMiddleware, policy=is_user)

        @app.get("/", dependencies=[Depends(get_current_project), requires(is_user & is_project)])
        def route(admission: CurrentAdmission, request: Request) -> list[Any]:
            return [len(counter.asked), len(admission.principals), request.state.project]

        assert [2, 2, None] == TestClient(app).get("/", headers=user | project).json()

    def test_the_directory(self, trusted: ag.Issuer, project: Headers) -> None:
        """A project is looked up once."""
        directory = Directory()
        app = FastAPI()
        gate = AuthGate(app, config=ag.GateConfig(issuers=[trusted], projects=directory)).gate
        app.add_middleware(AuthMiddleware)
        app.get("/", dependencies=[Depends(get_current_project)])(who)
        assert "p1" == TestClient(app).get("/", headers=project).json()["project"]
        assert ["shop"] == directory.asked
        asyncio.run(gate.aclose())

    def test_whom_it_admitted(self, app: FastAPI, user: Headers) -> None:
        """A route without guards may ask who was."""
        app.add_middleware(AuthMiddleware)

        @app.get("/")
        def route(admission: CurrentAdmission) -> str:
            return admission.user.id

        assert "u1" == TestClient(app).get("/", headers=user).json()

    def test_failures(self, app: FastAPI, counter: Any, user: Headers) -> None:
        """In shadow mode a kind that failed is not tried again either."""
        shadow = ag.AsyncGate(ag.GateConfig(issuers=app_issuers(app), revocation=counter, shadow=True))
        other = FastAPI()
        AuthGate(other, gate=shadow)
        other.add_middleware(AuthMiddleware)
        counter.revoked = True
        other.get("/", dependencies=[requires(is_user), requires(is_user | is_service)])(who)
        assert [] == TestClient(other).get("/", headers=user).json()["admitted"]
        assert 1 == len(counter.asked)
        asyncio.run(shadow.aclose())


def app_issuers(app: FastAPI) -> Any:
    """The issuers of an application's gate."""
    (carrier,) = (middleware for middleware in app.user_middleware if "gate" in middleware.kwargs)
    gate: Any = carrier.kwargs["gate"]
    return gate.config.issuers


class Directory:
    """One project, and who was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        self.asked.append(credentials.app_id)
        return ag.Project(id="p1", issuer="projects", name="Shop")


async def sub_request(app: ASGIApp, request: Request, **changes: Any) -> list[Any]:
    """Send a copy of a request's scope through the application, as batch routes do; status and body."""
    sent: list[Message] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app({**request.scope, **changes}, request.receive, send)
    return [sent[0]["status"], json.loads(sent[1]["body"])]


class Copies:
    """Middleware that hands on a copy of the scope."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope}, receive, send)


class Numbered:
    """Middleware that gives each request a number, as a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*scope["headers"], (b"x-request-id", b"7")]
        await self._app(scope, receive, send)


async def nothing() -> None:
    """An endpoint."""


class TestChangedOnTheWay:
    """Middleware between the gate and the route may add a header to the request."""

    def test_marked(self, gate: ag.AsyncGate, user: Headers) -> None:
        """Law 1.7: caches are told all the same."""
        app = FastAPI()
        app.add_middleware(Numbered)
        AuthGate(app, gate=gate)
        app.get("/", dependencies=[requires(is_user)])(nothing)
        headers = TestClient(app).get("/", headers=user).headers
        assert ("private", "Authorization") == (headers["cache-control"], headers["vary"])

    def test_more_than_once(self, gate: ag.AsyncGate) -> None:
        """Law 5.13: whoever began the visit hears of every guard, as one that closes sockets must."""
        scope: Message = {"type": "websocket", "path": "/", "query_string": b"", "headers": []}
        first, heard = Visit(scope), list[int]()
        first.carry(scope)
        first.on_grant = lambda: heard.append(len(first.grants))
        for policy in (is_user, is_project):
            scope = {**scope, "headers": [*scope["headers"], (b"x-request-id", b"7")]}
            connection = HTTPConnection(scope)
            seen = view_of(connection)
            visit_of(connection).entered(ag.Admission(), gate, policy, seen, optional=False, lasts=True)
        assert [1, 2] == heard

    @pytest.mark.parametrize("behind", [True, False])
    def test_tenants(self, issuer: FakeIssuer, project: Headers, *, behind: bool) -> None:
        """Law 6.8: whom the middleware admitted and whom the route admits are of one tenant, wherever it stands."""
        trusted = ag.Issuer.static(
            issuer.jwks(),
            issuer=issuer.url,
            audience=issuer.audience,
            tenant="org",
            tenant_matches_project=True,
        )
        app = FastAPI()
        if behind:
            app.add_middleware(Numbered)
        AuthGate(app, config=ag.GateConfig(issuers=[trusted], projects=Directory()))
        if not behind:
            app.add_middleware(Numbered)
        app.add_middleware(AuthMiddleware, policy=is_user)
        app.get("/", dependencies=[requires(is_project)])(nothing)
        client = TestClient(app)
        tokens = {org: issuer.token("u1", org=org) for org in ("p1", "p2")}
        assert {"p1": 200, "p2": 403} == {
            org: client.get("/", headers=project | {"Authorization": f"Bearer {token}"}).status_code
            for org, token in tokens.items()
        }


class TestCopiedScopes:
    """Law 2.6: what was found belongs to one request."""

    @pytest.fixture
    def batch(self, app: FastAPI) -> TestClient:
        """An application with routes that send sub-requests."""
        app.add_middleware(AuthMiddleware, excluded_paths={"/open", "/unguarded"})

        @app.get("/batch/{path}")
        async def batch(path: str, request: Request, past: bool = False) -> list[Any]:
            where = app.router if past else app
            answer = await sub_request(where, request, path=f"/{path}", raw_path=f"/{path}".encode())
            return [*answer, request.state.user and request.state.user.id]

        @app.get("/guarded", dependencies=[requires(is_user)])
        async def guarded(request: Request) -> Any:
            return who(request)["user"]

        @app.get("/open")
        async def opened(request: Request) -> Any:
            return who(request)["user"]

        @app.get("/unguarded")
        async def unguarded(admission: CurrentAdmission) -> None: ...

        return TestClient(app)

    def test_authenticate_anew(self, batch: TestClient, counter: Any, user: Headers) -> None:
        """Twice, for two requests; and the first is told of nobody else."""
        assert [200, "u1", "u1"] == batch.get("/batch/guarded", headers=user).json()
        assert 2 == len(counter.asked)

    def test_see_nobody(self, batch: TestClient, user: Headers) -> None:
        """An excluded path shows nobody, though the request that asked for it was admitted and stays so."""
        assert [200, None, "u1"] == batch.get("/batch/open", headers=user).json()
        with pytest.raises(ag.NotAdmitted):
            batch.get("/batch/unguarded", headers=user)

    def test_past_all_middleware(self, batch: TestClient, counter: Any, user: Headers) -> None:
        """Sent to the routes at once, a sub-request authenticates anew as well, and sees nobody."""
        assert [200, "u1", "u1"] == batch.get("/batch/guarded?past=1", headers=user).json()
        assert 2 == len(counter.asked)
        with pytest.raises(ag.NotAdmitted):
            batch.get("/batch/unguarded?past=1", headers=user)

    @pytest.mark.parametrize(
        "change",
        [
            {"path": "/two"},
            {"method": "POST"},
            {"query_string": b"a=b"},
            {"headers": [(b"authorization", b"Bearer a.b.c")]},
        ],
    )
    def test_any_difference(self, app: FastAPI, user: Headers, change: Message, counter: Any) -> None:
        """Another path, method, query or header is another request, whoever sends it on."""
        answers: list[int] = []

        class SendsTwice(Copies):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                async def note(message: Any) -> None:
                    answers.append(message.get("status", 0))

                await self._app({**scope, **change}, receive, note)
                await self._app(scope, receive, send)

        app.add_middleware(SendsTwice)
        app.add_middleware(AuthMiddleware)
        app.get("/", dependencies=[requires(is_user)])(who)
        app.get("/two", dependencies=[requires(is_user)])(who)
        app.post("/", dependencies=[requires(is_user)])(who)
        assert 200 == TestClient(app).get("/", headers=user).status_code
        is_good = "headers" not in change
        assert (200 if is_good else 401, 2 if is_good else 1) == (answers[0], len(counter.asked))

    def test_the_other_protocol(self) -> None:
        """A WebSocket is never the request that it was made of."""
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        assert [True, False] == [
            Visit(scope).is_of({**scope, "type": kind}) for kind in ("http", "websocket")
        ]

    def test_requests_that_a_socket_sends(
        self, app: FastAPI, bearer: Callable[..., Headers], user: Headers
    ) -> None:
        """Who sends them is not who opened the socket, which stays open when they may be sent no more."""
        app.get("/", dependencies=[requires(is_user | is_project)])(nothing)
        statuses: list[int] = []

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        @app.websocket("/ws")
        async def ws(websocket: WebSocket, user: CurrentUser) -> None:
            sent = [(b"authorization", bearer("other")["Authorization"].encode())]
            await app.router(
                {**websocket.scope, "type": "http", "method": "GET", "path": "/", "headers": sent},
                websocket.receive,
                send,
            )
            await websocket.accept()
            await websocket.send_json([len(visit_of(websocket).grants), *statuses[:1]])
            await websocket.close()

        with TestClient(app).websocket_connect("/ws", headers=user) as socket:
            assert [1, 200] == socket.receive_json()

    def test_copies_by_middleware(self, app: FastAPI, counter: Any, user: Headers) -> None:
        """A copy that says the same is the same request."""
        app.add_middleware(Copies)
        app.add_middleware(AuthMiddleware)
        app.get("/", dependencies=[requires(is_user)])(who)
        assert 200 == TestClient(app).get("/", headers=user).status_code
        assert 1 == len(counter.asked)


class TestWhere:
    """It finds the gate wherever it stands."""

    def test_before_the_gate(self, gate: ag.AsyncGate, user: Headers, counter: Any) -> None:
        """Added before ``AuthGate(app)`` it runs inside of it."""
        app = FastAPI()
        open_to_all(app).get("/own", dependencies=[requires(is_user)])(who)
        AuthGate(app, gate=gate)
        client = TestClient(app)
        assert [401, 200] == [client.get("/own").status_code, client.get("/own", headers=user).status_code]
        assert 1 == len(counter.asked)

    def test_around_the_application(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """So may servers be handed the application."""
        app.get("/own", dependencies=[requires(is_user)])(who)
        app.get("/given")(who)
        client = TestClient(AuthMiddleware(app))
        assert [401, 200] == [client.get("/own").status_code, client.get("/own", headers=user).status_code]
        assert 1 == len(counter.asked)
        app.dependency_overrides[get_admission] = lambda: ag.Admission((ag.User(id="ann", issuer="test"),))
        assert "ann" == client.get("/given").json()["user"]

    @pytest.mark.parametrize("kind", [AuthMiddleware, auth_gate.AuthMiddleware], ids=["ours", "older"])
    def test_around_an_application_below_a_path(self, app: FastAPI, kind: Callable[..., ASGIApp]) -> None:
        """Law 8.7: paths are those of the application's router, which takes its own ``root_path`` off."""
        app.root_path = "/api"
        app.get("/docs/secret")(nothing)
        app.get("/health")(nothing)
        client = TestClient(kind(app, excluded_prefixes={"/api/docs", "/health"}))
        assert [401, 200] == [client.get(f"/api{path}").status_code for path in ("/docs/secret", "/health")]

    def test_in_a_mounted_application(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """It protects what is mounted, by the gate of the application that it is mounted in."""
        inner = open_to_all(FastAPI(), excluded_paths={"/health"})
        inner.get("/own", dependencies=[requires(is_user)])(who)
        app.mount("/inner", inner)
        app.get("/")(lambda: None)
        client = TestClient(app)
        paths = ("/", "/inner/", "/inner/health", "/inner/own")
        assert [200, 401, 200, 401] == [client.get(path).status_code for path in paths]
        assert 200 == client.get("/inner/own", headers=user).status_code
        assert 1 == len(counter.asked)

    def test_before_a_mounted_application(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """What is mounted is protected by the middleware of the application around it."""
        inner = FastAPI()
        inner.get("/own", dependencies=[requires(is_user)])(who)
        open_to_all(app).mount("/inner", inner)
        client = TestClient(app)
        assert [401, 404] == [
            client.get("/inner/").status_code,
            client.get("/inner/", headers=user).status_code,
        ]
        assert "u1" == client.get("/inner/own", headers=user).json()["user"]
        assert 2 == len(counter.asked)

    def test_in_a_mounted_application_with_a_gate_of_its_own(
        self, app: FastAPI, trusted: ag.Issuer, project: Headers
    ) -> None:
        """Its own gate judges: this one knows no projects."""
        inner = FastAPI()
        gate = AuthGate(inner, config=ag.GateConfig(issuers=[trusted], realm="inner")).gate
        app.mount("/inner", open_to_all(inner))
        answer = TestClient(app).get("/inner/", headers=project)
        assert 'Bearer realm="inner"' == answer.headers["www-authenticate"]
        asyncio.run(gate.aclose())

    def test_before_a_router(self, app: FastAPI, user: Headers) -> None:
        """Around a mount alone, whose paths are those below it."""
        inner = Router()
        inner.add_route("/health", lambda _: PlainTextResponse("well"))
        protected = Middleware(AuthMiddleware, excluded_paths={"/health"})
        app.router.routes.append(Mount("/inner", inner, middleware=[protected]))
        client = TestClient(app)
        assert [401, 200] == [client.get(f"/inner/{path}").status_code for path in ("x", "health")]
        assert 404 == client.get("/inner/x", headers=user).status_code

    def test_in_two_applications(self, app: FastAPI, trusted: ag.Issuer, project: Headers) -> None:
        """One that is mounted in both asks each gate for what that knows."""
        other = FastAPI()
        gate = AuthGate(other, config=ag.GateConfig(issuers=[trusted])).gate
        shared = AuthMiddleware(PlainTextResponse("in"))
        for one in (app, other):
            one.mount("/shared", shared)
        answers = [TestClient(one).get("/shared/", headers=project).status_code for one in (app, other)]
        assert [200, 401] == answers
        asyncio.run(gate.aclose())

    def test_without_a_gate(self) -> None:
        """Law 1.6: the missing line is named, and no path is open."""
        client = TestClient(open_to_all(FastAPI(), excluded_paths={"/health"}))
        for path in ("/", "/health"):
            with pytest.raises(ag.ConfigurationError, match=r"write AuthGate\(app\)"):
                client.get(path)


class TestConfiguration:
    def test_everything_that_is_wrong(self) -> None:
        """Law 1.6: in one message."""
        with pytest.raises(ag.ConfigurationError) as wrong:
            AuthMiddleware(
                FastAPI(),
                policy=is_user & is_service,
                excluded_paths={"health"},
                excluded_prefixes={"/"},
                optional_auth_paths={"/a?b"},
            )
        settings = [problem.split(" ")[1] for problem in wrong.value.problems]
        assert ["policy", "excluded_paths:", "excluded_prefixes:", "optional_auth_paths:"] == settings

    @pytest.mark.parametrize(
        "policy",
        [
            same_tenant(path="t"),
            is_user & claim_equals("sub", path="who"),
            (any_role("a") | any_role("b")) & same_tenant(path="t"),
        ],
    )
    def test_parameters_of_the_path(self, policy: ag.Policy) -> None:
        """No router has read them yet, so such a policy would admit nobody."""
        with pytest.raises(ag.ConfigurationError, match="guard the route with it") as wrong:
            AuthMiddleware(FastAPI(), policy=policy)
        assert 1 == len(wrong.value.problems)

    def test_what_the_gate_has_no_source_for(self, trusted: ag.Issuer) -> None:
        """Law 1.6: at start, with what the routes ask."""
        app, inner = FastAPI(), FastAPI()
        app.mount("/inner", inner)
        AuthGate(app, config=ag.GateConfig(issuers=[trusted]))
        for one in (app, inner):
            one.add_middleware(AuthMiddleware, policy=is_project)
        with pytest.raises(ag.ConfigurationError) as wrong, TestClient(app):
            pass
        assert ["/: AuthMiddleware: policy", "/inner: AuthMiddleware: policy"] == [
            problem.partition(" is_project")[0] for problem in wrong.value.problems
        ]

    def test_types(self) -> None:
        """What is no policy, and no set of paths."""
        with pytest.raises(TypeError, match="policy=is_user"):
            AuthMiddleware(FastAPI(), policy="is_user")  # type: ignore[arg-type]  # that is the mistake
        with pytest.raises(TypeError, match="excluded_paths"):
            AuthMiddleware(FastAPI(), excluded_paths="/health")  # type: ignore[arg-type]  # as above


class TestOverrides:
    def test_in_the_place_of_authentication(self, app: FastAPI, counter: Any) -> None:
        """An override of ``get_admission`` is whom the middleware admits, held against its policy."""
        app.dependency_overrides[get_admission] = lambda: ag.Admission((ag.User(id="ann", issuer="test"),))
        client = TestClient(open_to_all(app))
        assert "ann" == client.get("/").json()["user"]
        assert [] == counter.asked


class TestWebSockets:
    """The middleware covers them as well."""

    @pytest.fixture
    def socket(self, app: FastAPI) -> FastAPI:
        """One WebSocket behind the middleware."""
        app.add_middleware(AuthMiddleware, excluded_paths={"/open"})

        async def feed(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_json(websocket.state.user and websocket.state.user.id)
            await websocket.close()

        app.websocket("/")(feed)
        app.websocket("/open")(feed)
        app.websocket("/own", dependencies=[Depends(get_current_user)])(feed)
        return app

    def test_admitted(self, socket: FastAPI, user: Headers, counter: Any) -> None:
        """The handler sees who called, and a guard of its own verifies nothing again."""
        client = TestClient(socket)
        for path, expected in (("/", "u1"), ("/own", "u1"), ("/open", None)):
            with client.websocket_connect(path, headers=user) as connection:
                assert expected == connection.receive_json()
        assert 2 == len(counter.asked)

    def test_refused(self, socket: FastAPI) -> None:
        """Law 1.9: as the request would be."""
        with pytest.raises(WebSocketDenialResponse) as denied, TestClient(socket).websocket_connect("/"):
            pass
        assert (401, "no-store") == (denied.value.status_code, denied.value.headers["cache-control"])
        assert "credentials_missing" == denied.value.json()["code"]
