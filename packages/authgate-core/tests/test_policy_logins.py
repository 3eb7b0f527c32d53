"""What a policy says of how a user logged in, and what it asks for where that was not enough (RFC 9470, Law 8.4)."""

from __future__ import annotations

import pytest

from authgate_core.clock import Instant
from authgate_core.credentials import APP, BEARER, Kind
from authgate_core.errors import (
    AuthgateError,
    AuthorizationError,
    InsufficientScope,
    StepUpRequired,
)
from authgate_core.policy import (
    Decision,
    Policy,
    all_scopes,
    any_acr,
    any_role,
    any_scope,
    check,
    compile_policy,
    evaluate,
    fresh_within,
    is_project,
    is_service,
    is_user,
)
from authgate_core.policy.step_up import StepUp
from authgate_core.principal import Admission, Principal, Project, Service, User
from authgate_core.request import RequestView

NOW = Instant(wall=1_800_000_000.0, mono=50.0)
USER = User(id="u1", issuer="main", scopes=["read"], auth_time=NOW.wall - 300, acr="silver")
SERVICE = Service(id="s1", issuer="jobs")
PROJECT = Project(id="p1")


def decide(policy: Policy, *principals: Principal, now: Instant | None = NOW) -> Decision:
    """What the policy says; the short way of a plain policy says the same."""
    found: dict[Kind, Principal] = {APP if isinstance(p, Project) else BEARER: p for p in principals}
    compiled, request = compile_policy(policy), RequestView("GET", "/", ())
    decision = evaluate(compiled, found, request, now)
    if BEARER in found:
        plain = compiled.is_plainly_for(found[BEARER], request, now)
        assert (compiled.is_plain and decision.granted) == plain
    return decision


def asked(policy: Policy, *principals: Principal) -> tuple[tuple[str, ...], int | None, tuple[str, ...]]:
    """The login that a refusal asks for, and the scopes."""
    error = refusal(policy, *principals)
    assert isinstance(error, StepUpRequired)
    return error.acr_values, error.max_age, error.scopes


def refusal(policy: Policy, *principals: Principal) -> AuthgateError:
    """How the policy refuses these principals."""
    return decide(policy, *principals).refusal()


class TestFreshness:
    def test_the_last_second_counts(self) -> None:
        """A login as old as may be is fresh, and one a moment older is not."""
        assert decide(fresh_within(300), USER).granted
        assert not decide(fresh_within(300), USER, now=NOW.plus(0.001)).granted

    def test_only_the_wall_clock_counts(self) -> None:
        """``auth_time`` is a time of the world, not of this process."""
        assert decide(fresh_within(300), USER, now=Instant(NOW.wall, 10_000.0)).granted

    @pytest.mark.parametrize("who", [User(id="u1", issuer="main"), SERVICE], ids=repr)
    def test_a_login_at_no_known_time_is_stale(self, who: Principal) -> None:
        """What cannot be checked is refused."""
        assert not decide(fresh_within(300), who).granted

    def test_at_no_known_moment_nothing_is_fresh(self) -> None:
        """The same."""
        assert not decide(fresh_within(300), USER, now=None).granted


class TestClasses:
    def test_one_of_several_will_do(self) -> None:
        """The order says what is preferred, not what is accepted."""
        assert decide(any_acr("gold", "silver"), USER).granted
        assert not decide(any_acr("gold"), USER).granted

    @pytest.mark.parametrize("who", [User(id="u1", issuer="main"), SERVICE], ids=repr)
    def test_a_login_of_no_known_class_is_none_of_them(self, who: Principal) -> None:
        """What cannot be checked is refused."""
        assert not decide(any_acr("gold"), who).granted


class TestWhatIsAskedFor:
    def test_all_that_the_branch_asks_of_a_login(self) -> None:
        """A stronger login that is not fresh enough would be refused again."""
        assert (("gold",), 600, ()) == asked(is_user & fresh_within(600) & any_acr("gold"), USER)

    def test_what_satisfies_every_leaf(self) -> None:
        """The shortest age, and the classes that all of them accept, in the order of the first."""
        policy = fresh_within(60) & fresh_within(30) & any_acr("a", "b", "c") & any_acr("c", "b")
        assert (("b", "c"), 30, ()) == asked(policy, USER)

    def test_scopes_that_are_missing_as_well(self) -> None:
        """RFC 9470 section 3: one challenge for both, naming every scope that the branch asks for."""
        error = refusal(is_user & fresh_within(60) & all_scopes("read", "write"), USER)
        assert isinstance(error, StepUpRequired)
        assert (("read", "write"), ("write",)) == (error.scopes, error.missing)

    def test_no_scopes_where_none_are_missing(self) -> None:
        """The token has those that are asked for, and the next one will."""
        assert ((), 60, ()) == asked(is_user & fresh_within(60) & all_scopes("read"), USER)

    def test_no_login_where_scopes_are_all_that_is_missing(self) -> None:
        """A login that is good enough is not asked for again."""
        assert InsufficientScope is type(refusal(fresh_within(300) & all_scopes("write"), USER))

    def test_it_is_the_tokens_own_issuer_who_is_told_apart(self) -> None:
        """Law 10.1: the error holds the scheme and the issuer, for the log."""
        error = refusal(is_user & any_acr("gold"), USER)
        assert ("main", "Bearer", "is_user & any_acr('gold'): does not hold: any_acr('gold')") == (
            error.issuer,
            error.scheme,
            error.reason,
        )

    @pytest.mark.parametrize(
        "policy",
        [
            is_user & any_role("admin") & fresh_within(60),
            is_user & any_acr("gold") & any_acr("platinum"),
            is_user & any_acr(),
            is_user & any_acr("gold") & any_scope(),
            is_project & fresh_within(60),
            is_user & is_project & fresh_within(60, of=Project),
            fresh_within(60, of=Service),
        ],
        ids=repr,
    )
    def test_nothing_that_would_not_do(self, policy: Policy) -> None:
        """A login is asked for only where, with it, the user would be admitted."""
        assert AuthorizationError is type(refusal(policy, USER, PROJECT))

    @pytest.mark.parametrize(
        "policy", [fresh_within(60), any_acr("gold"), is_service & fresh_within(60)], ids=repr
    )
    def test_nothing_of_a_service(self, policy: Policy) -> None:
        """No service logs in."""
        assert AuthorizationError is type(refusal(policy, SERVICE))

    @pytest.mark.parametrize("answer", [True, False])
    def test_a_check_is_asked_first(self, answer: bool) -> None:
        """Whoever logs in again must not be refused for a check that could have been asked before."""
        policy = is_user & fresh_within(60) & check("mine", lambda admission, request: answer)
        assert (StepUpRequired if answer else AuthorizationError) is type(refusal(policy, USER))

    @pytest.mark.parametrize("flip", [True, False])
    @pytest.mark.parametrize("asked", [any_acr("gold"), fresh_within(60)], ids=repr)
    def test_a_branch_that_a_login_would_satisfy_goes_first(self, asked: Policy, flip: bool) -> None:
        """Of branches that lack as much, the one whose challenge helps, however they are written and ordered."""
        role, login = is_user & any_role("admin"), is_user & asked
        assert StepUpRequired is type(refusal(role | login if flip else login | role, USER))

    @pytest.mark.parametrize("flip", [True, False])
    @pytest.mark.parametrize("asked", [all_scopes("write"), any_scope("write")], ids=repr)
    def test_a_branch_that_another_token_would_satisfy_goes_first(self, asked: Policy, flip: bool) -> None:
        """The same of scopes, which a client asks for."""
        role, scope = is_user & any_role("admin"), is_user & asked
        assert InsufficientScope is type(refusal(role | scope if flip else scope | role, USER))

    def test_a_check_sees_the_moment(self) -> None:
        """Law 8.4: what it asks of the admission is judged at the moment of the request."""
        policy = is_user & check("fresh", lambda admission, request: admission.allows(fresh_within(300)))
        assert decide(policy, USER).granted
        assert not decide(policy, USER, now=NOW.plus(1)).granted

    def test_nothing_is_asked_for_that_is_not_said(self) -> None:
        """RFC 9470 section 3: a parameter is there for what the policy asks of a login."""
        assert ((), None) == (StepUp().acr_values, StepUp().max_age)
        assert Decision(granted=False).step_up is None

    def test_a_login_of_the_user_by_name(self) -> None:
        """Law 8.3: ``of=User`` says whose login it is, and asks for the same."""
        assert ((), 60, ()) == asked(is_user & fresh_within(60, of=User), USER)


class TestInAHandler:
    def test_a_login_is_judged_at_the_moment_of_admission(self) -> None:
        """A handler that works for a minute does not make its caller's login a minute older."""
        admission = Admission((USER,), moment=NOW)
        assert admission.allows(fresh_within(300))
        with pytest.raises(StepUpRequired) as caught:
            admission.require(fresh_within(299))
        assert 299 == caught.value.max_age

    def test_without_a_moment_no_login_is_fresh(self) -> None:
        """An admission that no gate made."""
        assert not Admission((USER,)).allows(fresh_within(300))
