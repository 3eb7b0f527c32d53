"""The two runners: one loop each, different in ``await`` only.

They are twins on purpose and stay this small; one test module steps every flow through both and compares outcome
and trace.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, assert_never, cast

from ..effects import (
    AnyEffect,
    AskEndpoint,
    AwaitKeys,
    CheckRevoked,
    Flow,
    LookUpApiKey,
    LookUpProject,
    ReadBody,
    RefreshProject,
    SendRequest,
    StartRefresh,
    UseOnce,
)
from ..ports import RevocationStore
from ..principal import ApiKey, ProjectRef, TokenRef
from ..request import ASKED_FOR, RequestView
from .ports import AsyncPorts, Ports

__all__ = ["AsyncRunner", "Runner"]

_SENT: Final[frozenset[type[AnyEffect]]] = frozenset({SendRequest, AskEndpoint, LookUpProject, LookUpApiKey})
"""What may be sent to somebody who is told for which request; a store of revocations is not, and asked more often."""

T = TypeVar("T")
L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs flows with sync ports."""

    ports: Ports

    def run(
        self, flow: Flow[T], trace: list[AnyEffect] | None = None, *, view: RequestView | None = None
    ) -> T:
        """Perform what the flow asks for until it returns; ``trace`` collects the effects.

        Args:
            flow: The flow.
            trace: Where the effects go.
            view: The request that it is about; whoever is asked is told its id.
        """
        trace = [] if trace is None else trace
        asking = None
        try:
            effect = next(flow)
            while True:
                trace.append(effect)
                if asking is None and view is not None and type(effect) in _SENT:
                    asking = ASKED_FOR.set(view.request_id)
                try:
                    reply = self.perform(effect)
                except Exception as error:  # noqa: BLE001 - the flow decides what a failed effect means
                    effect = flow.throw(error)
                else:
                    effect = flow.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            if asking is not None:
                ASKED_FOR.reset(asking)
            flow.close()

    def perform(self, effect: AnyEffect) -> object:  # noqa: C901, PLR0911 - one or two for each effect
        """Perform one effect; a new one fails type checking here."""
        match effect:
            case SendRequest(request):
                return self.ports.http.send(request)
            case AskEndpoint():
                return _present(self.ports.exchanges).ask(effect)
            case AwaitKeys():
                return _present(self.ports.keys).wait(effect)
            case StartRefresh(ring):
                _present(self.ports.keys).start(ring)  # whoever wants the outcome yields AwaitKeys
                return None
            case CheckRevoked(ref):
                return _any_revoked([_ask(store, ref) for store in self.ports.revocation])
            case LookUpProject():
                return _present(self.ports.projects).look_up(effect)
            case RefreshProject():
                _present(self.ports.projects).refresh(effect)
                return None
            case UseOnce(name, ttl):
                return _first(_present(self.ports.replays).use(name, ttl))
            case LookUpApiKey(credential):
                return _known(_present(self.ports.api_keys).look_up(credential))
            case ReadBody(read):
                return _whole(read())
            case _:
                assert_never(effect)


@dataclass(frozen=True, slots=True)
class AsyncRunner:
    """Runs flows with async ports."""

    ports: AsyncPorts

    async def run(
        self,
        flow: Flow[T],
        trace: list[AnyEffect] | None = None,
        *,
        begun: AnyEffect | None = None,
        view: RequestView | None = None,
    ) -> T:
        """Perform what the flow asks for until it returns; ``trace`` collects the effects.

        Args:
            flow: The flow.
            trace: Where the effects go.
            begun: What a flow that was begun asks for; None for one that was not.
            view: As in ``Runner.run``.
        """
        trace = [] if trace is None else trace
        asking = None
        try:
            effect = next(flow) if begun is None else begun
            while True:
                trace.append(effect)
                if asking is None and view is not None and type(effect) in _SENT:
                    asking = ASKED_FOR.set(view.request_id)
                try:
                    reply = await self.perform(effect)
                except Exception as error:  # noqa: BLE001 - as above; a cancellation closes the flow
                    effect = flow.throw(error)
                else:
                    effect = flow.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            if asking is not None:
                ASKED_FOR.reset(asking)
            flow.close()

    async def perform(self, effect: AnyEffect) -> object:  # noqa: C901, PLR0911 - one or two for each effect
        """Perform one effect; a new one fails type checking here."""
        match effect:
            case SendRequest(request):
                return await asyncio.to_thread(self.ports.http.send, request)
            case AskEndpoint():
                return await _present(self.ports.exchanges).ask_async(effect)
            case AwaitKeys():
                return await _present(self.ports.keys).wait_async(effect)
            case StartRefresh(ring):
                _present(self.ports.keys).start(ring)  # whoever wants the outcome yields AwaitKeys
                return None
            case CheckRevoked(ref):
                asked = [store.is_revoked(ref) for store in self.ports.revocation]
                if len(asked) == 1:
                    return _any_revoked([await asked[0]])
                return _any_revoked(await asyncio.gather(*asked, return_exceptions=True))
            case LookUpProject():
                return await _present(self.ports.projects).look_up(effect)
            case RefreshProject():
                _present(self.ports.projects).refresh(effect)
                return None
            case UseOnce(name, ttl):
                return _first(await _present(self.ports.replays).use(name, ttl))
            case LookUpApiKey(credential):
                return _known(await _present(self.ports.api_keys).look_up(credential))
            case ReadBody(read):
                return _whole(await cast("Awaitable[object]", read()))
            case _:
                assert_never(effect)


def _ask(store: RevocationStore, ref: TokenRef | ProjectRef) -> bool | BaseException:
    try:
        return store.is_revoked(ref)
    except Exception as error:  # noqa: BLE001 - judged with the other answers
        return error


def _any_revoked(answers: Sequence[bool | BaseException]) -> bool:
    """One yes is enough; else every source must have answered (Law 5.3)."""
    if any(answer is True for answer in answers):
        return True
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        if answer is not False:
            raise TypeError(f"a revocation store answered {type(answer).__name__}, not a bool")
    return False


def _known(answer: object) -> ApiKey | None:
    if answer is None or isinstance(answer, ApiKey):
        return answer
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("look_up of the store of API keys is async; write it with `def`, or use AsyncGate")
    raise TypeError(f"a store of API keys answered {type(answer).__name__}, not an ApiKey or None")


def _whole(body: object) -> bytes:
    if not isinstance(body, bytes):
        raise TypeError(f"the body of a request was read as {type(body).__name__}, not as bytes")
    return body


def _first(answer: object) -> bool:
    if not isinstance(answer, bool):
        raise TypeError(f"a replay store answered {type(answer).__name__}, not a bool")
    return answer


def _present(port: L | None) -> L:
    if port is None:
        raise LookupError("a flow asked for what the gate was not built with: keys, a directory or a store")
    return port
