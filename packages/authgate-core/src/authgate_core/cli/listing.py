"""``routes``: what stands before each route of an application, or each root field of a schema."""

from __future__ import annotations

from inspect import isfunction
from typing import Annotated

import typer

from ..errors import ConfigurationError
from ..routes import GuardedRoute, routes_of
from .here import load
from .mistakes import Mistake
from .saying import say, tabulate

__all__ = ["routes"]


def routes(
    app: Annotated[str, typer.Argument(metavar="MODULE:NAME", help="The application or the schema.")],
    *,
    fail_unguarded: Annotated[
        bool,
        typer.Option("--fail-unguarded", help="Exit with 1 if anybody may use a route that is not public."),
    ] = False,
) -> None:
    """Show who is let in where; a route that nobody decided about is marked UNGUARDED."""
    named: object = None
    try:
        named = load(app)
        found = routes_of(named)
    except TypeError as error:
        hint = f"; if it makes the application, write '{app}()'" if isfunction(named) else ""
        raise Mistake(f"{error}{hint}") from None
    except ConfigurationError as error:
        raise Mistake("; ".join(error.problems)) from None
    tabulate(("route", "guards"), [((str(route), ""), (route.standing, _style(route))) for route in found])
    unguarded = [route for route in found if route.is_unguarded]
    say("")
    say(f"{len(found)} routes, {len(unguarded)} unguarded", "bold")
    if unguarded and fail_unguarded:
        raise typer.Exit(1)


def _style(route: GuardedRoute) -> str:
    if route.is_unguarded:
        return "bold red"
    return "yellow" if route.is_open else "green"
