"""The Graphene app, in Flask: a field for each guarded route of the others."""

from __future__ import annotations

import graphene
from flask import Flask
from graphql_server.flask.views import GraphQLView

import authgate_core as ag
import authgate_flask as afl
from authgate_graphql.graphene import get_admission, get_current_user, requires

from .policies import READERS, SUPPLIERS
from .processes import stand_alone
from .serving import serve_wsgi

__all__ = ["graphene_app"]


class Query(graphene.ObjectType):
    """What is asked."""

    me = graphene.String()
    project = graphene.String()
    both = graphene.String()
    greeting = graphene.String()
    orders = graphene.List(graphene.String)
    supplies = graphene.List(graphene.String)

    @requires(ag.is_user)
    def resolve_me(root: object, info: graphene.ResolveInfo) -> str:
        """Who calls."""
        return get_admission(info).user.id

    @requires(ag.is_project)
    def resolve_project(root: object, info: graphene.ResolveInfo) -> str:
        """Which project calls."""
        return get_admission(info).project.id

    @requires(ag.is_user & ag.is_project)
    def resolve_both(root: object, info: graphene.ResolveInfo) -> str:
        """Who calls, and through which project."""
        admission = get_admission(info)
        return f"{admission.user.id} through {admission.project.id}"

    @requires(ag.is_user, optional=True)
    def resolve_greeting(root: object, info: graphene.ResolveInfo) -> str:
        """Whoever calls."""
        user = get_current_user(info)
        return f"hello {user.name if user else 'stranger'}"

    @requires(READERS)
    def resolve_orders(root: object, info: graphene.ResolveInfo) -> list[str]:
        """For readers."""
        return []

    @requires(SUPPLIERS)
    def resolve_supplies(root: object, info: graphene.ResolveInfo) -> list[str]:
        """For suppliers."""
        return []


def graphene_app(config: ag.GateConfig) -> Flask:
    """The app."""
    app = Flask("graphene_demo", static_folder=None)
    afl.AuthGate(app, config=config)
    view = GraphQLView.as_view("graphql", schema=graphene.Schema(Query).graphql_schema)
    app.add_url_rule("/graphql", view_func=view)
    return app


if __name__ == "__main__":
    stand_alone(graphene_app, serve_wsgi)
