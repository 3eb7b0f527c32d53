"""A GraphQL service with Strawberry behind authgate: ``uvicorn --app-dir examples strawberry_app:app``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import strawberry
from fastapi import FastAPI
from strawberry.fastapi import GraphQLRouter

from authgate_core import all_scopes, any_role, is_user
from authgate_fastapi import AuthGate
from authgate_graphql.strawberry import AuthGateExtension, Guard, get_admission, get_current_user, requires


@strawberry.type
class Order:
    """An order, whose margin clerks see."""

    number: int
    margin: float | None = strawberry.field(extensions=[Guard(any_role("clerk"), fail_silently=True)])


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field(permission_classes=[requires(is_user, optional=True)])
    def greeting(self, info: strawberry.Info) -> str:
        """A greeting for anybody."""
        user = get_current_user(info)
        return f"hello {user.id if user else 'stranger'}"

    @strawberry.field(permission_classes=[requires(is_user & all_scopes("orders:read"))])
    async def orders(self) -> list[Order]:
        """The orders of whoever calls."""
        return [Order(number=1, margin=0.4)]


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription(permission_classes=[requires(is_user)])
    async def feed(self, info: strawberry.Info) -> AsyncIterator[str]:
        """A feed for users, which ends when they are admitted no longer."""
        yield f"hello {get_admission(info).user.id}"


schema = strawberry.Schema(Query, subscription=Subscription, extensions=[AuthGateExtension])
app = FastAPI()
AuthGate(app)
app.include_router(GraphQLRouter(schema), prefix="/graphql")
