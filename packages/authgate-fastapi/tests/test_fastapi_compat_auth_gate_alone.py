"""The older FastAPI client's application with its import line changed and nothing else: a realm that is asked."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
from authgate_core.gate.environment import EnvironmentGate
from authgate_core.testing import FakeIssuer
from authgate_fastapi import locate
from authgate_fastapi.compat.auth_gate import (
    AuthContext,
    AuthMiddleware,
    AuthMode,
    ServiceContext,
    UserContext,
    UserValidator,
    get_current_auth,
    get_current_user,
    require_admin,
    require_customer,
    require_moderator,
    require_supplier,
    require_supplier_or_admin,
    require_user_admin,
    require_user_customer,
    require_user_moderator,
    require_user_supplier,
    verify_hmac_signature,
)

Present = Callable[..., dict[str, str]]

CERTS = "/protocol/openid-connect/certs"
INTROSPECT = "/protocol/openid-connect/token/introspect"
GUARDS = {
    "admin": require_admin,
    "supplier": require_supplier,
    "customer": require_customer,
    "moderator": require_moderator,
    "supplier-or-admin": require_supplier_or_admin,
    "user-admin": require_user_admin,
    "user-supplier": require_user_supplier,
    "user-customer": require_user_customer,
    "user-moderator": require_user_moderator,
}


@pytest.fixture
def realm() -> Iterator[FakeIssuer]:
    """A realm that publishes its keys where Keycloak does."""
    with FakeIssuer(audience="orders-api") as realm:
        realm.answer(json.dumps(realm.jwks()).encode(), paths=[CERTS])
        yield realm


@pytest.fixture(autouse=True)
def environment(realm: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The older client's variables and none of ours, and no gate built yet."""
    for name, value in {
        "AUTH_MODE": "local_keycloak",
        "KEYCLOAK_REALM_URL": realm.url,
        "KEYCLOAK_CLIENT_ID": "orders-api",
        "KEYCLOAK_CLIENT_SECRET": "s3cret",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(locate, "_keycloak_environment", EnvironmentGate(ag.AsyncGate, "keycloak"))
    yield
    if locate._keycloak_environment.gate is not None:
        asyncio.run(locate._keycloak_environment.gate.aclose())


@pytest.fixture
def user(realm: FakeIssuer) -> Present:
    """The header of a user with roles of the realm."""

    def header(*roles: str, **claims: Any) -> dict[str, str]:
        told = {"typ": "Bearer", "preferred_username": "ada", "email": "ada@example.com", **claims}
        token = realm.token("u1", headers={"typ": "JWT"}, realm_access={"roles": list(roles)}, **told)
        return {"Authorization": f"Bearer {token}"}

    return header


@pytest.fixture
def service(user: Present) -> Present:
    """The header of a service account."""

    def header(*roles: str, **claims: Any) -> dict[str, str]:
        told = {"client_id": "billing", "azp": "billing", "sid": "s-1"}
        return user(*roles, preferred_username="service-account-billing", **told, **claims)

    return header


def guarded(app: FastAPI) -> FastAPI:
    """An endpoint for each of the older dependencies."""

    @app.get("/profile")
    async def profile(user: UserContext = Depends(get_current_user)) -> dict[str, Any]:
        return {"user_id": user.user_id, "username": user.username, "roles": user.roles}

    @app.get("/state")
    async def state(request: Request) -> dict[str, Any]:
        shown = request.state.user
        return {"service": shown.is_service, "roles": shown.roles}

    @app.get("/sensitive")
    async def sensitive(auth: AuthContext = Depends(verify_hmac_signature)) -> dict[str, bool]:
        return {"service": auth.is_service}

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    for name, guard in GUARDS.items():
        add(app, name, guard)
    return app


def add(app: FastAPI, name: str, guard: Any) -> None:
    """An endpoint behind a guard."""

    @app.get(f"/{name}")
    async def behind(auth: AuthContext = Depends(guard)) -> dict[str, Any]:
        return {"service": auth.is_service, "moderator": auth.is_moderator, "supplier": auth.is_supplier}


@pytest.fixture
def plain() -> TestClient:
    """Asks an application that has the dependencies alone."""
    return TestClient(guarded(FastAPI()))


@pytest.fixture
def behind() -> TestClient:
    """Asks one that has the middleware as well."""
    app = FastAPI()
    app.add_middleware(AuthMiddleware, excluded_paths={"/health"}, optional_auth_paths={"/open"})
    return TestClient(guarded(app))


class TestDependencies:
    def test_a_user(self, plain: TestClient, user: Present) -> None:
        """The gate is built from the variables, and verifies what the realm signs."""
        answer = plain.get("/profile", headers=user("buyer"))
        assert (200, {"user_id": "u1", "username": "ada", "roles": ["buyer"]}) == (
            answer.status_code,
            answer.json(),
        )
        assert "private" == answer.headers["cache-control"]

    def test_refusals(self, plain: TestClient, user: Present, service: Present) -> None:
        """With authgate's statuses and challenges."""
        nobody = plain.get("/profile")
        assert (401, "Bearer") == (nobody.status_code, nobody.headers["www-authenticate"].partition(" ")[0])
        assert 401 == plain.get("/profile", headers=user(aud="others")).status_code
        assert 403 == plain.get("/profile", headers=service()).status_code

    def test_the_gate_is_one(self, plain: TestClient, user: Present, realm: FakeIssuer) -> None:
        """Law 1.6: it is built once, so the keys are fetched once."""
        for _ in range(3):
            plain.get("/profile", headers=user())
        assert 1 == realm.hits[CERTS]

    @pytest.mark.parametrize(
        ("role", "opens"),
        [
            ("admin", set(GUARDS)),
            ("supplier", {"supplier", "supplier-or-admin", "user-supplier"}),
            ("customer", {"customer", "user-customer"}),
            ("moderator", {"moderator", "user-moderator"}),
            ("buyer", set()),
        ],
    )
    def test_what_a_role_opens(self, plain: TestClient, user: Present, role: str, opens: set[str]) -> None:
        """An admin has every role, as that client had it; other roles are their own."""
        answers = {name: plain.get(f"/{name}", headers=user(role)).status_code for name in GUARDS}
        assert {name: 200 if name in opens else 403 for name in GUARDS} == answers

    def test_a_service(self, plain: TestClient, service: Present) -> None:
        """It passes where users and services may, and nowhere as a user."""
        answers = {name: plain.get(f"/{name}", headers=service("admin")).status_code for name in GUARDS}
        assert {name: 403 if name.startswith("user-") else 200 for name in GUARDS} == answers
        shown = plain.get("/moderator", headers=service("admin")).json()
        assert {"service": True, "moderator": True, "supplier": False} == shown

    def test_a_signature_is_no_guard_of_its_own(self, plain: TestClient, user: Present) -> None:
        """Whatever the gateway signs is verified before anybody is believed, so nothing is left to verify here."""
        assert {"service": False} == plain.get("/sensitive", headers=user()).json()
        assert 401 == plain.get("/sensitive").status_code

    def test_a_websocket(self, user: Present) -> None:
        """Law 5.13: nothing would close it, so its app needs AuthGate(app), and the message says so."""
        app = FastAPI()

        @app.websocket("/ws")
        async def talk(websocket: WebSocket, auth: AuthContext = Depends(get_current_auth)) -> None:
            await websocket.accept()

        with (
            pytest.raises(ag.ConfigurationError, match=r"AuthGate\(app\)"),
            TestClient(app).websocket_connect("/ws", headers=user()),
        ):
            pass

    def test_without_variables(self, plain: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 1.6: what is missing is named."""
        monkeypatch.delenv("KEYCLOAK_REALM_URL")
        with pytest.raises(ag.ConfigurationError, match="KEYCLOAK_REALM_URL: is not set"):
            plain.get("/profile")


class TestMiddleware:
    def test_it_brings_the_gate(self, behind: TestClient, user: Present, realm: FakeIssuer) -> None:
        """To every route and to the guards behind it, which verify nothing again."""
        assert {"service": False, "roles": ["buyer"]} == behind.get("/state", headers=user("buyer")).json()
        answer = behind.get("/profile", headers=user("buyer"))
        assert ("u1", "private") == (answer.json()["user_id"], answer.headers["cache-control"])
        assert 1 == realm.hits[CERTS]

    def test_refusals(self, behind: TestClient, user: Present) -> None:
        """Nobody gets as far as a router."""
        for path in ("/state", "/profile", "/nowhere"):
            assert 401 == behind.get(path).status_code
        assert 401 == behind.get("/state", headers=user(aud="others")).status_code
        assert 200 == behind.get("/health").status_code

    def test_a_websocket(self, user: Present) -> None:
        """The middleware watches over it, as AuthGate(app) would."""
        app = FastAPI()
        app.add_middleware(AuthMiddleware)

        @app.websocket("/ws")
        async def talk(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text(websocket.state.user.user_id)
            await websocket.close()

        client = TestClient(app)
        with client.websocket_connect("/ws", headers=user()) as socket:
            assert "u1" == socket.receive_text()
        with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect("/ws"):
            pass
        assert 401 == caught.value.status_code

    def test_around_an_app(self, user: Present) -> None:
        """It may also stand around an application of any kind."""
        client = TestClient(AuthMiddleware(guarded(FastAPI())))
        assert {"service": False, "roles": []} == client.get("/state", headers=user()).json()
        assert 401 == client.get("/state").status_code


class TestValidator:
    @pytest.fixture
    def validator(self) -> Iterator[UserValidator]:
        """One that asks the environment how."""
        validator = UserValidator()
        yield validator
        asyncio.run(validator.close())

    def bare(self, header: dict[str, str]) -> str:
        """The token of a header."""
        return header["Authorization"].partition(" ")[2]

    def test_a_user(self, validator: UserValidator, user: Present) -> None:
        """What a token says of a user."""
        context = asyncio.run(validator.validate_keycloak_token(self.bare(user("buyer", sid="s-1"))))
        assert isinstance(context, UserContext)
        assert ("u1", "ada", "s-1", False) == (
            context.user_id,
            context.username,
            context.session_id,
            context.is_service,
        )
        assert (False, False, False) == (context.is_admin, context.is_supplier, context.is_customer)

    def test_a_service(self, validator: UserValidator, service: Present) -> None:
        """What a token says of a service: its client, and no scope."""
        context = asyncio.run(validator.validate_keycloak_token(self.bare(service("admin", scope="a b"))))
        assert isinstance(context, ServiceContext)
        assert ("billing", "s-1", True) == (context.client_id, context.session_id, context.is_admin)
        assert (False, False, False) == (
            context.has_scope("a"),
            context.has_any_scope(["a"]),
            context.is_customer,
        )

    def test_an_admin(self, validator: UserValidator, user: Present) -> None:
        """Has every role that is asked for, and is no customer."""
        context = asyncio.run(validator.validate_keycloak_token(self.bare(user("admin"))))
        assert (True, True, True) == (context.is_admin, context.is_supplier, context.is_moderator)
        assert (True, False) == (context.has_all_roles(["supplier", "anything"]), context.is_customer)

    def test_a_bad_token(self, validator: UserValidator, user: Present) -> None:
        """An HTTPException, as that client raised, and authgate's outcome as well."""
        with pytest.raises(HTTPException) as caught:
            asyncio.run(validator.validate_keycloak_token(self.bare(user(exp=1))))
        assert 401 == caught.value.status_code
        assert isinstance(caught.value, ag.TokenExpired)

    def test_direct(self, user: Present, realm: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its own mode stands before that of the environment: here Keycloak is asked about the token."""
        monkeypatch.setenv("AUTH_MODE", "kong_headers")
        header = user("buyer")
        claims = {**realm.claims("u1"), "active": True, "typ": "Bearer", "username": "ada"}
        realm.answer(json.dumps(claims).encode(), paths=[INTROSPECT])
        validator = UserValidator(mode=AuthMode.DIRECT_KEYCLOAK)
        context = asyncio.run(validator.validate_keycloak_token(self.bare(header)))
        asyncio.run(validator.close())
        assert isinstance(context, UserContext)
        assert 1 == realm.hits[INTROSPECT]

    def test_a_realm_that_is_down(self, validator: UserValidator, user: Present, realm: FakeIssuer) -> None:
        """Law 1.5: 503 and not 401."""
        token = self.bare(user())
        realm.stop()
        with pytest.raises(HTTPException) as caught:
            asyncio.run(validator.validate_keycloak_token(token))
        assert 503 == caught.value.status_code

    def test_a_gate_of_ones_own(self, user: Present, realm: FakeIssuer) -> None:
        """Which is left to its owner."""

        async def asked() -> AuthContext:
            trusted = ag.Issuer.keycloak(realm.url, audience="orders-api")
            async with (
                ag.AsyncGate(ag.GateConfig(issuers=[trusted])) as gate,
                UserValidator(gate=gate) as validator,
            ):
                return await validator.validate_keycloak_token(self.bare(user()))

        assert "u1" == getattr(asyncio.run(asked()), "user_id", None)

    def test_a_gate_that_verifies_no_tokens(self, user: Present) -> None:
        """Law 1.6: it says what to write, and takes no token for a bad one."""

        async def asked() -> None:
            projects = ag.StaticProjects({"shop": {"secret": "a-chosen-secret-of-thirty-two-characters"}})
            async with ag.AsyncGate(ag.GateConfig(projects=projects)) as gate:
                await UserValidator(gate=gate).validate_keycloak_token(self.bare(user()))

        with pytest.raises(ag.ConfigurationError, match=r"mode=AuthMode\.DIRECT_KEYCLOAK"):
            asyncio.run(asked())

    def test_no_bypass(self) -> None:
        """Law 9.6: there is none, and the message says what tests have instead."""
        with pytest.raises(ag.ConfigurationError, match=r"as_user\(...\) in authgate_core.testing"):
            UserValidator(mode=AuthMode.BYPASS)
