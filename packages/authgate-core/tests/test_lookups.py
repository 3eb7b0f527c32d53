"""Calling a sync project directory: real threads, one call for each credential."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from authgate_core.cache import ProjectCache
from authgate_core.credentials import AppCredentials
from authgate_core.effects import LookUpProject, RefreshProject
from authgate_core.errors import AuthUnavailable, ProjectsUnavailable, ServiceNotEnabled
from authgate_core.events import Notice
from authgate_core.principal import Project
from authgate_core.runner.lookups import ProjectLookups
from authgate_core.secret import Secret
from authgate_core.testing import ManualClock

SHOP = Project(id="shop")
SECRET = "a-secret-that-nobody-may-ever-see-again"
ITS_OWN_WORDS = "of a directory may hold whatever it was asked about"
PATIENCE = 10.0


class _Directory:
    """Answers when it is told to; ``opened`` is how many calls have begun."""

    def __init__(self, answer: object = SHOP, *, at_once: bool = True) -> None:
        self.answer = answer
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.calls: list[str] = []
        self.threads: list[threading.Thread] = []
        if at_once:
            self.go_on.set()

    def look_up(self, credentials: AppCredentials) -> Project | None:
        self.calls.append(credentials.app_id)
        self.threads.append(threading.current_thread())
        self.begun.release()
        assert self.go_on.wait(PATIENCE)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # some tests answer what no directory may


class _Office:
    """Look-ups over one directory, with what they share."""

    def __init__(self, directory: _Directory) -> None:
        self.directory = directory
        self.clock = ManualClock()
        self.cache = ProjectCache(bytes(32))
        self.notices: list[Notice] = []
        self.lookups = ProjectLookups(directory, self.cache, self.clock, notice=self.notices.append)

    def effect(self, app_id: str = "shop", secret: str = SECRET) -> LookUpProject:
        credentials = AppCredentials(app_id, Secret(secret))
        return LookUpProject(credentials, self.cache.key(credentials))

    def look_up(self, app_id: str = "shop", secret: str = SECRET) -> Project | None:
        return self.lookups.look_up(self.effect(app_id, secret))

    def refresh(self) -> None:
        effect = self.effect()
        self.lookups.refresh(RefreshProject(effect.credentials, effect.flight_key))

    def plan(self) -> object:
        effect = self.effect()
        return self.cache.plan(effect.flight_key, effect.credentials.app_id, self.clock.now())


def _until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _settled() -> None:
    """Wait until refreshes in the background are over."""
    for thread in threading.enumerate():
        if thread.name == "authgate-projects":
            thread.join(PATIENCE)


class TestLookUp:
    def test_answer(self) -> None:
        """A project is answered and remembered."""
        office = _Office(_Directory())
        assert SHOP == office.look_up()
        assert SHOP == office.look_up()
        assert ["shop"] == office.directory.calls

    def test_no(self) -> None:
        """Law 6.2: so is a no."""
        office = _Office(_Directory(None))
        assert office.look_up() is None
        assert office.look_up() is None
        assert ["shop"] == office.directory.calls

    def test_barred(self) -> None:
        """Law 6.2: so is that the project may not use this service."""
        office = _Office(_Directory(ServiceNotEnabled()))
        for _ in range(2):
            with pytest.raises(ServiceNotEnabled):
                office.look_up()
        assert ["shop"] == office.directory.calls

    def test_on_the_thread_of_the_request(self) -> None:
        """A port may use what its framework binds to the thread of a request."""
        office = _Office(_Directory())
        office.look_up()
        assert [threading.current_thread()] == office.directory.threads

    def test_one_call_for_fifty_threads(self) -> None:
        """Law 6.3: concurrent look-ups of one credential make one call."""
        office = _Office(_Directory(at_once=False))
        gate = threading.Barrier(51)

        def request() -> Project | None:
            gate.wait(PATIENCE)
            return office.look_up()

        with ThreadPoolExecutor(50) as pool:
            answers = [pool.submit(request) for _ in range(50)]
            gate.wait(PATIENCE)
            assert office.directory.begun.acquire(timeout=PATIENCE)
            office.directory.go_on.set()
            assert [SHOP] * 50 == [answer.result(PATIENCE) for answer in answers]
        assert ["shop"] == office.directory.calls

    def test_other_credentials(self) -> None:
        """Another secret is another credential: it is not answered by a call that is not its own."""
        office = _Office(_Directory(at_once=False))
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(office.look_up, "shop", secret) for secret in (SECRET, SECRET + "!")]
            for _ in answers:
                assert office.directory.begun.acquire(timeout=PATIENCE)
            office.directory.go_on.set()
            assert [SHOP, SHOP] == [answer.result(PATIENCE) for answer in answers]
        assert ["shop", "shop"] == office.directory.calls

    def test_thirty_two(self) -> None:
        """Law 6.3: 32 calls in flight, then 503 at once; afterwards there is room again."""
        office = _Office(_Directory(at_once=False))
        with ThreadPoolExecutor(32) as pool:
            answers = [pool.submit(office.look_up, f"app{number}") for number in range(32)]
            for _ in answers:
                assert office.directory.begun.acquire(timeout=PATIENCE)
            with pytest.raises(ProjectsUnavailable, match="32 calls"):
                office.look_up("app33")
            office.directory.go_on.set()
            assert [SHOP] * 32 == [answer.result(PATIENCE) for answer in answers]
        assert SHOP == office.look_up("app33")

    def test_limit_of_failures(self) -> None:
        """Law 6.6: who planned to ask before the limit was reached is told of it."""
        office = _Office(_Directory(None))
        for number in range(10):
            office.look_up(f"app{number}")
        with pytest.raises(ProjectsUnavailable, match="too many failed attempts") as caught:
            office.look_up("app10")
        assert pytest.approx(0.1) == caught.value.retry_after
        assert 10 == len(office.directory.calls)


def _leader_and_waiters(office: _Office) -> tuple[list[Future[Project | None]], Future[Project | None]]:
    """The outcomes of three who wait for a call, and of the one who makes it."""
    with ThreadPoolExecutor(4) as pool:
        leader = pool.submit(office.look_up)
        assert office.directory.begun.acquire(timeout=PATIENCE)
        (flight,) = office.lookups._flights.values()
        waiters = [pool.submit(office.look_up) for _ in range(3)]
        _until(lambda: len(flight._condition._waiters) == 3)  # type: ignore[attr-defined]  # who waits is not public
        office.directory.go_on.set()
    return waiters, leader


class TestFailures:
    @pytest.mark.parametrize(
        "error", [ProjectsUnavailable("no answer"), AuthUnavailable("x"), KeyError("bug")]
    )
    def test_shared(self, error: Exception) -> None:
        """Laws 1.3 and 6.3: what the port raised reaches everyone who waits, as itself."""
        office = _Office(_Directory(error, at_once=False))
        waiters, leader = _leader_and_waiters(office)
        assert [error] * 4 == [outcome.exception() for outcome in (leader, *waiters)]
        assert ["shop"] == office.directory.calls

    def test_never_cached(self) -> None:
        """Law 7.3: after an outage or a bug the directory is asked again."""
        office = _Office(_Directory(AuthUnavailable("gone")))
        with pytest.raises(AuthUnavailable):
            office.look_up()
        office.directory.answer = ValueError("bug")
        with pytest.raises(ValueError, match="bug"):
            office.look_up()
        office.directory.answer = SHOP
        assert SHOP == office.look_up()

    def test_interrupted(self) -> None:
        """What ends one thread, such as the time-out of its worker, is an outage to those who wait for it."""
        office = _Office(_Directory(SystemExit(1), at_once=False))
        waiters, leader = _leader_and_waiters(office)
        assert isinstance(leader.exception(), SystemExit)
        assert all(isinstance(waiter.exception(), ProjectsUnavailable) for waiter in waiters)
        office.directory.answer = SHOP
        assert SHOP == office.look_up()

    @pytest.mark.parametrize("answer", [True, "shop", {"id": "shop"}, 0])
    def test_wrong_answer(self, answer: object) -> None:
        """Law 1.3: what is neither a Project nor None is a bug of the port, never an admission."""
        with pytest.raises(TypeError, match="not a Project or None"):
            _Office(_Directory(answer)).look_up()

    def test_coroutine(self) -> None:
        """Law 9.4: an async port in disguise is told how to be used."""

        async def answer() -> Project:
            return SHOP

        with pytest.raises(TypeError, match="write it with `def`, or use AsyncGate"):
            _Office(_Directory(answer())).look_up()

    def test_notice_that_fails(self) -> None:
        """Nobody waits for ever where even the report of a failure fails."""

        def broken(_: Notice) -> None:
            raise ZeroDivisionError

        office = _Office(_Directory(AuthUnavailable("gone"), at_once=False))
        office.lookups._notice = broken
        waiters, leader = _leader_and_waiters(office)
        assert all(isinstance(outcome.exception(), ZeroDivisionError) for outcome in (leader, *waiters))

    def test_outages_are_noticed_once_a_minute(self) -> None:
        """An outage is told to the operator, with nothing of the credentials, and not at every request."""
        office = _Office(_Directory(AuthUnavailable(ITS_OWN_WORDS)))
        for pause in (0, 1, 58, 1):
            office.clock.advance(pause)
            with pytest.raises(AuthUnavailable):
                office.look_up()
        assert ["projects_unavailable"] * 2 == [notice.code for notice in office.notices]
        assert "(4 times so far)" in office.notices[1].text
        assert ITS_OWN_WORDS not in repr(office.notices)


class TestRefresh:
    def _stale(self, directory: _Directory) -> _Office:
        office = _Office(_Directory())
        office.look_up()
        office.clock.advance(61)
        office.directory = directory
        office.lookups._directory = directory
        return office

    def test_in_the_background(self) -> None:
        """Law 6.2: a refresh does not hold its request up; one is under way at a time."""
        office = self._stale(_Directory(Project(id="shop", name="new"), at_once=False))
        office.refresh()
        assert office.directory.begun.acquire(timeout=PATIENCE)
        office.refresh()
        assert office.directory.threads[0].daemon
        office.directory.go_on.set()
        _settled()
        assert ["shop"] == office.directory.calls
        renewed = office.look_up()
        assert renewed is not None
        assert "new" == renewed.name

    def test_not_needed(self) -> None:
        """A refresh that another request has finished meanwhile is not made again."""
        office = self._stale(_Directory())
        office.refresh()
        _settled()
        office.refresh()
        assert ["shop"] == office.directory.calls

    def test_refused(self) -> None:
        """Law 6.2: a definite refusal ends the answer at once."""
        office = self._stale(_Directory(None))
        office.refresh()
        _settled()
        assert office.look_up() is None

    def test_barred(self) -> None:
        """Law 6.2: so does that the project may not use this service any more; nobody need be told."""
        office = self._stale(_Directory(ServiceNotEnabled()))
        office.refresh()
        _settled()
        with pytest.raises(ServiceNotEnabled):
            office.look_up()
        assert [] == office.notices

    def test_joined_by_a_look_up(self) -> None:
        """Law 6.3: a look-up waits for a refresh of the same credentials that is under way."""
        office = self._stale(_Directory(at_once=False))
        office.refresh()
        assert office.directory.begun.acquire(timeout=PATIENCE)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(office.look_up)
            office.directory.go_on.set()
            assert SHOP == answer.result(PATIENCE)
        assert ["shop"] == office.directory.calls

    def test_outage(self) -> None:
        """Law 6.2: a refresh that fails raises nothing; the answer goes on and the operator is told."""
        office = self._stale(_Directory(AuthUnavailable("gone")))
        office.clock.advance(110)
        office.refresh()
        _settled()
        assert ["projects_unavailable"] == [notice.code for notice in office.notices]
        office.clock.advance(50)
        assert SHOP == office.look_up()
        assert ["shop"] == office.directory.calls

    def test_bug(self) -> None:
        """Law 1.3: a bug in the background is told with its place, but not its text (Law 2.5)."""
        office = self._stale(_Directory(KeyError(ITS_OWN_WORDS)))
        office.refresh()
        _settled()
        (notice,) = office.notices
        assert notice.alarm
        assert "project_directory_failed" == notice.code
        assert notice.text.startswith("look_up raised KeyError in the background, at ")
        assert "test_lookups.py:" in notice.text
        assert ITS_OWN_WORDS not in notice.text
        office.clock.advance(120)
        with pytest.raises(KeyError):
            office.look_up()

    def test_no_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where no thread can be started, as at exit, the request goes on and the next one tries again."""
        office = self._stale(_Directory())

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            office.refresh()
        assert {} == office.lookups._flights
        office.refresh()
        _settled()
        assert ["shop"] == office.directory.calls

    def test_busy(self) -> None:
        """Law 6.3: 32 calls are the most, refreshes included."""
        office = self._stale(_Directory(at_once=False))
        with ThreadPoolExecutor(32) as pool:
            answers = [pool.submit(office.look_up, f"app{number}") for number in range(32)]
            for _ in answers:
                assert office.directory.begun.acquire(timeout=PATIENCE)
            office.refresh()
            office.directory.go_on.set()
            assert [SHOP] * 32 == [answer.result(PATIENCE) for answer in answers]
        assert 32 == len(office.directory.calls)


FORK = """
import os, threading
from authgate_core.cache import ProjectCache
from authgate_core.clock import SystemClock
from authgate_core.credentials import AppCredentials
from authgate_core.effects import LookUpProject
from authgate_core.principal import Project
from authgate_core.runner.lookups import AsyncProjectLookups, ProjectLookups
from authgate_core.secret import Secret

class Directory:
    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()
    def look_up(self, credentials):
        self.begun.set()
        self.go_on.wait()
        return Project(id="shop")

cache, directory = ProjectCache(bytes(32)), Directory()
lookups = ProjectLookups(directory, cache, SystemClock(), notice=print)
asynchronous = AsyncProjectLookups(directory, cache, SystemClock(), notice=print)
credentials = AppCredentials("shop", Secret("x" * 40))
effect = LookUpProject(credentials, cache.key(credentials))
leader = threading.Thread(target=lookups.look_up, args=(effect,))
leader.start()
directory.begun.wait()
lookups._lock.acquire()
asynchronous._lock.acquire()
child = os.fork()
if child == 0:
    directory.go_on.set()
    assert not asynchronous._lock.locked()
    os._exit(0 if lookups.look_up(effect).id == "shop" else 1)
lookups._lock.release()
directory.go_on.set()
leader.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class TestFork:
    def test_child_asks_for_itself(self) -> None:
        """Law 9.5: in a child neither the lock nor the call of the parent is used."""
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        assert ("0\n", "") == (done.stdout, done.stderr)

    def test_port_that_forks(self) -> None:
        """Law 9.5: a call that is under way where its process is forked ends in the child without harm."""
        office = _Office(_Directory())
        inner = office.directory.look_up
        another: Future[Project | None] = Future()

        def forked(credentials: AppCredentials) -> Project | None:
            office.lookups.start_over()
            office.lookups._flights[office.effect().flight_key] = another
            return inner(credentials)

        office.directory.look_up = forked  # type: ignore[method-assign]  # in the place of a real fork
        assert SHOP == office.look_up()
        assert [another] == list(office.lookups._flights.values())

    def test_not_kept_alive(self) -> None:
        """What watches for forks does not keep a gate that is gone."""
        office = _Office(_Directory())
        gone = weakref.ref(office.lookups)
        del office
        gc.collect()
        assert gone() is None
