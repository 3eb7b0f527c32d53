"""Behind Kong by the environment: in our words, and in those of older clients."""

from __future__ import annotations

from typing import Any

import pytest

import authgate_core as ag
from authgate_core.clock import SystemClock
from tests.support.gateways import HMAC_KEY, USER, stamped

KONG = {"AUTHGATE_PROFILE": "kong", "AUTHGATE_GATEWAY_PEERS": "10.0.0.0/8, 192.168.1.5"}
OLDER = {
    "AUTHGATE_PROFILE": "keycloak",
    "AUTH_MODE": "kong_headers",
    "AUTHGATE_GATEWAY_PEERS": "10.0.0.0/8",
    "KEYCLOAK_REALM_URL": "https://id.example.com/realms/shop",
}


def admitted(
    settings: dict[str, Any], headers: dict[str, str], peer: str = "10.1.2.3", **options: Any
) -> str:
    """The id of the user whom a gate of these settings admits."""
    with ag.Gate(ag.GateConfig.from_mapping(settings)) as gate:
        request = ag.RequestView("GET", "/orders", headers, peer=peer, **options)
        return gate.admit(request, ag.is_user).user.id


def problems(settings: dict[str, Any]) -> str:
    """What is wrong with settings."""
    with pytest.raises(ag.ConfigurationError) as caught:
        ag.GateConfig.from_mapping(settings)
    return str(caught.value)


class TestKong:
    @pytest.mark.parametrize("settings", [KONG, OLDER])
    def test_users_come_from_its_headers(self, settings: dict[str, str]) -> None:
        """From the peers that are named, and from nobody else."""
        assert "u1" == admitted(settings, USER)
        with pytest.raises(ag.UntrustedGateway):
            admitted(settings, USER, peer="203.0.113.9")

    @pytest.mark.parametrize("verify", [{}, {"VERIFY_HMAC": "true"}, {"VERIFY_HMAC": "1"}])
    def test_a_key_has_signatures_asked_for(self, verify: dict[str, str]) -> None:
        """Whether or not the variable beside it says so again."""
        settings = {**OLDER, "INTERNAL_HMAC_KEY": HMAC_KEY, **verify}

        assert "u1" == admitted(settings, stamped(USER, "GET", "/orders", SystemClock().now().wall))
        with pytest.raises(ag.GatewaySignatureRefused):
            admitted(settings, USER)

    def test_signatures_may_be_left_out(self) -> None:
        """Peers are asked for all the same (Law 2.7)."""
        settings = {**OLDER, "INTERNAL_HMAC_KEY": HMAC_KEY, "VERIFY_HMAC": "false"}

        assert "u1" == admitted(settings, USER)
        with pytest.raises(ag.UntrustedGateway):
            admitted(settings, USER, peer="203.0.113.9")

    def test_what_the_server_does_is_said_by_name(self) -> None:
        """As in code (Law 2.8)."""
        folding: dict[str, Any] = {"folds_names": True, "named_peer": "10.1.2.3"}
        declared = {**KONG, "AUTHGATE_SERVER_DROPS_UNDERSCORES": "1", "AUTHGATE_SERVER_SHOWS_PEER": "1"}

        assert "u1" == admitted(declared, USER, peer="", **folding)
        with pytest.raises(ag.UntrustedGateway):
            admitted(KONG, USER, **folding)

    def test_client_certificates_are_named(self) -> None:
        """By their subjects."""
        settings = {"AUTHGATE_PROFILE": "kong", "AUTHGATE_GATEWAY_TLS_PEERS": "CN=kong"}

        assert "u1" == admitted(settings, USER, peer="", tls_peer="CN=kong")


class TestAdmin:
    @pytest.mark.parametrize(
        ("settings", "admitted"),
        [(OLDER, True), ({**OLDER, "AUTHGATE_ADMIN_IMPLIES_ALL": "false"}, False), (KONG, False)],
    )
    def test_an_admin_is_everything_where_the_older_client_says_so(
        self, settings: dict[str, str], admitted: bool
    ) -> None:
        """And nowhere else (Law 8.5)."""
        request = ag.RequestView("GET", "/", {**USER, "X-User-Roles": "admin"}, peer="10.1.2.3")
        with ag.Gate(ag.GateConfig.from_mapping(settings)) as gate:
            if admitted:
                assert gate.admit(request, ag.is_user & ag.any_role("clerk"))
                return
            with pytest.raises(ag.AuthorizationError):
                gate.admit(request, ag.is_user & ag.any_role("clerk"))


class TestMistakes:
    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"AUTHGATE_PROFILE": "kong"}, "AUTHGATE_GATEWAY_PEERS: name the addresses"),
            (
                {**KONG, "AUTHGATE_GATEWAY_PEERS": "0.0.0.0/0"},
                "AUTHGATE_GATEWAY_PEERS: 0.0.0.0/0 is everyone",
            ),
            ({**KONG, "AUTHGATE_GATEWAY_PEERS": "kong"}, "AUTHGATE_GATEWAY_PEERS: 'kong'"),
            ({**KONG, "INTERNAL_HMAC_KEY": "short"}, "INTERNAL_HMAC_KEY: has 5 bytes"),
            ({**KONG, "INTERNAL_HMAC_KEY": ""}, "INTERNAL_HMAC_KEY: has 0 bytes"),
            ({**KONG, "VERIFY_HMAC": "true"}, "INTERNAL_HMAC_KEY: is not set"),
            ({**KONG, "VERIFY_HMAC": "perhaps"}, "VERIFY_HMAC: write true or false"),
            ({**KONG, "AUTHGATE_ISSUER": "https://id.example.com"}, "AUTHGATE_ISSUER: does not apply"),
            ({**OLDER, "AUTH_MODE": "bypass"}, "authgate_core.testing"),
            ({**OLDER, "AUTH_MODE": "none"}, "AUTH_MODE"),
            ({"AUTHGATE_GATEWAY_PEERS": "10.0.0.0/8"}, "AUTHGATE_GATEWAY_PEERS: needs AUTHGATE_PROFILE=kong"),
        ],
    )
    def test_each_is_said_in_the_words_of_the_variables(self, settings: dict[str, str], says: str) -> None:
        """And nothing starts (Law 1.6)."""
        assert says in problems(settings)
