"""What a store of API keys promises, in both colours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Protocol, TypeAlias

import pytest

from ...api_keys import mint_key
from ...credentials import ApiKeyCredential
from ...errors import AuthUnavailable
from ...ports import ApiKeyStore, AsyncApiKeyStore
from ...principal import ApiKey
from ...secret import Secret

__all__ = [
    "ApiKeyStoreContract",
    "ApiKeyStoreOutageContract",
    "AsyncApiKeyStoreContract",
    "AsyncApiKeyStoreOutageContract",
    "OpenKeys",
]

OpenKeys: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncApiKeyStore]]


class Driver(Protocol):
    """A store of either colour as the tests use it."""

    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """Ask."""
        ...

    def look_up_at_once(self, credentials: Sequence[ApiKeyCredential]) -> list[ApiKey | None]:
        """Ask about all, at the same time."""
        ...


class _SyncDriver:
    def __init__(self, store: ApiKeyStore) -> None:
        self.look_up = store.look_up

    def look_up_at_once(self, credentials: Sequence[ApiKeyCredential]) -> list[ApiKey | None]:
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(self.look_up, credentials))


class _AsyncDriver:
    def __init__(self, runner: asyncio.Runner, store: AsyncApiKeyStore) -> None:
        self._runner = runner
        self._store = store

    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        return self._runner.run(self._store.look_up(credential))

    def look_up_at_once(self, credentials: Sequence[ApiKeyCredential]) -> list[ApiKey | None]:
        async def all_of_them() -> list[ApiKey | None]:
            return await asyncio.gather(*map(self._store.look_up, credentials))

        return self._runner.run(all_of_them())


class _SyncDriven:
    @pytest.fixture
    def store(self) -> ApiKeyStore:
        """The store to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `store`")

    @pytest.fixture
    def driver(self, store: ApiKeyStore) -> Driver:
        """The store as the tests use it."""
        return _SyncDriver(store)


class _AsyncDriven:
    @pytest.fixture
    def open_store(self) -> OpenKeys:
        """Opens the store to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `open_store`")

    @pytest.fixture
    def driver(self, open_store: OpenKeys) -> Iterator[Driver]:
        """The store as the tests use it, opened, driven and closed in one event loop."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            yield _AsyncDriver(runner, runner.run(stack.enter_async_context(open_store())))
            runner.run(stack.aclose())


class _KeyLaws:
    @pytest.fixture
    def credential(self) -> ApiKeyCredential:
        """A key, as ``mint_key`` makes them, that the store knows; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `credential`")

    def test_the_right_key_is_known(self, driver: Driver, credential: ApiKeyCredential) -> None:
        """Law 6.7: it has an id, and is the same key at every look-up."""
        first, second = driver.look_up(credential), driver.look_up(credential)
        assert isinstance(first, ApiKey), "not an ApiKey"
        assert isinstance(first.id, str), "its id is no text"
        assert 1 <= len(first.id) <= 255, "its id is empty, or longer than 255 characters"
        assert first == second, "another key at the second look-up"

    @pytest.mark.parametrize("change", ["secret", "case", "id"])
    def test_a_wrong_key_is_none(self, driver: Driver, credential: ApiKeyCredential, change: str) -> None:
        """Law 2.5: nearly right is wrong, where the checksum tells nothing as well."""
        assert driver.look_up(_wrong(credential, change)) is None

    def test_what_is_returned_is_read_only(self, driver: Driver, credential: ApiKeyCredential) -> None:
        """Law 7.2: nobody who is given a key can change what the next one is given."""
        key = driver.look_up(credential)
        assert key is not None, "the right key was refused"
        for name in ("id", "roles", "scopes", "expires_at"):
            with pytest.raises(AttributeError):
                setattr(key, name, "changed")

    def test_the_secret_is_not_in_the_key(self, driver: Driver, credential: ApiKeyCredential) -> None:
        """Law 2.5: the secret stays where it is checked."""
        key = driver.look_up(credential)
        assert key is not None, "the right key was refused"
        _, _, secret = _parts(credential)
        assert secret not in f"{key!r} {key.to_dict()} {dict(key.claims)}", "the secret is shown"

    def test_look_ups_at_once_do_not_mix(self, driver: Driver, credential: ApiKeyCredential) -> None:
        """Law 6.3: sharing is the gate's business; here everyone gets the answer to their own question."""
        found = driver.look_up_at_once([credential, _wrong(credential, "secret")] * 16)
        assert [key is not None for key in found] == [True, False] * 16


class _OutageLaws:
    def test_a_look_up_is_not_answered(self, driver: Driver) -> None:
        """Laws 1.5 and 7.3: what cannot be checked is neither a key nor None."""
        with pytest.raises(AuthUnavailable):
            driver.look_up(ApiKeyCredential(mint_key().key))


def _parts(credential: ApiKeyCredential) -> tuple[str, str, str]:
    """Prefix, id and secret."""
    prefix, name, rest = credential.value.reveal().rsplit("_", 2)
    return prefix, name, rest[:-8]


def _wrong(credential: ApiKeyCredential, change: str) -> ApiKeyCredential:
    """Another key, of a form that no gate refuses unasked."""
    prefix, name, secret = _parts(credential)
    name, secret = {
        "secret": (name, f"{secret[:-1]}{'a' if secret[-1] != 'a' else 'b'}"),
        "case": (name, secret.swapcase()),
        "id": (f"{name[:-1]}{'a' if name[-1] != 'a' else 'b'}", secret),
    }[change]
    characters = iter(name + secret)
    minted = mint_key(prefix, choose=lambda _: next(characters))
    return ApiKeyCredential(Secret(minted.key.reveal()))


class ApiKeyStoreContract(_SyncDriven, _KeyLaws):
    """Every promise of an ``ApiKeyStore``.

    Example::

        class TestMyKeys(ApiKeyStoreContract):
            @pytest.fixture
            def store(self) -> MyKeys:
                return MyKeys({MINTED.id: MINTED.secret_hash})

            @pytest.fixture
            def credential(self) -> ApiKeyCredential:
                return ApiKeyCredential(MINTED.key)
    """


class AsyncApiKeyStoreContract(_AsyncDriven, _KeyLaws):
    """``ApiKeyStoreContract`` for ``AsyncGate``, with the fixture ``open_store``, which opens it in an event loop."""


class ApiKeyStoreOutageContract(_SyncDriven, _OutageLaws):
    """What an ``ApiKeyStore`` promises while it cannot answer; for those that ask somebody else."""


class AsyncApiKeyStoreOutageContract(_AsyncDriven, _OutageLaws):
    """``ApiKeyStoreOutageContract`` for ``AsyncGate``; the fixture is ``open_store``."""
