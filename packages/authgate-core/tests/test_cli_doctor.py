"""``authgate doctor``: what is broken is named with its fix, and what is not is left alone."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.cli.doctor import Finding, examine
from authgate_core.cli.here import Here
from authgate_core.cli.program import run
from authgate_core.clock import Instant, SystemClock
from authgate_core.io.redis import examining
from authgate_core.io.redis.protocol import Limits
from authgate_core.testing import FakeApex, FakeAuthService, FakeIssuer, FakeMercury

SECRET = "a-chosen-secret-of-thirty-two-characters"

Diagnosed = tuple[int, list[Finding]]
Diagnose = Callable[..., Diagnosed]


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no fault of Redis, and the machine's own variables are none of the tests'."""
    monkeypatch.setattr(examining, "_PATIENT", Limits(connect=60.0, reply=60.0, total=120.0))
    monkeypatch.setattr(examining, "REPLY_LIMIT", 600.0)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    """An issuer that answers introspection as well."""
    with FakeIssuer(audience="orders-api", algorithm="EdDSA") as served:
        served.desk.clients["orders"] = SECRET
        yield served


@pytest.fixture
def diagnose(capsys: pytest.CaptureFixture[str]) -> Diagnose:
    """Runs the command about a configuration, or about the environment; answers exit code and findings."""

    def diagnosed(config: ag.GateConfig | None = None, *options: str) -> Diagnosed:
        code = run(["doctor", "--json", *options], here=Here(config))
        told = json.loads(capsys.readouterr().out)
        return code, [Finding(**finding) for finding in told["findings"]]

    return diagnosed


def of(issuer: FakeIssuer, url: str | None = None, **options: Any) -> ag.GateConfig:
    """A gate of this issuer; options are settings, or with ``issuer_`` before them the issuer's."""
    own = {
        name.removeprefix("issuer_"): value for name, value in options.items() if name.startswith("issuer_")
    }
    rest = {name: value for name, value in options.items() if not name.startswith("issuer_")}
    trusted = ag.Issuer.oidc(url or issuer.url, **{"audience": "orders-api", "name": "id", **own})
    return ag.GateConfig(issuers=[trusted], **rest)


def sick(diagnosed: Diagnosed) -> list[Finding]:
    """Every finding that is not well."""
    return [finding for finding in diagnosed[1] if finding.state != "ok"]


def only(diagnosed: Diagnosed) -> tuple[str, str, str, str]:
    """The one finding that is not well."""
    (finding,) = sick(diagnosed)
    return finding.check, finding.state, finding.text, finding.fix


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class TestWell:
    def test_nothing_is_wrong(
        self, issuer: FakeIssuer, diagnose: Diagnose, valkey_url: str, prefix: str
    ) -> None:
        """A configuration that works ends with 0, and everything it depends on was looked at."""
        redis = ag.RedisRevocation(valkey_url, prefix=prefix, feed=True)
        asking = ag.Introspection(issuer.introspection_url, ag.ClientSecret("orders", SECRET))
        code, findings = diagnose(of(issuer, revocation=redis, issuer_introspection=asking))

        assert (0, []) == (code, sick((code, findings)))
        assert [
            "configuration",
            "keys of id",
            "clock of id",
            "introspection by id",
            "revocation",
            "revocation",
            "revocation",
            "proxy headers",
            "proxy",
        ] == [finding.check for finding in findings]

    def test_leaves_nothing_behind(
        self, issuer: FakeIssuer, diagnose: Diagnose, valkey_url: str, prefix: str, shared_valkey: Any
    ) -> None:
        """Looking at a store writes nothing to it."""
        diagnose(of(issuer, revocation=ag.RedisRevocation(valkey_url, prefix=prefix)))

        assert [] == shared_valkey.client().keys(f"{prefix}*")

    def test_for_people(self, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]) -> None:
        """Each finding is a line, a fix another, and the last line counts them."""
        assert 0 == run(["doctor"], here=Here(of(issuer, shadow=True)))
        lines = capsys.readouterr().out.splitlines()

        assert "warning  shadow of gate: refusals are reported but not carried out" in lines
        assert (
            "         fix: leave AUTHGATE_SHADOW and shadow= out once refusals shall be carried out" in lines
        )
        assert lines[-1].endswith("looked at, 0 failed, 1 to know")

    def test_strict(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """With ``--strict`` a warning is a fault."""
        config = of(issuer, shadow=True)

        assert (0, 1) == (diagnose(config)[0], diagnose(config, "--strict")[0])

    def test_of_either_colour(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """The ports of an application may be async; they are its own, and are not asked."""

        class Store:
            async def is_revoked(self, _ref: object) -> bool:
                return False

        code, findings = diagnose(of(issuer, revocation=Store()))

        assert 0 == code
        assert "Store is your own, and was not asked" in [finding.text for finding in findings]


class TestBroken:
    """Set-ups that are broken in one place each, which is what the command names."""

    def test_a_misspelt_setting(
        self, issuer: FakeIssuer, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A setting that is none is named with the one that is near."""
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        monkeypatch.setenv("AUTHGATE_ALGORITMS", "RS256")
        told = diagnose()

        assert 1 == told[0]
        assert (
            "AUTHGATE_ALGORITMS",
            "failed",
            "is not a setting",
            "did you mean AUTHGATE_ALGORITHMS?",
        ) == only(told)

    def test_no_audience(
        self, issuer: FakeIssuer, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 3.6: an issuer without an audience."""
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.delenv("AUTHGATE_AUDIENCE", raising=False)
        told = diagnose()

        assert 1 == told[0]
        assert "AUTHGATE_AUDIENCE" in [finding.check for finding in sick(told)]
        assert all(finding.fix for finding in sick(told))

    def test_an_issuer_that_is_not_there(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Nobody listens at its URL."""
        issuer.outage(None)
        code, findings = diagnose(of(issuer))
        (finding,) = sick((code, findings))

        assert (1, "keys of id", "failed") == (code, finding.check, finding.state)
        assert "no connection to 127.0.0.1" in finding.text
        assert "write proxy= in GateConfig" in finding.fix

    @pytest.mark.parametrize(
        ("answer", "text", "fix"),
        [
            ({"status": 404}, "answered with status 404", "write the issuer's URL as its iss has it"),
            ({"status": 500}, "answered with status 500", "ask whoever runs 127.0.0.1"),
            ({"content_type": "text/html"}, "answered with an HTML page", "see that the URL is right"),
            ({}, "cannot be read", "no page or proxy answers in its place"),
        ],
    )
    def test_a_page_in_its_place(
        self, issuer: FakeIssuer, diagnose: Diagnose, answer: dict[str, Any], text: str, fix: str
    ) -> None:
        """Something else answers at the URL of the discovery document."""
        issuer.answer(b"hello", **answer)
        told = only(diagnose(of(issuer)))

        assert ("keys of id", "failed") == told[:2]
        assert text in told[2]
        assert fix in told[3]

    def test_a_realm_that_there_is_not(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Where the address of the keys follows from what is configured, it is the configuration that is wrong."""
        realm = f"{issuer.url}/realms/shop"
        told = only(diagnose(ag.GateConfig(issuers=[ag.Issuer.keycloak(realm, audience="orders-api")])))

        assert ("keys of keycloak", "failed") == told[:2]
        assert f"nothing is at {realm}/protocol/openid-connect/certs" in told[3]

    def test_another_name(self, diagnose: Diagnose) -> None:
        """The document there is of an issuer that calls itself otherwise."""
        with FakeIssuer(url="https://id.example.com/", algorithm="EdDSA") as served:
            address = served.jwks_url.removesuffix("/jwks")
            told = only(diagnose(of(served, address)))

        assert ("keys of id", "failed") == told[:2]
        assert "of issuer 'https://id.example.com/'" in told[2]
        assert "byte for byte" in told[3]

    def test_keys_of_another_kind(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Law 3.2: none of its keys is for an algorithm that is allowed."""
        told = only(diagnose(of(issuer, issuer_algorithms=["RS256"])))

        assert ("keys of id", "failed") == told[:2]
        assert "allow an algorithm of the keys it has" in told[3]

    def test_a_key_that_is_of_no_use(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Law 4.8: a bad key beside a good one is worth a word."""
        keys = [*issuer.jwks()["keys"], {"kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"}]
        issuer.answer(json.dumps({"keys": keys}).encode(), paths=["/jwks"])
        told = only(diagnose(of(issuer)))

        assert ("keys of id", "warning") == told[:2]
        assert "have the issuer publish a key that can be used, or leave it out" == told[3]

    @pytest.mark.parametrize(
        ("away", "state"), [(3600.0, "failed"), (-3600.0, "failed"), (20.0, "warning"), (-20.0, "warning")]
    )
    def test_a_clock_that_is_wrong(self, issuer: FakeIssuer, away: float, state: str) -> None:
        """Law 3.7: a clock that is further away than the leeway has new tokens refused; half of that is said."""

        class Wrong(SystemClock):
            def now(self) -> Instant:
                now = super().now()
                return Instant(now.wall + away, now.mono)

        findings = [*examine(of(issuer), Wrong())]
        (found,) = [finding for finding in findings if finding.check == "clock of id"]

        assert state == found.state
        assert ("behind" if away > 0 else "ahead of") in found.text
        assert "NTP" in found.fix

    def test_credentials_that_the_issuer_refuses(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Introspection is tried with a token that nobody issued, and a secret that is not ours is found."""
        asking = ag.Introspection(issuer.introspection_url, ag.ClientSecret("orders", "another-secret"))
        told = only(diagnose(of(issuer, issuer_introspection=asking)))

        assert ("introspection by id", "failed") == told[:2]
        assert "the client 'orders' was refused" in told[2]
        assert "compare client_id and secret" in told[3]
        assert "another-secret" not in str(told)

    @pytest.mark.parametrize("trouble", ["outage", "yes"])
    def test_an_endpoint_that_cannot_be_believed(
        self, issuer: FakeIssuer, diagnose: Diagnose, trouble: str
    ) -> None:
        """Introspection that is down, or that calls everything active."""
        answer = b"" if trouble == "outage" else b'{"active": true}'
        issuer.answer(answer, status=503 if trouble == "outage" else 200, paths=["/introspect"])
        asking = ag.Introspection(issuer.introspection_url, ag.ClientSecret("orders", SECRET))
        told = only(diagnose(of(issuer, issuer_introspection=asking)))

        assert ("introspection by id", "failed") == told[:2]
        assert (
            "see that the URL is right" if trouble == "outage" else "see that the URL is the issuer's"
        ) in told[3]

    def test_redis_that_is_not_there(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Nobody listens at the address of Redis."""
        redis = ag.RedisRevocation(f"redis://127.0.0.1:{closed_port()}")
        told = only(diagnose(of(issuer, revocation=redis)))

        assert ("revocation", "failed") == told[:2]
        assert "Redis does not answer" in told[2]
        assert "see that it runs at that address, and that this machine reaches it" == told[3]

    def test_redis_with_another_password(
        self, issuer: FakeIssuer, diagnose: Diagnose, valkey_url: str, prefix: str, shared_valkey: Any
    ) -> None:
        """The password in the URL is not the user's, and is shown nowhere."""
        shared_valkey.client().execute_command("ACL", "SETUSER", prefix, "on", ">right-one", "~*", "+@all")
        url = valkey_url.replace("redis://", f"redis://{prefix}:wrong-one@")
        told = only(diagnose(of(issuer, revocation=ag.RedisRevocation(url, prefix=prefix))))

        assert ("revocation", "failed") == told[:2]
        assert "compare user and password in its URL with the server's" == told[3]
        assert "wrong-one" not in str(told)

    def test_redis_that_evicts(
        self, issuer: FakeIssuer, diagnose: Diagnose, start_valkey: Callable[..., Any]
    ) -> None:
        """Law 5.10: what is dropped for want of memory is no longer revoked."""
        redis = ag.RedisRevocation(start_valkey(maxmemory_policy="allkeys-lru").url)
        told = only(diagnose(of(issuer, revocation=redis)))

        assert ("revocation", "warning") == told[:2]
        assert "maxmemory-policy is allkeys-lru" in told[2]
        assert "CONFIG SET maxmemory-policy noeviction" in told[3]

    @pytest.mark.parametrize(
        ("granted", "begun", "state", "text"),
        [
            ("+ping +info +mget +exists +set +eval +get", False, "ok", "may check and revoke"),
            ("+ping +info +get +mget +exists", True, "warning", "may check and not revoke (no EVAL, SET)"),
            ("+ping +info +get +mget +exists", False, "failed", "nobody has begun to keep revocations there"),
            ("+ping +info +get +set +eval", True, "failed", "may not run EXISTS, MGET"),
            (
                "+ping +get +mget +exists +set +eval",
                True,
                "warning",
                "maxmemory-policy is not told to its user",
            ),
        ],
    )
    def test_what_its_user_may_do(
        self,
        issuer: FakeIssuer,
        diagnose: Diagnose,
        own_valkey: Any,
        *,
        granted: str,
        begun: bool,
        state: str,
        text: str,
    ) -> None:
        """A user who may check and not revoke is said to be that; one who may not even check is a fault."""
        client = own_valkey.client()
        client.execute_command(
            "ACL", "SETUSER", "gate", "on", ">pw", "~authgate:*", "+hello", *granted.split()
        )
        if begun:
            client.set("authgate:epoch", "e")
        url = own_valkey.url.replace("redis://", "redis://gate:pw@")
        code, findings = diagnose(of(issuer, revocation=ag.RedisRevocation(url)))
        (found,) = [finding for finding in findings if text in finding.text]

        assert ("revocation", state) == (found.check, found.state)
        assert (state == "failed") == (code == 1)
        assert (state == "ok") == (found.fix == "")

    def test_a_gateway_that_could_be_anyone(self, diagnose: Diagnose) -> None:
        """Law 2.7: a network that holds more than the gateway."""
        code, findings = diagnose(ag.GateConfig(gateway=ag.Gateway.kong(peers=["10.0.0.0/8"])))

        assert 0 == code
        assert [
            "whoever has an address in 10.0.0.0/8 may say who calls",
            "in ASGI a request with a forwarding header has no peer, and is refused",
            "in WSGI X_User_ID and X-User-ID are one header, so unsigned ones are refused",
        ] == [finding.text for finding in sick((code, findings)) if finding.check == "proxy headers"]

    def test_a_proxy_that_is_not_configured(
        self, issuer: FakeIssuer, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 4.9: a proxy of the environment is named as one that the gate does not use."""
        monkeypatch.setenv("https_proxy", "http://user:password@proxy.example.com:3128")
        told = only(diagnose(of(issuer)))

        assert (
            "proxy",
            "warning",
            "HTTPS_PROXY is set, which the gate's own requests do not follow",
            "write proxy= in GateConfig if issuers are reached through it only",
        ) == told

    def test_memory_of_one_process(self, issuer: FakeIssuer, diagnose: Diagnose) -> None:
        """Law 5.6: revocations that another worker does not see."""
        told = only(diagnose(of(issuer, revocation=ag.MemoryRevocation())))

        assert ("revocation_in_memory of memory", "warning") == told[:2]
        assert "give RedisRevocation(url)" in told[3]


class TestMercury:
    @pytest.fixture
    def mercury(self) -> Iterator[FakeMercury]:
        """A Mercury with its own project alone."""
        with FakeMercury() as served:
            yield served

    def _config(self, mercury: FakeMercury, secret: str, redis: str, tenants: object = None) -> ag.GateConfig:
        issuer = ag.Issuer.mercury(
            mercury.url,
            signing_secret=mercury.secret,
            audience=mercury.audience,
            fallback_tenant=mercury.nexus_id,
            tenants=tenants,  # type: ignore[arg-type]  # as a test gives it
        )
        projects = ag.RemoteProjects(mercury.url, signing_secret=secret, service_id=mercury.service_id)
        return ag.GateConfig(
            issuers=[issuer], projects=projects, revocation=ag.RedisRevocation(redis, layout="mercury")
        )

    def test_well(self, mercury: FakeMercury, diagnose: Diagnose, valkey_url: str) -> None:
        """Its key sets, its directory and its Redis are looked at, each by its own contract."""
        code, findings = diagnose(self._config(mercury, mercury.secret, valkey_url))
        checks = [finding.check for finding in findings]

        assert (0, []) == (code, sick((code, findings)))
        assert f"keys of mercury, tenant {mercury.nexus_id}" in checks
        assert "keys of mercury (projects)" in checks
        assert "projects of Mercury" in checks
        assert 3 == checks.count("revocation, Mercury's")

    def test_another_signing_secret(self, mercury: FakeMercury, diagnose: Diagnose, valkey_url: str) -> None:
        """A secret that is not Mercury's is found without a project's credentials."""
        told = only(diagnose(self._config(mercury, "another-shared-secret-of-ours", valkey_url)))

        assert ("projects of Mercury", "failed") == told[:2]
        assert "compare signing_secret= and this machine's clock with Mercury's" == told[3]

    def test_down(self, mercury: FakeMercury, diagnose: Diagnose, valkey_url: str) -> None:
        """A Mercury that is down is said of everything that rests on it."""
        mercury.outage()
        code, findings = diagnose(self._config(mercury, mercury.secret, valkey_url))

        assert 1 == code
        assert {"keys of mercury (projects)", "projects of Mercury"} <= {
            f.check for f in sick((code, findings))
        }

    def test_tenants_by_a_function(self, mercury: FakeMercury, diagnose: Diagnose, valkey_url: str) -> None:
        """Whose keys a function says are served cannot be known."""
        config = self._config(mercury, mercury.secret, valkey_url, tenants=lambda _tenant: True)

        assert "which tenants are served is said by a function; none of their key sets was fetched" in [
            finding.text for finding in diagnose(config)[1]
        ]


class TestOtherParts:
    def test_an_auth_service(self, diagnose: Diagnose) -> None:
        """Sessions cannot be tried without a token, and API keys can with one that was made up."""
        with FakeAuthService() as service:
            config = ag.GateConfig(
                issuers=[ag.Issuer.auth_service(service.url, audience="orders-api")],
                api_keys=ag.ApiKeys.auth_service(service.url),
            )
            code, findings = diagnose(config)
            service.outage()
            later = diagnose(config)

        assert 0 == code
        assert {"sessions of auth_service", "API keys of auth_service"} <= {
            finding.check for finding in findings
        }
        assert "API keys of auth_service" in [finding.check for finding in sick(later)]

    def test_an_apex(self, diagnose: Diagnose) -> None:
        """An apex has no keys, and is asked whose a made-up token is."""
        with FakeApex() as apex:
            config = ag.GateConfig(issuers=[ag.Issuer.apex(apex.url, audience=ag.ANY_AUDIENCE)])
            code, findings = diagnose(config)
            apex.outage()
            later = diagnose(config)

        assert (0, []) == (code, sick((code, findings)))
        assert ("introspection by apex", "ok") in [(finding.check, finding.state) for finding in findings]
        assert ("introspection by apex", "failed") in [(finding.check, finding.state) for finding in later[1]]

    def test_static_keys(self, diagnose: Diagnose) -> None:
        """Keys of the configuration need nobody."""
        fake = FakeIssuer(algorithm="EdDSA")
        trusted = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience="a", name="id")
        code, findings = diagnose(ag.GateConfig(issuers=[trusted], proxy="http://127.0.0.1:3128"))

        assert (0, []) == (code, sick((code, findings)))
        assert "1 of the configuration" in [finding.text for finding in findings]

    def test_replays_and_keys_in_redis(self, issuer: FakeIssuer, diagnose: Diagnose, own_valkey: Any) -> None:
        """What is used once and what API keys are need a user who may write."""
        client = own_valkey.client()
        client.execute_command(
            "ACL", "SETUSER", "gate", "on", ">pw", "~*", "+hello", "+ping", "+info", "+get"
        )
        url = own_valkey.url.replace("redis://", "redis://gate:pw@")
        code, findings = diagnose(of(issuer, replays=ag.RedisReplays(url), api_keys=ag.ApiKeys.redis(url)))
        told = {(finding.check, finding.text) for finding in sick((code, findings))}

        assert 1 == code
        assert {("replays", "its user may not run SET"), ("API keys", "its user may not run SET")} == told

    def test_a_slow_server(
        self, issuer: FakeIssuer, diagnose: Diagnose, valkey_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 5.4: an answer that comes later than a request waits is a fault."""
        redis = ag.RedisRevocation(valkey_url)
        monkeypatch.setattr(examining, "REPLY_LIMIT", 1e-9)
        assert ("revocation", "failed") == only(diagnose(of(issuer, revocation=redis)))[:2]

        monkeypatch.setattr(examining, "_timed", lambda _wire: 0.03)
        monkeypatch.setattr(examining, "REPLY_LIMIT", 0.1)
        told = only(diagnose(of(issuer, revocation=redis)))
        assert ("revocation", "warning", "answers in 30.0 ms, which every request waits for") == told[:3]

    def test_an_asyncio_client(self, issuer: FakeIssuer, diagnose: Diagnose, valkey_url: str) -> None:
        """A client that only a loop can use is not asked, and that is said."""
        from redis.asyncio import Redis

        client = Redis.from_url(valkey_url, socket_timeout=0.5, socket_connect_timeout=0.5)
        code, findings = diagnose(of(issuer, revocation=ag.RedisRevocation(client, accept_slow_client=True)))

        assert 0 == code
        assert any("an asyncio client" in finding.text for finding in findings)

    def test_a_slow_issuer(
        self, issuer: FakeIssuer, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys that take longer than a request waits for them."""
        told = only(diagnose(of(issuer, key_wait=1e-6)))

        assert ("keys of id", "warning") == told[:2]
        assert "call warm_up() before the first request" in told[3]
