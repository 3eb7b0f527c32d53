"""Guards that stand over many endpoints, some of which are open."""

from __future__ import annotations

from typing import Final

from fastapi.security import SecurityScopes
from starlette.requests import HTTPConnection
from starlette.responses import Response

from authgate_core import Admission, ConfigurationError, Policy
from authgate_core.policy import compile_policy

from .give import give_all
from .guards import Guard
from .public import is_public
from .visit import is_preflight

__all__ = ["Blanket"]

_NOBODY: Final = Admission()


class Blanket(Guard[Admission]):
    """A guard that lets preflights and public endpoints pass (Laws 1.11 and 8.6).

    Args:
        written: How it is written, for messages.
        policy: The policy.

    Raises:
        ConfigurationError: If it is no policy, or can never be judged.
    """

    def __init__(self, written: str, policy: Policy) -> None:
        try:
            compile_policy(policy)
        except ConfigurationError as error:
            raise ConfigurationError(*(f"{written}: {problem}" for problem in error.problems)) from None
        super().__init__(written, policy, give_all)

    async def _admit(
        self, connection: HTTPConnection, security_scopes: SecurityScopes, response: Response
    ) -> Admission:
        if is_public(connection.scope.get("endpoint")) or is_preflight(connection):
            return _NOBODY
        return await super()._admit(connection, security_scopes, response)
