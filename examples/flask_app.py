"""A Flask service behind authgate: ``flask --app examples/flask_app.py run``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask

from authgate_core import all_scopes, is_user
from authgate_flask import AuthGate, current_user, public, requires

orders = Blueprint("orders", __name__, url_prefix="/orders")


@orders.get("/")
@requires(is_user & all_scopes("orders:read"))
def list_orders() -> dict[str, Any]:
    """The orders of whoever calls."""
    return {"owner": current_user.id, "orders": []}


def create_app() -> Flask:
    """The application factory; settings come from ``app.config`` or the environment."""
    app = Flask(__name__)
    AuthGate(app, default=is_user)
    app.register_blueprint(orders)

    @app.get("/")
    @requires(is_user, optional=True)
    def greet() -> dict[str, Any]:
        return {"hello": current_user.id if current_user else "stranger"}

    @app.get("/me")
    def me() -> dict[str, Any]:
        return {"id": current_user.id}

    @app.get("/health")
    @public
    def health() -> dict[str, Any]:
        return {"status": "up"}

    return app
