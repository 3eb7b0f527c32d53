"""What an m8's tokens must be, whom they speak of, and what its hooks are told (contracts of the m8 profile)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import jwt
import pytest

import authgate_core as ag
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from tests.support.gates import Asked, AsyncFace, Face, bearer, face, view

ADA = "7a1c0d6e-2f57-4b5b-9c4e-0123456789ab"
SECRET = "Shared-by_all-services-of-this-m8-0123456789"
RANKED = ag.RoleHierarchy.ranked("superadmin", "admin", "writer", "reader", "user")


class Heard:
    """Hooks that remember what they are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def on_success(self, *, jti: str, sub: str, token_type: str) -> None:
        self.told.append(("success", jti, sub, token_type))

    def on_failure(self, *, reason: str, token_type: str) -> None:
        self.told.append(("failure", reason, token_type))


class Broken(Heard):
    """Hooks that fail."""

    def on_success(self, **_told: str) -> None:
        raise RuntimeError("no disk")

    def on_failure(self, **_told: str) -> None:
        raise RuntimeError("no disk")


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of m8 and gate."""
    return ManualClock()


@pytest.fixture
def fake(clock: ManualClock) -> FakeIssuer:
    """Signs as an m8 does."""
    return FakeIssuer(clock=clock, url="https://users.example.com", algorithm="ES256")


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, fake: FakeIssuer, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it."""
    made: list[Face] = []

    def new(*, keys: Any = None, issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        given = {"issuer": fake.url, "audience": fake.audience, **(issuer or {})}
        trusted = ag.Issuer.m8(fake.jwks() if keys is None else keys, **given)
        made.append(face(colour, ag.GateConfig(**{"issuers": [trusted], **options}), clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


def token(fake: FakeIssuer, **claims: Any) -> str:
    """An access token of ours, with what it says of the user."""
    told = {"type": "access", "email": "ada@example.com", "is_active": True, "role": "writer", "sub": ADA}
    return fake.token(headers={"typ": "JWT"}, **{**told, **claims})


def refusal(gate: Face, presented: str, policy: ag.Policy = ag.is_user) -> ag.AuthgateError:
    """Why the gate does not admit the bearer of a token."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(view(bearer(presented)), policy)
    return caught.value


class TestUser:
    def test_who_it_is(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """A user with the id in ``sub`` and the one role of the token."""
        presented = token(fake, full_name="Ada Lovelace", is_superuser=False)

        user = make().admit(view(bearer(presented)), ag.is_user).user

        assert ("m8", ADA, "ada@example.com", ("writer",)) == (user.issuer, user.id, user.email, user.roles)
        assert ("Ada Lovelace", False) == (user["full_name"], user["is_superuser"])

    def test_a_role_is_one_name(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 8.5: none implies another by itself, and a token without one gives none."""
        gate = make()
        assert "forbidden" == refusal(gate, token(fake), ag.any_role("reader")).code
        assert () == gate.verify_token(token(fake, role=ABSENT)).user.roles

    def test_ranks_are_said_once(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """superadmin, admin, writer, reader, user: each implies what stands behind it, and nothing before."""
        gate = make(roles=RANKED)
        admission = gate.verify_token(token(fake))
        ranks = ("superadmin", "admin", "writer", "reader", "user")
        held = [rank for rank in ranks if admission.allows(ag.any_role(rank))]
        assert ["writer", "reader", "user"] == held

    @pytest.mark.parametrize(
        ("claim", "value"),
        [
            ("type", ABSENT),
            ("type", "refresh"),
            ("type", "Access"),
            ("jti", ABSENT),
            ("email", ABSENT),
            ("email", None),
            ("email", ""),
            ("email", 7),
            ("role", "root"),
            ("role", ["admin"]),
            ("role", "admin writer"),
            ("role", None),
            ("is_active", "true"),
            ("is_active", 1),
            ("is_active", None),
            ("is_superuser", 1),
            ("email_verified", "yes"),
            ("full_name", ["Ada"]),
            ("avatar", 3),
            ("sub", "ada"),
            ("sub", ADA.upper()),
            ("sub", None),
        ],
    )
    def test_what_no_m8_writes(
        self, make: Callable[..., Face], fake: FakeIssuer, claim: str, value: object
    ) -> None:
        """Law 3.9: a payload of another shape is a bad token, whoever signed it."""
        assert "token_claim" == refusal(make(), token(fake, **{claim: value})).code

    def test_no_leeway(self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock) -> None:
        """Law 5.8: its blacklist forgets a token at ``exp``, so the gate does too; unless it is set."""
        presented = token(fake)
        strict, lenient = make(), make(issuer={"leeway": 5.0})
        clock.advance(300)
        assert "token_expired" == refusal(strict, presented).code
        assert ADA == lenient.verify_token(presented).user.id


class TestKeys:
    def test_at_a_url(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """A text that begins like a URL is where the keys are."""
        with fake:
            gate = make(keys=fake.jwks_url)
            assert ADA == gate.admit(view(bearer(token(fake))), ag.is_user).user.id

    def test_a_shared_secret(self, make: Callable[..., Face], clock: ManualClock) -> None:
        """A ``Secret`` verifies HS256 and nothing else, here for a service that writes neither iss nor aud."""
        claims = {"sub": ADA, "jti": "j1", "type": "access", "email": "a@b.c", "exp": clock.now().wall + 60}
        gate = make(keys=ag.Secret(SECRET), issuer={"issuer": None, "audience": ag.ANY_AUDIENCE})
        assert ADA == gate.verify_token(jwt.encode(claims, SECRET, "HS256")).user.id
        other = jwt.encode(claims, SECRET + SECRET, "HS512")
        assert "token_algorithm" == refusal(gate, other).code

    def test_algorithms_of_others(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """RS256 and ES256 are what it signs with; others have to be named."""
        fake.rotate(algorithm="PS256")
        presented = token(fake)
        assert "token_algorithm" == refusal(make(), presented).code
        named = make(issuer={"algorithms": "PS256"})
        assert ADA == named.verify_token(presented).user.id

    def test_what_is_no_key(self) -> None:
        """Law 1.6: said when the gate is built."""
        with pytest.raises(ag.ConfigurationError, match="keys: is neither a PEM nor a JWKS document"):
            ag.Gate(ag.GateConfig(issuers=[ag.Issuer.m8("ftp://keys", issuer=None, audience="a")]))


class TestInactive:
    def test_known_and_barred(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """``is_active: false`` is 403: the token is good, the account is not; each time anew (Law 7.3)."""
        gate, presented = make(), token(fake, is_active=False)
        for _ in range(3):
            error = refusal(gate, presented)
            assert (403, "user_inactive", "m8") == (error.status, error.code, error.issuer)
        with pytest.raises(ag.UserInactive):
            gate.verify_token(presented)

    def test_nothing_said_is_active(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """A token that says nothing of it is good."""
        assert ADA == make().verify_token(token(fake, is_active=ABSENT)).user.id

    def test_a_bad_token_comes_first(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 2.3: expired or revoked is 401 whoever's it is, and what could not be checked 503."""
        presented = token(fake, is_active=False)
        for answer, code in ((True, "token_revoked"), (ag.RevocationUnavailable(), "revocation_unavailable")):
            gate = make_asking(make, answer)
            assert code == refusal(gate, presented).code
        clock.advance(400)
        assert "token_expired" == refusal(make(), presented).code

    def test_another_branch_may_admit(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Whom one branch bars another does not need."""
        projects = ag.StaticProjects({"shop": {"secret": SECRET}})
        headers = (
            bearer(token(fake, is_active=False)),
            ("x-app-id", "shop"),
            ("x-app-secret", SECRET),
        )
        admission = make(projects=projects).admit(view(*headers), ag.is_user | ag.is_project)
        assert "shop" == admission.project.id

    def test_only_there(self, fake: FakeIssuer, colour: str, clock: ManualClock) -> None:
        """The claim means nothing at other issuers."""
        plain = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience)
        gate = face(colour, ag.GateConfig(issuers=[plain]), clock)
        assert ADA == gate.verify_token(token(fake, is_active=False)).user.id
        gate.close()


def make_asking(make: Callable[..., Face], answer: bool | BaseException) -> Face:
    """A gate that asks a store about every token."""
    probe = make()
    return make(revocation=AskedLater(answer) if isinstance(probe, AsyncFace) else Asked(answer))


class AskedLater:
    """``Asked`` for asyncio."""

    def __init__(self, answer: bool | BaseException) -> None:
        self._asked = Asked(answer)

    async def is_revoked(self, ref: object) -> bool:
        return self._asked.is_revoked(ref)


class TestHooks:
    def test_of_whom_was_admitted(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """At each admission, also of a token that is remembered and where nobody logs."""
        heard = Heard()
        gate = make(issuer={"hooks": heard})
        presented = token(fake, jti="j-1")
        for _ in range(2):
            gate.admit(view(bearer(presented)), ag.is_user)
            gate.verify_token(presented)
        assert [("success", "j-1", ADA, "access")] * 4 == heard.told

    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"exp": 1}, "expired"),
            ({"type": "refresh"}, "wrong_type"),
            ({"token_use": "id"}, "wrong_type"),
            ({"email": 3}, "invalid_payload"),
            ({"role": "root"}, "invalid_payload"),
            ({"sub": "ada"}, "invalid_payload"),
            ({"aud": "others"}, "invalid"),
            ({"nbf": 253402300799}, "invalid"),
            ({"iss": "https://others.example.com"}, "invalid"),
        ],
    )
    def test_why_a_token_is_refused(
        self, make: Callable[..., Face], fake: FakeIssuer, claims: dict[str, object], reason: str
    ) -> None:
        """In the words of this service's own client, once for each refusal."""
        heard = Heard()
        refusal(make(issuer={"hooks": heard}), token(fake, **claims))
        assert [("failure", reason, "access")] == heard.told

    def test_what_is_no_token(self, make: Callable[..., Face]) -> None:
        """It names no issuer, and is the only one's."""
        heard = Heard()
        refusal(make(issuer={"hooks": heard}), "not.a.token")
        assert [("failure", "invalid", "access")] == heard.told

    def test_revoked(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """By whatever source the gate asks."""
        heard = Heard()
        gate = make(issuer={"hooks": heard}, revocation=ag.MemoryRevocation())
        presented = token(fake)
        gate.revoke("revoke_token", presented)
        refusal(gate, presented)
        assert [("failure", "revoked", "access")] == heard.told

    def test_what_says_nothing_of_a_token(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Neither nothing presented nor a policy that does not admit a good one is told (Laws 1.4, 1.5)."""
        heard = Heard()
        gate = make(issuer={"hooks": heard})
        refusal(gate, token(fake), ag.any_role("admin"))
        refusal(gate, token(fake, is_active=False))
        with pytest.raises(ag.MissingCredentials):
            gate.admit(view(), ag.is_user)
        assert [] == heard.told

    def test_of_other_issuers(self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock) -> None:
        """Hooks hear of the tokens of their own issuer."""
        heard = Heard()
        other = FakeIssuer(clock=clock, url="https://id.example.com")
        issuers = [
            ag.Issuer.m8(fake.jwks(), issuer=fake.url, audience=fake.audience, hooks=heard),
            ag.Issuer.static(other.jwks(), issuer=other.url, audience=other.audience, name="id"),
        ]
        gate = make(issuers=issuers, shared_subjects=True)
        gate.verify_token(other.token())
        refusal(gate, other.token(aud="x"))
        refusal(gate, "not.a.token")
        assert [] == heard.told

    def test_shadow(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 8.6: a refusal that is not carried out is told as one."""
        heard = Heard()
        gate = make(issuer={"hooks": heard}, shadow=True)
        gate.admit(view(bearer(token(fake, type="refresh"))), ag.is_user)
        assert [("failure", "wrong_type", "access")] == heard.told

    def test_their_failures(
        self, make: Callable[..., Face], fake: FakeIssuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 10.2: they are logged and change nothing."""
        gate = make(issuer={"hooks": Broken()})
        with caplog.at_level(logging.ERROR, "authgate"):
            assert ADA == gate.verify_token(token(fake)).user.id
            assert "token_claim" == refusal(gate, token(fake, role="root")).code
        assert ["the hooks failed on an admission", "the hooks failed on a refusal"] == caplog.messages

    @pytest.mark.parametrize("hooks", [object(), print])
    def test_what_is_no_hooks(self, fake: FakeIssuer, hooks: Any) -> None:
        """Law 1.6: both methods are needed."""
        trusted = ag.Issuer.m8(fake.jwks(), issuer=fake.url, audience="a", hooks=hooks)
        with pytest.raises(ag.ConfigurationError, match="hooks: give an object with on_success"):
            ag.Gate(ag.GateConfig(issuers=[trusted]))

    def test_nobody_would_await_them(self, fake: FakeIssuer) -> None:
        """Law 9.4: async hooks are a mistake that would hide every refusal."""

        class Later(Heard):
            async def on_failure(self, *, reason: str, token_type: str) -> None:  # type: ignore[override]
                """Never awaited."""

        trusted = ag.Issuer.m8(fake.jwks(), issuer=fake.url, audience="a", hooks=cast("Any", Later()))
        with pytest.raises(ag.ConfigurationError, match="neither of them async"):
            ag.Gate(ag.GateConfig(issuers=[trusted]))


class TestRanked:
    def test_each_implies_the_next(self) -> None:
        """And so everything behind it."""
        assert {"admin", "editor", "viewer"} == ag.RoleHierarchy.ranked("admin", "editor", "viewer").expand(
            ["admin"]
        )
        assert {"viewer"} == ag.RoleHierarchy.ranked("admin", "viewer").expand(["viewer"])

    def test_in_a_circle(self) -> None:
        """Law 1.6: a role that is named twice implies itself."""
        assert ag.RoleHierarchy.ranked("a", "b", "a").problems()
