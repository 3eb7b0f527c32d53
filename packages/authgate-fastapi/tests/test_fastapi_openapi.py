"""The OpenAPI document says what guards ask and how they refuse."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.openapi.utils import get_openapi
from fastapi.security import APIKeyQuery
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import all_scopes, any_role, is_project, is_service, is_user
from authgate_fastapi import (
    AuthGate,
    CurrentAdmission,
    CurrentPrincipal,
    CurrentUser,
    OptionalUser,
    get_current_user,
    protect,
    public,
    require_admin,
    requires,
)

Headers = dict[str, str]

BEARER: dict[str, list[str]] = {"Bearer": []}
APP: dict[str, list[str]] = {"AppId": [], "AppSecret": []}


def hello() -> str:
    """An endpoint that asks for nobody."""
    return "hello"


def operation(app: FastAPI, path: str = "/", method: str = "get") -> Any:
    """What the document says of an endpoint."""
    return app.openapi()["paths"][path][method]


class TestSecurity:
    """Law 8.4: branches are alternatives, and what is needed together stands together."""

    @pytest.mark.parametrize(
        ("policies", "security"),
        [
            ([is_user], [BEARER]),
            ([is_project], [APP]),
            ([is_user & is_project], [BEARER | APP]),
            ([is_user | is_project], [BEARER, APP]),
            ([is_user | is_service], [BEARER]),
            ([is_user & is_project | is_service], [BEARER | APP, BEARER]),
            ([is_user, is_project], [BEARER | APP]),
            ([is_user | is_project, is_project], [BEARER | APP, APP]),
            ([any_role("admin") & is_user], [BEARER]),
            ([ag.UnsafeAllowAnonymous()], [{}]),
            ([is_user | ag.UnsafeAllowAnonymous()], [BEARER, {}]),
        ],
    )
    def test_by_policy(self, app: FastAPI, policies: list[ag.Policy], security: Any) -> None:
        """In disjunctive form, over all guards of the route."""
        app.get("/", dependencies=[requires(policy) for policy in policies])(hello)
        assert security == operation(app)["security"]

    def test_optional(self, app: FastAPI) -> None:
        """Nothing need be presented, unless another guard asks."""

        @app.get("/")
        def route(user: OptionalUser) -> None: ...

        @app.get("/asks", dependencies=[requires(is_project)])
        def asks(user: OptionalUser) -> None: ...

        assert [BEARER, {}] == operation(app)["security"]
        assert [BEARER | APP, APP] == operation(app, "/asks")["security"]

    def test_guards_by_name(self, projects: Any) -> None:
        """What a guard asks may depend on the gate, and scopes may come with ``Security``."""
        app = FastAPI()
        AuthGate(app, config=ag.GateConfig(projects=projects))

        @app.get("/")
        def route(who: CurrentPrincipal) -> None: ...

        @app.get("/scopes")
        def scopes(user: Annotated[ag.User, Security(get_current_user, scopes=["a"])]) -> None: ...

        assert [APP] == operation(app)["security"]
        assert "is_user & all_scopes('a')" == operation(app, "/scopes")["x-authgate-policy"]

    def test_everywhere_that_guards_are(self, app: FastAPI) -> None:
        """In a dependency of a dependency, on a router, where it is included, by ``protect``; for each method."""

        async def deeper(admin: Any = Depends(require_admin)) -> None: ...

        router, protected = APIRouter(dependencies=[requires(is_project)]), APIRouter()
        protect(protected, is_service)
        app.get("/deeper", dependencies=[Depends(deeper)])(hello)
        router.get("/router")(hello)
        router.get("/both", dependencies=[requires(is_user)])(hello)
        protected.put("/protected")(hello)
        protected.post("/protected")(hello)
        protected.get("/open")(public(lambda: None))
        app.include_router(router, prefix="/in")
        app.include_router(protected, prefix="/in", dependencies=[requires(is_project)])
        assert [BEARER] == operation(app, "/deeper")["security"]
        assert [APP] == operation(app, "/in/router")["security"]
        assert [BEARER | APP] == operation(app, "/in/both")["security"]
        for method in ("put", "post"):
            assert [BEARER | APP] == operation(app, "/in/protected", method)["security"]
        assert [APP] == operation(app, "/in/open")["security"]

    def test_by_default(self, gate: ag.AsyncGate) -> None:
        """A route without a guard says the default; a public one says nothing."""
        app = FastAPI()
        AuthGate(app, gate=gate, default=is_user | is_project)
        app.get("/")(hello)
        app.get("/own", dependencies=[requires(is_project)])(hello)
        app.get("/open")(public(lambda: None))
        assert [BEARER, APP] == operation(app)["security"]
        assert [APP] == operation(app, "/own")["security"]
        assert {"security", "x-authgate-policy"}.isdisjoint(operation(app, "/open"))
        assert {"200"} == {*operation(app, "/open")["responses"]}

    def test_nothing_of_nobody(self, app: FastAPI) -> None:
        """Where nothing is guarded the document is as FastAPI makes it."""

        @app.get("/")
        async def route() -> None: ...

        bare = FastAPI()
        bare.get("/")(route)
        assert bare.openapi() == app.openapi()

    def test_parameters_of_guards_do_not_show(self, app: FastAPI) -> None:
        """A guard reads headers by itself; none is a parameter of the endpoint."""

        @app.get("/", dependencies=[requires(is_project)])
        def route(user: CurrentUser, admission: CurrentAdmission) -> None: ...

        assert "parameters" not in operation(app)

    def test_the_scheme_of_each(self, app: FastAPI) -> None:
        """Those that are asked for, and no others."""
        app.get("/", dependencies=[requires(is_user)])(hello)
        schemes = app.openapi()["components"]["securitySchemes"]
        assert {"Bearer"} == {*schemes}
        assert ("http", "bearer") == (schemes["Bearer"]["type"], schemes["Bearer"]["scheme"])
        app.post("/", dependencies=[requires(is_project)])(hello)
        schemes = app.openapi()["components"]["securitySchemes"]
        assert {"Bearer", "AppId", "AppSecret"} == {*schemes}
        assert [("apiKey", "header", "x-app-id"), ("apiKey", "header", "x-app-secret")] == [
            (scheme["type"], scheme["in"], scheme["name"])
            for scheme in (schemes["AppId"], schemes["AppSecret"])
        ]


class TestRefusals:
    def test_documented_with_their_body(self, app: FastAPI) -> None:
        """Each status, the problem's schema, and the headers that go with it."""
        app.get("/", dependencies=[requires(is_user & all_scopes("a"))])(hello)
        responses = operation(app)["responses"]
        assert ["200", "400", "401", "403", "503"] == sorted(responses)
        for status in ("400", "401", "403", "503"):
            schema = responses[status]["content"]["application/problem+json"]["schema"]
            assert {"$ref": "#/components/schemas/AuthgateProblem"} == schema
        assert {"retry-after"} == {name.lower() for name in responses["503"]["headers"]}
        assert "is_user & all_scopes('a')" in responses["403"]["description"]

    def test_the_schema_is_what_is_sent(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """Law 1.1: a body has what the schema requires, and nothing that it does not name."""
        app.get("/", dependencies=[requires(is_user & all_scopes("a"))])(hello)
        schema = app.openapi()["components"]["schemas"]["AuthgateProblem"]
        types = {"string": str, "integer": int, "array": list}
        for headers in ({}, user):
            body = client.get("/", headers=headers).json()
            assert {*schema["required"]} <= {*body} <= {*schema["properties"]}
            assert all(isinstance(body[name], types[schema["properties"][name]["type"]]) for name in body)

    def test_what_is_documented_already_stays(self, app: FastAPI) -> None:
        """An answer that the route describes itself."""
        app.get("/", dependencies=[requires(is_user)], responses={403: {"description": "Not yours"}})(hello)
        responses = operation(app)["responses"]
        assert {"description": "Not yours"} == responses["403"]
        assert "401" in responses

    def test_other_bodies(self, gate: ag.AsyncGate) -> None:
        """With ``on_refusal`` the body is the application's own, and authgate knows no schema of it."""
        app = FastAPI()
        AuthGate(app, gate=gate, on_refusal=lambda error, problem: {"error": error.detail})
        app.get("/", dependencies=[requires(is_user)])(hello)
        assert {"application/json": {}} == operation(app)["responses"]["401"]["content"]


class TestWhatIsThereAlready:
    def test_security_of_the_route(self, app: FastAPI) -> None:
        """A scheme of FastAPI's runs besides the guard, so that both are needed."""
        key = APIKeyQuery(name="key", scheme_name="Key")
        app.get("/", dependencies=[Depends(key), requires(is_user | is_project)])(hello)
        assert [{"Key": []} | BEARER, {"Key": []} | APP] == operation(app)["security"]
        assert {"Key", "Bearer", "AppId", "AppSecret"} == {*app.openapi()["components"]["securitySchemes"]}

    def test_security_that_is_spelled_out(self, app: FastAPI) -> None:
        """``openapi_extra`` has the last word."""
        spelled: dict[str, Any] = {"security": [{"Mine": []}]}
        app.get("/", dependencies=[requires(is_user)], openapi_extra=spelled)(hello)
        assert spelled["security"] == operation(app)["security"]
        assert "401" in operation(app)["responses"]

    @pytest.mark.parametrize("before", [True, False])
    def test_an_openapi_of_ones_own(self, gate: ag.AsyncGate, before: bool) -> None:
        """What it makes stays, whether it was there first or came later; the document is made once."""
        app, made = FastAPI(), []

        def custom() -> dict[str, Any]:
            if not app.openapi_schema:
                made.append(1)
                app.openapi_schema = get_openapi(title="Mine", version="1", routes=app.routes)
            return app.openapi_schema

        def override() -> None:
            app.openapi = custom  # type: ignore[method-assign]  # as FastAPI documents it

        app.get("/", dependencies=[requires(is_user)])(hello)
        if before:
            override()
        AuthGate(app, gate=gate)
        if not before:
            override()
        with TestClient(app) as client:
            document = client.get("/openapi.json").json()
            assert document == client.get("/openapi.json").json()
        assert ("Mine", [BEARER]) == (document["info"]["title"], document["paths"]["/"]["get"]["security"])
        assert [1] == made

    def test_an_openapi_that_asks_ours(self, app: FastAPI) -> None:
        """Nothing is said twice."""
        app.get("/", dependencies=[requires(is_user | is_project)])(hello)
        ours = app.openapi
        app.openapi = lambda: {**ours(), "x-mine": 1}  # type: ignore[method-assign]  # as FastAPI documents it
        with TestClient(app) as client:
            document = client.get("/openapi.json").json()
        assert ([BEARER, APP], 1) == (document["paths"]["/"]["get"]["security"], document["x-mine"])

    def test_paths_that_are_left_out(self, app: FastAPI) -> None:
        """By the route, or by a document that shows only a part."""
        app.get("/", dependencies=[requires(is_user)], include_in_schema=False)(hello)
        app.get("/a", dependencies=[requires(is_user)])(hello)
        app.get("/b", dependencies=[requires(is_user)])(hello)
        assert {"/a", "/b"} == {*app.openapi()["paths"]}
        part = [route for route in app.routes if getattr(route, "path", "") == "/a"]
        shown = get_openapi(title="Part", version="1", routes=part)
        app.openapi = lambda: shown  # type: ignore[method-assign]  # as FastAPI documents it
        with TestClient(app) as client:
            assert {"/a"} == {*client.get("/openapi.json").json()["paths"]}

    def test_one_document_until_routes_change(self, app: FastAPI) -> None:
        """It is kept, and FastAPI's own is not written to."""
        app.get("/a", dependencies=[requires(is_user)])(hello)
        first = app.openapi()
        assert first is app.openapi()
        assert "security" not in app.openapi_schema["paths"]["/a"]["get"]  # type: ignore[index]
        app.get("/b", dependencies=[requires(is_user)])(hello)
        assert [BEARER] == operation(app, "/b")["security"]


class TestMounted:
    def test_their_own_documents(self, gate: ag.AsyncGate) -> None:
        """An application that is mounted has a document of its own, which says the same from the start on."""
        app, mounted, deeper = FastAPI(), FastAPI(), FastAPI()
        AuthGate(app, gate=gate, default=is_project)
        mounted.get("/")(hello)
        deeper.get("/", dependencies=[requires(is_user)])(hello)
        app.mount("/sub", mounted)
        mounted.mount("/deeper", deeper)
        with TestClient(app):
            assert [APP] == operation(mounted)["security"]
            assert [BEARER] == operation(deeper)["security"]

    def test_with_a_gate_of_their_own(self, app: FastAPI, config: ag.GateConfig) -> None:
        """Nothing of the gate around it."""
        mounted = FastAPI()
        AuthGate(mounted, config=config, default=is_user)
        mounted.get("/")(hello)
        app.mount("/sub", mounted)
        with TestClient(app):
            assert [BEARER] == operation(mounted)["security"]
