"""Flask with plain views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient

import authgate_core as ag
from authgate_flask import AuthGate, current_admission, requires
from tests.adapter_contract.adapter import Adapter, ids
from tests.adapter_contract.promises import Answer
from tests.adapter_contract.row import Row

__all__ = ["FlaskSync", "flask_app"]


def flask_app(gate: ag.Gate, rows: Sequence[Row]) -> Flask:
    """An application with a guarded view for each row."""
    app = Flask("contract")
    AuthGate(app, gate=gate)
    for row in rows:

        @app.get(f"/{row.slug}/<who>", endpoint=row.slug)
        @requires(row.policy, optional=row.optional)
        def view(who: str) -> dict[str, str]:
            return ids(current_admission)

    return app


class FlaskSync(Adapter[FlaskClient]):
    """Asked by Flask's own client, which joins repeated headers as WSGI servers do."""

    name = "flask_sync"

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[FlaskClient]:
        """A client of the application."""
        with self.world.gate(gate) as opened:
            yield flask_app(opened, rows).test_client()

    def send(self, door: FlaskClient, row: Row) -> Answer:
        """One request."""
        answer = door.get(f"/{row.slug}/{row.who}", headers=list(row.headers(self.world)))
        return Answer.of_http(answer.status_code, answer.headers, answer.data)
