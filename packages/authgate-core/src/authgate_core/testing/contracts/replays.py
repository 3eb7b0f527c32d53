"""What a store of values that may be used once promises, in both colours."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, Protocol, TypeAlias

import pytest

from ...errors import AuthUnavailable
from ...ports import AsyncReplayStore, ReplayStore

__all__ = [
    "AsyncReplayStoreContract",
    "AsyncReplayStoreOutageContract",
    "OpenReplays",
    "ReplayStoreContract",
    "ReplayStoreOutageContract",
]

OpenReplays: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncReplayStore]]

_AT_ONCE: Final = 50
_LASTS: Final = 60.0


class Driver(Protocol):
    """A store of either colour as the tests use it."""

    def use(self, name: bytes, ttl: float) -> bool:
        """Use a value up."""
        ...

    def use_at_once(self, name: bytes) -> list[bool]:
        """Use one value up several times, at the same time."""
        ...


class _SyncDriver:
    def __init__(self, store: ReplayStore) -> None:
        self.use = store.use

    def use_at_once(self, name: bytes) -> list[bool]:
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(self.use, [name] * _AT_ONCE, [_LASTS] * _AT_ONCE))


class _AsyncDriver:
    def __init__(self, runner: asyncio.Runner, store: AsyncReplayStore) -> None:
        self._runner = runner
        self._store = store

    def use(self, name: bytes, ttl: float) -> bool:
        return self._runner.run(self._store.use(name, ttl))

    def use_at_once(self, name: bytes) -> list[bool]:
        async def all_of_them() -> list[bool]:
            return await asyncio.gather(*(self._store.use(name, _LASTS) for _ in range(_AT_ONCE)))

        return self._runner.run(all_of_them())


class _SyncDriven:
    @pytest.fixture
    def store(self) -> ReplayStore:
        """The store to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `store`")

    @pytest.fixture
    def driver(self, store: ReplayStore) -> Driver:
        """The store as the tests use it."""
        return _SyncDriver(store)


class _AsyncDriven:
    @pytest.fixture
    def open_store(self) -> OpenReplays:
        """Opens the store to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `open_store`")

    @pytest.fixture
    def driver(self, open_store: OpenReplays) -> Iterator[Driver]:
        """The store as the tests use it, opened, driven and closed in one event loop."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            yield _AsyncDriver(runner, runner.run(stack.enter_async_context(open_store())))
            runner.run(stack.aclose())


class _OnceLaws:
    def test_a_value_is_used_once(self, driver: Driver) -> None:
        """The first use is told so, and none after it."""
        name = os.urandom(32)
        assert [driver.use(name, _LASTS) for _ in range(3)] == [True, False, False]

    def test_values_are_told_apart(self, driver: Driver) -> None:
        """What differs in its first or last byte alone is another value, whatever the bytes are."""
        rest = os.urandom(15)
        names = [
            bytes((one,)) + b"\r\n\x00" * 5 + rest + bytes((other,)) for one in (0, 42) for other in (0, 255)
        ]
        assert [driver.use(name, _LASTS) for name in names] == [True] * len(names)

    def test_of_many_at_once_one_is_first(self, driver: Driver) -> None:
        """Looking and remembering are one step that nobody comes between."""
        assert driver.use_at_once(os.urandom(32)).count(True) == 1

    def test_a_shorter_time_ends_nothing(self, driver: Driver) -> None:
        """A value is remembered for as long as its first use said."""
        name = os.urandom(32)
        assert [driver.use(name, ttl) for ttl in (_LASTS, 0.001, _LASTS)] == [True, False, False]

    @pytest.mark.parametrize("ttl", [0.000_4, 0.5, 60.25, 86_400.0])
    def test_times_of_all_lengths(self, driver: Driver, ttl: float) -> None:
        """Seconds, whole or not."""
        assert driver.use(os.urandom(32), ttl) is True


class _OutageLaws:
    def test_a_use_is_not_answered(self, driver: Driver) -> None:
        """Laws 1.5 and 7.3: what was not remembered for certain was not used for the first time."""
        with pytest.raises(AuthUnavailable):
            driver.use(bytes(32), _LASTS)


class ReplayStoreContract(_SyncDriven, _OnceLaws):
    """Every promise of a ``ReplayStore``.

    Example::

        class TestMyReplays(ReplayStoreContract):
            @pytest.fixture
            def store(self) -> MyReplays:
                return MyReplays()
    """


class AsyncReplayStoreContract(_AsyncDriven, _OnceLaws):
    """``ReplayStoreContract`` for ``AsyncGate``, with the fixture ``open_store``, which opens it in an event loop."""


class ReplayStoreOutageContract(_SyncDriven, _OutageLaws):
    """What a ``ReplayStore`` promises while it cannot answer; for those that ask somebody else."""


class AsyncReplayStoreOutageContract(_AsyncDriven, _OutageLaws):
    """``ReplayStoreOutageContract`` for ``AsyncGate``; the fixture is ``open_store``."""
