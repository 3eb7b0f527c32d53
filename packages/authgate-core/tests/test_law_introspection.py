"""Tokens that their issuer is asked about: RFC 7662 and 9701, in both colours, over real HTTP (Laws 1.5, 4.9, 7.4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock, SigningKey
from tests.support.gates import Face, bearer, face, view

CLIENT = ag.ClientSecret("orders-api", "s3cr\u00e9t:with/colon")
EVERYONE = ag.is_user | ag.is_service
Make = Callable[..., Face]


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="fake")
def _fake(clock: ManualClock) -> Iterator[FakeIssuer]:
    with FakeIssuer(clock=clock) as fake:
        fake.desk.clients["orders-api"] = "s3cr\u00e9t:with/colon"
        yield fake


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="heard")
def _heard() -> list[Decided | Notice]:
    return []


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str, clock: ManualClock, heard: list[Decided | Notice]) -> Iterator[Make]:
    made: list[Face] = []

    def make(
        asking: dict[str, Any] | None = None, *, issuer: dict[str, Any] | None = None, **options: Any
    ) -> Face:
        spec = ag.Introspection(fake.introspection_url, **{"client": CLIENT, **(asking or {})})
        given = {"audience": fake.audience, "name": "id", "introspection": spec, **(issuer or {})}
        trusted = ag.Issuer.oidc(fake.url, **given)
        config = ag.GateConfig(issuers=[trusted], on_event=heard.append, **options)
        made.append(face(colour, config, clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def answer(fake: FakeIssuer, **members: object) -> None:
    """Have the endpoint say this, whatever it is asked."""
    plain = {"active": True, "token_type": "Bearer", **fake.claims("u1")}
    said = {name: value for name, value in {**plain, **members}.items() if value is not ABSENT}
    fake.answer(json.dumps(said).encode(), paths=["/introspect"])


class TestOpaqueTokens:
    def test_a_user(self, make: Make, fake: FakeIssuer) -> None:
        """What the endpoint says of an active token is read like the claims of a JWT."""
        token = fake.opaque_token("u1", scope="orders:read orders:write", roles=["buyer"], email="u@x.test")
        user = make().verify_token(token, ag.is_user & ag.all_scopes("orders:read")).user
        assert ("u1", ("buyer",), "u@x.test") == (user.id, user.roles, user.email)
        assert user["scope"] == "orders:read orders:write"
        assert "active" not in user.claims
        assert [{"token": token, "token_type_hint": "access_token"}] == fake.desk.asked

    def test_in_a_request(self, make: Make, fake: FakeIssuer) -> None:
        """It comes as every Bearer token does."""
        assert "u1" == make().admit(view(bearer(fake.opaque_token())), ag.is_user).user.id

    def test_jwts_beside_them(self, make: Make, fake: FakeIssuer) -> None:
        """Issue 6: side by side in one gate; a JWT is verified here, and nobody is asked about it."""
        gate = make()
        assert "jwt" == gate.verify_token(fake.token("jwt")).user.id
        assert "opaque" == gate.verify_token(fake.opaque_token("opaque")).user.id
        assert 1 == fake.hits["/introspect"]

    def test_a_bad_jwt_is_not_asked_about(self, make: Make, fake: FakeIssuer) -> None:
        """Law 2.1: what is invalid falls through to nothing, whatever the endpoint would say of it."""
        gate = make()
        for token in (
            fake.token(expires_in=-3600),
            fake.token()[:-8] + "AAAAAAAA",
            "eyJhbGciOiJSUzI1NiJ9.e30.AA",
        ):
            fake.desk.know(token, {**fake.claims("u1"), "token_type": "Bearer"})
            with pytest.raises(ag.InvalidToken):
                gate.verify_token(token)
        assert 0 == fake.hits["/introspect"]

    @pytest.mark.parametrize("text", ["", " ", "a b", "a\x00b", "\u00e4", "\ud800", "x" * 16_385])
    def test_nobody_is_asked_about_what_can_be_no_token(
        self, make: Make, fake: FakeIssuer, text: str
    ) -> None:
        """Laws 2.4, 3.11: it is a bad token, whatever the endpoint would say of it."""
        gate = make()
        answer(fake)
        with pytest.raises(ag.MalformedToken):
            gate.verify_token(text)
        assert 0 == fake.hits["/introspect"]

    def test_without_introspection_they_are_malformed(self, fake: FakeIssuer, colour: str) -> None:
        """As ever."""
        gate = face(colour, ag.GateConfig(issuers=[ag.Issuer.oidc(fake.url, audience=fake.audience)]))
        with pytest.raises(ag.MalformedToken):
            gate.verify_token(fake.opaque_token())
        gate.close()

    def test_an_issuer_without_a_name(
        self, make: Make, fake: FakeIssuer, clock: ManualClock, colour: str
    ) -> None:
        """Law 3.5: ``issuer=None`` admits what names none, also by the word of an endpoint."""
        spec = ag.Introspection(fake.introspection_url, CLIENT)
        issuer = ag.Issuer.jwks(fake.jwks_url, issuer=None, audience=fake.audience, introspection=spec)
        gate = face(colour, ag.GateConfig(issuers=[issuer]), clock)
        assert "u1" == gate.verify_token(fake.opaque_token(iss=ABSENT)).user.id
        with pytest.raises(ag.InvalidClaim, match="iss"):
            gate.verify_token(fake.opaque_token())
        gate.close()

    def test_a_user_who_may_not_act(self, fake: FakeIssuer, clock: ManualClock, colour: str) -> None:
        """Is known and barred, where the issuer says so of users: 403."""
        spec = ag.Introspection(fake.introspection_url, CLIENT)
        plain = ag.Issuer.oidc(fake.url, audience=fake.audience, introspection=spec)
        issuer = replace(plain, mapping=replace(plain.mapping, active="is_active"))
        gate = face(colour, ag.GateConfig(issuers=[issuer]), clock)
        with pytest.raises(ag.AuthorizationError):
            gate.verify_token(fake.opaque_token(is_active=False))
        assert "u1" == gate.verify_token(fake.opaque_token(is_active=True)).user.id
        gate.close()

    def test_one_that_is_not_active(self, make: Make, fake: FakeIssuer) -> None:
        """Unknown, expired or revoked: the endpoint says no more, and neither does the gate."""
        gate = make()
        token = fake.opaque_token()
        fake.desk.forget(token)
        for text in (token, "made-up"):
            with pytest.raises(ag.TokenInactive) as caught:
                gate.verify_token(text)
            assert ("token_invalid", "id") == (caught.value.public_code, caught.value.issuer)


class TestJwts:
    """Where ``jwts=True`` has the issuer asked about its JWTs as well."""

    def test_they_are_asked_about(self, make: Make, fake: FakeIssuer) -> None:
        """A session that ended is seen at once, at the price of a question."""
        gate = make({"jwts": True, "opaque": False})
        token = fake.token("u1")
        fake.desk.know(token, {**fake.claims("u1"), "token_type": "Bearer"})
        assert "u1" == gate.verify_token(token).user.id
        other = fake.token("u2")
        with pytest.raises(ag.TokenInactive):
            gate.verify_token(other)
        assert 0 == fake.hits["/jwks"]

    def test_of_their_issuer_only(self, make: Make, fake: FakeIssuer) -> None:
        """Law 3.5: whose token it is selects who is asked, and an opaque one is nobody's here."""
        gate = make({"jwts": True, "opaque": False})
        with pytest.raises(ag.UnknownIssuer):
            gate.verify_token(fake.token(iss="https://other.test"))
        with pytest.raises(ag.MalformedToken):
            gate.verify_token(fake.opaque_token())
        assert 0 == fake.hits["/introspect"]

    def test_an_endpoint_that_does_not_introspect_them(
        self, make: Make, fake: FakeIssuer, heard: list[Decided | Notice]
    ) -> None:
        """Contracts 7: a mistake of the configuration, told as an alarm, and no "not active"."""
        gate = make({"jwts": True})
        fake.answer(b'{"error":"unsupported_token_type"}', status=400, paths=["/introspect"])
        for _ in range(10):
            with pytest.raises(ag.EndpointRefused, match="leave out jwts=True"):
                gate.verify_token(fake.token())
        assert [("endpoint_refused", "id", True)] == [
            (event.code, event.subject, event.alarm) for event in heard if isinstance(event, Notice)
        ]


class TestWhatIsSaid:
    """Law 1.5: a bad token is never an outage, and an outage never a bad token."""

    @pytest.mark.parametrize("active", ["true", 1, None, ABSENT, [], {}, "yes", 0, "false"])
    def test_active_is_strictly_true_or_false(self, make: Make, fake: FakeIssuer, active: object) -> None:
        """Whatever else is said of it is no answer."""
        answer(fake, active=active)
        with pytest.raises(ag.EndpointUnavailable, match="neither true nor false"):
            make().verify_token("opaque")

    @pytest.mark.parametrize(
        "members",
        [
            {"aud": "another-api"},
            {"aud": ABSENT},
            {"iss": "https://other.test"},
            {"token_type": "refresh_token"},
            {"token_type": ABSENT},
            {"typ": "ID"},
            {"cnf": {"jkt": "x"}},
            {"sub": ABSENT},
            {"sub": ""},
            {"exp": ABSENT},
            {"exp": "tomorrow"},
            {"exp": True},
            {"exp": 10**400},
            {"iat": 253402300799},
            {"nbf": 253402300799},
            {"events": {}},
            {"jti": 7},
        ],
    )
    def test_what_the_rules_do_not_allow_is_a_bad_token(
        self, make: Make, fake: FakeIssuer, members: dict[str, object]
    ) -> None:
        """The audience, the kind, the dates and all the rest are judged as those of a JWT (Laws 3.6 to 3.9, 3.15)."""
        answer(fake, **members)
        with pytest.raises(ag.InvalidClaim):
            make().verify_token("opaque")

    def test_another_clients_token(self, make: Make, fake: FakeIssuer) -> None:
        """Is refused where parties are named."""
        answer(fake, client_id="other-app")
        with pytest.raises(ag.InvalidClaim, match="azp"):
            make(issuer={"authorized_parties": ["shop-app"]}).verify_token("opaque")

    def test_one_that_has_expired(self, make: Make, fake: FakeIssuer) -> None:
        """An endpoint that calls it active all the same is not believed."""
        answer(fake, exp=int(fake.claims()["iat"]) - 31)
        with pytest.raises(ag.TokenExpired):
            make().verify_token("opaque")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"true",
            b"not json",
            b'{"active":true,"active":false}',
            b"\xff",
            b'{"a":' * 40 + b"1" + b"}" * 40,
        ],
    )
    def test_garbage(self, make: Make, fake: FakeIssuer, body: bytes) -> None:
        """Says nothing of the token."""
        fake.answer(body, paths=["/introspect"])
        with pytest.raises(ag.EndpointUnavailable, match="cannot be read"):
            make().verify_token("opaque")

    def test_an_error_page(self, make: Make, fake: FakeIssuer) -> None:
        """Law 4.9: HTML is refused by its type."""
        fake.html()
        with pytest.raises(ag.EndpointUnavailable, match="HTML"):
            make().verify_token("opaque")

    def test_a_huge_answer(self, make: Make, fake: FakeIssuer) -> None:
        """Law 4.9: half a megabyte at most."""
        fake.answer([b" " * 65536] * 9, paths=["/introspect"])
        with pytest.raises(ag.EndpointUnavailable, match="larger than"):
            make().verify_token("opaque")

    def test_a_slow_one(self, make: Make, fake: FakeIssuer) -> None:
        """Law 4.9: no longer than configured, and five seconds at most."""
        fake.slow(30.0)
        with pytest.raises(ag.EndpointUnavailable, match=r"within 0\.2 s"):
            make({"timeout": 0.2}).verify_token("opaque")

    @pytest.mark.parametrize("status", [204, 302, 404, 405, 429, 500, 502, 503])
    def test_another_status(self, make: Make, fake: FakeIssuer, status: int) -> None:
        """Is an outage, with what the endpoint says about when to come back."""
        fake.answer(b"", status=status, headers=[("Retry-After", "7")], paths=["/introspect"])
        with pytest.raises(ag.EndpointUnavailable, match=f"status {status}") as caught:
            make().verify_token("opaque")
        assert 7.0 == caught.value.retry_after

    def test_nobody_there(self, make: Make, fake: FakeIssuer) -> None:
        """And the issuer is named."""
        fake.outage(None)
        with pytest.raises(ag.EndpointUnavailable, match="no connection") as caught:
            make().verify_token("opaque")
        assert "id" == caught.value.issuer


class TestOurOwnCredentials:
    """Law 1.6: refused by the provider, they are an alarm and 503, and no storm of questions."""

    @pytest.mark.parametrize("status", [401, 403])
    def test_alarm(self, make: Make, fake: FakeIssuer, heard: list[Decided | Notice], status: int) -> None:
        """Of a wrong secret no caller is to blame."""
        fake.answer(b"{}", status=status, paths=["/introspect"])
        gate = make()
        for number in range(20):
            with pytest.raises(ag.EndpointUnavailable):
                gate.verify_token(f"opaque-{number}")
        assert 5 == fake.hits["/introspect"]
        alarms = [event.code for event in heard if isinstance(event, Notice) and event.alarm]
        assert ["endpoint_breaker_open", "endpoint_refused"] == sorted(alarms)

    def test_a_wrong_secret(self, make: Make, fake: FakeIssuer) -> None:
        """As the endpoint itself finds out."""
        with pytest.raises(ag.EndpointRefused, match="'orders-api' was refused"):
            make({"client": ag.ClientSecret("orders-api", "wrong")}).verify_token(fake.opaque_token())

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b'{"error":"invalid_client"}', "credentials are wrong"),
            (b"<", "with status 400"),
            (b"{}", "with status 400"),
        ],
    )
    def test_400(self, make: Make, fake: FakeIssuer, body: bytes, why: str) -> None:
        """The request itself was refused, which no caller can mend either."""
        fake.answer(body, status=400, paths=["/introspect"])
        with pytest.raises(ag.EndpointRefused, match=why):
            make().verify_token("opaque")

    def test_no_caller_opens_the_breaker(self, make: Make, fake: FakeIssuer) -> None:
        """By tokens that the endpoint does not introspect."""
        gate = make()
        fake.answer(b"{}", status=400, paths=["/introspect"])
        for number in range(10):
            with pytest.raises(ag.EndpointRefused):
                gate.verify_token(f"opaque-{number}")
        fake.recover()
        assert "u1" == gate.verify_token(fake.opaque_token()).user.id


class TestClients:
    @pytest.mark.parametrize("method", ["basic", "post"])
    def test_a_secret(self, make: Make, fake: FakeIssuer, method: Any) -> None:
        """In the header or in the form, encoded so that a colon in it is none (RFC 6749 section 2.3.1)."""
        client = ag.ClientSecret("orders-api", "s3cr\u00e9t:with/colon", method)
        assert "u1" == make({"client": client}).verify_token(fake.opaque_token()).user.id

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
    def test_a_key(self, make: Make, fake: FakeIssuer, algorithm: str) -> None:
        """Each question has an assertion of its own (RFC 7523)."""
        with FakeIssuer(algorithm=algorithm) as other:
            key: SigningKey = other.key()
            fake.desk.clients["key-client"] = key.public_pem().decode()
            client = ag.PrivateKeyJwt("key-client", key.private_pem(), algorithm, kid="k-1")
            gate = make({"client": client})
            assert ["u1", "u2"] == [gate.verify_token(fake.opaque_token(sub)).user.id for sub in ("u1", "u2")]

    def test_a_strangers_key(self, make: Make, fake: FakeIssuer) -> None:
        """Is refused like a wrong secret."""
        fake.desk.clients["key-client"] = fake.key().public_pem().decode()
        client = ag.PrivateKeyJwt("key-client", fake.stranger().private_pem())
        with pytest.raises(ag.EndpointRefused):
            make({"client": client}).verify_token(fake.opaque_token())


class TestMemory:
    def test_a_yes_for_thirty_seconds(self, make: Make, fake: FakeIssuer, clock: ManualClock) -> None:
        """Law 7.4."""
        gate, token = make(), fake.opaque_token()
        gate.verify_token(token)
        fake.desk.forget(token)
        clock.advance(29.9)
        assert "u1" == gate.verify_token(token).user.id
        clock.advance(0.1)
        with pytest.raises(ag.TokenInactive):
            gate.verify_token(token)
        assert 2 == fake.hits["/introspect"]

    def test_never_longer_than_the_token(self, make: Make, fake: FakeIssuer, clock: ManualClock) -> None:
        """Law 7.4: expiry is judged at every use, and ends what is remembered."""
        gate, token = make(issuer={"leeway": 0}), fake.opaque_token(expires_in=10)
        gate.verify_token(token)
        clock.advance(10.0)
        with pytest.raises(ag.TokenExpired):
            gate.verify_token(token)
        assert 2 == fake.hits["/introspect"]

    def test_a_no_for_five(self, make: Make, fake: FakeIssuer, clock: ManualClock) -> None:
        """Law 7.4: whoever repeats a made-up token asks nobody, and a new one is seen soon."""
        gate = make()
        for _ in range(3):
            with pytest.raises(ag.TokenInactive):
                gate.verify_token("early")
        assert 1 == fake.hits["/introspect"]
        fake.desk.know("early", {**fake.claims("u1"), "token_type": "Bearer"})
        clock.advance(5.0)
        assert "u1" == gate.verify_token("early").user.id

    def test_outages_are_not_remembered(self, make: Make, fake: FakeIssuer) -> None:
        """Law 7.3."""
        gate, token = make(), fake.opaque_token()
        fake.outage(500)
        with pytest.raises(ag.EndpointUnavailable):
            gate.verify_token(token)
        fake.recover()
        assert "u1" == gate.verify_token(token).user.id

    def test_a_yes_outlives_an_outage(self, make: Make, fake: FakeIssuer) -> None:
        """While it counts, nobody needs to be asked."""
        gate, token = make(), fake.opaque_token()
        gate.verify_token(token)
        fake.outage(None)
        assert "u1" == gate.verify_token(token).user.id

    def test_none_where_that_is_asked(self, make: Make, fake: FakeIssuer) -> None:
        """``remember=0`` has every request ask."""
        gate, token = make({"remember": 0}), fake.opaque_token()
        gate.verify_token(token)
        fake.desk.forget(token)
        with pytest.raises(ag.TokenInactive):
            gate.verify_token(token)

    def test_one_question_for_a_crowd(self, make: Make, fake: FakeIssuer) -> None:
        """Issue 6: single-flight for each token."""
        gate, token = make(), fake.opaque_token()
        fake.slow(0.3)
        with ThreadPoolExecutor(8) as pool:
            ids = [user.user.id for user in pool.map(gate.verify_token, [token] * 8)]
        assert ["u1"] * 8 == ids
        assert 1 == fake.hits["/introspect"]

    def test_revocation_is_asked_at_every_use(self, make: Make, fake: FakeIssuer) -> None:
        """Law 5.1: a remembered answer included; the token is named whole, though no part of it says so."""
        gate, token = make(revocation=ag.MemoryRevocation()), fake.opaque_token()
        gate.verify_token(token)
        gate.revoke("revoke_token", token)
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    @pytest.mark.parametrize("jti", ["j-1", ABSENT])
    def test_a_token_is_revoked_by_its_text(self, make: Make, fake: FakeIssuer, jti: object) -> None:
        """Law 5.6: by its ``jti`` where its issuer says one, else by its digest; another token is left alone."""
        gate = make(revocation=ag.MemoryRevocation())
        token, other = fake.opaque_token(jti=jti), fake.opaque_token()
        gate.revoke("revoke_token", token)
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)
        assert "u1" == gate.verify_token(other).user.id

    def test_a_jti_is_no_token(self, make: Make, fake: FakeIssuer) -> None:
        """What the issuer does not know as a token is taken for what names one."""
        gate = make(revocation=ag.MemoryRevocation())
        gate.revoke("revoke_token", "j-7")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(fake.opaque_token(jti="j-7"))

    def test_validators_run_at_every_use(self, make: Make, fake: FakeIssuer) -> None:
        """Law 7.1: a remembered answer is judged by all that judges a token."""
        verdicts = iter([None, ValueError("no more")])

        def judge(_claims: object) -> None:
            verdict = next(verdicts)
            if verdict is not None:
                raise verdict

        gate, token = make(issuer={"validators": [judge]}), fake.opaque_token()
        gate.verify_token(token)
        with pytest.raises(ag.InvalidClaim):
            gate.verify_token(token)

    def test_tenants_are_judged(self, make: Make, fake: FakeIssuer) -> None:
        """Law 4.13: at every use as well."""
        gate = make(issuer={"tenant": "org", "tenants": ["t1"]})
        assert "t1" == gate.verify_token(fake.opaque_token(org="t1")).user.tenant
        with pytest.raises(ag.InvalidClaim, match="tenant"):
            gate.verify_token(fake.opaque_token(org="t2"))


class TestSignedAnswers:
    """RFC 9701: an answer that is signed with the keys of the issuer, for this client and of this moment."""

    def test_good(self, make: Make, fake: FakeIssuer) -> None:
        """Both of a yes and of a no."""
        gate, token = make({"signed": True}), fake.opaque_token()
        assert "u1" == gate.verify_token(token).user.id
        with pytest.raises(ag.TokenInactive):
            gate.verify_token("made-up")

    def test_one_that_is_not_signed(self, make: Make, fake: FakeIssuer) -> None:
        """Is not believed where signed ones are asked for."""
        answer(fake)
        with pytest.raises(ag.EndpointUnavailable, match="not signed"):
            make({"signed": True}).verify_token("opaque")

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"iss": "https://other.test"}, "another issuer"),
            ({"aud": "another-client"}, "another client"),
            ({"aud": ["a", "b"]}, "another client"),
            ({"iat": ABSENT}, "not of this moment"),
            ({"iat": True}, "not of this moment"),
            ({"token_introspection": "active"}, "holds no token_introspection"),
            ({"token_introspection": {"active": "true"}}, "neither true nor false"),
            ({"token_introspection": ABSENT, "active": True}, "holds no token_introspection"),
        ],
    )
    def test_others(self, make: Make, fake: FakeIssuer, change: dict[str, Any], why: str) -> None:
        """Say nothing of the token: an outage."""
        self.lie(fake, **change)
        with pytest.raises(ag.EndpointUnavailable, match=why):
            make({"signed": True}).verify_token("opaque")

    @pytest.mark.parametrize("seconds", [-91, 31])
    def test_old_and_future_ones(self, make: Make, fake: FakeIssuer, seconds: int) -> None:
        """A yes of yesterday is not replayed today."""
        self.lie(fake, iat=int(fake.claims()["iat"]) + seconds)
        with pytest.raises(ag.EndpointUnavailable, match="not of this moment"):
            make({"signed": True}).verify_token("opaque")

    def test_a_wrong_signature(self, make: Make, fake: FakeIssuer) -> None:
        """Is an outage, for what is wrong is the answer and not the token."""
        self.lie(fake, stranger=True)
        with pytest.raises(ag.EndpointUnavailable, match="signature"):
            make({"signed": True}).verify_token("opaque")

    @pytest.mark.parametrize(
        "header", [{"typ": "at+jwt"}, {"typ": ABSENT}, {"alg": "none"}, {"alg": "HS256"}, {"kid": "unknown"}]
    )
    def test_other_headers(self, make: Make, fake: FakeIssuer, header: dict[str, object]) -> None:
        """An access token is no answer, and an algorithm has to be on the list (Law 3.2)."""
        self.lie(fake, header=header)
        with pytest.raises(ag.EndpointUnavailable, match="not good"):
            make({"signed": True}).verify_token("opaque")

    def test_keys_that_cannot_be_had(self, make: Make, fake: FakeIssuer) -> None:
        """Are an outage of the keys."""
        self.lie(fake)
        fake.drop_key(fake.kid)
        with pytest.raises(ag.AuthUnavailable):
            make({"signed": True}, key_wait=0.5).verify_token("opaque")

    def lie(
        self,
        fake: FakeIssuer,
        *,
        stranger: bool = False,
        header: dict[str, object] | None = None,
        **change: object,
    ) -> None:
        """Have the endpoint give this signed answer."""
        said = {"active": True, "token_type": "Bearer", **fake.claims("u1")}
        claims = {"iss": fake.url, "aud": "orders-api", "iat": said["iat"], "token_introspection": said}
        named: Any = {"typ": "token-introspection+jwt", **(header or {})}
        whole = {name: value for name, value in {**claims, **change}.items() if value is not ABSENT}
        text = fake.raw_token(
            json.dumps({k: v for k, v in {**fake.header(), **named}.items() if v is not ABSENT}).encode(),
            json.dumps(whole).encode(),
        )
        if stranger:
            message = text.rpartition(".")[0]
            text = f"{message}.{fake.token().rpartition('.')[2]}"
        fake.answer(text.encode(), content_type="application/token-introspection+jwt", paths=["/introspect"])


class TestConfiguration:
    """Law 1.6: what is wrong is said when the gate is built, and no secret with it."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"url": "http://id.example.com/introspect"}, "is not https"),
            ({"url": 7}, "is not a URL"),
            ({"client": "orders-api"}, "give ClientSecret or PrivateKeyJwt"),
            ({"client": ag.ClientSecret("", "s")}, "client_id is empty"),
            ({"client": ag.ClientSecret("a", " ")}, "secret is empty"),
            ({"client": ag.ClientSecret("a", "\ud800")}, "secret is empty"),
            ({"client": ag.ClientSecret("\udfff", "s")}, "client_id is empty"),
            ({"client": ag.ClientSecret("a", "s", "get")}, "neither 'basic' nor 'post'"),  # type: ignore[arg-type]
            ({"client": ag.PrivateKeyJwt("a", "no key")}, "no private key in PEM"),
            ({"client": ag.PrivateKeyJwt("a", {"kty": "RSA"})}, "no JWK"),
            ({"client": ag.PrivateKeyJwt("a", "x", "HS256")}, "no algorithm that a private key signs with"),
            ({"opaque": False}, "asks about no token"),
            ({"remember": 31}, "not between 0 and 30"),
            ({"remember": True}, "not between 0 and 30"),
            ({"timeout": 5.1}, "not between 0.01 and 5"),
            ({"opens_after": 6}, "not between 1 and 5"),
            ({"longest_rest": 2.1}, "not between 0.01 and 2"),
        ],
    )
    def test_mistakes(self, change: dict[str, Any], said: str) -> None:
        """One sentence each."""
        given = {"url": "https://id.test/introspect", "client": CLIENT, **change}
        issuer = ag.Issuer.oidc("https://id.test", audience="a", introspection=ag.Introspection(**given))
        with pytest.raises(ag.ConfigurationError, match=said) as caught:
            ag.Gate(ag.GateConfig(issuers=[issuer]))
        assert "s3cret" not in str(caught.value)

    def test_something_else(self) -> None:
        """In the place of an ``Introspection``."""
        issuer = ag.Issuer.oidc("https://id.test", audience="a", introspection="https://id.test")  # type: ignore[arg-type]
        with pytest.raises(ag.ConfigurationError, match="introspection: give Introspection"):
            ag.Gate(ag.GateConfig(issuers=[issuer]))

    def test_one_issuer_of_opaque_tokens(self) -> None:
        """Law 3.5: such a token does not say whose it is."""
        spec = ag.Introspection("https://id.test/introspect", CLIENT)
        issuers = [
            ag.Issuer.oidc(f"https://{name}.test", audience="a", introspection=spec, namespace=name)
            for name in ("a", "b")
        ]
        with pytest.raises(ag.ConfigurationError, match="write opaque=False for all but one"):
            ag.Gate(ag.GateConfig(issuers=issuers))

    @pytest.mark.parametrize("option", ["signed", "jwts"])
    def test_an_issuer_without_a_name(self, option: str) -> None:
        """Nothing would say that a signed answer or a JWT is its own."""
        spec = ag.Introspection("https://id.test/introspect", CLIENT, **{option: True})
        issuer = ag.Issuer.jwks("https://id.test/jwks", issuer=None, audience="a", introspection=spec)
        with pytest.raises(ag.ConfigurationError, match="this one has issuer=None"):
            ag.Gate(ag.GateConfig(issuers=[issuer]))

    def test_nothing_shows_the_secret(self) -> None:
        """Law 2.5."""
        spec = ag.Introspection("https://id.test/introspect", CLIENT)
        assert "s3cret" not in repr(spec) + str(spec) + repr(ag.PrivateKeyJwt("a", "s3cret"))
