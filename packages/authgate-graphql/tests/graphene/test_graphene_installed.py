"""What whoever has installed authgate-graphql[graphene] gets: run against the built wheels as well."""

from importlib.resources import files

import graphene
from flask import Flask, request

import authgate_core as ag
import authgate_graphql
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate
from authgate_graphql.graphene import get_admission, requires


class Query(graphene.ObjectType):
    me = graphene.ID()

    @requires(ag.is_user)
    def resolve_me(self, info: graphene.ResolveInfo) -> str:
        return get_admission(info).user.id


class TestInstalled:
    def test_a_field_is_guarded(self) -> None:
        """From a token on the wire to the user in a resolver, by the gate of the app around the view."""
        schema = graphene.Schema(query=Query)
        with FakeIssuer(audience="orders-api") as issuer:
            app = Flask("orders")
            trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
            AuthGate(app, config=ag.GateConfig(issuers=[trusted]))
            token = {"Authorization": f"Bearer {issuer.token('u1')}"}

            with app.test_request_context("/graphql", headers=token):
                assert {"me": "u1"} == schema.execute("{ me }", context={"request": request}).data
            with app.test_request_context("/graphql"):
                (error,) = schema.execute("{ me }", context={"request": request}).errors or []
            assert "UNAUTHENTICATED" == error.formatted["extensions"]["code"]
            app.extensions["authgate"].gate.close()

    def test_types_came_along(self) -> None:
        """Type checkers look for a marker."""
        assert files(authgate_graphql).joinpath("py.typed").is_file()
