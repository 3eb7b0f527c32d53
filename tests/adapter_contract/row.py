"""One row of the contract, and the promises that rows make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import authgate_core as ag
from tests.adapter_contract.presenting import Presents
from tests.adapter_contract.promises import Outcome, Promise
from tests.adapter_contract.world import REALM, Headers, World

__all__ = [
    "APP",
    "BEARER",
    "FORBIDDEN",
    "KEY",
    "MISMATCH",
    "NOT_ENABLED",
    "UNAVAILABLE",
    "Row",
    "expired",
    "failed",
    "invalid",
    "lacking",
    "lets_in",
    "malformed",
    "missing",
    "step_up",
    "wrong_key",
    "wrong_project",
]

BEARER = f'Bearer realm="{REALM}"'
APP = f'AppCredentials realm="{REALM}"'
KEY = f'ApiKey realm="{REALM}"'


@dataclass(frozen=True, slots=True)
class Row:
    """A request, a policy and a state of the world, and what then happens in every adapter alike.

    Args:
        name: What is presented, in words; every row has its own.
        law: The number of the law that it keeps.
        presents: What the request carries.
        policy: Who is let in.
        promise: How it ends.
        optional: Whether the guard is optional (Law 1.4).
        gate: The gate of the world that judges, which stands for its state.
        who: What stands in the path.
        times: How often it is asked; the last answer counts.
    """

    name: str
    law: str
    presents: tuple[Presents, ...]
    policy: ag.Policy
    promise: Promise
    optional: bool = False
    gate: str = "main"
    who: str = "u1"
    times: int = 1

    @property
    def slug(self) -> str:
        """The name as a segment of a path, and as an identifier."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name)

    @property
    def promised(self) -> Promise:
        """The promise, with the headers in which the policy has credentials looked for."""
        return replace(self.promise, reads=frozenset(self._reads()))

    def _reads(self) -> Iterator[str]:
        asked = repr(self.policy)
        if "is_project" in asked:
            yield from ("x-app-id", "x-app-secret", *(["x-project-token"] if self.gate == "mercury" else []))
        if "is_user" in asked or "is_service" in asked or asked.startswith("any_role"):
            yield "authorization"
        if "is_api_key" in asked:
            yield from ("x-api-key", "authorization")

    def headers(self, world: World) -> Headers:
        """What the request carries in this world."""
        return tuple(pair for presents in self.presents for pair in presents(world))


def failed(scheme: str, error: str) -> str:
    """The challenge of a scheme that was tried."""
    return f'{scheme}, error="{error}"'


def missing(*schemes: str) -> Promise:
    """Nothing, or too little, was presented."""
    return Promise(
        outcome=Outcome.UNAUTHENTICATED,
        code="credentials_missing",
        detail="Authentication is required.",
        challenge=", ".join(schemes),
    )


def malformed(*challenges: str) -> Promise:
    """What was presented can be read in more than one way, or in none."""
    return Promise(
        outcome=Outcome.MALFORMED,
        code="credentials_malformed",
        detail="The credentials are malformed.",
        challenge=", ".join(challenges or (failed(BEARER, "invalid_request"),)),
    )


def invalid(*challenges: str, told: frozenset[str] = frozenset()) -> Promise:
    """A token is not accepted, and nobody is told why."""
    return Promise(
        outcome=Outcome.UNAUTHENTICATED,
        code="token_invalid",
        detail="The token is not valid.",
        challenge=", ".join(challenges or (failed(BEARER, "invalid_token"),)),
        told=told,
    )


def expired(*challenges: str) -> Promise:
    """A token was good once, which its bearer may know."""
    return Promise(
        outcome=Outcome.UNAUTHENTICATED,
        code="token_expired",
        detail="The token has expired.",
        challenge=", ".join(challenges or (failed(BEARER, "invalid_token"),)),
    )


def wrong_project(*challenges: str) -> Promise:
    """Nobody knows this app id with this secret."""
    return Promise(
        outcome=Outcome.UNAUTHENTICATED,
        code="project_invalid",
        detail="The project credentials are not valid.",
        challenge=", ".join(challenges or (failed(APP, "invalid_token"),)),
    )


def wrong_key(*challenges: str) -> Promise:
    """An API key is not accepted, and nobody is told why."""
    return Promise(
        outcome=Outcome.UNAUTHENTICATED,
        code="api_key_invalid",
        detail="The API key is not valid.",
        challenge=", ".join(challenges or (failed(KEY, "invalid_token"),)),
    )


def lacking(*scopes: str, asked: str) -> Promise:
    """Scopes are all that is missing.

    Args:
        scopes: Those that are missing.
        asked: All that the policy asks for, as the challenge names them.
    """
    return Promise(
        outcome=Outcome.FORBIDDEN,
        code="scope_insufficient",
        detail="The token lacks a required scope.",
        challenge=f'{BEARER}, error="insufficient_scope", scope="{asked}"',
        missing=scopes,
    )


def step_up(challenge: str, *missing: str, told: str) -> Promise:
    """A user must log in again.

    Args:
        challenge: What the challenge says of how.
        missing: The scopes that are missing as well.
        told: The names under which callers are told the same, separated by spaces.
    """
    return Promise(
        outcome=Outcome.STEP_UP,
        code="step_up_required",
        detail="A stronger or more recent login is required.",
        challenge=f'{BEARER}, error="insufficient_user_authentication", {challenge}',
        missing=missing,
        told=frozenset(told.split()),
    )


def lets_in(**admitted: str) -> Promise:
    """The handler runs, and sees these."""
    return Promise(outcome=Outcome.ADMITTED, admitted=admitted)


FORBIDDEN = Promise(outcome=Outcome.FORBIDDEN, code="forbidden", detail="You are not allowed to do this.")
NOT_ENABLED = Promise(
    outcome=Outcome.FORBIDDEN,
    code="service_not_enabled",
    detail="The project is not enabled for this service.",
)
MISMATCH = Promise(
    outcome=Outcome.FORBIDDEN,
    code="tenant_mismatch",
    detail="The user and the project do not belong together.",
)
UNAVAILABLE = Promise(
    outcome=Outcome.UNAVAILABLE,
    code="unavailable",
    detail="Authentication is temporarily unavailable.",
)
