"""npm's oidc-provider, a certified OpenID provider, as a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

from .programs import Missing, Program, found, start

__all__ = ["ALGORITHMS", "AUDIENCE", "FOLDER", "OpenIdProvider", "provider"]

FOLDER: Final = Path(__file__).parents[1] / "provider"
AUDIENCE: Final = "orders-api"
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""What it signs access tokens with."""

_RESOURCES: Final = "https://api.example.test/"


@dataclass(slots=True)
class OpenIdProvider:
    """A provider that is running.

    Args:
        url: Its issuer.
        program: The process.
        client: What it is asked with.
    """

    url: str
    program: Program
    client: httpx2.Client

    def token(self, kind: str, scope: str = "orders:read") -> str:
        """A token of the client ``billing``: signed with an algorithm, or ``opaque``."""
        answer = self.client.post(
            f"{self.url}/token",
            auth=("billing", "billing-secret-for-tests-alone"),
            data={"grant_type": "client_credentials", "scope": scope, "resource": _RESOURCES + kind},
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def introspect(self, token: str) -> dict[str, Any]:
        """What it answers the resource server ``orders-api`` about a token."""
        answer = self.client.post(
            f"{self.url}/token/introspection",
            auth=("orders-api", "orders-api-secret-for-tests-alone"),
            data={"token": token},
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def rotate(self, *, keep_old: bool) -> None:
        """Let it sign with new keys.

        Args:
            keep_old: Whether it goes on to publish those of before.
        """
        process = self.program.process
        assert process.stdin is not None
        assert process.stdout is not None
        print("rotate+" if keep_old else "rotate", file=process.stdin, flush=True)
        assert "done\n" == process.stdout.readline()


@contextlib.contextmanager
def provider() -> Iterator[OpenIdProvider]:
    """A provider for the length of a block.

    Raises:
        Missing: If Node.js or the package is not installed.
    """
    node = found("node", "apt-get install nodejs npm (Node.js 20 or newer)")
    if not (FOLDER / "node_modules").is_dir():
        raise Missing("oidc-provider is not installed; run: npm ci --prefix tests/integration/provider")
    program = start("oidc-provider", [node, FOLDER / "server.mjs"], talks=True)
    try:
        assert program.process.stdout is not None
        url = program.process.stdout.readline().strip()
        if not url:
            program.process.wait(5)
            program.check()
        with httpx2.Client(trust_env=False, timeout=10) as client:
            yield OpenIdProvider(url, program, client)
    finally:
        program.stop()
