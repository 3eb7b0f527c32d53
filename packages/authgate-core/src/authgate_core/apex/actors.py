"""What both colours of the client of an apex share besides what they ask."""

from __future__ import annotations

from typing import Final

from ..clients import ClientSecret
from ..errors import ConfigurationError
from ..issuer import Apex
from ..request import HttpReply
from ..secret import Secret
from .replies import Actor, refuse

__all__ = ["LONGEST", "as_secret", "client_problems", "refused"]

LONGEST: Final = 600.0
"""How long a list of users may take, in seconds."""
_SCHEME: Final = "Bearer "


def as_secret(token: object) -> Secret:
    """A token that was given as a text, by itself or as a header has it.

    Raises:
        TypeError: If it is no text.
    """
    if isinstance(token, Secret):
        return token
    if not isinstance(token, str):
        raise TypeError(f"a token is a text, not {type(token).__name__}")
    return Secret(token.removeprefix(_SCHEME))


def client_problems(spec: Apex, client: object, *, plain_http: bool) -> None:
    """Check the client that exchanges codes.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """
    problems = [*spec.problems(plain_http=plain_http)]
    if not isinstance(client, ClientSecret):
        problems.append("client: give ClientSecret(client_id, secret), which is all that apex takes")
    else:
        problems += client.problems()
    if problems:
        raise ConfigurationError(*problems)


def refused(reply: HttpReply, actor: Actor) -> None:
    """Raise what is wrong with the beginning of a list, if anything is."""
    if reply.status != 200:
        refuse(reply, actor, "see the users of the service")
