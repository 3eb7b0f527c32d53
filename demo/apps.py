"""The apps of this process: the same routes, closed unless they say otherwise, guarded by the same policies."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from flask import Flask

import authgate_core as ag
import authgate_fastapi as af
import authgate_flask as afl

from .policies import READERS, SUPPLIERS

__all__ = ["fastapi_app", "flask_app"]


def flask_app(config: ag.GateConfig) -> Flask:
    """The Flask app: what says nothing is for users."""
    app = Flask("demo", static_folder=None)
    afl.AuthGate(app, config=config, default=ag.is_user)

    @app.get("/me")
    def me() -> dict[str, Any]:
        return afl.current_user.to_dict()

    @app.get("/project")
    @afl.requires(ag.is_project)
    def project() -> dict[str, Any]:
        return {"projectUuid": afl.current_project["projectUuid"]}

    @app.get("/both")
    @afl.requires(ag.is_user & ag.is_project)
    def both() -> dict[str, Any]:
        return {"user": afl.current_user.id, "project": afl.current_project.id}

    @app.get("/greeting")
    @afl.requires(ag.is_user, optional=True)
    def greeting() -> dict[str, Any]:
        return {"hello": afl.current_user.name if afl.current_user else "stranger"}

    @app.get("/orders")
    @afl.requires(READERS)
    def orders() -> dict[str, Any]:
        return {"orders": []}

    @app.get("/supplies")
    @afl.requires(SUPPLIERS)
    def supplies() -> dict[str, Any]:
        return {"supplies": []}

    @app.get("/static/<name>")
    @afl.public
    def static(name: str) -> dict[str, Any]:
        return {"file": name}

    @app.get("/static-admin/<name>")
    def static_admin(name: str) -> dict[str, Any]:
        return {"file": name}

    return app


def fastapi_app(config: ag.GateConfig) -> FastAPI:
    """The FastAPI app, closed by a middleware."""
    app = FastAPI()
    af.AuthGate(app, config=config)
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.com"], allow_methods=["GET"])
    app.add_middleware(
        af.AuthMiddleware, excluded_prefixes={"/static": {"GET"}}, optional_auth_paths={"/greeting"}
    )
    app.include_router(routes)
    return app


routes = APIRouter()


@routes.get("/me")
async def me(user: af.CurrentUser) -> dict[str, Any]:
    """Who calls."""
    return user.to_dict()


@routes.get("/project")
async def project(project: af.CurrentProject) -> dict[str, Any]:
    """Which project calls."""
    return {"projectUuid": project["projectUuid"]}


@routes.get("/both", dependencies=[af.requires(ag.is_user & ag.is_project)])
async def both(admission: af.CurrentAdmission) -> dict[str, Any]:
    """Who calls, and through which project."""
    return {"user": admission.user.id, "project": admission.project.id}


@routes.get("/greeting")
async def greeting(user: af.OptionalUser) -> dict[str, Any]:
    """Whoever calls."""
    return {"hello": user.name if user else "stranger"}


@routes.get("/orders", dependencies=[af.requires(READERS)])
async def orders() -> dict[str, Any]:
    """For readers."""
    return {"orders": []}


@routes.get("/supplies", dependencies=[af.requires(SUPPLIERS)])
async def supplies() -> dict[str, Any]:
    """For suppliers."""
    return {"supplies": []}


@routes.get("/static/{name}")
async def static(name: str) -> dict[str, Any]:
    """For anybody."""
    return {"file": name}


@routes.get("/static-admin/{name}")
async def static_admin(name: str) -> dict[str, Any]:
    """For whoever passed the middleware."""
    return {"file": name}


@routes.websocket("/ws")
async def ws(websocket: WebSocket, user: af.CurrentUser) -> None:
    """Says who calls, and again at each message, for as long as they are let in."""
    await websocket.accept()
    await websocket.send_json({"id": user.id})
    async for _ in websocket.iter_text():
        await websocket.send_json({"id": user.id})
