"""docs/how-to/m8.md: every snippet runs as it stands, against a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.documents.test_providers import snippets
from tests.support.valkey import valkey

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "m8.md"
ADA = "7a1c0d6e-2f57-4b5b-9c4e-0123456789ab"
SERVER = "redis://localhost:6379"


@pytest.fixture(name="port", scope="module")
def _port() -> Iterator[int]:
    with valkey() as server:
        yield server.port


@pytest.fixture(name="names")
def _names(port: int) -> Iterator[dict[str, Any]]:
    """What the page has defined, snippet by snippet."""
    with FakeIssuer(audience="orders-api", algorithm="ES256") as fake:
        names: dict[str, Any] = {"fake": fake}
        for snippet in snippets("m8.md"):
            here = snippet.replace(SERVER, f"redis://127.0.0.1:{port}")
            here = here.replace("https://users.example.com/.well-known/jwks.json", fake.jwks_url)
            exec(compile(here.replace("https://users.example.com", fake.url), "snippet", "exec"), names)
        yield names
        names["events"].close()
        names["refresh"].close()
        names["gate"].close()


class TestPage:
    def test_users(self, names: dict[str, Any], port: int, capsys: pytest.CaptureFixture[str]) -> None:
        """A user is admitted by rank, until that is listed, or the user is deleted and forgotten."""
        claims = {"type": "access", "email": "a@b.c", "role": "writer", "iat": time.time() - 9, "jti": "j-1"}
        token = names["fake"].token(ADA, headers={"typ": "JWT"}, **claims)
        gate, client = names["gate"], redis.Redis(port=port)
        assert gate.verify_token(token, ag.any_role("reader")).user.id == ADA
        client.set("jwt:blacklist:j-1", "1")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)
        client.delete("jwt:blacklist:j-1")
        client.publish("user.deleted", f'{{"event_type":"user.deleted","version":"v1","user_id":"{ADA}"}}')
        shown = ""
        until = time.monotonic() + 20
        while not shown and time.monotonic() < until:
            time.sleep(0.01)
            shown = capsys.readouterr().out
        client.close()
        assert f"forget what is kept of {ADA}\n" == shown
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    def test_refresh_tokens(self, names: dict[str, Any]) -> None:
        """The token of the login was used up, and the family ended at the logout."""
        assert names["new"].sub == ADA
        with pytest.raises(ag.TokenRevoked):
            names["refresh"].rotate(names["token"])
