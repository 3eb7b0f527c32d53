"""A GraphQL service with Graphene behind authgate: ``flask --app examples/graphene_app.py run``."""

from __future__ import annotations

import graphene
from flask import Flask
from graphql_server.flask.views import GraphQLView

from authgate_core import all_scopes, is_user
from authgate_flask import AuthGate
from authgate_graphql.graphene import get_admission, get_current_user, protect, public, requires


class Order(graphene.ObjectType):
    """An order."""

    number = graphene.Int()


class Query(graphene.ObjectType):
    """What can be asked; a field that says nothing itself is for users."""

    status = graphene.String()
    greeting = graphene.String()
    me = graphene.ID()
    orders = graphene.List(Order)

    @public
    def resolve_status(self, _info: graphene.ResolveInfo) -> str:
        """For anybody."""
        return "up"

    @requires(is_user, optional=True)
    def resolve_greeting(self, info: graphene.ResolveInfo) -> str:
        """A greeting for anybody."""
        user = get_current_user(info)
        return f"hello {user.id if user else 'stranger'}"

    def resolve_me(self, info: graphene.ResolveInfo) -> str:
        """Who calls."""
        return get_admission(info).user.id

    @requires(is_user & all_scopes("orders:read"))
    def resolve_orders(self, _info: graphene.ResolveInfo) -> list[dict[str, int]]:
        """The orders of whoever calls."""
        return [{"number": 1}]


def create_app() -> Flask:
    """The application, configured by the environment."""
    schema = graphene.Schema(query=Query)
    protect(schema, is_user)
    app = Flask(__name__)
    AuthGate(app)
    app.add_url_rule("/graphql", view_func=GraphQLView.as_view("graphql", schema=schema.graphql_schema))
    return app
