"""What a guard asks of a request, as one object for each thing that can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

from authgate_core import AsyncGate, ConfigurationError, Gate, Policy, is_project, is_user
from authgate_core.gate.environment import EnvironmentGate
from authgate_core.policy import compile_policy

__all__ = ["COMBINED", "ENVIRONMENT", "JWT", "PROJECT", "Environment", "Requirement", "built", "requirement"]

G = TypeVar("G", Gate, AsyncGate)


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """The gates that the environment describes, for views that live in an app without one (Law 1.6).

    Args:
        gate: That of sync apps.
        async_gate: That of async apps.
    """

    gate: EnvironmentGate[Gate]
    async_gate: EnvironmentGate[AsyncGate]


def built(described: EnvironmentGate[G]) -> G:
    """The gate that the environment describes.

    Raises:
        ConfigurationError: If it describes none, without saying why: GraphQL tells callers what is raised. What it is
            raised from, and so the log, names each setting and its value (Law 1.6).
    """
    try:
        return described.build()
    except ConfigurationError as error:
        raise ConfigurationError(
            "this GraphQL view has guards but its app no gate, and AUTHGATE_* describe none that can be built: the "
            "log names what is wrong; correct that, or write AuthGate(app) where the app is made"
        ) from error


ENVIRONMENT: Final = Environment(EnvironmentGate(Gate), EnvironmentGate(AsyncGate))
"""As ``AUTHGATE_*`` describe them."""


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """What a guard asks of a request; ``requirement`` makes them, so that each is equal to itself alone.

    That makes it the cheapest of keys: a field's check is one look into a dict.

    Args:
        policy: Who is let in.
        optional: Whether a request that presents nothing of it goes on (Law 1.4).
        shows: Which of ``user`` and ``project`` to put on the context, as the named shortcuts do.
        environment: Where the gate comes from where the app has none; None for nowhere.
    """

    policy: Policy
    optional: bool = False
    shows: tuple[str, ...] = ()
    environment: Environment | None = None


def requirement(
    policy: Policy,
    *,
    optional: bool = False,
    shows: tuple[str, ...] = (),
    environment: Environment | None = None,
) -> Requirement:
    """The requirement with these properties, the same object each time.

    Raises:
        TypeError: If that is no policy.
        ConfigurationError: If the policy can never be judged.
    """
    if not isinstance(policy, Policy):
        raise TypeError(f"a guard takes a policy, not {policy!r}: write requires(is_user)")
    return _made(policy, shows, environment, optional=optional)


@cache
def _made(
    policy: Policy, shows: tuple[str, ...], environment: Environment | None, *, optional: bool
) -> Requirement:
    compile_policy(policy)
    return Requirement(policy, optional, shows, environment)


JWT: Final = requirement(is_user, shows=("user",), environment=ENVIRONMENT)
"""A user, by a token."""
PROJECT: Final = requirement(is_project, shows=("project",), environment=ENVIRONMENT)
"""A project, by its credentials."""
COMBINED: Final = requirement(is_user & is_project, shows=("user", "project"), environment=ENVIRONMENT)
"""Both."""
