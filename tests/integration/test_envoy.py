"""authgate behind a real Envoy, which verifies tokens and signs whose they were (RFC 9421)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx2
import pytest
from fastapi import FastAPI, Request
from flask import Flask, request

import authgate_core as ag
import authgate_fastapi as af
import authgate_flask as afl
from demo.serving import serve_asgi, serve_wsgi
from tests.integration.parts.gateways import KEY, KEYID, ORIGIN, envoy
from tests.integration.parts.provider import AUDIENCE, OpenIdProvider

SPOOFED = {
    "X-User-Id": "root",
    "X_User_Id": "root",
    "X-Service-Roles": "admin",
    "X-Token-Verified": "true",
    "Signature": "gateway=:bm9ib2R5:",
}


Headers: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True)
class House:
    """An application on a server, and an Envoy in front of it.

    Args:
        client: What they are asked with.
        door: The address of Envoy.
        behind: The address of the application itself.
    """

    client: httpx2.Client
    door: str
    behind: str

    def orders(self, token: str, **options: Any) -> httpx2.Response:
        """What Envoy answers to who brings a token."""
        headers = {"Authorization": f"Bearer {token}", **SPOOFED}
        return self.client.request(
            options.pop("method", "GET"), f"{self.door}/orders?x=1", headers=headers, **options
        )


def config() -> ag.GateConfig:
    """A gate that believes what Envoy signs, and nothing else."""
    return ag.GateConfig(gateway=ag.Gateway.signed({KEYID: ag.Secret(KEY)}, origin=ORIGIN))


def on_flask() -> AbstractContextManager[str]:
    """An application on waitress; what it is asked with it shows."""
    app = Flask("orders", static_folder=None)
    afl.AuthGate(app, config=config(), default=ag.is_service)

    @app.route("/orders", methods=["GET", "POST"])
    def orders() -> dict[str, Any]:
        return {"by": afl.current_service.id, "may": afl.current_service.scopes, "sent": [*request.headers]}

    return serve_wsgi(app)


def on_fastapi() -> AbstractContextManager[str]:
    """The same on uvicorn."""
    app = FastAPI()
    af.AuthGate(app, config=config())

    @app.api_route("/orders", methods=["GET", "POST"])
    async def orders(request: Request, service: af.CurrentService) -> dict[str, Any]:
        return {"by": service.id, "may": service.scopes, "sent": [*request.headers.items()]}

    return serve_asgi(app)


@pytest.fixture(scope="module", params=[on_flask, on_fastapi])
def house(request: pytest.FixtureRequest, openid: OpenIdProvider) -> Iterator[House]:
    """An application on a server of either kind, behind Envoy."""
    served: Callable[[], AbstractContextManager[str]] = request.param
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(served())
        door = stack.enter_context(envoy(behind, openid.url, AUDIENCE))
        yield House(stack.enter_context(httpx2.Client(trust_env=False, timeout=10)), door, behind)


@pytest.fixture(scope="module")
def tap(openid: OpenIdProvider) -> Iterator[str]:
    """The address of an Envoy behind which somebody shows what Envoy has written."""
    app = FastAPI()

    @app.get("/orders")
    async def show(request: Request) -> list[tuple[str, str]]:
        return request.headers.items()

    with serve_asgi(app) as behind, envoy(behind, openid.url, AUDIENCE) as door:
        yield door


@pytest.fixture
def written(tap: str, openid: OpenIdProvider) -> Headers:
    """What Envoy has written about a request that never arrived: fresh, and good once."""
    headers = {"Authorization": f"Bearer {openid.token('RS256')}"}
    sent = httpx2.get(f"{tap}/orders?x=1", headers=headers, trust_env=False, timeout=10).json()
    return [(name, value) for name, value in sent if name.startswith(("x-", "signature"))]


class TestThroughEnvoy:
    def test_whose_the_token_is_arrives(self, house: House, openid: OpenIdProvider) -> None:
        """Law 2.7: the application knows the service and its scopes, whatever else the caller says of themselves."""
        answer = house.orders(openid.token("RS256")).json()

        assert ("billing", ["orders:read"]) == (answer["by"], answer["may"])
        assert {"x-user-id", "authorization"}.isdisjoint(name.lower() for name, _ in answer["sent"])

    def test_a_body_arrives_with_its_digest(self, house: House, openid: OpenIdProvider) -> None:
        """Law 2.8: Envoy signs the digest of a body, so one that it has seen is read."""
        answer = house.orders(openid.token("ES256"), method="POST", content=b"an order")

        assert 200 == answer.status_code

    def test_no_token_does_not_arrive(self, house: House) -> None:
        """Whoever presents nothing is refused by Envoy."""
        assert 401 == house.client.get(f"{house.door}/orders", headers=SPOOFED).status_code


class TestAroundEnvoy:
    def test_unsigned_headers_are_nobody(self, house: House) -> None:
        """Law 2.7: who reaches the application itself is nobody, whatever the headers say."""
        headers = {"X-Token-Verified": "true", "X-Service-Name": "billing", "X-Service-Authenticated": "true"}

        assert 401 == house.client.get(f"{house.behind}/orders?x=1", headers=headers).status_code

    def test_what_envoy_signed_is_good_once(self, house: House, written: Headers) -> None:
        """Law 2.8: the very request is let in, and refused when it comes again."""
        answers = [house.client.get(f"{house.behind}/orders?x=1", headers=written) for _ in range(2)]

        assert [200, 401] == [answer.status_code for answer in answers]

    @pytest.mark.parametrize(
        ("method", "target", "body"),
        [("POST", "/orders?x=1", b""), ("GET", "/orders?x=2", b""), ("GET", "/orders?x=1", b"an order")],
    )
    def test_what_envoy_signed_is_good_for_that_request(
        self, house: House, written: Headers, method: str, target: str, body: bytes
    ) -> None:
        """Law 2.8: with another method, query or body it is refused."""
        answer = house.client.request(method, house.behind + target, headers=written, content=body)

        assert 401 == answer.status_code

    def test_one_more_role_is_not_signed(self, house: House, written: Headers) -> None:
        """Law 2.8: a header that somebody adds on the way is not covered, so the request is refused."""
        more = [*written, ("X-Service-Roles", "admin")]

        assert 401 == house.client.get(f"{house.behind}/orders?x=1", headers=more).status_code
