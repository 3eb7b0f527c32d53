"""The named shortcuts in an app without a gate: the first builds one from the environment (Law 1.6)."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import strawberry
from flask import Flask
from starlette.requests import Request

from authgate_core import ConfigurationError, is_user
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.requirement import ENVIRONMENT
from authgate_graphql.strawberry import (
    AuthGateExtension,
    CombinedAuthPermission,
    Guard,
    JWTAuthPermission,
    ProjectAuthPermission,
    requires,
    requires_combined_auth,
    requires_jwt_auth,
    requires_project_auth,
)

Headers = dict[str, str]
Arrive = Callable[..., Request]


@strawberry.type
class Query:
    @strawberry.field(permission_classes=[JWTAuthPermission])
    def user(self, info: strawberry.Info) -> str | None:
        return str(info.context["user"].id)

    @strawberry.field(permission_classes=[ProjectAuthPermission])
    def project(self, info: strawberry.Info) -> str | None:
        return str(info.context["project"].id)

    @strawberry.field(permission_classes=[CombinedAuthPermission])
    def combined(self, info: strawberry.Info) -> str | None:
        return f"{info.context['user'].id} {info.context['project'].id}"

    @strawberry.field
    @requires_jwt_auth
    def user_by(self, info: strawberry.Info) -> str | None:
        return str(info.context["user"].id)

    @strawberry.field
    @requires_project_auth
    def project_by(self, info: strawberry.Info) -> str | None:
        return str(info.context["project"].id)

    @strawberry.field
    @requires_combined_auth
    def combined_by(self, info: strawberry.Info) -> str | None:
        return f"{info.context['user'].id} {info.context['project'].id}"

    @strawberry.field(permission_classes=[requires(is_user)])
    def required(self) -> str | None:
        return "never"

    @strawberry.field(extensions=[Guard(is_user)])
    def guarded(self) -> str | None:
        return "never"


QUERY = "{ user project combined userBy projectBy combinedBy }"
NAMES = QUERY.strip("{ }").split()
DATA = dict(zip(NAMES, ["u1", "p1", "u1 p1"] * 2, strict=True))


@pytest.fixture(params=[[], [AuthGateExtension]], ids=["alone", "extended"])
def schema(request: pytest.FixtureRequest) -> strawberry.Schema:
    """With the schema extension and without."""
    return strawberry.Schema(Query, extensions=request.param)


def forget() -> None:
    """Close what was built, and let the next request build it anew."""
    gate, async_gate = ENVIRONMENT.gate.gate, ENVIRONMENT.async_gate.gate
    ENVIRONMENT.gate.gate = ENVIRONMENT.async_gate.gate = None
    if gate is not None:
        gate.close()
    if async_gate is not None:
        asyncio.run(async_gate.aclose())


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Headers) -> Iterator[FakeIssuer]:
    """What the environment says, and the issuer that it names; nothing is built yet."""
    file = tmp_path / "projects.toml"
    file.write_text(f'[shop]\nid = "p1"\nsecret = "{project["x-app-secret"]}"\n')
    with FakeIssuer(audience="orders-api") as issuer:
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        monkeypatch.setenv("AUTHGATE_PROJECTS_FILE", str(file))
        yield issuer
        forget()


@pytest.fixture
def everybody(environment: FakeIssuer, project: Headers) -> Headers:
    """What a request of a user and a project carries."""
    return {"Authorization": f"Bearer {environment.token('u1')}", **project}


class TestBuilt:
    def test_async(
        self, schema: strawberry.Schema, arrive: Arrive, everybody: Headers, environment: FakeIssuer
    ) -> None:
        """In an async app, once for all requests and operations."""

        async def ask() -> list[Any]:
            requests = [arrive(everybody, gate=None) for _ in range(5)]
            asked = (schema.execute(QUERY, context_value={"request": one}) for one in requests)
            return await asyncio.gather(*asked)

        assert [(None, DATA)] * 5 == [(result.errors, result.data) for result in asyncio.run(ask())]
        assert None is ENVIRONMENT.gate.gate
        assert None is not ENVIRONMENT.async_gate.gate
        assert {1} == set(environment.hits.values())

    def test_sync(self, schema: strawberry.Schema, everybody: Headers, environment: FakeIssuer) -> None:
        """In Flask, once for all threads."""
        app, results = Flask("orders"), list[Any]()

        def ask() -> None:
            with app.test_request_context("/", headers=everybody) as context:
                results.append(schema.execute_sync(QUERY, context_value={"request": context.request}))

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [(None, DATA)] * 5 == [(result.errors, result.data) for result in results]
        assert None is ENVIRONMENT.async_gate.gate
        assert {1} == set(environment.hits.values())

    def test_what_caches_are_told(self, schema: strawberry.Schema, everybody: Headers) -> None:
        """Law 1.7: where no adapter marks the response the guards do."""
        from starlette.responses import Response

        response = Response()
        with Flask("orders").test_request_context("/", headers=everybody) as context:
            given = {"request": context.request, "response": response}
            assert None is schema.execute_sync("{ combined user }", context_value=given).errors
        assert "private" == response.headers["cache-control"]
        assert "Authorization, X-App-Id, X-App-Secret" == response.headers["vary"]


class TestNotBuilt:
    @pytest.mark.parametrize("name", ["required", "guarded"])
    def test_by_policies(
        self, schema: strawberry.Schema, arrive: Arrive, everybody: Headers, name: str
    ) -> None:
        """A guard by a policy of one's own needs a gate of the app."""
        context = {"request": arrive(everybody, gate=None)}
        result = asyncio.run(schema.execute(f"{{ {name} }}", context_value=context))
        assert "write AuthGate(app)" in str(result.errors)
        with Flask("orders").test_request_context("/", headers=everybody) as flask:
            result = schema.execute_sync(f"{{ {name} }}", context_value={"request": flask.request})
        assert "write AuthGate(app)" in str(result.errors)
        assert (None, None) == (ENVIRONMENT.gate.gate, ENVIRONMENT.async_gate.gate)

    def test_where_there_is_one(
        self, schema: strawberry.Schema, arrive: Arrive, world: Any, user: Headers
    ) -> None:
        """With a gate of the app the shortcuts are guards like any other."""
        result = asyncio.run(schema.execute("{ user userBy }", context_value={"request": arrive(user)}))
        assert {"user": "u1", "userBy": "u1"} == result.data
        app = Flask("orders")
        FlaskAuthGate(app, gate=world.gate)
        with app.test_request_context("/", headers=user) as context:
            result = schema.execute_sync("{ user userBy }", context_value={"request": context.request})
        assert {"user": "u1", "userBy": "u1"} == result.data
        assert (None, None) == (ENVIRONMENT.gate.gate, ENVIRONMENT.async_gate.gate)

    def test_by_a_wrong_environment(
        self,
        schema: strawberry.Schema,
        arrive: Arrive,
        everybody: Headers,
        environment: FakeIssuer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The log names what the environment lacks, callers learn no value of it, and the next request is let in."""
        monkeypatch.delenv("AUTHGATE_AUDIENCE")

        def ask() -> Any:
            context = {"request": arrive(everybody, gate=None)}
            return asyncio.run(schema.execute("{ user }", context_value=context))

        (error,) = ask().errors
        assert isinstance(error.original_error, ConfigurationError)
        assert "AUTHGATE_AUDIENCE" in str(error.original_error.__cause__)
        assert "AUTHGATE_AUDIENCE" in caplog.text
        assert environment.url not in error.message
        assert "AUTHGATE_* describe none" in error.message
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        assert {"user": "u1"} == ask().data
