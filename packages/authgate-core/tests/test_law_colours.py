"""Both colours: a value or an awaitable, nobody blocked, no loop started, ports of the right kind (Laws 9.1 to 9.5)."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.credentials import AppCredentials
from authgate_core.gate.revocations import AsyncRevocations, Revocations
from authgate_core.testing import FakeIssuer
from tests.support.gates import view

PROJECT = (("x-app-id", "shop"), ("x-app-secret", "a-secret-of-more-than-thirty-two-characters"))
ROOT = Path(__file__).parents[3]
TWINS = [(ag.Gate, ag.AsyncGate), (Revocations, AsyncRevocations)]
WAITS = {"admit", "explain", "verify_token", "warm_up", "aclose", *vars(Revocations)}


def public(kind: type) -> dict[str, Callable[..., object]]:
    """The public methods of a class, its bases' included."""
    return {
        name: one for name, one in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")
    }


class TestAValueOrAnAwaitable:
    """Law 9.1: no public callable returns one or the other."""

    @pytest.mark.parametrize(("plain", "awaitable"), TWINS)
    def test_the_twins_have_the_same_names(self, plain: type, awaitable: type) -> None:
        """But for ``close``, which is ``aclose`` where it is awaited, and ``begin``, for who cannot await."""
        renamed = {"aclose" if name == "close" else name for name in public(plain)}

        assert renamed == set(public(awaitable)) - {"begin"}

    @pytest.mark.parametrize(("plain", "awaitable"), TWINS)
    def test_what_may_wait_is_a_coroutine_and_nothing_else(self, plain: type, awaitable: type) -> None:
        """Always, whatever the arguments are: it is the method that is async, not now and then its result."""
        assert set() == {name for name, one in public(plain).items() if inspect.iscoroutinefunction(one)}
        assert WAITS & set(public(awaitable)) == {
            name for name, one in public(awaitable).items() if inspect.iscoroutinefunction(one)
        }

    @pytest.mark.parametrize(("plain", "awaitable"), TWINS)
    def test_twins_take_the_same_arguments(self, plain: type, awaitable: type) -> None:
        """And say that they return the same."""
        for name, one in public(plain).items():
            other = public(awaitable)["aclose" if name == "close" else name]
            assert inspect.signature(one) == inspect.signature(other)

    def test_without_an_effect_it_is_awaitable_all_the_same(self) -> None:
        """A request that is refused by its looks alone is refused when it is awaited, not before."""
        with FakeIssuer() as fake:
            gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted(fake)]))
            answer = gate.admit(view(), ag.is_user)

            assert inspect.iscoroutine(answer)
            with pytest.raises(ag.MissingCredentials):
                asyncio.run(answer)
            asyncio.run(gate.aclose())


def trusted(fake: FakeIssuer) -> ag.Issuer:
    """An issuer whose keys are fetched."""
    return ag.Issuer.oidc(fake.url, audience=fake.audience, name="id")


class Slow:
    """A directory that waits, in the async colour, until it is told to go on."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        await self.go_on.wait()
        return ag.Project(id=credentials.app_id)


@pytest.fixture(name="no_loops")
def _no_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nobody can make an event loop."""

    def refuse() -> asyncio.AbstractEventLoop:
        raise AssertionError("an event loop was made")

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    monkeypatch.setattr(asyncio.events, "new_event_loop", refuse)


class TestNobodyIsBlocked:
    """Law 9.2: what is asynchronous never blocks the event loop, and what is synchronous never starts one."""

    def test_a_sync_gate_starts_no_loop(self, no_loops: None) -> None:
        """Whatever it is asked, on whichever thread: keys, projects, revocation, warm-up, health, closing."""
        projects = ag.StaticProjects({"shop": {"secret": PROJECT[1][1]}})
        running: list[bool] = []

        def use(gate: ag.Gate, fake: FakeIssuer) -> None:
            token = fake.token("u1")
            gate.warm_up()
            gate.admit(view(("Authorization", f"Bearer {token}"), *PROJECT), ag.is_user & ag.is_project)
            gate.revocations.revoke_token(token)
            with pytest.raises(ag.TokenRevoked):
                gate.verify_token(token)
            gate.health()
            running.append(asyncio._get_running_loop() is not None)

        with FakeIssuer() as fake:
            config = ag.GateConfig(
                issuers=[trusted(fake)], projects=projects, revocation=ag.MemoryRevocation()
            )
            with ag.Gate(config) as gate:
                use(gate, fake)
                thread = threading.Thread(target=use, args=(gate, fake))
                thread.start()
                thread.join()

        assert [False, False] == running

    def test_a_loop_goes_on_while_keys_are_fetched(self) -> None:
        """The issuer is held until the loop has turned often: it never would, if the fetch had stopped it."""

        async def turn(fake: FakeIssuer, gate: ag.AsyncGate) -> str:
            waiting = asyncio.create_task(gate.verify_token(fake.token("u1")))
            for _ in range(50):
                await asyncio.sleep(0.001)
            assert not waiting.done()
            fake.recover()
            return (await waiting).user.id

        with FakeIssuer() as fake:
            fake.slow(30)
            gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted(fake)], key_wait=20))
            assert "u1" == asyncio.run(turn(fake, gate))
            asyncio.run(gate.aclose())

    def test_a_loop_goes_on_while_a_warm_up_waits(self) -> None:
        """The start of an application is no reason to stop another one in the same loop."""

        async def turn(fake: FakeIssuer, gate: ag.AsyncGate) -> None:
            waiting = asyncio.create_task(gate.warm_up(20))
            for _ in range(50):
                await asyncio.sleep(0.001)
            assert not waiting.done()
            fake.recover()
            await waiting

        with FakeIssuer() as fake:
            fake.slow(30)
            gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted(fake)]))
            asyncio.run(turn(fake, gate))
            assert ["fresh"] == [keys.status for keys in gate.health().keys]
            asyncio.run(gate.aclose())

    def test_a_loop_goes_on_while_a_directory_is_asked(self) -> None:
        """A port of your own may wait as long as it likes: other requests are served meanwhile."""

        async def turn() -> str:
            slow, fake = Slow(), FakeIssuer(url="https://id.test")
            issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience)
            async with ag.AsyncGate(ag.GateConfig(issuers=[issuer], projects=slow)) as gate:
                waiting = asyncio.create_task(gate.admit(view(*PROJECT), ag.is_project))
                for _ in range(20):
                    assert "u1" == (await gate.verify_token(fake.token("u1"))).user.id
                assert not waiting.done()
                slow.go_on.set()
                return (await waiting).project.id

        assert "shop" == asyncio.run(turn())


class Plain:
    """A directory of the sync colour."""

    def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        return None


class Waiting:
    """A directory of the async colour."""

    async def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        return None


class TestPorts:
    """Law 9.4: a port of your own is synchronous or asynchronous, and the wrong one is a configuration error."""

    @pytest.mark.parametrize(
        ("gate", "port", "expected"),
        [
            (ag.Gate, Waiting(), "Waiting.look_up is async; write it with `def` for Gate, or use AsyncGate"),
            (
                ag.AsyncGate,
                Plain(),
                "Plain.look_up is sync; write it with `async def` for AsyncGate, or use Gate",
            ),
        ],
    )
    def test_a_directory(self, gate: type[ag.Gate | ag.AsyncGate], port: Any, expected: str) -> None:
        """Said when the gate is built, with what to write instead."""
        with pytest.raises(ag.ConfigurationError) as caught:
            gate(ag.GateConfig(projects=port))

        assert (f"projects: {expected}",) == caught.value.problems


FORK = """
import logging, os, sys, threading, time
import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.support.gates import face, view

logging.getLogger("authgate").setLevel(logging.CRITICAL)
colour = sys.argv[1]
secret = "a-secret-of-more-than-thirty-two-characters"
policy = ag.is_user & ag.is_project

def admitted(gate, token):
    request = view(("Authorization", f"Bearer {token}"), ("x-app-id", "shop"), ("x-app-secret", secret))
    try:
        return gate.admit(request, policy).user.id
    except ag.AuthgateError as error:
        return error.code

with FakeIssuer() as fake:
    config = ag.GateConfig(
        issuers=[ag.Issuer.oidc(fake.url, audience=fake.audience, name="id")],
        projects=ag.StaticProjects({"shop": {"secret": secret}}),
        revocation=ag.MemoryRevocation(),
    )
    gate = face(colour, config)
    known, revoked = fake.token("known"), fake.token("revoked")
    assert "known" == admitted(gate, known)
    gate.revoke("revoke_token", revoked)

    # As bad a moment as there is: a refresh hangs, a request waits for it, and a lock is held by another thread.
    fake.slow(30)
    fake.rotate()
    rotated = fake.token("rotated")
    waiting = threading.Thread(target=admitted, args=(gate, rotated))
    waiting.start()
    refresher = gate.gate._refresher
    while not refresher._flights:
        time.sleep(0.001)
    refresher._lock.acquire()
    child = os.fork()
    if child == 0:
        found = [admitted(gate, known), admitted(gate, revoked)]
        deadline = time.monotonic() + 20
        while admitted(gate, rotated) != "rotated" and time.monotonic() < deadline:
            time.sleep(0.05)
        found.append(admitted(gate, rotated))
        gate.revoke("revoke_token", known)
        found.append(admitted(gate, known))
        print(*found, refresher._random(), flush=True)
        os._exit(0)
    refresher._lock.release()
    fake.recover()
    os.waitpid(child, 0)
    waiting.join()
    print(admitted(gate, known), admitted(gate, rotated), refresher._random())
    gate.close()
"""


class TestAfterAFork:
    """Law 9.5: of the parent's locks, futures and connections nothing is used in a child."""

    @pytest.mark.parametrize("colour", ["sync", "async"])
    def test_a_gate_goes_on_in_a_child(self, colour: str) -> None:
        """Law 4.11: keys and revocations are as before; what hangs in the parent hangs there, and jitter differs."""
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK, colour]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

        assert "" == done.stderr
        (*child, jitter), (*parent, other) = (line.split() for line in done.stdout.splitlines())
        assert ["known", "token_revoked", "rotated", "token_revoked"] == child
        assert ["known", "rotated"] == parent
        assert jitter != other
