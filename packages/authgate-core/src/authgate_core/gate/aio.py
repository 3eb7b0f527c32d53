"""The gate for event loops."""

from __future__ import annotations

import os
from functools import partial
from typing import Self, TypeVar

from ..cache import ProjectCache
from ..clock import Clock, Instant, SystemClock
from ..config import GateConfig
from ..effects import AnyEffect, Flow
from ..errors import AuthgateError
from ..flows.explain import Explanation, explain_token
from ..policy import Policy
from ..ports import AsyncRevocationLog
from ..principal import Admission
from ..request import RequestView
from ..runner import AsyncPorts, AsyncRunner
from ..secret import Secret
from .api_keys import AsyncApiKeyDesk
from .base import GateBase
from .beginnings import introduce
from .begun import Begun
from .health import Health
from .reports import without_frames
from .revocations import AsyncRevocations
from .sources import open_async_keys, open_async_projects, open_async_replays, open_async_stores
from .stores import closing, known_by, look_at_async, own, writable

__all__ = ["AsyncGate"]

T = TypeVar("T")


class AsyncGate(GateBase):
    """``Gate`` for asyncio: the same names, awaitable where they may wait; usable from several loops at once.

    Args:
        config: What it is built from.
        clock: Where it gets the time from.

    Raises:
        ConfigurationError: Naming everything that is wrong with the configuration (Law 1.6).
    """

    def __init__(self, config: GateConfig, *, clock: Clock = SystemClock()) -> None:
        super().__init__(config, clock, "async")
        self._stores = open_async_stores(config, clock, self._journal.notice)
        cache = ProjectCache(os.urandom(32))
        self._projects = open_async_projects(config, cache, self._http, clock, self._journal.notice)
        self._context = self._make_context(known_by(self._stores, config), cache)
        self._replays = open_async_replays(config, clock, self._journal.notice)
        keys = open_async_keys(config, clock, self._journal.notice)
        self._keys = closing((keys,), config)
        self.api_keys = AsyncApiKeyDesk(config.api_keys, *self._keys)
        ports = AsyncPorts(
            self._http, self._refresher, self._stores, self._projects, self._replays, self._exchanges, keys
        )
        self._runner = AsyncRunner(ports)
        logs = tuple(
            store for store in writable(self._stores, config) if isinstance(store, AsyncRevocationLog)
        )
        mine = own(self._stores, config)
        self.revocations = AsyncRevocations(self._run_flow, self._entries(self._context), logs, mine)
        introduce(self, config.observers, self._journal)

    async def admit(self, view: RequestView, policy: Policy, *, optional: bool = False) -> Admission:
        """As ``Gate.admit``."""
        now = self.clock.now()
        found = self._admitted_at_once(view, policy, now)
        if isinstance(found, Admission):
            return self._reports.admitted(found, now, ())
        return await self._run(self._admitted(view, policy, now, optional=optional, token=found), now, view)

    def begin(self, view: RequestView, policy: Policy, *, optional: bool = False) -> Begun:
        """``admit`` as far as nobody has to be asked: for code that can only wait where it must.

        A warm gate whose revocation source answers from memory decides at once; else the rest is awaited.

        Args:
            view: The request.
            policy: Who is let in.
            optional: As in ``admit``.

        Raises:
            ConfigurationError: As ``admit`` does.
        """
        started = self.clock.now()
        found = self._admitted_at_once(view, policy, started)
        if isinstance(found, Admission):
            return Begun(self._reports.admitted(found, started, ()))
        flow = self._admitted(view, policy, started, optional=optional, token=found)
        try:
            effect = next(flow)
        except StopIteration as stop:
            admission: Admission = stop.value
            return Begun(self._reports.admitted(admission, started, ()))
        except AuthgateError as error:
            return Begun(self._reports.refused(error, started, (), view=view))
        return Begun(rest=partial(self._run, flow, started, view, effect))

    async def verify_token(self, token: str, policy: Policy | None = None) -> Admission:
        """As ``Gate.verify_token``."""
        now = self.clock.now()
        found = self._verified_at_once(token, policy, now)
        if isinstance(found, Admission):
            return found
        del token  # Law 2.5: error reporters write out the locals of every frame
        try:
            begun = self._begun(found, policy, self._context, now)
        except AuthgateError as error:
            refusal = self._reports.refused(error, now, ())
        else:
            return (
                self._reports.admitted(begun, now, ())
                if isinstance(begun, Admission)
                else await self._run(begun, now)
            )
        raise refusal

    async def explain(self, token: str) -> Explanation:
        """As ``Gate.explain``."""
        flow = explain_token(Secret(token), self._context.trust, self.clock.now())
        del token  # Law 2.5: as in verify_token
        return await self._run_flow(flow)

    async def _run_flow(self, flow: Flow[T]) -> T:
        try:
            return await self._runner.run(flow)
        except AuthgateError as error:
            refusal = without_frames(error)
        raise refusal

    async def _run(
        self,
        flow: Flow[Admission],
        started: Instant,
        view: RequestView | None = None,
        begun: AnyEffect | None = None,
    ) -> Admission:
        trace: list[AnyEffect] = []
        try:
            admission = await self._runner.run(flow, trace, begun=begun, view=view)
        except AuthgateError as error:
            refusal = self._reports.refused(error, started, trace, view=view)
        else:
            return self._reports.admitted(admission, started, trace)
        raise refusal

    async def warm_up(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - the same promise in both colours
        """As ``Gate.warm_up``."""
        await self._refresher.warm_up_async(timeout)
        await look_at_async(own(self._stores, self.config), self._journal.notice)

    def health(self) -> Health:
        """As ``Gate.health``, and as plain."""
        return self._health(self._stores)

    async def aclose(self) -> None:
        """As ``Gate.close``, for the running loop."""
        for store in closing((*self._stores, self._replays, *self._keys), self.config):
            aclose = getattr(store, "aclose", None)
            if aclose is not None:
                await aclose()
        if self._projects is not None:
            await self._projects.aclose()
        self._refresher.close()
        self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncGate({', '.join(self._issuers) or 'no issuers'})"
