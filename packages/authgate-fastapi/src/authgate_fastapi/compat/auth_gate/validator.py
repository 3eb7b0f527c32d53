"""The validator of the older FastAPI client, for tokens that came in no request."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Final, Self, cast

from authgate_core import AsyncGate, AuthgateError, ConfigurationError
from authgate_core.gate.environment import EnvironmentGate

from ..raised import raised
from .contexts import AuthContext, context_of

__all__ = ["AuthMode", "UserValidator"]

_NO_BYPASS: Final = (
    "AuthMode.BYPASS: nothing lets everybody in; for tests there is as_user(...) in authgate_core.testing"
)


class AuthMode(Enum):
    """Who says who calls."""

    KONG_HEADERS = "kong_headers"
    DIRECT_KEYCLOAK = "direct_keycloak"
    BYPASS = "bypass"


class UserValidator:
    """Says whom a token speaks for, with a gate from the variables that the older client read.

    Args:
        mode: As ``AUTH_MODE``, which it stands before; None for what the environment says.
        gate: A gate of your own instead, which you also close.

    Raises:
        ConfigurationError: For ``AuthMode.BYPASS``, which there is not (Law 9.6).
    """

    def __init__(self, mode: AuthMode | None = None, *, gate: AsyncGate | None = None) -> None:
        if mode is AuthMode.BYPASS:
            raise ConfigurationError(_NO_BYPASS)
        self.mode = mode
        self._given = gate
        self._environment = EnvironmentGate(
            AsyncGate, "keycloak", {} if mode is None else {"AUTH_MODE": mode.value}
        )

    async def validate_keycloak_token(self, token: str) -> AuthContext:
        """The user or service that a token speaks for.

        Raises:
            HTTPException: If it is not accepted, 401, or could not be checked, 503; an ``AuthgateError`` as well.
            ConfigurationError: If the environment does not say how tokens are verified.
        """
        gate = await self._gate()
        if not gate.config.issuers:
            raise ConfigurationError(
                "UserValidator: nobody's tokens are verified behind a gateway; write mode=AuthMode.DIRECT_KEYCLOAK"
            )
        try:
            admission = await gate.verify_token(token)
        except AuthgateError as error:
            refusal = raised(error, gate.problem(error))
        else:
            return cast("AuthContext", context_of(admission.principal))  # a token is a user's or a service's
        raise refusal

    async def _gate(self) -> AsyncGate:
        gate = self._given or self._environment.gate
        # Reading settings and files may block (Law 9.2).
        return gate if gate is not None else await asyncio.to_thread(self._environment.build)

    async def close(self) -> None:
        """Let go of connections; a gate that was handed in is its owner's."""
        if self._environment.gate is not None:
            await self._environment.gate.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()
