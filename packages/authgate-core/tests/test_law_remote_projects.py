"""Projects that Mercury knows, through gates of both colours over real HTTP (Laws 6.1 to 6.6)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.testing import FakeMercury, ManualClock, MercuryProject

VERIFY = "/auth/projects/verify"
PATIENCE = 10.0
Outcome = ag.Admission | BaseException


@pytest.fixture(scope="module")
def served() -> Iterator[FakeMercury]:
    """One for all tests, since RSA keys are slow to make."""
    with FakeMercury(clock=_Moving()) as mercury:
        yield mercury


class _Moving:
    """Mercury's clock, which goes with that of the gate under test."""

    clock = ManualClock()

    def now(self) -> Any:
        return _Moving.clock.now()


@pytest.fixture
def mercury(served: FakeMercury) -> FakeMercury:
    """Told to behave."""
    served.recover()
    served.reset_hits()
    return served


class Desk:
    """A gate of either colour in front of Mercury, and time that a test moves."""

    def __init__(self, mercury: FakeMercury, *, is_async: bool, **remote: Any) -> None:
        self.mercury = mercury
        self.clock = _Moving.clock = ManualClock()
        self.events: list[Decided | Notice] = []
        options = {"signing_secret": mercury.secret, "service_id": "orders", **remote}
        config = ag.GateConfig(
            projects=ag.RemoteProjects(mercury.url, **options),
            revocation=ag.MemoryRevocation(),
            on_event=self.events.append,
        )
        self.runner = asyncio.Runner() if is_async else None
        self.gate = ag.AsyncGate(config, clock=self.clock) if is_async else ag.Gate(config, clock=self.clock)

    def ask(self, project: MercuryProject, secret: str | None = None) -> ag.Admission:
        """One request."""
        (outcome,) = self.ask_at_once([project], secret)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def ask_at_once(self, projects: Sequence[MercuryProject], secret: str | None = None) -> list[Outcome]:
        """A request of each, at the same time."""
        views = [self._view(project, secret) for project in projects]
        gate, runner = self.gate, self.runner
        if isinstance(gate, ag.AsyncGate):
            assert runner is not None

            async def all_of_them() -> list[Outcome]:
                asked = (gate.admit(view, ag.is_project) for view in views)
                return [*await asyncio.gather(*asked, return_exceptions=True)]

            return runner.run(all_of_them())
        with ThreadPoolExecutor(len(views)) as threads:
            return [*threads.map(self._outcome, views)]

    def _outcome(self, view: ag.RequestView) -> Outcome:
        assert isinstance(self.gate, ag.Gate)
        try:
            return self.gate.admit(view, ag.is_project)
        except ag.AuthgateError as error:
            return error

    def _view(self, project: MercuryProject, secret: str | None) -> ag.RequestView:
        headers = project.headers if secret is None else project.headers | {"x-app-secret": secret}
        return ag.RequestView("GET", "/", headers)

    def require_version(self, project: MercuryProject, version: int) -> None:
        """Revoke all secrets before this one."""
        if isinstance(self.gate, ag.AsyncGate):
            assert self.runner is not None
            self.runner.run(self.gate.revocations.require_secret_version(project.uuid, version))
        else:
            self.gate.revocations.require_secret_version(project.uuid, version)

    def settle(self) -> None:
        """Let what goes on in the background come to its end."""
        if self.runner is not None:
            self.runner.run(_settled())
        for thread in threading.enumerate():
            if thread.name == "authgate-projects":
                thread.join(PATIENCE)

    def close(self) -> None:
        """Close gate and loop."""
        if isinstance(self.gate, ag.AsyncGate):
            assert self.runner is not None
            self.runner.run(self.gate.aclose())
            self.runner.close()
        else:
            self.gate.close()

    @property
    def asked(self) -> int:
        """How often Mercury was asked."""
        return self.mercury.hits[VERIFY]


async def _settled() -> None:
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == "authgate-projects"]
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE)


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest, mercury: FakeMercury) -> Iterator[Callable[..., Desk]]:
    """Makes gates of this colour, and closes them."""
    with contextlib.ExitStack() as stack:

        def made(**remote: Any) -> Desk:
            desk = Desk(mercury, is_async=request.param == "async", **remote)
            stack.callback(desk.close)
            return desk

        yield made


@pytest.fixture
def desk(make: Callable[..., Desk]) -> Desk:
    """A gate that admits every tenant."""
    return make()


class TestDirectory:
    def test_a_project_is_admitted(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.1: with what Mercury says of it, asked once and rightly signed."""
        refused = mercury.refused
        shop = mercury.add_project(name="Shop", secret_version=2)
        project = desk.ask(shop).project
        assert (shop.uuid, "Shop", ("orders",), 2) == (
            project.id,
            project.name,
            project.enabled_services,
            project.secret_version,
        )
        assert (shop.uuid, "Shop", 2) == (
            project["projectUuid"],
            project["projectName"],
            project["secretVersion"],
        )
        assert (1, refused) == (desk.asked, mercury.refused)

    def test_a_wrong_secret_is_refused(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.1: 401, and like an unknown app id."""
        unknown = MercuryProject("", None, "nobody", mercury.nexus.app_secret, ())
        for project, secret in ((mercury.nexus, "wrong"), (unknown, None)):
            with pytest.raises(ag.InvalidProjectCredentials):
                desk.ask(project, secret)

    def test_a_service_that_is_not_enabled(self, make: Callable[..., Desk], mercury: FakeMercury) -> None:
        """Law 6.4: 403, as Mercury says; remembered for 10 s."""
        desk = make(service_id="billing")
        for _ in range(2):
            with pytest.raises(ag.ServiceNotEnabled):
                desk.ask(mercury.nexus)
        assert 1 == desk.asked
        desk.clock.advance(10)
        with pytest.raises(ag.ServiceNotEnabled):
            desk.ask(mercury.nexus)
        assert 2 == desk.asked

    def test_services_are_judged_here_as_well(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.4: whatever status Mercury gives, the services that it names must hold this one."""
        confirmed = (
            f'{{"app_id":"{mercury.nexus.app_id}","projectUuid":"{mercury.nexus_id}",'
            '"projectName":null,"enabledServices":["stock"],"secretVersion":0}'
        )
        mercury.answer(confirmed.encode())
        for _ in range(2):
            with pytest.raises(ag.ServiceNotEnabled):
                desk.ask(mercury.nexus)
        assert 1 == desk.asked

    def test_an_answer_about_another_app_id_is_an_outage(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 1.5: a mixed-up answer admits nobody, and refuses nobody for good."""
        other = mercury.add_project()
        confirmed = (
            f'{{"app_id":"{other.app_id}","projectUuid":"{other.uuid}",'
            '"projectName":null,"enabledServices":["orders"],"secretVersion":0}'
        )
        mercury.answer(confirmed.encode())
        with pytest.raises(ag.ProjectsUnavailable):
            desk.ask(mercury.nexus)
        mercury.recover()
        assert mercury.nexus_id == desk.ask(mercury.nexus).project.id

    def test_a_wrong_signing_secret_is_an_outage_and_an_alarm(
        self, make: Callable[..., Desk], mercury: FakeMercury
    ) -> None:
        """Law 1.6: callers read 503; the operator is told that only a person can mend it."""
        desk = make(signing_secret="another")
        with pytest.raises(ag.ProjectsUnavailable):
            desk.ask(mercury.nexus)
        alarms = [event.code for event in desk.events if isinstance(event, Notice) and event.alarm]
        assert ["projects_request_refused"] == alarms


class TestRemembered:
    def test_fresh_for_a_minute(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.2: Mercury is not asked again."""
        desk.ask(mercury.nexus)
        desk.clock.advance(59)
        desk.ask(mercury.nexus)
        assert 1 == desk.asked

    def test_refreshed_in_the_background(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.2: the request goes on at once, while Mercury takes its time."""
        desk.ask(mercury.nexus)
        desk.clock.advance(61)
        mercury.slow(PATIENCE)
        began = time.monotonic()
        desk.ask(mercury.nexus)
        assert time.monotonic() - began < PATIENCE
        mercury.recover()
        desk.settle()
        desk.ask(mercury.nexus)
        assert 2 == desk.asked

    @pytest.mark.parametrize("how", ["disabled", "secret", "service"])
    def test_a_definite_refusal_ends_it(self, desk: Desk, mercury: FakeMercury, how: str) -> None:
        """Law 6.2: at the refresh, and through the outage that follows."""
        project = mercury.add_project()
        desk.ask(project)
        if how == "disabled":
            mercury.disable(project)
        elif how == "secret":
            mercury.raise_secret_version(project, "a new secret")
        else:
            mercury.enable_services(project, "stock")
        desk.clock.advance(61)
        desk.ask(project)
        desk.settle()
        mercury.outage()
        with pytest.raises(ag.ServiceNotEnabled if how == "service" else ag.InvalidProjectCredentials):
            desk.ask(project)

    @pytest.mark.parametrize("status", [503, 429, None])
    def test_an_outage_of_a_quarter_of_an_hour(
        self, desk: Desk, mercury: FakeMercury, status: int | None
    ) -> None:
        """Law 6.2: known projects go on for 15 min, others and everybody afterwards get 503."""
        desk.ask(mercury.nexus)
        mercury.outage(status)
        for _ in range(15):
            desk.clock.advance(60)
            assert mercury.nexus_id == desk.ask(mercury.nexus).project.id
            desk.settle()
            with pytest.raises(ag.ProjectsUnavailable):
                desk.ask(mercury.nexus, "unknown")
        desk.clock.advance(1)
        with pytest.raises(ag.ProjectsUnavailable):
            desk.ask(mercury.nexus)
        mercury.recover()
        assert mercury.nexus_id == desk.ask(mercury.nexus).project.id

    def test_mercury_is_left_alone_as_long_as_it_asks(self, desk: Desk, mercury: FakeMercury) -> None:
        """Laws 1.5 and 1.8: a busy Mercury is an outage, and callers are told its own time."""
        mercury.answer(b"", status=429, headers=[("Retry-After", "30")])
        with pytest.raises(ag.ProjectsUnavailable) as caught:
            desk.ask(mercury.nexus)
        assert 30.0 == caught.value.retry_after
        desk.clock.advance(10)
        with pytest.raises(ag.ProjectsUnavailable) as caught:
            desk.ask(mercury.nexus)
        assert (20.0, 1) == (caught.value.retry_after, desk.asked)


class TestCalls:
    def test_one_for_many(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.3: those who ask about the same credentials at once share one call."""
        mercury.slow(PATIENCE)
        threading.Thread(target=self._answer_all, args=(desk, 1), daemon=True).start()
        outcomes = desk.ask_at_once([mercury.nexus] * 20)
        assert [mercury.nexus_id] * 20 == [_id(outcome) for outcome in outcomes]
        assert 1 == desk.asked

    def test_thirty_two(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.3: more calls than that are not under way, whoever waits beyond gets 503."""
        projects = [
            MercuryProject("", None, f"app-{number}", mercury.nexus.app_secret, ()) for number in range(40)
        ]
        mercury.slow(PATIENCE)
        threading.Thread(target=self._answer_all, args=(desk, 32), daemon=True).start()
        outcomes = [type(outcome) for outcome in desk.ask_at_once(projects)]
        assert 8 == outcomes.count(ag.ProjectsUnavailable)
        assert 32 == outcomes.count(ag.InvalidProjectCredentials) == desk.asked

    def _answer_all(self, desk: Desk, calls: int) -> None:
        """Let Mercury answer once so many calls have arrived."""
        deadline = time.monotonic() + PATIENCE
        while desk.asked < calls and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.05)  # for those that must not arrive
        desk.mercury.recover()


def _id(outcome: Outcome) -> str:
    return outcome.project.id if isinstance(outcome, ag.Admission) else repr(outcome)


class TestEveryHit:
    def test_a_tenant_that_is_not_served(self, make: Callable[..., Desk], mercury: FakeMercury) -> None:
        """Law 6.4: what Mercury confirms must be one of the projects that this service is for."""
        desk = make(tenants=[mercury.nexus_id])
        other = mercury.add_project()
        assert mercury.nexus_id == desk.ask(mercury.nexus).project.id
        for _ in range(2):
            with pytest.raises(ag.ServiceNotEnabled, match="tenants"):
                desk.ask(other)
        assert 2 == desk.asked

    def test_a_tenant_that_is_served_no_longer(self, make: Callable[..., Desk], mercury: FakeMercury) -> None:
        """Laws 4.13 and 6.4: a predicate is asked again after 60 s, and counts for a remembered project."""
        served = {mercury.nexus_id}
        asked: list[str] = []

        def is_served(tenant: str) -> bool:
            asked.append(tenant)
            return tenant in served

        desk = make(tenants=is_served)
        desk.ask(mercury.nexus)
        served.clear()
        desk.clock.advance(59)
        desk.ask(mercury.nexus)
        desk.clock.advance(1)
        with pytest.raises(ag.ServiceNotEnabled):
            desk.ask(mercury.nexus)
        desk.settle()
        assert [mercury.nexus_id] * 2 == asked

    def test_a_secret_version(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.4: what the revocation source knows ends a remembered project at the next request."""
        project = mercury.add_project(secret_version=4)
        desk.ask(project)
        desk.require_version(project, 4)
        desk.ask(project)
        desk.require_version(project, 5)
        with pytest.raises(ag.InvalidProjectCredentials):
            desk.ask(project)
        assert 1 == desk.asked


class TestGuessing:
    def test_is_limited(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.6: after ten failures in a second 503 without asking, but for who is known."""
        desk.ask(mercury.nexus)
        stranger = MercuryProject("", None, "stranger", "", ())
        for number in range(10):
            with pytest.raises(ag.InvalidProjectCredentials):
                desk.ask(stranger, f"guess {number}")
        with pytest.raises(ag.ProjectsUnavailable, match="too many failed"):
            desk.ask(stranger, "one more")
        desk.ask(mercury.nexus)
        assert 11 == desk.asked

    def test_a_barred_project_is_none(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 6.6: whoever has the secret guesses nothing."""
        mercury.answer(b'{"code":"service_not_enabled"}', status=403)
        for number in range(15):
            with pytest.raises(ag.ServiceNotEnabled):
                desk.ask(MercuryProject("", None, f"app-{number}", "a secret", ()))
        assert 15 == desk.asked


class TestConfiguration:
    @pytest.mark.parametrize("gate", [ag.Gate, ag.AsyncGate])
    def test_everything_is_said_at_once(self, gate: type[ag.Gate | ag.AsyncGate]) -> None:
        """Law 1.6: in either colour, as of any part of the configuration."""
        projects = ag.RemoteProjects("http://mercury.internal/", signing_secret="", service_id="orders")
        with pytest.raises(ag.ConfigurationError) as caught:
            gate(ag.GateConfig(projects=projects, realm=""))
        starts = ("projects: base_url: ", "projects: signing_secret: ", "realm: ")
        assert 3 == len(caught.value.problems)
        assert all(map(str.startswith, caught.value.problems, starts))

    def test_a_service_has_one_name(self) -> None:
        """Two would mean that one of them is judged by nobody."""
        projects = ag.RemoteProjects("https://mercury.test", signing_secret="s", service_id="orders")
        assert [] == [*ag.GateConfig(projects=projects, service_id="orders").problems("sync")]
        (problem,) = ag.GateConfig(projects=projects, service_id="stock").problems("sync")
        assert problem.startswith("service_id: 'stock' is another than RemoteProjects")
