"""The body that gate and application both read, each when it likes."""

from __future__ import annotations

import asyncio

from starlette.types import Message

from authgate_fastapi.bodies import Body


class TestAStreamedResponse:
    def test_the_body_is_there_while_the_client_is_listened_for(self) -> None:
        """Starlette waits for the client to leave while it streams, and a guard may be asked for in the stream."""

        async def scenario() -> bytes:
            sent: list[Message] = [
                {"type": "http.request", "body": b"a", "more_body": True},
                {"type": "http.request", "body": b"b"},
            ]

            async def receive() -> Message:
                return sent.pop(0) if sent else await asyncio.Future()

            body = Body(receive)
            for _ in range(2):
                await body.receive()
            listening = asyncio.create_task(body.receive())
            await asyncio.sleep(0)
            try:
                return await asyncio.wait_for(body.read(), 5.0)
            finally:
                listening.cancel()

        assert b"ab" == asyncio.run(scenario())
