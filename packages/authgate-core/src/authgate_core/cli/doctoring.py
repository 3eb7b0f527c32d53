"""``doctor``: what is wrong with a gate, and what mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import typer

from ..config import GateConfig
from ..errors import ConfigurationError
from ..routes import routes_of
from .adapters import gate_finder
from .doctor import Finding, examine, wrong_settings
from .here import AppOption, config_in, load, settings
from .saying import plain, say

__all__ = ["doctor"]

_STYLES: Final[Mapping[str, str]] = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def doctor(
    context: typer.Context,
    app: AppOption = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings as well.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the findings as JSON, for programs.")
    ] = False,
) -> None:
    """Look at the configuration and at everything it depends on; exit with 1 where something is wrong."""
    findings: list[Finding] = []
    for finding in _findings(context, app):
        findings.append(finding)
        if not as_json:
            _show(finding)
    wrong = {state: sum(finding.state == state for finding in findings) for state in ("failed", "warning")}
    if as_json:
        plain(json.dumps({**wrong, "findings": [finding.to_dict() for finding in findings]}, indent=2))
    else:
        say(f"{len(findings)} looked at, {wrong['failed']} failed, {wrong['warning']} to know", "bold")
    if wrong["failed"] or (strict and wrong["warning"]):
        raise typer.Exit(1)


def _findings(context: typer.Context, app: str | None) -> Iterator[Finding]:
    try:
        config = settings(context, None) if app is None else _whole(app)
    except ConfigurationError as error:
        yield from wrong_settings(error.problems)
        return
    yield from examine(config)


def _whole(app: str) -> GateConfig:
    """The configuration of what ``--app`` names, whose guards go with it as far as it has any (Law 1.6)."""
    found = load(app)
    config = config_in(found, app)
    if gate_finder(found) is not None:  # a gate or a configuration has no guards
        routes_of(found)
    return config


def _show(finding: Finding) -> None:
    say(f"{finding.state:<8} {finding.check}: {finding.text}", _STYLES[finding.state])
    if finding.fix:
        say(f"         fix: {finding.fix}")
