"""What whoever has installed authgate-flask gets: run against the built wheel as well, where nothing else is."""

from __future__ import annotations

from importlib.metadata import requires as requirements
from importlib.metadata import version
from importlib.resources import files

from flask import Flask

import authgate_core as ag
import authgate_flask
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_user, requires


class TestInstalled:
    def test_an_application_is_guarded(self) -> None:
        """From a token on the wire to the user in a view."""
        with FakeIssuer(audience="orders-api") as issuer:
            app = Flask("orders")
            trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
            AuthGate(app, config=ag.GateConfig(issuers=[trusted]))

            @app.get("/me")
            @requires(ag.is_user)
            def me() -> str:
                return current_user.id

            client = app.test_client()
            answer = client.get("/me", headers={"Authorization": f"Bearer {issuer.token('u1')}"})
            assert (200, "u1") == (answer.status_code, answer.text)
            assert 401 == client.get("/me").status_code
            app.extensions["authgate"].gate.close()

    def test_the_commands_of_the_application_are_there(self) -> None:
        """`flask authgate` finds its group, whatever is installed besides."""
        app = Flask("orders")
        trusted = ag.Issuer.oidc("https://id.example.com", audience="orders-api")
        AuthGate(app, config=ag.GateConfig(issuers=[trusted]))

        assert 0 == app.test_cli_runner().invoke(args=["authgate", "routes"]).exit_code

    def test_types_and_the_core_of_its_version_came_along(self) -> None:
        """Packages of one version belong together."""
        assert files(authgate_flask).joinpath("py.typed").is_file()
        assert f"authgate-core=={version('authgate-flask')}" in (requirements("authgate-flask") or [])
