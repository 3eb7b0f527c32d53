"""Calling an async project directory: one call for each credential on each event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from authgate_core.cache import ProjectCache
from authgate_core.credentials import AppCredentials
from authgate_core.effects import LookUpProject, RefreshProject
from authgate_core.errors import AuthUnavailable, ProjectsUnavailable, ServiceNotEnabled
from authgate_core.events import Notice
from authgate_core.principal import Project
from authgate_core.runner.lookups import AsyncProjectLookups
from authgate_core.secret import Secret
from authgate_core.testing import ManualClock

SHOP = Project(id="shop")
SECRET = "a-secret-that-nobody-may-ever-see-again"
ITS_OWN_WORDS = "of a directory may hold whatever it was asked about"


class _Directory:
    """Answers at once, or when it is told to on its loop."""

    def __init__(self, answer: object = SHOP) -> None:
        self.answer = answer
        self.hold: asyncio.Event | None = None
        self.calls: list[str] = []
        self.cancelled = 0

    async def look_up(self, credentials: AppCredentials) -> Project | None:
        self.calls.append(credentials.app_id)
        try:
            if self.hold is not None:
                await self.hold.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # some tests answer what no directory may


class _Office:
    """Look-ups over one directory, with what they share."""

    def __init__(self, answer: object = SHOP) -> None:
        self.directory = _Directory(answer)
        self.clock = ManualClock()
        self.cache = ProjectCache(bytes(32))
        self.notices: list[Notice] = []
        self.lookups = AsyncProjectLookups(self.directory, self.cache, self.clock, notice=self.notices.append)

    def effect(self, app_id: str = "shop") -> LookUpProject:
        credentials = AppCredentials(app_id, Secret(SECRET))
        return LookUpProject(credentials, self.cache.key(credentials))

    def look_up(self, app_id: str = "shop") -> Coroutine[Any, Any, Project | None]:
        return self.lookups.look_up(self.effect(app_id))

    async def grow_stale(self, answer: object) -> None:
        """Know the project, let more than a minute pass, and change what the directory answers."""
        await self.look_up()
        self.clock.advance(61)
        self.directory.answer = answer
        self.directory.calls.clear()

    def refresh(self) -> None:
        effect = self.effect()
        self.lookups.refresh(RefreshProject(effect.credentials, effect.flight_key))

    async def settled(self) -> None:
        """Wait until what is under way on this loop is over."""
        while calls := self.lookups._flights().values():
            await asyncio.wait(calls)


def _complaints() -> list[dict[str, Any]]:
    """What the running loop would report as nobody's exception, from now on."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    return complaints


async def _held(office: _Office) -> asyncio.Event:
    office.directory.hold = asyncio.Event()
    return office.directory.hold


class TestLookUp:
    def test_answer(self) -> None:
        """A project is answered and remembered, and so is a no (Law 6.2)."""
        for answer in (SHOP, None):
            office = _Office(answer)
            assert answer == asyncio.run(office.look_up())
            assert answer == asyncio.run(office.look_up())
            assert ["shop"] == office.directory.calls

    def test_barred(self) -> None:
        """Law 6.2: that the project may not use this service is shared and remembered."""
        office = _Office(ServiceNotEnabled())

        async def scenario() -> None:
            answers = await asyncio.gather(office.look_up(), office.look_up(), return_exceptions=True)
            assert [ServiceNotEnabled] * 2 == [type(answer) for answer in answers]
            with pytest.raises(ServiceNotEnabled):
                await office.look_up()

        asyncio.run(scenario())
        assert ["shop"] == office.directory.calls

    def test_one_call_for_two_hundred_tasks(self) -> None:
        """Law 6.3: concurrent look-ups of one credential make one call."""
        office = _Office()

        async def scenario() -> list[Project | None]:
            hold = await _held(office)
            tasks = [asyncio.create_task(office.look_up()) for _ in range(200)]
            await asyncio.sleep(0)
            hold.set()
            return await asyncio.gather(*tasks)

        assert [SHOP] * 200 == asyncio.run(scenario())
        assert ["shop"] == office.directory.calls

    def test_cancelled_waiter(self) -> None:
        """Law 6.3: whoever began the call may be cancelled; the call and the others go on."""
        office = _Office()

        async def scenario() -> Project | None:
            hold = await _held(office)
            first, second = (asyncio.create_task(office.look_up()) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            hold.set()
            return await second

        assert SHOP == asyncio.run(scenario())
        assert (["shop"], 0) == (office.directory.calls, office.directory.cancelled)

    def test_all_waiters_cancelled(self) -> None:
        """A call that nobody waits for any more is finished and remembered; an outage of it is no noise."""
        for answer, calls in ((SHOP, 1), (AuthUnavailable("gone"), 2)):
            office = _Office(answer)

            async def scenario(office: _Office = office) -> None:
                complaints = _complaints()
                hold = await _held(office)
                waiter = asyncio.create_task(office.look_up())
                await asyncio.sleep(0)
                waiter.cancel()
                await asyncio.wait([waiter])
                hold.set()
                await office.settled()
                office.directory.answer = SHOP
                assert SHOP == await office.look_up()
                del waiter  # its cancellation refers to the call
                gc.collect()
                assert [] == complaints

            asyncio.run(scenario())
            assert calls == len(office.directory.calls)

    def test_thirty_two(self) -> None:
        """Law 6.3: 32 calls in flight, then 503 at once; afterwards there is room again."""
        office = _Office()

        async def scenario() -> None:
            hold = await _held(office)
            tasks = [asyncio.create_task(office.look_up(f"app{number}")) for number in range(32)]
            await asyncio.sleep(0)
            with pytest.raises(ProjectsUnavailable, match="32 calls"):
                await office.look_up("app33")
            hold.set()
            assert [SHOP] * 32 == await asyncio.gather(*tasks)
            await office.settled()
            assert SHOP == await office.look_up("app33")

        asyncio.run(scenario())

    def test_limit_of_failures(self) -> None:
        """Law 6.6: who planned to ask before the limit was reached is told of it."""
        office = _Office(None)

        async def scenario() -> None:
            for number in range(10):
                await office.look_up(f"app{number}")
            with pytest.raises(ProjectsUnavailable, match="too many failed attempts"):
                await office.look_up("app10")

        asyncio.run(scenario())


class TestFailures:
    @pytest.mark.parametrize(
        "error", [ProjectsUnavailable("no answer"), AuthUnavailable("x"), KeyError("bug")]
    )
    def test_shared(self, error: Exception) -> None:
        """Laws 1.3 and 6.3: what the port raised reaches all who wait, as itself, and is not remembered."""
        office = _Office(error)

        async def scenario() -> None:
            tasks = [asyncio.create_task(office.look_up()) for _ in range(3)]
            assert [error] * 3 == await asyncio.gather(*tasks, return_exceptions=True)
            assert ["shop"] == office.directory.calls
            office.directory.answer = SHOP
            assert SHOP == await office.look_up()

        asyncio.run(scenario())

    def test_cancelled_call(self) -> None:
        """A call that is cancelled from within is an outage to those who wait, not their own cancellation."""
        office = _Office(asyncio.CancelledError())

        async def scenario() -> None:
            with pytest.raises(ProjectsUnavailable, match="was cancelled"):
                await office.look_up()

        asyncio.run(scenario())

    def test_wrong_answer(self) -> None:
        """Law 1.3: what is neither a Project nor None is a bug of the port, never an admission."""
        with pytest.raises(TypeError, match="answered bool, not a Project or None"):
            asyncio.run(_Office(answer=True).look_up())


class TestRefresh:
    def test_in_the_background(self) -> None:
        """Law 6.2: a refresh does not hold its request up; one is under way at a time."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(Project(id="shop", name="new"))
            hold = await _held(office)
            office.refresh()
            await asyncio.sleep(0)
            office.refresh()
            hold.set()
            await office.settled()
            office.refresh()
            renewed = await office.look_up()
            assert renewed is not None
            assert "new" == renewed.name

        asyncio.run(scenario())
        assert ["shop"] == office.directory.calls

    def test_refused(self) -> None:
        """Law 6.2: a definite refusal ends the answer at once."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(None)
            office.refresh()
            await office.settled()
            assert await office.look_up() is None

        asyncio.run(scenario())

    def test_barred(self) -> None:
        """Law 6.2: so does that the project may not use this service any more; nobody need be told."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(ServiceNotEnabled())
            office.refresh()
            await office.settled()
            with pytest.raises(ServiceNotEnabled):
                await office.look_up()

        asyncio.run(scenario())
        assert [] == office.notices
        assert ["shop"] == office.directory.calls

    def test_outage(self) -> None:
        """Law 6.2: a refresh that fails raises nothing; the answer goes on and the operator is told."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(AuthUnavailable(ITS_OWN_WORDS))
            office.refresh()
            await office.settled()
            assert SHOP == await office.look_up()

        asyncio.run(scenario())
        assert ["projects_unavailable"] == [notice.code for notice in office.notices]
        assert ITS_OWN_WORDS not in repr(office.notices)

    def test_bug(self) -> None:
        """Law 1.3: a bug in the background is told with its place, but not its text (Law 2.5)."""
        office = _Office()

        async def scenario() -> None:
            complaints = _complaints()
            await office.grow_stale(KeyError(ITS_OWN_WORDS))
            office.refresh()
            await office.settled()
            gc.collect()
            assert [] == complaints

        asyncio.run(scenario())
        (notice,) = office.notices
        assert ("project_directory_failed", True) == (notice.code, notice.alarm)
        assert "look_up raised KeyError in the background" in notice.text
        assert ITS_OWN_WORDS not in notice.text

    def test_bug_that_a_look_up_joined(self) -> None:
        """Law 1.3: who waits for a refresh that ends in a bug is given the bug."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(KeyError("bug"))
            office.refresh()
            with pytest.raises(KeyError):
                await office.look_up()

        asyncio.run(scenario())

    def test_kept_referenced(self) -> None:
        """A refresh that only the loop would refer to weakly is not collected."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(None)
            hold = await _held(office)
            office.refresh()
            await asyncio.sleep(0)
            gc.collect()
            hold.set()
            await office.settled()
            assert await office.look_up() is None

        asyncio.run(scenario())


class TestLoops:
    def test_each_loop_calls_for_itself(self) -> None:
        """Law 6.3: sharing is per event loop, and no loop waits for another's call; the cache is one."""
        office = _Office()
        meeting = threading.Barrier(2)

        class Meeting:
            async def look_up(self, credentials: AppCredentials) -> Project | None:
                office.directory.calls.append(credentials.app_id)
                await asyncio.to_thread(meeting.wait, 10)
                return SHOP

        office.lookups._directory = Meeting()

        async def scenario() -> list[Project | None]:
            return await asyncio.gather(*(office.look_up() for _ in range(2)))

        with ThreadPoolExecutor(2) as pool:
            loops = [pool.submit(asyncio.run, scenario()) for _ in range(2)]
            assert [[SHOP, SHOP]] * 2 == [loop.result(10) for loop in loops]
        assert SHOP == asyncio.run(office.look_up())
        assert ["shop", "shop"] == office.directory.calls

    def test_call_of_a_closed_loop(self) -> None:
        """Law 9.5: a new loop uses no call of an old one, nor keeps the old one alive."""
        office = _Office()

        async def begin() -> None:
            office.directory.hold = asyncio.Event()
            office.refresh()
            await asyncio.sleep(0)

        async def finish() -> Project | None:
            office.directory.hold = None
            return await office.look_up()

        asyncio.run(office.grow_stale(SHOP))
        old = asyncio.new_event_loop()
        old.run_until_complete(begin())
        (left,) = office.lookups._loops[old].values()
        left._log_destroy_pending = False  # type: ignore[attr-defined]  # as where a server stops without mercy
        old.close()
        watched = weakref.ref(old)
        office.clock.advance(900)
        assert SHOP == asyncio.run(finish())
        del old, left
        gc.collect()
        assert watched() is None

    def test_close(self) -> None:
        """Closing cancels what is under way on this loop; who waits is told that it could not be checked."""
        office = _Office()

        async def scenario() -> None:
            await office.lookups.aclose()
            await _held(office)
            waiter = asyncio.create_task(office.look_up())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await office.lookups.aclose()
            with pytest.raises(ProjectsUnavailable):
                await waiter
            assert {} == office.lookups._flights()

        asyncio.run(scenario())
        assert 1 == office.directory.cancelled

    def test_closing_a_refresh(self) -> None:
        """A refresh that is cancelled is no failure of the directory."""
        office = _Office()

        async def scenario() -> None:
            await office.grow_stale(SHOP)
            await _held(office)
            complaints = _complaints()
            office.refresh()
            await asyncio.sleep(0)
            await office.lookups.aclose()
            await asyncio.sleep(0)
            assert [] == complaints

        asyncio.run(scenario())
        assert [] == office.notices
