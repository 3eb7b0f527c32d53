"""Actions that a user confirms, at a gate of either colour (contracts of the auth_service profile)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.credentials import BEARER
from authgate_core.errors import ReplaysUnavailable
from authgate_core.policy import compile_policy, evaluate
from authgate_core.policy.step_up import Proof
from authgate_core.request import Memo
from authgate_core.testing import ABSENT, FakeAuthService, FakeIssuer, ManualClock, TokenMint
from tests.support.gates import APP_SECRET, PROJECT, Face, bearer, face, store, view

DELETE = ag.is_user & ag.action("delete_order")


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of service and gate."""
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService(clock=clock) as served:
        yield served


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, service: FakeAuthService, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it."""
    made: list[Face] = []

    def new(issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        given = {"audience": service.audience, "validate_sessions": False, **(issuer or {})}
        trusted = ag.Issuer.auth_service(service.url, **given)
        made.append(face(colour, ag.GateConfig(**{"issuers": [trusted], **options}), clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


@pytest.fixture
def gate(make: Callable[..., Face]) -> Face:
    """A gate as it comes."""
    return make()


def asked(user: str, action: str | None = None, memo: Memo | None = None) -> ag.RequestView:
    """A request of a user, with the token of an action or without."""
    confirmed = () if action is None else (("X-Action-Token", action),)
    return view(bearer(user), *confirmed, memo=memo)


def refusal(gate: Face, request: ag.RequestView, policy: ag.Policy = DELETE) -> ag.AuthgateError:
    """Why the gate does not admit a request."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(request, policy)
    return caught.value


class TestAdmitted:
    def test_who_has_confirmed(self, gate: Face, service: FakeAuthService) -> None:
        """A token of the action, of the same user, lets in, and shows nobody besides."""
        request = asked(service.token("u1"), service.action_token("delete_order", "u1"))

        admission = gate.admit(request, DELETE)

        assert ["u1"] == [principal.id for principal in admission.principals]
        assert admission.allows(ag.action("delete_order"))
        assert not admission.allows(ag.action("close_account"))

    def test_about_the_user_beside_a_project(self, service: FakeAuthService) -> None:
        """Law 8.3: a group about several says whose action it is."""
        policy = ag.is_user & ag.is_project & ag.action("delete_order", of=ag.User)

        assert "action('delete_order', of=is_user)" in repr(policy)
        with pytest.raises(ag.ConfigurationError, match="needs of="):
            compile_policy(ag.is_user & ag.is_project & ag.action("delete_order"))

    def test_each_of_several(self, gate: Face, service: FakeAuthService) -> None:
        """Any of the actions of an ``|`` will do."""
        policy = ag.is_user & (ag.action("delete_order") | ag.action("close_account"))
        request = asked(service.token("u1"), service.action_token("close_account", "u1"))

        assert "u1" == gate.admit(request, policy).user.id

    def test_in_a_namespace(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 3.14: ids of both tokens are read alike."""
        gate = make({"namespace": "corp:"})
        request = asked(service.token("u1"), service.action_token("delete_order", "u1"))

        assert "corp:u1" == gate.admit(request, DELETE).user.id

    def test_what_an_application_asks_of_users(
        self, make: Callable[..., Face], service: FakeAuthService
    ) -> None:
        """Validators, required claims, parties and grants are about users' tokens, not about those of actions."""

        def has_email(claims: Any) -> None:
            if "email" not in claims:
                raise ValueError

        options: dict[str, Any] = {
            "validators": [has_email],
            "required_claims": ["department"],
            "authorized_parties": ["web"],
            "grants": {"roles": ["user"]},
        }
        gate = make(options)
        user = service.token("u1", department="x", azp="web")

        assert "u1" == gate.admit(asked(user, service.action_token("delete_order", "u1")), DELETE).user.id


class TestRefused:
    def test_who_has_not(self, gate: Face, service: FakeAuthService) -> None:
        """Without a token the user is asked to confirm, as for a stronger login (RFC 9470)."""
        error = refusal(gate, asked(service.token("u1")))

        assert isinstance(error, ag.StepUpRequired)
        assert ("delete_order", False, "auth_service") == (error.action, error.is_stale, error.issuer)

    @pytest.mark.parametrize(
        ("claims", "said"),
        [
            ({"type": "access"}, "type"),
            ({"type": "m2m"}, "type"),
            ({"type": ABSENT}, "type"),
            ({"action": "close_account"}, "does not hold"),
            ({"action": "Delete_Order"}, "does not hold"),
            ({"action": ["delete_order"]}, "action: is not a text"),
            ({"action": ABSENT}, "action: is missing"),
            ({"action": None}, "action: is missing"),
            ({"sub": "u2"}, "sub: is not the user"),
            ({"sub": ABSENT}, "sub"),
            ({"aud": "another-api"}, "aud"),
            ({"aud": ABSENT}, "aud"),
            ({"iss": "https://auth.test"}, "iss"),
            ({"jti": ABSENT}, "jti"),
            ({"iat": ABSENT}, "iat"),
            ({"exp": 1}, "token_expired"),
            ({"exp": ABSENT}, "exp"),
            ({"cnf": {}}, "cnf"),
        ],
    )
    def test_what_is_no_such_token(
        self, gate: Face, service: FakeAuthService, claims: dict[str, Any], said: str
    ) -> None:
        """Whatever is wrong with it, the user is asked to confirm; the log says what it was (Law 1.2)."""
        error = refusal(gate, asked(service.token("u1"), service.action_token("delete_order", **claims)))

        assert isinstance(error, ag.StepUpRequired)
        assert said in error.reason
        assert error.reason not in json.dumps(gate.gate.problem(error).body)

    def test_of_another_key(self, gate: Face, service: FakeAuthService) -> None:
        """A token that the service did not sign proves nothing."""
        forger = TokenMint(service.url, audience=service.audience, clock=gate.gate.clock)
        claims: dict[str, Any] = {"type": "action_token", "action": "delete_order", "iss": ABSENT}
        forged = forger.token("u1", headers={"typ": "JWT"}, **claims)

        error = refusal(gate, asked(service.token("u1"), forged))

        assert isinstance(error, ag.StepUpRequired)
        assert "token_signature" in error.reason

    @pytest.mark.parametrize("token", ["garbage", "a.b.c", "x" * 10_000])
    def test_garbage(self, gate: Face, service: FakeAuthService, token: str) -> None:
        """Law 3.11."""
        assert isinstance(refusal(gate, asked(service.token("u1"), token)), ag.StepUpRequired)

    @pytest.mark.parametrize(
        "headers",
        [
            (("X-Action-Token", ""),),
            (("X-Action-Token", "a, b"),),
            (("X-Action-Token", "Bearer a"),),
            (("X-Action-Token", "a"), ("X-Action-Token", "b")),
            (("X-Action-Token", "ä"),),
            (("X-Action-Token", "x" * 20_000),),
        ],
    )
    def test_malformed(
        self, gate: Face, service: FakeAuthService, headers: tuple[tuple[str, str], ...]
    ) -> None:
        """Law 2.2: what cannot be read in one way only is 400, also beside a bad token."""
        for user in (service.token("u1"), "garbage"):
            assert isinstance(refusal(gate, view(bearer(user), *headers)), ag.MalformedCredentials)

    def test_it_is_no_access_token(self, gate: Face, service: FakeAuthService) -> None:
        """Law 3.8: the token of an action opens nothing by itself."""
        action = service.action_token("delete_order", "u1")

        assert isinstance(refusal(gate, asked(action, action)), ag.InvalidToken)
        assert isinstance(refusal(gate, view(("X-Action-Token", action))), ag.MissingCredentials)

    def test_a_program(self, gate: Face, service: FakeAuthService) -> None:
        """A program confirms nothing: 403, and no step-up would help."""
        request = asked(service.service_token("u1"), service.action_token("delete_order", "u1"))

        error = refusal(gate, request, ag.is_service & ag.action("delete_order"))

        assert isinstance(error, ag.AuthorizationError)

    def test_two_at_once(self, gate: Face, service: FakeAuthService) -> None:
        """A request carries the token of one action, so both together are never there: 403."""
        policy = ag.is_user & ag.action("delete_order") & ag.action("close_account")
        request = asked(service.token("u1"), service.action_token("delete_order", "u1"))

        assert isinstance(refusal(gate, request, policy), ag.AuthorizationError)

    def test_of_another_issuer(self, service: FakeAuthService, clock: ManualClock) -> None:
        """Users of a provider have nothing to do with the actions of the service, even with the same id."""
        with FakeIssuer(clock=clock) as provider:
            issuers = [
                ag.Issuer.auth_service(service.url, audience=service.audience, validate_sessions=False),
                ag.Issuer.oidc(provider.url, audience=provider.audience, name="id"),
            ]
            config = ag.GateConfig(issuers=issuers, shared_subjects=True)
            with ag.Gate(config, clock=clock) as gate:
                request = asked(provider.token("u1"), service.action_token("delete_order", "u1"))
                with pytest.raises(ag.StepUpRequired) as caught:
                    gate.admit(request, DELETE)

                assert "X-OTP-Required" not in dict(gate.problem(caught.value).headers)

    def test_a_proof_of_another_user(self) -> None:
        """Whoever has verified it, it says something of one user alone."""
        request = view()
        request.proof = Proof("delete_order", ag.User(id="u1", issuer="id").ref, "a1", 0.0, is_used=True)
        policy = compile_policy(DELETE)

        assert evaluate(policy, {BEARER: ag.User(id="u1", issuer="id")}, request).granted
        assert not evaluate(policy, {BEARER: ag.User(id="u2", issuer="id")}, request).granted
        assert not evaluate(policy, {BEARER: ag.User(id="u1", issuer="other")}, request).granted

    def test_revoked(self, make: Callable[..., Face], service: FakeAuthService, colour: str) -> None:
        """Law 5.1: an action token that is revoked proves nothing, and one that cannot be asked about is 503."""
        action, user = service.action_token("delete_order", "u1", jti="a1"), service.token("u1")

        class Listed:
            def is_revoked(self, ref: Any) -> bool:
                return bool(ref.name == "a1")

        class AsyncListed(Listed):
            async def is_revoked(self, ref: Any) -> bool:  # type: ignore[override]  # the other colour
                return super().is_revoked(ref)

        listed = Listed() if colour == "sync" else AsyncListed()

        error = refusal(make(revocation=listed), asked(user, action))

        assert isinstance(error, ag.StepUpRequired)
        assert "token_revoked" in error.reason
        assert "u1" == make(revocation=store(colour, False)).admit(asked(user, action), DELETE).user.id


class TestOnce:
    def test_a_second_request(self, gate: Face, service: FakeAuthService) -> None:
        """A token lets in one request; the next has to be confirmed anew."""
        user, action = service.token("u1"), service.action_token("delete_order", "u1")
        gate.admit(asked(user, action), DELETE)

        error = refusal(gate, asked(user, action))

        assert isinstance(error, ag.StepUpRequired)
        assert "used before" in error.reason

    def test_all_guards_of_a_request(self, gate: Face, service: FakeAuthService) -> None:
        """Law 2.6: they use it up together, be it a route's and a field's, also where a socket is asked again."""
        user, action, memo = service.token("u1"), service.action_token("delete_order", "u1"), Memo()
        gate.admit(asked(user, action, memo), DELETE)
        gate.admit(asked(user, action, memo), DELETE & ag.any_role("user"))
        memo.forget()

        assert "u1" == gate.admit(asked(user, action, memo), DELETE).user.id
        assert isinstance(refusal(gate, asked(user, action, Memo())), ag.StepUpRequired)

    def test_a_socket_that_outlives_it(
        self, gate: Face, service: FakeAuthService, clock: ManualClock
    ) -> None:
        """Law 5.13: what is asked again is judged by the time of then."""
        user, action, memo = (
            service.token("u1", expires_in=3600),
            service.action_token("delete_order"),
            Memo(),
        )
        gate.admit(asked(user, action, memo), DELETE)
        memo.forget()
        clock.advance(331.0)

        assert isinstance(refusal(gate, asked(user, action, memo)), ag.StepUpRequired)

    def test_several_times_where_that_is_allowed(self, gate: Face, service: FakeAuthService) -> None:
        """``once=False`` takes a token for as long as it lasts, also one that was used up elsewhere."""
        policy = ag.is_user & ag.action("delete_order", once=False)
        user, action = service.token("u1"), service.action_token("delete_order", "u1")
        for _ in range(3):
            assert "u1" == gate.admit(asked(user, action), policy).user.id

        assert "u1" == gate.admit(asked(user, action), DELETE).user.id
        assert "u1" == gate.admit(asked(user, action), policy).user.id

    def test_only_for_what_it_changes(self, gate: Face, service: FakeAuthService) -> None:
        """What is refused for another reason, or admitted without it, does not use it up."""
        user, action = service.token("u1"), service.action_token("delete_order", "u1")
        assert isinstance(
            refusal(gate, asked(user, action), DELETE & ag.any_role("admin")), ag.AuthorizationError
        )
        assert "u1" == gate.admit(asked(user, action), ag.is_user | DELETE).user.id
        assert "u1" == gate.admit(asked(user, action), ag.is_user).user.id

        assert "u1" == gate.admit(asked(user, action), DELETE).user.id

    def test_by_whom_it_lets_in(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """A request that Law 6.8 refuses leaves the token to the next one."""
        gate = make(
            {"tenant": "org", "tenant_matches_project": True},
            projects=ag.StaticProjects({"shop": {"secret": APP_SECRET}}),
        )
        policy = ag.is_user & ag.is_project & ag.action("delete_order", of=ag.User)
        action = service.action_token("delete_order", "u1", org="other")
        request = asked(service.token("u1", org="other"), action)

        both = view(*request.headers, *PROJECT)
        for _ in range(2):
            assert isinstance(refusal(gate, both, policy), ag.TenantMismatch)
        assert gate.admit(request, DELETE)
        assert isinstance(refusal(gate, request), ag.StepUpRequired)

    def test_by_many_at_once(self, gate: Face, service: FakeAuthService) -> None:
        """Of many requests with one token exactly one is let in."""
        user, action = service.token("u1"), service.action_token("delete_order", "u1")

        def attempt(_: int) -> bool:
            try:
                return gate.admit(asked(user, action), DELETE).user.id == "u1"
            except ag.StepUpRequired:
                return False

        with ThreadPoolExecutor(8) as threads:
            assert 1 == sum(threads.map(attempt, range(16)))

    def test_where_nobody_can_tell(
        self, make: Callable[..., Face], service: FakeAuthService, colour: str
    ) -> None:
        """Law 1.5: a store that cannot answer is an outage."""

        class Broken:
            def use(self, _name: bytes, _ttl: float) -> bool:
                raise ReplaysUnavailable

        class AsyncBroken:
            async def use(self, _name: bytes, _ttl: float) -> bool:
                raise ReplaysUnavailable

        gate = make(replays=Broken() if colour == "sync" else AsyncBroken())
        request = asked(service.token("u1"), service.action_token("delete_order", "u1"))

        assert isinstance(refusal(gate, request), ag.AuthUnavailable)

    def test_as_long_as_it_lasts(
        self, make: Callable[..., Face], service: FakeAuthService, colour: str
    ) -> None:
        """It is remembered until it has ended and the leeway with it, and for a request that came before and waits.

        The name does not show it.
        """
        kept: list[tuple[bytes, float]] = []

        class Keeping:
            def use(self, name: bytes, ttl: float) -> bool:
                kept.append((name, ttl))
                return True

        class AsyncKeeping:
            async def use(self, name: bytes, ttl: float) -> bool:
                kept.append((name, ttl))
                return True

        gate = make(replays=Keeping() if colour == "sync" else AsyncKeeping())
        gate.admit(asked(service.token("u1"), service.action_token("delete_order", "u1")), DELETE)

        ((name, ttl),) = kept
        assert (32, 330.0 + 30.0) == (len(name), ttl)


class TestFresh:
    def test_a_login_that_is_too_old(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """``fresh_within`` asks for a new login in both ways, that of RFC 9470 and that of the service."""
        user = service.token("u1", expires_in=3600)
        clock.advance(301.0)

        problem = gate.gate.problem(refusal(gate, asked(user), ag.is_user & ag.fresh_within(300)))

        headers = dict(problem.headers)
        assert ("true", None) == (headers.get("X-Reauth-Required"), headers.get("X-OTP-Required"))
        assert 'error="insufficient_user_authentication", max_age="300"' in headers["WWW-Authenticate"]

    def test_only_what_is_missing(self, gate: Face, service: FakeAuthService, clock: ManualClock) -> None:
        """The service's headers name what the user has to do, and nothing that is done."""
        policy = ag.is_user & ag.fresh_within(300) & ag.action("delete_order")
        user = service.token("u1", expires_in=3600)
        fresh = dict(gate.gate.problem(refusal(gate, asked(user), policy)).headers)
        clock.advance(301.0)
        action = service.action_token("delete_order", "u1")
        confirmed = dict(gate.gate.problem(refusal(gate, asked(user, action), policy)).headers)
        neither = dict(gate.gate.problem(refusal(gate, asked(user), policy)).headers)

        names = ("X-OTP-Required", "X-OTP-Action", "X-Reauth-Required")
        assert ["true", "delete_order", None] == [fresh.get(name) for name in names]
        assert [None, None, "true"] == [confirmed.get(name) for name in names]
        assert ["true", "delete_order", "true"] == [neither.get(name) for name in names]


class TestTold:
    def test_what_the_caller_is_told(self, gate: Face, service: FakeAuthService) -> None:
        """401 with the challenge of RFC 9470, and in the words of the service as well."""
        problem = gate.gate.problem(refusal(gate, asked(service.token("u1"))))

        headers = dict(problem.headers)
        assert (401, 4401, "STEP_UP_REQUIRED") == (
            problem.status,
            problem.websocket_code,
            problem.graphql_code,
        )
        assert ("true", "delete_order") == (headers["X-OTP-Required"], headers["X-OTP-Action"])
        assert "X-Reauth-Required" not in headers
        assert 'error="insufficient_user_authentication"' in headers["WWW-Authenticate"]
        assert ("step_up_required", "delete_order") == (problem.body["code"], problem.body["action"])

    def test_what_caches_are_told(self, gate: Face) -> None:
        """Law 1.7: the header of the token is one of those that are read."""
        assert ("Authorization", "X-Action-Token") == gate.gate.headers_read(DELETE)
        assert ("Authorization",) == gate.gate.headers_read(ag.is_user)


class TestSetUp:
    def test_nobody_has_such_tokens(self) -> None:
        """Law 1.6: a policy that can never be satisfied is a configuration error."""
        issuer = ag.Issuer.oidc("https://id.example.com", audience="a")
        with (
            ag.Gate(ag.GateConfig(issuers=[issuer])) as gate,
            pytest.raises(ag.ConfigurationError, match="no issuer has its users confirm actions"),
        ):
            gate.check_policy(DELETE)

    @pytest.mark.parametrize("name", ["", "two words", "ü", "a\nb", None, 7])
    def test_names(self, name: Any) -> None:
        """A name stands in a header."""
        with pytest.raises(TypeError, match="action takes"):
            ag.action(name)

    def test_memory_of_one_process_is_said_to_be_that(self, make: Callable[..., Face]) -> None:
        """Law 5.6, of what is used up: another worker would take each token once more; it is said once."""
        events: list[Any] = []
        gate = make(on_event=events.append)
        gate.gate.check_policy(ag.is_user & ag.action("delete_order", once=False))
        assert [] == events

        for policy in (DELETE, DELETE | ag.is_service):
            gate.gate.check_policy(policy)
        assert ["replays_in_memory"] == [event.code for event in events]

    @pytest.mark.parametrize("once", [None, 1, "no"])
    def test_whether_once(self, once: Any) -> None:
        """True or False, for anything else could be read either way."""
        with pytest.raises(TypeError, match="once=True or once=False"):
            ag.action("a", once=once)

    def test_as_it_is_printed(self) -> None:
        """Law 8.1: as it is written, and equal to what says the same."""
        assert "is_user & action('a') & action('b', once=False)" == repr(
            ag.is_user & ag.action("a") & ag.action("b", once=False)
        )
        assert ag.action("a") == ag.action("a")
        assert ag.action("a") != ag.action("a", once=False)

    def test_it_is_never_taken_from_memory(self, gate: Face, service: FakeAuthService) -> None:
        """Law 7.1: what memory knows of the user's token does not answer for an action."""
        user = service.token("u1")
        for _ in range(3):
            gate.admit(asked(user), ag.is_user)

        assert isinstance(refusal(gate, asked(user)), ag.StepUpRequired)
        assert not compile_policy(DELETE).is_plain
