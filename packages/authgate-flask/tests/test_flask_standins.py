from collections.abc import Callable

import pytest
from flask import Flask

from authgate_core import (
    Gate,
    GateConfig,
    MemoryRevocation,
    any_role,
    is_project,
    is_service,
    is_user,
    same_tenant,
)
from authgate_core.testing import as_project, as_service, as_user, gate_for_tests
from authgate_flask import (
    AuthGate,
    current_admission,
    current_gate,
    current_project,
    current_service,
    current_user,
    flask_combined_auth,
    requires,
)

Headers = dict[str, str]


@pytest.fixture
def gate(config: GateConfig) -> Gate:
    """A gate in which callers can be stood in for."""
    return gate_for_tests(
        GateConfig(issuers=config.issuers, projects=config.projects, revocation=MemoryRevocation())
    )


@pytest.fixture
def app(gate: Gate) -> Flask:
    """An application for users by default, with views for others."""
    app = Flask("orders")
    app.testing = True
    AuthGate(app, gate=gate, default=is_user)

    @app.get("/me")
    def me() -> Headers:
        return {"id": current_user.id}

    @app.get("/async")
    @requires(is_user)
    async def view() -> Headers:
        return {"id": current_user.id}

    @app.get("/job")
    @requires(is_service)
    async def job() -> Headers:
        return {"id": current_service.id}

    @app.get("/both")
    @flask_combined_auth()
    def both() -> Headers:
        return {"user": current_user.id, "project": current_project.id}

    return app


class TestStandIns:
    """Law 9.6: in tests somebody stands in for a caller, and all that comes after verification runs."""

    @pytest.mark.parametrize("path", ["/me", "/async"])
    def test_a_user(self, app: Flask, path: str) -> None:
        """In sync and async views, behind a guard or the default, until the block ends."""
        client = app.test_client()
        with as_user("u7"):
            assert {"id": "u7"} == client.get(path).json
        assert 401 == client.get(path).status_code

    def test_services_and_projects(self, app: Flask) -> None:
        """Each kind by itself or together."""
        client = app.test_client()
        with as_service("s7"):
            assert {"id": "s7"} == client.get("/job").json
            assert 403 == client.get("/me").status_code
        with as_user("u7"), as_project("p7"):
            assert {"user": "u7", "project": "p7"} == client.get("/both").json

    def test_policies_run(self, app: Flask) -> None:
        """Roles, path parameters, and what a view asks of the admission."""
        app.add_url_rule("/admin", "admin", requires(any_role("admin"))(lambda: "in"))
        app.add_url_rule("/t/<t>", "tenant", requires(is_user & same_tenant(path="t"))(lambda t: t))

        @app.get("/asked")
        @requires(is_user)
        def asked() -> dict[str, bool]:
            current_admission.require(is_user)
            return {"admin": current_admission.allows(any_role("admin"))}

        client = app.test_client()
        with as_user(roles=["admin"], tenant="a"):
            assert [200, 200, 403] == [client.get(path).status_code for path in ("/admin", "/t/a", "/t/b")]
            assert {"admin": True} == client.get("/asked").json
        with as_user():
            assert 403 == client.get("/admin").status_code
            assert {"admin": False} == client.get("/asked").json

    def test_revocation_runs(self, app: Flask) -> None:
        """Whose session was revoked may not stand in."""
        client = app.test_client()
        with as_user("u7", claims={"sid": "session7"}):
            assert 200 == client.get("/me").status_code
            with app.app_context():
                current_gate.revocations.revoke_session("session7")
            assert 401 == client.get("/me").status_code

    def test_no_other_gate_sees_them(self, config: GateConfig, bearer: Callable[..., Headers]) -> None:
        """An application with a gate of the ordinary kind asks for credentials."""
        app = Flask("orders")
        with Gate(config) as gate:
            AuthGate(app, gate=gate, default=is_user | is_project)
            app.add_url_rule("/", view_func=lambda: {"id": current_user.id})
            client = app.test_client()
            with as_user("u7"), as_project("p7"):
                assert 401 == client.get("/").status_code
                assert {"id": "u1"} == client.get("/", headers=bearer()).json
