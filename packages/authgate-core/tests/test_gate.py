"""The gate, in both colours: who is admitted, who is not, and what is said about it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.hash_secret import hash_secret
from authgate_core.principal import ProjectRef, TokenRef, joined
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import Face, face, view

APP_SECRET = "a-chosen-secret-of-thirty-two-characters"
PROJECT = (("x-app-id", "shop"), ("x-app-secret", APP_SECRET))
MALFORMED = (("x-app-id", "shop"),)
WRONG = (("x-app-id", "shop"), ("x-app-secret", "wrong"))


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def configured(fake: FakeIssuer, **options: Any) -> ag.GateConfig:
    """A gate's configuration around one static issuer and one project."""
    issuer = ag.Issuer.static(
        fake.jwks(), issuer=fake.url, audience=fake.audience, name="id", service_when={"m2m": True}
    )
    stored = hash_secret(ag.Secret(APP_SECRET), b"0123456789abcdef")
    projects = ag.StaticProjects(
        {"shop": {"secret_hash": stored, "secret_version": 3, "enabled_services": ["a"]}}
    )
    return ag.GateConfig(**{"issuers": [issuer], "projects": projects, **options})


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        made.append(face(colour, configured(fake, **options)))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def bearer(token: str) -> tuple[str, str]:
    """The header of a token."""
    return ("Authorization", f"Bearer {token}")


class TestAdmission:
    """Who is admitted, and what the admission shows."""

    def test_a_user(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """A good token is its subject."""
        admission = make().admit(view(bearer(fake.token("u1", scope="a"))), ag.is_user & ag.all_scopes("a"))

        assert "u1" == admission.user.id
        assert "bearer" == admission.user.source

    def test_a_project(self, make: Callable[..., Face]) -> None:
        """App id and secret are their project."""
        assert "shop" == make().admit(view(*PROJECT), ag.is_project).project.id

    def test_a_user_and_a_project(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Both credentials in one request."""
        admission = make().admit(view(bearer(fake.token("u1")), *PROJECT), ag.is_user & ag.is_project)

        assert ("u1", "shop") == (admission.user.id, admission.project.id)

    def test_only_the_granting_branch_is_shown(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 8.4: who did not matter is not shown."""
        policy = (ag.is_user & ag.any_role("admin")) | ag.is_project

        admission = make().admit(view(bearer(fake.token("u1")), *PROJECT), policy)

        assert admission.get(ag.User) is None
        with pytest.raises(ag.NotAdmitted, match="no User was admitted"):
            _ = admission.user

    def test_a_hierarchy_implies_roles(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 8.5: only where it is configured."""
        request = view(bearer(fake.token("u1", roles=["admin"])))
        gate = make(roles=ag.RoleHierarchy({"admin": ["supplier"]}))

        assert gate.admit(request, ag.any_role("supplier")).user.has_role("supplier")
        assert ("admin",) == gate.admit(request, ag.is_user).user.roles
        with pytest.raises(ag.AuthorizationError):
            make().admit(request, ag.any_role("supplier"))

    def test_anonymous_is_admitted_only_in_so_many_words(self, make: Callable[..., Face]) -> None:
        """Law 8.6."""
        assert () == make().admit(view(), ag.UnsafeAllowAnonymous()).principals


class Down:
    """A revocation store that cannot answer, in both colours."""

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        raise ag.RevocationUnavailable("down", retry_after=7)


class AsyncDown:
    """``Down`` for AsyncGate."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        raise ag.RevocationUnavailable("down", retry_after=7)


class TestOrderOfOutcomes:
    """Law 2.3: the answer does not depend on the order in which the policy was written."""

    @pytest.mark.parametrize(
        ("token", "project", "expected"),
        [
            ("expired", MALFORMED, ag.MalformedCredentials),
            ("expired", PROJECT, ag.TokenExpired),
            ("expired", WRONG, ag.AuthenticationError),
            ("good", WRONG, ag.InvalidProjectCredentials),
            ("good", MALFORMED, ag.MalformedCredentials),
            ("absent", PROJECT, ag.MissingCredentials),
            ("absent", WRONG, ag.InvalidProjectCredentials),
            ("absent", (), ag.MissingCredentials),
        ],
    )
    @pytest.mark.parametrize("written", [ag.is_user & ag.is_project, ag.is_project & ag.is_user])
    def test_and(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        token: str,
        project: tuple[tuple[str, str], ...],
        expected: type[ag.AuthgateError],
        written: ag.Policy,
    ) -> None:
        """Malformed, else invalid, else unavailable, else the policy decides."""
        headers = {"expired": [bearer(fake.hostile.expired())], "good": [bearer(fake.token())], "absent": []}[
            token
        ]

        with pytest.raises(expected):
            make().admit(view(*headers, *project), written)

    def test_or_with_an_invalid_credential_is_refused(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """A good project does not make up for a bad token that the policy names."""
        with pytest.raises(ag.TokenExpired):
            make().admit(view(bearer(fake.hostile.expired()), *PROJECT), ag.is_user | ag.is_project)

    def test_what_the_policy_does_not_name_is_left_alone(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """A bad token beside a good project costs nothing where only projects are asked for."""
        request = view(bearer(fake.hostile.expired()), bearer("second"), *PROJECT)

        assert "shop" == make().admit(request, ag.is_project).project.id

    def test_invalid_goes_before_unavailable(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """An outage hides no bad credential, and a bad credential no outage elsewhere."""
        gate = make(revocation=Down() if colour == "sync" else AsyncDown())
        policy = ag.is_user | ag.is_project

        with pytest.raises(ag.InvalidProjectCredentials):
            gate.admit(view(bearer(fake.token()), *WRONG), policy)
        with pytest.raises(ag.RevocationUnavailable):
            gate.admit(view(bearer(fake.token()), *PROJECT), policy)

    def test_missing_kinds_are_challenged(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Only the kinds that are missing."""
        with pytest.raises(ag.MissingCredentials) as caught:
            make().admit(view(bearer(fake.token())), ag.is_user & ag.is_project)

        assert ("AppCredentials",) == caught.value.accepts

    def test_the_wrong_kind_of_bearer_is_forbidden(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.13: a service never satisfies is_user; the branch had all that it needs presented."""
        with pytest.raises(ag.AuthorizationError):
            make().admit(view(bearer(fake.token("s", m2m=True))), ag.is_user)


class TestOptional:
    """Law 1.4: optional means that nothing was presented."""

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ((), None),
            ((("Authorization", "Basic dTpw"),), None),
            (PROJECT, ag.MissingCredentials),
            (MALFORMED, ag.MalformedCredentials),
        ],
    )
    def test_nothing_or_a_part(
        self, make: Callable[..., Face], headers: Any, expected: type[ag.AuthgateError] | None
    ) -> None:
        """A part of an ``&`` is 401, not anonymous."""
        gate = make()
        if expected is None:
            assert () == gate.admit(view(*headers), ag.is_user & ag.is_project, optional=True).principals
            return
        with pytest.raises(expected):
            gate.admit(view(*headers), ag.is_user & ag.is_project, optional=True)

    def test_invalid_and_insufficient_are_refused(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Invalid: 401. Valid but not satisfying: 403."""
        gate = make()
        with pytest.raises(ag.TokenExpired):
            gate.admit(view(bearer(fake.hostile.expired())), ag.is_user, optional=True)
        with pytest.raises(ag.InsufficientScope):
            gate.admit(view(bearer(fake.token())), ag.is_user & ag.all_scopes("x"), optional=True)


class Counting:
    """A revocation store that counts."""

    def __init__(self) -> None:
        self.asked: list[TokenRef | ProjectRef] = []

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        self.asked.append(ref)
        return False


class AsyncCounting(Counting):
    """``Counting`` for AsyncGate."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # the other colour
        self.asked.append(ref)
        return False


class TestOnce:
    """Law 2.6: a request is authenticated at most once for each kind."""

    def test_guards_of_one_request_share(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """A second guard asks nobody, whatever it asks for."""
        store = Counting() if colour == "sync" else AsyncCounting()
        gate, memo = make(revocation=store), Memo()
        headers = [bearer(fake.token("u1")), *PROJECT]

        gate.admit(view(*headers, memo=memo), ag.is_user)
        gate.admit(view(*headers, memo=memo), ag.is_user & ag.is_project)
        gate.admit(view(*headers, memo=memo), ag.is_project)

        assert 2 == len(store.asked)

    def test_failures_are_shared_too(self, make: Callable[..., Face], fake: FakeIssuer, colour: str) -> None:
        """What was refused once is refused again, as itself."""
        gate, memo = make(revocation=Down() if colour == "sync" else AsyncDown()), Memo()
        for _ in range(2):
            with pytest.raises(ag.RevocationUnavailable):
                gate.admit(view(bearer(fake.token("u1")), memo=memo), ag.is_user)

    def test_another_credential_is_authenticated_anew(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Any difference counts."""
        gate, memo = make(), Memo()

        first = gate.admit(view(bearer(fake.token("u1")), memo=memo), ag.is_user)
        second = gate.admit(view(bearer(fake.token("u2")), memo=memo), ag.is_user)

        assert ("u1", "u2") == (first.user.id, second.user.id)

    def test_gates_do_not_share(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """What one gate found is no evidence for another."""
        memo, request = Memo(), bearer(fake.token("u1"))
        make().admit(view(request, memo=memo), ag.is_user)
        other = make(
            issuers=[ag.Issuer.static(FakeIssuer().jwks(), issuer="https://other.test", audience="a")]
        )

        with pytest.raises(ag.UnknownIssuer):
            other.admit(view(request, memo=memo), ag.is_user)


class TestConfiguration:
    """Law 1.6: what is wrong is said when the gate is built, all of it."""

    def test_everything_in_one_message(self, fake: FakeIssuer, colour: str) -> None:
        """Two issuers that cannot be told apart, a leeway, a cycle of roles, a number."""
        issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience="", leeway=500)
        with pytest.raises(ag.ConfigurationError) as caught:
            face(colour, ag.GateConfig(issuers=[issuer, issuer], realm="", key_wait=0))

        for expected in (
            "audience",
            "leeway",
            "could not tell them apart",
            "named",
            "namespace",
            "realm",
            "key_wait",
        ):
            assert expected in str(caught.value)

    def test_nobody_to_admit(self, colour: str) -> None:
        """An empty configuration is a mistake."""
        with pytest.raises(ag.ConfigurationError, match="nobody could be admitted"):
            face(colour, ag.GateConfig())

    def test_several_issuers_of_users_are_told_apart(self, fake: FakeIssuer, colour: str) -> None:
        """Law 3.14: by namespace, or by saying that they share their subjects."""
        other = ag.Issuer.static(fake.jwks(), issuer="https://other.test", audience="a")
        one = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience="a")

        face(colour, ag.GateConfig(issuers=[one, other], shared_subjects=True)).close()
        with pytest.raises(ag.ConfigurationError, match="shared_subjects=True"):
            face(colour, ag.GateConfig(issuers=[one, other]))

    @pytest.mark.parametrize(
        ("policy", "options"),
        [
            (ag.is_project, {"projects": None}),
            (ag.is_user, {"issuers": []}),
            (ag.any_role("x"), {"issuers": []}),
        ],
    )
    def test_a_policy_without_a_source(
        self, make: Callable[..., Face], policy: ag.Policy, options: dict[str, Any]
    ) -> None:
        """A kind that nobody can vouch for would refuse for ever."""
        gate = make(**options)
        with pytest.raises(ag.ConfigurationError, match="give"):
            gate.gate.check_policy(policy)
        with pytest.raises(ag.ConfigurationError, match="give"):
            gate.admit(view(), policy)

    @pytest.mark.parametrize("policy", [ag.from_issuer("typo"), ag.is_user & ag.from_issuer("typo", "other")])
    def test_a_policy_that_names_no_issuer_of_the_gate(
        self, make: Callable[..., Face], policy: ag.Policy
    ) -> None:
        """It would forbid everybody for ever."""
        gate = make()
        with pytest.raises(ag.ConfigurationError, match=r"names no issuer of this gate; it has '"):
            gate.gate.check_policy(policy)

    def test_a_policy_that_names_one_issuer_of_the_gate(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Services that share their policies need not all trust the same issuers; projects have names of their own."""
        gate = make()
        (name,) = (issuer.name for issuer in gate.gate.config.issuers)
        gate.gate.check_policy(ag.from_issuer("elsewhere", name))
        gate.gate.check_policy(ag.is_project & ag.from_issuer("directory"))

    def test_whether_a_policy_has_a_source_can_be_asked(self, make: Callable[..., Face]) -> None:
        """Without an exception."""
        gate = make(projects=None).gate

        assert (True, False) == (gate.has_source(ag.is_user), gate.has_source(ag.is_project))

    def test_services_need_a_rule(self, fake: FakeIssuer, colour: str) -> None:
        """Law 3.13."""
        issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience="a")
        gate = face(colour, ag.GateConfig(issuers=[issuer]))
        with pytest.raises(ag.ConfigurationError, match="service_when"):
            gate.gate.check_policy(ag.is_service)
        gate.close()

    def test_ports_have_the_colour_of_the_gate(self, fake: FakeIssuer, colour: str) -> None:
        """Law 9.4."""
        wrong = AsyncCounting() if colour == "sync" else Counting()
        with pytest.raises(ag.ConfigurationError, match=r"is_revoked is (a)?sync"):
            face(colour, configured(fake, revocation=wrong))

    def test_a_class_is_no_port(self, fake: FakeIssuer, colour: str) -> None:
        """The parentheses were forgotten."""
        with pytest.raises(ag.ConfigurationError, match=r"give an instance, such as Counting\(\)"):
            face(colour, configured(fake, revocation=Counting))

    @pytest.mark.parametrize(
        ("options", "advice"),
        [
            ({"revocation": "redis://localhost"}, "revocation: is a text; give RedisRevocation(url)"),
            ({"projects": "projects.toml"}, "projects: is a text; give StaticProjects.from_file(path)"),
        ],
    )
    def test_a_text_is_no_port(
        self, fake: FakeIssuer, colour: str, options: dict[str, Any], advice: str
    ) -> None:
        """The name of what is made of it was forgotten."""
        with pytest.raises(ag.ConfigurationError) as caught:
            face(colour, configured(fake, **options))
        assert advice in str(caught.value)

    def test_a_hierarchy_reaches_projects(self, fake: FakeIssuer, colour: str) -> None:
        """Law 8.5: wherever roles are."""
        projects = ag.StaticProjects({"shop": {"secret": APP_SECRET, "roles": ["partner"]}})
        gate = face(
            colour, configured(fake, projects=projects, roles=ag.RoleHierarchy({"partner": ["reader"]}))
        )

        project = gate.admit(view(*PROJECT), ag.is_project & ag.any_role("reader")).project
        gate.close()

        assert (("partner",), True) == (project.roles, project.has_role("reader"))


class TestRevocation:
    """Laws 5.1 to 5.7, through the gate."""

    def test_a_token(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """From the next request on, and no other token."""
        gate, token, other = make(revocation=ag.MemoryRevocation()), fake.token("u1"), fake.token("u1")
        assert "u1" == gate.verify_token(token).user.id

        gate.revoke("revoke_token", token)

        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)
        assert "u1" == gate.verify_token(other).user.id

    def test_a_jti(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Also where it looks a little like a token."""
        gate = make(revocation=ag.MemoryRevocation())
        for jti in ("j-1", "a.b.c"):
            gate.revoke("revoke_token", jti)
            with pytest.raises(ag.TokenRevoked):
                gate.verify_token(fake.token("u1", jti=jti))

    def test_a_forgery_revokes_nothing(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Whoever can guess a jti could log others out otherwise."""
        gate = make(revocation=ag.MemoryRevocation())
        for forgery in (fake.hostile.forged(jti="j-2"), fake.hostile.unsigned(jti="j-2")):
            with pytest.raises(ag.InvalidToken):
                gate.revoke("revoke_token", forgery)

        assert "u1" == gate.verify_token(fake.token("u1", jti="j-2")).user.id

    def test_an_expired_token_needs_no_entry(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Logging out late is no error."""
        make(revocation=ag.MemoryRevocation()).revoke("revoke_token", fake.hostile.expired())

    @pytest.mark.parametrize(
        ("how", "args", "options"),
        [
            ("revoke_session", ("s-1",), {}),
            ("revoke_before", (), {"subject": "u1"}),
            ("revoke_before", (), {"client_id": "app"}),
            ("revoke_key", (), {}),
        ],
    )
    def test_what_a_token_belongs_to(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        how: str,
        args: tuple[str, ...],
        options: dict[str, Any],
    ) -> None:
        """Session, subject, client and key."""
        gate = make(revocation=ag.MemoryRevocation())
        token = fake.token("u1", sid="s-1", client_id="app")

        gate.revoke(how, *(args or ((fake.kid,) if how == "revoke_key" else ())), **options)

        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    def test_a_secret_version(self, make: Callable[..., Face]) -> None:
        """Law 6.4: at the next request, whatever is cached."""
        gate = make(revocation=ag.MemoryRevocation())
        gate.admit(view(*PROJECT), ag.is_project)
        gate.revoke("require_secret_version", "shop", 3)
        gate.admit(view(*PROJECT), ag.is_project)

        gate.revoke("require_secret_version", "shop", 4)

        with pytest.raises(ag.InvalidProjectCredentials):
            gate.admit(view(*PROJECT), ag.is_project)

    def test_iat_is_required_where_age_is_judged(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.7."""
        from authgate_core.testing import ABSENT

        token = fake.token("u1", iat=ABSENT)
        assert "u1" == make().verify_token(token).user.id
        with pytest.raises(ag.InvalidClaim, match="iat"):
            make(revocation=ag.MemoryRevocation()).verify_token(token)

    def test_a_name_of_an_issuer_that_is_none(self, make: Callable[..., Face]) -> None:
        """A mistake of the operator is said, not written."""
        with pytest.raises(ValueError, match="name one of 'id'"):
            make(revocation=ag.MemoryRevocation()).revoke("revoke_session", "s", issuer="other")

    def test_without_a_store_nothing_is_pretended(self, make: Callable[..., Face]) -> None:
        """Law 5.6."""
        with pytest.raises(ag.ConfigurationError, match="no source that can be written to"):
            make().revoke("revoke_session", "s")

    def test_every_source_is_asked(self, make: Callable[..., Face], fake: FakeIssuer, colour: str) -> None:
        """One yes is enough; one silence is an outage."""
        counting = Counting() if colour == "sync" else AsyncCounting()
        down = Down() if colour == "sync" else AsyncDown()
        gate = make(revocation=[ag.MemoryRevocation(), down, counting])

        with pytest.raises(ag.RevocationUnavailable):
            gate.verify_token(fake.token("u1"))
        gate.revoke("revoke_token", "j-9")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(fake.token("u1", jti="j-9"))

    def test_an_answer_that_is_no_bool_is_a_bug(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """Law 1.3: neither truthiness nor falsiness decides."""

        class Vague:
            def is_revoked(self, ref: object) -> Any:
                return None

        class AsyncVague:
            async def is_revoked(self, ref: object) -> Any:
                return None

        with pytest.raises(TypeError, match="not a bool"):
            make(revocation=Vague() if colour == "sync" else AsyncVague()).verify_token(fake.token())


class TestServiceEnabled:
    """Law 6.4: enabled services are judged at each hit."""

    def test_a_project_of_another_service(self, make: Callable[..., Face]) -> None:
        """Known, but not allowed here."""
        make(service_id="a").admit(view(*PROJECT), ag.is_project)
        with pytest.raises(ag.ServiceNotEnabled):
            make(service_id="b").admit(view(*PROJECT), ag.is_project)


class TestShadow:
    """Law 8.6: refusals are reported but not carried out."""

    def test_everyone_passes_and_is_reported(
        self, make: Callable[..., Face], fake: FakeIssuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And each start says so."""
        events: list[Decided | Notice] = []
        gate = make(shadow=True, on_event=events.append)

        admission = gate.admit(view(bearer(fake.token("u1"))), ag.is_user & ag.any_role("admin"))

        assert "u1" == admission.user.id
        assert isinstance(admission.refusal, ag.AuthorizationError)
        assert [("refused", True)] == [(e.outcome, e.shadow) for e in events if isinstance(e, Decided)]
        assert "refusals are reported but not carried out" in caplog.text

    def test_what_a_handler_requires_is_not_carried_out(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """It is reported, as often as it is required; what is only asked is answered as ever."""
        events: list[Decided | Notice] = []
        admission = make(shadow=True, on_event=events.append).admit(
            view(bearer(fake.token("u1")), ("X-Request-ID", "r-1")), ag.is_user
        )
        admission.require(ag.any_role("admin"))
        admission.require(ag.is_user)

        assert not admission.allows(ag.any_role("admin"))
        assert [("granted", "ok", ""), ("would_refuse", "forbidden", "r-1")] == [
            (e.verdict, e.code, e.request_id) for e in events if isinstance(e, Decided)
        ]

    def test_what_guards_find_together_is_not_carried_out_either(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Adapters join what several guards of a request have found."""
        gate = make(shadow=True)
        earlier = gate.admit(view(*PROJECT), ag.is_project)
        both = joined(earlier, gate.admit(view(bearer(fake.token("u1"))), ag.is_user))
        both.require(ag.any_role("admin", of=ag.User))

        assert ("u1", "shop") == (both.user.id, both.project.id)

    def test_who_is_not_there_is_refused_as_the_request_would_be(self, make: Callable[..., Face]) -> None:
        """A handler that cannot run without a user is told why there is none, which is no bug of its."""
        admission = make(shadow=True).admit(view(), ag.is_user)

        with pytest.raises(ag.MissingCredentials):
            _ = admission.user
        assert admission.get(ag.User) is None


class TestEvents:
    """Law 10: every decision can be seen, and watching changes nothing."""

    def test_one_event_each(self, make: Callable[..., Face], fake: FakeIssuer, colour: str) -> None:
        """With bounded labels."""
        events: list[Decided | Notice] = []
        gate = make(on_event=events.append)
        gate.admit(view(bearer(fake.token("u1")), *PROJECT), ag.is_user & ag.is_project)
        for headers in ((), (bearer(fake.hostile.expired()),), WRONG):
            with pytest.raises(ag.AuthgateError):
                gate.admit(view(*headers), ag.is_user | ag.is_project)
        with pytest.raises(ag.AuthorizationError):
            gate.admit(view(bearer(fake.token("u1"))), ag.any_role("admin"))

        assert [
            ("granted", "bearer+app", "id", "ok"),
            ("refused", "none", "unknown", "credentials_missing"),
            ("refused", "bearer", "id", "token_expired"),
            ("refused", "app", "unknown", "project_invalid"),
            ("refused", "bearer", "id", "forbidden"),
        ] == [(e.outcome, e.kind, e.issuer, e.code) for e in events if isinstance(e, Decided)]

    def test_cached_says_whether_anyone_was_asked(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """A warm request with memory revocation asks nobody; a store that must be asked shows."""
        events: list[Any] = []
        make(on_event=events.append).verify_token(fake.token())
        make(
            on_event=events.append, revocation=Counting() if colour == "sync" else AsyncCounting()
        ).verify_token(fake.token())

        assert [True, False] == [e.cached for e in events if isinstance(e, Decided)]

    def test_a_failing_observer_changes_nothing(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 10.2."""

        def fail(event: object) -> None:
            raise RuntimeError("observer")

        gate = make(on_event=fail)

        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        with pytest.raises(ag.TokenExpired):
            gate.verify_token(fake.hostile.expired())

    def test_levels(
        self, make: Callable[..., Face], fake: FakeIssuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Grants at DEBUG, the first refusal of a kind at WARNING with the fix."""
        caplog.set_level(logging.DEBUG, "authgate")
        gate = make()
        gate.verify_token(fake.token())
        with pytest.raises(ag.InvalidToken):
            gate.verify_token(fake.hostile.for_another_audience())

        assert [("DEBUG", False), ("WARNING", True)] == [
            (record.levelname, "compare the claim named in the reason" in record.getMessage())
            for record in caplog.records
        ]

    @pytest.mark.parametrize(
        ("issuer", "options", "codes"),
        [
            ({}, {}, []),
            ({"audience": ag.ANY_AUDIENCE}, {}, [("audience_unchecked", "id", False)]),
            ({}, {"shadow": True}, [("shadow", "gate", True)]),
            ({}, {"revocation": ag.MemoryRevocation()}, [("revocation_in_memory", "memory", False)]),
        ],
    )
    def test_a_start_says_what_is_not_checked(
        self,
        fake: FakeIssuer,
        colour: str,
        issuer: dict[str, Any],
        options: dict[str, Any],
        codes: list[tuple[str, str, bool]],
    ) -> None:
        """Laws 3.6, 5.6 and 8.6."""
        events: list[Any] = []
        terms = {"issuer": fake.url, "audience": "a", "name": "id", **issuer}
        trusted = ag.Issuer.static(fake.jwks(), **terms)

        face(colour, configured(fake, issuers=[trusted], on_event=events.append, **options)).close()

        assert codes == [(event.code, event.subject, event.alarm) for event in events]


class TestNothingIsShown:
    """Law 2.5: what a caller presents is in no traceback, log line or repr."""

    def test_a_traceback_with_locals_holds_no_credential(
        self, make: Callable[..., Face], fake: FakeIssuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Error reporters write out the locals of every frame that an exception passed."""
        gate, token = make(), fake.hostile.forged("u1")
        shown = traced(gate, view(bearer(token), ("x-app-id", "shop"), ("x-app-secret", "my-wrong-secret")))

        for private in (*token.split("."), "my-wrong-secret"):
            assert private not in shown
            assert private not in caplog.text


def traced(gate: Face, request: ag.RequestView) -> str:
    """The traceback of a refusal, with the locals of every frame."""
    try:
        gate.admit(request, ag.is_user & ag.is_project)
    except ag.AuthgateError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError("it was admitted")


class TestVerifyToken:
    """Where there is no request."""

    def test_a_policy_is_judged(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """As in a request that carries nothing else."""
        gate = make()

        assert "u1" == gate.verify_token(fake.token("u1", roles=["a"]), ag.any_role("a")).user.id
        with pytest.raises(ag.AuthorizationError):
            gate.verify_token(fake.token("u1"), ag.any_role("a"))
        with pytest.raises(ag.MissingCredentials):
            gate.verify_token(fake.token("u1"), ag.is_user & ag.is_project)

    def test_claims_are_read_for_whoever_asks(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """And for nobody else: reading them takes as long as the signature, and keeping them more than all the rest."""
        user = make().verify_token(fake.token("u1"), ag.is_user).user

        assert attrgetter("_view")(user) is None
        assert "u1" == user.claims["sub"]
        assert attrgetter("_view")(user) is user.claims

    @pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "a" * 20_000, "\ud800", "é.é.é", "a\x00"])
    def test_any_text_is_only_a_bad_token(self, make: Callable[..., Face], token: str) -> None:
        """Law 3.11."""
        with pytest.raises(ag.InvalidToken):
            make().verify_token(token)


class TestHealth:
    """Law 4.12."""

    def test_keys_and_stores_say_how_they_are(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Plain in both colours, and asks nobody."""
        health = make(revocation=ag.MemoryRevocation()).gate.health()

        assert [("id", "static", len(fake.kids))] == [(k.issuer, k.status, k.keys) for k in health.keys]
        assert 1 == len(health.revocation)


class TestWrongTypes:
    """What a type checker would have said is said as a configuration error, not as a crash."""

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"issuers": "https://id.test"}, "issuers: give a list"),
            ({"issuers": ["https://id.test"]}, "issuers: give a list"),
            ({"issuers": None}, "issuers: give a list"),
            ({"roles": {"admin": ["x"]}}, "roles: give RoleHierarchy"),
            ({"on_event": 1}, "on_event: give a function"),
            ({"projects": "projects.toml"}, "projects"),
            ({"revocation": 7}, "revocation"),
            ({"key_wait": "2"}, "key_wait"),
            ({"realm": 7}, "realm"),
            ({"proxy": "socks5://host:1"}, "proxy"),
            ({"proxy": "http://[x"}, "proxy"),
            ({"proxy": 7}, "proxy"),
        ],
    )
    def test_each_is_named(
        self, fake: FakeIssuer, colour: str, options: dict[str, Any], expected: str
    ) -> None:
        """With what to write instead."""
        with pytest.raises(ag.ConfigurationError, match=expected):
            face(colour, configured(fake, **options))
