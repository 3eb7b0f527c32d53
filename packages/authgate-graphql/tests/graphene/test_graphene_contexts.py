import asyncio
import copy
from collections import UserDict
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import flask
import graphene
import pytest
from graphql import ExecutionResult
from starlette.requests import Request

from authgate_core import AsyncGate, NotAdmitted, Project, User, any_role, is_project, is_user
from authgate_graphql.graphene import (
    AuthenticatedRequest,
    GqlContext,
    combined_auth_required,
    get_admission,
    get_current_project,
    get_current_user,
    is_authenticated,
    is_project_authenticated,
    jwt_auth_required,
    project_auth_required,
    requires,
)

Headers = dict[str, str]
Arrive = Callable[..., Request]


class Query(graphene.ObjectType):
    user = graphene.String()
    project = graphene.String()
    both = graphene.String()
    quiet = graphene.String()
    maybe = graphene.String()
    seen = graphene.String()
    must = graphene.String()
    later = graphene.String()

    @jwt_auth_required
    def resolve_user(self, info: Any) -> str:
        return "user"

    @project_auth_required
    def resolve_project(self, info: Any) -> str:
        return "project"

    @combined_auth_required
    def resolve_both(self, info: Any) -> str:
        return "both"

    @requires(is_user | is_project)
    def resolve_quiet(self, info: Any) -> str:
        return "quiet"

    @requires(is_user, optional=True)
    def resolve_maybe(self, info: Any) -> str:
        return str(is_authenticated(info))

    def resolve_seen(self, info: Any) -> str:
        user, project = get_current_user(info), get_current_project(info)
        assert is_authenticated(info) is (user is not None)
        assert is_project_authenticated(info) is (project is not None)
        return f"{user and user.id} {project and project.id}"

    def resolve_must(self, info: Any) -> str:
        return get_admission(info).user.id

    def resolve_later(self, info: Any) -> str:
        get_admission(info).require(any_role("owner"))
        return "later"


SCHEMA = graphene.Schema(query=Query)


@dataclass
class Plain:
    """A context as a view may make it."""

    request: Any
    user: User | None = None
    project: Project | None = None


@dataclass(frozen=True)
class Frozen:
    """One that cannot be written."""

    request: Any


class Slotted:
    """One that has no room for more."""

    __slots__ = ("req",)

    def __init__(self, req: Any) -> None:
        self.req = req


def run(context: Any, query: str = "{ both }") -> ExecutionResult:
    """Execute in a running loop."""
    result: ExecutionResult = asyncio.run(SCHEMA.execute_async(query, context=context))
    return result


@pytest.fixture
def everybody(user: Headers, project: Headers) -> Headers:
    """What a request of a user carries that comes from a project."""
    return {**user, **project}


class TestShown:
    @pytest.mark.parametrize(("kind", "name"), [(dict, "request"), (dict, "req"), (UserDict, "request")])
    def test_items_of_a_dict(self, arrive: Arrive, everybody: Headers, kind: type[Any], name: str) -> None:
        """Whatever kind of dict it is."""
        context = kind({name: arrive(everybody)})
        assert {"both": "both"} == run(context).data
        assert ("u1", "p1") == (context["user"].id, context["project"].id)

    @pytest.mark.parametrize("kind", [Plain, SimpleNamespace, graphene.Context])
    def test_attributes_of_an_object(
        self, arrive: Arrive, everybody: Headers, kind: Callable[..., Any]
    ) -> None:
        """Of a dataclass, of Graphene's own context and of any other."""
        context = kind(request=arrive(everybody))
        assert {"both": "both"} == run(context).data
        assert ("u1", "p1") == (context.user.id, context.project.id)

    def test_attributes_of_an_authenticated_request(self, arrive: Arrive, everybody: Headers) -> None:
        """Where resolvers written for the older client read them; for all else it is the request."""
        context = GqlContext(AuthenticatedRequest(arrive(everybody)))
        assert {"both": "both"} == run(context).data
        req = context.req
        assert req.user is not None
        assert req.project is not None
        assert ("u1", "p1", "POST") == (req.user.id, req.project.id, req.method)

    @pytest.mark.parametrize("make", [Frozen, Slotted])
    def test_nothing_where_there_is_no_room(
        self, arrive: Arrive, everybody: Headers, make: Callable[[Any], Any]
    ) -> None:
        """Such a context is left as it is."""
        context = make(arrive(everybody))
        assert {"both": "both"} == run(context).data
        assert {"seen": "u1 p1"} == run(context, "{ seen }").data

    def test_nothing_on_the_request_itself(self, arrive: Arrive, everybody: Headers) -> None:
        """A framework's ``request.user`` means something else; what guards found is read all the same."""
        request = arrive(everybody)
        assert {"both": "both"} == run(request).data
        assert {"seen": "u1 p1"} == run(request, "{ seen }").data
        assert "user" not in vars(request)

    def test_only_what_the_shortcut_names(self, arrive: Arrive, everybody: Headers) -> None:
        """Each shows its own, and a policy nothing."""
        shown = {}
        for field in ("user", "project", "quiet"):
            context = {"request": arrive(everybody)}
            run(context, f"{{ {field} }}")
            shown[field] = sorted(context.keys() - {"request"})
        assert {"user": ["user"], "project": ["project"], "quiet": []} == shown

    def test_in_every_context_of_one_request(self, arrive: Arrive, user: Headers) -> None:
        """As in a batch, whose operations may each have a context of their own."""
        request = arrive(user)
        contexts = [{"request": request} for _ in range(3)]
        for context in contexts:
            run(context, "{ user }")
        assert ["u1"] * 3 == [context["user"].id for context in contexts]  # type: ignore[attr-defined]


class TestRead:
    def test_only_what_guards_found(self, arrive: Arrive, user: Headers) -> None:
        """Nobody before the first guard, and after it whom it let in."""
        request = arrive(user)
        said = [run({"request": request}, f"{{ {field} }}").data for field in ("seen", "quiet", "seen")]
        assert [{"seen": "None None"}, {"quiet": "quiet"}, {"seen": "u1 None"}] == said

    def test_never_what_a_context_says(self, arrive: Arrive) -> None:
        """A copy is no evidence (Law 2.6), in whichever way it came there."""
        context = {"request": arrive({}), "user": "root", "project": "root"}
        result = run(context, "{ seen user }")
        assert {"seen": "None None", "user": None} == result.data

    def test_an_admission_needs_a_guard(self, arrive: Arrive, user: Headers) -> None:
        """Without one it is a bug, which is said as what it is."""
        context = {"request": arrive(user)}
        (error,) = run(context, "{ must }").errors or []
        assert isinstance(error.original_error, NotAdmitted)
        assert {"user": "user"} == run(context, "{ user }").data
        assert {"must": "u1"} == run(context, "{ must }").data

    def test_an_admission_refuses_as_guards_do(self, arrive: Arrive, user: Headers) -> None:
        """In a resolver without a guard of its own as well: nothing of the reason is told (Law 1.2)."""
        context = {"request": arrive(user)}
        run(context, "{ user }")
        (error,) = run(context, "{ later }").errors or []
        assert {"code": "FORBIDDEN", "missing": [], "http": {"status": 403}} == error.extensions
        assert "owner" not in error.message

    def test_nobody_where_there_is_no_request(self) -> None:
        """A context without one has let nobody in."""
        assert {"seen": "None None"} == run(None, "{ seen }").data


class TestHostile:
    def test_a_context_that_is_used_again_is_judged_by_its_new_request(
        self, arrive: Arrive, user: Headers
    ) -> None:
        """The evidence stays with the request."""
        context: dict[str, Any] = {"request": arrive(user)}
        assert {"user": "user"} == run(context, "{ user }").data
        context["request"] = arrive({})
        result = run(context, "{ user seen }")
        assert {"user": None, "seen": "None None"} == result.data

    def test_a_proxy_is_judged_as_the_request_behind_it(self, app: flask.Flask, user: Headers) -> None:
        """One dict with Flask's ``request`` for all requests holds another one each time."""
        context = {"request": flask.request}
        seen = []
        for headers in (user, {}, user):
            with app.test_request_context("/graphql", headers=headers):
                seen.append(SCHEMA.execute("{ user }", context=context).data["user"])
        assert ["user", None, "user"] == seen

    def test_a_copy_of_a_request_is_judged_anew(self, arrive: Arrive, user: Headers) -> None:
        """What is not this very request proves nothing (Law 2.6)."""
        request = arrive(user)
        assert {"user": "user"} == run({"request": request}, "{ user }").data
        other = copy.copy(request)
        other.scope = {**other.scope, "headers": []}
        assert {"user": None} == run({"request": other}, "{ user }").data

    def test_a_stand_in_with_every_attribute_is_no_evidence(self) -> None:
        """A mock answers whatever it is asked for, and admits nobody."""
        result = run({"request": MagicMock()}, "{ user }")
        assert {"user": None} == result.data
        assert result.errors

    @pytest.mark.parametrize(
        "context", [None, {}, {"request": None}, SimpleNamespace(), "context", UserDict()]
    )
    def test_a_context_without_a_request_is_a_configuration_error(self, context: Any) -> None:
        """Its text says how to give one."""
        (error,) = run(context, "{ user }").errors or []
        assert 'give it as context={"request": request}' in error.message

    def test_a_gate_may_come_with_the_request(
        self, arrive: Arrive, async_gate: AsyncGate, user: Headers
    ) -> None:
        """Where the app has none, or another."""
        context = GqlContext(AuthenticatedRequest(arrive(user, None), gate=async_gate))
        assert {"user": "user"} == run(context, "{ user }").data
