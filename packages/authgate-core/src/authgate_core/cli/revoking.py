"""``revoke``: what must not be accepted any longer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias

import typer

from ..errors import ConfigurationError
from ..gate.revocations import AsyncRevocations, Revocations
from ..revocation import MemoryRevocation
from .here import AppOption, settings
from .mistakes import Mistake
from .opened import opened
from .saying import say

__all__ = ["revoke"]

IssuerOption: TypeAlias = Annotated[
    str | None, typer.Option(help="The configured name of the issuer; may be left out where there is one.")
]
TenantOption: TypeAlias = Annotated[
    str | None, typer.Option(help="The tenant, where the issuer has tenants.")
]
BeforeOption: TypeAlias = Annotated[
    str | None, typer.Option(help="A moment, as in 2026-11-27T06:00:00Z; by default now.")
]
Log: TypeAlias = Revocations | AsyncRevocations
Written: TypeAlias = Coroutine[Any, Any, None] | None
"""What is left to wait for, where the gate is one of event loops; Any because nobody sends into a coroutine."""
_BEGINNING: Final = "eyJ"
"""What the header of a JWT begins with, since it is a JSON object."""
_DOTS: Final = 2
_FROM_STDIN: Final = "Read a whole token from standard input instead."

revoke: Final = typer.Typer(
    help="Revoke a token, a session, or all of a subject, client, tenant, key or project.",
    rich_markup_mode=None,
    add_completion=False,
)


@revoke.command("token")
def revoke_token(
    context: typer.Context,
    jti: Annotated[
        str | None, typer.Argument(help="The jti of the token; or for a whole one --stdin.")
    ] = None,
    issuer: IssuerOption = None,
    tenant: TenantOption = None,
    app: AppOption = None,
    *,
    stdin: Annotated[bool, typer.Option("--stdin", help=_FROM_STDIN)] = False,
) -> None:
    """Revoke one token."""
    if (jti is None) != stdin:
        raise Mistake("name the jti of the token, or give the whole token on standard input with --stdin")
    given = "".join(sys.stdin.read().split()) if jti is None else jti
    if given.startswith(_BEGINNING) and given.count(".") != _DOTS:
        # It would be taken for a jti, which no token has, and the token itself would go on.
        raise Mistake("that is a part of a token; give the whole of it, or its jti")
    _write(context, app, lambda log: log.revoke_token(given, issuer=issuer, tenant=tenant), "the token")


@revoke.command("session")
def revoke_session(
    context: typer.Context,
    sid: Annotated[str, typer.Argument(help="The sid of its tokens.")],
    issuer: IssuerOption = None,
    tenant: TenantOption = None,
    app: AppOption = None,
) -> None:
    """Revoke every token of a session, also those still to be issued."""
    _write(
        context, app, lambda log: log.revoke_session(sid, issuer=issuer, tenant=tenant), f"session {sid!a}"
    )


@revoke.command("subject")
def revoke_subject(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="The id of the user or service.")],
    *,
    before: BeforeOption = None,
    except_session: Annotated[str | None, typer.Option(help="The one session that goes on.")] = None,
    issuer: IssuerOption = None,
    tenant: TenantOption = None,
    app: AppOption = None,
) -> None:
    """Revoke what was issued to a user or service before a moment."""
    moment = _moment(before)

    def write(log: Log) -> Written:
        return log.revoke_before(
            moment, subject=subject, issuer=issuer, tenant=tenant, except_session=except_session
        )

    _write(context, app, write, f"what {subject!a} was issued before {_said(moment)}")


@revoke.command("client")
def revoke_client(
    context: typer.Context,
    client_id: Annotated[str, typer.Argument(help="The OAuth client.")],
    before: BeforeOption = None,
    issuer: IssuerOption = None,
    tenant: TenantOption = None,
    app: AppOption = None,
) -> None:
    """Revoke what was issued to a client before a moment."""
    moment = _moment(before)

    def write(log: Log) -> Written:
        return log.revoke_before(moment, client_id=client_id, issuer=issuer, tenant=tenant)

    _write(context, app, write, f"what client {client_id!a} was issued before {_said(moment)}")


@revoke.command("tenant")
def revoke_tenant(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(help="The tenant.")],
    before: BeforeOption = None,
    issuer: IssuerOption = None,
    app: AppOption = None,
) -> None:
    """Revoke what was issued in a whole tenant before a moment."""
    moment = _moment(before)
    done = f"what was issued in tenant {tenant!a} before {_said(moment)}"
    _write(context, app, lambda log: log.revoke_before(moment, tenant=tenant, issuer=issuer), done)


@revoke.command("key")
def revoke_key(
    context: typer.Context,
    kid: Annotated[str, typer.Argument(help="The key's id.")],
    issuer: IssuerOption = None,
    tenant: TenantOption = None,
    app: AppOption = None,
) -> None:
    """Revoke every token that a key verifies."""
    _write(context, app, lambda log: log.revoke_key(kid, issuer=issuer, tenant=tenant), f"key {kid!a}")


@revoke.command("project")
def revoke_project(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="The project's id.")],
    version: Annotated[int, typer.Argument(min=1, help="The lowest secret version that is still accepted.")],
    app: AppOption = None,
) -> None:
    """Revoke every secret of a project below a version."""
    done = f"the secrets of project {project!a} below version {version}"
    _write(context, app, lambda log: log.require_secret_version(project, version), done)


def _write(context: typer.Context, app: str | None, write: Callable[[Log], Written], what: str) -> None:
    config = settings(context, app)
    if any(isinstance(source, MemoryRevocation) for source in config.sources):
        raise Mistake(
            "MemoryRevocation is the memory of one process, which no command reaches; use RedisRevocation"
        )
    with opened(config) as gate:
        try:
            writing = write(gate.revocations)
            if writing is not None:
                asyncio.run(writing)
        except ConfigurationError as error:
            raise Mistake("; ".join(error.problems)) from None
        except ValueError as error:  # what no token could match, or a moment in the future
            raise Mistake(str(error)) from None
    say(f"revoked: {what}")


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake("--before: write a moment such as 2026-11-27T06:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
