"""What whoever has installed authgate-graphql[strawberry] gets: run against the built wheels as well."""

import json
from importlib.resources import files

import strawberry
from flask import Flask
from strawberry.flask.views import GraphQLView

import authgate_core as ag
import authgate_graphql
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate
from authgate_graphql.strawberry import AuthGateExtension, get_admission, requires


@strawberry.type
class Query:
    @strawberry.field(permission_classes=[requires(ag.is_user)])
    def me(self, info: strawberry.Info) -> str:
        return get_admission(info).user.id


class TestInstalled:
    def test_a_field_is_guarded(self) -> None:
        """From a token on the wire to the user in a resolver, by the gate of the app around the view."""
        schema = strawberry.Schema(Query, extensions=[AuthGateExtension])
        with FakeIssuer(audience="orders-api") as issuer:
            app = Flask("orders")
            trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
            AuthGate(app, config=ag.GateConfig(issuers=[trusted]))
            app.add_url_rule("/graphql", view_func=GraphQLView.as_view("graphql", schema=schema))
            client, asked = app.test_client(), {"query": "{ me }"}
            token = {"Authorization": f"Bearer {issuer.token('u1')}"}

            assert {"me": "u1"} == json.loads(client.post("/graphql", json=asked, headers=token).text)["data"]
            (error,) = json.loads(client.post("/graphql", json=asked).text)["errors"]
            assert "UNAUTHENTICATED" == error["extensions"]["code"]
            app.extensions["authgate"].gate.close()

    def test_types_came_along(self) -> None:
        """Type checkers look for a marker."""
        assert files(authgate_graphql).joinpath("py.typed").is_file()
