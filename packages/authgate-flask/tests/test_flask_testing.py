"""What ``authgate_core.testing`` asserts, on a real application."""

import pytest
from flask import Blueprint, Flask

from authgate_core import ConfigurationError, Gate, GateConfig, any_role, is_user
from authgate_core.testing import (
    FakeIssuer,
    as_nobody,
    as_user,
    assert_all_routes_guarded,
    assert_denied,
    gate_for_tests,
)
from authgate_flask import AuthGate, public, requires

Headers = dict[str, str]


@pytest.fixture
def app(config: GateConfig) -> Flask:
    """An application of which nothing was forgotten."""
    app = Flask("orders", static_folder=None)
    AuthGate(app, gate=gate_for_tests(config), default=is_user)
    app.add_url_rule("/orders", "orders", lambda: "in")
    app.add_url_rule("/admin", "admin", requires(any_role("admin"))(lambda: "in"), methods=["POST"])
    app.add_url_rule("/health", "health", public(lambda: "in"))
    return app


class TestDenied:
    """``assert_denied``."""

    def test_strangers_and_those_who_may_not(self, app: Flask) -> None:
        """By the status, or by the status and the code that are expected."""
        client = app.test_client()
        assert_denied(client.get("/orders"), 401, code="credentials_missing")
        with as_user("ann"):
            assert_denied(client.post("/admin"), 403)
            with as_nobody():
                assert_denied(client.post("/admin"), 401)
            with pytest.raises(AssertionError, match="got 200 in"):
                assert_denied(client.get("/orders"))

    def test_hostile_tokens(self, issuer: FakeIssuer, gate: Gate) -> None:
        """Each of the tokens that the issuer makes is refused where it is the only thing that is wrong."""
        app = Flask("orders")
        AuthGate(app, gate=gate, default=is_user)
        app.add_url_rule("/orders", "orders", lambda: "in")
        client, seen = app.test_client(), 0
        for attack in issuer.attacks():
            if attack.is_presentable:
                seen += 1
                assert_denied(client.get("/orders", headers={"Authorization": f"Bearer {attack.token}"}), 401)
        assert 100 < seen


class TestAllRoutesGuarded:
    """``assert_all_routes_guarded``."""

    def test_of_a_closed_application(self, app: Flask) -> None:
        """It says nothing, with a list of what is public or without."""
        assert_all_routes_guarded(app)
        assert_all_routes_guarded(app, public={"/health"})

    def test_a_forgotten_view(self, gate: Gate) -> None:
        """It is named, also in a blueprint; so are the static files that Flask adds."""
        app, shop = Flask("orders"), Blueprint("shop", __name__, url_prefix="/shop")
        AuthGate(app, gate=gate)
        shop.add_url_rule("/orders", "orders", requires(is_user)(lambda: "in"))
        shop.add_url_rule("/forgotten", "forgotten", lambda: "in", methods=["POST"])
        app.register_blueprint(shop)
        with pytest.raises(AssertionError) as found:
            assert_all_routes_guarded(app, public={"/static/<path:filename>"})
        assert ["anybody may use POST /shop/forgotten (UNGUARDED): guard it, or name it in public="] == str(
            found.value
        ).splitlines()

    def test_guards_that_are_wrong(self, app: Flask) -> None:
        """Law 1.6: are a configuration error here too."""
        requires(is_user)(app.get("/late")(lambda: "in"))
        with pytest.raises(ConfigurationError, match="stands above the route /late"):
            assert_all_routes_guarded(app)
