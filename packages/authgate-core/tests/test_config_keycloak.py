"""The keycloak profile: the older client's variables, in a mapping as in the environment."""

from __future__ import annotations

import pytest

import authgate_core as ag

OLD = {
    "AUTHGATE_PROFILE": "keycloak",
    "AUTH_MODE": "direct_keycloak",
    "KEYCLOAK_REALM_URL": "https://id.test/realms/shop",
    "KEYCLOAK_CLIENT_ID": "orders-api",
    "KEYCLOAK_CLIENT_SECRET": "s3cret",
}


def read(**changes: str) -> ag.GateConfig:
    """The configuration of these variables."""
    return ag.GateConfig.from_mapping({**OLD, **changes})


def said(**changes: str) -> str:
    """What is wrong with them."""
    with pytest.raises(ag.ConfigurationError) as caught:
        read(**changes)
    return str(caught.value)


def spec(**changes: str) -> ag.Introspection:
    """How Keycloak is asked."""
    found = read(**changes).issuers[0].introspection
    assert found is not None
    return found


class TestModes:
    def test_direct(self) -> None:
        """Keycloak is asked about each token, as this service's client, which the tokens are for."""
        (issuer,) = read().issuers
        assert ("keycloak", frozenset({"orders-api"})) == (issuer.name, issuer.terms.audience)
        asked = spec()
        assert "https://id.test/realms/shop/protocol/openid-connect/token/introspect" == asked.url
        assert (True, False, 30.0, 5.0, 5, 2.0) == (
            asked.jwts,
            asked.opaque,
            asked.remember,
            asked.timeout,
            asked.opens_after,
            asked.longest_rest,
        )
        assert ag.ClientSecret("orders-api", "s3cret") == asked.client

    def test_local(self) -> None:
        """Tokens are verified here, which takes no secret."""
        config = read(AUTH_MODE="local_keycloak", KEYCLOAK_CLIENT_SECRET="")
        assert config.issuers[0].introspection is None

    def test_bypass(self) -> None:
        """Law 9.6: there is none, and the sentence says what tests have instead."""
        assert "as_user(...) in authgate_core.testing" in said(AUTH_MODE="bypass")

    @pytest.mark.parametrize("mode", ["", "kong", "DIRECT_KEYCLOAK"])
    def test_others(self, mode: str) -> None:
        """Are named with those that there are."""
        assert "AUTH_MODE:" in said(AUTH_MODE=mode)

    @pytest.mark.parametrize("name", ["KEYCLOAK_REALM_URL", "KEYCLOAK_CLIENT_ID", "KEYCLOAK_CLIENT_SECRET"])
    def test_what_is_required(self, name: str) -> None:
        """An empty one as well."""
        assert f"{name}: is not set, or empty" in said(**{name: " "})

    def test_everything_at_once(self) -> None:
        """Law 1.6, in the words of the variables, without a secret."""
        text = said(
            KEYCLOAK_REALM_URL="http://id.example.com/realms/shop/",
            AUTHGATE_SERVICE_BY="guess",
            AUTHGATE_PROJECTS_FILE="projects.toml",
            HTTP_TIMEOUT="soon",
        )
        for part in (
            "KEYCLOAK_REALM_URL: ends with a slash",
            "AUTHGATE_ALLOW_HTTP=1",
            "AUTHGATE_SERVICE_BY: 'guess'",
            "AUTHGATE_PROJECTS_FILE: does not apply",
            "HTTP_TIMEOUT: 'soon' is no number",
        ):
            assert part in text
        assert "s3cret" not in text


class TestLimits:
    """Contracts 2: what the variables say lowers our limits, and never raises them."""

    def test_lowered(self) -> None:
        """Each of four."""
        asked = spec(
            TOKEN_CACHE_TTL="10",
            HTTP_TIMEOUT="2.5",
            CIRCUIT_BREAKER_FAILURE_THRESHOLD="3",
            CIRCUIT_BREAKER_RECOVERY_TIMEOUT="1",
        )
        assert (10.0, 2.5, 3, 1.0) == (asked.remember, asked.timeout, asked.opens_after, asked.longest_rest)

    def test_none_at_all(self) -> None:
        """Is the least that there is."""
        asked = spec(
            TOKEN_CACHE_TTL="0",
            HTTP_TIMEOUT="0",
            CIRCUIT_BREAKER_FAILURE_THRESHOLD="0",
            CIRCUIT_BREAKER_RECOVERY_TIMEOUT="0",
        )
        assert (0.0, 0.01, 1, 0.01) == (asked.remember, asked.timeout, asked.opens_after, asked.longest_rest)

    def test_its_defaults_are_higher(self, caplog: pytest.LogCaptureFixture) -> None:
        """And are named in one warning; so is what nothing is done with."""
        asked = spec(
            TOKEN_CACHE_TTL="300",
            HTTP_TIMEOUT="10",
            CIRCUIT_BREAKER_FAILURE_THRESHOLD="5",
            CIRCUIT_BREAKER_RECOVERY_TIMEOUT="60",
            TOKEN_REFRESH_BUFFER="30",
            SERVICE_CLIENT_ID="x",
        )
        assert (30.0, 5.0, 5, 2.0) == (asked.remember, asked.timeout, asked.opens_after, asked.longest_rest)
        limits, unused = sorted(record.getMessage() for record in caplog.records)
        assert unused.startswith("TOKEN_REFRESH_BUFFER: ignored")
        named = "TOKEN_CACHE_TTL (at most 30), HTTP_TIMEOUT (at most 5), CIRCUIT_BREAKER_RECOVERY_TIMEOUT (at most 2)"
        assert f"{named}: ignored; a limit is only ever lowered" == limits

    @pytest.mark.parametrize("value", ["-1", "nan", "a lot"])
    def test_no_numbers(self, value: str) -> None:
        """Are mistakes."""
        assert "TOKEN_CACHE_TTL:" in said(TOKEN_CACHE_TTL=value)


class TestOurs:
    def test_an_admin_has_every_role(self) -> None:
        """As the older client has it, unless that is switched off."""
        assert read().roles.expand(["admin"]).issuperset({"admin", "whatever"})
        assert {"buyer"} == read().roles.expand(["buyer"])
        assert {"admin"} == read(AUTHGATE_ADMIN_IMPLIES_ALL="false").roles.expand(["admin"])

    def test_those_that_apply(self) -> None:
        """Audience, parties, services and the ordinary ones."""
        config = read(
            AUTHGATE_AUDIENCE="account",
            AUTHGATE_AUTHORIZED_PARTIES="web",
            AUTHGATE_SERVICE_CLIENTS="billing",
            AUTHGATE_LEEWAY="5",
            AUTHGATE_REVOCATION="memory",
        )
        terms = config.issuers[0].terms
        named = frozenset({"account"}), frozenset({"web"})
        assert (*named, 5.0) == (terms.audience, terms.authorized_parties, terms.leeway)
        assert 1 == len(config.sources)

    def test_any_audience(self) -> None:
        """Is written out."""
        assert read(AUTHGATE_AUDIENCE="ANY_AUDIENCE").issuers[0].terms.audience is ag.ANY_AUDIENCE

    def test_elsewhere_they_are_mistakes(self) -> None:
        """What would be read by nobody."""
        with pytest.raises(ag.ConfigurationError, match="AUTHGATE_SERVICE_CLIENTS: belongs to"):
            ag.GateConfig.from_mapping(
                {
                    "AUTHGATE_ISSUER": "https://id.test",
                    "AUTHGATE_AUDIENCE": "a",
                    "AUTHGATE_SERVICE_CLIENTS": "b",
                }
            )

    def test_as_an_argument(self) -> None:
        """Where the code knows that it is Keycloak."""
        variables = {name: value for name, value in OLD.items() if name != "AUTHGATE_PROFILE"}
        assert "keycloak" == ag.GateConfig.from_mapping(variables, profile="keycloak").issuers[0].name
