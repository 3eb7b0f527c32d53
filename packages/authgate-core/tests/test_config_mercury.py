"""The environment of the older client makes a gate (the mercury profile)."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.config.environment import read_settings
from authgate_core.config.mercury import read_mercury
from authgate_core.events import Notice
from authgate_core.issuer import TenantKeys
from authgate_core.signing import RequestSigning

NEXUS = "0b6f6c1e-2f57-4b5b-9c4e-111111111111"
OTHER = "0b6f6c1e-2f57-4b5b-9c4e-222222222222"
OLD = {
    "REDIS_URL": "redis://localhost:6379/0",
    "MERCURY_BASE_URL": "https://mercury.test",
    "SIGNATURE_SHARED_SECRET": "s3cret-that-is-shared",
    "SERVICE_ID": "orders",
    "NEXUS_ID": NEXUS,
}
PROFILE = {"AUTHGATE_PROFILE": "mercury"}


def read(**changes: str | None) -> ag.GateConfig:
    """The configuration of this environment; None unsets a variable."""
    mapping = {**OLD, **PROFILE, **changes}
    return ag.GateConfig.from_mapping({name: value for name, value in mapping.items() if value is not None})


def problems(**changes: str | None) -> tuple[str, ...]:
    """What is wrong with this environment."""
    with pytest.raises(ag.ConfigurationError) as caught:
        read(**changes)
    assert "s3cret" not in str(caught.value)
    return caught.value.problems


class TestProfile:
    def test_what_it_makes(self) -> None:
        """Mercury as issuer and directory, its Redis, and this service."""
        config = read()
        (issuer,) = config.issuers

        assert ("https://mercury.test", "mercury", 0.0, frozenset({NEXUS})) == (
            issuer.issuer,
            issuer.name,
            issuer.terms.leeway,
            issuer.tenants,
        )
        assert isinstance(config.projects, ag.RemoteProjects)
        assert ("orders", frozenset({NEXUS})) == (config.projects.service_id, config.projects.tenants)
        assert (ag.RedisRevocation(OLD["REDIS_URL"], layout="mercury"),) == config.sources
        assert "orders" == config.service_id

    def test_it_builds(self) -> None:
        """Without any I/O (Law 4.12)."""
        with ag.Gate(read()) as gate:
            gate.check_policy(ag.is_user & ag.is_project)

    def test_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """``from_env`` takes the profile from the environment, or from whoever calls it."""
        for name, value in OLD.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AUTHGATE_PROFILE", raising=False)
        assert "mercury" == ag.GateConfig.from_env(profile="mercury").issuers[0].name
        with pytest.raises(ag.ConfigurationError, match="AUTHGATE_ISSUER"):
            ag.GateConfig.from_env()
        monkeypatch.setenv("AUTHGATE_PROFILE", "mercury")
        assert "mercury" == ag.GateConfig.from_env().issuers[0].name

    def test_another_profile(self) -> None:
        """Law 1.6: one that does not exist does not start."""
        assert any(line.startswith("AUTHGATE_PROFILE:") for line in problems(AUTHGATE_PROFILE="venus"))


class TestSecret:
    def test_it_is_taken_as_it_is(self) -> None:
        """Mercury signs with every byte of the secret, also with white space at its ends."""
        (issuer,) = read(SIGNATURE_SHARED_SECRET=" s3cret\n").issuers

        assert isinstance(issuer.trust, TenantKeys)
        assert issuer.trust.signing == RequestSigning(ag.Secret(" s3cret\n"))

    def test_nothing_shows_it(self) -> None:
        """Law 2.5: neither what was read of the environment, nor the configuration."""
        mapping = {**OLD, "REDIS_URL": "redis://:s3cret@localhost"}
        ours, _ = read_settings(PROFILE)
        settings, _ = read_mercury(mapping, ours)

        assert "s3cret" not in repr(settings)
        assert "s3cret" not in repr(ag.GateConfig.from_mapping({**mapping, **PROFILE}))


class TestOurs:
    def test_how_many_tokens_are_remembered(self) -> None:
        """As the page of settings says, this one applies."""
        assert (10_000, 0) == (read().verified_tokens, read(AUTHGATE_VERIFIED_TOKENS="0").verified_tokens)


class TestTenants:
    def test_several(self) -> None:
        """A comma list of project ids, for users and projects alike."""
        config = read(AUTHGATE_TENANTS=f"{NEXUS}, {OTHER}")

        assert isinstance(config.projects, ag.RemoteProjects)
        assert frozenset({NEXUS, OTHER}) == config.issuers[0].tenants == config.projects.tenants

    def test_any(self) -> None:
        """An asterisk stands for every project."""
        tenants = read(AUTHGATE_TENANTS="*").issuers[0].tenants

        assert callable(tenants)
        assert tenants(OTHER)

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"AUTHGATE_TENANTS": "shop"}, ["NEXUS_ID, AUTHGATE_TENANTS"]),
            ({"AUTHGATE_TENANTS": f"*,{OTHER}"}, ["NEXUS_ID, AUTHGATE_TENANTS"]),
            ({"NEXUS_ID": NEXUS.upper()}, ["NEXUS_ID, AUTHGATE_TENANTS", "NEXUS_ID"]),
        ],
    )
    def test_other_spellings(self, changes: dict[str, str], named: list[str]) -> None:
        """Law 3.12: what could match no token does not start, and is said once for users and projects."""
        assert sorted(named) == sorted(line.partition(":")[0] for line in problems(**changes))


class TestAudience:
    def test_unset(self) -> None:
        """Law 3.6: the one exception; it is said at start."""
        told: list[Any] = []
        (issuer,) = read().issuers
        with ag.Gate(ag.GateConfig(issuers=[issuer], service_id="orders", on_event=told.append)):
            assert ["audience_unchecked"] == [notice.code for notice in told if isinstance(notice, Notice)]

    def test_set(self) -> None:
        """Then it is checked."""
        assert frozenset({"orders-api"}) == read(AUTHGATE_AUDIENCE="orders-api").issuers[0].terms.audience


class TestMistakes:
    @pytest.mark.parametrize("name", OLD)
    @pytest.mark.parametrize("value", [None, "", "   "])
    def test_what_is_missing(self, name: str, value: str | None) -> None:
        """An empty secret does not start, and neither does any other empty variable: one sentence, naming it."""
        (line,) = problems(**{name: value})

        assert line.startswith(f"{name}: is not set, or empty")

    def test_everything_at_once(self) -> None:
        """Law 1.6: what is missing, what does not apply and what is wrong besides, in one message."""
        found = problems(
            SERVICE_ID="", AUTHGATE_ISSUER="https://id.test", MERCURY_BASE_URL="http://mercury.test"
        )

        assert {"SERVICE_ID", "AUTHGATE_ISSUER", "MERCURY_BASE_URL"} == {
            line.partition(":")[0] for line in found
        }

    @pytest.mark.parametrize("value", ["https://mercury.test/", "mercury.test", "http://mercury.test"])
    def test_the_base_url(self, value: str) -> None:
        """It is https, absolute and without a slash at its end; each problem is told once."""
        assert ["MERCURY_BASE_URL"] == sorted(
            {line.partition(":")[0] for line in problems(MERCURY_BASE_URL=value)}
        )

    def test_plain_http(self) -> None:
        """It is allowed in so many words."""
        assert read(MERCURY_BASE_URL="http://mercury.test", AUTHGATE_ALLOW_HTTP="1").issuers[0].allow_http

    def test_the_redis_url(self) -> None:
        """What is no URL of Redis does not start."""
        (line,) = problems(REDIS_URL="http://localhost")
        assert line.startswith("REDIS_URL:")


class TestIgnored:
    def test_in_one_warning(self, caplog: pytest.LogCaptureFixture) -> None:
        """Lifetimes of caches that the older client had are accepted, and named as ignored."""
        with caplog.at_level(logging.WARNING, logger="authgate"):
            read(CACHE_EXPIRY_TIME="3600", JWKS_CACHE_TTL="18000")
        (said,) = [record.getMessage() for record in caplog.records]

        assert said.startswith("CACHE_EXPIRY_TIME, JWKS_CACHE_TTL: ignored")

    def test_nothing_is_said_of_what_is_not_there(self, caplog: pytest.LogCaptureFixture) -> None:
        """Who does not set them hears nothing."""
        with caplog.at_level(logging.WARNING, logger="authgate"):
            read()
        assert [] == caplog.records
