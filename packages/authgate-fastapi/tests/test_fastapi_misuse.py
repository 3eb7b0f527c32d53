from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import (
    is_service,
    is_user,
)
from authgate_fastapi import (
    AuthGate,
    fastapi_jwt_auth,
    get_current_project,
    get_current_user,
    requires,
)

Headers = dict[str, str]


class TestMisuse:
    """A guard that stands where it does nothing is found when the route is registered."""

    @pytest.fixture
    def app(self) -> FastAPI:
        """An application without a gate: none is needed to find these."""
        return FastAPI()

    @pytest.mark.parametrize("guard", [get_current_user, get_current_project, fastapi_jwt_auth])
    def test_called(self, guard: Any) -> None:
        """``Depends(get_current_user())``: the call itself raises."""
        with pytest.raises(TypeError, match=rf"write Depends\({guard}\)"):
            guard()

    def test_called_with_anything_else(self) -> None:
        """What is no connection is a mistake."""
        with pytest.raises(TypeError, match="Depends"):
            get_current_user({"type": "http"})  # type: ignore[arg-type]  # that is the mistake

    def test_bare_as_default(self, app: FastAPI) -> None:
        """As a plain default it would be a query parameter, which whoever calls could set."""
        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):

            @app.get("/")
            async def untyped(user=get_current_user) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001

        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):

            @app.get("/")
            async def typed(user: ag.User = get_current_user) -> None: ...  # type: ignore[assignment]

        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):

            @app.websocket("/")
            async def socket(user: Any = get_current_user) -> None: ...

        assert [] == [route for route in app.routes if getattr(route, "path", "") == "/"]

    def test_bare_in_a_dependency(self, app: FastAPI) -> None:
        """Nor does it hide in a dependency of the route."""

        async def needs(user: Any = get_current_user) -> None: ...

        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):
            app.get("/", dependencies=[Depends(needs)])(lambda: None)

    def test_bare_in_annotated(self, app: FastAPI) -> None:
        """In ``Annotated`` it would be ignored."""
        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):

            @app.get("/")
            async def route(user: Annotated[ag.User, get_current_user]) -> None: ...

    def test_bare_in_dependencies(self, app: FastAPI) -> None:
        """In ``dependencies`` of a route, of a router or of an application."""
        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):
            app.get("/", dependencies=[get_current_user])(lambda: None)
        router = APIRouter(dependencies=[get_current_user])
        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):
            router.get("/")(lambda: None)
        whole = FastAPI(dependencies=[get_current_user])
        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"):
            whole.get("/")(lambda: None)

    def test_bare_where_a_router_is_included(self, gate: ag.AsyncGate) -> None:
        """FastAPI looks at these late, so the start of the application does."""
        app, router = FastAPI(), APIRouter()
        AuthGate(app, gate=gate)
        router.get("/")(lambda: None)
        app.include_router(router, dependencies=[get_current_user])
        with pytest.raises(TypeError, match=r"write Depends\(get_current_user\)"), TestClient(app):
            pass

    def test_requires_in_depends(self, app: FastAPI) -> None:
        """``Depends(requires(...))`` would never run the guard."""
        with pytest.raises(TypeError, match=r"write dependencies=\[requires"):
            app.get("/", dependencies=[Depends(requires(is_user))])(lambda: None)
        with pytest.raises(TypeError, match=r"write dependencies=\[requires"):

            @app.get("/")
            async def route(admission: Annotated[Any, Depends(requires(is_user))]) -> None: ...

    def test_requires_as_decorator(self, app: FastAPI) -> None:
        """It is one in Flask, and none here."""
        with pytest.raises(TypeError, match="neither a decorator"):

            @app.get("/")
            @requires(is_user)  # type: ignore[untyped-decorator]  # that is the mistake
            async def route() -> None: ...

    def test_requires_without_a_policy(self) -> None:
        """Forgotten parentheses, or a word for a policy."""
        for mistake in (None, "admin", lambda: None):
            with pytest.raises(TypeError, match="requires takes a policy"):
                requires(mistake)  # type: ignore[arg-type]  # that is the mistake

    def test_requires_a_policy_that_can_hold(self) -> None:
        """Law 1.6: a policy that contradicts itself is found where it is written."""
        with pytest.raises(ag.ConfigurationError, match="never both"):
            requires(is_user & is_service)

    def test_an_admission_is_never_made_from_input(self, app: FastAPI) -> None:
        """A parameter that only has the type is found when the route is registered."""
        with pytest.raises(FastAPIError, match=r"principal\.admission\.Admission"):

            @app.get("/")
            async def route(admission: ag.Admission) -> None: ...
