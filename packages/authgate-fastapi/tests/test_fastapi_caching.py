import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import is_project, is_user
from authgate_fastapi import (
    AuthGate,
    AuthMiddleware,
    OptionalUser,
    get_admission,
    get_current_project,
    get_current_user,
    requires,
)

Headers = dict[str, str]


def marks(answer: Any) -> tuple[str | None, str | None]:
    """What caches are told."""
    return answer.headers.get("cache-control"), answer.headers.get("vary")


async def nothing() -> None:
    """An endpoint that says nothing about caching."""


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Asks an application with routes of every kind."""
    app.get("/me", dependencies=[requires(is_user)])(nothing)
    both = [Depends(get_current_user), Depends(get_current_project), requires(is_user | is_project)]
    app.get("/both", dependencies=both)(nothing)
    app.get("/open")(nothing)

    @app.get("/maybe")
    def maybe(user: OptionalUser) -> str:
        return user.id if user else "stranger"

    @app.get("/own", dependencies=[requires(is_user | is_project)])
    def own() -> JSONResponse:
        headers = {"Cache-Control": "max-age=60", "Vary": "Accept, authorization"}
        return JSONResponse({}, headers=headers)

    @app.get("/any", dependencies=[requires(is_user)])
    def anything() -> JSONResponse:
        return JSONResponse({}, headers={"Vary": "*"})

    @app.get("/stream", dependencies=[requires(is_user)])
    def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for part in (b"one ", b"two ", b"three"):
                yield part

        return StreamingResponse(parts())

    return TestClient(app)


class TestAdmitted:
    """Law 1.7: ``private`` unless the handler says otherwise, and the headers that policies read."""

    def test_a_guard(self, client: TestClient, user: Headers) -> None:
        """A cache shared by others keeps nothing."""
        assert ("private", "Authorization") == marks(client.get("/me", headers=user))

    def test_several(self, client: TestClient, user: Headers, project: Headers) -> None:
        """Each header once, of all guards."""
        both = marks(client.get("/both", headers=user | project))
        assert ("private", "Authorization, X-App-Id, X-App-Secret") == both

    def test_optional(self, client: TestClient, user: Headers) -> None:
        """A stranger's answer depends on what was presented as well."""
        assert ("private", "Authorization") == marks(client.get("/maybe"))
        assert ("private", "Authorization") == marks(client.get("/maybe", headers=user))

    def test_a_guard_that_reads_nothing(self, app: FastAPI) -> None:
        """It is a guard all the same, whose answer no header tells from another's."""
        app.get("/", dependencies=[requires(ag.UnsafeAllowAnonymous())])(nothing)
        assert ("private", None) == marks(TestClient(app).get("/"))

    def test_what_the_handler_set(self, client: TestClient, user: Headers) -> None:
        """Its ``Cache-Control`` stands, and its ``Vary`` grows by what it lacks."""
        assert ("max-age=60", "Accept, authorization, X-App-Id, X-App-Secret") == marks(
            client.get("/own", headers=user)
        )
        assert ("private", "*") == marks(client.get("/any", headers=user))

    def test_streams(self, client: TestClient, user: Headers) -> None:
        """Only the start of a response is touched."""
        answer = client.get("/stream", headers=user)
        assert (b"one two three", "private") == (answer.content, answer.headers["cache-control"])

    def test_by_the_middleware(self, app: FastAPI, user: Headers) -> None:
        """It read every kind of credential."""
        app.add_middleware(AuthMiddleware, excluded_paths={"/health"})
        app.get("/")(nothing)
        app.get("/health")(nothing)
        client = TestClient(app)
        assert ("private", "Authorization, X-App-Id, X-App-Secret") == marks(client.get("/", headers=user))
        assert (None, None) == marks(client.get("/health"))

    def test_of_plain_asgi(self, app: FastAPI, user: Headers) -> None:
        """An application that sends no headers at all."""

        async def plain(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b""})

        app.mount("/plain", plain)
        app.add_middleware(AuthMiddleware, policy=is_user)
        assert ("private", "Authorization") == marks(TestClient(app).get("/plain", headers=user))

    def test_in_mounted_applications(
        self, app: FastAPI, user: Headers, project: Headers, trusted: ag.Issuer
    ) -> None:
        """Whichever gate judged: with one of its own, both may have."""
        inner, other = FastAPI(), FastAPI()
        gate = AuthGate(other, config=ag.GateConfig(issuers=[trusted])).gate
        inner.mount("/other", other)
        app.mount("/inner", inner)
        app.add_middleware(AuthMiddleware, policy=is_project)
        for mounted in (inner, other):
            mounted.get("/me", dependencies=[requires(is_user)])(nothing)
        client = TestClient(app)
        for path in ("/inner/me", "/inner/other/me"):
            answer = client.get(path, headers=user | project)
            assert (200, "private") == (answer.status_code, answer.headers["cache-control"])
            assert "X-App-Id, X-App-Secret, Authorization" == answer.headers["vary"]
        asyncio.run(gate.aclose())

    def test_under_an_override(self, app: FastAPI, client: TestClient) -> None:
        """A test sees the same headers as production."""
        app.dependency_overrides[get_admission] = lambda: ag.Admission((ag.User(id="ann", issuer="test"),))
        assert ("private", "Authorization") == marks(client.get("/me"))


class TestNotAdmitted:
    def test_nobody_guards(self, client: TestClient, user: Headers) -> None:
        """What depends on nobody may be cached for all."""
        assert (None, None) == marks(client.get("/open", headers=user))
        assert (None, None) == marks(client.get("/none"))

    def test_refused(self, client: TestClient) -> None:
        """Law 1.7: nobody keeps a refusal."""
        assert ("no-store", None) == marks(client.get("/me"))
