"""What users of the older client of Mercury have, with the import line changed: a real Mercury, a real Valkey."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import redis
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from pydantic import BaseModel

import authgate_core as ag
from authgate_core.gate.environment import EnvironmentGate
from authgate_core.testing import FakeMercury
from authgate_fastapi import AuthGate, locate
from authgate_fastapi.compat.mercury import (
    AuthenticatedRequest,
    AuthUser,
    JwtAuthMiddleware,
    Project,
    ProjectAuthMiddleware,
    fastapi_combined_auth,
    fastapi_jwt_auth,
    fastapi_project_auth,
)
from tests.support.valkey import valkey

Headers = dict[str, str]


@pytest.fixture(scope="module")
def store() -> Iterator[redis.Redis]:
    """The Redis that Mercury shares."""
    with valkey() as server, redis.Redis(port=server.port) as client:
        yield client


@pytest.fixture
def mercury() -> Iterator[FakeMercury]:
    """A Mercury with one project."""
    with FakeMercury(service_id="orders") as mercury:
        yield mercury


@pytest.fixture(autouse=True)
def environment(mercury: FakeMercury, store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The older client's variables and none of ours, and no gate built yet."""
    port = store.connection_pool.connection_kwargs["port"]
    for name, value in mercury.environment(f"redis://127.0.0.1:{port}/0").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AUTHGATE_PROFILE")
    monkeypatch.setenv("CACHE_EXPIRY_TIME", "3600")
    monkeypatch.setattr(locate, "_older_environment", EnvironmentGate(ag.AsyncGate, "mercury"))
    store.flushall()
    yield
    if locate._older_environment.gate is not None:
        asyncio.run(locate._older_environment.gate.aclose())


@pytest.fixture
def app() -> FastAPI:
    """The older client's application; it has no gate of its own."""
    app = FastAPI()

    @app.get("/user")
    async def user(user: AuthUser = Depends(fastapi_jwt_auth)) -> dict[str, Any]:
        return {"user": user, "uuid": user["uuid"], "email": user["email"], "name": user["name"]}

    @app.get("/project")
    def project(project: Project = Depends(fastapi_project_auth)) -> dict[str, Any]:
        return {"uuid": project["projectUuid"], "name": project["projectName"]}

    @app.get("/combined")
    async def combined(auth: dict[str, Any] = Depends(fastapi_combined_auth)) -> dict[str, Any]:
        return {"user": auth["user"]["uuid"], "project": auth["project"]["projectUuid"]}

    add_by_hand(app)
    return app


def add_by_hand(app: FastAPI) -> None:
    """Endpoints that use the classes directly."""

    @app.get("/by-hand/user")
    async def by_hand(request: Request) -> dict[str, Any]:
        authenticated = await JwtAuthMiddleware().authenticate(AuthenticatedRequest(request))
        assert authenticated.user is not None
        return {"uuid": authenticated.user["uuid"], "path": authenticated.url.path}

    @app.get("/by-hand/project")
    async def project_by_hand(request: Request) -> str:
        held = AuthenticatedRequest(request)
        authenticated = await ProjectAuthMiddleware().authenticate(held)
        assert authenticated is held
        assert authenticated.project is not None
        return str(authenticated.project["projectUuid"])


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Asks the application."""
    return TestClient(app)


@pytest.fixture
def ada(mercury: FakeMercury) -> Headers:
    """What a user of the fallback project presents."""
    return {"Authorization": f"Bearer {mercury.user_token()}"}


class TestExamples:
    def test_users(self, client: TestClient, mercury: FakeMercury, ada: Headers) -> None:
        """By key, and returned as exactly those three."""
        sub = mercury.user()
        assert {"user": sub, **sub} == client.get("/user", headers=ada).json()

    def test_projects(self, client: TestClient, mercury: FakeMercury, store: redis.Redis) -> None:
        """By app id and secret, or by a token, which does not say a name."""
        shop = mercury.nexus
        assert {"uuid": shop.uuid, "name": "Nexus"} == client.get("/project", headers=shop.headers).json()
        token_id = secrets.token_hex(8)
        headers = {"x-project-token": mercury.project_token(token_id=token_id)}
        assert 401 == client.get("/project", headers=headers).status_code
        store.set(f"project_token:{token_id}", "1")
        assert {"uuid": shop.uuid, "name": None} == client.get("/project", headers=headers).json()

    def test_response_models(
        self, app: FastAPI, client: TestClient, mercury: FakeMercury, ada: Headers
    ) -> None:
        """They name what the older client gave."""

        class Card(BaseModel):
            uuid: str
            email: str

        class Shop(BaseModel):
            projectUuid: str  # noqa: N815 - the older client's name
            projectName: str | None  # noqa: N815 - as above

        class Both(BaseModel):
            user: Card
            project: Shop

        @app.get("/card", response_model=Card)
        async def card(user: AuthUser = Depends(fastapi_jwt_auth)) -> Any:
            return user

        @app.get("/both", response_model=Both)
        async def both(auth: Any = Depends(fastapi_combined_auth)) -> Any:
            return auth

        user = {name: mercury.user()[name] for name in ("uuid", "email")}
        shop = {"projectUuid": mercury.nexus_id, "projectName": "Nexus"}
        assert user == client.get("/card", headers=ada).json()
        assert {"user": user, "project": shop} == client.get(
            "/both", headers=ada | mercury.nexus.headers
        ).json()

    def test_projects_as_they_are_returned(
        self, app: FastAPI, client: TestClient, mercury: FakeMercury
    ) -> None:
        """Whole, under the older names."""

        @app.get("/whole")
        async def whole(project: Project = Depends(fastapi_project_auth)) -> Any:
            return project

        assert {
            "projectUuid": mercury.nexus_id,
            "projectName": "Nexus",
            "enabledServices": ["orders"],
            "secretVersion": 0,
        } == client.get("/whole", headers=mercury.nexus.headers).json()

    def test_both(self, client: TestClient, mercury: FakeMercury, ada: Headers) -> None:
        """Together; one of them is not enough."""
        answer = client.get("/combined", headers=ada | mercury.nexus.headers)
        assert {"user": mercury.user()["uuid"], "project": mercury.nexus_id} == answer.json()
        assert [401, 401] == [
            client.get("/combined", headers=one).status_code for one in (ada, mercury.nexus.headers)
        ]

    def test_not_of_different_tenants(
        self, client: TestClient, mercury: FakeMercury, ada: Headers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 6.8: a user of one project with the credentials of another, whichever guards asked."""
        other = mercury.add_project()
        monkeypatch.setenv("AUTHGATE_TENANTS", f"{mercury.nexus_id},{other.uuid}")
        answer = client.get("/combined", headers=ada | other.headers)
        assert (403, ["detail"]) == (answer.status_code, list(answer.json()))
        theirs = {"Authorization": f"Bearer {mercury.user_token(other)}"}
        assert 200 == client.get("/combined", headers=theirs | other.headers).status_code

    def test_by_hand(self, client: TestClient, mercury: FakeMercury, ada: Headers) -> None:
        """The classes authenticate a request, which they return."""
        by_hand = {"uuid": mercury.user()["uuid"], "path": "/by-hand/user"}
        assert by_hand == client.get("/by-hand/user", headers=ada).json()
        assert mercury.nexus_id == client.get("/by-hand/project", headers=mercury.nexus.headers).json()
        assert [401, 401] == [client.get(f"/by-hand/{who}").status_code for who in ("user", "project")]

    def test_revocation(self, client: TestClient, mercury: FakeMercury, store: redis.Redis) -> None:
        """What Mercury writes to Redis counts at the next request (Law 5.1)."""
        headers = {"Authorization": f"Bearer {mercury.user_token(jti='j-1')}"}
        assert 200 == client.get("/user", headers=headers).status_code
        store.set("revoked_token:j-1", "1")
        assert 401 == client.get("/user", headers=headers).status_code

    def test_over_a_real_server(self, app: FastAPI, serve: Any, mercury: FakeMercury, ada: Headers) -> None:
        """The same through uvicorn."""
        with httpx2.Client(base_url=serve(app).url) as browser:
            assert mercury.user() == browser.get("/user", headers=ada).json()["user"]
            answer = browser.get("/combined", headers=ada | mercury.nexus.headers)
            assert {"user": mercury.user()["uuid"], "project": mercury.nexus_id} == answer.json()
            assert ["detail"] == list(browser.get("/project").json())

    def test_all_in_one_request(
        self, app: FastAPI, client: TestClient, mercury: FakeMercury, ada: Headers
    ) -> None:
        """Several guards of one request ask once (Law 2.6), and an attribute that no request has is an error."""

        @app.get("/all")
        async def everything(
            request: Request,
            user: AuthUser = Depends(fastapi_jwt_auth),
            project: Project = Depends(fastapi_project_auth),
        ) -> bool:
            held = await JwtAuthMiddleware().authenticate(AuthenticatedRequest(request))
            with pytest.raises(AttributeError):
                _ = held.nothing
            return held.user is user

        assert client.get("/all", headers=ada | mercury.nexus.headers).json()
        assert 1 == mercury.hits["/auth/projects/verify"]


class TestRefusals:
    def test_their_body(self, client: TestClient, ada: Headers) -> None:
        """``detail`` alone, with our status, challenge and headers."""
        for path in ("/user", "/by-hand/user"):
            answer = client.get(path)
            assert (401, {"detail": ag.MissingCredentials.detail}) == (answer.status_code, answer.json())
            assert ("application/json", "no-store") == (
                answer.headers["content-type"],
                answer.headers["cache-control"],
            )
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert ["detail"] == list(client.get("/project", headers=ada).json())

    def test_an_outage(self, client: TestClient, mercury: FakeMercury, ada: Headers) -> None:
        """Is none of the caller's fault (Law 1.5)."""
        mercury.outage(503)
        answer = client.get("/user", headers=ada)
        assert (503, ["detail"]) == (answer.status_code, list(answer.json()))
        assert "retry-after" in answer.headers

    def test_words_of_the_application(self) -> None:
        """An application with a gate and words of its own keeps them; one with a gate alone does not."""
        plain, own = FastAPI(), FastAPI()
        config = ag.GateConfig.from_env(profile="mercury")
        AuthGate(plain, config=config)
        AuthGate(own, config=config, on_refusal=lambda error, problem: {"mine": problem.status})
        for one in (plain, own):
            one.get("/", dependencies=[Depends(fastapi_jwt_auth)])(lambda: None)
        with TestClient(plain) as first, TestClient(own) as second:
            assert [{"detail": ag.MissingCredentials.detail}, {"mine": 401}] == [
                client.get("/").json() for client in (first, second)
            ]
            content = plain.openapi()["paths"]["/"]["get"]["responses"]["401"]["content"]
        assert {"application/json": {}} == content


class TestTheGate:
    def test_built_once(self, client: TestClient, ada: Headers) -> None:
        """Law 1.6: by the first guard, for all."""
        gates = set()
        for _ in range(3):
            assert 200 == client.get("/user", headers=ada).status_code
            gates.add(locate._older_environment.gate)
        assert 1 == len(gates)

    def test_wrong_settings(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """An empty secret does not start."""
        monkeypatch.setenv("SIGNATURE_SHARED_SECRET", "")
        with pytest.raises(ag.ConfigurationError, match="SIGNATURE_SHARED_SECRET"):
            client.get("/user")

    def test_web_sockets_ask_for_a_gate(self, app: FastAPI, client: TestClient) -> None:
        """Law 5.13: without ``AuthGate(app)`` nothing would close one when its caller is admitted no longer."""

        @app.websocket("/ws")
        async def ws(websocket: WebSocket, user: AuthUser = Depends(fastapi_jwt_auth)) -> None: ...

        with pytest.raises(ag.ConfigurationError, match=r"AuthGate\(app\)"), client.websocket_connect("/ws"):
            pass

    def test_what_the_document_says(self) -> None:
        """A project may present a token instead of its app id and secret."""
        app = FastAPI()
        AuthGate(app, config=ag.GateConfig.from_env(profile="mercury"))
        app.get("/", dependencies=[Depends(fastapi_combined_auth)])(lambda: None)
        with TestClient(app):
            security = app.openapi()["paths"]["/"]["get"]["security"]
        assert [["Bearer", "AppId", "AppSecret"], ["Bearer", "ProjectToken"]] == [
            list(way) for way in security
        ]


class TestNames:
    def test_types(self) -> None:
        """The older names are ours."""
        assert (ag.User, ag.Project) == (AuthUser, Project)


class TestRaised:
    """A refusal is the HTTPException that the older client raised."""

    def test_an_envelope_of_the_application(self, app: FastAPI) -> None:
        """A handler for ``HTTPException`` sees it, with status, text and challenge."""

        @app.exception_handler(HTTPException)
        async def enveloped(_: Request, error: HTTPException) -> JSONResponse:
            body = {"ok": False, "message": error.detail}
            return JSONResponse(body, status_code=error.status_code, headers=error.headers)

        with TestClient(app) as client:
            answer = client.get("/user")

        assert (401, {"ok": False, "message": "Authentication is required."}) == (
            answer.status_code,
            answer.json(),
        )
        assert ('Bearer realm="api"', "no-store") == (
            answer.headers["WWW-Authenticate"],
            answer.headers["Cache-Control"],
        )

    @pytest.mark.parametrize("family", [HTTPException, ag.AuthenticationError, ag.TokenExpired])
    def test_an_except_clause(self, mercury: FakeMercury, family: type[Exception]) -> None:
        """Around a middleware by hand, either family is caught, and the precise code is there."""
        app, caught = FastAPI(), list[Any]()

        @app.get("/")
        async def view(request: Request) -> str:
            try:
                await JwtAuthMiddleware().authenticate(AuthenticatedRequest(request))
            except family as error:
                caught.append(error)
            return "mine"

        with TestClient(app) as client:
            token = mercury.user_token(expires_in=-1)
            assert "mine" == client.get("/", headers={"Authorization": f"Bearer {token}"}).json()

        (error,) = caught
        assert (401, "The token has expired.", "token_expired") == (
            error.status_code,
            error.detail,
            error.code,
        )

    def test_an_outage_says_when_to_come_back(self, app: FastAPI, mercury: FakeMercury) -> None:
        """503 has its Retry-After."""
        mercury.outage(None)
        with TestClient(app) as client:
            token = mercury.user_token()
            answer = client.get("/user", headers={"Authorization": f"Bearer {token}"})

        assert (503, {"detail": "Authentication is temporarily unavailable."}) == (
            answer.status_code,
            answer.json(),
        )
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
