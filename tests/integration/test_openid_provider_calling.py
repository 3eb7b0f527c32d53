"""Calling other services with tokens of a certified OpenID provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import httpx2
import pytest

import authgate_core as ag
from authgate_core.outbound import ClientSecret, PrivateKeyJWT, ServiceClient
from tests.integration.parts.provider import AUDIENCE, CLIENT, OpenIdProvider
from tests.support.outbound import Callee, calling

SECRET = "billing-secret-for-tests-alone"
RESOURCE = "https://api.example.test/ES256"


@pytest.fixture(name="callee")
def _callee() -> Iterator[Callee]:
    with calling() as callee:
        yield callee


def admitted(openid: OpenIdProvider, callee: Callee) -> ag.Service:
    """Whom a gate at the callee admits by the token that it was shown last."""
    issuer = ag.Issuer.oidc(openid.url, audience=AUDIENCE, service_when=lambda _: True)
    with ag.Gate(ag.GateConfig(issuers=[issuer])) as gate:
        return gate.verify_token(str(callee.shown[-1]).removeprefix("Bearer ")).service


class TestCalling:
    def test_with_a_secret(self, openid: OpenIdProvider, callee: Callee) -> None:
        """Law 11.1: by both libraries and in both colours with one token, which a gate admits."""
        client = ServiceClient(openid.url, credential=ClientSecret("billing", SECRET))
        auth = client.auth(resource=RESOURCE, scopes="orders:read", hosts=callee.url)

        async def without_waiting() -> None:
            async with httpx2.AsyncClient(auth=auth, trust_env=False) as http:
                await http.get(callee.url)
            async with httpx.AsyncClient(auth=auth, trust_env=False) as older:
                await older.get(callee.url)

        for library in (httpx2, httpx):
            with library.Client(auth=auth, trust_env=False) as http:
                http.get(callee.url)
        asyncio.run(without_waiting())

        assert (4, 1) == (len(callee.shown), len(set(callee.shown)))
        service = admitted(openid, callee)
        assert ("billing", ("orders:read",)) == (service.id, service.scopes)

    def test_with_a_key(self, openid: OpenIdProvider, callee: Callee) -> None:
        """RFC 7523: no secret travels."""
        credential = PrivateKeyJWT("billing-jwt", openid.api_key, algorithm="ES256", kid="orders-api-2026")
        client = ServiceClient(openid.url, credential=credential)
        auth = client.auth(resource=RESOURCE, scopes="orders:write", hosts=callee.url)
        with httpx2.Client(auth=auth, trust_env=False) as http:
            http.get(callee.url)

        assert ("orders:write",) == admitted(openid, callee).scopes

    def test_a_secret_that_is_wrong(self, openid: OpenIdProvider) -> None:
        """Law 1.6: it is this service that is refused, and not its caller."""
        client = ServiceClient(openid.url, credential=ClientSecret("billing", "another"))
        with pytest.raises(ag.EndpointRefused, match="credentials are wrong"):
            client.auth(resource=RESOURCE, hosts="api.example.test").header()

    def test_a_client_that_calls_nobody(self, openid: OpenIdProvider) -> None:
        """Law 1.6: the provider knows it, and gives it no token."""
        client = ServiceClient(openid.url, credential=ClientSecret(*CLIENT))
        with pytest.raises(ag.EndpointRefused, match="does not take the request"):
            client.auth(resource=RESOURCE, hosts="api.example.test").header()
