"""Guards of another library behind a Flask view, which find what is known about the request with its application."""

from typing import Any

import pytest
from flask import Flask, current_app, request

from authgate_core import Admission, Gate, GateConfig, Policy, is_project, is_user
from authgate_core.gate.visited import Visited
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.servers import wsgi_view
from authgate_core.testing import as_user, gate_for_tests
from authgate_flask import current_user, requires
from authgate_flask.visit import visit_of

Headers = dict[str, str]


class Counter:
    """A revocation store that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        self.asked.append(type(ref).__name__)
        return False


def admit(policy: Policy, *, optional: bool = False) -> Admission:
    """What a library does that knows nothing of this adapter."""
    here: Any = current_app.extensions["authgate"]
    gate: Gate = here.gate
    visit: Visited[Gate] = here.visit(request)
    view = wsgi_view(request.environ, memo=visit.memo)
    admission = gate.admit(view, policy, optional=optional)
    visit.entered(admission, gate, policy, view, optional=optional, lasts=bool(admission))
    return admission


@pytest.fixture
def counter() -> Counter:
    """What counts verifications."""
    return Counter()


@pytest.fixture
def gate(config: GateConfig, counter: Counter) -> Gate:
    """A gate in which callers can be stood in for, and verifications are counted."""
    return gate_for_tests(GateConfig(issuers=config.issuers, projects=config.projects, revocation=counter))


@pytest.fixture(autouse=True)
def views(app: Flask) -> None:
    """Views with and without a guard of their own, behind which that library stands."""

    @app.get("/open")
    def alone() -> list[str]:
        return [admit(is_user).user.id, current_user.id]

    @app.get("/maybe")
    def maybe() -> list[bool]:
        return [bool(admit(is_user | is_project, optional=True)), bool(current_user)]

    @app.get("/guarded")
    @requires(is_project)
    @requires(is_user)
    def guarded() -> list[str]:
        return [admit(is_user).user.id]


class TestResponses:
    """Law 1.7: caches learn of every guard, whoever's it is."""

    def test_marked(self, app: Flask, user: Headers) -> None:
        """Private, and varying with what that guard reads; its user is that of the view."""
        answer = app.test_client().get("/open", headers=user)
        assert ["u1", "u1"] == answer.json
        assert ("private", "Authorization") == (answer.headers["Cache-Control"], answer.headers["Vary"])

    def test_nobody(self, app: Flask) -> None:
        """What strangers see is not for users; to them the proxies are false, as behind an optional guard."""
        answer = app.test_client().get("/maybe")
        assert ([False, False], "private") == (answer.json, answer.headers["Cache-Control"])
        assert "Authorization, X-App-Id, X-App-Secret" == answer.headers["Vary"]

    def test_a_stand_in(self, app: Flask) -> None:
        """Law 9.6: stand-ins come through that library too."""
        with as_user("ann"):
            answer = app.test_client().get("/open")
        assert (["ann", "ann"], "private") == (answer.json, answer.headers["Cache-Control"])


class TestOnce:
    def test_behind_guards(self, app: Flask, user: Headers, project: Headers, counter: Counter) -> None:
        """Law 2.6: who was authenticated before it is not authenticated again."""
        answer = app.test_client().get("/guarded", headers=user | project)
        assert (["u1"], ["ProjectRef", "TokenRef"]) == (answer.json, counter.asked)


class TestVisit:
    def test_the_same_for_every_guard(self, app: Flask) -> None:
        """It is the one that guards of this adapter use, and no WebSocket's."""
        with app.test_request_context("/"):
            visit = app.extensions["authgate"].visit(request)
            assert visit_of(request._get_current_object()) is visit  # type: ignore[attr-defined]  # behind the proxy
            assert () == visit.subprotocols

    def test_of_another_request(self, app: Flask) -> None:
        """Law 2.6: what is not this very request begins with nobody."""
        here: Any = app.extensions["authgate"]
        with app.test_request_context("/") as first, app.test_request_context("/") as second:
            assert here.visit(first.request) is not here.visit(second.request)
