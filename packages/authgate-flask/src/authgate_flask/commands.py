"""``flask authgate``: what stands before the routes of an application."""

from __future__ import annotations

from collections.abc import Iterator

import click
from flask import current_app
from flask.cli import AppGroup

from authgate_core import ConfigurationError
from authgate_core.routes import GuardedRoute

from .listing import guarded_routes

__all__ = ["authgate"]

authgate = AppGroup("authgate", help="Look at the gate of the application.")


@authgate.command("routes")
@click.option(
    "--fail-unguarded", is_flag=True, help="Exit with 1 if anybody may use a route that is not @public."
)
def show_routes(fail_unguarded: bool) -> None:  # noqa: FBT001 - click's signature
    """Check the guards, and show what stands before each route."""
    try:
        routes = guarded_routes(current_app)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from None
    for line in _table(routes):
        click.echo(line)
    unguarded = sum(route.is_unguarded for route in routes)
    if fail_unguarded and unguarded:
        raise click.ClickException(f"unguarded routes: {unguarded}; guard them, or write @public")


def _table(routes: tuple[GuardedRoute, ...]) -> Iterator[str]:
    rows = [("Methods", "Rule", "Guards"), *((", ".join(r.methods), r.path, r.standing) for r in routes)]
    methods, rules = (max(len(row[column]) for row in rows) for column in (0, 1))
    rows.insert(1, ("-" * methods, "-" * rules, "-" * len("Guards")))
    for row in rows:
        yield f"{row[0]:<{methods}}  {row[1]:<{rules}}  {row[2]}"
