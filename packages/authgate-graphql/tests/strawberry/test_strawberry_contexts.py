"""Whatever a view hands to resolvers: the request is found in it, and nothing else of it is believed (Law 2.6)."""

import asyncio
import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import flask
import pytest
import strawberry
from fastapi import Depends, FastAPI
from flask import Flask
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.testclient import TestClient
from strawberry.fastapi import BaseContext, GraphQLRouter

from authgate_core import NotAdmitted, is_project, is_user
from authgate_fastapi import AuthGate as FastAPIAuthGate
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.carriers import AuthenticatedRequest, GqlContext
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    JWTAuthPermission,
    get_admission,
    get_current_project,
    get_current_user,
    is_authenticated,
    is_project_authenticated,
    requires,
    requires_combined_auth,
    requires_jwt_auth,
    requires_project_auth,
)

Headers = dict[str, str]
Arrive = Callable[..., Request]


@dataclass
class Plain:
    request: Any
    user: Any = None
    project: Any = None


@dataclass(frozen=True)
class Frozen:
    request: Any


@dataclass(slots=True)
class Slotted:
    request: Any


@dataclass(frozen=True, slots=True)
class FrozenSlotted:
    req: Any


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)
    request: Any


class Custom(BaseContext):
    """As FastAPI's router makes it."""

    def __init__(self, request: Any = None) -> None:
        super().__init__()
        self.request = request


class Items(dict[str, Any]):
    """A dict of one's own."""


CONTEXTS: dict[str, Callable[[Any], Any]] = {
    "dict": lambda request: {"request": request},
    "dict of req": lambda request: {"req": request},
    "dict of one's own": lambda request: Items(request=request),
    "read-only mapping": lambda request: MappingProxyType({"request": request}),
    "object": lambda request: SimpleNamespace(request=request),
    "dataclass": Plain,
    "frozen": Frozen,
    "slotted": Slotted,
    "frozen and slotted": FrozenSlotted,
    "model": lambda request: Model(request=request),
    "base context": Custom,
    "request": lambda request: request,
    "authenticated request": AuthenticatedRequest,
    "dict of an authenticated request": lambda request: {"request": AuthenticatedRequest(request)},
    "graphene's": lambda request: GqlContext(AuthenticatedRequest(request)),
}


@strawberry.type
class Query:
    @strawberry.field
    def seen(self, info: strawberry.Info) -> list[str]:
        """Whom the accessors see, in a field without a guard."""
        user, project = get_current_user(info), get_current_project(info)
        assert is_authenticated(info) is (user is not None)
        assert is_project_authenticated(info) is (project is not None)
        return [one.id for one in (user, project) if one is not None]

    @strawberry.field
    @requires_jwt_auth
    def mine(self, info: strawberry.Info) -> str:
        return get_admission(info).user.id

    @strawberry.field
    @requires_combined_auth
    async def both(self, info: strawberry.Info) -> str:
        admission = get_admission(info)
        return f"{admission.user.id} {admission.project.id}"

    @strawberry.field(permission_classes=[requires(is_user & is_project)])
    def permitted(self, info: strawberry.Info) -> list[str]:
        return shown(info.context)

    @strawberry.field(extensions=[Guard(is_user & is_project)])
    def guarded(self, info: strawberry.Info) -> list[str]:
        return shown(info.context)

    @strawberry.field(permission_classes=[JWTAuthPermission])
    def user_shown(self, info: strawberry.Info) -> list[str]:
        return shown(info.context)

    @strawberry.field
    @requires_combined_auth
    def both_shown(self, info: strawberry.Info) -> list[str]:
        return shown(info.context)

    @strawberry.field
    @requires_project_auth
    def project_shown(self, info: strawberry.Info) -> list[str]:
        return shown(info.context)

    @strawberry.field
    def forged(self, info: strawberry.Info) -> str | None:
        info.context["user"] = info.context["project"] = "forged"
        return None

    @strawberry.field
    def admitted(self, info: strawberry.Info) -> str | None:
        return get_admission(info).user.id


def shown(context: Any) -> list[str]:
    """What a context holds under the names of the older client."""
    found = [
        context.get(name) if isinstance(context, dict) else getattr(context, name, None)
        for name in ("user", "project")
    ]
    return [str(getattr(one, "id", one)) for one in found if one is not None]


ALONE = strawberry.Schema(Query)
EXTENDED = strawberry.Schema(Query, extensions=[AuthGateExtension])


@pytest.fixture(params=[ALONE, EXTENDED], ids=["alone", "extended"])
def schema(request: pytest.FixtureRequest) -> strawberry.Schema:
    """With the schema extension and without."""
    found: strawberry.Schema = request.param
    return found


@pytest.fixture
def flask_app(world: Any) -> Flask:
    """An application without a view."""
    app = Flask("orders")
    FlaskAuthGate(app, gate=world.gate)
    return app


def run(schema: strawberry.Schema, query: str, context: Any) -> Any:
    """Execute in a loop of its own."""
    return asyncio.run(schema.execute(query, context_value=context))


class TestKinds:
    QUERY = "{ mine both seen }"

    @pytest.mark.parametrize("kind", CONTEXTS)
    def test_asgi(
        self,
        schema: strawberry.Schema,
        arrive: Arrive,
        world: Any,
        user: Headers,
        project: Headers,
        kind: str,
    ) -> None:
        """Awaited, with a request of Starlette."""
        result = run(schema, self.QUERY, CONTEXTS[kind](arrive(user | project)))
        assert (None, "u1", "u1 p1") == (result.errors, result.data["mine"], result.data["both"])
        assert ["ProjectRef", "TokenRef"] == sorted(world.verified)

    @pytest.mark.parametrize("kind", CONTEXTS)
    @pytest.mark.parametrize("proxied", [True, False])
    def test_wsgi(
        self,
        schema: strawberry.Schema,
        flask_app: Flask,
        world: Any,
        user: Headers,
        kind: str,
        *,
        proxied: bool,
    ) -> None:
        """In sync execution, with Flask's request and with the proxy that stands for it."""
        with flask_app.test_request_context("/", headers=user):
            proxy: Any = flask.request
            request = proxy if proxied else proxy._get_current_object()
            result = schema.execute_sync("{ mine seen }", context_value=CONTEXTS[kind](request))
        assert (None, {"mine": "u1", "seen": ["u1"]}) == (result.errors, result.data)
        assert ["TokenRef"] == world.verified

    @pytest.mark.parametrize("kind", CONTEXTS)
    def test_strangers(self, schema: strawberry.Schema, arrive: Arrive, kind: str) -> None:
        """None of them lets in who presents nothing."""
        for query in ("{ mine }", "{ both }", "{ permitted }", "{ guarded }"):
            result = run(schema, query, CONTEXTS[kind](arrive()))
            codes = [(error.extensions or {}).get("code") for error in result.errors or []]
            assert (["UNAUTHENTICATED"], None) == (codes, result.data)


SHOWN = {
    "{ userShown }": ["u1"],
    "{ bothShown }": ["u1", "p1"],
    "{ projectShown }": ["p1"],
    "{ permitted }": [],
    "{ guarded }": [],
}


class TestShown:
    """The named shortcuts put whom they let in where the older client did; other guards leave contexts alone."""

    @pytest.mark.parametrize("shown", SHOWN.items())
    @pytest.mark.parametrize("kind", ["dict", "dict of one's own", "object", "dataclass", "base context"])
    def test_named(
        self,
        schema: strawberry.Schema,
        arrive: Arrive,
        user: Headers,
        project: Headers,
        kind: str,
        *,
        shown: Any,
    ) -> None:
        """``info.context["user"]``, or an attribute of that name."""
        query, names = shown
        result = run(schema, query, CONTEXTS[kind](arrive(user | project)))
        assert (None, [names]) == (result.errors, list((result.data or {}).values()))

    @pytest.mark.parametrize(
        "kind", ["frozen", "slotted", "frozen and slotted", "model", "read-only mapping", "request"]
    )
    def test_no_room(
        self, schema: strawberry.Schema, arrive: Arrive, user: Headers, project: Headers, kind: str
    ) -> None:
        """A context that cannot be written is left as it is, and whoever was let in is read from ``info``."""
        context = CONTEXTS[kind](arrive(user | project))
        result = run(schema, "{ mine both }", context)
        assert (None, {"mine": "u1", "both": "u1 p1"}) == (result.errors, result.data)
        assert "user" not in (context.scope if isinstance(context, Request) else {})

    def test_ones_own(
        self, schema: strawberry.Schema, arrive: Arrive, user: Headers, project: Headers
    ) -> None:
        """What a getter puts there under that name is the app's own, unless a named shortcut is asked for."""
        context = {"request": arrive(user | project), "user": "own"}
        result = run(schema, "{ permitted guarded }", context)
        assert {"permitted": ["own"], "guarded": ["own"]} == result.data
        assert {"userShown": ["u1"]} == run(schema, "{ userShown }", context).data

    def test_second_context(
        self, schema: strawberry.Schema, arrive: Arrive, user: Headers, world: Any
    ) -> None:
        """One request in two contexts is shown in both, and verified once."""
        request = arrive(user)
        for _ in range(2):
            assert {"userShown": ["u1"]} == run(schema, "{ userShown }", {"request": request}).data
        assert ["TokenRef"] == world.verified


class TestHostile:
    def test_forged_names(self, schema: strawberry.Schema, arrive: Arrive) -> None:
        """A resolver or a getter that writes the names lets nobody in."""
        context = {"request": arrive(), "user": "forged", "project": "forged"}
        result = run(schema, "{ forged seen admitted mine }", context)
        kinds = {type(error.original_error).__name__ for error in result.errors or []}
        assert {"NotAdmitted", "Refusal"} == kinds
        result = run(schema, "{ forged seen }", context)
        assert ([], None) == ((result.data or {})["seen"], result.errors)

    def test_copied_request(
        self, schema: strawberry.Schema, arrive: Arrive, user: Headers, world: Any
    ) -> None:
        """A copy carries what was known of the original, and is authenticated anew."""
        original = arrive(user)
        assert {"mine": "u1"} == run(schema, "{ mine }", {"request": original}).data
        duplicate = copy.copy(original)
        assert vars(duplicate).keys() == vars(original).keys()
        world.revoke()
        assert [] == (run(schema, "{ seen }", {"request": duplicate}).data or {})["seen"]
        result = run(schema, "{ mine }", {"request": duplicate})
        assert ["The token is not valid."] == [error.message for error in result.errors or []]
        assert 2 == len(world.verified)

    def test_dict_of_two_requests(self, schema: strawberry.Schema, arrive: Arrive, user: Headers) -> None:
        """One dict for two requests: the second is a stranger's."""
        context: dict[str, Any] = {"request": arrive(user)}
        assert {"mine": "u1"} == run(schema, "{ mine }", context).data
        context["request"] = arrive()
        assert {"seen": []} == run(schema, "{ seen }", context).data
        result = run(schema, "{ mine }", context)
        assert ["Authentication is required."] == [error.message for error in result.errors or []]

    def test_proxy_of_two_requests(
        self, schema: strawberry.Schema, flask_app: Flask, user: Headers, bearer: Callable[..., Headers]
    ) -> None:
        """One dict with Flask's proxy, for three requests."""
        context: dict[str, Any] = {"request": flask.request}
        seen = []
        for headers in (user, {}, bearer("u2")):
            with flask_app.test_request_context("/", headers=headers):
                result = schema.execute_sync("{ mine }", context_value=context)
                seen.append((result.data or {}).get("mine"))
        assert ["u1", None, "u2"] == seen

    def test_threads(
        self, schema: strawberry.Schema, flask_app: Flask, bearer: Callable[..., Headers]
    ) -> None:
        """Twenty threads share one dict with the proxy; each sees its own user."""
        context: dict[str, Any] = {"request": flask.request}
        start, seen = threading.Barrier(20), dict[str, Any]()

        def ask(name: str) -> None:
            with flask_app.test_request_context("/", headers=bearer(name)):
                start.wait()
                for _ in range(5):
                    seen[name] = schema.execute_sync("{ mine }", context_value=context).data

        threads = [threading.Thread(target=ask, args=(f"u{number}",)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {f"u{number}": {"mine": f"u{number}"} for number in range(20)} == seen

    def test_loops(self, schema: strawberry.Schema, flask_app: Flask, world: Any, user: Headers) -> None:
        """Law 9.5: one request in two event loops, as Flask's async views may have it."""
        with flask_app.test_request_context("/", headers=user):
            context = {"request": flask.request}

            async def twice() -> list[Any]:
                asked = (schema.execute("{ mine }", context_value=context) for _ in range(2))
                return await asyncio.gather(*asked)

            assert [{"mine": "u1"}] * 4 == [one.data for _ in range(2) for one in asyncio.run(twice())]
        assert ["TokenRef"] == world.verified

    def test_no_admission(self, schema: strawberry.Schema, arrive: Arrive, user: Headers) -> None:
        """Reading whom no guard has asked for is a bug, and says what to write."""
        result = run(schema, "{ admitted }", {"request": arrive(user)})
        (error,) = result.errors or []
        assert isinstance(error.original_error, NotAdmitted)
        assert "guard the field" in error.message


class TestRouter:
    @pytest.fixture
    def client(self, world: Any, schema: strawberry.Schema) -> TestClient:
        """A router whose getter is a dependency and makes a context of its own."""

        def made() -> Custom:
            return Custom()

        def context(custom: Custom = Depends(made)) -> Custom:
            return custom

        app = FastAPI()
        FastAPIAuthGate(app, gate=world.async_gate)
        app.include_router(GraphQLRouter(schema, context_getter=context), prefix="/graphql")
        return TestClient(app)

    def test_context_getter(self, client: TestClient, user: Headers, project: Headers) -> None:
        """Strawberry puts the request into what the getter returns."""
        answer = client.post("/graphql", json={"query": "{ mine bothShown }"}, headers=user | project)
        assert {"mine": "u1", "bothShown": ["u1", "p1"]} == answer.json()["data"]
