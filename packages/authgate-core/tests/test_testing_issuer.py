import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest

from authgate_core.testing import FakeIssuer
from authgate_core.testing.server import Answer, Asked, LoopbackServer

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    """An issuer on loopback."""
    with FakeIssuer(audience="orders-api") as served:
        yield served


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    """A client that keeps its connections."""
    with httpx2.Client(trust_env=False, timeout=10) as made:
        yield made


def until(condition: Callable[[], bool]) -> None:
    """Give other threads up to ten seconds to make something true."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class TestServing:
    def test_tokens_verify_over_real_http(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """PyJWT, knowing only the address, accepts what the issuer signs."""
        discovery = client.get(issuer.discovery_url).json()
        keys = jwt.PyJWKSet.from_dict(client.get(discovery["jwks_uri"]).json())
        token = issuer.token("u1", scope="read")
        claims = jwt.decode(
            token, keys[issuer.kid], algorithms=["RS256"], audience="orders-api", issuer=discovery["issuer"]
        )
        assert "u1" == claims["sub"]

    def test_discovery_names_the_issuer_and_its_keys(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """OpenID Connect Discovery section 3, as far as an API reads it."""
        issuer.rotate(algorithm="ES256")
        assert {
            "issuer": issuer.url,
            "jwks_uri": issuer.jwks_url,
            "introspection_endpoint": issuer.introspection_url,
            "token_endpoint": issuer.token_url,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        } == client.get(f"{issuer.url}{DISCOVERY}").json()

    def test_serves_the_keys_of_now(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """Rotating and dropping show at the next request."""
        issuer.rotate()
        assert issuer.jwks() == client.get(issuer.jwks_url).json()
        issuer.drop_key("key-1")
        assert ["key-2"] == [key["kid"] for key in client.get(issuer.jwks_url).json()["keys"]]

    def test_other_paths_are_not_found(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """There is nothing else to see."""
        assert 404 == client.get(f"{issuer.url}/authorize").status_code

    def test_listens_on_loopback_only(self, issuer: FakeIssuer) -> None:
        """Nobody else on the network sees it."""
        assert issuer.url.startswith("http://127.0.0.1:")

    def test_a_name_of_its_own(self, client: httpx2.Client) -> None:
        """With ``url`` given, tokens and discovery say that name, wherever it is served."""
        with FakeIssuer(url="https://id.example.com") as issuer:
            assert "https://id.example.com" == client.get(issuer.discovery_url).json()["issuer"]
            assert issuer.jwks_url == client.get(issuer.discovery_url).json()["jwks_uri"]
            assert issuer.jwks_url.startswith("http://127.0.0.1:")

    def test_works_unserved(self) -> None:
        """Tokens and the key set need no server."""
        issuer = FakeIssuer(audience="orders-api")
        key = jwt.PyJWKSet.from_dict(issuer.jwks())[issuer.kid]
        assert jwt.decode(issuer.token(), key, algorithms=["RS256"], audience="orders-api", issuer=issuer.url)

    def test_starting_twice_is_starting_once(self, issuer: FakeIssuer) -> None:
        """The address stays."""
        assert issuer.url == issuer.start().url

    def test_from_an_event_loop(self, issuer: FakeIssuer) -> None:
        """Async tests use it as it is."""

        async def fetch() -> int:
            async with httpx2.AsyncClient(trust_env=False) as client:
                return (await client.get(issuer.jwks_url)).status_code

        assert 200 == asyncio.run(fetch())


class TestStopping:
    def test_leaves_no_thread_behind(self, client: httpx2.Client) -> None:
        """A kept connection does not keep its thread."""
        before = set(threading.enumerate())
        with FakeIssuer() as issuer:
            client.get(issuer.jwks_url)
            assert set() != set(threading.enumerate()) - before
        assert set() == set(threading.enumerate()) - before

    def test_does_not_wait_for_a_held_request(self) -> None:
        """A hung handler is cut; its client gets no answer."""
        issuer = FakeIssuer().start()
        issuer.slow(600)
        with ThreadPoolExecutor(1) as threads:
            held = threads.submit(httpx2.get, issuer.jwks_url, timeout=30, trust_env=False)
            until(lambda: 1 == issuer.hits["/jwks"])
            issuer.stop()
            assert isinstance(held.exception(timeout=10), httpx2.RemoteProtocolError | httpx2.ReadError)

    def test_does_not_wait_for_a_client_that_does_not_read(self, issuer: FakeIssuer) -> None:
        """A body that never ends is cut as well."""

        def endless() -> Iterator[bytes]:
            while True:
                yield b" " * 65536

        issuer.answer(endless())
        with httpx2.stream("GET", issuer.jwks_url, trust_env=False):
            issuer.stop()
        assert not [thread for thread in threading.enumerate() if "authgate" in thread.name]

    def test_twice_is_once(self) -> None:
        """Also when it never ran."""
        issuer = FakeIssuer()
        issuer.stop()
        issuer.start()
        issuer.stop()
        issuer.stop()

    def test_comes_back_at_the_same_address(self, client: httpx2.Client) -> None:
        """A restarted issuer is the same issuer."""
        with FakeIssuer() as issuer:
            address = issuer.url
        with pytest.raises(httpx2.ConnectError):
            client.get(issuer.jwks_url)
        with issuer:
            assert (address, 200) == (issuer.url, client.get(issuer.jwks_url).status_code)


class TestControls:
    @pytest.mark.parametrize("status", [404, 429, 503])
    def test_outage_with_a_status(self, issuer: FakeIssuer, client: httpx2.Client, status: int) -> None:
        """Every path answers it until recovery."""
        issuer.outage(status)
        assert [status, status] == [
            client.get(url).status_code for url in (issuer.jwks_url, issuer.discovery_url)
        ]
        issuer.recover()
        assert 200 == client.get(issuer.jwks_url).status_code

    def test_outage_by_refusal(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """Kept connections are cut, new ones refused, and recovery is at the same address."""
        assert 200 == client.get(issuer.jwks_url).status_code
        address = issuer.url
        issuer.outage(None)
        for _ in range(3):
            with pytest.raises(httpx2.ConnectError):
                client.get(issuer.jwks_url)
        issuer.outage(None)
        issuer.recover()
        assert (address, 200) == (issuer.url, client.get(issuer.jwks_url).status_code)

    def test_outage_before_the_start(self, client: httpx2.Client) -> None:
        """Law 4.12: an app starts while its issuer is down; the address is known before."""
        issuer = FakeIssuer()
        issuer.outage(None)
        address = issuer.url
        with pytest.raises(httpx2.ConnectError):
            client.get(issuer.jwks_url)
        with issuer:
            assert (address, 200) == (issuer.url, client.get(issuer.jwks_url).status_code)

    def test_stopping_during_a_refusal_frees_the_port(self) -> None:
        """Nothing is left open."""
        issuer = FakeIssuer().start()
        issuer.outage(None)
        issuer.stop()
        issuer.recover()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(issuer.jwks_url, trust_env=False)

    def test_slow_answers_late(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """The answer is the truth, not before its time."""
        issuer.slow(0.2)
        began = time.monotonic()
        assert issuer.jwks() == client.get(issuer.jwks_url).json()
        assert time.monotonic() - began >= 0.2

    def test_recovery_answers_what_is_held(self, issuer: FakeIssuer) -> None:
        """So a test can hold requests until all of them wait."""
        issuer.slow(600)
        with ThreadPoolExecutor(8) as threads:
            held = [
                threads.submit(httpx2.get, issuer.jwks_url, timeout=30, trust_env=False) for _ in range(8)
            ]
            until(lambda: 8 == issuer.hits["/jwks"])
            assert not any(request.done() for request in held)
            issuer.recover()
            assert [200] * 8 == [request.result(timeout=10).status_code for request in held]

    def test_slow_and_broken_at_once(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """One control does not end another."""
        issuer.slow(0.1)
        issuer.outage(500)
        began = time.monotonic()
        assert 500 == client.get(issuer.jwks_url).status_code
        assert time.monotonic() - began >= 0.1

    def test_html(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """An error page with status 200."""
        issuer.html()
        reply = client.get(issuer.jwks_url)
        assert (200, "text/html; charset=utf-8") == (reply.status_code, reply.headers["content-type"])
        assert reply.text.startswith("<!doctype html>")

    def test_empty_keys(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """A valid document; discovery goes on."""
        issuer.empty_keys()
        assert {"keys": []} == client.get(issuer.jwks_url).json()
        assert issuer.url == client.get(issuer.discovery_url).json()["issuer"]

    def test_any_answer(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """Redirects, garbage and pieces are one call each."""
        issuer.answer([b"[1", b",2]"], status=302, headers=[("Location", "/elsewhere")], paths=["/jwks"])
        reply = client.get(issuer.jwks_url)
        assert (302, "/elsewhere", b"[1,2]") == (reply.status_code, reply.headers["location"], reply.content)
        assert "content-length" not in reply.headers

    def test_max_age(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """The header is sent with the documents while asked for."""
        assert "cache-control" not in client.get(issuer.jwks_url).headers
        issuer.max_age(120)
        assert "max-age=120" == client.get(issuer.jwks_url).headers["cache-control"]
        issuer.max_age(None)
        assert "cache-control" not in client.get(issuer.discovery_url).headers


class TestHits:
    def test_count_exactly_under_threads(self, issuer: FakeIssuer) -> None:
        """No request is missed or counted twice."""
        with ThreadPoolExecutor(16) as threads, httpx2.Client(trust_env=False, timeout=30) as client:
            urls = [issuer.jwks_url, f"{issuer.discovery_url}?again"] * 100
            assert {200} == {reply.status_code for reply in threads.map(client.get, urls)}
        assert {"/jwks": 100, DISCOVERY: 100} == issuer.hits

    def test_count_failures_too(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """A request that is refused with a status has arrived; one to a closed port has not."""
        issuer.outage(503)
        client.get(issuer.jwks_url)
        issuer.outage(None)
        with pytest.raises(httpx2.ConnectError):
            client.get(issuer.jwks_url)
        assert {"/jwks": 1} == issuer.hits

    def test_are_a_copy(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """What a test holds does not change behind its back; what never came is 0."""
        before = issuer.hits
        client.get(issuer.jwks_url)
        assert (0, 1) == (before["/jwks"], issuer.hits["/jwks"])

    def test_reset(self, issuer: FakeIssuer, client: httpx2.Client) -> None:
        """Counting begins again."""
        client.get(issuer.jwks_url)
        issuer.reset_hits()
        assert {} == issuer.hits


class TestConcurrency:
    def test_rotating_under_load_never_breaks_a_document(self, issuer: FakeIssuer) -> None:
        """Every answer is a whole key set of some moment, and the first key is in all of them."""
        stop = threading.Event()

        def rotate() -> None:
            while not stop.is_set():
                issuer.drop_key(issuer.rotate(algorithm="ES256"))

        rotating = threading.Thread(target=rotate)
        rotating.start()
        with ThreadPoolExecutor(4) as threads, httpx2.Client(trust_env=False, timeout=30) as client:
            sets = [reply.json()["keys"] for reply in threads.map(client.get, [issuer.jwks_url] * 100)]
        stop.set()
        rotating.join()
        assert all("key-1" == keys[0]["kid"] for keys in sets)


class TestServerItself:
    def test_a_mistake_in_an_answer_is_seen(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A test that makes the server fail learns why, and its client gets no answer."""

        def respond(asked: Asked) -> Answer:
            raise LookupError(asked.path)

        server = LoopbackServer(respond)
        server.start()
        with pytest.raises(httpx2.RemoteProtocolError):
            httpx2.get(f"{server.url}/mistake", trust_env=False)
        server.stop()
        assert "LookupError: /mistake" in capfd.readouterr().err


class TestReadme:
    @pytest.fixture
    def examples(self) -> list[str]:
        """What the README of this package shows."""
        text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
        return re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    def test_its_test_passes(self, examples: list[str]) -> None:
        """The test that it shows passes as it stands."""
        (example,) = [block for block in examples if "FakeIssuer" in block]
        names: dict[str, Any] = {}
        exec(compile(example, "README.md", "exec"), names)
        names["test_readers_get_in_and_forgers_do_not"]()

    def test_its_stand_in_is_let_in(self, examples: list[str]) -> None:
        """So does the gate for tests."""
        (example,) = [block for block in examples if "gate_for_tests" in block]
        names: dict[str, Any] = {}
        exec(compile(example, "README.md", "exec"), names)
        names["gate"].close()


class TestImport:
    def test_needs_no_pytest(self) -> None:
        """A demo or an example imports the issuer where no test runner is installed."""
        program = "import sys, authgate_core.testing; sys.exit('pytest' in sys.modules)"
        assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode

    def test_exports_what_works(self) -> None:
        """``__all__`` is sorted, and each name in it is there and documented."""
        from authgate_core import testing

        assert sorted(testing.__all__) == testing.__all__
        assert all(getattr(testing, name).__doc__ for name in testing.__all__)
