from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import all_scopes, any_role, is_project, is_user
from authgate_fastapi import (
    CurrentAdmission,
    CurrentPrincipal,
    CurrentProject,
    CurrentService,
    CurrentUser,
    OptionalPrincipal,
    OptionalUser,
    get_current_auth,
    get_optional_auth,
    requires,
)

Headers = dict[str, str]
PROBLEM = "application/problem+json"
CLERKS = is_user & any_role("clerk")


@pytest.fixture(autouse=True)
def routes(app: FastAPI) -> None:
    """A route for each way to ask."""

    @app.get("/me")
    async def me(user: CurrentUser) -> Headers:
        return {"id": user.id}

    @app.get("/job")
    async def job(service: CurrentService) -> Headers:
        return {"id": service.id}

    @app.get("/project")
    async def project(project: CurrentProject) -> Headers:
        return {"id": project.id}

    @app.get("/both", dependencies=[requires(is_user & is_project)])
    async def both(admission: CurrentAdmission) -> Headers:
        return {"user": admission.user.id, "project": admission.project.id}

    @app.get("/orders", dependencies=[requires(is_user & all_scopes("orders:read", "orders:write"))])
    async def orders() -> str:
        return "written"

    @app.get("/principal")
    async def principal(principal: CurrentPrincipal) -> Headers:
        return {"kind": type(principal).__name__, "id": principal.id}

    @app.get("/auth")
    async def auth(principal: Annotated[ag.User | ag.Service, Depends(get_current_auth)]) -> Headers:
        return {"kind": type(principal).__name__, "id": principal.id}


class TestAdmitted:
    @pytest.mark.parametrize(
        ("path", "carries", "answer"),
        [
            ("/me", ["user"], {"id": "u1"}),
            ("/job", ["service"], {"id": "s1"}),
            ("/project", ["project"], {"id": "p1"}),
            ("/both", ["user", "project"], {"user": "u1", "project": "p1"}),
            ("/principal", ["user"], {"kind": "User", "id": "u1"}),
            ("/principal", ["service"], {"kind": "Service", "id": "s1"}),
            ("/principal", ["project"], {"kind": "Project", "id": "p1"}),
            ("/principal", ["project", "user"], {"kind": "User", "id": "u1"}),
            ("/auth", ["user"], {"kind": "User", "id": "u1"}),
            ("/auth", ["service"], {"kind": "Service", "id": "s1"}),
            ("/me", ["user", "project"], {"id": "u1"}),
        ],
    )
    def test_gives_who_called(
        self,
        client: TestClient,
        request: pytest.FixtureRequest,
        path: str,
        carries: list[str],
        answer: dict[str, str],
    ) -> None:
        """The endpoint runs and is given whom it asked for."""
        headers = {name: value for one in carries for name, value in request.getfixturevalue(one).items()}
        asked = client.get(path, headers=headers)
        assert (200, answer) == (asked.status_code, asked.json())


class TestRefused:
    @pytest.mark.parametrize(
        ("path", "challenge"),
        [
            ("/me", 'Bearer realm="orders"'),
            ("/job", 'Bearer realm="orders"'),
            ("/auth", 'Bearer realm="orders"'),
            ("/project", 'AppCredentials realm="orders"'),
            ("/both", 'Bearer realm="orders", AppCredentials realm="orders"'),
            ("/principal", 'Bearer realm="orders", AppCredentials realm="orders"'),
        ],
    )
    def test_nothing_presented(self, client: TestClient, path: str, challenge: str) -> None:
        """Laws 1 and 1.1: 401, the schemes that the policy accepts, and no ``error``."""
        answer = client.get(path)
        assert (401, challenge) == (answer.status_code, answer.headers["www-authenticate"])
        assert "credentials_missing" == answer.json()["code"]

    def test_part_of_a_pair(self, client: TestClient, user: Headers) -> None:
        """Law 2.3: with half of what ``&`` asks for, only the missing scheme is named."""
        answer = client.get("/both", headers=user)
        assert 401 == answer.status_code
        assert 'AppCredentials realm="orders"' == answer.headers["www-authenticate"]

    @pytest.mark.parametrize(
        "shape", [{"expires_in": -3600}, {"aud": "another-api"}, {"token_use": "refresh"}]
    )
    def test_invalid(
        self, client: TestClient, bearer: Callable[..., Headers], shape: dict[str, object]
    ) -> None:
        """Laws 1 and 1.2: 401 and ``invalid_token``; the code tells expired from all else, and no more."""
        answer = client.get("/me", headers=bearer(**shape))
        assert 401 == answer.status_code
        assert 'Bearer realm="orders", error="invalid_token"' == answer.headers["www-authenticate"]
        expected = "token_expired" if "expires_in" in shape else "token_invalid"
        assert expected == answer.json()["code"]

    def test_revoked(self, client: TestClient, counter: Any, user: Headers) -> None:
        """Law 1: what was revoked a moment ago is invalid."""
        assert 200 == client.get("/me", headers=user).status_code
        counter.revoked = True
        answer = client.get("/me", headers=user)
        assert (401, "token_invalid") == (answer.status_code, answer.json()["code"])

    @pytest.mark.parametrize(
        "headers",
        [
            [("Authorization", "Bearer a.b.c"), ("Authorization", "Bearer a.b.c")],
            [("Authorization", "Bearer a.b.c, Bearer a.b.c")],
            [("Authorization", "Bearer")],
            [("Authorization", f"Bearer {'a' * 20_000}")],
            [("Authorization", "Bearer a.b.c\x01")],
        ],
    )
    def test_malformed(self, client: TestClient, headers: list[tuple[str, str]]) -> None:
        """Laws 2.2 and 2.4: repeated, joined, empty, oversized or with control characters is 400."""
        answer = client.get("/me", headers=headers)
        assert 400 == answer.status_code
        assert 'Bearer realm="orders", error="invalid_request"' == answer.headers["www-authenticate"]
        assert "credentials_malformed" == answer.json()["code"]

    @pytest.mark.parametrize("headers", [{"x-app-id": "shop"}, {"x-app-id": "shop", "x-app-secret": "a, b"}])
    def test_malformed_project(self, client: TestClient, headers: Headers) -> None:
        """Law 2.2: half a pair and a joined header are 400."""
        answer = client.get("/project", headers=headers)
        assert (400, "credentials_malformed") == (answer.status_code, answer.json()["code"])

    def test_wrong_secret(self, client: TestClient, project: Headers) -> None:
        """Law 1: project credentials that nobody knows are invalid."""
        answer = client.get("/project", headers=project | {"x-app-secret": "w" * 40})
        assert 401 == answer.status_code
        assert 'AppCredentials realm="orders", error="invalid_token"' == answer.headers["www-authenticate"]

    def test_not_allowed(self, client: TestClient, user: Headers, service: Headers) -> None:
        """Laws 1 and 3.13: 403, with the scopes where those are what is missing."""
        answer = client.get("/orders", headers=user)
        assert (403, "scope_insufficient") == (answer.status_code, answer.json()["code"])
        challenge = 'Bearer realm="orders", error="insufficient_scope", scope="orders:read orders:write"'
        assert challenge == answer.headers["www-authenticate"]
        assert ["orders:write"] == answer.json()["missing"]

        other = client.get("/me", headers=service)
        assert (403, "forbidden") == (other.status_code, other.json()["code"])
        assert "www-authenticate" not in other.headers

    def test_could_not_check(self, client: TestClient, counter: Any, user: Headers) -> None:
        """Laws 1.5 and 1.8: an outage is 503 with ``Retry-After`` and no challenge, never a bad token."""
        counter.failure = ag.RevocationUnavailable("the store is down")
        answer = client.get("/me", headers=user)
        assert (503, "unavailable") == (answer.status_code, answer.json()["code"])
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "www-authenticate" not in answer.headers

    @pytest.mark.parametrize("path", ["/me", "/both", "/project"])
    def test_the_answer_is_a_problem(self, client: TestClient, path: str) -> None:
        """Laws 1.1 and 1.7: RFC 9457, never stored."""
        answer = client.get(path)
        assert PROBLEM == answer.headers["content-type"]
        assert "no-store" == answer.headers["cache-control"]
        assert {"type", "title", "status", "detail", "code"} == set(answer.json())
        assert answer.status_code == answer.json()["status"]

    def test_foreign_schemes_present_nothing(self, client: TestClient) -> None:
        """Law 2.1: another scheme or a bare token is nothing of ours."""
        for value in ("Basic dTpw", "a.b.c"):
            answer = client.get("/me", headers={"Authorization": value})
            assert "credentials_missing" == answer.json()["code"]

    def test_only_what_the_policy_names_is_looked_at(
        self, client: TestClient, user: Headers, counter: Any
    ) -> None:
        """Law 2.3: credentials of another kind are left alone, however bad."""
        answer = client.get("/me", headers=user | {"x-app-id": "nobody", "x-app-secret": "w" * 40})
        assert 200 == answer.status_code
        assert 1 == len(counter.asked)

    def test_nothing_in_url_cookie_or_body_counts(self, client: TestClient, issuer: Any) -> None:
        """Law 2.2: tokens in a URL, a cookie or a form are never looked at."""
        token = issuer.token()
        answer = client.get(f"/me?access_token={token}", headers={"Cookie": f"Authorization=Bearer {token}"})
        assert "credentials_missing" == answer.json()["code"]


class TestOptional:
    @pytest.fixture(autouse=True)
    def more_routes(self, app: FastAPI) -> None:
        """Routes that welcome strangers."""

        @app.get("/hello")
        async def hello(user: OptionalUser) -> Headers:
            return {"name": user.id if user is not None else "stranger"}

        @app.get("/anyone")
        async def anyone(principal: OptionalPrincipal) -> Headers:
            return {"name": principal.id if principal is not None else "stranger"}

        @app.get("/token")
        async def token(
            principal: Annotated[ag.User | ag.Service | None, Depends(get_optional_auth)],
        ) -> Headers:
            return {"name": principal.id if principal is not None else "stranger"}

        @app.get("/clerks")
        async def clerks(
            admission: ag.Admission = requires(CLERKS, optional=True),
        ) -> Headers:
            return {"name": admission.user.id if admission else "stranger"}

        @app.get("/pair", dependencies=[requires(is_user & is_project, optional=True)])
        async def pair() -> Headers:
            return {"name": "stranger"}

    @pytest.mark.parametrize("path", ["/hello", "/anyone", "/token", "/clerks", "/pair"])
    def test_nothing_presented(self, client: TestClient, path: str) -> None:
        """Law 1.4: nobody is None."""
        answer = client.get(path)
        assert (200, {"name": "stranger"}) == (answer.status_code, answer.json())

    @pytest.mark.parametrize("path", ["/hello", "/anyone", "/token", "/clerks"])
    def test_presented_and_good(self, client: TestClient, user: Headers, path: str) -> None:
        """Who is presented is given."""
        assert {"name": "u1"} == client.get(path, headers=user).json()

    @pytest.mark.parametrize("path", ["/hello", "/anyone", "/token", "/clerks", "/pair"])
    def test_presented_and_bad(self, client: TestClient, bearer: Callable[..., Headers], path: str) -> None:
        """Law 1.4: invalid is 401, malformed 400."""
        assert 401 == client.get(path, headers=bearer(expires_in=-3600)).status_code
        assert 400 == client.get(path, headers={"Authorization": "Bearer"}).status_code

    def test_part_of_a_pair(self, client: TestClient, user: Headers, project: Headers) -> None:
        """Law 1.4: part of what ``&`` asks for is 401."""
        assert 401 == client.get("/pair", headers=user).status_code
        assert 401 == client.get("/pair", headers=project).status_code
        assert 200 == client.get("/pair", headers=user | project).status_code

    def test_good_but_not_satisfying(
        self, client: TestClient, bearer: Callable[..., Headers], service: Headers
    ) -> None:
        """Law 1.4: valid but not satisfying the policy is 403."""
        assert 403 == client.get("/clerks", headers=bearer(roles=["guest"])).status_code
        assert 403 == client.get("/clerks", headers=service).status_code

    def test_services_are_nobody_to_optional_user_alone(self, client: TestClient, service: Headers) -> None:
        """Law 1.4: only ``get_optional_user`` answers None for a valid service token."""
        assert {"name": "stranger"} == client.get("/hello", headers=service).json()
        assert {"name": "s1"} == client.get("/anyone", headers=service).json()
        assert {"name": "s1"} == client.get("/token", headers=service).json()

    def test_projects(self, client: TestClient, project: Headers) -> None:
        """A project is somebody to ``OptionalPrincipal``, and not looked at by those who ask for tokens."""
        assert {"name": "p1"} == client.get("/anyone", headers=project).json()
        assert {"name": "stranger"} == client.get("/token", headers=project).json()
        assert {"name": "stranger"} == client.get("/hello", headers=project | {"x-app-secret": "w"}).json()
        assert 401 == client.get("/anyone", headers=project | {"x-app-secret": "w"}).status_code


class TestShadow:
    @pytest.fixture
    def config(self, trusted: ag.Issuer) -> ag.GateConfig:
        """A gate that only reports."""
        return ag.GateConfig(issuers=[trusted], shadow=True)

    def test_lets_in_but_gives_nobody(self, app: FastAPI, client: TestClient) -> None:
        """Law 8.6: a refusal is not carried out, unless the endpoint cannot run without whom it asks for."""

        @app.get("/shadowed", dependencies=[requires(is_user)])
        async def shadowed(admission: CurrentAdmission) -> bool:
            return admission.refusal is not None

        assert (200, True) == (client.get("/shadowed").status_code, client.get("/shadowed").json())
        assert 401 == client.get("/me").status_code

    def test_what_an_endpoint_requires(self, app: FastAPI, client: TestClient) -> None:
        """It is not carried out; whoever is not there is refused as the request would be, and is no bug."""

        @app.get("/required", dependencies=[requires(is_user)])
        async def required(admission: CurrentAdmission) -> bool:
            admission.require(any_role("admin"))
            return admission.allows(any_role("admin"))

        @app.get("/held", dependencies=[requires(is_user)])
        async def held(admission: CurrentAdmission) -> str:
            return admission.user.id

        assert (200, False) == (client.get("/required").status_code, client.get("/required").json())
        assert (401, "credentials_missing") == (
            client.get("/held").status_code,
            client.get("/held").json()["code"],
        )
