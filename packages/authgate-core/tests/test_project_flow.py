"""From an app id and a secret to a project, stepped by hand."""

from __future__ import annotations

import pytest

from authgate_core.cache import ProjectCache
from authgate_core.clock import Instant
from authgate_core.credentials import AppCredentials
from authgate_core.effects import CheckRevoked, Flow, LookUpProject, RefreshProject
from authgate_core.errors import (
    AuthUnavailable,
    InvalidProjectCredentials,
    ProjectsUnavailable,
    RevocationUnavailable,
    ServiceNotEnabled,
)
from authgate_core.flows.project import authenticate_project
from authgate_core.principal import Project, ProjectRef
from authgate_core.secret import Secret
from authgate_core.testing import StepTrace, step

SHOP = Project(id="shop", enabled_services=("orders",), secret_version=3)
CREDENTIALS = AppCredentials("shop-app", Secret("a-secret-that-nobody-may-ever-see-again"))


def _at(seconds: float) -> Instant:
    return Instant(1.8e9 + seconds, 1000.0 + seconds)


def _ask(ref: ProjectRef) -> Flow[bool]:
    return (yield from CheckRevoked(ref))


def _clear(ref: ProjectRef) -> Flow[bool]:
    yield from ()
    return ref.secret_version < 3


class _Desk:
    """A cache with what a directory answered, and requests that are judged with it."""

    def __init__(self) -> None:
        self.cache = ProjectCache(bytes(32))
        self.key = self.cache.key(CREDENTIALS)

    def learn(self, answer: Project | None, at: float = 0.0) -> None:
        self.cache.answered(self.key, CREDENTIALS.app_id, answer, asked=_at(at), now=_at(at))

    def request(
        self, at: float = 0.0, service_id: str | None = None, *, ask: bool = False
    ) -> StepTrace[Project]:
        revoked = _ask if ask else _clear
        return step(authenticate_project(CREDENTIALS, self.cache, service_id, _at(at), revoked))


@pytest.fixture
def desk() -> _Desk:
    """A desk that knows nothing yet."""
    return _Desk()


class TestAnswers:
    def test_unknown_credentials_are_looked_up(self, desk: _Desk) -> None:
        """The directory is asked, under a name that is not the secret (Law 6.2)."""
        trace = desk.request()
        assert LookUpProject(CREDENTIALS, desk.key) == trace.next()
        trace.reply(SHOP)
        trace.returns(SHOP)

    def test_no(self, desk: _Desk) -> None:
        """Law 1.5: a definite no is a 401, with the scheme of the challenge."""
        trace = desk.request()
        trace.next()
        with pytest.raises(InvalidProjectCredentials) as caught:
            trace.reply(None)
        assert "AppCredentials" == caught.value.scheme

    def test_remembered_no(self, desk: _Desk) -> None:
        """Law 6.2: a remembered no asks nobody."""
        desk.learn(None)
        trace = desk.request(at=9)
        with pytest.raises(InvalidProjectCredentials):
            trace.next()
        assert [] == trace.effects

    def test_barred(self, desk: _Desk) -> None:
        """A directory may say that the project may not use this service: 403, an error for each request."""
        shared = ServiceNotEnabled("not for this service")
        trace = desk.request()
        trace.next()
        with pytest.raises(ServiceNotEnabled, match="not for this service") as caught:
            trace.fail(shared)
        assert shared is caught.value.__cause__
        assert "AppCredentials" == caught.value.scheme

    def test_remembered_bar(self, desk: _Desk) -> None:
        """Law 6.2: a remembered one asks nobody."""
        desk.cache.barred(desk.key, _at(0))
        trace = desk.request(at=9)
        with pytest.raises(ServiceNotEnabled) as caught:
            trace.next()
        assert ([], "AppCredentials") == (trace.effects, caught.value.scheme)

    def test_remembered_yes(self, desk: _Desk) -> None:
        """Law 6.2: a fresh yes asks nobody."""
        desk.learn(SHOP)
        trace = desk.request(at=59)
        trace.returns(SHOP)
        assert [] == trace.effects

    def test_yes_that_is_refreshed(self, desk: _Desk) -> None:
        """Law 6.2: past 60 s the request goes on at once, and a refresh is started."""
        desk.learn(SHOP)
        trace = desk.request(at=61)
        assert RefreshProject(CREDENTIALS, desk.key) == trace.next()
        trace.reply(None)
        trace.returns(SHOP)

    def test_too_many_failures(self, desk: _Desk) -> None:
        """Law 6.6: past the limit the answer is 503, which is no verdict on the credentials."""
        for number in range(10):
            desk.cache.answered(bytes([number]), "other", None, asked=_at(0), now=_at(0))
        with pytest.raises(ProjectsUnavailable, match="too many failed attempts") as caught:
            desk.request().next()
        assert pytest.approx(0.1) == caught.value.retry_after
        assert "AppCredentials" == caught.value.scheme


class TestOutages:
    def test_nothing_known(self, desk: _Desk) -> None:
        """Law 1.5: an outage is a 503; each request gets an error of its own, with what the port said."""
        outage = AuthUnavailable("the database is gone", retry_after=7.0)
        trace = desk.request()
        trace.next()
        with pytest.raises(ProjectsUnavailable, match="the database is gone") as caught:
            trace.fail(outage)
        assert outage is caught.value.__cause__
        assert (7.0, "AppCredentials", "projects_unavailable") == (
            caught.value.retry_after,
            caught.value.scheme,
            caught.value.code,
        )

    def test_last_good_answer(self, desk: _Desk) -> None:
        """Law 6.2: while the directory is unreachable the last good answer is used, up to 15 min."""
        desk.learn(SHOP)
        trace = desk.request(at=900)
        assert isinstance(trace.next(), LookUpProject)
        trace.fail(ProjectsUnavailable("no answer"))
        trace.returns(SHOP)

    def test_too_old(self, desk: _Desk) -> None:
        """Law 6.2: and no longer."""
        desk.learn(SHOP)
        trace = desk.request(at=901)
        trace.next()
        with pytest.raises(ProjectsUnavailable):
            trace.fail(ProjectsUnavailable("no answer"))

    def test_no_ends_the_last_good_answer(self, desk: _Desk) -> None:
        """Law 6.2: a no is no outage."""
        desk.learn(SHOP)
        trace = desk.request(at=900)
        trace.next()
        with pytest.raises(InvalidProjectCredentials):
            trace.reply(None)

    def test_bar_ends_the_last_good_answer(self, desk: _Desk) -> None:
        """Law 6.2: nor is a 403."""
        desk.learn(SHOP)
        trace = desk.request(at=900)
        trace.next()
        with pytest.raises(ServiceNotEnabled):
            trace.fail(ServiceNotEnabled())

    def test_bug(self, desk: _Desk) -> None:
        """Law 1.3: what else a port raises leaves as itself, whatever is remembered."""
        desk.learn(SHOP)
        trace = desk.request(at=900)
        trace.next()
        bug = KeyError("column")
        with pytest.raises(KeyError) as caught:
            trace.fail(bug)
        assert bug is caught.value


class TestEveryHit:
    @pytest.mark.parametrize("at", [0.0, 61.0])
    def test_revocation_is_asked(self, desk: _Desk, at: float) -> None:
        """Law 6.4: revocation ends a cached answer at the next request."""
        desk.learn(SHOP)
        trace = desk.request(at=at, ask=True)
        if at:
            trace.reply(None)
        assert CheckRevoked(ProjectRef("shop", 3)) == trace.next()
        with pytest.raises(InvalidProjectCredentials, match="revoked") as caught:
            trace.reply(True)
        assert "AppCredentials" == caught.value.scheme

    def test_revocation_after_a_look_up(self, desk: _Desk) -> None:
        """Law 6.4: what the directory confirms may be revoked all the same."""
        trace = desk.request(ask=True)
        trace.reply(SHOP)
        assert CheckRevoked(ProjectRef("shop", 3)) == trace.next()
        trace.reply(False)
        trace.returns(SHOP)

    def test_revocation_that_needs_no_effect(self, desk: _Desk) -> None:
        """Law 6.4: where the view knows, nothing is asked."""
        desk.learn(Project(id="shop", secret_version=2))
        with pytest.raises(InvalidProjectCredentials):
            desk.request().next()

    def test_revocation_outage(self, desk: _Desk) -> None:
        """Law 1.5: a store that cannot answer is an outage of its own."""
        desk.learn(SHOP)
        trace = desk.request(ask=True)
        trace.next()
        with pytest.raises(RevocationUnavailable):
            trace.fail(RevocationUnavailable("no answer"))

    @pytest.mark.parametrize(
        ("enabled", "service_id", "admitted"),
        [
            (("orders", "stock"), "stock", True),
            (("orders",), "stock", False),
            (("orders",), "order", False),
            ((), "orders", False),
            (None, "orders", True),
            ((), None, True),
        ],
    )
    def test_services(
        self, desk: _Desk, enabled: tuple[str, ...] | None, service_id: str | None, *, admitted: bool
    ) -> None:
        """Law 6.4: enabled services are judged at each hit; None enables every one."""
        project = Project(id="shop", enabled_services=enabled, secret_version=3)
        desk.learn(project)
        trace = desk.request(service_id=service_id)
        if admitted:
            trace.returns(project)
            return
        with pytest.raises(ServiceNotEnabled) as caught:
            trace.next()
        assert (403, "AppCredentials") == (caught.value.status, caught.value.scheme)

    def test_revoked_before_services(self, desk: _Desk) -> None:
        """A revoked secret does not learn which services its project has."""
        desk.learn(Project(id="shop", enabled_services=(), secret_version=2))
        with pytest.raises(InvalidProjectCredentials):
            desk.request(service_id="orders").next()
