import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Security, WebSocket
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
from authgate_core import is_project, is_service, is_user
from authgate_core.testing import FakeIssuer
from authgate_fastapi import (
    AuthGate,
    CurrentAdmission,
    CurrentUser,
    fastapi_combined_auth,
    get_current_auth,
    get_current_project,
    get_current_service,
    get_current_user,
    get_optional_principal,
    requires,
)

Headers = dict[str, str]


def add_me(app: FastAPI) -> FastAPI:
    """A route that asks for a user."""

    @app.get("/me")
    async def me(user: CurrentUser) -> Headers:
        return {"id": user.id}

    return app


class TestConfiguration:
    def test_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without arguments the settings are ``AUTHGATE_*``."""
        monkeypatch.setenv("AUTHGATE_ISSUER", "https://id.example.com")
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        gate = AuthGate(FastAPI()).gate
        assert ["https://id.example.com"] == [issuer.issuer for issuer in gate.config.issuers]
        asyncio.run(gate.aclose())

    def test_everything_that_is_wrong_in_one_message(self, trusted: ag.Issuer) -> None:
        """Law 1.6: and no application half built."""
        app = FastAPI()
        config = ag.GateConfig(issuers=[trusted, trusted], key_wait=-1.0)
        with pytest.raises(ag.ConfigurationError) as wrong:
            AuthGate(app, config=config)
        assert len(wrong.value.problems) > 1
        assert ({}, []) == (
            {key: one for key, one in app.exception_handlers.items() if key is ag.AuthgateError},
            app.user_middleware,
        )

    def test_a_configuration_as_app(self, config: ag.GateConfig) -> None:
        """It is called by its name."""
        with pytest.raises(ag.ConfigurationError, match=r"not GateConfig; write AuthGate\(app, config=...\)"):
            AuthGate(config)  # type: ignore[arg-type]  # the mistake under test

    def test_one_of_config_and_gate(self, config: ag.GateConfig, gate: ag.AsyncGate) -> None:
        """A gate has its configuration already."""
        with pytest.raises(ag.ConfigurationError, match="give one of them"):
            AuthGate(FastAPI(), config=config, gate=gate)

    def test_async_gates_only(self, trusted: ag.Issuer) -> None:
        """Law 9.2: a sync gate would block the event loop."""
        with (
            ag.Gate(ag.GateConfig(issuers=[trusted])) as gate,
            pytest.raises(ag.ConfigurationError, match="make it with AsyncGate"),
        ):
            AuthGate(FastAPI(), gate=gate)  # type: ignore[arg-type]  # that is the mistake

    def test_one_gate_for_an_application(self, app: FastAPI, gate: ag.AsyncGate) -> None:
        """Of two, one would be there for nothing."""
        with pytest.raises(ag.ConfigurationError, match=r"write AuthGate\(app\) once"):
            AuthGate(app, gate=gate)

    @pytest.mark.parametrize("guard", [requires(is_user), Depends(get_current_user)])
    def test_guards_without_a_gate(self, guard: Any) -> None:
        """Law 1.6: the error names the missing line, and is no response."""
        app = FastAPI()
        app.get("/", dependencies=[guard])(lambda: None)
        with pytest.raises(ag.ConfigurationError, match=r"write AuthGate\(app\)"):
            TestClient(app).get("/")
        assert 500 == TestClient(app, raise_server_exceptions=False).get("/").status_code


class TestPoliciesAtStart:
    """Law 1.6: what can be known without a caller is not left to the first one."""

    @pytest.fixture
    def gate(self, issuer: FakeIssuer) -> Iterator[ag.AsyncGate]:
        """A gate that knows users alone."""
        trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted]))
        yield gate
        asyncio.run(gate.aclose())

    def test_everything_wrong_is_named_with_its_route(self, app: FastAPI) -> None:
        """Of routes, of WebSockets, of included routers and of mounted applications."""
        router, mounted = APIRouter(prefix="/in"), FastAPI()
        router.get("/cluded", dependencies=[Depends(get_current_project)])(lambda: None)
        mounted.get("/er", dependencies=[requires(is_project | is_user)])(lambda: None)

        @app.websocket("/socket")
        async def socket(websocket: WebSocket, project: Any = Depends(get_current_service)) -> None: ...

        async def deeper(project: Any = Depends(get_current_project)) -> None: ...

        app.get("/deep", dependencies=[Depends(deeper)])(lambda: None)
        app.get("/fine", dependencies=[Depends(get_current_auth), Depends(get_optional_principal)])(
            lambda: None
        )
        app.include_router(router, prefix="/all")
        app.mount("/und", mounted)
        with pytest.raises(ag.ConfigurationError) as wrong, TestClient(app):
            pass
        routes = [problem.partition(":")[0] for problem in wrong.value.problems]
        assert ["/all/in/cluded", "/deep", "/socket", "/und/er"] == sorted(routes)

    def test_what_an_included_router_adds(self, app: FastAPI) -> None:
        """A guard that comes with ``include_router`` is found as well."""
        router = APIRouter()
        router.get("/")(lambda: None)
        app.include_router(router, dependencies=[requires(is_service)])
        with pytest.raises(ag.ConfigurationError, match="service_when"), TestClient(app):
            pass

    def test_scopes_that_cannot_be_judged(self, config: ag.GateConfig) -> None:
        """Law 8.3: scopes of a policy with two principals belong to neither."""
        app = FastAPI()
        AuthGate(app, config=config)
        app.get("/", dependencies=[Security(fastapi_combined_auth, scopes=["a"])])(lambda: None)
        with pytest.raises(ag.ConfigurationError, match="of="), TestClient(app):
            pass

    def test_mounted_applications_with_a_gate_of_their_own(self, app: FastAPI, projects: Any) -> None:
        """Are held against that one."""
        mounted = FastAPI()
        own = AuthGate(mounted, config=ag.GateConfig(projects=projects)).gate
        mounted.get("/", dependencies=[requires(is_project)])(lambda: None)
        app.mount("/und", mounted)
        with TestClient(app):
            pass
        mounted.get("/user", dependencies=[requires(is_user)])(lambda: None)
        with pytest.raises(ag.ConfigurationError, match="/und/user"), TestClient(app):
            pass
        asyncio.run(own.aclose())

    def test_without_a_lifespan_the_first_caller_finds_it(self, app: FastAPI) -> None:
        """And is not let in."""
        app.get("/", dependencies=[requires(is_project)])(lambda: None)
        with pytest.raises(ag.ConfigurationError, match="projects="):
            TestClient(app).get("/")


class TestLifespan:
    @pytest.fixture
    def served(self) -> Iterator[FakeIssuer]:
        """An issuer that is asked over HTTP."""
        with FakeIssuer(audience="orders-api") as issuer:
            yield issuer

    @pytest.fixture
    def order(self) -> list[str]:
        """What happened, in order."""
        return []

    @pytest.fixture
    def app(self, served: FakeIssuer, order: list[str]) -> FastAPI:
        """An application with a lifespan of its own."""

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, str]]:
            order.append("start")
            yield {"colour": "red"}
            order.append("stop")

        app = add_me(FastAPI(lifespan=lifespan))
        issuer = ag.Issuer.oidc(served.url, audience="orders-api")
        gate = AuthGate(app, config=ag.GateConfig(issuers=[issuer])).gate
        aclose = gate.aclose

        async def closed() -> None:
            order.append("closed")
            await aclose()

        gate.aclose = closed  # type: ignore[method-assign]  # to see when
        return app

    def test_warm_and_closed(self, app: FastAPI, served: FakeIssuer, order: list[str]) -> None:
        """Law 4.12: keys are there before the first request; the gate closes after the application's own end."""

        @app.get("/colour")
        async def colour(request: Request) -> str:
            return str(request.state.colour)

        with TestClient(app) as client:
            assert 1 == served.hits["/jwks"]
            headers = {"Authorization": f"Bearer {served.token()}"}
            assert {"id": "u1"} == client.get("/me", headers=headers).json()
            assert "red" == client.get("/colour").json()
        assert ["start", "stop", "closed"] == order
        assert 1 == served.hits["/jwks"]

    def test_one_after_the_other(self, app: FastAPI, served: FakeIssuer, order: list[str]) -> None:
        """A gate that was closed is usable again, in a loop of its own."""
        for _ in range(3):
            served.rotate(keep_old=False)
            with TestClient(app) as client:
                headers = {"Authorization": f"Bearer {served.token()}"}
                assert {"id": "u1"} == client.get("/me", headers=headers).json()
        assert ["start", "stop", "closed"] * 3 == order

    def test_none_at_all(self, app: FastAPI, served: FakeIssuer) -> None:
        """Keys are fetched when first needed."""
        client = TestClient(app)
        assert {} == served.hits
        headers = {"Authorization": f"Bearer {served.token()}"}
        assert {"id": "u1"} == client.get("/me", headers=headers).json()
        assert {"id": "u1"} == TestClient(app).get("/me", headers=headers).json()
        assert 1 == served.hits["/jwks"]

    def test_starts_while_the_issuer_is_down(self, app: FastAPI, served: FakeIssuer) -> None:
        """Law 4.12: and says 503 until it is back."""
        served.outage(None)
        with TestClient(app) as client:
            headers = {"Authorization": f"Bearer {served.token()}"}
            assert 503 == client.get("/me", headers=headers).status_code

    def test_closed_when_the_start_fails(self, served: FakeIssuer, order: list[str]) -> None:
        """Whoever opened it closes it, whatever happens in between."""

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
            if order == []:
                raise OSError("no database")
            yield

        app = FastAPI(lifespan=lifespan)
        gate = AuthGate(app, config=ag.GateConfig(issuers=[ag.Issuer.oidc(served.url, audience="a")])).gate

        async def closed() -> None:
            order.append("closed")

        gate.aclose = closed  # type: ignore[method-assign]  # to see when
        with pytest.raises(OSError, match="no database"), TestClient(app):
            pass
        assert ["closed"] == order

    def test_a_gate_of_ones_own_is_left_open(self, gate: ag.AsyncGate, order: list[str]) -> None:
        """Whoever built it closes it."""

        async def closed() -> None:
            order.append("closed")

        app = FastAPI()
        AuthGate(app, gate=gate)
        gate.aclose = closed  # type: ignore[method-assign]  # to see whether
        with TestClient(app):
            pass
        assert [] == order


class TestSeveralGates:
    @pytest.fixture
    def other(self) -> FakeIssuer:
        """Another issuer."""
        return FakeIssuer(audience="other-api", url="https://other.example.com")

    @pytest.fixture
    def other_gate(self, other: FakeIssuer) -> Iterator[ag.AsyncGate]:
        """The gate that believes it."""
        issuer = ag.Issuer.static(other.jwks(), issuer=other.url, audience=other.audience)
        gate = ag.AsyncGate(ag.GateConfig(issuers=[issuer], realm="other"))
        yield gate
        asyncio.run(gate.aclose())

    def test_two_applications(
        self, app: FastAPI, other_gate: ag.AsyncGate, other: FakeIssuer, user: Headers
    ) -> None:
        """The same router in two applications asks the gate of each."""
        router = APIRouter()

        @router.get("/me")
        async def me(user: CurrentUser) -> str:
            return user.id

        second = FastAPI()
        AuthGate(second, gate=other_gate)
        theirs = {"Authorization": f"Bearer {other.token('o1')}"}
        for application, good, bad in ((app, user, theirs), (second, theirs, user)):
            application.include_router(router)
            client = TestClient(application)
            assert 200 == client.get("/me", headers=good).status_code
            assert 401 == client.get("/me", headers=bad).status_code

    def test_mounted_under_a_gate(self, app: FastAPI, user: Headers) -> None:
        """A mounted application asks the gate around it, and refuses in its words, with no handler of its own."""
        mounted = add_me(FastAPI())

        @mounted.websocket("/ws")
        async def ws(websocket: WebSocket, user: CurrentUser) -> None: ...

        app.mount("/sub", mounted)
        client = TestClient(app)
        assert {"id": "u1"} == client.get("/sub/me", headers=user).json()
        answer = client.get("/sub/me")
        assert (401, 'Bearer realm="orders"') == (answer.status_code, answer.headers["www-authenticate"])
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/sub/ws"):
            pass
        assert 401 == refused.value.status_code
        assert 'Bearer realm="orders"' == refused.value.headers["www-authenticate"]

    def test_mounted_with_a_gate_of_its_own(
        self, app: FastAPI, other_gate: ag.AsyncGate, other: FakeIssuer, user: Headers
    ) -> None:
        """The nearest gate decides, and refuses in its own words."""
        mounted = add_me(FastAPI())
        AuthGate(mounted, gate=other_gate)
        app.mount("/sub", mounted)
        add_me(app)
        client = TestClient(app)
        theirs = {"Authorization": f"Bearer {other.token('o1')}"}
        assert {"id": "o1"} == client.get("/sub/me", headers=theirs).json()
        assert (200, 401) == (
            client.get("/me", headers=user).status_code,
            client.get("/me", headers=theirs).status_code,
        )
        answer = client.get("/sub/me", headers=user)
        assert 'Bearer realm="other", error="invalid_token"' == answer.headers["www-authenticate"]


class TestErrorHandlers:
    @pytest.mark.parametrize("before", [True, False])
    @pytest.mark.parametrize("kind", [ag.AuthgateError, ag.MissingCredentials])
    def test_the_applications_own_wins(self, gate: ag.AsyncGate, kind: type[Exception], before: bool) -> None:
        """Registered before ``AuthGate`` or after it, and in a mounted application too."""

        async def mine(request: Request, error: ag.AuthgateError) -> JSONResponse:
            return JSONResponse({"mine": error.code}, 418)

        def own(app: FastAPI) -> FastAPI:
            app.add_exception_handler(kind, mine)  # type: ignore[arg-type]  # Starlette asks for Exception
            return add_me(app)

        app, mounted = FastAPI(), own(FastAPI())
        if before:
            own(app)
        AuthGate(app, gate=gate)
        if not before:
            own(app)
        app.mount("/sub", mounted)
        client = TestClient(app)
        for path in ("/me", "/sub/me"):
            answer = client.get(path)
            assert (418, {"mine": "credentials_missing"}) == (answer.status_code, answer.json())

    def test_bugs_are_not_outcomes(self, app: FastAPI, user: Headers, counter: Any) -> None:
        """Law 1.3: what the view raises, and what a port raises by mistake, propagates as itself."""
        add_me(app)

        @app.get("/bug")
        async def bug(user: CurrentUser) -> None:
            raise LookupError("a bug of the view")

        client = TestClient(app)
        with pytest.raises(LookupError, match="a bug of the view"):
            client.get("/bug", headers=user)
        counter.failure = ZeroDivisionError("a bug of the port")
        with pytest.raises(ZeroDivisionError, match="a bug of the port"):
            client.get("/me", headers=user)

    def test_handlers_for_all_errors_see_no_refusals(self, app: FastAPI) -> None:
        """A handler for ``Exception`` is for bugs."""
        add_me(app)

        @app.exception_handler(Exception)
        async def anything(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse({}, 500)

        assert 401 == TestClient(app).get("/me").status_code

    def test_dependencies_with_yield_see_refusals(self, app: FastAPI) -> None:
        """What an application opened before the guard is closed, and may look at the error."""
        seen: list[object] = []

        async def opened() -> AsyncGenerator[None]:
            try:
                yield
            except ag.AuthgateError as error:
                seen.append(error.code)
                raise

        app.get("/", dependencies=[Depends(opened), requires(is_user)])(lambda: None)
        assert 401 == TestClient(app).get("/").status_code
        assert ["credentials_missing"] == seen


class TestMiddleware:
    def test_the_gate_is_carried_through_middleware(self, gate: ag.AsyncGate, user: Headers) -> None:
        """Whatever stands before or behind it, also what makes a request object of its own."""
        app = add_me(FastAPI())

        @app.middleware("http")
        async def inside(request: Request, call_next: Any) -> Any:
            return await call_next(request)

        AuthGate(app, gate=gate)

        @app.middleware("http")
        async def outside(request: Request, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["x-seen"] = str(response.status_code)
            return response

        client = TestClient(app)
        assert ("200", "401") == (
            client.get("/me", headers=user).headers["x-seen"],
            client.get("/me").headers["x-seen"],
        )

    def test_custom_request_classes(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """A route class may hand guards a request object of its own."""
        from fastapi.routing import APIRoute

        class Own(Request):
            pass

        class Route(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Any]:
                handler = super().get_route_handler()

                async def own(request: Request) -> Any:
                    return await handler(Own(request.scope, request.receive))

                return own

        router = APIRouter(route_class=Route)

        @router.get("/own", dependencies=[requires(is_user)])
        async def route(request: Request, admission: CurrentAdmission) -> str:
            return f"{type(request).__name__} {admission.user.id}"

        app.include_router(router)
        assert "Own u1" == client.get("/own", headers=user).json()
        assert 401 == client.get("/own").status_code
