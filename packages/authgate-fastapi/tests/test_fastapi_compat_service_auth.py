"""How the older FastAPI client had services call each other, over authgate's own client."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from authgate_core import ConfigurationError, EndpointUnavailable
from authgate_core.config.service import read_service
from authgate_core.outbound import ServiceClient
from authgate_core.testing.server import Answer, Asked, LoopbackServer
from authgate_fastapi.compat.auth_gate import ServiceAuthClient

SETTINGS = {
    "KEYCLOAK_REALM_URL": "https://id.example.com/realms/shop/",
    "SERVICE_CLIENT_ID": "orders",
    "SERVICE_CLIENT_SECRET": "the-secret-of-orders",
}


class TestServiceAuthClient:
    def test_the_whole_header(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From the variables that it read, of the realm's token endpoint; once for all who ask, each by its own."""
        asked: list[Asked] = []

        def respond(request: Asked) -> Answer:
            asked.append(request)
            return Answer(
                json.dumps({"access_token": "t1", "token_type": "Bearer", "expires_in": 60}).encode()
            )

        realm = LoopbackServer(respond)
        realm.start()
        for name, value in {**SETTINGS, "KEYCLOAK_REALM_URL": f"{realm.url}/realms/shop"}.items():
            monkeypatch.setenv(name, value)

        async def scenario() -> list[str]:
            client = ServiceAuthClient()
            return [
                await client.get_service_token(),
                await client.get_service_token(),
                await ServiceAuthClient().get_service_token(),
            ]

        try:
            assert ["Bearer t1"] * 3 == asyncio.run(scenario())
        finally:
            realm.stop()
        (request,) = asked
        assert "/realms/shop/protocol/openid-connect/token" == request.path
        assert {"grant_type": ["client_credentials"]} == parse_qs(request.body.decode())
        assert request.headers["authorization"].startswith("Basic ")

    def test_a_client_of_your_own(self) -> None:
        """Then no variable is read."""
        own = ServiceClient("https://127.0.0.1:1", client_id="a", credential="s", timeout=1)
        with pytest.raises(EndpointUnavailable):
            asyncio.run(ServiceAuthClient(own).get_service_token())

    def test_what_the_environment_lacks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """All of it is said at once (Law 1.6)."""
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(ConfigurationError) as caught:
            ServiceAuthClient()
        assert all(name in str(caught.value) for name in SETTINGS)


class TestSettings:
    @pytest.mark.parametrize(("said", "seconds"), [(None, 5), ("", 5), ("2.5", 2.5), ("10", 5), ("0", 0.01)])
    def test_a_limit_is_only_ever_lowered(self, said: Any, seconds: float) -> None:
        """Law 4.9."""
        assert seconds == read_service({**SETTINGS, "HTTP_TIMEOUT": said}).timeout

    @pytest.mark.parametrize("said", ["soon", "-1", "nan"])
    def test_a_limit_that_is_none(self, said: str) -> None:
        """Law 1.6."""
        with pytest.raises(ConfigurationError, match="HTTP_TIMEOUT: "):
            read_service({**SETTINGS, "HTTP_TIMEOUT": said})

    def test_nothing_shows_the_secret(self) -> None:
        """Law 2.5."""
        settings = read_service(SETTINGS)
        assert "https://id.example.com/realms/shop" == settings.realm_url
        assert "the-secret-of-orders" not in repr(settings)
