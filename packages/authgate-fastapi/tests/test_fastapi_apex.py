"""An apex in FastAPI: two logins, and users with their metadata (docs/adr/0032)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

import authgate_core as ag
from authgate_core.apex import AsyncAuthApiProvider, AsyncAuthCodeApi, LoginStates, ServiceUser
from authgate_core.testing import FakeApex, FakeIssuer, ManualClock
from authgate_core.testing.apex import CODE_PATH, LOGIN_PATH, USER_PATH
from authgate_fastapi import AuthGate
from authgate_fastapi.apex import apex_router, service_user, user_metadata

ORDERS = "orders"
SECRET = "the-secret-of-the-client"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Rights(BaseModel):
    """What the service keeps about its users."""

    approves: bool
    limit: int = 100


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the gate."""
    return ManualClock()


@pytest.fixture
def apex() -> Iterator[FakeApex]:
    """An apex that is served, with a client."""
    with FakeApex() as served:
        served.add_service(ORDERS)
        served.add_client("orders-web", SECRET)
        yield served


@pytest.fixture
def make(apex: FakeApex, clock: ManualClock) -> Callable[..., TestClient]:
    """Makes apps around it."""

    def new(**options: Any) -> TestClient:
        issuer = ag.Issuer.apex(apex.url, audience=ag.ANY_AUDIENCE, service=ORDERS, metadata=Rights)
        app = FastAPI()
        AuthGate(app, gate=ag.AsyncGate(ag.GateConfig(issuers=[issuer]), clock=clock), **options)
        provider = AsyncAuthApiProvider(apex.url, service=ORDERS, metadata=Rights)
        codes = AsyncAuthCodeApi(apex.url, ag.ClientSecret("orders-web", SECRET))
        app.include_router(apex_router(provider, codes, states=LoginStates(SECRET)))

        @app.get("/rights")
        async def rights(kept: Annotated[Rights, Depends(user_metadata(Rights))]) -> dict[str, Any]:
            return kept.model_dump()

        @app.get("/approvals")
        async def approvals(
            kept: Annotated[Rights, Depends(user_metadata(Rights, ag.has_metadata("approves", True)))],
        ) -> dict[str, Any]:
            return kept.model_dump()

        @app.get("/me")
        async def me(user: Annotated[ServiceUser[Rights], Depends(service_user(Rights))]) -> dict[str, Any]:
            kept = None if user.metadata is None else user.metadata.model_dump()
            who = user.user
            return {
                "id": who.id,
                "name": who.name,
                "admin": [who.is_admin, user.is_service_admin],
                "metadata": kept,
            }

        return TestClient(app)

    return new


@pytest.fixture
def client(make: Callable[..., TestClient]) -> TestClient:
    """The app as it comes."""
    return make()


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def _me(config: ag.GateConfig) -> TestClient:
    app = FastAPI()
    AuthGate(app, gate=ag.AsyncGate(config))

    @app.get("/me")
    async def me(user: Annotated[ServiceUser[Rights], Depends(service_user(Rights))]) -> str:
        return user.user.id

    return TestClient(app)


def begun(client: TestClient, challenge: str = CHALLENGE) -> str:
    """The state of a login that was begun."""
    response = client.post("/auth/login/begin", json={"code_challenge": challenge})
    assert 200 == response.status_code
    state: str = response.json()["state"]
    return state


class TestMetadata:
    def test_what_the_service_keeps(self, client: TestClient, apex: FakeApex) -> None:
        """In its own form, with one question about the user and one about the service, and then none."""
        ada = apex.add_user(metadata={ORDERS: {"approves": True}})
        token = apex.token(ada)

        answers = [
            client.get(path, headers=bearer(token)).json() for path in ("/rights", "/approvals", "/rights")
        ]

        assert [{"approves": True, "limit": 100}] * 3 == answers
        assert {USER_PATH: 1, f"/services/{ORDERS}/users/{ada}": 1} == apex.hits

    def test_who_has_none(self, client: TestClient, apex: FakeApex) -> None:
        """Is a user who may not do this."""
        token = apex.token(apex.add_user())

        assert 403 == client.get("/rights", headers=bearer(token)).status_code
        assert 200 == client.get("/me", headers=bearer(token)).status_code

    def test_who_has_other_metadata(self, client: TestClient, apex: FakeApex) -> None:
        """A policy beside it is judged as well."""
        token = apex.token(apex.add_user(metadata={ORDERS: {"approves": False}}))

        assert 200 == client.get("/rights", headers=bearer(token)).status_code
        assert 403 == client.get("/approvals", headers=bearer(token)).status_code

    def test_who_it_is(self, client: TestClient, apex: FakeApex) -> None:
        """With both flags, and with metadata or without."""
        ada = apex.add_user("ada", metadata={ORDERS: {"approves": True}}, admin_of=[ORDERS])
        root = apex.add_user("root", is_admin=True)

        first = client.get("/me", headers=bearer(apex.token(ada))).json()
        second = client.get("/me", headers=bearer(apex.token(root))).json()

        rights = {"approves": True, "limit": 100}
        assert {"id": ada, "name": "Ada Example", "admin": [False, True], "metadata": rights} == first
        assert {"id": root, "name": "Root Example", "admin": [True, False], "metadata": None} == second

    def test_a_user_of_another_issuer(self, apex: FakeApex) -> None:
        """Law 3.14: is not the user of the apex who has the same id, and no admin of it by a role of the same name."""
        with FakeIssuer(audience="api") as other:
            issuers = [
                ag.Issuer.apex(apex.url, audience=ag.ANY_AUDIENCE, service=ORDERS, namespace="apex:"),
                ag.Issuer.oidc(other.url, audience="api", roles="roles", namespace="other:"),
            ]
            client = _me(ag.GateConfig(issuers=issuers))
            ada = apex.add_user("ada")

            assert 200 == client.get("/me", headers=bearer(apex.token(ada))).status_code
            token = other.token(ada, roles=["admin", "service_admin"])
            assert 403 == client.get("/me", headers=bearer(token)).status_code

    def test_a_gate_without_an_apex(self) -> None:
        """Law 1.6: is a mistake, and nobody's refusal."""
        with FakeIssuer(audience="api") as other:
            client = _me(ag.GateConfig(issuers=[ag.Issuer.oidc(other.url, audience="api")]))

            with pytest.raises(ag.ConfigurationError, match=r"Issuer\.apex"):
                client.get("/me", headers=bearer(other.token("u1")))

    def test_nobody(self, client: TestClient) -> None:
        """Without a token, or with one that is nobody's: 401, and no reason."""
        assert 401 == client.get("/me").status_code
        refused = client.get("/rights", headers=bearer("nobody"))
        assert (401, "token_invalid") == (refused.status_code, refused.json()["code"])

    def test_an_outage(self, client: TestClient, apex: FakeApex) -> None:
        """Law 1.5: is 503, where the older client had 401."""
        token = apex.token(apex.add_user())
        apex.outage()

        assert 503 == client.get("/me", headers=bearer(token)).status_code


class TestPassword:
    def test_a_login(self, client: TestClient, apex: FakeApex) -> None:
        """Gives a token that the gate takes, and that nobody stores."""
        ada = apex.add_user("ada", password="pa ss&wörd")

        response = client.post("/auth/login", data={"username": "ada", "password": "pa ss&wörd", "scope": ""})

        assert (200, "Bearer", "no-store") == (
            response.status_code,
            response.json()["token_type"],
            response.headers["cache-control"],
        )
        me = client.get("/me", headers=bearer(response.json()["access_token"]))
        assert ada == me.json()["id"]

    def test_refused(self, client: TestClient) -> None:
        """401 with a challenge, and the same words whatever was wrong."""
        response = client.post("/auth/login", data={"username": "ada", "password": "pa55"})

        assert (401, "login_refused", 'Bearer realm="api"', "no-store") == (
            response.status_code,
            response.json()["code"],
            response.headers["www-authenticate"],
            response.headers["cache-control"],
        )
        assert "pa55" not in response.text

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "username=ada",
            "username=ada&password=",
            "username=ada&password=pa55&password=pa55",
            "username=ada&username=bob&password=pa55",
            "username=%ff&password=pa55",
            "username=ada&password=pa55&" + "x" * 17_000,
            "&".join(f"x{number}=" for number in range(200)),
        ],
    )
    def test_forms_that_are_none(self, client: TestClient, apex: FakeApex, body: str) -> None:
        """Law 2.2: 400, and the apex is asked nothing."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}

        response = client.post("/auth/login", content=body, headers=form)

        assert (400, "credentials_malformed") == (response.status_code, response.json()["code"])
        assert "pa55" not in response.text
        assert 0 == apex.hits[LOGIN_PATH]

    def test_another_form(self, client: TestClient, apex: FakeApex) -> None:
        """A password stands in a form, and nowhere else."""
        shown = {"username": "ada", "password": "pa55"}

        assert 400 == client.post("/auth/login", json=shown).status_code
        assert 400 == client.post("/auth/login", params=shown).status_code
        assert 0 == apex.hits[LOGIN_PATH]

    def test_an_outage(self, client: TestClient, apex: FakeApex) -> None:
        """Law 1.5: is no refusal."""
        apex.outage()

        response = client.post("/auth/login", data={"username": "ada", "password": "pa55"})

        assert (503, "unavailable") == (response.status_code, response.json()["code"])


class TestCode:
    def test_a_login(self, client: TestClient, apex: FakeApex) -> None:
        """The code stands in the body; state and verifier are of the login that was begun."""
        ada = apex.add_user("ada")
        code = apex.code(ada)

        shown = {"code": code, "state": begun(client), "code_verifier": VERIFIER}
        response = client.post("/auth/login/code", json=shown)

        assert 200 == response.status_code
        assert ada == client.get("/me", headers=bearer(response.json()["access_token"])).json()["id"]
        client_of = {"client_id": "orders-web", "client_secret": SECRET}
        assert [{"code": code, "code_verifier": VERIFIER, **client_of}] == apex.received

    @pytest.mark.parametrize("changed", [{"state": "made-up"}, {"code_verifier": "x" * 43}])
    def test_of_somebody_else(self, client: TestClient, apex: FakeApex, changed: dict[str, str]) -> None:
        """A state that was not handed out, or not to whoever has this verifier: the code is not exchanged."""
        shown = {"code": apex.code(apex.add_user()), "state": begun(client), "code_verifier": VERIFIER}

        response = client.post("/auth/login/code", json={**shown, **changed})

        assert (401, "login_refused") == (response.status_code, response.json()["code"])
        assert 0 == apex.hits[CODE_PATH]
        assert 200 == client.post("/auth/login/code", json=shown).status_code

    def test_too_late(self, client: TestClient, apex: FakeApex, clock: ManualClock) -> None:
        """Ten minutes are enough to log in."""
        shown = {"code": apex.code(apex.add_user()), "state": begun(client), "code_verifier": VERIFIER}
        clock.advance(601)

        assert 401 == client.post("/auth/login/code", json=shown).status_code
        assert 0 == apex.hits[CODE_PATH]

    @pytest.mark.parametrize("left_out", ["code", "state", "code_verifier"])
    def test_bodies_that_are_none(self, client: TestClient, apex: FakeApex, left_out: str) -> None:
        """Law 2.2: without one of the three, in the URL, twice, or of another type: 400."""
        shown = {"code": apex.code(apex.add_user()), "state": begun(client), "code_verifier": VERIFIER}
        rest = {name: value for name, value in shown.items() if name != left_out}

        answers = [
            client.post("/auth/login/code", json=rest),
            client.post("/auth/login/code", json={**rest, left_out: 7}),
            client.post("/auth/login/code", json=rest, params={left_out: shown[left_out]}),
            client.post("/auth/login/code", data=shown),
            client.post("/auth/login/code", params=shown),
        ]

        assert [400] * 5 == [answer.status_code for answer in answers]
        assert 0 == apex.hits[CODE_PATH]

    def test_a_challenge_that_is_none(self, client: TestClient) -> None:
        """Begins nothing."""
        response = client.post("/auth/login/begin", json={"code_challenge": "plain"})

        assert (400, "credentials_malformed") == (response.status_code, response.json()["code"])

    def test_only_by_password(self, apex: FakeApex) -> None:
        """Without codes there is no login by code; with codes there have to be states."""
        provider = AsyncAuthApiProvider(apex.url, service=ORDERS, metadata=Rights)
        codes = AsyncAuthCodeApi(apex.url, ag.ClientSecret("orders-web", SECRET))

        paths = [getattr(route, "path", "") for route in apex_router(provider, prefix="/in").routes]

        assert ["/in/login"] == paths
        with pytest.raises(ag.ConfigurationError, match="needs both"):
            apex_router(provider, codes)
        with pytest.raises(ag.ConfigurationError, match="needs both"):
            apex_router(provider, states=LoginStates(SECRET))


class TestRouter:
    def test_a_default_lets_logins_pass(self, make: Callable[..., TestClient], apex: FakeApex) -> None:
        """Law 8.6: they are public, whatever the app asks of everything else."""
        apex.add_user("ada", password="pa55")
        client = make(default=ag.is_user)

        assert 200 == client.post("/auth/login", data={"username": "ada", "password": "pa55"}).status_code
        assert begun(client)

    def test_it_is_described(self, client: TestClient) -> None:
        """OpenAPI names what each body holds, and no security."""
        paths = client.get("/openapi.json").json()["paths"]

        bodies = {path: paths[path]["post"]["requestBody"]["content"] for path in paths if "/login" in path}
        assert {
            "/auth/login": ["application/x-www-form-urlencoded", ["username", "password"]],
            "/auth/login/begin": ["application/json", ["code_challenge"]],
            "/auth/login/code": ["application/json", ["code", "state", "code_verifier"]],
        } == {path: [*body, next(iter(body.values()))["schema"]["required"]] for path, body in bodies.items()}
        assert "security" not in paths["/auth/login"]["post"]

    def test_without_a_gate(self, apex: FakeApex) -> None:
        """Law 1.6: the missing line is named."""
        app = FastAPI()
        app.include_router(apex_router(AsyncAuthApiProvider(apex.url, service=ORDERS, metadata=Rights)))

        with pytest.raises(ag.ConfigurationError, match="AuthGate"):
            TestClient(app).post("/auth/login", data={"username": "ada", "password": "pa55"})
