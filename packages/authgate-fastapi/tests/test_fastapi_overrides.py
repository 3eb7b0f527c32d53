from collections.abc import AsyncGenerator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection

import authgate_core as ag
from authgate_core import any_role, is_project, is_user
from authgate_fastapi import (
    CurrentAdmission,
    CurrentUser,
    OptionalPrincipal,
    OptionalUser,
    fastapi_jwt_auth,
    get_admission,
    get_current_user,
    requires,
)

Headers = dict[str, str]

ANN = ag.User(id="ann", issuer="test", roles=["clerk"])
SHOP = ag.Project(id="p1")
ROBOT = ag.Service(id="s1", issuer="test")


@pytest.fixture(autouse=True)
def routes(app: FastAPI) -> None:
    """A few ways to ask."""

    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.id

    @app.get("/clerks", dependencies=[requires(any_role("clerk"))])
    async def clerks(admission: CurrentAdmission) -> list[str]:
        return [type(principal).__name__ for principal in admission.principals]

    @app.get("/both", dependencies=[requires(is_user & is_project)])
    async def both(admission: CurrentAdmission) -> str:
        return f"{admission.user.id} {admission.project.id}"

    @app.get("/hello")
    async def hello(user: OptionalUser) -> str:
        return user.id if user else "stranger"

    @app.get("/anyone")
    async def anyone(principal: OptionalPrincipal) -> str:
        return principal.id if principal else "stranger"

    @app.get("/unguarded")
    async def unguarded(admission: CurrentAdmission) -> None: ...

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.id)
        await websocket.close()


def override(app: FastAPI, *principals: ag.User | ag.Service | ag.Project) -> None:
    """Let these have come."""
    app.dependency_overrides[get_admission] = lambda: ag.Admission(principals)


class TestOverriddenAdmission:
    def test_takes_the_place_of_authentication(self, app: FastAPI, client: TestClient, counter: Any) -> None:
        """Nothing is read from the request, and nobody is asked."""
        override(app, ANN)
        malformed = {"Authorization": "Bearer a.b.c, Bearer d.e.f"}
        assert "ann" == client.get("/me").json()
        assert "ann" == client.get("/me", headers=malformed).json()
        with client.websocket_connect("/ws") as socket:
            assert "ann" == socket.receive_text()
        assert [] == counter.asked

    def test_policies_still_decide(self, app: FastAPI, client: TestClient) -> None:
        """A test may see a refusal without making a token."""
        override(app, ANN)
        assert ["User"] == client.get("/clerks").json()
        answer = client.get("/both")
        assert (401, 'AppCredentials realm="orders"') == (
            answer.status_code,
            answer.headers["www-authenticate"],
        )
        override(app, ag.User(id="bob", issuer="test"))
        assert 403 == client.get("/clerks").status_code
        override(app, ROBOT)
        assert 403 == client.get("/me").status_code
        override(app, ANN, SHOP)
        assert "ann p1" == client.get("/both").json()

    def test_optional_guards_behave_as_in_earnest(self, app: FastAPI, client: TestClient) -> None:
        """Law 1.4: what the guard does not ask for is not looked at (Law 2.3)."""
        override(app)
        assert ("stranger", "stranger") == (client.get("/hello").json(), client.get("/anyone").json())
        assert 401 == client.get("/me").status_code
        override(app, SHOP)
        assert ("stranger", "p1") == (client.get("/hello").json(), client.get("/anyone").json())
        override(app, ROBOT)
        assert ("stranger", "s1") == (client.get("/hello").json(), client.get("/anyone").json())

    def test_shows_no_more_than_in_earnest(self, app: FastAPI, client: TestClient) -> None:
        """What no guard asked for is not admitted, and a route without a guard is still a bug."""
        override(app, ANN, SHOP)
        assert ["User"] == client.get("/clerks").json()
        with pytest.raises(ag.NotAdmitted):
            TestClient(app).get("/unguarded")

    def test_may_be_async_and_take_the_connection(self, app: FastAPI, client: TestClient) -> None:
        """As dependencies may."""

        async def from_header(connection: HTTPConnection) -> ag.Admission:
            return ag.Admission((ag.User(id=connection.headers["x-test-user"], issuer="test"),))

        app.dependency_overrides[get_admission] = from_header
        assert "eve" == client.get("/me", headers={"x-test-user": "eve"}).json()

    def test_may_refuse(self, app: FastAPI, client: TestClient) -> None:
        """An outage is seen without one."""

        def down() -> ag.Admission:
            raise ag.KeysUnavailable("down", retry_after=7)

        app.dependency_overrides[get_admission] = down
        answer = client.get("/me")
        assert (503, True) == (answer.status_code, int(answer.headers["retry-after"]) >= 7)

    @pytest.mark.parametrize("mistake", [None, ANN, True])
    def test_anything_else_is_a_mistake(self, app: FastAPI, mistake: object) -> None:
        """It never lets anybody in."""
        app.dependency_overrides[get_admission] = lambda: mistake
        with pytest.raises(TypeError, match=f"returned {type(mistake).__name__}, not Admission"):
            TestClient(app).get("/hello")

    def test_taken_back(self, app: FastAPI, client: TestClient) -> None:
        """Afterwards it is as before."""
        override(app, ANN)
        app.dependency_overrides.clear()
        assert 401 == client.get("/me").status_code

    def test_read_as_a_dependency(self, app: FastAPI, client: TestClient, user: Headers) -> None:
        """``Depends(get_admission)`` reads what ``CurrentAdmission`` does."""

        @app.get("/read", dependencies=[requires(is_user)])
        async def read(admission: Annotated[ag.Admission, Depends(get_admission)]) -> str:
            return admission.user.id

        assert "u1" == client.get("/read", headers=user).json()
        assert 401 == client.get("/read").status_code


class TestOverriddenGuards:
    def test_one_guard_at_a_time(self, app: FastAPI, client: TestClient) -> None:
        """A guard by name is a dependency, which FastAPI can replace like any other."""
        app.dependency_overrides[get_current_user] = lambda: ANN
        assert "ann" == client.get("/me").json()
        assert 401 == client.get("/clerks").status_code
        assert "stranger" == client.get("/hello").json()

    def test_in_a_mounted_application(self, app: FastAPI, client: TestClient) -> None:
        """Each application has its own overrides, as FastAPI has it."""
        mounted = FastAPI()
        mounted.get("/", dependencies=[Depends(fastapi_jwt_auth)])(lambda: "in")
        app.mount("/sub", mounted)
        override(app, ANN)
        assert 401 == client.get("/sub/").status_code
        override(mounted, ANN)
        assert 200 == client.get("/sub/").status_code

    def test_with_a_generator(self, app: FastAPI, client: TestClient) -> None:
        """What FastAPI would run as a generator is a mistake here, and said."""

        async def generator() -> AsyncGenerator[ag.Admission]:
            yield ag.Admission((ANN,))

        app.dependency_overrides[get_admission] = generator
        with pytest.raises(TypeError, match="async_generator, not Admission"):
            TestClient(app).get("/me")

    def test_request_parameters(self, app: FastAPI, client: TestClient) -> None:
        """An override that takes a request is given it."""

        def from_request(request: Request) -> ag.Admission:
            return ag.Admission((ag.User(id=request.url.path, issuer="test"),))

        app.dependency_overrides[get_admission] = from_request
        assert "/me" == client.get("/me").json()
