"""Requests as the views of GraphQL hand them to resolvers, and apps whose gates know who makes them."""

from __future__ import annotations

import itertools
from typing import Final

from flask import Flask
from flask import Request as WsgiRequest
from starlette.requests import Request as AsgiRequest

import authgate_core as ag
from authgate_core.principal import ProjectRef, TokenRef
from authgate_flask import AuthGate

from .calls import environ, raw_headers, scope
from .issued import Issued

__all__ = ["AsyncCounting", "Counting", "Requests"]

PATH: Final = "/graphql"


class Counting:
    """A revocation store that counts how often it is asked: once for each authentication."""

    def __init__(self) -> None:
        self.asked = 0

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Nothing is."""
        self.asked += 1
        return False


class AsyncCounting:
    """``Counting`` for ``AsyncGate``."""

    def __init__(self) -> None:
        self.asked = 0

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Nothing is."""
        self.asked += 1
        return False


class Requests:
    """Makes requests, of one user after the other.

    Args:
        issued: The users' tokens.
    """

    def __init__(self, issued: Issued) -> None:
        self.issued = issued
        headers = [issued.headers(user) for user in range(len(issued.tokens))]
        self._environs = itertools.cycle([environ(one, PATH, "POST") for one in headers])
        self._scopes = itertools.cycle([scope(raw_headers(one), PATH, "POST") for one in headers])

    def app(self, gate: ag.Gate) -> Flask:
        """An app with a gate, in whose context operations are executed that do not wait."""
        app = Flask("bench", static_folder=None)
        AuthGate(app, gate=gate)
        return app

    def wsgi(self) -> dict[str, object]:
        """The context of an operation in a Flask view."""
        return {"request": WsgiRequest({**next(self._environs)})}

    def asgi(self, gate: ag.AsyncGate) -> dict[str, object]:
        """The context of an operation behind ``AuthGate(app)`` of FastAPI."""
        return {"request": AsgiRequest({**next(self._scopes), "authgate.gate": gate})}
