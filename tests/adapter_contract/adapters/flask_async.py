"""Flask with async views, in front of which the gate stays a sync one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient

from authgate_flask import AuthGate, current_admission, requires
from tests.adapter_contract.adapter import ids
from tests.adapter_contract.adapters.flask_sync import FlaskSync
from tests.adapter_contract.row import Row

__all__ = ["FlaskAsync"]


class FlaskAsync(FlaskSync):
    """Asked like the sync one."""

    name = "flask_async"

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[FlaskClient]:
        """A client of an application whose views are coroutine functions."""
        app = Flask("contract")
        with self.world.gate(gate) as opened:
            AuthGate(app, gate=opened)
            for row in rows:

                @app.get(f"/{row.slug}/<who>", endpoint=row.slug)
                @requires(row.policy, optional=row.optional)
                async def view(who: str) -> dict[str, str]:
                    return ids(current_admission)

            yield app.test_client()
