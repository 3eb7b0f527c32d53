"""The page about API keys: pasted as it stands, each example does what the page says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core.api_keys import MintedKey, mint_key
from tests.support.valkey import valkey

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "api-keys.md"


def blocks(language: str) -> list[str]:
    """The examples in a language, without what they are indented by."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def run(text: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run an example among the names of those before it."""
    exec(compile(text, str(PAGE), "exec"), names)
    return names


@pytest.fixture
def minted() -> MintedKey:
    """A key for the file."""
    return mint_key("shop")


@pytest.fixture
def names(minted: MintedKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the first example leaves, with the file of the page and a key of our own in it."""
    (table,) = blocks("toml")
    table = re.sub(r"^\[\w+\]", f"[{minted.id}]", table)
    (tmp_path / "keys.toml").write_text(re.sub(r'"sha256:.*?"', f'"{minted.secret_hash}"', table))
    monkeypatch.chdir(tmp_path)
    return run(blocks("python")[0], {})


class TestFile:
    def test_the_table_is_one(self) -> None:
        """What the page shows can be read as it stands."""
        import tomllib

        (table,) = blocks("toml")
        assert [] == ag.ApiKeys.static(tomllib.loads(table), prefix="shop").problems("sync")

    def test_flask(self, names: dict[str, Any], minted: MintedKey) -> None:
        """A view sees whose key it is."""
        client = run(blocks("python")[1], names)["app"].test_client()
        answer = client.get("/orders", headers={"X-API-Key": minted.key.reveal()})
        assert {"owner": "u1", "key": f"shop_{minted.id}"} == answer.get_json()
        assert 401 == client.get("/orders").status_code

    def test_fastapi(self, names: dict[str, Any], minted: MintedKey) -> None:
        """An endpoint sees whose key it is."""
        with TestClient(run(blocks("python")[2], names)["api"]) as client:
            answer = client.get("/orders", headers={"Authorization": f"ApiKey {minted.key.reveal()}"})
            assert {"owner": "u1", "key": f"shop_{minted.id}"} == answer.json()
            assert 401 == client.get("/orders").status_code

    def test_tests_of_an_application(self, names: dict[str, Any]) -> None:
        """A key stands in where the page says so."""
        assert "k1" == run(blocks("python")[6], names)["admission"].api_key.id


class TestRedis:
    def test_a_key_is_minted_and_removed(self) -> None:
        """The four calls work on a real server."""
        with valkey() as server:
            text = blocks("python")[3].replace("localhost:6379", f"127.0.0.1:{server.port}")
            found = run(text, {"ag": ag})
            gate, minted = found["gate"], found["minted"]
            with pytest.raises(ag.InvalidApiKey):
                gate.admit(ag.RequestView("GET", "/", {"x-api-key": minted.key.reveal()}), ag.is_api_key)
            gate.close()

    def test_async_gates_await_them(self) -> None:
        """The page says that they are awaited."""

        async def minted(url: str) -> float | None:
            async with ag.AsyncGate(ag.GateConfig(api_keys=ag.ApiKeys.redis(url))) as gate:
                key = await gate.api_keys.mint()
                await gate.api_keys.remove(key.id)
                return await gate.api_keys.last_used(key.id)

        with valkey() as server:
            assert asyncio.run(minted(f"redis://127.0.0.1:{server.port}/0")) is None


class TestAuthService:
    def test_a_gate_is_built(self) -> None:
        """Pasted as it stands, a gate starts with it and takes the policy of the page."""
        with ag.Gate(run(blocks("python")[4], {"ag": ag})["service"]) as gate:
            (condition,) = re.findall(r"`(ag\.check\(.*?\))`", PAGE.read_text())
            gate.check_policy(ag.is_api_key & eval(condition))


class TestStoreOfOnesOwn:
    def test_it_admits_its_keys_and_no_others(self) -> None:
        """The table answers for the key that was minted into it."""
        found = run(blocks("python")[5], {})
        with ag.Gate(found["own"]) as gate:
            request = ag.RequestView("GET", "/", {"x-api-key": found["new"].key.reveal()})
            assert "u1" == gate.admit(request, ag.is_api_key).api_key.owner_id
            with pytest.raises(ag.InvalidApiKey):
                gate.admit(
                    ag.RequestView("GET", "/", {"x-api-key": mint_key("shop").key.reveal()}), ag.is_api_key
                )
