"""A WSGI server with few threads, while somebody floods it with keys that nobody knows (Laws 4.4, 4.5 and 4.10)."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from authgate_core import Gate, GateConfig, Issuer, is_user
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_user, requires

THREADS = 4


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


@pytest.fixture(name="gate")
def _gate(issuer: FakeIssuer) -> Iterator[Gate]:
    """Warm when the test begins."""
    trusted = Issuer.jwks(issuer.jwks_url, issuer=issuer.url, audience=issuer.audience)
    with Gate(GateConfig(issuers=[trusted])) as gate:
        gate.warm_up()
        yield gate


@pytest.fixture(name="ask")
def _ask(gate: Gate) -> Iterator[Callable[[str], tuple[int, bytes]]]:
    """Send a token to an application behind waitress."""
    app, sockets = Flask("orders"), dict[int, object]()
    AuthGate(app, gate=gate)
    app.add_url_rule("/", view_func=requires(is_user)(lambda: current_user.id))
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=THREADS)
    running = threading.Thread(target=server.run)
    running.start()

    def ask(token: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.effective_port, timeout=10)
        try:
            connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        finally:
            connection.close()

    yield ask
    server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
    running.join(timeout=10)
    assert not running.is_alive()
    server.task_dispatcher.shutdown()


class TestSaturated:
    def test_known_keys_never_wait_for_unknown_ones(
        self, issuer: FakeIssuer, gate: Gate, ask: Callable[[str], tuple[int, bytes]]
    ) -> None:
        """Law 4.10: while the issuer holds the fetch that a flood has begun, four threads serve everyone else."""
        issuer.slow(60)
        flood = [issuer.token("stranger", kid=f"made-up-{number}") for number in range(40)]
        known = [issuer.token(f"u{number}") for number in range(40)]

        with ThreadPoolExecutor(24) as callers:
            strangers = [callers.submit(ask, token) for token in flood]
            friends = [callers.submit(ask, token) for token in known]
            answers = [friend.result() for friend in friends]
            is_fetching = bool(gate._refresher._flights)
            refused = {stranger.result()[0] for stranger in strangers}

        assert [(200, f"u{number}".encode()) for number in range(40)] == answers
        assert is_fetching
        assert {401} == refused
        assert 2 == issuer.hits["/jwks"]

    def test_an_issuer_that_is_gone_holds_no_thread(
        self, issuer: FakeIssuer, ask: Callable[[str], tuple[int, bytes]]
    ) -> None:
        """Law 4.4: whoever has a known key comes in, whoever has none is answered at once, for as long as it lasts."""
        issuer.outage(None)
        tokens = [issuer.token("u1", kid=kid) for kid in (issuer.kid, "made-up") for _ in range(40)]

        with ThreadPoolExecutor(24) as callers:
            statuses = [status for status, _ in callers.map(ask, tokens)]

        assert [200] * 40 + [401] * 40 == statuses
