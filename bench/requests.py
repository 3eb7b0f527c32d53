"""Requests of one user as the views of GraphQL hand them to resolvers, and gates that know the user's issuer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from flask import Request as WsgiRequest
from starlette.requests import Request as AsgiRequest
from werkzeug.test import EnvironBuilder

import authgate_core as ag
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate

__all__ = ["AsyncCounting", "Counting", "Requests", "requests", "show"]


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


@dataclass(frozen=True)
class Requests:
    """Makes requests that all present the same token.

    Args:
        issuer: Who issued it.
        token: The token.
    """

    issuer: ag.Issuer
    token: str

    def config(self, *stores: Counting | AsyncCounting) -> ag.GateConfig:
        """A gate's configuration, with what is to be asked about revocations."""
        return ag.GateConfig(issuers=[self.issuer], revocation=[*stores])

    def app(self, *stores: Counting | AsyncCounting) -> Flask:
        """An app with a gate, in whose context operations are executed that do not wait."""
        app = Flask("bench", static_folder=None)
        AuthGate(app, config=self.config(*stores))
        return app

    def wsgi(self) -> dict[str, object]:
        """The context of an operation in a Flask view."""
        headers = [("Authorization", f"Bearer {self.token}")]
        return {
            "request": WsgiRequest(EnvironBuilder("/graphql", method="POST", headers=headers).get_environ())
        }

    def asgi(self, gate: ag.AsyncGate) -> dict[str, object]:
        """The context of an operation behind ``AuthGate(app)`` of FastAPI."""
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {self.token}".encode())]
        scope = {"type": "http", "method": "POST", "scheme": "http", "path": "/graphql", "query_string": b""}
        return {"request": AsgiRequest(scope | {"headers": headers, "authgate.gate": gate})}


@contextmanager
def requests() -> Iterator[Requests]:
    """An issuer, and what it vouches for."""
    with FakeIssuer(audience="bench") as fake:
        issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience)
        yield Requests(issuer, fake.token("u1", roles=["admin"], scope="orders:read"))


def show(measured: Mapping[str, float]) -> None:
    """Tell whoever started this process what was measured."""
    print(json.dumps(dict(measured)))
