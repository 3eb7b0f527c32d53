"""docs/how-to/calling-other-services.md and background-workers.md: every snippet runs as it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.documents.test_providers import snippets
from tests.support.gates import bearer, view
from tests.support.outbound import Callee, calling

HOSTS = ("billing", "stock", "reviews", "mercury", "partner")


@pytest.fixture(name="callee")
def _callee() -> Iterator[Callee]:
    with calling() as callee:
        yield callee


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        issuer.desk.clients |= {"orders": "the-secret-of-orders", "worker": "the-secret-of-the-worker"}
        yield issuer


def pasted(page: str, issuer: FakeIssuer, callee: Callee) -> dict[str, Any]:
    """What a page defines, with real servers in the places of the examples'."""
    names: dict[str, Any] = {}
    for snippet in snippets(page):
        here = snippet.replace("https://id.example.com", issuer.url)
        for host in HOSTS:
            here = here.replace(f"https://{host}.example.com", callee.url)
        exec(compile(here, page, "exec"), names)
    return names


def admitted(issuer: FakeIssuer, token: str) -> ag.Admission:
    """Whom a gate lets in by a token."""
    config = ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience="orders-api")])
    with ag.Gate(config) as gate:
        return gate.admit(view(bearer(token)), ag.is_user)


class TestCallingOtherServices:
    def test_every_snippet(self, issuer: FakeIssuer, callee: Callee) -> None:
        """In its own name, for the caller, and with the caller's token; each by the token that the page says."""
        names = pasted("calling-other-services.md", issuer, callee)
        token = issuer.token("u1")
        admission = admitted(issuer, token)

        assert 200 == names["bill"]("o1") == asyncio.run(names["bill_later"]("o2"))
        assert 200 == names["orders_of"](admission) == names["reviews_of"](admission)

        own, again, acting, relayed = callee.shown
        assert own == again == f"Bearer {issuer.grants.issued[0]}"
        assert acting == f"Bearer {issuer.grants.issued[1]}"
        assert relayed == f"Bearer {token}"
        assert {"stock.example.org"} == {
            host for _, host, port in names["stock"]._origins.names if port == 8443
        }

    def test_what_is_raised(self, issuer: FakeIssuer, callee: Callee) -> None:
        """The table: each row is what becomes of it."""
        names = pasted("calling-other-services.md", issuer, callee)
        issuer.outage(500)
        with pytest.raises(ag.EndpointUnavailable):
            names["bill"]("o1")
        issuer.recover()
        issuer.desk.clients.clear()
        with pytest.raises(ag.EndpointRefused):
            names["stock"].header()
        assert (503, 503, 401) == (
            ag.EndpointUnavailable.status,
            ag.EndpointRefused.status,
            ag.TokenInactive.status,
        )


class TestBackgroundWorkers:
    def test_every_snippet(self, issuer: FakeIssuer, callee: Callee) -> None:
        """A token that came with a job, the worker's own name, and somebody who is not there."""
        names = pasted("background-workers.md", issuer, callee)

        assert "u1" == names["handle"](issuer.token("u1", scope="orders:read"))
        assert 200 == names["send_invoice"]("o1")
        assert 200 == names["export"](issuer.grants.refresh_token("u7"))
        assert {"Authorization": callee.shown[0]} == names["header"]()
        names["gate"].close()

    def test_a_session_that_is_over(self, issuer: FakeIssuer, callee: Callee) -> None:
        """Only a new login helps."""
        names = pasted("background-workers.md", issuer, callee)
        refresh_token = issuer.grants.refresh_token("u7")
        issuer.grants.end_session("u7")
        with pytest.raises(ag.TokenInactive):
            names["export"](refresh_token)
