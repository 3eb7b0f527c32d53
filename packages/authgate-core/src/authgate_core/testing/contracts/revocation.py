"""What a revocation store promises, in both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Final, Protocol, TypeAlias

import pytest

from ...errors import AuthUnavailable
from ...ports import AsyncRevocationLog, AsyncRevocationStore, RevocationLog, RevocationStore
from ...principal import ProjectRef, Revocation, TokenRef
from .rows import EXAMPLE, FRESH, ROWS, Row, apart, entry_for_example

__all__ = [
    "AsyncRevocationOutageContract",
    "AsyncRevocationStoreContract",
    "AsyncWritableStore",
    "OpenStore",
    "RevocationOutageContract",
    "RevocationStoreContract",
    "WritableStore",
]


class WritableStore(RevocationStore, RevocationLog, Protocol):
    """A store that is written to through the port as well."""


class AsyncWritableStore(AsyncRevocationStore, AsyncRevocationLog, Protocol):
    """``WritableStore`` for ``AsyncGate``."""


OpenStore: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncWritableStore]]

_MANY: Final = tuple(replace(entry_for_example("token"), value=f"jti-{number}") for number in range(200))


class Driver(Protocol):
    """A store of either colour as the rows use it."""

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Ask."""
        ...

    def revoke(self, entry: Revocation) -> None:
        """Write."""
        ...

    def revoke_at_once(self, entries: Sequence[Revocation]) -> None:
        """Write all, at the same time."""
        ...


class _SyncDriver:
    def __init__(self, store: WritableStore) -> None:
        self.is_revoked = store.is_revoked
        self.revoke = store.revoke

    def revoke_at_once(self, entries: Sequence[Revocation]) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self.revoke, entries))


class _AsyncDriver:
    def __init__(self, runner: asyncio.Runner, store: AsyncWritableStore) -> None:
        self._runner = runner
        self._store = store

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        return self._runner.run(self._store.is_revoked(ref))

    def revoke(self, entry: Revocation) -> None:
        self._runner.run(self._store.revoke(entry))

    def revoke_at_once(self, entries: Sequence[Revocation]) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(self._store.revoke(entry) for entry in entries))

        self._runner.run(all_of_them())


class _SyncDriven:
    @pytest.fixture
    def store(self) -> WritableStore:
        """The store to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `store`")

    @pytest.fixture
    def driver(self, store: WritableStore) -> Driver:
        """The store as the tests use it."""
        return _SyncDriver(store)


class _AsyncDriven:
    @pytest.fixture
    def open_store(self) -> OpenStore:
        """Opens the store to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `open_store`")

    @pytest.fixture
    def driver(self, open_store: OpenStore) -> Iterator[Driver]:
        """The store as the tests use it, opened, driven and closed in one event loop."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            yield _AsyncDriver(runner, runner.run(stack.enter_async_context(open_store())))
            runner.run(stack.aclose())


class _StoreLaws:
    @pytest.mark.parametrize("row", ROWS, ids=str)
    def test_answers(self, driver: Driver, row: Row) -> None:
        """Laws 5.2, 5.7 and 5.9, row by row; asking again changes nothing."""
        for entry in row.entries:
            driver.revoke(entry)
        answers = [driver.is_revoked(row.asked) for _ in range(2)]
        assert all(answer is row.revoked for answer in answers), f"{row.promise}: {answers}"

    @pytest.mark.parametrize("order", [1, -1], ids=["forwards", "backwards"])
    def test_entries_only_add_refusals(self, driver: Driver, order: int) -> None:
        """Law 5.11: with the entries of every row together, all that any row revokes is revoked."""
        rows = [apart(row) for row in ROWS]
        for entry in [entry for row in rows for entry in row.entries][::order]:
            driver.revoke(entry)
        freed = [row.promise for row in rows if row.revoked and not driver.is_revoked(row.asked)]
        assert freed == [], "other entries took these refusals away"

    def test_a_written_entry_counts_at_once(self, driver: Driver) -> None:
        """Laws 5.1 and 5.6: ``revoke`` returns after the write, and no earlier answer is remembered."""
        for entry, asked in FRESH:
            assert driver.is_revoked(asked) is False, f"{entry.kind}: revoked before it was written"
            driver.revoke(entry)
            assert driver.is_revoked(asked) is True, f"{entry.kind}: not revoked once revoke() returned"

    def test_entries_written_at_once_are_all_kept(self, driver: Driver) -> None:
        """Nothing is lost where many write at the same time."""
        driver.revoke_at_once(_MANY)
        lost = [entry.value for entry in _MANY if not driver.is_revoked(replace(EXAMPLE, name=entry.value))]
        assert lost == [], "these entries were lost"


class _OutageLaws:
    def test_a_check_is_not_answered(self, driver: Driver) -> None:
        """Laws 1.5 and 5.3: what cannot be checked is neither clear nor revoked."""
        for ref in (EXAMPLE, ProjectRef("p1", 1)):
            with pytest.raises(AuthUnavailable):
                driver.is_revoked(ref)

    def test_a_write_is_not_confirmed(self, driver: Driver) -> None:
        """Law 5.6: what may not have been written raises."""
        with pytest.raises(AuthUnavailable):
            driver.revoke(entry_for_example("token"))


class RevocationStoreContract(_SyncDriven, _StoreLaws):
    """Every promise of a ``RevocationStore`` that is a ``RevocationLog`` too; each test needs an empty one.

    The store's clock, if it has one, must show a time between 2024 and 2096.

    Example::

        class TestMyStore(RevocationStoreContract):
            @pytest.fixture
            def store(self) -> MyStore:
                return MyStore()
    """


class AsyncRevocationStoreContract(_AsyncDriven, _StoreLaws):
    """``RevocationStoreContract`` for ``AsyncGate``; each test runs its own event loop, without a plugin.

    Example::

        class TestMyStore(AsyncRevocationStoreContract):
            @pytest.fixture
            def open_store(self) -> OpenStore:
                @asynccontextmanager
                async def opened() -> AsyncIterator[MyStore]:
                    store = MyStore()
                    yield store
                    await store.aclose()

                return opened
    """


class RevocationOutageContract(_SyncDriven, _OutageLaws):
    """What a ``RevocationStore`` promises while it cannot answer; give it one whose server is gone.

    Example::

        class TestMyStoreAlone(RevocationOutageContract):
            @pytest.fixture
            def store(self) -> MyStore:
                return MyStore("tcp://127.0.0.1:1")
    """


class AsyncRevocationOutageContract(_AsyncDriven, _OutageLaws):
    """``RevocationOutageContract`` for ``AsyncGate``; the fixture is ``open_store``."""
