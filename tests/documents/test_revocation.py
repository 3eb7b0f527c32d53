"""The page about revocation: what it shows runs, against a real server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.support.valkey import valkey

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "revocation.md"
FIRST, HEALTH, EVERYWHERE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(name="servers")
def _servers() -> Iterator[list[str]]:
    """The addresses of two servers of Redis."""
    with valkey() as one, valkey() as other:
        yield [f"redis://127.0.0.1:{server.port}" for server in (one, other)]


def pasted(snippet: str, issuer: FakeIssuer, names: dict[str, Any], **servers: str) -> dict[str, Any]:
    """The names that a snippet leaves, with a real issuer and real servers in the places of the page's."""
    for shown, real in {"https://id.example.com": issuer.url, **servers}.items():
        snippet = snippet.replace(shown, real)
    exec(compile(snippet, str(PAGE), "exec"), names)
    return names


class TestSnippets:
    def test_a_gate_that_follows(self, servers: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        """It revokes and refuses, answers from its copy, and shows its health."""
        with FakeIssuer(audience="orders-api") as issuer:
            names = pasted(FIRST, issuer, {}, **{"redis://localhost:6379": servers[0]})
            with ag.Gate(names["config"]) as gate:
                token = issuer.token("u1", exp=int(time.time()) + 600)
                gate.revocations.revoke_token(token)
                with pytest.raises(ag.TokenRevoked):
                    gate.verify_token(token)
            pasted(HEALTH, issuer, names)

        assert "unknown down None 0 None\n" == capsys.readouterr().out

    def test_a_gate_that_revokes_everywhere(self, servers: list[str]) -> None:
        """What it revokes is refused by a gate of either region, which knows its own Redis alone."""
        shown = ["redis://revocations.eu.example.com", "redis://revocations.us.example.com"]
        with FakeIssuer(audience="admin-api") as issuer:
            names = pasted(EVERYWHERE, issuer, {}, **dict(zip(shown, servers, strict=True)))
            token = issuer.token("u1", exp=int(time.time()) + 600)
            with ag.Gate(names["everywhere"]) as gate:
                gate.revocations.revoke_token(token)
            for server in servers:
                region = ag.GateConfig(
                    issuers=names["everywhere"].issuers,
                    revocation=ag.RedisRevocation(f"{server}/0", feed=True),
                )
                with ag.Gate(region) as gate, pytest.raises(ag.TokenRevoked):
                    gate.verify_token(token)
