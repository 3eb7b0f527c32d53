"""The client of an apex, for event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from itertools import islice
from typing import Final, Generic, TypeAlias, TypeVar

from ..clients import ClientSecret
from ..errors import ConfigurationError
from ..io.http import SafeHttp
from ..issuer import Apex, ApexUser, ServiceUser
from ..ports import is_async
from ..runner import AsyncPorts, AsyncRunner
from ..secret import Secret
from .actors import LONGEST, as_secret, client_problems, refused
from .calls import Calls, exchange, log_in
from .permissions import Permission, PermissionPlan
from .replies import Actor
from .streamed import check_streaming, streamed

__all__ = ["AsyncAuthApi", "AsyncAuthApiProvider", "AsyncAuthCodeApi"]

M = TypeVar("M")
T = TypeVar("T")
Credential: TypeAlias = Secret | str | Callable[[], Awaitable[str]]

_AT_ONCE: Final = 100
"""How many users are taken from the thread that reads them in one go."""


class AsyncAuthApiProvider(Generic[M]):
    """``AuthApiProvider`` for asyncio: the same methods, awaitable where they may wait, from whatever loop runs.

    Args:
        base_url: As for ``AuthApiProvider``.
        service: As for ``AuthApiProvider``.
        metadata: As for ``AuthApiProvider``.
        credential: As for ``AuthApiProvider``; a function that gives it is async.
        allow_http: As for ``AuthApiProvider``.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(
        self,
        base_url: str,
        *,
        service: str,
        metadata: type[M],
        credential: Credential | None = None,
        allow_http: bool = False,
    ) -> None:
        self._calls = Calls(Apex(base_url, service, metadata), metadata, allow_http)
        if callable(credential) and not is_async(credential):
            raise ConfigurationError("credential: is sync; write it with `async def`, or use AuthApiProvider")
        self._credential = credential
        self._http = SafeHttp()
        self._runner = AsyncRunner(AsyncPorts(self._http))

    async def login(self, username: str, password: str) -> str:
        """As ``AuthApiProvider.login``."""
        kept = Secret(password)
        del password  # Law 2.5: error reporters write out the locals of every frame
        calls = self._calls
        return await self._runner.run(log_in(calls.spec, username, kept, plain_http=calls.plain_http))

    def for_token(self, token: Secret | str) -> AsyncAuthApi[M]:
        """As ``AuthApiProvider.for_token``."""
        kept = as_secret(token)

        async def actor() -> Actor:
            return Actor(kept, is_service=False)

        return AsyncAuthApi(self._calls, actor, self._http, self._runner)

    def for_service(self) -> AsyncAuthApi[M]:
        """As ``AuthApiProvider.for_service``."""
        if self._credential is None:
            raise ConfigurationError(
                "credential: give AsyncAuthApiProvider(credential=...) the service's own"
            )
        return AsyncAuthApi(self._calls, self._as_service, self._http, self._runner)

    async def _as_service(self) -> Actor:
        given = self._credential
        return Actor(as_secret(await given() if callable(given) else given), is_service=True)

    def __repr__(self) -> str:
        return f"AsyncAuthApiProvider({self._calls.spec.base_url!r}, service={self._calls.spec.service!r})"


class AsyncAuthApi(Generic[M]):
    """``AuthApi`` for asyncio; made by ``AsyncAuthApiProvider``.

    Args:
        calls: What can be asked.
        actor: Who asks.
        http: Reads what is long.
        runner: Performs the calls.
    """

    def __init__(
        self, calls: Calls[M], actor: Callable[[], Awaitable[Actor]], http: SafeHttp, runner: AsyncRunner
    ) -> None:
        self._calls = calls
        self._actor = actor
        self._http = http
        self._runner = runner

    async def user(self) -> ApexUser:
        """As ``AuthApi.user``."""
        return await self._runner.run(self._calls.user(await self._actor()))

    async def metadata_for(self, user_id: str) -> M | None:
        """As ``AuthApi.metadata_for``."""
        return await self._runner.run(self._calls.metadata(await self._actor(), user_id))

    async def full_metadata_for(self, user_id: str) -> ServiceUser[M] | None:
        """As ``AuthApi.full_metadata_for``."""
        return await self._runner.run(self._calls.member(await self._actor(), user_id))

    async def users_for_service(self) -> AsyncGenerator[ServiceUser[M]]:
        """As ``AuthApi.users_for_service``: what arrives is read on threads, a hundred users at a time."""
        check_streaming()
        reading = _Reading(self._users(await self._actor()))
        try:
            while users := await asyncio.to_thread(reading.take):
                for user in users:
                    yield user
        finally:
            await asyncio.shield(asyncio.to_thread(reading.close))

    async def permissions(self) -> tuple[Permission, ...]:
        """As ``AuthApi.permissions``."""
        return await self._runner.run(self._calls.permissions(await self._actor()))

    async def sync_permissions(
        self, permissions: Iterable[Permission], *, dry_run: bool = False
    ) -> PermissionPlan:
        """As ``AuthApi.sync_permissions``."""
        return await self._runner.run(self._calls.sync(await self._actor(), permissions, dry_run=dry_run))

    def _users(self, actor: Actor) -> Generator[ServiceUser[M]]:
        with self._http.stream(self._calls.users_request(actor), within=LONGEST) as (reply, pieces):
            refused(reply, actor)
            yield from streamed(pieces, self._calls.read)


class AsyncAuthCodeApi:
    """``AuthCodeApi`` for asyncio.

    Args:
        base_url: As for ``AuthCodeApi``.
        client: As for ``AuthCodeApi``.
        allow_http: As for ``AuthCodeApi``.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(self, base_url: str, client: ClientSecret, *, allow_http: bool = False) -> None:
        self._spec = Apex(base_url)
        self._plain_http = allow_http
        client_problems(self._spec, client, plain_http=allow_http)
        self._client = client
        self._runner = AsyncRunner(AsyncPorts(SafeHttp()))

    async def token_for(self, code: str, code_verifier: str | None = None) -> str:
        """As ``AuthCodeApi.token_for``."""
        kept, verifier = Secret(code), None if code_verifier is None else Secret(code_verifier)
        del code, code_verifier  # as above
        return await self._runner.run(
            exchange(self._spec, self._client, kept, verifier, plain_http=self._plain_http)
        )

    def __repr__(self) -> str:
        return f"AsyncAuthCodeApi({self._spec.base_url!r}, client_id={self._client.client_id!r})"


class _Reading(Generic[T]):
    """A generator that threads take from: one at a time, also where whoever waits for one has given up.

    Args:
        items: What is taken from.
    """

    def __init__(self, items: Generator[T]) -> None:
        self._items = items
        self._lock = threading.Lock()
        self._is_over = False

    def take(self) -> list[T]:
        """The next ones; none at the end."""
        taken: list[T] = []
        with self._lock:
            for item in islice(self._items, _AT_ONCE):
                taken.append(item)
                if self._is_over:  # nobody waits for the rest
                    break
        return taken

    def close(self) -> None:
        """Let go of the connection, once nobody reads from it: whoever does stops at the next one."""
        self._is_over = True
        with self._lock:
            self._items.close()
