"""An admission that was begun without waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..errors import AuthgateError
from ..principal import Admission

__all__ = ["Begun"]


@dataclass(slots=True, eq=False)
class Begun:
    """An admission that was begun, and is decided where nobody had to be asked.

    Args:
        outcome: Who was admitted, or why nobody was; None while it is undecided.
        rest: What is left to be awaited of one that is undecided.
    """

    outcome: Admission | AuthgateError | None = None
    rest: Callable[[], Awaitable[Admission]] | None = field(default=None, repr=False)

    async def finish(self) -> Admission:
        """Wait for the decision; once, where it is undecided.

        Raises:
            AuthgateError: The refusal.
            RuntimeError: If it is undecided and was waited for before.
        """
        if self.outcome is None:
            return await self._take_rest()()
        if isinstance(self.outcome, Admission):
            return self.outcome
        raise self.outcome

    def _take_rest(self) -> Callable[[], Awaitable[Admission]]:
        rest, self.rest = self.rest, None
        if rest is None:
            raise RuntimeError(
                "an admission is finished once: what was begun here has been waited for before"
            )
        return rest
