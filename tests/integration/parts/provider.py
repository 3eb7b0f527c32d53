"""npm's oidc-provider, a certified OpenID provider, as a process of its own."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from .certificates import pem, self_signed
from .programs import Missing, Program, found, start

__all__ = ["ALGORITHMS", "AUDIENCE", "CLIENT", "FOLDER", "OpenIdProvider", "provider"]

FOLDER: Final = Path(__file__).parents[1] / "provider"
AUDIENCE: Final = "orders-api"
CLIENT: Final = (AUDIENCE, "orders-api-secret-for-tests-alone")
"""Whom the provider tells about tokens."""
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""What it signs access tokens with."""

_RESOURCES: Final = "https://api.example.test/"


@dataclass(slots=True)
class OpenIdProvider:
    """A provider that is running.

    Args:
        url: Its issuer.
        tls_url: The same behind TLS, where clients show certificates.
        program: The process.
        client: What it is asked with.
        api_key: The private key of the clients ``orders-api-jwt`` and ``billing-jwt``, as PEM.
    """

    url: str
    tls_url: str
    program: Program
    client: httpx2.Client
    api_key: str

    def token(self, kind: str, scope: str = "orders:read") -> str:
        """A token of the client ``billing``: signed with an algorithm, or ``opaque``."""
        return self.bound_token("billing", kind, scope)

    def bound_token(
        self,
        client_id: str,
        kind: str,
        scope: str = "orders:read",
        *,
        proof: str | None = None,
        certificate: ssl.SSLContext | None = None,
    ) -> str:
        """A token of a client, bound to a key where there is one.

        Args:
            client_id: The client.
            kind: The algorithm that it is signed with, or ``opaque``.
            scope: What is asked for.
            proof: A DPoP proof for the token endpoint (RFC 9449).
            certificate: What the client shows its certificate with (RFC 8705).
        """
        form = {"grant_type": "client_credentials", "scope": scope, "resource": _RESOURCES + kind}
        headers = {} if proof is None else {"DPoP": proof}
        auth = (client_id, f"{client_id}-secret-for-tests-alone")
        if certificate is None:
            answer = self.client.post(self.token_url, auth=auth, data=form, headers=headers)
        else:
            with httpx2.Client(trust_env=False, timeout=10, verify=certificate) as client:
                answer = client.post(f"{self.tls_url}/token", auth=auth, data=form, headers=headers)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    @property
    def token_url(self) -> str:
        """Where tokens are got."""
        return f"{self.url}/token"

    @property
    def introspection_url(self) -> str:
        """Where tokens are asked about."""
        return f"{self.url}/token/introspection"

    def introspect(self, token: str) -> dict[str, Any]:
        """What it answers the resource server ``orders-api`` about a token."""
        answer = self.client.post(
            self.introspection_url,
            auth=CLIENT,
            data={"token": token},
        )
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def revoke(self, token: str) -> None:
        """Have its client withdraw an opaque token (RFC 7009)."""
        answer = self.client.post(
            f"{self.url}/token/revocation",
            auth=("billing", "billing-secret-for-tests-alone"),
            data={"token": token},
        )
        answer.raise_for_status()

    def rotate(self, *, keep_old: bool) -> None:
        """Let it sign with new keys.

        Args:
            keep_old: Whether it goes on to publish those of before.
        """
        _say(self.program, "rotate+" if keep_old else "rotate")
        assert "done" == _hear(self.program)


@contextlib.contextmanager
def provider() -> Iterator[OpenIdProvider]:
    """A provider for the length of a block.

    Raises:
        Missing: If Node.js or the package is not installed.
    """
    node = found("node", "apt-get install nodejs npm (Node.js 20 or newer)")
    if not (FOLDER / "node_modules").is_dir():
        raise Missing("oidc-provider is not installed; run: npm ci --prefix tests/integration/provider")
    server = self_signed("127.0.0.1")
    signing = ec.generate_private_key(ec.SECP256R1())
    jwk = json.loads(ECAlgorithm.to_jwk(signing.public_key())) | {"kid": "orders-api-2026", "use": "sig"}
    program = start("oidc-provider", [node, FOLDER / "server.mjs"], talks=True)
    try:
        _say(program, json.dumps({"certificate": server.certificate, "key": server.key, "client": jwk}))
        url, tls_url = _hear(program).split()
        with httpx2.Client(trust_env=False, timeout=10) as client:
            yield OpenIdProvider(url, tls_url, program, client, pem(signing))
    finally:
        program.stop()


def _say(program: Program, line: str) -> None:
    assert program.process.stdin is not None
    print(line, file=program.process.stdin, flush=True)


def _hear(program: Program) -> str:
    """The next line that a program writes; RuntimeError if it ends instead."""
    assert program.process.stdout is not None
    line = program.process.stdout.readline().strip()
    if not line:
        program.process.wait(5)
        program.check()
    return line
