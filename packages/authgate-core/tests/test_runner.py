"""Both runners: every flow, the same outcome and the same trace of effects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from authgate_core.clock import Instant
from authgate_core.credentials import AppCredentials
from authgate_core.effects import (
    Answered,
    AnyEffect,
    AskEndpoint,
    AwaitKeys,
    CheckRevoked,
    Endpoint,
    Flow,
    LookUpProject,
    ReadBody,
    RefreshProject,
    RingName,
    SendRequest,
    StartRefresh,
    UseOnce,
)
from authgate_core.errors import RevocationUnavailable
from authgate_core.principal import Project, ProjectRef, TokenRef
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.runner import AsyncPorts, AsyncRunner, Ports, Runner
from authgate_core.secret import Secret

RING = RingName("id")
REF = ProjectRef("p", 1)
WHO = AppCredentials("p", Secret("s"))
NOW = Instant(1000.0, 10.0)
Run: TypeAlias = Callable[[Flow[Any], list[AnyEffect]], Any]


class World:
    """Every port in one, in the sync colour."""

    def __init__(self, answer: bool | BaseException = False) -> None:
        self.answer = answer
        self.begun: list[object] = []

    def send(self, request: HttpRequest) -> HttpReply:
        return HttpReply(200, {}, request.url.encode())

    def close(self) -> None:
        """Nothing is open."""

    def start(self, ring: RingName) -> str:
        self.begun.append(ring)
        return "a future that nobody sees"

    def wait(self, effect: AwaitKeys) -> Instant:
        return NOW.plus(effect.timeout)

    async def wait_async(self, effect: AwaitKeys) -> Instant:
        await asyncio.sleep(0)
        return self.wait(effect)

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def look_up(self, effect: LookUpProject) -> Project | None:
        return Project(id=effect.credentials.app_id)

    def ask(self, effect: AskEndpoint) -> Answered:
        return Answered(self.send(effect.request), NOW, NOW)

    async def ask_async(self, effect: AskEndpoint) -> Answered:
        await asyncio.sleep(0)
        return self.ask(effect)

    def refresh(self, effect: RefreshProject) -> None:
        self.begun.append(effect.flight_key)

    def use(self, name: bytes, ttl: float) -> bool:
        return (name, ttl) == (b"nonce", 60.0)


class AsyncWorld(World):
    """The same in the async colour."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # the other colour
        await asyncio.sleep(0)
        return super().is_revoked(ref)

    async def look_up(self, effect: LookUpProject) -> Project | None:  # type: ignore[override]  # the other colour
        await asyncio.sleep(0)
        return super().look_up(effect)

    async def use(self, name: bytes, ttl: float) -> bool:  # type: ignore[override]  # the other colour
        await asyncio.sleep(0)
        return super().use(name, ttl)


def runner(colour: str, *answers: bool | BaseException, begun: list[object] | None = None) -> Run:
    """A runner of this colour over a world, with one revocation store for each answer.

    ``begun`` collects what the world is told to begin in the background.
    """
    world: Any = World() if colour == "sync" else AsyncWorld()
    world.begun = [] if begun is None else begun
    if colour == "sync":
        ports = Ports(world, world, tuple(World(answer) for answer in answers), world, world, world)
        return Runner(ports).run
    async_ports = AsyncPorts(
        world, world, tuple(AsyncWorld(answer) for answer in answers), world, world, world
    )
    return lambda flow, trace: asyncio.run(AsyncRunner(async_ports).run(flow, trace))


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


EVERY: list[AnyEffect] = [
    SendRequest(HttpRequest("GET", "https://id.test")),
    AskEndpoint(Endpoint("id", "https://id.test"), HttpRequest("GET", "https://id.test"), b"key"),
    AwaitKeys(RING, 2.0),
    StartRefresh(RING),
    CheckRevoked(REF),
    LookUpProject(WHO, b"key"),
    RefreshProject(WHO, b"key"),
    UseOnce(b"nonce", 60.0),
]


def body() -> bytes:
    """The body of a request, for threads."""
    return b"whole"


async def async_body() -> bytes:
    """The same for event loops."""
    await asyncio.sleep(0)
    return b"whole"


def every_effect() -> Flow[list[object]]:
    """A flow that asks for everything there is."""
    replies: list[object] = []
    for effect in EVERY:
        replies.append((yield from effect))
    return replies


class TestEveryEffect:
    """Each effect is performed, in order, with the reply that it promises."""

    def test_replies_and_trace(self, colour: str) -> None:
        """The same in both colours."""
        trace: list[AnyEffect] = []
        begun: list[object] = []
        replies = runner(colour, False, begun=begun)(every_effect(), trace)

        assert EVERY == trace
        assert [RING, b"key"] == begun
        reply = HttpReply(200, {}, b"https://id.test")
        expected = [
            reply,
            Answered(reply, NOW, NOW),
            NOW.plus(2.0),
            None,
            False,
            Project(id="p"),
            None,
            True,
        ]
        assert expected == replies

    def test_a_flow_that_asks_for_nothing(self, colour: str) -> None:
        """Is just a function."""

        def nothing() -> Flow[int]:
            yield from ()
            return 7

        trace: list[AnyEffect] = []

        assert 7 == runner(colour)(nothing(), trace)
        assert [] == trace


class TestBodies:
    """The body of the request is read by what the adapter gives, which is of the colour of the gate."""

    def test_it_is_read_whole(self, colour: str) -> None:
        """The same in both colours."""

        def reading() -> Flow[bytes]:
            return (yield from ReadBody(body if colour == "sync" else async_body))

        assert b"whole" == runner(colour)(reading(), [])

    def test_what_is_no_body_is_a_bug(self, colour: str) -> None:
        """A text could be of many bodies (Law 1.3)."""

        async def wrong() -> str:
            return "whole"

        def reading() -> Flow[bytes]:
            return (yield from ReadBody((lambda: "whole") if colour == "sync" else wrong))  # type: ignore[arg-type]  # wrong on purpose

        with pytest.raises(TypeError, match="read as str"):
            runner(colour)(reading(), [])


class TestFailures:
    """A port's failure surfaces in the flow, at the line that asked."""

    def test_the_flow_may_answer_it(self, colour: str) -> None:
        """And go on."""

        def forgiving() -> Flow[str]:
            try:
                yield from CheckRevoked(REF)
            except RevocationUnavailable:
                return "answered"
            return "not raised"

        assert "answered" == runner(colour, RevocationUnavailable("down"))(forgiving(), [])

    def test_what_the_flow_does_not_answer_leaves_as_itself(self, colour: str) -> None:
        """Law 1.3."""

        def asking() -> Flow[bool]:
            return (yield from CheckRevoked(REF))

        with pytest.raises(ZeroDivisionError):
            runner(colour, ZeroDivisionError())(asking(), [])

    def test_the_flow_is_closed(self, colour: str) -> None:
        """Whatever happens, its finally blocks run."""
        closed: list[bool] = []

        def careful() -> Flow[bool]:
            try:
                return (yield from CheckRevoked(REF))
            finally:
                closed.append(True)

        with pytest.raises(OSError, match="gone"):
            runner(colour, OSError("gone"))(careful(), [])
        assert [True] == closed

    def test_the_flow_is_closed_when_the_thread_is_interrupted(self, colour: str) -> None:
        """At once, and not when the last traceback is forgotten."""
        closed: list[bool] = []

        class Interrupted(BaseException):
            pass

        def careful() -> Flow[bool]:
            try:
                return (yield from CheckRevoked(REF))
            finally:
                closed.append(True)

        with pytest.raises(Interrupted) as caught:
            runner(colour, Interrupted())(careful(), [])
        assert [True] == closed, caught

    def test_a_cancellation_unwinds_the_flow(self) -> None:
        """In the async colour a request may be given up in the middle."""
        closed: list[bool] = []

        def careful() -> Flow[bool]:
            try:
                return (yield from CheckRevoked(REF))
            finally:
                closed.append(True)

        class Hung(AsyncWorld):
            async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # as above
                await asyncio.sleep(60)
                return False

        async def give_up() -> None:
            world: Any = AsyncWorld()
            running = asyncio.create_task(AsyncRunner(AsyncPorts(world, world, (Hung(),))).run(careful()))
            await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

        asyncio.run(give_up())
        assert [True] == closed


class TestSeveralStores:
    """One yes is enough; else every source must have answered (Law 5.3)."""

    @pytest.mark.parametrize(
        ("answers", "expected"),
        [
            ((), False),
            ((False, False), False),
            ((False, True), True),
            ((OSError("a"), True), True),
            ((True, OSError("a")), True),
            ((False, OSError("a")), OSError),
            ((OSError("a"), False), OSError),
        ],
    )
    def test_the_answers_are_joined(
        self, colour: str, answers: tuple[bool | Exception, ...], expected: bool | type[Exception]
    ) -> None:
        """In whatever order they are configured."""

        def asking() -> Flow[bool]:
            return (yield from CheckRevoked(REF))

        if isinstance(expected, bool):
            assert expected is runner(colour, *answers)(asking(), [])
            return
        with pytest.raises(expected):
            runner(colour, *answers)(asking(), [])
