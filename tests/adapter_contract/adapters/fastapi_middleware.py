"""FastAPI with a middleware, whose endpoints read from the state of the request whom it admitted."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Request

import authgate_core as ag
from authgate_fastapi import AuthGate, AuthMiddleware
from tests.adapter_contract.adapter import ids
from tests.adapter_contract.adapters.fastapi_dependency import FastApiDependency, closing
from tests.adapter_contract.row import Row

__all__ = ["FastApiMiddleware"]


class FastApiMiddleware(FastApiDependency):
    """Asked like the one with dependencies."""

    name = "fastapi_middleware"

    def app(self, gate: ag.AsyncGate, rows: Sequence[Row]) -> FastAPI:
        """An application that mounts another for each row, each behind a middleware of its own."""
        app = FastAPI(lifespan=closing(gate))
        AuthGate(app, gate=gate)
        for row in rows:
            app.mount(f"/{row.slug}", _behind_middleware(row))
        return app


def _behind_middleware(row: Row) -> FastAPI:
    app = FastAPI()
    optional = {f"/{row.who}"} if row.optional else None
    app.add_middleware(AuthMiddleware, policy=row.policy, optional_auth_paths=optional)

    @app.get("/{who}")
    async def endpoint(request: Request, who: str) -> dict[str, str]:
        return ids(request.state.admission)

    return app
