"""A FastAPI service behind authgate: ``uvicorn --app-dir examples fastapi_app:app``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, WebSocket

from authgate_core import all_scopes, is_user
from authgate_fastapi import AuthGate, CurrentUser, OptionalUser, requires

orders = APIRouter(prefix="/orders", dependencies=[requires(is_user & all_scopes("orders:read"))])


@orders.get("/")
async def list_orders(user: CurrentUser) -> dict[str, Any]:
    """The orders of whoever calls."""
    return {"owner": user.id, "orders": []}


app = FastAPI()
AuthGate(app)
app.include_router(orders)


@app.get("/")
async def greet(user: OptionalUser) -> dict[str, Any]:
    """A greeting for anybody."""
    return {"hello": user.id if user else "stranger"}


@app.websocket("/feed")
async def feed(websocket: WebSocket, user: CurrentUser) -> None:
    """A feed for users; without a token the handshake is answered with 401."""
    await websocket.accept()
    await websocket.send_json({"hello": user.id})
    await websocket.close()
