"""What users of the older FastAPI client have, with the import line changed, behind an issuer that is asked."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_fastapi import OLDER_EXCLUSIONS, AuthGate
from authgate_fastapi.compat.auth_gate import (
    AuthContext,
    AuthMiddleware,
    ServiceContext,
    UserContext,
    get_current_auth,
    get_current_service,
    get_current_user,
    get_optional_auth,
    get_optional_user,
    require_admin,
    require_roles,
    require_scopes,
    require_service_roles,
    require_user_roles,
)

Present = Callable[..., dict[str, str]]

SERVICE = {"sub": "s1", "gty": "client-credentials", "client_id": "billing"}


@pytest.fixture
def present() -> Iterator[tuple[Present, FakeIssuer]]:
    """Makes the header that presents a token of an issuer on loopback."""
    with FakeIssuer(audience="orders-api") as issuer:

        def header(**shape: Any) -> dict[str, str]:
            return {"Authorization": f"Bearer {issuer.token(**shape)}"}

        yield header, issuer


@pytest.fixture
def app(present: tuple[Present, FakeIssuer]) -> FastAPI:
    """The older client's application: its middleware, and an endpoint for each of its dependencies."""
    issuer = present[1]
    app = FastAPI()
    trusted = ag.Issuer.jwks(
        f"{issuer.url}/jwks",
        issuer=issuer.url,
        audience="orders-api",
        service_when={"gty": "client-credentials"},
    )
    AuthGate(app, config=ag.GateConfig(issuers=[trusted]))
    app.add_middleware(
        AuthMiddleware,
        excluded_paths={"/health"},
        excluded_prefixes={"/docs": {"GET"}},
        optional_auth_paths={"/api/products"},
    )
    add_callers(app)
    add_roles(app)
    return app


def add_callers(app: FastAPI) -> None:
    """Endpoints that ask who calls."""

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @app.get("/api/profile")
    async def get_profile(user: UserContext = Depends(get_current_user)) -> dict[str, Any]:
        return {"user_id": user.user_id, "username": user.username, "roles": user.roles}

    @app.post("/api/internal/sync")
    async def sync_data(service: ServiceContext = Depends(get_current_service)) -> dict[str, Any]:
        return {"status": "syncing", "service": service.service_name}

    @app.get("/api/data")
    async def get_data(auth: AuthContext = Depends(get_current_auth)) -> dict[str, Any]:
        if isinstance(auth, UserContext):
            return {"data": "filtered", "user_id": auth.user_id}
        return {"data": "full", "service": auth.service_name, "is_service": auth.is_service}

    @app.get("/api/products")
    async def products(
        request: Request,
        auth: AuthContext | None = Depends(get_optional_auth),
        user: UserContext | None = Depends(get_optional_user),
    ) -> dict[str, Any]:
        state = request.state.user
        return {
            "auth": auth and auth.is_service,
            "user": user and user.user_id,
            "state": state and state.is_service,
        }


def add_roles(app: FastAPI) -> None:
    """Endpoints that ask for roles and scopes."""
    require_supplier_or_admin = require_roles("supplier", "admin")
    require_user_supplier = require_user_roles("supplier")
    require_data_processor = require_service_roles("data-processor")
    require_write = require_scopes("write", "publish")

    @app.get("/roles")
    async def roles(auth: AuthContext = Depends(require_supplier_or_admin)) -> bool:
        return auth.is_service

    @app.get("/user-roles")
    async def user_roles(user: UserContext = Depends(require_user_supplier)) -> str:
        return user.user_id

    @app.get("/service-roles")
    async def service_roles(service: ServiceContext = Depends(require_data_processor)) -> str:
        return service.service_name

    @app.get("/scopes")
    async def scopes(user: UserContext = Depends(require_write)) -> str:
        return user.user_id

    @app.get("/admin")
    async def admin(auth: AuthContext = Depends(require_admin)) -> bool:
        return auth.is_admin


class TestExamples:
    @pytest.fixture
    def client(self, app: FastAPI) -> Iterator[TestClient]:
        """Asks the application."""
        with TestClient(app) as client:
            yield client

    @pytest.fixture
    def header(self, present: tuple[Present, FakeIssuer]) -> Present:
        """Presents a token."""
        return present[0]

    def test_users(self, client: TestClient, header: Present) -> None:
        """Their id, name and roles; a service gets 403."""
        ann = header(sub="ann", preferred_username="ann@shop", roles=["supplier"])
        profile = {"user_id": "ann", "username": "ann@shop", "roles": ["supplier"]}
        assert profile == client.get("/api/profile", headers=ann).json()
        assert {"data": "filtered", "user_id": "ann"} == client.get("/api/data", headers=ann).json()
        assert 403 == client.get("/api/profile", headers=header(**SERVICE)).status_code

    def test_services(self, client: TestClient, header: Present) -> None:
        """Their name; a user gets 403."""
        sync = {"status": "syncing", "service": "billing"}
        assert sync == client.post("/api/internal/sync", headers=header(**SERVICE)).json()
        data = {"data": "full", "service": "billing", "is_service": True}
        assert data == client.get("/api/data", headers=header(**SERVICE)).json()
        assert 403 == client.post("/api/internal/sync", headers=header()).status_code

    def test_paths(self, client: TestClient) -> None:
        """Excluded ones are open, by method where one is named; every other asks, one that is not there too."""
        assert {"status": "healthy"} == client.get("/health").json()
        assert [200, 401] == [client.request(method, "/docs").status_code for method in ("GET", "POST")]
        assert [401, 401, 401] == [
            client.get(path).status_code for path in ("/api/data", "/docs-x", "/nothing")
        ]

    def test_optional(self, client: TestClient, header: Present) -> None:
        """Nobody, a user, a service; what is presented and wrong is refused."""
        answers = [
            client.get("/api/products", headers=one).json() for one in ({}, header(), header(**SERVICE))
        ]
        assert [
            {"auth": None, "user": None, "state": None},
            {"auth": False, "user": "u1", "state": False},
            {"auth": True, "user": None, "state": True},
        ] == answers
        assert 401 == client.get("/api/products", headers=header(expires_in=-3600)).status_code

    @pytest.mark.parametrize(
        ("path", "good", "bad"),
        [
            ("/roles", [{"roles": ["supplier"]}, {"roles": ["admin"], **SERVICE}], [{"roles": ["clerk"]}]),
            ("/user-roles", [{"roles": ["supplier"]}], [{"roles": ["supplier"], **SERVICE}, {}]),
            ("/service-roles", [{"roles": ["data-processor"], **SERVICE}], [{"roles": ["data-processor"]}]),
            (
                "/scopes",
                [{"scope": "write publish"}],
                [{"scope": "write"}, {"scope": "write publish", **SERVICE}],
            ),
            ("/admin", [{"roles": ["admin"]}, {"roles": ["admin"], **SERVICE}], [{"roles": ["supplier"]}]),
        ],
    )
    def test_roles(self, client: TestClient, header: Present, path: str, good: Any, bad: Any) -> None:
        """Whoever has them, of the kind that is asked for."""
        assert [200] * len(good) == [client.get(path, headers=header(**one)).status_code for one in good]
        assert [403] * len(bad) == [client.get(path, headers=header(**one)).status_code for one in bad]

    def test_refusals(self, client: TestClient, header: Present) -> None:
        """They have a ``detail``, as they had."""
        assert {"detail", "code"} <= {*client.get("/api/data").json()}
        assert "detail" in client.get("/admin", headers=header()).json()


class TestMiddleware:
    def test_its_own_exclusions(self, gate: ag.AsyncGate) -> None:
        """Where none are given, as they were; prefixes by whole segments (Law 8.7)."""
        app = FastAPI(docs_url="/api/docs")
        AuthGate(app, gate=gate)
        app.add_middleware(AuthMiddleware)
        for path in OLDER_EXCLUSIONS["excluded_paths"] - {"/openapi.json"}:
            app.get(path)(lambda: None)
        client = TestClient(app)
        opened = ("/health", "/metrics", "/openapi.json", "/favicon.ico", "/api/docs")
        assert [200] * 5 == [client.get(path).status_code for path in opened]
        assert [404, 401, 401] == [
            client.get(path).status_code for path in ("/static/x", "/static-admin", "/health/x")
        ]

    def test_none_on_purpose(self, gate: ag.AsyncGate) -> None:
        """An empty set excludes nothing."""
        app = FastAPI()
        AuthGate(app, gate=gate)
        app.add_middleware(AuthMiddleware, excluded_paths=set(), excluded_prefixes=set())
        assert 401 == TestClient(app).get("/openapi.json").status_code

    def test_around_the_application(self, gate: ag.AsyncGate, user: dict[str, str]) -> None:
        """It may stand outside of everything, as any ASGI middleware."""
        app = FastAPI()
        AuthGate(app, gate=gate)

        @app.get("/")
        async def route(request: Request) -> str:
            assert isinstance(request.state.user, UserContext)
            return request.state.user.user_id

        client = TestClient(AuthMiddleware(app))
        assert "u1" == client.get("/", headers=user).json()
        assert 401 == client.get("/").status_code


class TestContexts:
    @pytest.fixture
    def user(self) -> UserContext:
        """A user with roles, two of them by a hierarchy."""
        return UserContext(
            ag.User(
                id="ann",
                issuer="test",
                username="ann@shop",
                email="ann@example.com",
                session_id="z1",
                client_id="web",
                roles=["admin"],
                scopes=["read", "write"],
                implied_roles=frozenset({"admin", "clerk"}),
                source="bearer",
            )
        )

    @pytest.fixture
    def service(self) -> ServiceContext:
        """A service."""
        return ServiceContext(
            ag.Service(id="s1", issuer="test", name="billing", roles=["clerk"], source="bearer")
        )

    def test_a_user(self, user: UserContext) -> None:
        """Every attribute."""
        shown = {
            "user_id": "ann",
            "username": "ann@shop",
            "email": "ann@example.com",
            "roles": ["admin"],
            "scopes": ["read", "write"],
            "session_id": "z1",
            "client_id": "web",
            "auth_source": "bearer",
        }
        assert (shown, shown, False, True) == (user.to_dict(), dict(user), user.is_service, user.is_admin)

    def test_a_service(self, service: ServiceContext) -> None:
        """Every attribute; its name is its client or its id where it has none."""
        shown = {"service_name": "billing", "service_id": "s1", "roles": ["clerk"], "client_id": None}
        assert ({**shown, "auth_source": "bearer"}, True, False) == (
            dict(service),
            service.is_service,
            service.is_admin,
        )
        others = [ag.Service(id="s1", issuer="test", client_id=client) for client in ("c1", None)]
        assert ["c1", "s1"] == [ServiceContext(other).service_name for other in others]

    def test_roles_and_scopes(self, user: UserContext) -> None:
        """Several are given as a list; what a hierarchy implies counts (Law 8.5), and of none the answer is no."""
        assert [True, True, False] == [user.has_role(role) for role in ("admin", "clerk", "x")]
        assert [True, False, False] == [user.has_any_role(roles) for roles in (["x", "clerk"], ["x"], [])]
        assert [True, False, False] == [
            user.has_all_roles(roles) for roles in (["admin", "clerk"], ["admin", "x"], [])
        ]
        assert [True, False] == [user.has_scope(scope) for scope in ("read", "x")]
        assert [True, False, False] == [user.has_any_scope(scopes) for scopes in (["x", "read"], ["x"], [])]

    def test_views_are_read_only(self, user: UserContext) -> None:
        """Law 7.2: what it shows is a copy."""
        user.roles.append("root")
        assert ["admin"] == user.roles
        with pytest.raises(AttributeError):
            user.user_id = "bob"  # type: ignore[misc]  # that is the mistake
        with pytest.raises(AttributeError):
            user.extra = 1  # type: ignore[attr-defined]  # as above

    def test_equality(self, user: UserContext, service: ServiceContext) -> None:
        """As of principals: by who it is."""
        same = UserContext(ag.User(id="ann", issuer="test"))
        assert (True, False, False) == (user == same, user == service, user == "ann")
        assert 1 == len({user, same})
        assert "UserContext(User(id='ann', issuer='test'))" == repr(user)

    def test_responses(self, app: FastAPI, present: tuple[Present, FakeIssuer]) -> None:
        """Returned, they show their attributes and no claims, declared or not."""

        @app.get("/typed")
        async def typed(user: UserContext = Depends(get_current_user)) -> UserContext:
            return user

        @app.get("/untyped")
        async def untyped(user: UserContext = Depends(get_current_user)):  # type: ignore[no-untyped-def]  # noqa: ANN202
            return {"user": user}

        headers = present[0](sub="ann", department="toys")
        with TestClient(app) as client:
            shown = client.get("/typed", headers=headers).json()
            assert shown == client.get("/untyped", headers=headers).json()["user"]
            assert ("ann", False) == (shown["user_id"], "department" in shown)
            schema = app.openapi()["components"]["schemas"]["UserContext"]
        assert {*shown} == {*schema["properties"]}
