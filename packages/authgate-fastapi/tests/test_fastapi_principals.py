from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel

import authgate_core as ag
from authgate_core.principal import Principal
from authgate_fastapi import CurrentAdmission, CurrentPrincipal, CurrentProject, CurrentUser

Headers = dict[str, str]

PUBLIC = {
    "id": "u1",
    "issuer": "https://id.example.com",
    "tenant": None,
    "roles": ["clerk"],
    "scopes": ["orders:read"],
    "username": None,
    "email": "u1@example.com",
    "name": None,
}


class Page(BaseModel):
    """A response that holds principals."""

    owner: ag.User
    others: list[Principal]


@pytest.fixture(autouse=True)
def alone(app: FastAPI) -> None:
    """Every way to return a principal."""

    @app.get("/bare")
    async def bare(user: CurrentUser):  # type: ignore[no-untyped-def]  # noqa: ANN202 - that is what is tested
        return user

    @app.get("/typed")
    async def typed(user: CurrentUser) -> ag.User:
        return user

    @app.get("/principal")
    async def principal(principal: CurrentPrincipal) -> Principal:
        return principal

    @app.get("/union")
    async def union(user: CurrentUser) -> ag.Service | ag.User | None:
        return user

    @app.get("/any")
    async def anything(user: CurrentUser) -> Any:
        return user

    @app.get("/sync")
    def sync(user: CurrentUser) -> ag.User:
        return user

    @app.get("/project")
    async def project(project: CurrentProject) -> ag.Project:
        return project


@pytest.fixture(autouse=True)
def inside(app: FastAPI) -> None:
    """Every way to return something that holds principals."""

    @app.get("/dict")
    async def in_dict(user: CurrentUser):  # type: ignore[no-untyped-def]  # noqa: ANN202 - that is what is tested
        return {"user": user, "list": [user, (user,)]}

    @app.get("/typed-dict")
    async def in_typed_dict(user: CurrentUser) -> dict[str, Any]:
        return {"user": user, "list": [user, (user,)]}

    @app.get("/model")
    async def in_model(user: CurrentUser) -> Page:
        return Page(owner=user, others=[user])


class TestResponses:
    @pytest.mark.parametrize("path", ["/bare", "/typed", "/principal", "/union", "/any", "/sync"])
    def test_alone(self, client: TestClient, user: Headers, path: str) -> None:
        """A principal is shown as ``to_dict`` shows it, whatever the return annotation says."""
        assert PUBLIC == client.get(path, headers=user).json()

    @pytest.mark.parametrize("path", ["/dict", "/typed-dict"])
    def test_inside(self, client: TestClient, user: Headers, path: str) -> None:
        """In dicts, lists and tuples too."""
        assert {"user": PUBLIC, "list": [PUBLIC, [PUBLIC]]} == client.get(path, headers=user).json()

    def test_in_models(self, client: TestClient, user: Headers) -> None:
        """And in pydantic models, by its own kind where a base class is named."""
        assert {"owner": PUBLIC, "others": [PUBLIC]} == client.get("/model", headers=user).json()

    def test_projects(self, client: TestClient, project: Headers) -> None:
        """A project shows its public fields."""
        expected = {"id": "p1", "name": "Shop", "enabled_services": None}
        assert expected == client.get("/project", headers=project).json()

    def test_claims_never_leave_by_themselves(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """No route shows a claim that its handler did not write out."""
        paths = [path for path in app.openapi()["paths"] if path != "/project"]
        assert len(paths) == 9
        for path in paths:
            assert "toys" not in client.get(path, headers=user).text

        @app.get("/claim")
        async def claim(user: CurrentUser) -> str:
            return str(user["department"])

        assert "toys" == client.get("/claim", headers=user).json()

    def test_models_that_name_fields(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """``response_model`` picks attributes, as FastAPI lets it."""

        class Card(BaseModel):
            id: str
            email: str | None

        @app.get("/card", response_model=Card)
        async def card(user: CurrentUser) -> Any:
            return user

        assert {"id": "u1", "email": "u1@example.com"} == client.get("/card", headers=user).json()

    def test_the_wrong_kind_is_a_bug(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """A response that says it is a service is not sent with a user in it."""

        @app.get("/wrong")
        async def wrong(user: CurrentUser) -> ag.Service:
            return user  # type: ignore[return-value]  # that is the bug

        answer = client.get("/wrong", headers=user)
        assert (500, False) == (answer.status_code, "u1" in answer.text)

    def test_admissions_are_no_responses(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """An admission holds the request with its credentials, so it is not shown at all."""

        @app.get("/admission", response_model=None)
        async def admission(user: CurrentUser, admission: CurrentAdmission) -> Any:
            return admission

        answer = client.get("/admission", headers=user)
        assert (500, "Internal Server Error") == (answer.status_code, answer.text)


class TestSchemas:
    def test_openapi(self, client: TestClient) -> None:
        """The documentation lists the public fields, under the principal's own name."""
        schemas = client.get("/openapi.json").json()["components"]["schemas"]
        assert [*PUBLIC] == [*schemas["User"]["properties"]]
        assert ["id", "name", "enabled_services"] == [*schemas["Project"]["properties"]]
        assert {"$ref": "#/components/schemas/User"} == schemas["Page"]["properties"]["owner"]

    def test_a_body_is_no_principal(self, app: FastAPI, client: TestClient) -> None:
        """A route that forgets the guard and names the type answers 422 to every body."""

        @app.post("/forgotten")
        async def forgotten(user: ag.User, request: Request) -> str:
            return user.id

        for body in (PUBLIC, {"user": PUBLIC}, None, "u1"):
            answer = client.post("/forgotten", json=body)
            assert 422 == answer.status_code
        assert 422 == client.post("/forgotten").status_code
        assert 200 == client.get("/openapi.json").status_code
