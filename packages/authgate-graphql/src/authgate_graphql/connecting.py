"""Who opens a WebSocket: known from its first message on, before any operation (Laws 1.9, 5.13)."""

from __future__ import annotations

from authgate_core import AsyncGate, AuthgateError, Gate, Policy, is_user
from authgate_core.gate.watching import Closing

from .checks import check
from .context import visit_of
from .errors import Refusal, refusal
from .requirement import Requirement, requirement

__all__ = ["admit", "closing_of"]


async def admit(context: object, policy: Policy | None, gate: Gate | AsyncGate | None = None) -> None:
    """Admit a WebSocket by what it presents in its handshake and its first message.

    Args:
        context: The context of its operations.
        policy: Who may connect; None admits whoever presents nothing, or anything that the gate can verify.
        gate: Who judges, where that is not the gate of the app around the view.

    Raises:
        Refusal: If it is refused.
        ConfigurationError: If no gate can judge it here.
    """
    visit = visit_of(context, gate)
    await check(_anybody(visit.gate) if policy is None else requirement(policy), context)


def _anybody(gate: Gate | AsyncGate | None) -> Requirement:
    # Where there is no gate, whatever is asked is answered by saying so.
    return requirement(is_user if gate is None else gate.anybody(), optional=True)


def closing_of(error: AuthgateError | Refusal, context: object) -> Closing:
    """How a WebSocket is closed that is refused before its first operation.

    Args:
        error: The refusal.
        context: The context of its operations.

    Raises:
        AuthgateError: Itself, where no gate has judged the connection: whoever raised it is not the gate.
    """
    refused = error if isinstance(error, Refusal) else refusal(error, visit_of(context), context)
    problem = refused.problem
    return Closing(problem.websocket_code, str(problem.body["code"]), refused.error)
