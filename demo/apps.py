"""The two apps: the same routes, guarded by the same policies."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, WebSocket
from flask import Flask

import authgate_core as ag
import authgate_fastapi as af
import authgate_flask as afl

__all__ = ["fastapi_app", "flask_app"]

READERS = ag.is_user & ag.all_scopes("orders:read")
SUPPLIERS = ag.any_role("supplier")


def flask_app(config: ag.GateConfig) -> Flask:
    """The Flask app."""
    app = Flask("demo")
    afl.AuthGate(app, config=config)

    @app.get("/me")
    @afl.requires(ag.is_user)
    def me() -> dict[str, Any]:
        return {"id": afl.current_user.id}

    @app.get("/project")
    @afl.requires(ag.is_project)
    def project() -> dict[str, Any]:
        return {"id": afl.current_project.id}

    @app.get("/both")
    @afl.requires(ag.is_user & ag.is_project)
    def both() -> dict[str, Any]:
        return {"user": afl.current_user.id, "project": afl.current_project.id}

    @app.get("/greeting")
    @afl.requires(ag.is_user, optional=True)
    def greeting() -> dict[str, Any]:
        return {"hello": afl.current_user.id if afl.current_user else "stranger"}

    @app.get("/orders")
    @afl.requires(READERS)
    def orders() -> dict[str, Any]:
        return {"orders": []}

    @app.get("/supplies")
    @afl.requires(SUPPLIERS)
    def supplies() -> dict[str, Any]:
        return {"supplies": []}

    @app.get("/job")
    @afl.requires(ag.is_service)
    def job() -> dict[str, Any]:
        return {"id": afl.current_service.id}

    return app


def fastapi_app(config: ag.GateConfig) -> FastAPI:
    """The FastAPI app."""
    app = FastAPI()
    af.AuthGate(app, config=config)

    @app.get("/me")
    async def me(user: af.CurrentUser) -> dict[str, Any]:
        return {"id": user.id}

    @app.get("/project")
    async def project(project: af.CurrentProject) -> dict[str, Any]:
        return {"id": project.id}

    @app.get("/both", dependencies=[af.requires(ag.is_user & ag.is_project)])
    async def both(admission: af.CurrentAdmission) -> dict[str, Any]:
        return {"user": admission.user.id, "project": admission.project.id}

    @app.get("/greeting")
    async def greeting(admission: ag.Admission = af.requires(ag.is_user, optional=True)) -> dict[str, Any]:
        user = admission.get(ag.User)
        return {"hello": user.id if user else "stranger"}

    @app.get("/orders", dependencies=[af.requires(READERS)])
    async def orders() -> dict[str, Any]:
        return {"orders": []}

    @app.get("/supplies", dependencies=[af.requires(SUPPLIERS)])
    async def supplies() -> dict[str, Any]:
        return {"supplies": []}

    @app.get("/job")
    async def job(service: af.CurrentService) -> dict[str, Any]:
        return {"id": service.id}

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, user: af.CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_json({"id": user.id})
        await websocket.close()

    return app
