"""The Strawberry app, in FastAPI: a field for each guarded route of the others, and a subscription."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import strawberry
from fastapi import FastAPI
from strawberry.fastapi import GraphQLRouter

import authgate_core as ag
import authgate_fastapi as af
from authgate_graphql.strawberry import AuthGateExtension, get_admission, get_current_user, requires

from .policies import READERS, SUPPLIERS
from .processes import stand_alone
from .serving import serve_asgi

__all__ = ["strawberry_app"]


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field(permission_classes=[requires(ag.is_user)])
    async def me(self, info: strawberry.Info) -> str:
        """Who calls."""
        return get_admission(info).user.id

    @strawberry.field(permission_classes=[requires(ag.is_project)])
    async def project(self, info: strawberry.Info) -> str:
        """Which project calls."""
        return get_admission(info).project.id

    @strawberry.field(permission_classes=[requires(ag.is_user & ag.is_project)])
    async def both(self, info: strawberry.Info) -> str:
        """Who calls, and through which project."""
        admission = get_admission(info)
        return f"{admission.user.id} through {admission.project.id}"

    @strawberry.field(permission_classes=[requires(ag.is_user, optional=True)])
    async def greeting(self, info: strawberry.Info) -> str:
        """Whoever calls."""
        user = get_current_user(info)
        return f"hello {user.name if user else 'stranger'}"

    @strawberry.field(permission_classes=[requires(READERS)])
    async def orders(self) -> list[str]:
        """For readers."""
        return []

    @strawberry.field(permission_classes=[requires(SUPPLIERS)])
    async def supplies(self) -> list[str]:
        """For suppliers."""
        return []


@strawberry.type
class Subscription:
    """What is listened to."""

    @strawberry.subscription(permission_classes=[requires(ag.is_user)])
    async def me(self, info: strawberry.Info) -> AsyncIterator[str]:
        """Says who calls, and stays open for as long as they are let in."""
        yield get_admission(info).user.id
        await asyncio.Event().wait()


def strawberry_app(config: ag.GateConfig) -> FastAPI:
    """The app."""
    app = FastAPI()
    af.AuthGate(app, config=config)
    schema = strawberry.Schema(Query, subscription=Subscription, extensions=[AuthGateExtension])
    app.include_router(GraphQLRouter(schema), prefix="/graphql")
    return app


if __name__ == "__main__":
    stand_alone(strawberry_app, serve_asgi)
