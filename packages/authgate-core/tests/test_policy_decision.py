"""What a policy says about the principals of a request (Laws 8.2 to 8.6)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from authgate_core.credentials import BEARER, Kind
from authgate_core.errors import (
    AuthgateError,
    AuthorizationError,
    InsufficientScope,
    MissingCredentials,
    NotAdmitted,
)
from authgate_core.policy import (
    AllOf,
    AnyOf,
    Decision,
    Policy,
    UnsafeAllowAnonymous,
    all_roles,
    all_scopes,
    any_client,
    any_role,
    any_scope,
    check,
    claim_equals,
    compile_policy,
    evaluate,
    from_issuer,
    has_claim,
    is_api_key,
    is_project,
    is_service,
    is_user,
    kind_of,
    same_tenant,
)
from authgate_core.principal import Admission, ApiKey, Principal, Project, Service, User, claim_path
from authgate_core.request import RequestView

TENANT = "0b7e6f1e-1111-4222-8333-444455556666"
USER = User(
    id="u1",
    issuer="main",
    tenant=TENANT,
    client_id="web",
    roles=["editor", "viewer"],
    scopes=["orders:read", "orders:write"],
    claims={
        "sub": "u1",
        "number": 7,
        "float": 7.0,
        "flag": True,
        "null": None,
        "empty": "",
        "groups": ["staff", 1, {"a": 1}],
        "nested": {"level": 2},
        "https://example.com/plan": "gold",
    },
)
SERVICE = Service(id="s1", issuer="jobs", client_id="worker", roles=["runner"], scopes=["jobs:run"])
PROJECT = Project(id="p1", tenant="p1", roles=["partner"], scopes=["orders:read"])
KEY = ApiKey(id="k1", roles=["robot"], scopes=["orders:read"])


def decide(policy: Policy, *principals: Principal, **path_params: object) -> Decision:
    """What the policy says about these principals; the short way of a plain policy says the same."""
    found: dict[Kind, Principal] = {kind_of(p): p for p in principals}
    compiled, request = compile_policy(policy), RequestView("GET", "/", (), path_params=path_params)
    decision = evaluate(compiled, found, request)
    if BEARER in found:
        assert (compiled.is_plain and decision.granted) == compiled.is_plainly_for(
            found[BEARER], request, None
        )
    return decision


def refusal(policy: Policy, *principals: Principal) -> AuthgateError:
    """How the policy refuses these principals."""
    return decide(policy, *principals).refusal()


class TestKinds:
    @pytest.mark.parametrize(
        ("policy", "granted"),
        [(is_user, USER), (is_service, SERVICE), (is_project, PROJECT), (is_api_key, KEY)],
        ids=repr,
    )
    def test_a_kind_admits_its_own(self, policy: Policy, granted: Principal) -> None:
        """Law 8.2: is_user and its like look at the kind of principal and at nothing else."""
        assert (granted,) == decide(policy, granted).principals

    def test_a_service_is_never_a_user(self) -> None:
        """Law 3.13: a service's token does not satisfy is_user, and it is a 403 because it was presented."""
        assert AuthorizationError is type(refusal(is_user, SERVICE))
        assert AuthorizationError is type(refusal(is_service, USER))

    def test_what_is_not_presented_is_missing(self) -> None:
        """Law 2.3: no branch has all its kinds, so it is a 401 naming the schemes of the missing ones."""
        error = refusal(is_user & is_project, USER)
        assert MissingCredentials is type(error)
        assert (("AppCredentials",), "not presented: app") == (error.accepts, error.reason)
        assert ("ApiKey",) == refusal(is_user & is_api_key, USER).accepts
        assert ("Bearer", "ApiKey") == refusal(is_user | is_api_key, PROJECT).accepts

    def test_a_decision_is_silent_on_what_was_not_judged(self) -> None:
        """Law 8.4: where nothing was presented there is no branch, nobody, and nothing that was lacked."""
        assert Decision(False, "", (), (), (BEARER,), (), (), None, None) == decide(is_user)
        assert Decision(True, "is_user", (USER,), (), (), (), (), None, None) == decide(is_user, USER)

    def test_a_refusal_says_who_was_refused(self) -> None:
        """Law 10.1: the error of a 403 holds the scheme and the issuer, for the log."""
        error = refusal(is_user & any_role("admin"), USER)
        assert ("Bearer", "main") == (error.scheme, error.issuer)
        assert "AppCredentials" == refusal(is_project & any_role("admin"), PROJECT).scheme
        error = refusal(is_api_key & any_role("admin"), KEY)
        assert ("ApiKey", "api_keys") == (error.scheme, error.issuer)

    def test_a_refusal_for_scopes_says_which_leaf(self) -> None:
        """Law 8.4: the reason names what does not hold, and ``missing`` what the token lacks of it."""
        error = refusal(all_scopes("orders:read", "orders:delete"), USER)
        assert isinstance(error, InsufficientScope)
        assert ("orders:delete",) == error.missing
        assert "all_scopes('orders:read', 'orders:delete')" in error.reason

    def test_scopes_that_are_asked_of_a_user_can_be_what_is_missing(self) -> None:
        """Law 8.3: with of= they are judged on that principal, and a token with them would be admitted."""
        error = refusal(is_user & all_scopes("orders:delete", of=User), USER)
        assert isinstance(error, InsufficientScope)
        assert ("orders:delete",) == error.missing

    def test_a_complete_branch_that_refuses_is_a_403(self) -> None:
        """Law 2.3: 403 only when some branch had every kind that it needs."""
        assert 403 == refusal(is_user & is_project | is_service, USER).status
        assert 401 == refusal(is_user & is_project | is_service, PROJECT).status


class TestRolesAndScopes:
    @pytest.mark.parametrize(
        ("policy", "granted"),
        [
            (any_role("admin", "editor"), True),
            (any_role("admin"), False),
            (all_roles("editor", "viewer"), True),
            (all_roles("editor", "admin"), False),
            (any_scope("x", "orders:read"), True),
            (any_scope("x", "orders"), False),
            (all_scopes("orders:read", "orders:write"), True),
            (all_scopes("orders:read", "orders:delete"), False),
            (all_scopes("orders:read orders:write"), False),
            (any_role("edit"), False),
            (any_role("Editor"), False),
            (any_role(), False),
            (all_roles(), False),
            (any_scope(), False),
            (all_scopes(), False),
        ],
        ids=repr,
    )
    def test_sets_of_whole_strings(self, policy: Policy, granted: bool) -> None:
        """Laws 8.1 and 8.5: whole names, exactly, and of none: no."""
        assert granted == decide(policy, USER).granted

    def test_implied_roles_count(self) -> None:
        """Law 8.5: a configured hierarchy has its say, and only through the principal."""
        boss = User(id="u2", issuer="main", roles=["boss"], implied_roles=frozenset({"boss", "editor"}))
        assert decide(is_user & all_roles("editor", "boss"), boss).granted

    def test_a_condition_is_about_the_bearer(self) -> None:
        """Law 8.3: with no kind in its group, user or service alike, and never the project."""
        assert decide(any_role("runner"), SERVICE, PROJECT).granted
        assert not decide(any_role("partner"), USER, PROJECT).granted
        assert 401 == refusal(any_role("partner"), PROJECT).status

    def test_a_condition_is_about_the_kind_beside_it(self) -> None:
        """Law 8.3: the one kind in its group."""
        assert decide(is_project & any_role("partner"), USER, PROJECT).granted
        assert not decide(is_project & any_role("editor"), USER, PROJECT).granted

    def test_attributes_of_two_principals_are_never_merged(self) -> None:
        """Law 8.3: what the user lacks, the project does not lend."""
        both = is_user & is_project
        assert decide(
            both & any_role("editor", of=User) & any_role("partner", of=Project), USER, PROJECT
        ).granted
        assert not decide(both & any_role("partner", of=User), USER, PROJECT).granted
        assert not decide(both & all_roles("editor", "partner", of=Project), USER, PROJECT).granted

    def test_of_demands_the_kind_that_it_names(self) -> None:
        """Law 8.3: a role of a user is no role of a service."""
        assert decide(any_role("editor", of=User), USER).granted
        assert not decide(any_role("runner", of=User), SERVICE).granted


class TestClaims:
    @pytest.mark.parametrize(
        "policy",
        [
            has_claim("sub"),
            has_claim("flag"),
            has_claim("empty"),
            has_claim("nested.level"),
            has_claim("nested.level", 1, 2),
            has_claim("https://example.com/plan", "silver", "gold"),
            has_claim(claim_path("https://example.com/plan"), "gold"),
            has_claim("groups", "staff"),
            has_claim("groups", 1),
            has_claim("number", 7),
            has_claim("float", 7.0),
            has_claim("flag", *[True]),
        ],
        ids=repr,
    )
    def test_claims_that_are_there(self, policy: Policy) -> None:
        """A claim is present and not null, is one of the values, or is a list that holds one."""
        assert decide(is_user & policy, USER).granted

    @pytest.mark.parametrize(
        "policy",
        [
            has_claim("null"),
            has_claim("no_such"),
            has_claim("sub.more"),
            has_claim("sub", "u", "U1"),
            has_claim("number", "7"),
            has_claim("number", 7.0),
            has_claim("float", 7),
            has_claim("flag", 1),
            has_claim("flag", "True"),
            has_claim("groups", "sta"),
            has_claim("groups", *[True]),
            has_claim("nested", "level"),
            has_claim("no_such", ""),
        ],
        ids=repr,
    )
    def test_claims_that_are_not(self, policy: Policy) -> None:
        """JSON types are kept apart, and a text is not searched."""
        assert not decide(is_user & policy, USER).granted

    def test_clients_and_issuers(self) -> None:
        """The client that a token was issued to, and the configured name of its issuer."""
        assert decide(is_user & any_client("app", "web") & from_issuer("main"), USER).granted
        assert decide(is_service & any_client("worker"), SERVICE).granted
        assert not decide(is_user & any_client("we"), USER).granted
        assert not decide(is_user & any_client(), USER).granted
        assert not decide(is_user & from_issuer("mai", "main "), USER).granted
        assert not decide(is_user & any_client("web"), User(id="u1", issuer="main")).granted
        assert not decide(is_project & any_client("web"), PROJECT).granted

    def test_the_issuers_that_a_policy_names(self) -> None:
        """Those of tokens alone: projects and API keys have names of their own makers."""
        policy = is_user & any_client("web") & from_issuer("main", "other") | is_project & from_issuer(
            "directory"
        )
        assert [("main", "other")] == [term.names for term in compile_policy(policy).issuers]


class TestPaths:
    @pytest.mark.parametrize("value", [TENANT, UUID(TENANT)])
    def test_the_tenant_is_the_one_in_the_path(self, value: object) -> None:
        """A router may have converted the parameter."""
        assert decide(is_user & same_tenant(path="tenant"), USER, tenant=value).granted

    @pytest.mark.parametrize("value", [TENANT.upper(), "", "other", None, True, [TENANT], TENANT.encode()])
    def test_another_tenant_is_refused(self, value: object) -> None:
        """What is not exactly the tenant is refused, and so is what is no identifier."""
        assert not decide(is_user & same_tenant(path="tenant"), USER, tenant=value).granted

    def test_nothing_equals_nothing(self) -> None:
        """A missing parameter or a principal without tenant is refused, also both at once."""
        policy = is_user & same_tenant(path="tenant")
        nobody = User(id="u1", issuer="main")
        nowhere = User(id="u1", issuer="main", tenant="")
        assert not decide(policy, USER).granted
        assert not decide(policy, nobody).granted
        assert not decide(policy, nobody, tenant=None).granted
        assert not decide(policy, nobody, tenant="None").granted
        assert not decide(policy, nowhere, tenant="").granted

    @pytest.mark.parametrize(
        ("claim", "value", "granted"),
        [
            ("sub", "u1", True),
            ("number", "7", True),
            ("nested.level", 2, True),
            ("sub", "u2", False),
            ("number", "07", False),
            ("flag", "true", False),
            ("flag", True, False),
            ("float", "7.0", False),
            ("null", "None", False),
            ("empty", "", False),
            ("groups", "staff", False),
            ("nested", "level", False),
            ("no_such", "MISSING", False),
        ],
    )
    def test_a_claim_and_a_parameter_are_compared_as_text(
        self,
        claim: str,
        value: object,
        granted: bool,
    ) -> None:
        """Texts and whole numbers identify; booleans, fractions, lists and objects do not."""
        assert granted == decide(is_user & claim_equals(claim, path="id"), USER, id=value).granted


class TestChecks:
    def test_a_check_sees_its_branch_and_the_request(self) -> None:
        """Law 8.4: the admission holds the principals of the branch, and no others."""
        seen: list[tuple[Admission, object]] = []

        def look(admission: Admission, request: RequestView) -> bool:
            seen.append((admission, request.path_params["id"]))
            return True

        assert decide(is_user & check("look", look), USER, PROJECT, id="7").granted
        assert [(Admission((USER,)), "7")] == seen

    def test_a_check_may_ask_its_admission_further(self) -> None:
        """What a check asks of its admission is judged with the request at hand."""
        same = check("same", lambda admission, _: admission.allows(same_tenant(path="tenant")))
        assert decide(same, USER, tenant=TENANT).granted
        assert not decide(same, USER, tenant="other").granted

    def test_where_there_is_no_request_a_check_sees_an_empty_one(self) -> None:
        """A token that is verified by itself came with no method, no URL and no headers."""
        seen: list[RequestView] = []

        def sees(_: Admission, request: RequestView) -> bool:
            seen.append(request)
            return True

        assert Admission((USER,)).allows(check("seen", sees))
        assert [("", "", (), {})] == [
            (request.method, request.url, tuple(request.headers), dict(request.path_params))
            for request in seen
        ]

    def test_a_check_alone_needs_a_bearer(self) -> None:
        """Law 8.6: it lets nobody in by itself."""
        anybody = check("anybody", lambda admission, request: True)
        assert decide(anybody, USER).granted
        assert 401 == refusal(anybody).status
        assert 401 == refusal(anybody, PROJECT).status

    @pytest.mark.parametrize("answer", [1, 0, None, "yes", [True], object()])
    def test_truthiness_decides_nothing(self, answer: Any) -> None:
        """A check that returns anything but a bool is a bug, and a bug is no decision (Law 1.3)."""
        with pytest.raises(TypeError, match=r"check\('wrong', .*\) returned \w+, not a bool"):
            decide(check("wrong", lambda admission, request: answer), USER)

    def test_a_failing_check_is_a_bug(self) -> None:
        """Law 1.3: its exception is nobody's 401."""

        def failing(admission: Admission, request: RequestView) -> bool:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            decide(is_user & check("failing", failing), USER)

    def test_a_check_runs_only_where_the_rest_of_its_branch_holds(self) -> None:
        """A check may rely on the principals that its branch demands, in whatever order it is written."""
        mine = check("mine", lambda admission, request: admission.user.id == "u1")
        assert 403 == refusal(mine & is_user, SERVICE).status
        assert decide(mine & is_user, USER).granted
        with pytest.raises(NotAdmitted):
            decide(mine, SERVICE)

    def test_a_check_is_asked_before_scopes_are_called_all_that_is_missing(self) -> None:
        """RFC 6750 section 3.1: a challenge for scopes promises that they would do."""
        yes = check("yes", lambda admission, request: True)
        no = check("no", lambda admission, request: admission.user.id == "u2")
        assert InsufficientScope is type(refusal(is_user & yes & all_scopes("x"), USER))
        assert AuthorizationError is type(refusal(is_user & no & all_scopes("x"), USER))
        assert AuthorizationError is type(refusal(no & all_scopes("x", of=User), SERVICE))

    def test_every_check_must_hold(self) -> None:
        """Each is asked; what does not hold is named."""
        yes = check("yes", lambda admission, request: True)
        no = check("no", lambda admission, request: False)
        assert decide(is_user & yes, USER).granted
        decision = decide(is_user & yes & no, USER)
        assert ["check('no', TestChecks.test_every_check_must_hold.<locals>.<lambda>)"] == [
            repr(term) for term in decision.missing
        ]


class TestEmptyCombinations:
    @pytest.mark.parametrize(
        "policy",
        [
            AllOf(()),
            AnyOf(()),
            AllOf((AllOf(()), is_user)),
            is_user & AnyOf(()),
            is_user & AnyOf((AnyOf(()),)),
        ],
        ids=repr,
    )
    def test_they_refuse(self, policy: Policy) -> None:
        """Law 8.1: of nothing, nothing follows: 401 without credentials, 403 with them."""
        assert 401 == refusal(policy).status
        assert 403 == refusal(policy, USER).status
        assert repr(AllOf(())) in refusal(policy, USER).reason or "AnyOf(())" in refusal(policy, USER).reason

    def test_they_do_not_spoil_an_alternative(self) -> None:
        """Law 8.1: beside ``|`` they add nothing."""
        assert decide(is_user | AnyOf(()), USER).granted
        assert decide(UnsafeAllowAnonymous() | AllOf(())).granted


class TestAnonymous:
    def test_anybody_is_admitted(self) -> None:
        """Law 8.6: this one value admits without credentials, and is called unsafe."""
        decision = decide(UnsafeAllowAnonymous())
        assert (True, (), "UnsafeAllowAnonymous()") == (
            decision.granted,
            decision.principals,
            decision.branch,
        )

    def test_who_is_there_is_shown(self) -> None:
        """Law 8.4: the branch that shows more goes first."""
        assert (USER,) == decide(UnsafeAllowAnonymous() | is_user, USER).principals
        assert () == decide(UnsafeAllowAnonymous() | is_user, SERVICE).principals

    def test_it_lifts_no_condition(self) -> None:
        """Joined by ``&`` it changes nothing."""
        assert not decide(UnsafeAllowAnonymous() & any_role("admin"), USER).granted


class TestDecisions:
    def test_only_the_granting_branch_is_shown(self) -> None:
        """Law 8.4: what was presented for another branch is not admitted."""
        decision = decide(is_user & any_role("admin") | is_project, USER, PROJECT)
        assert ((PROJECT,), "is_project") == (decision.principals, decision.branch)
        assert (USER, PROJECT) == decide(is_project & is_user, USER, PROJECT).principals

    def test_a_refusal_shows_nobody(self) -> None:
        """Law 8.4: principals are there only when granted."""
        decision = decide(is_user & any_role("admin"), USER)
        assert () == decision.principals
        assert not decision
        assert decide(is_user, USER)

    def test_the_nearest_branch_is_the_one_that_lacks_least(self) -> None:
        """Law 8.4: what is missing is said of the branch that came nearest."""
        decision = decide(is_user & any_role("a") & any_role("b") | is_user & any_role("c"), USER)
        assert ("is_user & any_role('c')", ["any_role('c')"]) == (
            decision.branch,
            list(map(repr, decision.missing)),
        )

    def test_reasons_name_leaves_and_no_claims(self) -> None:
        """Law 1.2: the reason is precise about the policy and says nothing of the token."""
        error = refusal(is_user & any_role("admin") & has_claim("sub", "u9"), USER)
        assert AuthorizationError is type(error)
        assert (
            "is_user & any_role('admin') & has_claim('sub', 'u9'):"
            " does not hold: any_role('admin'), has_claim('sub', 'u9')"
        ) == error.reason
        assert "main" == error.issuer

    def test_scopes_that_are_all_that_is_missing(self) -> None:
        """RFC 6750 section 3.1: the error names every scope that the branch needs, and the body those that lack."""
        error = refusal(is_user & all_scopes("orders:read") & all_scopes("orders:delete", "x"), USER)
        assert isinstance(error, InsufficientScope)
        assert (("orders:read", "orders:delete", "x"), ("orders:delete", "x"), "main") == (
            error.scopes,
            error.missing,
            error.issuer,
        )

    def test_scopes_that_an_api_key_lacks(self) -> None:
        """Law 1.1: another key can have them, and the challenge is one for keys."""
        error = refusal(is_api_key & all_scopes("orders:read", "x"), KEY)
        assert isinstance(error, InsufficientScope)
        assert (("orders:read", "x"), ("x",), "ApiKey", "api_keys") == (
            error.scopes,
            error.missing,
            error.scheme,
            error.issuer,
        )

    def test_scopes_that_a_token_lacks_beside_a_key(self) -> None:
        """Law 8.3: what the one lacks is asked of the one, in whatever order it is written."""
        of_key, of_user = all_scopes("k", of=ApiKey), all_scopes("u", of=User)
        error = refusal(all_scopes("orders:read", of=ApiKey) & of_user, USER, KEY)
        assert isinstance(error, InsufficientScope)
        assert (("u",), "Bearer") == (error.scopes, error.scheme)
        error = refusal(of_key & all_scopes("orders:read", of=User), USER, KEY)
        assert isinstance(error, InsufficientScope)
        assert (("k",), "ApiKey") == (error.scopes, error.scheme)
        for policy in (of_key & of_user, of_user & of_key):
            assert AuthorizationError is type(refusal(policy, USER, KEY))

    def test_one_of_several_scopes(self) -> None:
        """Of an any_scope that does not hold, each alternative is named; of one that holds, what the token has."""
        error = refusal(any_scope("z", "orders:read") & any_scope("x", "y"), USER)
        assert isinstance(error, InsufficientScope)
        assert (("orders:read", "x", "y"), ("x", "y")) == (error.scopes, error.missing)

    @pytest.mark.parametrize(
        "policy",
        [
            is_user & any_role("admin") & all_scopes("x"),
            is_user & all_scopes(),
            is_service & all_scopes("x"),
            all_scopes("orders:read", of=Service),
            is_project & all_scopes("x"),
        ],
        ids=repr,
    )
    def test_more_scopes_would_not_do(self, policy: Policy) -> None:
        """Law 1.2: insufficient_scope is said only where a token with more scopes would be admitted."""
        assert AuthorizationError is type(refusal(policy, USER, PROJECT))

    def test_a_branch_that_scopes_would_satisfy_goes_first(self) -> None:
        """Of branches that lack as much, the one whose challenge helps, however they are written."""
        for policy in (any_role("a") | all_scopes("x"), all_scopes("x") | any_role("a")):
            assert InsufficientScope is type(refusal(policy, USER))

    def test_public_output_names_scopes_only(self) -> None:
        """Law 1.2: roles, claims and checks that are missing are not told."""
        assert {"granted": False, "missing": ["x"]} == decide(
            any_role("boss") & all_scopes("x"), USER
        ).to_dict()
        assert {"granted": True, "missing": []} == decide(is_user, USER).to_dict()

    def test_a_grant_has_no_refusal(self) -> None:
        """Asking for one is a bug."""
        with pytest.raises(ValueError, match="granted"):
            decide(is_user, USER).refusal()


class TestAdmissions:
    def test_a_handler_can_ask_further(self) -> None:
        """Whoever was admitted can be held against another policy."""
        admission = Admission((USER, PROJECT), request=RequestView("GET", "/", (), path_params={"t": TENANT}))
        assert admission.allows(any_role("editor") & same_tenant(path="t"))
        assert not admission.allows(any_role("admin"))
        assert admission.allows(is_project & any_role("partner"))
        admission.require(is_user)
        with pytest.raises(InsufficientScope) as caught:
            admission.require(all_scopes("orders:read", "x"))
        assert ("orders:read", "x") == caught.value.scopes

    def test_who_is_not_admitted_is_missing(self) -> None:
        """Law 2.3: a kind that was not admitted is a 401 with its scheme."""
        assert not Admission().allows(is_user)
        with pytest.raises(MissingCredentials) as caught:
            Admission((USER,)).require(is_project)
        assert ("AppCredentials",) == caught.value.accepts

    def test_without_a_request_paths_hold_nothing(self) -> None:
        """A comparison with the path of no request is refused."""
        assert not Admission((USER,)).allows(same_tenant(path="t"))
