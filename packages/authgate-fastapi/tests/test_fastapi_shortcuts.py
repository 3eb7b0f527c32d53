import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Response, WebSocket
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import is_user
from authgate_core.gate.environment import EnvironmentGate
from authgate_core.testing import FakeIssuer
from authgate_fastapi import (
    AuthGate,
    fastapi_combined_auth,
    fastapi_jwt_auth,
    fastapi_project_auth,
    locate,
    requires,
)

Headers = dict[str, str]


class TestShortcuts:
    """Law 1.6: the named shortcuts alone may build a gate from the environment, once."""

    @pytest.fixture(autouse=True)
    def environment(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project: Headers
    ) -> Iterator[FakeIssuer]:
        """An issuer and a project that the environment names, and no gate built yet."""
        file = tmp_path / "projects.toml"
        file.write_text(f'[shop]\nid = "p1"\nsecret = "{project["x-app-secret"]}"\n')
        monkeypatch.setattr(locate, "_environment", EnvironmentGate(ag.AsyncGate))
        with FakeIssuer(audience="orders-api") as issuer:
            monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
            monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
            monkeypatch.setenv("AUTHGATE_PROJECTS_FILE", str(file))
            yield issuer
            if locate._environment.gate is not None:
                asyncio.run(locate._environment.gate.aclose())

    @pytest.fixture
    def app(self) -> FastAPI:
        """An application that has no gate."""
        app = FastAPI()

        @app.get("/user")
        async def user(user: Annotated[ag.User, Depends(fastapi_jwt_auth)]) -> str:
            return user.id

        @app.get("/project")
        async def project(project: Annotated[ag.Project, Depends(fastapi_project_auth)]) -> str:
            return project.id

        @app.get("/both")
        async def both(who: Annotated[dict[str, Any], Depends(fastapi_combined_auth)]) -> dict[str, Any]:
            return who

        return app

    def test_admit(self, app: FastAPI, client: TestClient, environment: FakeIssuer, project: Headers) -> None:
        """Each gives whom it is named for."""
        user = {"Authorization": f"Bearer {environment.token()}"}
        assert "u1" == client.get("/user", headers=user).json()
        assert "p1" == client.get("/project", headers=project).json()
        both = client.get("/both", headers=user | project).json()
        assert ("u1", "p1") == (both["user"]["id"], both["project"]["id"])

    def test_refuse(self, client: TestClient) -> None:
        """Their refusals are problem responses, though the application has no handler."""
        for path in ("/user", "/project", "/both"):
            answer = client.get(path)
            assert (401, "credentials_missing") == (answer.status_code, answer.json()["code"])
            assert "no-store" == answer.headers["cache-control"]

    def test_one_gate(
        self, app: FastAPI, environment: FakeIssuer, monkeypatch: pytest.MonkeyPatch, project: Headers
    ) -> None:
        """First requests in five event loops at once build one, and share its keys."""
        built: list[ag.AsyncGate] = []

        class Counted(ag.AsyncGate):
            def __init__(self, config: ag.GateConfig) -> None:
                built.append(self)
                super().__init__(config)

        monkeypatch.setattr(locate, "_environment", EnvironmentGate(Counted))
        build, all_at_once = locate._environment.build, threading.Barrier(5, timeout=10)

        def build_with_the_others() -> ag.AsyncGate:
            all_at_once.wait()
            return build()

        monkeypatch.setattr(locate._environment, "build", build_with_the_others)
        user = {"Authorization": f"Bearer {environment.token()}"}

        def ask(_: int) -> set[int]:
            with TestClient(app) as client:
                return {client.get("/both", headers=user | project).status_code for _ in range(10)}

        with ThreadPoolExecutor(5) as pool:
            assert {200} == set().union(*pool.map(ask, range(5)))
        assert (1, 1) == (len(built), environment.hits["/jwks"])

    def test_built_off_the_event_loop(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 9.2: settings and files are read on another thread, where there is no running loop."""
        from_env = ag.GateConfig.from_env

        def read(**named: Any) -> ag.GateConfig:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            return from_env(**named)

        monkeypatch.setattr(ag.GateConfig, "from_env", read)
        assert 401 == client.get("/user").status_code

    def test_wrong_settings(self, app: FastAPI, monkeypatch: pytest.MonkeyPatch, environment: Any) -> None:
        """Law 1.6: what is missing is named, and nobody is let in; once mended, it works."""
        monkeypatch.delenv("AUTHGATE_AUDIENCE")
        with pytest.raises(ag.ConfigurationError, match="AUTHGATE_AUDIENCE"):
            TestClient(app).get("/user")
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        assert 401 == TestClient(app).get("/user").status_code

    def test_a_gate_of_the_application_goes_first(
        self, gate: ag.AsyncGate, app: FastAPI, user: Headers, environment: FakeIssuer
    ) -> None:
        """With ``AuthGate(app)`` the shortcuts are one-line guards like any other."""
        AuthGate(app, gate=gate)
        assert "u1" == TestClient(app).get("/user", headers=user).json()
        assert (None, {}) == (locate._environment.gate, environment.hits)

    def test_what_caches_are_told(self, app: FastAPI, environment: FakeIssuer, project: Headers) -> None:
        """Law 1.7: without ``AuthGate(app)`` as well, unless the endpoint answers with a response of its own."""

        @app.get("/public")
        async def public(response: Response, user: Annotated[ag.User, Depends(fastapi_jwt_auth)]) -> str:
            response.headers["Cache-Control"] = "max-age=60"
            response.headers["Vary"] = f"{response.headers['Vary']}, Accept"
            return user.id

        headers = {"Authorization": f"Bearer {environment.token('u1')}", **project}
        with TestClient(app) as client:
            plain = client.get("/both", headers=headers).headers
            chosen = client.get("/public", headers=headers).headers
            refused = client.get("/both").headers

        assert ("private", "Authorization, X-App-Id, X-App-Secret") == (plain["Cache-Control"], plain["Vary"])
        assert ("max-age=60", "Authorization, Accept") == (chosen["Cache-Control"], chosen["Vary"])
        assert ("no-store", False) == (refused["Cache-Control"], "Vary" in refused)

    @pytest.mark.parametrize("step", [1, -1])
    def test_the_shortcuts_alone(self, app: FastAPI, environment: FakeIssuer, step: int) -> None:
        """Beside a shortcut, ``requires`` is still in an application without a gate."""
        guards = [Depends(fastapi_jwt_auth), requires(is_user)]
        app.get("/", dependencies=guards[::step])(lambda: None)
        user = {"Authorization": f"Bearer {environment.token()}"}
        with pytest.raises(ag.ConfigurationError, match=r"write AuthGate\(app\)"):
            TestClient(app).get("/", headers=user)

    def test_websockets(self, app: FastAPI, environment: FakeIssuer) -> None:
        """Law 5.13: nothing would close one when its caller is admitted no longer, so none is opened."""

        @app.websocket("/feed", dependencies=[Depends(fastapi_jwt_auth)])
        async def feed(websocket: WebSocket) -> None: ...

        user = {"Authorization": f"Bearer {environment.token()}"}
        with (
            pytest.raises(ag.ConfigurationError, match=r"write AuthGate\(app\)"),
            TestClient(app).websocket_connect("/feed", headers=user),
        ):
            pass

    def test_lock_after_a_fork(self) -> None:
        """Law 9.5: a child does not wait for a thread of its parent."""
        environment = locate._environment
        held = environment._lock
        with held:
            environment.renew_lock()
            assert environment._lock is not held
            assert not environment._lock.locked()
