"""What a view does for those who stay connected, besides the guards of its fields."""

from __future__ import annotations

import asyncio
from abc import ABC
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, ClassVar, Final, cast

from strawberry import Schema
from strawberry.http.async_base_view import AsyncBaseHTTPView
from strawberry.subscriptions.protocols.graphql_transport_ws import handlers as transport_ws
from strawberry.subscriptions.protocols.graphql_transport_ws import types as transport_ws_messages
from strawberry.subscriptions.protocols.graphql_ws import handlers as ws
from strawberry.subscriptions.protocols.graphql_ws import types as ws_messages
from strawberry.types import ExecutionResult
from strawberry.types.unset import UnsetType

from authgate_core import AsyncGate, AuthgateError, Gate, Policy

from ..connecting import admit, closing_of
from ..errors import Refusal
from ..streams import lasting
from .extension import AuthGateExtension

__all__ = ["GuardedSubscriptions"]

_WAIT: Final = timedelta(seconds=5)


class _TransportWsHandler(transport_ws.BaseGraphQLTransportWSHandler[Any, Any]):
    """graphql-transport-ws."""

    def on_request_accepted(self) -> None:
        """Begin to wait."""
        self.connection_init_wait_timeout = min(self.connection_init_wait_timeout, _WAIT)
        super().on_request_accepted()

    async def handle_connection_init(self, message: transport_ws_messages.ConnectionInitMessage) -> None:
        """Close where the connection is refused."""
        try:
            await super().handle_connection_init(message)
        except (AuthgateError, Refusal) as error:
            closing = closing_of(error, self.context)
            await self.websocket.close(closing.code, closing.reason)


class _WsHandler(ws.BaseGraphQLWSHandler[Any, Any]):
    """The older graphql-ws, which knows no limit to the wait and tells a refusal before it closes.

    Left to itself it begins a connection as often as a client likes, and acknowledges what nobody has verified.
    """

    _late: asyncio.Task[None] | None = None

    async def handle(self) -> None:
        """Speak it, to whom begins in time."""
        self._late = asyncio.create_task(self._close_late())
        try:
            await super().handle()
        finally:
            self._late.cancel()

    async def handle_connection_init(self, message: ws_messages.ConnectionInitMessage) -> None:
        """Close where the connection is refused, or was begun before: it is one caller's from then on (Law 2.6)."""
        if self.connection_acknowledged:
            await self.websocket.close(4429, "Too many initialisation requests")
            return
        if self._late is not None:
            self._late.cancel()
        try:
            await super().handle_connection_init(message)
        except (AuthgateError, Refusal) as error:
            closing = closing_of(error, self.context)
            await self.send_message({"type": "connection_error", "payload": {"message": closing.reason}})
            await self.websocket.close(closing.code, closing.reason)

    async def _close_late(self) -> None:
        await asyncio.sleep(_WAIT.total_seconds())
        await self.websocket.close(4408, "Connection initialisation timeout")


class GuardedSubscriptions(AsyncBaseHTTPView[Any, Any, Any, Any, Any, Any, Any], ABC):
    """Put before a view: ``class Router(GuardedSubscriptions, GraphQLRouter)``, or ``GraphQL`` of ``strawberry.asgi``.

    A WebSocket has 5 seconds for ``connection_init``, and whatever credentials came by then are verified at once: where
    they are refused it is closed before any operation, with the code of Law 1 and the ``code`` of the problem as its
    reason. A subscription that is answered in an HTTP response (SSE, multipart) ends within 2 seconds when its caller
    is admitted no longer, also where it is silent (Law 5.13). An ``on_ws_connect`` of your own calls this one first,
    and may raise an ``AuthgateError`` itself.

    Attributes:
        connection_policy: Who may connect; None lets those in as well who present nothing.
    """

    connection_policy: ClassVar[Policy | None] = None
    graphql_transport_ws_handler_class = _TransportWsHandler
    graphql_ws_handler_class = _WsHandler

    async def on_ws_connect(self, context: Any) -> UnsetType | dict[str, object] | None:  # noqa: ANN401 - Strawberry's
        """Admit a WebSocket.

        Raises:
            Refusal: If it is refused.
            ConfigurationError: If no gate can judge it here.
        """
        await admit(context, self.connection_policy, self._gate())
        return await super().on_ws_connect(context)

    async def execute_operation(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Strawberry's
        """Execute an operation, whose results last as long as its caller is admitted."""
        result: object = await super().execute_operation(*args, **kwargs)
        if not isinstance(result, AsyncGenerator):
            return result
        return _told(lasting(cast("AsyncGenerator[Any, None]", result), kwargs["context"]))

    def _gate(self) -> Gate | AsyncGate | None:
        """The gate that the schema's extension was given, if any."""
        extensions = self.schema.get_extensions() if isinstance(self.schema, Schema) else ()
        return next((one.gate for one in extensions if isinstance(one, AuthGateExtension)), None)


async def _told(results: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async with aclosing(results):
        try:
            async for result in results:
                yield result
        except Refusal as refused:
            yield ExecutionResult(data=None, errors=[refused])
