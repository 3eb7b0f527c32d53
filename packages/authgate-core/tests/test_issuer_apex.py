"""Whom the tokens of an apex speak of, at a gate of either colour (contracts of the apex profile; docs/adr/0032)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

import authgate_core as ag
from authgate_core.errors import EndpointUnavailable, InvalidClaim, MalformedToken, TokenInactive
from authgate_core.testing import FakeApex, FakeIssuer, ManualClock, TokenMint, as_user, gate_for_tests
from authgate_core.testing.apex import USER_PATH
from tests.support.gates import Face, bearer, face, view

ORDERS = "orders"


class Rights(BaseModel):
    """What the service keeps about its users."""

    approves: bool
    limit: int = 100


@dataclass
class Plain:
    """The same as a dataclass, which has a value for all that may be missing."""

    approves: bool = False


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the gate."""
    return ManualClock()


@pytest.fixture
def apex() -> Iterator[FakeApex]:
    """An apex that is served."""
    with FakeApex() as served:
        yield served


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, apex: FakeApex, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it."""
    made: list[Face] = []

    def new(
        *, others: tuple[ag.Issuer, ...] = (), gate: dict[str, Any] | None = None, **options: Any
    ) -> Face:
        trusted = issuer(apex, **options)
        made.append(face(colour, ag.GateConfig(issuers=[trusted, *others], **(gate or {})), clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


def issuer(apex: FakeApex, **options: Any) -> ag.Issuer:
    """The issuer, which may be asked about a service."""
    return ag.Issuer.apex(**{"base_url": apex.url, "audience": ag.ANY_AUDIENCE, **options})


def refusal(gate: Face, token: str, policy: ag.Policy = ag.is_user) -> ag.AuthgateError:
    """Why the gate does not admit the bearer of a token."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(view(bearer(token)), policy)
    return caught.value


def member_path(user_id: str) -> str:
    """Where the apex says what a user is to the service."""
    return f"/services/{ORDERS}/users/{user_id}"


class TestWho:
    def test_who_it_is(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """The bearer is whom the apex names."""
        ada = apex.add_user("ada")

        user = make().admit(view(bearer(apex.token(ada))), ag.is_user).user

        assert ("apex", ada, "ada", "ada@example.com", "Ada Example") == (
            user.issuer,
            user.id,
            user.username,
            user.email,
            user.name,
        )
        assert ((), ()) == (user.roles, user.scopes)

    def test_an_admin(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """``is_admin`` is a role, and of no service."""
        token = apex.token(apex.add_user(is_admin=True))

        assert ("admin",) == make().verify_token(token, ag.any_role("admin")).user.roles

    def test_an_admin_of_the_service(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """``is_service_admin`` is another, which does not make one an admin of everything (Law 8.5)."""
        gate, token = make(service=ORDERS), apex.token(apex.add_user(admin_of=[ORDERS]))

        assert ("service_admin",) == gate.verify_token(token, ag.any_role("service_admin")).user.roles
        assert isinstance(refusal(gate, token, ag.any_role("admin")), ag.AuthorizationError)

    def test_an_admin_of_another_service(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Is none of this one."""
        apex.add_service(ORDERS)

        user = make(service=ORDERS).verify_token(apex.token(apex.add_user(admin_of=["carts"]))).user

        assert () == user.roles

    def test_what_else_is_sent_is_dropped(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """No hash of a password, and nothing that nobody knows, is in the claims."""
        user = make().verify_token(apex.token(apex.add_user(secret_question="?"))).user

        assert {"sub", "roles", "username", "email", "first_name", "last_name", "name", "phone_number"} == {
            *user.claims
        }

    def test_what_is_not_known_is_left_out(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """A member that is null says nothing, and who has no name has none."""
        nobody: dict[str, Any] = {"email": None, "first_name": None, "last_name": None, "phone_number": None}

        user = make().verify_token(apex.token(apex.add_user("ada", **nobody))).user

        assert (None, None) == (user.email, user.name)
        assert {"sub", "roles", "username"} == {*user.claims}

    def test_an_id_that_is_counted(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Is the same number as a text."""
        token = apex.token(apex.add_user(id=7, admin_of=[ORDERS]))

        user = make(service=ORDERS).verify_token(token).user

        assert ("7", ("service_admin",)) == (user.id, user.roles)

    def test_options_of_every_issuer(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Laws 3.9, 3.14: names, namespaces, grants and further roles are what they are elsewhere."""
        token = apex.token(apex.add_user(id="u1", is_admin=True, metadata={ORDERS: {"team": ["buyers"]}}))
        gate = make(
            service=ORDERS,
            name="corp",
            namespace="corp:",
            roles=["roles", "apex.metadata.team"],
            grants={"roles": ["buyers"]},
        )

        user = gate.verify_token(token).user

        assert ("corp", "corp:u1", ("buyers",)) == (user.issuer, user.id, user.roles)

    def test_a_validator_has_the_last_word(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Law 3.10: it sees what the apex said."""

        def only_ada(claims: Any) -> None:
            if claims["username"] != "ada":
                raise ValueError

        gate = make(validators=[only_ada])

        assert "ada" == gate.verify_token(apex.token(apex.add_user("ada"))).user.username
        assert isinstance(refusal(gate, apex.token(apex.add_user("bob"))), InvalidClaim)

    def test_a_tenant_is_read_where_it_is_configured(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Law 4.13: of tenants that are not served here nobody is admitted."""
        gate = make(service=ORDERS, tenant="apex.metadata.company", tenants=["acme"])
        acme, other = (
            apex.token(apex.add_user(metadata={ORDERS: {"company": company}}))
            for company in ("acme", "other")
        )

        assert "acme" == gate.verify_token(acme).user.tenant
        assert isinstance(refusal(gate, other), InvalidClaim)


class TestMetadata:
    def test_a_policy_asks_for_it(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Who has what is asked for is admitted; a value goes with its type."""
        gate, token = make(service=ORDERS), apex.token(apex.add_user(metadata={ORDERS: {"approves": True}}))

        for policy in (ag.has_metadata(), ag.has_metadata("approves"), ag.has_metadata("approves", True)):
            assert gate.admit(view(bearer(token)), ag.is_user & policy).user
        for policy in (
            ag.has_metadata("approves", 1),
            ag.has_metadata("approves", False),
            ag.has_metadata("limit"),
        ):
            assert isinstance(refusal(gate, token, policy), ag.AuthorizationError)

    @pytest.mark.parametrize("metadata", [None, {}])
    def test_who_has_none(
        self, make: Callable[..., Face], apex: FakeApex, metadata: dict[str, Any] | None
    ) -> None:
        """Is a user all the same, of whom no metadata is told: nothing is as much as an empty object."""
        ada = apex.add_user()
        apex.set_member(ORDERS, ada, metadata)
        gate, token = make(service=ORDERS), apex.token(ada)

        assert ada == gate.verify_token(token).user.id
        assert isinstance(refusal(gate, token, ag.has_metadata()), ag.AuthorizationError)

    def test_whom_the_service_does_not_know(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Is a user, and none of the service's."""
        apex.add_service(ORDERS)
        gate, token = make(service=ORDERS), apex.token(apex.add_user(metadata={"carts": {"approves": True}}))

        assert () == gate.verify_token(token).user.roles
        assert isinstance(refusal(gate, token, ag.has_metadata()), ag.AuthorizationError)

    def test_who_may_not_be_looked_at(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """A 403 about oneself says that one is none of the service's users."""
        ada = apex.add_user(admin_of=[ORDERS])
        gate, token = make(service=ORDERS), apex.token(ada)
        apex.answer(b"{}", status=403, paths=[member_path(ada)])

        assert () == gate.verify_token(token).user.roles

    def test_in_a_form_of_ones_own(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """The model gives what is missing and what is of another type the form that it has."""
        token = apex.token(apex.add_user(metadata={ORDERS: {"approves": True}}))

        user = make(service=ORDERS, metadata=Rights).verify_token(token).user

        assert Rights(approves=True, limit=100) == user.model(Rights)

    def test_a_model_that_fits_nothing_at_all(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Of a model with a value for everything, an empty object is one, and so there is metadata."""
        gate = make(service=ORDERS, metadata=Plain)
        token = apex.token(apex.add_user(metadata={ORDERS: {}}))

        assert Plain() == gate.verify_token(token, ag.has_metadata()).user.model(Plain)

    @pytest.mark.parametrize("metadata", [None, {}])
    def test_no_model_of_nobody(
        self, make: Callable[..., Face], apex: FakeApex, metadata: dict[str, Any] | None
    ) -> None:
        """Who has none, where the model needs some, is a user without it."""
        ada = apex.add_user()
        apex.set_member(ORDERS, ada, metadata, is_admin=True)

        user = make(service=ORDERS, metadata=Rights).verify_token(apex.token(ada)).user

        assert ("service_admin",) == user.roles
        with pytest.raises(TypeError):
            user.model(Rights)

    def test_of_another_form(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Law 1.5: is a broken contract between apex and service, and says nothing of the token."""
        token = apex.token(apex.add_user(metadata={ORDERS: {"approves": "perhaps"}}))

        error = refusal(make(service=ORDERS, metadata=Rights), token)

        assert isinstance(error, EndpointUnavailable)
        assert "perhaps" not in error.reason

    def test_a_policy_that_nobody_can_satisfy(self, make: Callable[..., Face]) -> None:
        """Law 1.6: where no service is named, a guard that asks for metadata is a mistake."""
        with pytest.raises(ag.ConfigurationError, match="nobody tells metadata"):
            make().admit(view(), ag.has_metadata())

    def test_another_issuer_tells_none(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock
    ) -> None:
        """A claim of that name is not what the apex keeps, and in its place none is accepted."""
        with FakeIssuer(clock=clock) as other:
            trusted = ag.Issuer.oidc(other.url, audience=other.audience, namespace="other:")
            gate = make(service=ORDERS, namespace="apex:", others=(trusted,))
            policy = ag.has_metadata("approves", True)

            elsewhere = refusal(gate, other.token(metadata={"approves": True}), policy)
            told = [{"metadata": {"approves": True}}, {"metadata": None}]
            inside = [refusal(gate, other.token(apex=one), policy) for one in told]

            assert gate.verify_token(other.token("u1", apex={"of": "another"})).user.id == "other:u1"

        assert isinstance(elsewhere, ag.AuthorizationError)
        assert [InvalidClaim, InvalidClaim] == [type(error) for error in inside]

    def test_another_issuer_is_judged_as_ever(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock
    ) -> None:
        """What its profile refuses besides is refused beside an apex as well; where none tells, all is as it was."""
        with FakeIssuer(clock=clock) as other:
            m8 = ag.Issuer.m8(other.jwks(), issuer=other.url, audience=other.audience, namespace="m8:")
            asked: dict[str, Any] = {"headers": {"typ": "JWT"}, "type": "access", "email": "ada@example.com"}
            token = other.token("no-uuid", **asked)
            error = refusal(make(service=ORDERS, namespace="apex:", others=(m8,)), token)
            assert isinstance(error, InvalidClaim)
            assert "sub" == error.claim

            trusted = ag.Issuer.oidc(other.url, audience=other.audience, namespace="other:")
            gate = make(namespace="apex:", others=(trusted,))
            assert gate.verify_token(other.token("u1", apex={"metadata": {"a": 1}})).user.id == "other:u1"

    def test_it_is_printed_as_it_is_written(self) -> None:
        """Law 8.1: and equal to itself."""
        assert "has_metadata()" == repr(ag.has_metadata())
        assert "has_metadata('a.b', 'x', 2)" == repr(ag.has_metadata("a.b", "x", 2))
        assert "has_metadata('a', of=is_user)" == repr(ag.has_metadata("a", of=ag.User))
        assert ag.has_metadata("a") == ag.has_metadata("a")
        assert ag.has_metadata("a") != ag.has_metadata()

    def test_whoever_stands_in_may_have_some(self, apex: FakeApex) -> None:
        """A test says of its user what the apex would."""
        gate = gate_for_tests(ag.GateConfig(issuers=[issuer(apex, service=ORDERS)]))

        with as_user("u1", claims={"apex": {"metadata": {"approves": True}}}):
            assert gate.admit(view(), ag.has_metadata("approves", True)).user.id == "u1"

    def test_a_service_has_none(self, apex: FakeApex) -> None:
        """Whatever its token says."""
        policy = ag.has_metadata("approves")

        assert not policy.term.holds(  # type: ignore[attr-defined]
            ag.Service(id="s", issuer="apex", claims={"apex": {"metadata": {"approves": True}}}), view(), None
        )


class TestAsked:
    def test_once_in_five_seconds(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock
    ) -> None:
        """An answer counts for 5 s, for that token alone: two calls, and then none."""
        ada = apex.add_user(admin_of=[ORDERS])
        gate, token = make(service=ORDERS), apex.token(ada)
        for _ in range(5):
            gate.admit(view(bearer(token)), ag.is_user)
        assert (1, 1) == (apex.hits[USER_PATH], apex.hits[member_path(ada)])

        clock.advance(4.9)
        gate.verify_token(token)
        assert (1, 1) == (apex.hits[USER_PATH], apex.hits[member_path(ada)])

        clock.advance(0.1)
        gate.verify_token(token)
        gate.verify_token(apex.token(ada))
        assert (3, 3) == (apex.hits[USER_PATH], apex.hits[member_path(ada)])

    def test_of_a_service_only_where_one_is_named(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Who a user is takes one call."""
        make().verify_token(apex.token(apex.add_user(admin_of=[ORDERS])))

        assert {USER_PATH: 1} == apex.hits

    def test_together(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Of many at a time who bring one token, one asks."""
        ada = apex.add_user(admin_of=[ORDERS])
        gate, token = make(service=ORDERS), apex.token(ada)
        apex.slow(0.2)

        with ThreadPoolExecutor(8) as pool:
            found = [*pool.map(lambda _: gate.verify_token(token).user.id, range(8))]

        assert [ada] * 8 == found
        assert (1, 1) == (apex.hits[USER_PATH], apex.hits[member_path(ada)])

    def test_what_ends_ends_in_five_seconds(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock
    ) -> None:
        """A token that is nobody's any more is refused as a bad token is."""
        gate, token = make(service=ORDERS), apex.token(apex.add_user(admin_of=[ORDERS]))
        gate.verify_token(token)
        apex.end(token)
        gate.verify_token(token)

        clock.advance(5.0)
        error = refusal(gate, token)

        assert isinstance(error, TokenInactive)
        assert ("apex", "token_invalid") == (error.issuer, error.public_code)

    def test_what_ends_between_two_questions(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Is nobody's from then on."""
        ada = apex.add_user(admin_of=[ORDERS])
        gate, token = make(service=ORDERS), apex.token(ada)
        apex.answer(b"{}", status=401, paths=[member_path(ada)])

        assert isinstance(refusal(gate, token), TokenInactive)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_no_counts_as_long(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock, status: int
    ) -> None:
        """Who tries again does not reach the apex for 5 s."""
        gate, token = make(), apex.token(apex.add_user())
        apex.answer(b"{}", status=status, paths=[USER_PATH])
        for _ in range(3):
            assert isinstance(refusal(gate, token), TokenInactive)
        assert 1 == apex.hits[USER_PATH]

        apex.recover()
        clock.advance(5.0)
        assert gate.verify_token(token).user

    @pytest.mark.parametrize("token", ["two words", "naïve", "tab\tbed", ""])
    def test_not_about_what_can_be_no_token(
        self, make: Callable[..., Face], apex: FakeApex, token: str
    ) -> None:
        """Law 3.11: is malformed, and goes nowhere."""
        with pytest.raises(MalformedToken):
            make().verify_token(token)

        assert {} == apex.hits

    def test_not_about_what_is_too_long(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Law 2.4."""
        with pytest.raises(MalformedToken):
            make().verify_token("x" * 17_000)

        assert {} == apex.hits

    def test_about_tokens_that_look_like_jwts(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Whatever signs them, the apex alone says whose they are; and by their ``iss`` whose they are not."""
        ada = apex.add_user()
        gate, mint = make(), TokenMint("https://other.test")
        token, foreign = _without_iss(mint), mint.token("u1")
        apex.know(token, ada)
        apex.know(foreign, ada)

        assert ada == gate.verify_token(token).user.id
        assert isinstance(refusal(gate, foreign), ag.UnknownIssuer)
        assert 1 == apex.hits[USER_PATH]

    def test_where_its_jwts_name_it(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """The issuer of its JWTs can be said."""
        ada, token = apex.add_user(), TokenMint("https://apex.test").token("u1")
        apex.know(token, ada)

        assert ada == make(issuer="https://apex.test").verify_token(token).user.id

    def test_a_slash_at_the_end_of_the_url_is_none(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """It is no part of the addresses."""
        ada = apex.add_user(admin_of=[ORDERS])

        assert ada == make(base_url=f"{apex.url}/", service=ORDERS).verify_token(apex.token(ada)).user.id

    def test_names_stand_in_paths_as_they_are(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """A slash in the name of a service, or of a user, is no step in the path."""
        token = apex.token(apex.add_user(id="a/b?c", admin_of=["x/y"]))

        assert ("service_admin",) == make(service="x/y").verify_token(token).user.roles


class TestOutage:
    """Laws 1.5, 7.3: what is no verdict is 503, and is not remembered."""

    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize("status", [200, 204, 302, 400, 418, 429, 500, 503])
    def test_other_answers(self, make: Callable[..., Face], apex: FakeApex, which: int, status: int) -> None:
        """A status that is not of the contract, or a success that says nothing."""
        ada = apex.add_user(admin_of=[ORDERS])
        gate, token = make(service=ORDERS), apex.token(ada)
        apex.answer(b"[]", status=status, paths=[(USER_PATH, member_path(ada))[which]])

        assert isinstance(refusal(gate, token), EndpointUnavailable)

        apex.recover()
        if status not in {429, 503}:
            assert ada == gate.verify_token(token).user.id

    def test_no_such_apex(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """A 404 where it says who one is: the address is wrong, not the token."""
        apex.answer(b"{}", status=404, paths=[USER_PATH])

        assert isinstance(refusal(make(), apex.token(apex.add_user())), EndpointUnavailable)

    @pytest.mark.parametrize(
        "changed",
        [
            {"id": None},
            {"id": ""},
            {"id": True},
            {"id": ".."},
            {"id": ["u1"]},
            {"is_admin": "yes"},
            {"is_admin": None},
            {"username": 7},
            {"email": {}},
        ],
        ids=str,
    )
    def test_a_user_that_is_none(
        self, make: Callable[..., Face], apex: FakeApex, changed: dict[str, Any]
    ) -> None:
        """A member of another type breaks the contract."""
        apex.answer(json.dumps({"id": "u1", "is_admin": False, **changed}).encode(), paths=[USER_PATH])

        assert isinstance(refusal(make(), apex.token(apex.add_user())), EndpointUnavailable)

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"data": []},
            {"data": {"user": None}},
            {"data": {"user": {}}},
            {"data": {"user": {"user": {"id": "another"}, "metadata": {}}}},
            {"data": {"user": {"user": {"id": "u1"}, "metadata": []}}},
            {"data": {"user": {"user": {"id": "u1"}, "metadata": "x"}}},
            {"data": {"user": {"user": {"id": "u1"}, "is_service_admin": 1}}},
            {"data": {"user": {"user": [], "is_service_admin": True}}},
        ],
        ids=str,
    )
    def test_a_user_of_the_service_that_is_none(
        self, make: Callable[..., Face], apex: FakeApex, sent: object
    ) -> None:
        """The same of what one is to the service, another user's among it."""
        token = apex.token(apex.add_user(id="u1"))
        apex.answer(json.dumps(sent).encode(), paths=[member_path("u1")])

        assert isinstance(refusal(make(service=ORDERS), token), EndpointUnavailable)

    @pytest.mark.parametrize("body", [b"", b"no json", b'{"id": "u1", "id": "u2"}', b'{"id": NaN}', b"\xff"])
    def test_what_cannot_be_read(self, make: Callable[..., Face], apex: FakeApex, body: bytes) -> None:
        """Law 3.1: an object with one meaning, or none."""
        apex.answer(body, paths=[USER_PATH])

        assert isinstance(refusal(make(), apex.token(apex.add_user())), EndpointUnavailable)

    def test_known_users_have_to_wait_as_well(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock
    ) -> None:
        """Nobody is admitted by an answer that is older than 5 s, and everybody again when it is over."""
        gate, token = make(), apex.token(apex.add_user())
        gate.verify_token(token)
        apex.outage(status=None)
        assert gate.verify_token(token).user

        clock.advance(5.0)
        assert isinstance(refusal(gate, token), EndpointUnavailable)

        apex.recover()
        assert gate.verify_token(token).user

    def test_the_breaker_is_of_all_users_together(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """After five failures nobody asks, whoever it is about: the questions about users are of one endpoint."""
        gate = make(service=ORDERS)
        tokens = [apex.token(apex.add_user(f"u{number}", admin_of=[ORDERS])) for number in range(8)]
        paths = [f"/services/{ORDERS}/users/{gate_id}" for gate_id in apex.user_ids]
        apex.answer(b"", status=500, paths=paths)

        for token in tokens:
            assert isinstance(refusal(gate, token), EndpointUnavailable)

        assert 5 == sum(apex.hits[path] for path in paths)


class TestRevoked:
    def test_a_token_that_is_revoked_here(self, make: Callable[..., Face], apex: FakeApex) -> None:
        """Law 5.6: by the token, which the apex is asked about first."""
        gate = make(gate={"revocation": ag.MemoryRevocation()})
        ada = apex.add_user()
        opaque, other, dotted = (
            apex.token(ada),
            apex.token(ada),
            _without_iss(TokenMint("https://other.test")),
        )
        apex.know(dotted, ada)

        for token in (opaque, dotted):
            assert gate.verify_token(token).user
            gate.revoke("revoke_token", token)
            assert isinstance(refusal(gate, token), ag.TokenRevoked)
        assert gate.verify_token(other).user

    def test_a_cut_off(self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock) -> None:
        """Law 5.7: apex does not say when a token was issued, so all that its subject has is refused."""
        gate = make(gate={"revocation": ag.MemoryRevocation()})
        ada, bob = apex.add_user("ada"), apex.add_user("bob")
        gate.revoke("revoke_before", subject=ada)
        clock.advance(3600)

        assert isinstance(refusal(gate, apex.token(ada)), ag.TokenRevoked)
        assert gate.verify_token(apex.token(bob)).user

    def test_the_entry_of_a_token_lasts(
        self, make: Callable[..., Face], apex: FakeApex, clock: ManualClock
    ) -> None:
        """Law 5.8: nobody knows when it ends, so nothing is forgotten."""
        gate = make(gate={"revocation": ag.MemoryRevocation()})
        token = apex.token(apex.add_user())
        gate.revoke("revoke_token", token)
        clock.advance(10 * 365 * 86400)

        assert isinstance(refusal(gate, token), ag.TokenRevoked)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"base_url": "apex.example.com"}, "base_url: 'apex.example.com' is not an absolute URL"),
            ({"base_url": "http://apex.example.com"}, "is not https"),
            ({"base_url": None}, "base_url"),
            ({"audience": "orders"}, "audience: apex does not say"),
            ({"service": ""}, "service: write what"),
            ({"service": ".."}, "service: write what"),
            ({"service": 7}, "service: write what"),
            ({"metadata": Rights}, "metadata: is of one service"),
            ({"metadata": dict, "service": ORDERS}, "metadata: give a dataclass"),
            ({"metadata": Rights, "claims": Rights, "service": ORDERS}, "leave one of both out"),
            ({"leeway": 5}, "leeway: apex tells whose"),
            ({"algorithms": ["HS256"]}, "algorithms: apex tells whose"),
            ({"service_when": {"type": "m2m"}}, "service_when: apex tells whose"),
            ({"name": ""}, "name: is empty"),
            ({"colour": "red"}, "'colour' is unknown"),
        ],
    )
    def test_mistakes(self, apex: FakeApex, options: dict[str, Any], said: str) -> None:
        """Law 1.6: each is told when the gate is built, with what to write instead."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.Gate(ag.GateConfig(issuers=[issuer(apex, **options)]))

        assert said in str(caught.value)

    def test_two_who_are_asked_about_everything(self, apex: FakeApex) -> None:
        """A token that names no issuer can go to one of them only."""
        asked = ag.Introspection("https://id.test/introspect", client=ag.ClientSecret("api", "s" * 32))
        other = ag.Issuer.oidc("https://id.test", audience="api", introspection=asked)
        config = ag.GateConfig(issuers=[issuer(apex), other], shared_subjects=True)

        with pytest.raises(ag.ConfigurationError, match=r"'apex', .* are all asked"):
            ag.Gate(config)

    def test_the_audience_is_told_at_the_start(self, apex: FakeApex) -> None:
        """Law 3.6: that tokens of every service of the apex are accepted."""
        told: list[Any] = []
        ag.Gate(ag.GateConfig(issuers=[issuer(apex)], on_event=told.append))

        assert ["audience_unchecked"] == [event.code for event in told]

    def test_it_is_no_issuer_of_services(self, apex: FakeApex) -> None:
        """Law 3.13: a policy that asks for a service is a mistake."""
        gate = ag.Gate(ag.GateConfig(issuers=[issuer(apex)]))

        with pytest.raises(ag.ConfigurationError, match=r"nobody|no issuer"):
            gate.check_policy(ag.is_service)

    def test_it_has_no_keys_to_look_after(self, apex: FakeApex) -> None:
        """Law 4.12: nothing of it is warmed up, and nothing is unwell."""
        gate = ag.Gate(ag.GateConfig(issuers=[issuer(apex)]))
        gate.warm_up()

        assert () == gate.health().keys
        assert {} == apex.hits


def _without_iss(mint: TokenMint) -> str:
    claims = mint.claims("u1")
    del claims["iss"]
    return mint.raw_token(json.dumps(mint.header()).encode(), json.dumps(claims).encode())
