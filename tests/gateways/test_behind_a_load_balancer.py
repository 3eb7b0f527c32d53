"""Tokens of an AWS load balancer on real servers, which pass on their padding; and whoever is none (Laws 2.7, 3.1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import authgate_core as ag
from authgate_core.clock import SystemClock
from tests.gateways.serving import SERVERS, send
from tests.support.balancers import ARN, CLIENT, ISSUER, FakeBalancer

HEADER = "X-Amzn-Oidc-Data"


@pytest.fixture(scope="module")
def balancer() -> Iterator[FakeBalancer]:
    """A load balancer whose keys are published over real HTTP."""
    with FakeBalancer(SystemClock()) as served:
        yield served


@pytest.fixture(scope="module", params=list(SERVERS))
def port(request: pytest.FixtureRequest, balancer: FakeBalancer) -> Iterator[int]:
    """The application behind it, on each server."""
    gateway = ag.Gateway.alb(ARN, issuer=ISSUER, client_id=CLIENT, keys_url=balancer.keys_url)
    with SERVERS[request.param](ag.GateConfig(gateway=gateway)) as port:
        yield port


class TestOnServers:
    def test_whom_it_signed_in_is_admitted(self, port: int, balancer: FakeBalancer) -> None:
        """By WSGI and by ASGI, wherever it is."""
        status, body = send(port, {HEADER: balancer.token()})
        assert 200 == status
        assert '"u1"' in body

    def test_what_it_says_without_a_signature_is_nobody(self, port: int) -> None:
        """It writes the subject in plain text as well, and so could anyone."""
        assert 401 == send(port, {"X-Amzn-Oidc-Identity": "u1", "X-Amzn-Oidc-Accesstoken": "a.b.c"})[0]

    def test_what_another_one_signed_is_refused(self, port: int, balancer: FakeBalancer) -> None:
        """Though its keys are those of the same region."""
        theirs = balancer.token(header={"signer": ARN.replace("edge", "theirs")})
        assert 401 == send(port, {HEADER: theirs})[0]

    def test_two_of_them_are_malformed(self, port: int, balancer: FakeBalancer) -> None:
        """Joined by the server or not."""
        assert 400 == send(port, [(HEADER, balancer.token()), (HEADER, balancer.token())])[0]
