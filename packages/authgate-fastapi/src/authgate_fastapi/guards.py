"""Guards: dependencies that admit a request or a WebSocket by a policy, or refuse it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from fastapi import params
from fastapi.security import SecurityScopes
from starlette.requests import HTTPConnection
from starlette.responses import Response

from authgate_core import Admission, AsyncGate, NotAdmitted, Policy, all_scopes
from authgate_core.policy import compile_policy

from .caching import mark
from .entrance import admit
from .give import give_all
from .locate import gate_of
from .visit import carried_visit, visit_of

__all__ = ["Guard", "Misuse", "Requirement", "requires"]

T = TypeVar("T")


class Misuse:
    """Stands where FastAPI looks for a function, and says what to write instead.

    Args:
        advice: What to say.
    """

    def __init__(self, advice: str) -> None:
        self._advice = advice

    @property
    def __signature__(self) -> NoReturn:
        """What FastAPI asks a function for when a route is registered."""
        raise TypeError(self._advice)

    def __call__(self) -> NoReturn:
        """Raise the advice.

        Raises:
            TypeError: Always.
        """
        raise TypeError(self._advice)


class Guard(params.Depends, Generic[T]):
    """A callable for ``Depends``: admits by a policy and gives the endpoint what it asks for.

    It is a ``Depends`` itself, on a misuse, so that FastAPI stumbles over it where it stands bare. Any other
    callable would there be the default of a query parameter, which whoever calls could set.

    Args:
        name: Its public name, for messages.
        policy: The policy, or a function that chooses it for a gate.
        give: Turns the admission into what is injected.
        optional: Whether a request that presents nothing goes on (Law 1.4).
        find: Where the gate comes from.

    Attributes:
        plain_body: Whether what it refuses has the problem as its body, where the app has no words of its own.
    """

    plain_body: ClassVar = True

    def __init__(
        self,
        name: str,
        policy: Policy | Callable[[AsyncGate], Policy],
        give: Callable[[Admission], T],
        *,
        optional: bool = False,
        find: Callable[[HTTPConnection], Awaitable[AsyncGate]] = gate_of,
    ) -> None:
        self._misuse = Misuse(f"{name} is a function for Depends: write Depends({name})")
        super().__init__(self._misuse)
        self.__name__ = name
        # What FastAPI reads parameters and colour from, so that __call__ itself can raise at once.
        self.__wrapped__ = self._admit
        self._policy = policy
        self._give = give
        self.optional = optional
        self._find = find

    def __call__(
        self,
        connection: HTTPConnection | None = None,
        security_scopes: SecurityScopes | None = None,
        response: Response | None = None,
    ) -> Awaitable[T]:
        """Admit the connection and return what the endpoint asks for; FastAPI calls it.

        Raises:
            TypeError: If called without one, as in ``Depends(get_current_user())``.
        """
        if not isinstance(connection, HTTPConnection):
            self._misuse()
        return self._admit(connection, security_scopes or SecurityScopes(), response or Response())

    async def _admit(
        self, connection: HTTPConnection, security_scopes: SecurityScopes, response: Response
    ) -> T:
        gate = await self._find(connection)
        policy = self.policy_for(gate, security_scopes.scopes)
        admission = await admit(connection, gate, policy, optional=self.optional)
        if carried_visit(connection.scope) is None:
            # A shortcut without AuthGate(app): nothing marks the response on its way out (Law 1.7).
            mark(visit_of(connection).read() or (), response.headers)
        return self._injected(admission)

    def policy_for(self, gate: AsyncGate, scopes: Iterable[str] = ()) -> Policy:
        """What this guard asks of a gate, and with it the scopes of ``Security(guard, scopes=[...])``."""
        policy = self._policy if isinstance(self._policy, Policy) else self._policy(gate)
        return policy & all_scopes(*names) if (names := tuple(scopes)) else policy

    def _injected(self, admission: Admission) -> T:
        try:
            return self._give(admission)
        except NotAdmitted as bug:
            # Shadow mode lets the request in, but has nobody to give to an endpoint that asks for somebody.
            raise admission.refusal or bug from None

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__  # FastAPI looks each guard up several times in a request

    def __repr__(self) -> str:
        return self.__name__


class Requirement(params.Depends):
    """What ``requires`` returns: a ``Depends`` that says so where it is taken for a function.

    Args:
        guard: What it depends on.
    """

    def __init__(self, guard: Guard[Admission]) -> None:
        super().__init__(guard)
        self.__wrapped__ = Misuse(
            "requires(...) is neither a decorator nor a function for Depends: "
            "write dependencies=[requires(...)], or admission: Admission = requires(...)"
        )

    def __call__(self, *_: object) -> NoReturn:
        """Nobody calls a ``Depends``.

        Raises:
            TypeError: Always, with what to write instead.
        """
        self.__wrapped__()


def requires(policy: Policy, *, optional: bool = False) -> Any:  # noqa: ANN401 - see Returns
    """Guard an endpoint, router or app: in ``dependencies=[...]``, or as a default that gives ``Admission``.

    Args:
        policy: Who is let in.
        optional: Whether a request that presents nothing of what the policy asks for goes on (Law 1.4).

    Returns:
        A ``Depends`` for HTTP and WebSockets alike; Any, as FastAPI's own ``Depends`` returns, so that it can
        be the default of an ``Admission`` parameter.

    Raises:
        TypeError: If used without a policy.
        ConfigurationError: If the policy can never be judged.
    """
    if not isinstance(policy, Policy):
        raise TypeError(f"requires takes a policy, not {policy!r}: write requires(is_user)")
    compile_policy(policy)
    return Requirement(Guard(f"requires({policy!r})", policy, give_all, optional=optional))
