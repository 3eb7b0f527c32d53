"""``flask authgate``: what stands before the routes of an application, and the commands of the core about its gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import click
from flask import current_app
from flask.cli import AppGroup

from authgate_core import ConfigurationError
from authgate_core.cli import run_inside
from authgate_core.routes import GuardedRoute

from .installed import installed
from .listing import guarded_routes

__all__ = ["authgate"]

authgate = AppGroup("authgate", help="Look at the gate of the application.")

_OF_THE_CORE: Final[Mapping[str, str]] = {
    "doctor": "Look at the configuration and at everything it depends on.",
    "explain": "Judge a token by every rule; it is sent nowhere.",
    "revoke": "Revoke a token, a session, or all of a subject, client, tenant, key or project.",
    "token": "Print a token of the development issuer.",
    "dev-issuer": "Serve an issuer for development on this machine.",
    "hash-secret": "Mint a secret for a project and print its hash.",
    "api-key": "Mint an API key and print its table for a file of keys.",
}


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


def _passed_on(name: str, about: str) -> None:
    """Add a command of the core, which reads its own arguments and is about the gate of the application at hand."""

    @authgate.command(
        name, help=about, add_help_option=False, context_settings={"ignore_unknown_options": True}
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def pass_on(arguments: tuple[str, ...]) -> None:
        config = installed(current_app).gate.config
        click.get_current_context().exit(run_inside([name, *arguments], config, "flask authgate"))


for _name, _about in _OF_THE_CORE.items():
    _passed_on(_name, _about)
