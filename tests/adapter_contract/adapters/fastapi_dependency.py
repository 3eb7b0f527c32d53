"""FastAPI with guards as dependencies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_fastapi import AuthGate, CurrentAdmission, requires
from tests.adapter_contract.adapter import Adapter, ids
from tests.adapter_contract.promises import Answer
from tests.adapter_contract.row import Row

__all__ = ["FastApiDependency", "closing"]


def closing(gate: ag.AsyncGate) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan that closes a gate in the loop that used it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await gate.aclose()

    return lifespan


class FastApiDependency(Adapter[TestClient]):
    """Asked by FastAPI's own client."""

    name = "fastapi_dependency"

    def app(self, gate: ag.AsyncGate, rows: Sequence[Row]) -> FastAPI:
        """An application with a guarded endpoint for each row."""
        app = FastAPI(lifespan=closing(gate))
        AuthGate(app, gate=gate)
        for row in rows:

            @app.get(f"/{row.slug}/{{who}}", dependencies=[requires(row.policy, optional=row.optional)])
            async def endpoint(admission: CurrentAdmission) -> dict[str, str]:
                return ids(admission)

        return app

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[TestClient]:
        """A client of the application, which runs until it is closed."""
        app = self.app(self.world.async_gate(gate), rows)
        with TestClient(app, client=("127.0.0.1", 50_000)) as client:
            yield client

    def send(self, door: TestClient, row: Row) -> Answer:
        """One request."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in row.headers(self.world)]
        answer = door.get(f"/{row.slug}/{row.who}", headers=headers)
        return Answer.of_http(answer.status_code, answer.headers.multi_items(), answer.content)
