"""Configuration by name: the environment and mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.config import read_settings
from authgate_core.config.environment import Settings
from authgate_core.issuer import Discovery, JwksUrl
from authgate_core.observers import AuditLog, OpenTelemetry, Prometheus

ISSUER = {"AUTHGATE_ISSUER": "https://id.test", "AUTHGATE_AUDIENCE": "orders"}


class TestFromMapping:
    """Law 1.6: settings are read by name, and what is wrong is said at once."""

    def test_an_openid_provider(self) -> None:
        """Two settings are enough."""
        (issuer,) = ag.GateConfig.from_mapping(ISSUER).issuers

        assert ("https://id.test", Discovery("https://id.test")) == (issuer.issuer, issuer.trust)
        assert frozenset({"orders"}) == issuer.terms.audience

    def test_every_setting_arrives(self, tmp_path: Path) -> None:
        """As text, the way an environment has it."""
        (tmp_path / "projects.toml").write_text("")
        config = ag.GateConfig.from_mapping(
            ISSUER
            | {
                "AUTHGATE_AUDIENCE": "orders, carts",
                "AUTHGATE_JWKS_URL": "https://id.test/keys",
                "AUTHGATE_ALGORITHMS": "RS256,ES256",
                "AUTHGATE_LEEWAY": "5",
                "AUTHGATE_MAX_LIFETIME": "3600",
                "AUTHGATE_REQUIRE_AT_JWT": "true",
                "AUTHGATE_SUBJECT": "sub.uuid",
                "AUTHGATE_ROLES": "realm_access.roles,roles",
                "AUTHGATE_SCOPES": "scp",
                "AUTHGATE_TENANT": "org",
                "AUTHGATE_AUTHORIZED_PARTIES": "web",
                "AUTHGATE_SERVICE_CLAIM": "gty=client-credentials",
                "AUTHGATE_PROJECTS_FILE": str(tmp_path / "projects.toml"),
                "AUTHGATE_SERVICE_ID": "orders",
                "AUTHGATE_REDIS_URL": "redis://localhost:6379/0",
                "AUTHGATE_REDIS_ON_ERROR": "allow",
                "AUTHGATE_REDIS_FEED": "true",
                "AUTHGATE_REALM": "shop",
                "AUTHGATE_RESOURCE": "https://shop.test",
                "AUTHGATE_SHADOW": "1",
                "AUTHGATE_VERIFIED_TOKENS": "0",
            }
        )
        (issuer,) = config.issuers

        assert JwksUrl("https://id.test/keys") == issuer.trust
        assert (frozenset({"orders", "carts"}), frozenset({"RS256", "ES256"})) == (
            issuer.terms.audience,
            issuer.terms.algorithms,
        )
        assert (5.0, 3600.0, True) == (
            issuer.terms.leeway,
            issuer.terms.max_lifetime,
            issuer.terms.require_at_jwt,
        )
        assert frozenset({"web"}) == issuer.terms.authorized_parties
        assert ("sub.uuid", ["realm_access.roles", "roles"]) == (
            str(issuer.mapping.subject),
            [str(path) for path in issuer.mapping.roles],
        )
        assert (["scp"], "org") == ([str(path) for path in issuer.mapping.scopes], str(issuer.mapping.tenant))
        assert {"gty": "client-credentials"} == issuer.mapping.service_when
        assert isinstance(config.projects, ag.StaticProjects)
        expected = ag.RedisRevocation("redis://localhost:6379/0", on_error="allow", feed=True)
        assert expected == config.revocation
        assert ("orders", "shop", True) == (config.service_id, config.realm, config.shadow)
        assert "https://shop.test" == config.resource
        assert 0 == config.verified_tokens

    def test_who_watches(self) -> None:
        """By name, and with every profile; nobody does unless it is said."""
        plain = ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_AUDIENCE": "a"})
        watched = ag.GateConfig.from_mapping(
            ISSUER
            | {
                "AUTHGATE_AUDIENCE": "a",
                "AUTHGATE_PROMETHEUS": "decisions, keys",
                "AUTHGATE_OTEL": "1",
                "AUTHGATE_AUDIT": "true",
            }
        )

        assert ((), None) == (plain.observers, plain.audit)
        assert [Prometheus, OpenTelemetry] == [type(observer) for observer in watched.observers]
        assert isinstance(watched.audit, AuditLog)

    def test_a_group_that_there_is_not(self) -> None:
        """It is named with the setting."""
        with pytest.raises(ag.ConfigurationError, match="AUTHGATE_PROMETHEUS"):
            ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_AUDIENCE": "a", "AUTHGATE_PROMETHEUS": "keyz"})

    def test_any_audience_is_spelled_out(self) -> None:
        """Law 3.6."""
        config = ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_AUDIENCE": "ANY_AUDIENCE"})

        assert ag.ANY_AUDIENCE is config.issuers[0].terms.audience

    def test_memory_revocation(self) -> None:
        """For one process."""
        config = ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_REVOCATION": "memory"})

        assert ag.MemoryRevocation() == config.revocation

    def test_values_of_a_mapping_keep_their_type(self) -> None:
        """A Flask config holds lists and booleans."""
        config = ag.GateConfig.from_mapping(
            ISSUER
            | {"AUTHGATE_AUDIENCE": ["a", "b"], "AUTHGATE_SHADOW": True, "AUTHGATE_REALM": None, "DEBUG": 1}
        )

        assert (frozenset({"a", "b"}), True, "api") == (
            config.issuers[0].terms.audience,
            config.shadow,
            config.realm,
        )

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, ["AUTHGATE_ISSUER: is not set", "AUTHGATE_PROFILE=mercury"]),
            ({"AUTHGATE_ISSUER": "https://id.test"}, ["AUTHGATE_AUDIENCE: is not set"]),
            (
                {"AUTHGATE_JWKS_URL": "https://x.test"},
                ["AUTHGATE_ISSUER: is not set", "AUTHGATE_JWKS_URL: needs"],
            ),
            (ISSUER | {"AUTHGATE_AUDIENSE": "x"}, ["did you mean AUTHGATE_AUDIENCE?"]),
            (
                ISSUER | {"AUTHGATE_LEEWAY": "soon", "AUTHGATE_SHADOW": "perhaps"},
                ["AUTHGATE_LEEWAY", "AUTHGATE_SHADOW"],
            ),
            (ISSUER | {"AUTHGATE_SERVICE_CLAIM": "gty"}, ["write claim=value"]),
            (ISSUER | {"AUTHGATE_REVOCATION": "redis"}, ["AUTHGATE_REVOCATION"]),
            (ISSUER | {"AUTHGATE_REDIS_ON_ERROR": "allow"}, ["needs AUTHGATE_REDIS_URL"]),
            (ISSUER | {"AUTHGATE_REDIS_FEED": "1"}, ["AUTHGATE_REDIS_FEED: needs AUTHGATE_REDIS_URL"]),
            (ISSUER | {"AUTHGATE_SERVICE_ID": "orders"}, ["needs AUTHGATE_PROJECTS_FILE"]),
            (
                ISSUER | {"AUTHGATE_REVOCATION": "memory", "AUTHGATE_REDIS_URL": "redis://localhost"},
                ["memory contradicts"],
            ),
            (ISSUER | {"AUTHGATE_AUDIENCE": "*"}, ["AUTHGATE_AUDIENCE: '*'", "write ANY_AUDIENCE"]),
            (ISSUER | {"AUTHGATE_TENANT": "org", "AUTHGATE_TENANTS": "*"}, ["AUTHGATE_TENANTS: '*'"]),
        ],
    )
    def test_what_is_wrong_is_said_at_once(self, settings: dict[str, Any], expected: list[str]) -> None:
        """With the name of the setting and what to write instead."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.GateConfig.from_mapping(settings)

        for text in expected:
            assert text in str(caught.value)

    @pytest.mark.parametrize("value", ["", " , ", ()])
    @pytest.mark.parametrize(
        "name", ["ALGORITHMS", "AUTHORIZED_PARTIES", "ROLES", "SCOPES", "SERVICE_CLIENTS", "TENANTS"]
    )
    def test_an_empty_list_narrows_nothing(self, name: str, value: object) -> None:
        """A template that was not filled in would let every party in, or every tenant: it does not start."""
        with pytest.raises(ag.ConfigurationError, match=rf"AUTHGATE_{name}: is empty; name at least one"):
            ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_TENANT": "org", f"AUTHGATE_{name}": value})

    @pytest.mark.parametrize(
        ("issuer", "expected"),
        [
            ("https://a.test,https://b.test", "has no host that can be asked; write one URL"),
            ("https://${HOST}/realm", "has no host that can be asked"),
            ("https://id.test\n", "holds a space or a line break"),
            (" https://id.test", "holds a space or a line break"),
            (
                "https://id.test/.well-known/openid-configuration",
                "leave out /.well-known/openid-configuration",
            ),
        ],
    )
    def test_a_url_that_no_token_can_name(self, issuer: str, expected: str) -> None:
        """Every token would be refused, and nobody told why."""
        with pytest.raises(ag.ConfigurationError, match=expected):
            ag.Gate(ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_ISSUER": issuer}))

    def test_one_mistake_hides_no_other(self) -> None:
        """A value that cannot be read, a setting that is missing, a path, a URL and a file: one message."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.GateConfig.from_mapping(
                {
                    "AUTHGATE_ISSUER": "http://id.test",
                    "AUTHGATE_LEEWAY": "soon",
                    "AUTHGATE_SUBJECT": "a..b",
                    "AUTHGATE_PROJECTS_FILE": "nowhere.toml",
                    "AUTHGATE_REDIS_URL": "mysql://x",
                    "AUTHGATE_REALM": "\n",
                }
            )

        for text in (
            "AUTHGATE_LEEWAY",
            "AUTHGATE_AUDIENCE: is not set",
            "is not https",
            "subject: a claim path",
            "nowhere.toml",
            "redis://",
            "realm",
        ):
            assert text in str(caught.value)

    def test_nothing_at_all_is_one_mistake(self) -> None:
        """Said in the words of the settings."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.GateConfig.from_mapping({})

        assert 1 == len(caught.value.problems)

    def test_a_list_may_end_with_a_comma(self) -> None:
        """No name is empty."""
        (issuer,) = ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_AUDIENCE": "orders, ,carts,"}).issuers

        assert frozenset({"orders", "carts"}) == issuer.terms.audience

    def test_a_setting_that_cannot_be_read_is_not_called_missing_as_well(self) -> None:
        """One line for each mistake."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_AUDIENCE": [1, 2]})

        assert ["AUTHGATE_AUDIENCE"] == [
            problem.partition(":")[0] for problem in caught.value.problems if "AUTHGATE" in problem
        ]

    def test_a_wrong_value_is_not_shown(self) -> None:
        """Law 2.5: a secret in the wrong place is still a secret."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_LEEWAY": "private-value"})

        assert "private-value" not in str(caught.value)

    def test_settings_do_not_show_the_password_of_redis(self) -> None:
        """Nor does the configuration made of them."""
        given = ISSUER | {"AUTHGATE_REDIS_URL": "redis://:private-value@localhost"}

        assert "private-value" not in repr(read_settings(given))
        assert "private-value" not in repr(ag.GateConfig.from_mapping(given))

    def test_a_stranger_with_our_prefix_is_only_mentioned(self, caplog: pytest.LogCaptureFixture) -> None:
        """Others may use the prefix for things of their own."""
        ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_XYZZY_QUUX": "1"})

        assert "AUTHGATE_XYZZY_QUUX is not a setting" in caplog.text

    def test_a_stranger_that_cannot_be_written(self, caplog: pytest.LogCaptureFixture) -> None:
        """What is no text in an environment, and what would begin another line, is shown as escapes."""
        ag.GateConfig.from_mapping(ISSUER | {"AUTHGATE_XY\udcffZZY\nQUUX": "1"})

        assert "AUTHGATE_XY\\udcffZZY\\nQUUX is not a setting" in caplog.text


class TestFromEnv:
    """The environment is a mapping like any other."""

    def test_the_environment_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the moment of the call, not of the import."""
        for name, value in ISSUER.items():
            monkeypatch.setenv(name, value)

        assert "https://id.test" == ag.GateConfig.from_env().issuers[0].issuer

    def test_a_mapping_is_not_completed_from_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half a configuration in the app and half in the environment is nobody's intention."""
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders")
        with pytest.raises(ag.ConfigurationError, match="AUTHGATE_AUDIENCE: is not set"):
            ag.GateConfig.from_mapping({"AUTHGATE_ISSUER": "https://id.test"})


class TestReference:
    """The page that describes the settings."""

    def test_it_names_every_setting_and_no_other(self) -> None:
        """So that what is documented is what is read."""
        page = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"
        table = page.read_text().partition("## The mercury profile")[0]
        rows = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `AUTHGATE_")]

        assert sorted(
            [*(f"AUTHGATE_{name.upper()}" for name in Settings.model_fields), "AUTHGATE_SET_G"]
        ) == sorted(rows)
