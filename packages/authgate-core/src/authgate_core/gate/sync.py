"""The gate for sync code."""

from __future__ import annotations

import os
from typing import Self, TypeVar

from ..cache import ProjectCache
from ..clock import Clock, Instant, SystemClock
from ..config import GateConfig
from ..effects import AnyEffect, Flow
from ..errors import AuthgateError
from ..flows.explain import Explanation, explain_token
from ..policy import Policy
from ..ports import RevocationLog
from ..principal import Admission
from ..request import RequestView
from ..runner import Ports, Runner
from ..secret import Secret
from .api_keys import ApiKeyDesk
from .base import GateBase
from .beginnings import introduce
from .health import Health
from .reports import without_frames
from .revocations import Revocations
from .sources import open_keys, open_projects, open_replays, open_stores
from .stores import closing, known_by, look_at, own, writable

__all__ = ["Gate"]

T = TypeVar("T")


class Gate(GateBase):
    """Decides who may pass, for threads and processes; ``AsyncGate`` is its twin for event loops.

    Args:
        config: What it is built from.
        clock: Where it gets the time from.

    Raises:
        ConfigurationError: Naming everything that is wrong with the configuration (Law 1.6).
    """

    def __init__(self, config: GateConfig, *, clock: Clock = SystemClock()) -> None:
        super().__init__(config, clock, "sync")
        self._stores = open_stores(config, clock, self._journal.notice)
        cache = ProjectCache(os.urandom(32))
        self._projects = open_projects(config, cache, self._http, clock, self._journal.notice)
        self._context = self._make_context(known_by(self._stores, config), cache)
        self._replays = open_replays(config, clock, self._journal.notice)
        keys = open_keys(config, clock, self._journal.notice)
        self._keys = closing((keys,), config)
        self.api_keys = ApiKeyDesk(config.api_keys, *self._keys)
        ports = Ports(
            self._http, self._refresher, self._stores, self._projects, self._replays, self._exchanges, keys
        )
        self._runner = Runner(ports)
        logs = tuple(store for store in writable(self._stores, config) if isinstance(store, RevocationLog))
        mine = own(self._stores, config)
        self.revocations = Revocations(self._run_flow, self._entries(self._context), logs, mine)
        introduce(self, config.observers, self._journal)

    def admit(self, view: RequestView, policy: Policy, *, optional: bool = False) -> Admission:
        """Admit a request by a policy.

        Args:
            view: The request.
            policy: Who is let in.
            optional: Whether a request that presents nothing of what the policy asks for goes on (Law 1.4).

        Returns:
            The principals of the branch that granted; none for an optional guard that nobody passed.

        Raises:
            AuthgateError: The outcome, by the table of Law 1.
            ConfigurationError: If the policy names a kind that the gate has no source for.
        """
        now = self.clock.now()
        found = self._admitted_at_once(view, policy, now)
        if isinstance(found, Admission):
            return self._reports.admitted(found, now, ())
        return self._run(self._admitted(view, policy, now, optional=optional, token=found), now, view)

    def verify_token(self, token: str, policy: Policy | None = None) -> Admission:
        """Admit the bearer of a token where there is no request: a queue, a job, a socket.

        Args:
            token: The token, without a scheme.
            policy: Who is let in; None admits every user and service.

        Raises:
            AuthgateError: As ``admit`` does; revocation is checked.
        """
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
                else self._run(begun, now)
            )
        raise refusal

    def explain(self, token: str) -> Explanation:
        """Why this gate accepts a token or not: every rule, with what it expects and what the token has.

        Keys are fetched and revocation is looked up as for any token; the token itself is sent nowhere, so what
        only its issuer could say stays open. It tells what the token says: an answer for its holder, and for no log.

        Args:
            token: The token, without a scheme.
        """
        flow = explain_token(Secret(token), self._context.trust, self.clock.now())
        del token  # Law 2.5: as in verify_token
        return self._run_flow(flow)

    def _run_flow(self, flow: Flow[T]) -> T:
        try:
            return self._runner.run(flow)
        except AuthgateError as error:
            refusal = without_frames(error)
        raise refusal

    def _run(self, flow: Flow[Admission], started: Instant, view: RequestView | None = None) -> Admission:
        trace: list[AnyEffect] = []
        try:
            admission = self._runner.run(flow, trace, view=view)
        except AuthgateError as error:
            refusal = self._reports.refused(error, started, trace, view=view)
        else:
            return self._reports.admitted(admission, started, trace)
        raise refusal

    def warm_up(self, timeout: float = 5.0) -> None:
        """Fetch every key set and look at every store now; what is down stops nothing (Law 4.12).

        Args:
            timeout: How long to wait for all key sets together, in seconds.
        """
        self._refresher.warm_up(timeout)
        look_at(own(self._stores, self.config), self._journal.notice)

    def health(self) -> Health:
        """How the key sets and revocation sources are; asks nobody."""
        return self._health(self._stores)

    def close(self) -> None:
        """Let go of connections; what the gate was handed is left to its owner."""
        for store in closing((*self._stores, self._replays, *self._keys), self.config):
            close = getattr(store, "close", None)
            if close is not None:
                close()
        self._refresher.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Gate({', '.join(self._issuers) or 'no issuers'})"
