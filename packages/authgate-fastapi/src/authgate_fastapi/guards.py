"""Guards: dependencies that admit a request, or refuse it, by a policy."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, NoReturn, TypeVar

from authgate_core import Admission, AsyncGate, Policy
from fastapi import params
from starlette.requests import HTTPConnection

from .locate import gate_of
from .overrides import overridden, record
from .standalone import gate_or_environment
from .view import view_of

__all__ = ["Guard", "Requirement", "requires"]

T = TypeVar("T")

_SIGNATURE: Final = inspect.Signature(
    [inspect.Parameter("connection", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=HTTPConnection)]
)


class Guard(Generic[T]):
    """A callable for ``Depends``: admits by a policy and returns what the endpoint wants to have.

    Args:
        name: Its public name, for messages.
        policy: The policy, or a function that chooses it for a gate.
        give: Turns the admission into what is injected.
        optional: Whether a request that presents nothing goes on (Law 1.4).
        standalone: Whether it may build a gate from the environment where the app has none (Law 1.6).
    """

    __signature__ = _SIGNATURE

    def __init__(
        self,
        name: str,
        policy: Policy | Callable[[AsyncGate], Policy],
        give: Callable[[Admission], T],
        *,
        optional: bool = False,
        standalone: bool = False,
    ) -> None:
        self.__name__ = name
        self.optional = optional
        self._policy = policy
        self._give = give
        self._standalone = standalone

    def policy_for(self, gate: AsyncGate) -> Policy:
        """The policy that this guard asks of a gate."""
        return self._policy if isinstance(self._policy, Policy) else self._policy(gate)

    async def __call__(self, connection: HTTPConnection | None = None) -> T:
        """Admit the connection; FastAPI calls it."""
        if not isinstance(connection, HTTPConnection):
            self._misused()
        gate = gate_or_environment(connection) if self._standalone else gate_of(connection)
        policy = self.policy_for(gate)
        view = view_of(connection)
        override = await overridden(connection)
        if override is not None:
            admission = gate.judge(override, policy, view, optional=self.optional)
        else:
            admission = await gate.admit(view, policy, optional=self.optional)
        record(connection, admission)
        return self._give(admission)

    @property
    def dependency(self) -> NoReturn:
        """FastAPI reads this of an entry of ``dependencies=[...]``, where a guard stands bare by mistake."""
        self._misused()

    def __deepcopy__(self, memo: object) -> NoReturn:
        """FastAPI copies defaults, where a guard stands bare by mistake."""
        self._misused()

    def _misused(self) -> NoReturn:
        raise TypeError(f"{self.__name__} is a dependency: write Depends({self.__name__})")

    def __repr__(self) -> str:
        return self.__name__


@dataclass(frozen=True)
class Requirement(params.Depends):
    """What ``requires`` returns: a ``Depends`` that says so when it is wrapped in another."""

    @property
    def __signature__(self) -> NoReturn:
        """FastAPI asks for it when ``requires(...)`` is wrapped in ``Depends``."""
        raise TypeError("requires(...) is already a Depends: write dependencies=[requires(...)]")

    def __call__(self) -> NoReturn:
        """Nobody calls a ``Depends``; this makes Python look at the signature above."""
        raise TypeError("requires(...) is already a Depends: write dependencies=[requires(...)]")


def requires(policy: Policy, *, optional: bool = False) -> Any:
    """Guard an endpoint, router or app: ``dependencies=[requires(...)]``, or a default that injects ``Admission``.

    Args:
        policy: Who is let in.
        optional: Whether a request that presents nothing of what the policy asks for goes on (Law 1.4).

    Returns:
        A ``Depends`` for HTTP and WebSocket alike; Any, as FastAPI's own ``Depends`` is, so that it can be the
        default of an ``Admission`` parameter.
    """
    if not isinstance(policy, Policy):
        raise TypeError(f"requires() takes a policy such as is_user, not {type(policy).__name__}")
    return Requirement(Guard(f"requires({policy!r})", policy, _itself, optional=optional))


def _itself(admission: Admission) -> Admission:
    return admission
