"""What one library's adapter tells another's about a request that both serve."""

from __future__ import annotations

from typing import Protocol, TypeVar

from ..policy import Policy
from ..principal import Admission
from ..request import Memo, RequestView
from .aio import AsyncGate
from .sync import Gate

__all__ = ["Visited"]

AnyGate_contra = TypeVar("AnyGate_contra", Gate, AsyncGate, contravariant=True)


class Visited(Protocol[AnyGate_contra]):
    """What the adapter of a web framework knows about a request, for guards of a library that is served by it.

    A GraphQL endpoint is a route like others: who was authenticated before it need not be once more (Law 2.6),
    and its response, or its socket, depends on whom its fields admit (Laws 1.7, 5.13).
    """

    @property
    def memo(self) -> Memo:
        """What the request was already authenticated as."""
        ...

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The credentials that its client offered as subprotocols."""
        ...

    def entered(
        self,
        admission: Admission,
        gate: AnyGate_contra,
        policy: Policy,
        view: RequestView,
        *,
        optional: bool,
        lasts: bool,
    ) -> None:
        """Learn that a guard of another library let the request in.

        Args:
            admission: Whom it admitted.
            gate: The gate that judged.
            policy: What the guard asks.
            view: The request as it was judged.
            optional: Whether the guard also lets nobody in.
            lasts: Whether somebody was admitted who may be revoked while a socket is open.
        """
        ...
