"""What an API says of itself: protected resource metadata (RFC 9728)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.resource import ResourceMetadata, metadata_of, resource_problems
from authgate_core.testing import FakeIssuer

WELL_KNOWN = "/.well-known/oauth-protected-resource"
CHALLENGED = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/orders"'


def metadata(resource: str, *servers: str | None) -> ResourceMetadata:
    """What is served for a resource, and where."""
    found = metadata_of(resource, servers)
    assert found is not None
    return found


def document(resource: str, *servers: str | None) -> dict[str, Any]:
    """What is served for a resource; Any because it is JSON."""
    found: dict[str, Any] = json.loads(metadata(resource, *servers).body)
    return found


class TestWhere:
    @pytest.mark.parametrize(
        ("resource", "url", "path"),
        [
            ("https://api.example.com", f"https://api.example.com{WELL_KNOWN}", WELL_KNOWN),
            ("https://api.example.com/", f"https://api.example.com{WELL_KNOWN}", WELL_KNOWN),
            ("https://a.example:8443/v1", f"https://a.example:8443{WELL_KNOWN}/v1", f"{WELL_KNOWN}/v1"),
            ("https://a.example/v1/", f"https://a.example{WELL_KNOWN}/v1/", f"{WELL_KNOWN}/v1/"),
            ("https://a.example/a%20b", f"https://a.example{WELL_KNOWN}/a%20b", f"{WELL_KNOWN}/a b"),
        ],
    )
    def test_the_path_of_the_resource_comes_last(self, resource: str, url: str, path: str) -> None:
        """RFC 9728 section 3.1: the well-known part stands between the host and the path."""
        found = metadata(resource)
        assert (url, path) == (found.url, found.path)

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_it_is_read_there(self, method: str) -> None:
        """With and without where the application is mounted."""
        assert metadata("https://api.example.com/v1").answers(method, "/", f"{WELL_KNOWN}/v1")

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", f"{WELL_KNOWN}/v1"), ("OPTIONS", f"{WELL_KNOWN}/v1"), ("GET", WELL_KNOWN), ("GET", "/v1")],
    )
    def test_and_nowhere_else(self, method: str, path: str) -> None:
        """What is asked otherwise is the application's to answer."""
        assert not metadata("https://api.example.com/v1").answers(method, path)


class TestWhat:
    def test_the_resource_as_it_is_configured(self) -> None:
        """RFC 9728 section 3.3: clients compare it byte for byte with what they know the API by."""
        assert "https://api.example.com/" == document("https://api.example.com/")["resource"]

    def test_who_issues_its_tokens(self) -> None:
        """Those whose ``iss`` is a URL that clients can go on with."""
        servers = (
            "https://id.example.com",
            None,
            "accounts",
            "http://id.example.com",
            "http://127.0.0.1:8080",
        )
        assert ["https://id.example.com", "http://127.0.0.1:8080"] == document("https://a.example", *servers)[
            "authorization_servers"
        ]

    def test_no_list_of_nobody(self) -> None:
        """RFC 9728 section 3.2: a list without members is left out."""
        assert {"resource": "https://a.example", "bearer_methods_supported": ["header"]} == document(
            "https://a.example"
        )

    def test_it_is_public(self) -> None:
        """Anybody may keep it, and scripts of any site may read it."""
        assert {
            "Content-Type": "application/json",
            "Cache-Control": "public, max-age=3600",
            "Access-Control-Allow-Origin": "*",
        } == dict(metadata("https://a.example").headers)


class TestProblems:
    @pytest.mark.parametrize(
        "resource", [None, "https://a.example/v1", "http://127.0.0.1:8000", "https://[::1]/"]
    )
    def test_nothing_is_wrong(self, resource: str | None) -> None:
        """A URL, or nothing."""
        assert [] == list(resource_problems(resource))

    @pytest.mark.parametrize(
        ("resource", "said"),
        [
            ("", "not an absolute URL"),
            ("orders-api", "not an absolute URL"),
            (7, "a int is not a URL"),
            ("http://api.example.com", "is not https"),
            ("https://u:p@api.example.com", "user name"),
            ("https://api.example.com/?a=1", "a query or a fragment"),
            ("https://api.example.com/#a", "a query or a fragment"),
            ("https://api.example.com/\u00e9", "ASCII"),
            ('https://api.example.com/"', "ASCII"),
            ("https://api.example.com/a b", "a space"),
        ],
    )
    def test_what_is_no_identifier(self, resource: object, said: str) -> None:
        """Law 1.6: said when the gate is built, with the name of the setting."""
        (problem,) = resource_problems(resource)
        assert problem.startswith("resource: ")
        assert said in problem

    def test_a_gate_is_not_built_with_it(self) -> None:
        """Law 1.6: the setting is checked with all others."""
        projects = ag.StaticProjects({"shop": {"secret": "s" * 32}})
        with pytest.raises(ag.ConfigurationError, match="resource: 'orders-api'"):
            ag.Gate(ag.GateConfig(projects=projects, resource="orders-api"))


class TestOfAGate:
    @pytest.fixture
    def gate(self, issuer: FakeIssuer) -> ag.Gate:
        """A gate that knows what its API is called."""
        trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        projects = ag.StaticProjects({"shop": {"secret": "s" * 32}})
        return ag.Gate(
            ag.GateConfig(issuers=[trusted], projects=projects, resource="https://api.example.com/orders")
        )

    @pytest.fixture
    def issuer(self) -> FakeIssuer:
        """An issuer with keys."""
        return FakeIssuer(audience="orders-api", url="https://id.example.com")

    @pytest.fixture
    def refused(self, gate: ag.Gate) -> Callable[..., str | None]:
        """Asks with these headers, and gives the challenge."""

        def ask(policy: ag.Policy, headers: dict[str, str]) -> str | None:
            with pytest.raises(ag.AuthgateError) as caught:
                gate.admit(ag.RequestView("GET", "/", headers), policy)
            return dict(gate.problem(caught.value).headers).get("WWW-Authenticate")

        return ask

    def test_it_names_its_issuers(self, gate: ag.Gate) -> None:
        """Those that were configured."""
        assert gate.resource_metadata is not None
        document = json.loads(gate.resource_metadata.body)
        assert ["https://id.example.com"] == document["authorization_servers"]

    def test_challenges_say_where_it_is(self, issuer: FakeIssuer, refused: Callable[..., str | None]) -> None:
        """Law 1.1, RFC 9728 section 5.1: with every way to fail for want of a better token."""
        good = {"authorization": f"Bearer {issuer.token('u1')}"}
        realm = 'Bearer realm="api"'
        assert f"{realm}, {CHALLENGED}" == refused(ag.is_user, {})
        assert f'{realm}, error="invalid_token", {CHALLENGED}' == refused(
            ag.is_user, {"authorization": "Bearer x"}
        )
        assert f'{realm}, error="insufficient_scope", scope="a", {CHALLENGED}' == refused(
            ag.all_scopes("a"), good
        )

    def test_only_challenges_for_tokens_do(self, refused: Callable[..., str | None]) -> None:
        """An app id is of no authorization server."""
        assert f'Bearer realm="api", {CHALLENGED}, AppCredentials realm="api"' == refused(
            ag.is_user & ag.is_project, {}
        )

    def test_without_a_resource_nothing_is_said(self) -> None:
        """What would do nothing is not there."""
        with ag.Gate(ag.GateConfig(projects=ag.StaticProjects({"shop": {"secret": "s" * 32}}))) as gate:
            assert gate.resource_metadata is None
