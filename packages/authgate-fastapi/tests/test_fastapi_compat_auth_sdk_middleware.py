"""The middlewares of the auth service's SDK, in applications whose import lines alone have changed."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import WebSocketDenialResponse
from starlette.types import ASGIApp

from authgate_core import AsyncGate, ConfigurationError, GateConfig, Issuer, is_user
from authgate_core.testing import FakeAuthService
from authgate_fastapi import AuthGate
from authgate_fastapi.compat.auth_sdk import (
    APIKeyAuthMiddleware,
    CookieCSRFMiddleware,
    JWTAuthMiddleware,
    get_current_user,
    require_action_token,
    require_fresh_auth,
    require_role,
)

SERVICE = {"type": "service", "client_id": "billing", "role": "service", "scopes": ["a", "b"], "email": None}


@pytest.fixture
def service() -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService(audience="orders-api") as served:
        yield served


@pytest.fixture
def options(service: FakeAuthService) -> dict[str, Any]:
    """What every application writes of the auth service."""
    return {"auth_base_url": service.url, "expected_audience": "orders-api"}


def told(app: FastAPI) -> FastAPI:
    """An application that answers with what the middleware put on ``request.state``."""

    @app.api_route("/me", methods=["GET", "POST"])
    async def me(request: Request) -> Any:
        return {"user": request.state.user, "transport": getattr(request.state, "auth_transport", None)}

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(websocket.state.user)
        await websocket.close()

    return app


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def behind_tokens(**options: Any) -> TestClient:
    """Asks an application behind ``JWTAuthMiddleware``."""
    app = told(FastAPI())
    app.add_middleware(JWTAuthMiddleware, **options)
    return TestClient(app)


class TestTokens:
    def test_in_starlette(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """The first example of the SDK: the user, member by member."""

        async def protected(request: Request) -> JSONResponse:
            return JSONResponse({"user": request.state.user})

        app = Starlette(routes=[Route("/protected", protected)])
        app.add_middleware(JWTAuthMiddleware, **options)
        token = service.token("u1", role="user", scopes=["a"], email="u1@x.test", auth_time=1_700_000_000)

        assert {
            "user": {
                "type": "user",
                "user_id": "u1",
                "email": "u1@x.test",
                "email_verified": True,
                "email_otp_enabled": False,
                "role": "user",
                "scopes": ["a"],
                "auth_time": 1_700_000_000,
            }
        } == TestClient(app).get("/protected", headers=bearer(token)).json()

    def test_a_program(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """A program, and what its token came in."""
        answer = behind_tokens(**options).get(
            "/me", headers=bearer(service.service_token("billing", scope="a b"))
        )

        assert {"user": SERVICE, "transport": "authorization"} == answer.json()
        assert "private" == answer.headers["cache-control"]

    def test_refusals(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """Nobody, another audience, a refresh token and a session that is over: 401 before any router."""
        client = behind_tokens(**options)
        service.end_session(ended := service.token("u1"))
        bad = (service.token(aud="carts-api"), service.token(type="refresh"), ended, "no-token")

        assert [401] * 4 == [client.get("/me", headers=bearer(token)).status_code for token in bad]
        assert [401, 401] == [client.get(path).status_code for path in ("/me", "/nowhere")]

    def test_a_service_that_is_down(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """Law 1.5: 503, and when to come again."""
        client, token = behind_tokens(**options), service.token("u1")
        service.stop()

        answer = client.get("/me", headers=bearer(token))
        assert 503 == answer.status_code
        assert "retry-after" in answer.headers

    def test_several_audiences(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """A token names each of them, as the SDK asked."""
        client = behind_tokens(**{**options, "expected_audience": ["orders-api", "carts-api"]})
        named: list[object] = [["orders-api", "carts-api", "x"], "orders-api", ["carts-api"], "others"]

        statuses = [client.get("/me", headers=bearer(service.token(aud=aud))).status_code for aud in named]
        assert [200, 401, 401, 401] == statuses

    def test_programs_alone(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """``required_token_type="m2m"`` turns users away."""
        client = behind_tokens(**options, required_token_type="m2m")

        assert 200 == client.get("/me", headers=bearer(service.service_token())).status_code
        assert 403 == client.get("/me", headers=bearer(service.token())).status_code

    def test_paths_that_are_left_alone(self, options: dict[str, Any]) -> None:
        """As for ``AuthMiddleware``: nobody is shown there."""
        client = behind_tokens(**options, excluded_paths={"/healthz"}, excluded_prefixes={"/me"})

        assert {"status": "ok"} == client.get("/healthz").json()
        assert {"user": None, "transport": None} == client.get("/me").json()

    def test_a_websocket(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """Is admitted like a request, which the SDK forgot."""
        client = behind_tokens(**options)
        headers = bearer(service.service_token("billing", scope="a b"))

        with client.websocket_connect("/ws", headers=headers) as socket:
            assert SERVICE == socket.receive_json()
        with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect("/ws"):
            pass
        assert 401 == caught.value.status_code

    def test_around_an_app(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """It may stand around an application, also where that is mounted in one with a gate of its own."""
        outer = FastAPI()
        AuthGate(
            outer,
            gate=AsyncGate(GateConfig(issuers=[Issuer.auth_service("https://other.test", audience="x")])),
        )
        outer.mount("/inner", JWTAuthMiddleware(told(FastAPI()), **options))
        client = TestClient(outer)

        assert 200 == client.get("/inner/me", headers=bearer(service.token())).status_code
        assert 401 == client.get("/inner/me").status_code

    def test_the_lifespan(
        self, service: FakeAuthService, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its gate is closed with the application, which starts anew as often as it likes."""
        closed: list[AsyncGate] = []
        close = AsyncGate.aclose

        async def noted(gate: AsyncGate) -> None:
            closed.append(gate)
            await close(gate)

        monkeypatch.setattr(AsyncGate, "aclose", noted)
        client = behind_tokens(**options)

        for times in (1, 2):
            with client:
                assert 200 == client.get("/me", headers=bearer(service.token())).status_code
            assert times == len(closed)


class TestDependencies:
    def test_the_example(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """They find the gate of the middleware, verify nothing again, and refuse with the SDK's headers."""
        app = FastAPI()
        app.add_middleware(JWTAuthMiddleware, **options)
        admin, lately = require_role("admin"), require_fresh_auth(300)
        erase = require_action_token("erase_account", **options)

        @app.get("/admin")
        async def admin_route(user: Any = Depends(admin)) -> Any:
            return user["user_id"]

        @app.post("/dangerous")
        async def dangerous_route(user: Any = Depends(erase)) -> Any:
            return user["user_id"]

        @app.post("/sensitive")
        async def sensitive_route(user: Any = Depends(lately)) -> Any:
            return user["user_id"]

        client, headers = TestClient(app), bearer(service.token("u1", role="admin"))
        confirmed = {**headers, "X-Action-Token": service.action_token("erase_account", "u1")}

        assert "u1" == client.get("/admin", headers=headers).json()
        assert 403 == client.get("/admin", headers=bearer(service.token(role="user"))).status_code
        assert "u1" == client.post("/dangerous", headers=confirmed).json()
        assert "erase_account" == client.post("/dangerous", headers=headers).headers["X-OTP-Action"]
        assert "u1" == client.post("/sensitive", headers=headers).json()


class TestKeys:
    @pytest.fixture
    def client(self, service: FakeAuthService) -> TestClient:
        """Asks an application behind ``APIKeyAuthMiddleware``."""
        app = told(FastAPI())
        app.add_middleware(APIKeyAuthMiddleware, auth_base_url=service.url)
        app.get("/users", dependencies=[Depends(get_current_user)])(lambda: None)
        return TestClient(app)

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ({"service": "orders", "scopes": ["carts:read"]}, "orders"),
            ({"scopes": ["carts:read", "orders:read"]}, "carts"),
            ({"scopes": ["read"]}, "unknown"),
            ({}, "unknown"),
        ],
    )
    def test_a_key(
        self, client: TestClient, service: FakeAuthService, given: dict[str, Any], shown: str
    ) -> None:
        """Shown as the SDK showed it, from either header."""
        key = service.api_key(**given)
        user = client.get("/me", headers={"X-API-Key": key}).json()["user"]

        scopes = given.get("scopes", [])
        assert {"type": "api_key", "service": shown, "scopes": scopes, "email": None} == {
            name: value for name, value in user.items() if name != "key_id"
        }
        assert user == client.get("/me", headers={"Authorization": f"ApiKey {key}"}).json()["user"]
        assert 36 == len(user["key_id"])
        assert 1 == service.hits["/auth/introspect"]

    def test_refusals(self, client: TestClient, service: FakeAuthService) -> None:
        """No key, an unknown and a revoked one: 401."""
        service.revoke_api_key(revoked := service.api_key())

        assert 401 == client.get("/me").status_code
        assert [401, 401] == [
            client.get("/me", headers={"X-API-Key": key}).status_code for key in (revoked, "sk_unknown")
        ]

    def test_a_service_that_is_down(self, client: TestClient, service: FakeAuthService) -> None:
        """Law 1.5: 503."""
        key = service.api_key()
        service.stop()

        assert 503 == client.get("/me", headers={"X-API-Key": key}).status_code

    def test_a_key_is_no_user(self, client: TestClient, service: FakeAuthService) -> None:
        """Law 1.6: a dependency for tokens where there are none is a mistake, and never passes."""
        with pytest.raises(ConfigurationError, match="nobody issues users"):
            client.get("/users", headers={"X-API-Key": service.api_key()})

    def test_beside_a_token(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """Both middlewares ask for theirs, and the inner one has the last word on ``request.state.user``."""
        app = told(FastAPI())
        app.add_middleware(APIKeyAuthMiddleware, auth_base_url=service.url)
        app.add_middleware(JWTAuthMiddleware, **options)
        client, token, key = TestClient(app), bearer(service.token()), {"X-API-Key": service.api_key()}

        assert "api_key" == client.get("/me", headers={**token, **key}).json()["user"]["type"]
        assert [401, 401] == [client.get("/me", headers=one).status_code for one in (token, key)]


class TestBrowsers:
    @pytest.fixture(params=["inside", "outside"])
    def app(self, request: pytest.FixtureRequest, options: dict[str, Any]) -> FastAPI:
        """An application that reads cookies, with names of its own, in the SDK's order and in the wrong one."""
        csrf = Middleware(
            CookieCSRFMiddleware,
            csrf_cookie_name="__Host-c",
            csrf_header_name="X-C",
            access_cookie_name="__Host-t",
        )
        tokens = Middleware(
            JWTAuthMiddleware,
            **options,
            token_sources=["authorization", "cookie"],
            access_cookie_name="__Host-t",
        )
        order = [tokens, csrf] if request.param == "inside" else [csrf, tokens]
        return told(FastAPI(middleware=order))

    @pytest.fixture
    def browser(self, app: FastAPI, service: FakeAuthService) -> TestClient:
        """A browser that is logged in."""
        cookies = {"__Host-t": service.token("u1"), "__Host-c": "c1"}
        return TestClient(app, base_url="https://testserver", cookies=cookies)

    def test_reading(self, browser: TestClient) -> None:
        """The cookie says who it is, and the application what that came in."""
        answer = browser.get("/me").json()

        assert ("u1", "cookie") == (answer["user"]["user_id"], answer["transport"])

    def test_changing(self, browser: TestClient) -> None:
        """Law 2.9: it repeats the value, or is refused."""
        assert 200 == browser.post("/me", headers={"X-C": "c1"}).status_code
        for headers in ({}, {"X-C": "c2"}, {"X-CSRF-Token": "c1"}):
            refused = browser.post("/me", headers=headers)
            assert (403, "cross_site") == (refused.status_code, refused.json()["code"])

    def test_a_header(self, app: FastAPI, service: FakeAuthService) -> None:
        """A token in the header needs no value, and beside a cookie is malformed."""
        client, headers = TestClient(app, base_url="https://testserver"), bearer(service.token("u1"))

        assert "authorization" == client.post("/me", headers=headers).json()["transport"]
        client.cookies.set("__Host-t", service.token("u2"))
        assert 400 == client.get("/me", headers=headers).status_code

    def test_where_no_cookie_counts(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """A request whose token came in a header needs no value, whatever cookie it brings."""
        app = told(FastAPI())
        app.add_middleware(CookieCSRFMiddleware)
        app.add_middleware(JWTAuthMiddleware, **options)
        client = TestClient(app, base_url="https://testserver", cookies={"__Host-auth_access": "t"})

        assert 200 == client.post("/me", headers=bearer(service.token())).status_code

    def test_without_the_other_middleware(self, service: FakeAuthService, options: dict[str, Any]) -> None:
        """The value is asked for, under the SDK's names."""
        client = behind_tokens(**options, token_sources=["cookie", "authorization"])
        client.base_url = client.base_url.copy_with(scheme="https")
        client.cookies.set("__Host-auth_access", service.token("u1"))
        client.cookies.set("__Host-auth_csrf", "c1")

        assert 200 == client.post("/me", headers={"X-CSRF-Token": "c1"}).status_code
        assert 403 == client.post("/me").status_code


class TestCsrfAlone:
    @pytest.fixture
    def client(self) -> TestClient:
        """Asks an application that reads the cookie by itself."""
        app = FastAPI()
        app.add_middleware(CookieCSRFMiddleware)
        app.post("/me")(lambda: "changed")
        app.get("/me")(lambda: "read")

        @app.websocket("/ws")
        async def talk(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.close()

        return TestClient(app, base_url="https://testserver", cookies={"__Host-auth_access": "t"})

    def test_what_passes(self, client: TestClient) -> None:
        """What reads, what brings no cookie, and a WebSocket, which changes nothing."""
        assert "read" == client.get("/me").json()
        assert "changed" == TestClient(client.app).post("/me").json()
        with client.websocket_connect("/ws"):
            pass

    def test_what_does_not(self, client: TestClient) -> None:
        """What changes something and does not repeat the value, whatever else it brings."""
        assert 403 == client.post("/me", headers=bearer("t")).status_code
        client.cookies.set("__Host-auth_csrf", "c1")

        assert "changed" == client.post("/me", headers={"X-CSRF-Token": "c1"}).json()
        refused = client.post("/me", headers={"X-CSRF-Token": "c2"})
        assert (403, "cross_site") == (refused.status_code, refused.json()["code"])
        assert "no-store" == refused.headers["cache-control"]


async def nothing(*_: object) -> None:
    """An application."""


class TestMistakes:
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("auth_client", object()),
            ("jwks_cache", object()),
            ("required_token_type", "refresh"),
            ("required_token_type", ""),
            ("token_sources", ["cookie"]),
            ("token_sources", ["authorization", "query"]),
        ],
    )
    def test_what_is_not_done(self, options: dict[str, Any], setting: str, value: object) -> None:
        """Law 1.6: what an argument asks for and the gate does not do is an error, and never passes."""
        with pytest.raises(ConfigurationError, match=f"{setting}: "):
            JWTAuthMiddleware(nothing, **{**options, setting: value})

    @pytest.mark.parametrize(("setting", "value"), [("auth_client", object()), ("valid_ttl_seconds", 5)])
    def test_of_keys(self, setting: str, value: object) -> None:
        """The same of keys."""
        options: dict[str, Any] = {"auth_base_url": "https://auth.example.com", setting: value}
        with pytest.raises(ConfigurationError, match=f"{setting}: "):
            APIKeyAuthMiddleware(nothing, **options)

    def test_of_cookies(self) -> None:
        """A cookie without ``__Host-`` could be another site's (Law 2.9)."""
        with pytest.raises(ConfigurationError, match="CookieCSRFMiddleware: access: 'auth_access'"):
            CookieCSRFMiddleware(nothing, access_cookie_name="auth_access")

    @pytest.mark.parametrize(
        "wrong",
        [{"expected_audience": ""}, {"expected_audience": []}, {"auth_base_url": "http://auth.example.com"}],
    )
    def test_when_the_app_starts(self, options: dict[str, Any], wrong: dict[str, Any]) -> None:
        """Whatever else is wrong keeps the application from starting."""
        with pytest.raises(ConfigurationError), behind_tokens(**{**options, **wrong}):
            pass

    def test_beside_a_gate(self, options: dict[str, Any]) -> None:
        """An application has one gate, and its default stands."""
        app = FastAPI()
        AuthGate(
            app,
            gate=AsyncGate(
                GateConfig(issuers=[Issuer.auth_service(options["auth_base_url"], audience="orders-api")])
            ),
            default=is_user,
        )
        app.add_middleware(JWTAuthMiddleware, **options)

        with pytest.raises(ConfigurationError, match="write AuthMiddleware instead"):
            TestClient(app).get("/")

    def test_a_method_that_is_never_called(self) -> None:
        """A subclass that opened paths in ``dispatch`` is told how to."""
        with pytest.raises(TypeError, match="excluded_paths"):

            class Older(JWTAuthMiddleware):
                async def dispatch(self, request: Request, call_next: ASGIApp) -> None: ...

    @pytest.mark.parametrize("name", ["AuthClient", "JWKSCacheManager"])
    def test_names_that_are_not_carried_over(self, name: str) -> None:
        """The import says why, and what to write."""
        with pytest.raises(ImportError, match=name):
            exec(f"from authgate_fastapi.compat.auth_sdk import {name}")

    def test_names_that_never_were(self) -> None:
        """Are looked for as in any module."""
        assert not hasattr(importlib.import_module("authgate_fastapi.compat.auth_sdk"), "Nonsense")
