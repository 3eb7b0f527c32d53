"""What a policy says of an action that the user has confirmed (Law 8.4)."""

from __future__ import annotations

import dataclasses

import pytest

from authgate_core.clock import Instant
from authgate_core.credentials import APP, BEARER, Kind
from authgate_core.errors import AuthorizationError, StepUpRequired
from authgate_core.policy import (
    Decision,
    Policy,
    action,
    compile_policy,
    evaluate,
    fresh_within,
    is_project,
    is_service,
    is_user,
)
from authgate_core.policy.step_up import Proof
from authgate_core.principal import Principal, Project, Service, User
from authgate_core.request import RequestView

NOW = Instant(wall=1_800_000_000.0, mono=50.0)
USER = User(id="u1", issuer="main")
PROJECT = Project(id="p1")
UNUSED = Proof("delete", USER.ref, "t1", NOW.wall + 60)
USED = dataclasses.replace(UNUSED, is_used=True)
OTHERS = (
    dataclasses.replace(USED, action="close"),
    dataclasses.replace(USED, action="DELETE"),
    dataclasses.replace(USED, user=User(id="u2", issuer="main").ref),
    dataclasses.replace(USED, user=User(id="u1", issuer="other").ref),
    dataclasses.replace(USED, user=User(id="u1", issuer="main", tenant="t").ref),
    None,
    "delete",
)


def decide(policy: Policy, proof: object, *principals: Principal) -> Decision:
    """What the policy says of a request of these principals, with this in the place of a proof."""
    found: dict[Kind, Principal] = {APP if isinstance(p, Project) else BEARER: p for p in principals}
    request = RequestView("GET", "/", ())
    request.proof = proof
    return evaluate(compile_policy(policy), found, request, NOW)


class TestHolds:
    def test_a_token_that_this_request_has_used_up(self) -> None:
        """It lets in once, and where it may be brought again as well."""
        assert decide(action("delete"), USED, USER).granted
        assert decide(action("delete", once=False), USED, USER).granted

    def test_a_token_that_is_not_used_up(self) -> None:
        """Another request could bring it, which counts where once was said, and it is unless one says otherwise."""
        assert not decide(action("delete"), UNUSED, USER).granted
        assert not decide(action("delete", once=True), UNUSED, USER).granted
        assert decide(action("delete", once=False), UNUSED, USER).granted

    @pytest.mark.parametrize("proof", OTHERS, ids=repr)
    @pytest.mark.parametrize("once", [True, False])
    def test_nothing_else(self, proof: object, *, once: bool) -> None:
        """Another action, somebody else who confirmed it, or nothing that was verified."""
        assert not decide(action("delete", once=once), proof, USER).granted

    @pytest.mark.parametrize("policy", [action("delete"), is_service & action("delete")], ids=repr)
    def test_a_service_confirms_nothing(self, policy: Policy) -> None:
        """Also one that its issuer gave the id of a user who did."""
        service = Service(id=USER.id, issuer=USER.issuer)
        assert service.ref == USER.ref
        assert not decide(policy, USED, service).granted

    def test_it_asks_about_the_user(self) -> None:
        """Law 8.3: beside a project, the one that ``of=`` names."""
        policy = is_user & is_project & action("delete", of=User)
        assert decide(policy, USED, USER, PROJECT).granted
        assert not decide(policy, UNUSED, USER, PROJECT).granted


class TestRefused:
    def test_the_user_is_asked_to_confirm(self) -> None:
        """As for a stronger login, of which it asks nothing else."""
        refusal = decide(is_user & action("delete"), None, USER).refusal()
        assert isinstance(refusal, StepUpRequired)
        assert ((), None) == (refusal.acr_values, refusal.max_age)

    def test_which_action_is_said(self) -> None:
        """By its name; a login that is asked for besides is another matter."""
        refusal = decide(is_user & action("delete"), None, USER).refusal()
        assert isinstance(refusal, StepUpRequired)
        assert ("delete", False) == (refusal.action, refusal.is_stale)
        refusal = decide(is_user & fresh_within(60), None, USER).refusal()
        assert isinstance(refusal, StepUpRequired)
        assert (None, True) == (refusal.action, refusal.is_stale)
        refusal = decide(is_user & fresh_within(60) & action("delete"), None, USER).refusal()
        assert isinstance(refusal, StepUpRequired)
        assert ("delete", True) == (refusal.action, refusal.is_stale)

    def test_two_actions_are_too_many(self) -> None:
        """A request carries the token of one, so nothing is asked for that would help."""
        refusal = decide(is_user & action("delete") & action("close"), None, USER).refusal()
        assert AuthorizationError is type(refusal)

    def test_a_service_is_asked_nothing(self) -> None:
        """No login would change who it is."""
        refusal = decide(is_service & action("delete"), None, Service(id="s1", issuer="main")).refusal()
        assert isinstance(refusal, AuthorizationError)
        assert not isinstance(refusal, StepUpRequired)


class TestCompiled:
    @pytest.mark.parametrize(
        ("policy", "asks", "uses"),
        [
            (is_user, False, False),
            (is_user & action("a"), True, True),
            (is_user & action("a", once=False), True, False),
            (is_service | (is_user & action("a")), True, True),
            (is_service | (is_user & action("a", once=False)), True, False),
            ((is_user & action("a", once=False)) | (is_user & action("b")), True, True),
        ],
        ids=repr,
    )
    def test_what_it_says_of_itself(self, policy: Policy, *, asks: bool, uses: bool) -> None:
        """Whether any branch asks, so that no token is looked for in vain; and whether any uses one up."""
        compiled = compile_policy(policy)
        assert (asks, uses, not asks) == (compiled.asks_action, compiled.uses_once, compiled.is_plain)

    def test_how_it_is_written(self) -> None:
        """As one would write it."""
        assert "is_user & action('a') & action('b', once=False)" == repr(
            is_user & action("a") & action("b", once=False)
        )
        assert "action('a', once=False, of=is_user)" == repr(action("a", once=False, of=User))

    @pytest.mark.parametrize("once", [None, 1, 0, "yes"])
    def test_once_is_yes_or_no(self, once: object) -> None:
        """A mistake is said where it is made."""
        with pytest.raises(TypeError, match="once=True or once=False"):
            action("a", once=once)  # type: ignore[arg-type]  # the mistake

    @pytest.mark.parametrize("name", ["", None, 7, "a b", "a\n", "\xe9"])
    def test_a_name_can_stand_in_a_header(self, name: object) -> None:
        """Where clients read it; the mistake names the word that was called."""
        with pytest.raises(TypeError, match=r"^action takes"):
            action(name)  # type: ignore[arg-type]  # the mistake
