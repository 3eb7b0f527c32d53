"""Policies are values (Law 8.1), and compile to branches (Laws 8.2, 8.3 and 8.6)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial, reduce
from operator import and_, or_
from typing import Any

import pytest

from authgate_core.credentials import API_KEY, APP, BEARER, Kind
from authgate_core.errors import ConfigurationError
from authgate_core.policy import (
    AllOf,
    AnyOf,
    Policy,
    UnsafeAllowAnonymous,
    all_roles,
    all_scopes,
    any_acr,
    any_client,
    any_role,
    any_scope,
    check,
    claim_equals,
    compile_policy,
    fresh_within,
    from_issuer,
    has_claim,
    is_api_key,
    is_project,
    is_service,
    is_user,
    same_tenant,
)
from authgate_core.principal import Admission, ApiKey, Principal, Project, Service, User, claim_path
from authgate_core.request import RequestView

ADMIN = any_role("admin")


YES, NO = True, False


def is_owner(admission: Admission, request: RequestView) -> bool:
    """A check for the tests."""
    return admission.principal.id == request.path_params.get("owner")


WRITTEN: list[tuple[Policy, str]] = [
    (is_user, "is_user"),
    (is_service, "is_service"),
    (is_project, "is_project"),
    (any_role("a", "b"), "any_role('a', 'b')"),
    (all_roles("a", of=Service), "all_roles('a', of=is_service)"),
    (any_scope("a"), "any_scope('a')"),
    (all_scopes("a", "b"), "all_scopes('a', 'b')"),
    (has_claim("groups"), "has_claim('groups')"),
    (has_claim("a.b", "x", 1, YES, of=is_user), "has_claim('a.b', 'x', 1, True, of=is_user)"),
    (has_claim("https://x/plan"), "has_claim('https://x/plan')"),
    (has_claim(claim_path("a", "b.c"), "x"), "has_claim(claim_path('a', 'b.c'), 'x')"),
    (any_client("web"), "any_client('web')"),
    (any_acr("gold", "silver", of=User), "any_acr('gold', 'silver', of=is_user)"),
    (fresh_within(300), "fresh_within(300)"),
    (fresh_within(1, of=User), "fresh_within(1, of=is_user)"),
    (from_issuer("main"), "from_issuer('main')"),
    (same_tenant(path="tenant"), "same_tenant(path='tenant')"),
    (claim_equals("sub", path="user", of=User), "claim_equals('sub', path='user', of=is_user)"),
    (any_client("web", of=User), "any_client('web', of=is_user)"),
    (from_issuer("main", of=Service), "from_issuer('main', of=is_service)"),
    (same_tenant(path="tenant", of=Project), "same_tenant(path='tenant', of=is_project)"),
    (is_api_key, "is_api_key"),
    (any_role("a", of=ApiKey), "any_role('a', of=is_api_key)"),
    (check("owner", is_owner), "check('owner', is_owner)"),
    (UnsafeAllowAnonymous(), "UnsafeAllowAnonymous()"),
    (is_user & ADMIN, "is_user & any_role('admin')"),
    (is_user | is_service, "is_user | is_service"),
    (is_user & ADMIN | is_project, "is_user & any_role('admin') | is_project"),
    ((is_user | is_service) & ADMIN, "(is_user | is_service) & any_role('admin')"),
    (is_user & AnyOf((ADMIN,)), "is_user & AnyOf((any_role('admin'),))"),
    (AllOf(()), "AllOf(())"),
    (AnyOf(()), "AnyOf(())"),
    (AllOf((is_user,)), "AllOf((is_user,))"),
    (AllOf((AllOf(()), is_user)), "AllOf(()) & is_user"),
]


class TestValues:
    @pytest.mark.parametrize(("policy", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
    def test_a_policy_prints_as_the_expression_that_makes_it(self, policy: Policy, text: str) -> None:
        """Law 8.1: what is printed, evaluated, is the policy again."""
        assert text == repr(policy)
        assert policy == eval(text)  # of the table above

    def test_equal_expressions_are_equal_values(self) -> None:
        """Law 8.1: policies are compared by what they say."""
        assert is_user & ADMIN == is_user & any_role("admin")
        assert hash(is_user & ADMIN) == hash(is_user & any_role("admin"))
        assert (is_user & ADMIN) & is_project == is_user & (ADMIN & is_project)
        assert any_role("a", of=User) == any_role("a", of=is_user)
        assert has_claim("a.b") == has_claim(claim_path("a", "b"))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (any_role("a"), all_roles("a")),
            (any_role("a"), any_scope("a")),
            (any_role("a"), any_role("a", of=User)),
            (any_role("a", of=User), any_role("a", of=Service)),
            (is_user & ADMIN, is_user | ADMIN),
            (AllOf(()), AnyOf(())),
            (has_claim("level", 1), has_claim("level", YES)),
            (has_claim("level", 0), has_claim("level", NO)),
            (has_claim("level", 1), has_claim("level", "1")),
            (same_tenant(path="a"), same_tenant(path="b")),
            (check("a", is_owner), check("b", is_owner)),
            (check("a", lambda a, r: True), check("a", lambda a, r: False)),
        ],
    )
    def test_what_decides_differently_is_different(self, one: Policy, other: Policy) -> None:
        """Law 8.1: equal policies share what they compile to, so 1 and True, or two functions, differ."""
        assert one != other
        assert compile_policy(one) is not compile_policy(other)

    def test_a_bound_method_is_one_function(self) -> None:
        """Two looks at one method of one object make equal checks; another object does not."""

        class Owners:
            def holds(self, admission: Admission, request: RequestView) -> bool:
                return True

            def __eq__(self, other: object) -> bool:
                return True

            __hash__ = None  # type: ignore[assignment]  # what cannot be hashed can have methods

        one, other = Owners(), Owners()
        assert check("a", one.holds) == check("a", one.holds)
        assert check("a", one.holds) != check("a", other.holds)
        assert compile_policy(check("a", one.holds)).text.startswith("check('a', ")

    def test_a_callable_object_is_named_by_its_type(self) -> None:
        """A check may be anything that can be called."""

        class Owner:
            __hash__ = None  # type: ignore[assignment]  # what cannot be hashed can be called

            def __call__(self, admission: Admission, request: RequestView) -> bool:
                return True

        policy = check("owner", Owner())
        assert "check('owner', Owner)" == repr(policy) == compile_policy(policy).text

    @pytest.mark.parametrize("policy", [policy for policy, _ in WRITTEN], ids=[text for _, text in WRITTEN])
    def test_it_cannot_be_changed(self, policy: Policy) -> None:
        """Law 8.1: a value stays what it is."""
        for name in ("term", "parts", "anything"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(policy, name, ())

    @pytest.mark.parametrize(
        "use",
        [
            "is_user and ADMIN",
            "is_user or ADMIN",
            "not is_user",
            "bool(is_user & ADMIN)",
            "1 if UnsafeAllowAnonymous() else 0",
            "[1] if AnyOf(()) else []",
        ],
    )
    def test_a_policy_has_no_truth_value(self, use: str) -> None:
        """Law 8.1: ``a and b``, which would silently drop a, is found at once and says what to write."""
        with pytest.raises(TypeError, match="write a & b for 'a and b'"):
            eval(use)

    @pytest.mark.parametrize("other", ["admin", 1, None, User, UnsafeAllowAnonymous, lambda: True])
    def test_only_policies_are_combined(self, other: object) -> None:
        """A mistake in an expression is found where it is written."""
        for combine in (and_, or_):
            with pytest.raises(TypeError, match="unsupported operand"):
                combine(is_user, other)
        combinations: list[Any] = [AllOf, AnyOf]
        for combination in combinations:
            with pytest.raises(TypeError, match=f"{combination.__name__} combines policies"):
                combination((is_user, other))


class Role(str):
    """A text of its own type, as a member of a text Enum is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Role {len(self)}>"


NAMING = (any_role, all_roles, any_scope, all_scopes, any_client, any_acr, from_issuer)


class TestWords:
    @pytest.mark.parametrize("word", NAMING)
    @pytest.mark.parametrize("wrong", ["", None, 1, ["a"], ("a", "b"), b"a"])
    def test_names_are_texts_one_by_one(self, word: Callable[..., Policy], wrong: object) -> None:
        """A list in the place of names would otherwise never match, or match a letter."""
        with pytest.raises(TypeError, match=f"{word.__name__} takes texts"):
            word("a", wrong)

    def test_members_of_an_enum_are_their_values(self) -> None:
        """A role may be kept in a text Enum."""
        assert any_role("admin") == any_role(Role("admin"))
        assert "any_role('admin')" == repr(any_role(Role("admin")))
        assert has_claim("a", "admin") == has_claim("a", Role("admin"))

    @pytest.mark.parametrize("wrong", ["a b", " a", "a\n", "\u00e9", "\x7f"])
    def test_classes_of_authentication_can_be_listed(self, wrong: str) -> None:
        """RFC 9470 section 3: in a challenge they are separated by spaces, so none may hold one."""
        with pytest.raises(TypeError, match="without spaces"):
            any_acr("gold", wrong)

    @pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "300", None])
    def test_freshness_is_a_number_of_seconds(self, wrong: Any) -> None:
        """RFC 9470 section 3: max_age is a whole number; of zero, no login would do."""
        with pytest.raises(TypeError, match="positive whole number of seconds"):
            fresh_within(wrong)

    @pytest.mark.parametrize("wrong", [None, ["a"], {"a": 1}, b"a", is_user])
    def test_claims_are_compared_with_scalars(self, wrong: object) -> None:
        """A value that no claim can equal is a mistake."""
        word: Any = has_claim
        with pytest.raises(TypeError, match="texts, numbers and booleans"):
            word("a", wrong)

    @pytest.mark.parametrize("wrong", [Principal, "user", Admission, is_user & ADMIN, any_role("a"), 1])
    def test_of_is_one_of_three(self, wrong: object) -> None:
        """Law 8.3: of= names a kind of principal."""
        word: Any = any_role
        with pytest.raises(TypeError, match="of= takes User, Service, Project or ApiKey"):
            word("a", of=wrong)

    @pytest.mark.parametrize("wrong", ["", None, 1])
    def test_path_parameters_have_names(self, wrong: object) -> None:
        """A comparison with no parameter would never hold."""
        words: dict[str, Any] = {"same_tenant": same_tenant, "claim_equals": partial(claim_equals, "sub")}
        for name, word in words.items():
            with pytest.raises(TypeError, match=f"^{name} takes texts that are not empty"):
                word(path=wrong)

    def test_a_check_is_a_plain_function(self) -> None:
        """Law 9.2: a coroutine is never true or false; what cannot be called is found at once."""

        async def later(admission: Admission, request: RequestView) -> bool:
            return True

        wrong: list[Any] = [later, "owner", None]
        for fn in wrong:
            with pytest.raises(TypeError, match="check takes a plain function"):
                check("owner", fn)
        with pytest.raises(TypeError, match="check takes texts"):
            check("", is_owner)


def kinds(policy: Policy) -> list[tuple[Kind, ...]]:
    """What each branch needs to be presented."""
    return [branch.kinds for branch in compile_policy(policy).branches]


class TestKinds:
    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            (is_user, [(BEARER,)]),
            (is_service, [(BEARER,)]),
            (is_project, [(APP,)]),
            (ADMIN, [(BEARER,)]),
            (check("owner", is_owner), [(BEARER,)]),
            (is_project & check("owner", is_owner), [(APP,)]),
            (is_project & ADMIN, [(APP,)]),
            (any_role("a", of=Project), [(APP,)]),
            (any_role("a", of=is_api_key), [(API_KEY,)]),
            (is_api_key & any_role("a"), [(API_KEY,)]),
            (is_api_key & is_user, [(BEARER, API_KEY)]),
            (is_user & any_role("a", of=Project), [(BEARER, APP)]),
            (is_project & is_user, [(BEARER, APP)]),
            (is_project | is_user, [(BEARER,), (APP,)]),
            (is_project | is_user & is_project, [(BEARER, APP), (APP,)]),
            (UnsafeAllowAnonymous(), [()]),
            (UnsafeAllowAnonymous() & ADMIN, [(BEARER,)]),
            (UnsafeAllowAnonymous() & check("owner", is_owner), [(BEARER,)]),
            (AllOf(()), [(BEARER,)]),
            (is_project & AnyOf(()), [(APP,)]),
        ],
        ids=repr,
    )
    def test_what_each_branch_needs(self, policy: Policy, expected: list[tuple[Kind, ...]]) -> None:
        """Laws 8.2, 8.3, 8.6: kinds ask for credentials, a condition for a Bearer token, a check for somebody."""
        assert expected == kinds(policy)

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            (is_user, (User,)),
            (is_service & ADMIN, (Service,)),
            (ADMIN, (Principal,)),
            (any_role("a", of=User), (User,)),
            (is_user | ADMIN | is_project, (User, Principal, Project)),
            (UnsafeAllowAnonymous(), ()),
        ],
        ids=repr,
    )
    def test_whom_a_policy_asks_for(self, policy: Policy, expected: tuple[type[Principal], ...]) -> None:
        """Law 1.6: a gate can tell whether it has a source for everybody whom a policy names."""
        assert set(expected) == compile_policy(policy).principals

    def test_schemes_are_those_of_the_kinds(self) -> None:
        """Law 1.1: a challenge names only schemes that the policy accepts, in a fixed order."""
        assert ("Bearer", "AppCredentials") == compile_policy(is_project | is_user).schemes
        assert ("AppCredentials",) == compile_policy(is_project).schemes

    @pytest.mark.parametrize(
        ("policy", "presented", "missing"),
        [
            (is_user, [], (BEARER,)),
            (is_user, [BEARER], ()),
            (is_user & is_project, [], (BEARER, APP)),
            (is_project & is_user, [BEARER], (APP,)),
            (is_user | is_project, [], (BEARER, APP)),
            (is_user | is_project, [APP], ()),
            (is_service | is_user & is_project, [APP], (BEARER,)),
            (UnsafeAllowAnonymous() | is_user, [], ()),
        ],
        ids=repr,
    )
    def test_what_is_missing(self, policy: Policy, presented: list[Kind], missing: tuple[Kind, ...]) -> None:
        """Law 2.3: when no branch has all its kinds, the kinds of all branches that are not there."""
        assert missing == compile_policy(policy).missing_kinds(presented)

    def test_whether_anything_is_presented(self) -> None:
        """Law 1.4: optional means that nothing of the kinds asked for is there; a part is something."""
        both = compile_policy(is_user & is_project)
        assert (False, True) == (both.is_presented([]), both.is_presented([APP]))
        assert not compile_policy(is_user).is_presented([APP])


class TestMistakes:
    @pytest.mark.parametrize(
        "policy",
        [
            is_user & is_service,
            is_user & ADMIN & is_service,
            is_user & is_service | is_project,
            is_user & any_role("a", of=Service),
            any_role("a", of=User) & any_role("b", of=Service),
            (is_user | any_role("a", of=User)) & is_service,
        ],
        ids=repr,
    )
    def test_a_group_that_can_never_hold(self, policy: Policy) -> None:
        """Law 8.3: a token is a user's or a service's, so asking for both is a mistake."""
        with pytest.raises(ConfigurationError, match="a token is a user's or a service's, never both; write"):
            compile_policy(policy)

    def test_what_distribution_brings_together_is_left_out(self) -> None:
        """Two policies that were written apart can be combined."""
        caller = is_user | is_service
        policy = caller & (is_user & ADMIN | is_service & any_scope("jobs"))
        assert [
            "is_service & any_scope('jobs')",
            "is_user & any_role('admin')",
        ] == sorted(branch.text for branch in compile_policy(policy).branches)

    @pytest.mark.parametrize(
        "policy",
        [
            is_user & is_project & ADMIN,
            is_user & ADMIN & any_role("a", of=Project),
            ADMIN & any_role("a", of=Project),
            (is_user & is_project) & (ADMIN | any_role("b", of=User)),
        ],
        ids=repr,
    )
    def test_a_condition_that_could_be_about_several(self, policy: Policy) -> None:
        """Law 8.3: with several principals a condition needs of=, and the message names it and them."""
        with pytest.raises(ConfigurationError, match=r"any_role\('admin'\) needs of=.*Project"):
            compile_policy(policy)

    @pytest.mark.parametrize(
        "policy",
        [
            is_user & is_project & any_role("a", of=Project),
            is_user & is_project & any_role("a", of=is_user) & any_scope("b", of=User),
            is_user & is_project & check("owner", is_owner),
            ADMIN & any_role("a", of=User),
        ],
        ids=repr,
    )
    def test_of_settles_it(self, policy: Policy) -> None:
        """Law 8.3: with of= at each condition every group is clear; a check sees all its principals."""
        assert compile_policy(policy).branches

    def test_sixty_four_branches_are_the_most(self) -> None:
        """A policy that nobody could read is refused, and refused quickly."""
        pairs = [any_role(f"a{i}") | any_role(f"b{i}") for i in range(40)]
        assert 64 == len(compile_policy(reduce(and_, pairs[:6])).branches)
        for policy in (reduce(and_, pairs[:7]), reduce(and_, pairs), reduce(or_, pairs)):
            with pytest.raises(ConfigurationError, match="more than 64 branches"):
                compile_policy(policy)

    @pytest.mark.parametrize(
        "policy",
        [
            is_user & is_service,
            (is_user | any_role("a", of=User)) & is_service,
            is_user & is_project & ADMIN,
            reduce(or_, [any_role(f"a{i}") for i in range(65)]),
            reduce(and_, [any_role(f"a{i}") | any_role(f"b{i}") for i in range(7)]),
        ],
        ids=["parts", "groups", "of=", "too many alternatives", "too many combinations"],
    )
    def test_a_mistake_is_told_with_the_policy(self, policy: Policy) -> None:
        """Law 1.6: whoever reads the message finds what to change."""
        with pytest.raises(ConfigurationError) as found:
            compile_policy(policy)
        assert f"policy {policy!r}" in str(found.value)

    def test_repetition_is_no_branch(self) -> None:
        """Saying a thing twice changes nothing."""
        assert 1 == len(compile_policy(is_user & is_user | is_user).branches)
        assert compile_policy(is_user & is_user).branches == compile_policy(is_user).branches

    @pytest.mark.parametrize("wrong", ["is_user", None, User, UnsafeAllowAnonymous, [is_user], lambda: True])
    def test_what_is_no_policy(self, wrong: object) -> None:
        """Law 1.6: the message says what to write."""
        compile_anything: Any = compile_policy
        with pytest.raises(ConfigurationError, match="is no policy; write one like is_user"):
            compile_anything(wrong)

    def test_policies_are_not_made_of_nothing(self) -> None:
        """The base class is for reading, and cannot be instantiated."""
        made: Any = Policy
        with pytest.raises(TypeError, match="abstract"):
            made()


class TestAnonymous:
    def test_admitting_anybody_is_warned_about(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 8.6: one warning names each policy that admits anybody."""
        policy = UnsafeAllowAnonymous() | any_role("only here")
        with caplog.at_level(logging.WARNING, logger="authgate"):
            compile_policy(policy)
            compile_policy(UnsafeAllowAnonymous() | any_role("only here"))
        assert [f"policy {policy!r} admits anybody, with or without credentials"] == caplog.messages
        assert ["authgate"] == [record.name for record in caplog.records]
        assert "UnsafeAllowAnonymous()" in [branch.text for branch in compile_policy(policy).branches]

    def test_nothing_else_warns(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 8.6: a policy that asks for somebody is not warned about."""
        compile_policy(check("warns not", is_owner) | AnyOf(()))
        assert [] == caplog.messages


class TestCompiling:
    def test_equal_policies_share_the_result(self) -> None:
        """A guard may compile its policy at every request."""
        assert compile_policy(is_user & any_role("shared")) is compile_policy(is_user & any_role("shared"))

    def test_the_order_written_does_not_show(self) -> None:
        """Law 2.3: branches are tried in an order of their own, the one that shows most first."""
        policies = [is_project, is_user & is_project, is_user, ADMIN]
        expected = [
            "is_user & is_project",
            "any_role('admin')",
            "is_user",
            "is_project",
        ]
        for order in (policies, policies[::-1]):
            assert expected == [branch.text for branch in compile_policy(reduce(or_, order)).branches]
