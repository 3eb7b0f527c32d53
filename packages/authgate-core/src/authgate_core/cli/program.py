"""The commands, and the one place where what stops one becomes a line and an exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import typer

from .doctoring import doctor
from .explaining import explain
from .here import Here
from .issuing import dev_issuer, token
from .listing import routes
from .mistakes import one_line, without_arguments
from .revoking import revoke
from .saying import complain
from .secrets import api_key, hash_secret

__all__ = ["program", "run"]

_WRONG_USE: Final = 2
_INTERRUPTED: Final = 130  # as shells count an interrupt

program: Final = typer.Typer(
    name="authgate",
    help="Set up, look at and operate an authgate.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
program.command("doctor")(doctor)
program.command("explain")(explain)
program.command("routes")(routes)
program.add_typer(revoke, name="revoke")
program.command("token")(token)
program.command("dev-issuer")(dev_issuer)
program.command("hash-secret")(hash_secret)
program.command("api-key")(api_key)


def run(arguments: Sequence[str], *, here: Here | None = None, name: str = "authgate") -> int:
    """Run a command.

    Args:
        arguments: What stands behind the name of the program.
        here: The application that it is run in, if it is.
        name: What the program is called in its help.

    Returns:
        The exit code: 0 where all is well, 1 where the command found fault, 2 where it could not do what it was asked.
    """
    # What a gate logs while a command uses it is what the command says itself.
    logging.getLogger("authgate").addHandler(logging.NullHandler())
    try:
        ended: object = program(args=[*arguments], prog_name=name, standalone_mode=False, obj=here or Here())
    except typer.TyperException as error:
        complain(_usage(error, arguments))
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except BrokenPipeError:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a command prints no traceback, whatever goes wrong in it
        complain(one_line(error))
    else:
        return ended if isinstance(ended, int) else 0
    return _WRONG_USE


def _usage(error: typer.TyperException, arguments: Sequence[str]) -> str:
    told = getattr(error, "format_message", None)
    message = str(told() if callable(told) else error)
    if message.startswith("Got unexpected extra argument"):
        message = "too many arguments; secrets and tokens are read from standard input"
    return f"{without_arguments(message, arguments).rstrip('.')}; see --help"
