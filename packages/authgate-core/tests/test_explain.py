"""``gate.explain``: every rule for a token, in both colours, and nobody is sent the token."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.flows.explain import Explanation
from authgate_core.jose.ruling import Rule
from authgate_core.testing import ABSENT, FakeAuthService, FakeIssuer, ManualClock
from authgate_core.testing.auth_service import KEYS_PATH

Explain = Callable[..., Explanation]


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> Iterator[FakeIssuer]:
    """An issuer that is asked for its keys."""
    with FakeIssuer(audience="orders-api", algorithm="EdDSA", clock=clock) as served:
        yield served


@pytest.fixture
def explain(issuer: FakeIssuer, clock: ManualClock, colour: str) -> Explain:
    """Has a new gate of each colour explain a token; takes options of the issuer, or whole settings."""

    def explained(token: str, *, settings: dict[str, Any] | None = None, **options: Any) -> Explanation:
        given = {
            "issuers": [ag.Issuer.oidc(issuer.url, **{"audience": "orders-api", "name": "id", **options})]
        }
        config = ag.GateConfig(**{**given, **(settings or {})})
        return explained_by(config, clock, colour, token)

    return explained


def explained_by(config: ag.GateConfig, clock: ManualClock, colour: str, token: str) -> Explanation:
    """How a gate of a colour explains a token."""
    if colour == "sync":
        with ag.Gate(config, clock=clock) as gate:
            return gate.explain(token)

    async def run() -> Explanation:
        async with ag.AsyncGate(config, clock=clock) as gate:
            return await gate.explain(token)

    return asyncio.run(run())


def rule(explanation: Explanation, name: str) -> Rule:
    """The rule of this name."""
    (found,) = [one for one in explanation.rules if one.name == name]
    return found


def broken(explanation: Explanation) -> list[str]:
    """The names of the rules that are broken."""
    return [one.name for one in explanation.rules if one.verdict == "broken"]


class TestAGoodToken:
    def test_keeps_every_rule(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Each rule says what is expected and what is there, and the token speaks of somebody."""
        told = explain(issuer.token("u1"))
        names = "form issuer header alg typ key signature iss aud kind jti nbf iat auth_time exp principal revocation"

        assert names.split() == [one.name for one in told.rules]
        assert ("accepted", None, "id") == (told.verdict, told.code, told.issuer)
        assert told.principal is not None
        assert "u1" == told.principal.id
        assert ("'orders-api'", "'orders-api'") == (rule(told, "aud").expected, rule(told, "aud").actual)
        assert "2027-01-15 08:05:00Z, 300 s ahead" == rule(told, "exp").actual
        assert "later than 2027-01-15 07:59:30Z" == rule(told, "exp").expected

    def test_is_sent_nowhere(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Only keys are asked for."""
        explain(issuer.token("u1"))

        assert {"/.well-known/openid-configuration": 1, "/jwks": 1} == issuer.hits

    def test_that_its_issuer_is_asked_about(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Where the issuer is asked about each token, its answer counts; that stays open, and nobody is asked."""
        asking = ag.Introspection(issuer.introspection_url, ag.ClientSecret("c", "s" * 32), jwts=True)
        told = explain(issuer.token("u1", aud="other"), introspection=asking)

        assert ("open", ["form", "issuer", "introspection"]) == (
            told.verdict,
            [one.name for one in told.rules],
        )
        assert "sends the token nowhere" in told.rules[-1].reason
        assert not issuer.hits

    def test_an_opaque_token(self, explain: Explain, issuer: FakeIssuer) -> None:
        """What only the issuer can read stays open, and the issuer is not asked."""
        asking = ag.Introspection(issuer.introspection_url, ag.ClientSecret("c", "s" * 32))
        told = explain(issuer.opaque_token("u1"), introspection=asking)

        assert ("open", ["form"]) == (told.verdict, [one.name for one in told.rules])
        assert not issuer.hits

    def test_whose_session_is_asked_about(self, clock: ManualClock, colour: str) -> None:
        """Whether a session goes on is not asked either."""
        with FakeAuthService(clock=clock) as service:
            config = ag.GateConfig(issuers=[ag.Issuer.auth_service(service.url, audience=ag.ANY_AUDIENCE)])
            told = explained_by(config, clock, colour, service.token("u1"))

            assert "open" == rule(told, "session").verdict
            assert [KEYS_PATH] == [*service.hits]

    def test_bound_to_a_key(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Whether the sender holds the key is for each request to show."""
        dpop = {"dpop": ag.DPoP("https://api.example.com")}
        told = explain(issuer.token("u1", cnf={"jkt": "A" * 43}), confirmation="dpop", settings=dpop)

        assert ("kept", "'jkt', or none") == (rule(told, "cnf").verdict, rule(told, "cnf").expected)
        assert ("open", "open") == (told.verdict, rule(told, "proof").verdict)


class TestABadToken:
    @pytest.mark.parametrize(
        ("claims", "options", "name", "compared"),
        [
            ({"aud": "other"}, {}, "aud", ("'orders-api'", "'other'")),
            ({"aud": ABSENT}, {}, "aud", ("'orders-api'", "missing")),
            ({"token_use": "refresh"}, {}, "kind", ("an access token", "token_use 'refresh'")),
            ({"at_hash": "x"}, {}, "kind", ("an access token", "at_hash 'x'")),
            ({"cnf": {"jkt": "x"}}, {}, "cnf", ("none", "{'jkt': 'x'}")),
            ({"azp": "b"}, {"authorized_parties": ["a"]}, "azp", ("'a'", "azp 'b', client_id missing")),
            ({}, {"required_claims": ["org"]}, "org", ("there, and not null", "missing")),
            ({"jti": ""}, {}, "jti", ("a text, or none", "''")),
            (
                {"sub": ""},
                {},
                "principal",
                ("an id, and roles and scopes that can be read", "not to be had of these claims"),
            ),
            ({"exp": "soon"}, {}, "exp", ("later than 2027-01-15 07:59:30Z", "'soon'")),
            ({"aud": "\x1b[31m" + "x" * 99}, {}, "aud", ("'orders-api'", f"'\\x1b[31m{'x' * 55}...")),
        ],
    )
    def test_breaks_one_rule(
        self,
        explain: Explain,
        issuer: FakeIssuer,
        claims: dict[str, Any],
        options: dict[str, Any],
        name: str,
        compared: tuple[str, str],
    ) -> None:
        """The rule says what was expected and what is there, fit for a terminal; no other is broken by it."""
        told = explain(issuer.token(**{"sub": "u1", "aud": issuer.audience, **claims}), **options)

        assert [name] == broken(told)
        assert ("refused", "token_claim") == (told.verdict, told.code)
        assert compared == (rule(told, name).expected, rule(told, name).actual)

    def test_breaks_several(self, explain: Explain, issuer: FakeIssuer, clock: ManualClock) -> None:
        """Every broken rule is named, not the first alone; the code is that of the first, as the gate has it."""
        token = issuer.token("u1", aud="other", iat=clock.now().wall + 900, typ="ID", auth_time=True)
        told = explain(token, max_lifetime=60)

        assert ["aud", "kind", "iat", "auth_time", "lifetime"] == broken(told)

    def test_expired(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Its age is said in seconds."""
        told = explain(issuer.hostile.expired("u1", ago=600), max_lifetime=900)

        assert ["exp"] == broken(told)
        assert "token_expired" == told.code
        assert "2027-01-15 07:50:00Z, 600 s ago" == rule(told, "exp").actual

    def test_of_another_issuer(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Where there is but one issuer, all other rules are judged as its own, so that a slash too many is all."""
        told = explain(issuer.token("u1", iss=f"{issuer.url}/"))

        assert ["issuer", "iss"] == broken(told)
        assert "token_issuer_unknown" == told.code
        assert "kept" == rule(told, "signature").verdict

    def test_of_nobody(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Where there are several, nobody's rules are judged."""
        others = [ag.Issuer.oidc(f"https://{name}.test", audience="a", namespace=name) for name in "xy"]
        told = explain(issuer.token("u1"), settings={"issuers": others})

        assert ["form", "issuer"] == [one.name for one in told.rules]
        assert "'https://x.test' or 'https://y.test'" == rule(told, "issuer").expected

    def test_forged(self, explain: Explain, issuer: FakeIssuer) -> None:
        """A signature of somebody else is said, and who the token speaks of is not read."""
        told = explain(issuer.hostile.forged("u1"))

        assert ["signature"] == broken(told)
        assert ("open", None) == (rule(told, "principal").verdict, told.principal)

    def test_without_kid(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Without a kid every key that fits is tried."""
        assert "accepted" == explain(issuer.token("u1", kid=ABSENT)).verdict

    def test_without_kid_by_a_stranger(
        self, explain: Explain, issuer: FakeIssuer, clock: ManualClock
    ) -> None:
        """Of a token without a kid a stranger's signature is said as well."""
        stranger = FakeIssuer(url=issuer.url, audience="orders-api", algorithm="EdDSA", clock=clock)

        assert ["signature"] == broken(explain(stranger.token("u1", kid=ABSENT)))

    def test_no_token(self, explain: Explain) -> None:
        """What is no token at all breaks the first rule, and there are no others."""
        told = explain("a.b")

        assert (["form"], "token_malformed") == (broken(told), told.code)
        assert "3 characters, 2 segments" == rule(told, "form").actual

    def test_a_header_that_asks_for_more(self, explain: Explain, issuer: FakeIssuer) -> None:
        """A header that cannot be read leaves key and signature open."""
        told = explain(issuer.token("u1", headers={"crit": ["x"]}))

        assert ["header"] == broken(told)
        assert ("open", "open") == (rule(told, "key").verdict, rule(told, "principal").verdict)

    def test_no_such_key(self, explain: Explain, issuer: FakeIssuer) -> None:
        """A kid that nobody publishes is named."""
        told = explain(issuer.token("u1", kid="nobody's"))

        assert (["key"], "token_key_unknown") == (broken(told), told.code)
        assert 'kid "nobody\'s"' == rule(told, "key").actual


class TestAnOutage:
    def test_of_the_issuer(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Law 1.5: without keys the signature is open, not broken; the claims are judged all the same."""
        issuer.outage()
        told = explain(issuer.token("u1", aud="other"))

        assert ("open", ["aud"]) == (rule(told, "key").verdict, broken(told))
        assert "open" == explain(issuer.token("u1")).verdict

    def test_of_revocation(self, explain: Explain, issuer: FakeIssuer, colour: str) -> None:
        """A store that does not answer leaves revocation open."""
        told = explain(
            issuer.token("u1"), settings={"revocation": _store(colour, ag.RevocationUnavailable("down"))}
        )

        assert ("open", "down") == (rule(told, "revocation").verdict, rule(told, "revocation").reason)

    def test_of_a_validator(self, explain: Explain, issuer: FakeIssuer) -> None:
        """A validator that could not check leaves the principal open."""

        def check(_claims: object) -> None:
            raise ag.AuthUnavailable("directory down")

        told = explain(issuer.token("u1"), validators=[check])
        assert ("open", "directory down") == (rule(told, "principal").verdict, rule(told, "principal").reason)


class TestRevoked:
    def test_a_revoked_token(self, explain: Explain, issuer: FakeIssuer, colour: str) -> None:
        """Law 5.1: a good token that was revoked is refused as that."""
        told = explain(issuer.token("u1"), settings={"revocation": _store(colour, True)})

        assert (["revocation"], "token_revoked") == (broken(told), told.code)

    def test_a_user_who_may_not_act(self, issuer: FakeIssuer, clock: ManualClock, colour: str) -> None:
        """A user whom the issuer calls inactive is refused as that."""
        users = ag.Issuer.m8(issuer.jwks(), issuer=issuer.url, audience="orders-api", algorithms=["EdDSA"])
        asked: dict[str, Any] = {"type": "access", "role": "user", "email": "ada@example.com"}
        for active in (True, False):
            token = issuer.token(str(uuid.uuid4()), headers={"typ": "JWT"}, is_active=active, **asked)
            told = explained_by(ag.GateConfig(issuers=[users]), clock, colour, token)

            assert "kept" == rule(told, "signature").verdict
            assert (None if active else "user_inactive") == told.code


class TestTenants:
    def test_which_is_served(self, explain: Explain, issuer: FakeIssuer) -> None:
        """Law 3.12: the tenant is judged before its keys are looked for."""
        options: dict[str, Any] = {"tenant": "org", "tenants": ["acme"]}

        assert "kept" == rule(explain(issuer.token("u1", org="acme"), **options), "tenant").verdict
        for org in ("other", ABSENT):
            told = explain(issuer.token("u1", org=org), **options)
            assert (["tenant"], "token_claim") == (broken(told), told.code)


def _store(colour: str, answer: bool | BaseException) -> Any:
    """A revocation source of this colour that has one answer."""

    class Store:
        def is_revoked(self, _ref: object) -> bool:
            if isinstance(answer, BaseException):
                raise answer
            return answer

    class AsyncStore(Store):
        async def is_revoked(self, ref: object) -> bool:  # type: ignore[override]  # the other colour
            return super().is_revoked(ref)

    return Store() if colour == "sync" else AsyncStore()
