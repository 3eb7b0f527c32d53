import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Security
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

import authgate_core as ag
from authgate_core import (
    UnsafeAllowAnonymous,
    all_scopes,
    any_role,
    claim_equals,
    is_project,
    is_user,
)
from authgate_core.principal import TokenRef
from authgate_fastapi import (
    AuthGate,
    CurrentAdmission,
    CurrentGate,
    CurrentProject,
    CurrentUser,
    fastapi_jwt_auth,
    get_admission,
    get_current_user,
    requires,
)

Headers = dict[str, str]


class TestStackedGuards:
    @pytest.fixture(autouse=True)
    def routes(self, app: FastAPI) -> None:
        """A router with a guard in an application, and routes with guards of every kind."""
        router = APIRouter(prefix="/shop", dependencies=[requires(is_user)])

        @router.get("/", dependencies=[requires(any_role("clerk")), requires(is_user)])
        async def shop(
            user: CurrentUser,
            project: CurrentProject,
            admission: CurrentAdmission,
            again: Annotated[ag.User, Depends(get_current_user, use_cache=False)],
        ) -> Headers:
            assert user is again
            return {"user": admission.user.id, "project": admission.project.id}

        app.include_router(router, dependencies=[requires(is_user | is_project)])

    def test_all_must_admit(self, client: TestClient, user: Headers, project: Headers) -> None:
        """Guards add up, and so does who was admitted."""
        assert {"user": "u1", "project": "p1"} == client.get("/shop/", headers=user | project).json()
        assert 401 == client.get("/shop/", headers=user).status_code
        assert 401 == client.get("/shop/", headers=project).status_code

    def test_authenticate_once(
        self, client: TestClient, user: Headers, project: Headers, counter: Any
    ) -> None:
        """Law 2.6: seven guards verify the token once and the project once."""
        assert 200 == client.get("/shop/", headers=user | project).status_code
        kinds = [type(ref) for ref in counter.asked]
        assert (2, 1) == (len(kinds), kinds.count(TokenRef))

    def test_each_request_anew(
        self, client: TestClient, user: Headers, project: Headers, counter: Any
    ) -> None:
        """Law 2.6: the memo is one request's."""
        for _ in range(3):
            client.get("/shop/", headers=user | project)
        assert 6 == len(counter.asked)

    def test_refusals_are_remembered_too(
        self, app: FastAPI, client: TestClient, user: Headers, counter: Any
    ) -> None:
        """Law 2.6: a kind that failed is not tried again for the same request."""

        async def tries(request: Request) -> list[str]:
            codes = []
            for guard in (get_current_user, fastapi_jwt_auth):
                try:
                    await guard(request)
                except ag.AuthgateError as error:
                    codes.append(error.code)
            return codes

        @app.get("/tries")
        async def route(codes: Annotated[list[str], Depends(tries)]) -> list[str]:
            return codes

        counter.revoked = True
        assert ["token_revoked", "token_revoked"] == client.get("/tries", headers=user).json()
        assert 1 == len(counter.asked)


class TestWhereGuardsStand:
    def test_whole_applications(self, gate: ag.AsyncGate, user: Headers) -> None:
        """``FastAPI(dependencies=[...])`` guards every route, but not the documentation."""
        app = FastAPI(dependencies=[requires(is_user)])
        AuthGate(app, gate=gate)

        @app.get("/")
        async def root(admission: CurrentAdmission) -> Headers:
            return {"id": admission.user.id}

        client = TestClient(app)
        assert 401 == client.get("/").status_code
        assert {"id": "u1"} == client.get("/", headers=user).json()
        assert 200 == client.get("/openapi.json").status_code

    def test_nested_routers(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """The guards of all routers on the way must admit."""
        inner, outer = (
            APIRouter(prefix="/inner"),
            APIRouter(prefix="/outer", dependencies=[requires(is_user)]),
        )
        inner.add_api_route("/", lambda: "in", dependencies=[requires(any_role("owner"))])
        outer.include_router(inner)
        app.include_router(outer)
        assert 401 == client.get("/outer/inner/").status_code
        assert 403 == client.get("/outer/inner/", headers=user).status_code

    def test_sync_endpoints(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """A plain function runs in FastAPI's thread pool, as always, after its guards."""

        @app.get("/sync", dependencies=[requires(is_user)])
        def sync(user: CurrentUser) -> Headers:
            return {"id": user.id, "thread": threading.current_thread().name}

        assert 401 == client.get("/sync").status_code
        answer = client.get("/sync", headers=user).json()
        assert ("u1", True) == (answer["id"], "worker thread" in answer["thread"])

    def test_sync_dependencies(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """A dependency of the application may ask for the user, and is one more place to raise from."""

        def owner(user: CurrentUser, admission: CurrentAdmission) -> str:
            admission.require(any_role("clerk"))
            return f"owner {user.id}"

        @app.get("/owned")
        async def owned(owner: Annotated[str, Depends(owner)]) -> str:
            return owner

        assert "owner u1" == client.get("/owned", headers=user).json()

    def test_admissions_grow(self, app: FastAPI, client: TestClient, user: Headers, project: Headers) -> None:
        """Each place that asks who was admitted is told of every guard before it."""

        async def early(admission: CurrentAdmission) -> int:
            return len(admission.principals)

        @app.get("/grows", dependencies=[requires(is_project)])
        async def grows(
            early: Annotated[int, Depends(early)], user: CurrentUser, admission: CurrentAdmission
        ) -> list[int]:
            return [early, len(admission.principals)]

        assert [1, 2] == client.get("/grows", headers=user | project).json()

    def test_further_policies_in_the_handler(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """``admission.require`` is answered like a guard, and policies may look at the path."""

        @app.get("/users/{who}")
        async def profile(who: str, admission: ag.Admission = requires(is_user)) -> str:
            admission.require(claim_equals("sub", path="who"))
            return who

        assert "u1" == client.get("/users/u1", headers=user).json()
        answer = client.get("/users/u2", headers=user)
        assert (403, "forbidden") == (answer.status_code, answer.json()["code"])
        assert "no-store" == answer.headers["cache-control"]

    def test_guards_come_before_validation(self, app: FastAPI, client: TestClient) -> None:
        """A stranger learns nothing of what a route takes."""

        @app.post("/orders/{number}", dependencies=[requires(is_user)])
        async def order(number: int, size: int) -> None: ...

        assert 401 == client.post("/orders/x?size=y").status_code

    def test_path_policies(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """Path parameters reach the policy of a router too."""
        router = APIRouter(
            prefix="/of/{who}", dependencies=[requires(is_user & claim_equals("sub", path="who"))]
        )
        router.add_api_route("/", lambda: "mine")
        app.include_router(router)
        assert 200 == client.get("/of/u1/", headers=user).status_code
        assert 403 == client.get("/of/u2/", headers=user).status_code

    @pytest.mark.parametrize("path", ["/gate", "/sub/gate"])
    def test_the_gate_itself(self, app: FastAPI, client: TestClient, issuer: Any, path: str) -> None:
        """``CurrentGate`` is the gate of the application; what it refuses in a handler is a problem response."""

        async def ask(gate: CurrentGate, token: str) -> str:
            return (await gate.verify_token(token)).user.id

        mounted = FastAPI()
        app.mount("/sub", mounted)
        for application in (app, mounted):
            application.get("/gate")(ask)
        assert "u1" == client.get(path, params={"token": issuer.token()}).json()
        answer = client.get(path, params={"token": issuer.token(expires_in=-3600)})
        assert (401, "token_expired") == (answer.status_code, answer.json()["code"])

    def test_anonymous_in_so_many_words(self, app: FastAPI, client: TestClient) -> None:
        """Law 8.6: ``UnsafeAllowAnonymous`` lets anyone in, and shows nobody."""

        @app.get("/open", dependencies=[requires(UnsafeAllowAnonymous())])
        async def route(admission: CurrentAdmission) -> int:
            return len(admission.principals)

        assert 0 == client.get("/open").json()


class TestSecurityScopes:
    """FastAPI's ``Security(..., scopes=[...])`` says that scopes are needed; nothing else would check them."""

    def test_scopes_are_asked_for(
        self, app: FastAPI, client: TestClient, bearer: Callable[..., Headers]
    ) -> None:
        """What is written is checked, and the challenge says what is missing."""

        @app.get("/orders")
        async def orders(
            user: Annotated[ag.User, Security(get_current_user, scopes=["orders:write"])],
        ) -> str:
            return user.id

        assert "u1" == client.get("/orders", headers=bearer(scope="orders:read orders:write")).json()
        answer = client.get("/orders", headers=bearer(scope="orders:read"))
        assert (403, ["orders:write"]) == (answer.status_code, answer.json()["missing"])

    def test_scopes_of_dependents_are_asked_for(
        self, app: FastAPI, client: TestClient, bearer: Callable[..., Headers]
    ) -> None:
        """Scopes add up along the dependencies, as FastAPI documents it."""

        async def clerk(user: Annotated[ag.User, Security(get_current_user, scopes=["a"])]) -> ag.User:
            return user

        @app.get("/")
        async def route(user: Annotated[ag.User, Security(clerk, scopes=["b"])]) -> str:
            return user.id

        assert 200 == client.get("/", headers=bearer(scope="a b")).status_code
        assert 403 == client.get("/", headers=bearer(scope="a")).status_code
        assert 403 == client.get("/", headers=bearer(scope="b")).status_code

    def test_requires_in_security_is_a_mistake(self) -> None:
        """``requires`` has scopes of its own kind."""
        app = FastAPI()
        with pytest.raises(TypeError, match=r"write dependencies=\[requires"):
            app.get("/", dependencies=[Security(requires(is_user), scopes=["a"])])(lambda: None)


class TestVisits:
    """Law 2.6: what was found belongs to one request object."""

    def test_copies_of_a_scope_authenticate_anew(
        self, app: FastAPI, client: TestClient, user: Headers, project: Headers, counter: Any
    ) -> None:
        """A batch route that sends sub-requests through the application shows them nobody of its own."""

        @app.get("/who", dependencies=[requires(is_user)])
        async def who(admission: CurrentAdmission) -> list[str]:
            return [type(principal).__name__ for principal in admission.principals]

        @app.get("/unguarded")
        async def unguarded(request: Request) -> str:
            try:
                return (await get_admission(request)).principal.id
            except ag.NotAdmitted:
                return "nobody"

        @app.get("/batch/{path}", dependencies=[requires(is_user & is_project)])
        async def batch(request: Request, path: str) -> Any:
            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            copied = {**request.scope, "path": f"/{path}", "raw_path": f"/{path}".encode()}
            await app(copied, request.receive, send)
            return (sent[0]["status"], sent[1]["body"].decode())

        both = user | project
        assert [200, '["User"]'] == client.get("/batch/who", headers=both).json()
        assert 3 == len(counter.asked)
        assert [200, '"nobody"'] == client.get("/batch/unguarded", headers=both).json()

    def test_admission_without_a_guard_is_a_bug(self, app: FastAPI) -> None:
        """A route that asks who was admitted and admits nobody raises ``NotAdmitted``, which is no response."""

        @app.get("/")
        async def route(admission: CurrentAdmission) -> None: ...

        with pytest.raises(ag.NotAdmitted, match=r"dependencies=\[requires"):
            TestClient(app).get("/")

    def test_asking_for_whom_no_guard_asked(self, app: FastAPI, user: Headers, project: Headers) -> None:
        """What is presented but not asked for is not there."""

        @app.get("/", dependencies=[requires(is_user)])
        async def route(admission: CurrentAdmission) -> str:
            return admission.project.id

        with pytest.raises(ag.NotAdmitted, match="no Project"):
            TestClient(app).get("/", headers=user | project)

    def test_direct_call(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """A guard may be awaited with the connection at hand."""

        @app.get("/")
        async def route(connection: HTTPConnection) -> str:
            return (await get_current_user(connection)).id

        assert "u1" == client.get("/", headers=user).json()
        assert 401 == client.get("/").status_code

    def test_repr(self) -> None:
        """Guards are printed as they are written."""
        policy = is_user & all_scopes("a")
        assert "get_current_user" == repr(get_current_user)
        assert f"requires({policy!r})" == repr(requires(policy).dependency)
