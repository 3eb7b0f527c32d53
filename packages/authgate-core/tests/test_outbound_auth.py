"""Calls of other services over real HTTP: httpx2 and httpx, with and without async (Law 11.1)."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import httpx
import httpx2
import pytest

import authgate_core as ag
from authgate_core.outbound import ClientSecret, ServiceClient, TokenWithheld, relay
from authgate_core.testing import FakeIssuer
from tests.support.gates import bearer, view
from tests.support.outbound import CLIENT, SECRET, Callee, calling, issuing

Call: TypeAlias = Callable[..., Any]


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture(name="callee")
def _callee() -> Iterator[Callee]:
    with calling() as callee:
        yield callee


@pytest.fixture(name="client")
def _client(issuer: FakeIssuer) -> ServiceClient:
    return ServiceClient(issuer.url, credential=ClientSecret(CLIENT, SECRET))


def _without_async(library: Any) -> Call:
    def call(auth: object, url: str, *, method: str = "GET", follow: bool = False, **more: Any) -> Any:
        with library.Client(auth=auth, trust_env=False, verify=False, follow_redirects=follow) as http:
            return http.request(method, url, **more)

    return call


def _with_async(library: Any) -> Call:
    def call(auth: object, url: str, *, method: str = "GET", follow: bool = False, **more: Any) -> Any:
        async def send() -> Any:
            async with library.AsyncClient(
                auth=auth, trust_env=False, verify=False, follow_redirects=follow
            ) as http:
                return await http.request(method, url, **more)

        return asyncio.run(send())

    return call


CALLS = {
    "httpx2": _without_async(httpx2),
    "httpx2 async": _with_async(httpx2),
    "httpx": _without_async(httpx),
    "httpx async": _with_async(httpx),
}


@pytest.fixture(name="call", params=CALLS)
def _call(request: pytest.FixtureRequest) -> Call:
    return CALLS[request.param]


class TestInItsOwnName:
    def test_each_request_carries_a_token(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """The issuer's, for the audience and the scopes that were named; asked for once."""
        auth = client.auth(audience=callee.url, scopes=["b", "a"])
        assert [200, 200] == [call(auth, callee.url).status_code for _ in range(2)]
        (token,) = issuer.grants.issued
        assert [f"Bearer {token}"] * 2 == callee.shown
        asked = {"grant_type": "client_credentials", "audience": callee.url, "scope": "a b"}
        assert [asked] == issuer.grants.asked

    def test_what_is_asked_for_alike_is_one_token(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """Per audience, scopes and resource, in whatever order and from whatever ``auth``."""
        same = [client.auth(audience="x", scopes=scopes, hosts=callee.url) for scopes in ("a b", ["b", "a"])]
        other = client.auth(audience="x", scopes="a b", resource="urn:x", hosts=[callee.url])
        for auth in (*same, other):
            call(auth, callee.url)
        assert 2 == len(set(callee.shown)) == len(issuer.grants.issued)
        assert "urn:x" == issuer.grants.asked[-1]["resource"]

    def test_a_refused_token_is_replaced_once(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """On 401 another token is asked for, and the same request sent once more."""
        auth = client.auth(audience=callee.url)
        call(auth, callee.url)
        callee.refused.add(issuer.grants.issued[0])
        answer = call(auth, callee.url, method="POST", content=b"body")
        assert 200 == answer.status_code
        assert [f"Bearer {token}" for token in issuer.grants.issued] == callee.shown[1:]
        assert [b"body", b"body"] == [asked.body for asked in callee.asked[1:]]

    def test_a_callee_that_refuses_every_token(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """Its 401 is the answer, and its callers do not wear the issuer out."""
        callee.accepts = False
        auth = client.auth(audience=callee.url)
        assert [401] * 3 == [call(auth, callee.url).status_code for _ in range(3)]
        assert 2 == len(issuer.grants.issued)

    def test_a_body_that_was_streamed_is_not_sent_again(
        self, client: ServiceClient, callee: Callee, call: Call
    ) -> None:
        """It is gone: the callee's 401 stands, whatever the token."""
        callee.accepts = False
        files = {"file": ("name", io.BytesIO(b"content"))}
        auth = client.auth(audience=callee.url)
        assert 401 == call(auth, callee.url, method="POST", files=files).status_code
        assert 1 == len(callee.asked)

    def test_no_token_can_be_had_in_the_place_of_a_refused_one(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """The callee's 401 stands, and so does the token: another callee may accept it."""
        auth = client.auth(audience=callee.url)
        call(auth, callee.url)
        issuer.outage(500)
        callee.accepts = False
        assert 401 == call(auth, callee.url).status_code
        callee.accepts = True
        assert 200 == call(auth, callee.url).status_code
        assert 1 == len(set(callee.shown))

    def test_without_a_token_nothing_is_sent(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """Law 1.5: the caller learns that it could not be had, not that it was refused."""
        issuer.outage(503)
        with pytest.raises(ag.EndpointUnavailable):
            call(client.auth(audience=callee.url), callee.url)
        assert [] == callee.asked

    @pytest.mark.parametrize("request_of", [httpx2.Request, httpx.Request], ids=["httpx2", "httpx"])
    def test_one_request_that_is_not_sent(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, request_of: Any
    ) -> None:
        """As a function of a request, which the types of httpx take it for; Law 11.1 holds."""
        auth = client.auth(audience=callee.url)
        request = request_of("GET", callee.url)
        assert request is auth(request)
        assert f"Bearer {issuer.grants.issued[0]}" == request.headers["Authorization"]
        with pytest.raises(TokenWithheld):
            auth(request_of("GET", "https://elsewhere.test"))
        assert [] == callee.asked

    def test_the_whole_header(self, client: ServiceClient, issuer: FakeIssuer) -> None:
        """For what is no client of httpx, in both colours."""
        auth = client.auth(audience="billing", hosts="billing.example.com")
        found = [auth.header(), asyncio.run(auth.header_async())]
        assert [f"Bearer {issuer.grants.issued[0]}"] * 2 == found

    def test_nothing_shows_the_token(self, client: ServiceClient, issuer: FakeIssuer) -> None:
        """Law 2.5."""
        auth = client.auth(audience="billing", hosts="billing.example.com")
        auth.header()
        assert "TokenAuth(audience='billing', scopes=())" == repr(auth)
        assert issuer.grants.issued[0] not in f"{auth!r} {auth._supply._held!r}"
        assert SECRET not in f"{client!r} {auth._supply._server!r}"


class TestWhereTokensGo:
    """Law 11.1."""

    def test_to_no_other_origin(self, client: ServiceClient, callee: Callee, call: Call) -> None:
        """A request elsewhere is not sent, rather than sent without its token."""
        with calling() as other, pytest.raises(TokenWithheld, match=r"http://127\.0\.0\.1"):
            call(client.auth(audience=callee.url), other.url)
        assert [] == callee.asked + other.asked

    def test_along_no_redirect_to_another_origin(
        self, client: ServiceClient, callee: Callee, call: Call
    ) -> None:
        """Whoever is sent on arrives without the token, and a 401 from there says nothing of it."""
        with calling() as other:
            other.accepts = False
            callee.moved = f"{other.url}/elsewhere"
            answer = call(client.auth(audience=callee.url), callee.url, follow=True)
        assert 401 == answer.status_code
        assert [None] == other.shown
        assert 1 == len(callee.asked)

    def test_not_over_http_but_on_this_machine(self, client: ServiceClient, call: Call) -> None:
        """The scheme is a part of the origin."""
        with pytest.raises(TokenWithheld, match=r"http://billing\.example\.com:80"):
            call(client.auth(audience="https://billing.example.com"), "http://billing.example.com")

    @pytest.mark.parametrize(
        "hosts",
        ["http://billing.example.com", "ftp://x.test", "https://u:p@x.test", "https://", "x test", [], [""]],
    )
    def test_only_origins_that_are_safe_can_be_named(self, client: ServiceClient, hosts: Any) -> None:
        """Said when ``auth`` is made, with what to write instead (Law 1.6)."""
        with pytest.raises(ag.ConfigurationError, match="hosts: "):
            client.auth(audience="billing", hosts=hosts)

    @pytest.mark.parametrize("audience", ["billing", "http://billing.example.com", None])
    def test_an_audience_that_is_no_place(self, client: ServiceClient, audience: str | None) -> None:
        """Where it does not say where the token may go, that must be named."""
        with pytest.raises(ag.ConfigurationError, match="hosts: name the origins"):
            client.auth(audience=audience)

    @pytest.mark.parametrize(
        ("hosts", "url"),
        [
            ("billing.example.com", "https://BILLING.example.com:443/x"),
            ("https://billing.example.com:8443/v1", "https://billing.example.com:8443/"),
            ("bücher.example", "https://xn--bcher-kva.example/"),
            ("http://localhost:8000", "http://localhost:8000/"),
            ("http://[::1]:8000", "http://[::1]:8000/"),
        ],
    )
    def test_one_origin_has_one_name(self, client: ServiceClient, hosts: str, url: str) -> None:
        """However it is spelled."""
        auth = client.auth(audience="billing", hosts=hosts)
        assert auth._origins.hold(httpx2.URL(url))


class TestForTheCaller:
    @pytest.fixture(name="gate")
    def _gate(self, issuer: FakeIssuer) -> Iterator[ag.Gate]:
        with ag.Gate(ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience=CLIENT)])) as gate:
            yield gate

    def test_relay(self, gate: ag.Gate, issuer: FakeIssuer, callee: Callee, call: Call) -> None:
        """The caller's own token goes on, to the hosts that were named and to no other."""
        token = issuer.token("u1")
        auth = relay(gate.admit(view(bearer(token)), ag.is_user), hosts=[callee.url])
        assert 200 == call(auth, callee.url).status_code
        assert [f"Bearer {token}"] == callee.shown
        with calling() as other, pytest.raises(TokenWithheld):
            call(auth, other.url)
        assert token not in repr(auth)

    def test_on_behalf_of(
        self, client: ServiceClient, gate: ag.Gate, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """RFC 8693: the caller's token is exchanged for one that says who acts, and who acted before."""
        token = issuer.token("u1", act={"sub": "web", "act": {"sub": "app"}})
        admission = gate.admit(view(bearer(token)), ag.is_user)
        call(client.on_behalf_of(admission, audience=callee.url, scopes="a"), callee.url)
        assert {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": callee.url,
            "scope": "a",
        } == issuer.grants.asked[-1]
        there = ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience=callee.url)])
        with ag.Gate(there) as billing:
            user = billing.verify_token(str(callee.shown[0]).removeprefix("Bearer ")).user
        chain = {"sub": CLIENT, "act": {"sub": "web", "act": {"sub": "app"}}}
        assert ("u1", chain) == (user.id, user.claims["act"])

    def test_each_caller_has_a_token_of_their_own(
        self, client: ServiceClient, gate: ag.Gate, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """And the same caller's second call none that is new."""
        tokens = [issuer.token(sub) for sub in ("u1", "u2")]
        for token in (*tokens, *tokens):
            admission = gate.admit(view(bearer(token)), ag.is_user)
            call(client.on_behalf_of(admission, audience=callee.url), callee.url)
        assert 2 == len(set(callee.shown)) == len(issuer.grants.issued)

    def test_renewing(self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call) -> None:
        """A refresh token is used once, and the one that comes with the answer next."""
        auth = client.renewing(issuer.grants.refresh_token("u7"), audience=callee.url)
        call(auth, callee.url)
        callee.refused.add(issuer.grants.issued[0])
        assert 200 == call(auth, callee.url).status_code
        first, second = (asked["refresh_token"] for asked in issuer.grants.asked)
        assert first != second

    def test_a_login_that_is_over(
        self, client: ServiceClient, issuer: FakeIssuer, callee: Callee, call: Call
    ) -> None:
        """A refresh token that is not taken is an invalid token, and no outage (Law 1.5)."""
        auth = client.renewing(issuer.grants.refresh_token("u7"), audience=callee.url)
        issuer.grants.end_session("u7")
        with pytest.raises(ag.TokenInactive):
            call(auth, callee.url)
