"""Principals, admissions and the paths to claims."""

from __future__ import annotations

import pickle
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.errors import AuthgateError, AuthorizationError, MissingCredentials, NotAdmitted
from authgate_core.principal import (
    MISSING,
    Admission,
    ApiKey,
    ClaimPath,
    Principal,
    PrincipalRef,
    Project,
    Service,
    User,
    as_path,
    claim_path,
    frozen,
    new_service,
    new_user,
    resolve,
)

CLAIMS: dict[str, Any] = {
    "sub": "u1",
    "realm_access": {"roles": ["editor", {"nested": [1]}]},
    "resource_access": {"my.client": {"roles": ["x"]}},
    "https://example.com/plan": "gold",
    "nothing": None,
}
USER = User(
    id="u1",
    issuer="main",
    tenant="t1",
    username="ada",
    email="ada@example.com",
    name="Ada",
    session_id="s1",
    client_id="web",
    auth_time=1_800_000_000.0,
    acr="2",
    amr=["pwd", "otp"],
    actor={"sub": "support", "act": {"sub": "root"}},
    roles=["editor", "viewer"],
    scopes=["orders:read", "orders:write"],
    claims=CLAIMS,
    source="bearer",
)
SERVICE = Service(id="svc", issuer="main", name="billing", client_id="billing")
PROJECT = Project(id="p1", name="Shop", enabled_services=["orders"], secret_version=3)
KEY = ApiKey(id="k1", owner_id="u1", service="billing", expires_at=2e9, prefix="sk_ab", scopes=["read"])


SAID_OF_ALL: dict[str, Any] = {
    "issuer": "main",
    "tenant": "t1",
    "roles": ("editor",),
    "scopes": ("orders:read",),
    "claims": CLAIMS,
    "implied_roles": frozenset({"editor", "viewer"}),
    "model": 7,
    "name": "Ada",
    "client_id": "web",
}


class TestFilled:
    """The principals of tokens, which are made in another way than by their constructors."""

    @pytest.mark.parametrize("public", [None, ("id",)])
    def test_a_user_is_what_its_constructor_makes(self, public: tuple[str, ...] | None) -> None:
        """The same class, with the same in each slot."""
        said: dict[str, Any] = {
            **SAID_OF_ALL,
            "public": public,
            "username": "ada",
            "email": "a@b.test",
            "session_id": "s1",
            "auth_time": 5.0,
            "acr": "2",
            "amr": ("pwd",),
            "actor": frozen({"sub": "support"}),
        }

        assert contents(User(id="u1", source="bearer", **said)) == contents(new_user().filled("u1", **said))

    @pytest.mark.parametrize("public", [None, ("id",)])
    def test_a_service_is_what_its_constructor_makes(self, public: tuple[str, ...] | None) -> None:
        """As a user."""
        said: dict[str, Any] = {**SAID_OF_ALL, "public": public}

        assert contents(Service(id="s", source="bearer", **said)) == contents(
            new_service().filled("s", **said)
        )

    def test_it_is_read_only(self) -> None:
        """Law 7.2: once it is filled nobody can change it."""
        service = new_service().filled("s1", **SAID_OF_ALL, public=None)

        with pytest.raises(AttributeError, match="read-only"):
            service.name = "other"
        with pytest.raises(AttributeError, match="read-only"):
            del service.name


class TestIdentity:
    def test_what_identifies_is_issuer_tenant_and_id(self) -> None:
        """Law 3.14: a principal is its ref."""
        assert PrincipalRef("main", "t1", "u1") == USER.ref == ("main", "t1", "u1")

    def test_equal_refs_are_equal_principals(self) -> None:
        """Law 3.14: equality and hashing use the ref and nothing else."""
        again = User(id="u1", issuer="main", tenant="t1", roles=["admin"])
        assert again == USER
        assert hash(again) == hash(USER)
        assert 1 == len({again, USER})

    @pytest.mark.parametrize(
        "other",
        [
            User(id="u2", issuer="main", tenant="t1"),
            User(id="u1", issuer="other", tenant="t1"),
            User(id="u1", issuer="main", tenant="t2"),
            User(id="u1", issuer="main"),
            Service(id="u1", issuer="main", tenant="t1"),
        ],
        ids=repr,
    )
    def test_any_difference_is_another_principal(self, other: Principal) -> None:
        """Law 3.14: the same id of another issuer, tenant or kind is somebody else."""
        assert other != USER
        assert USER != other

    def test_a_principal_is_not_its_id(self) -> None:
        """Comparing with something else is left to it."""
        assert USER != "u1"
        assert USER != USER.ref

    def test_repr_names_who_and_no_claims(self) -> None:
        """Law 2.5: logs name a principal by its ref."""
        assert "User(id='u1', issuer='main', tenant='t1')" == repr(USER)
        assert "Service(id='svc', issuer='main')" == repr(SERVICE)


class TestReadOnly:
    @pytest.mark.parametrize("principal", [USER, SERVICE, PROJECT, KEY], ids=repr)
    def test_nothing_can_be_set_or_deleted(self, principal: Principal) -> None:
        """Law 7.2: what the gate hands out cannot be changed by its user."""
        for name in ("id", "roles", "_granted_roles", "anything"):
            with pytest.raises(AttributeError, match="read-only"):
                setattr(principal, name, "changed")
            with pytest.raises(AttributeError, match="read-only"):
                delattr(principal, name)

    def test_sequences_are_copied(self) -> None:
        """Law 7.2: changing what a principal was made of changes nothing."""
        roles, scopes, services = ["editor"], ["a"], ["orders"]
        user = User(id="u1", issuer="main", roles=roles, scopes=scopes, amr=scopes)
        project = Project(id="p1", enabled_services=services)
        roles.append("admin")
        scopes.append("b")
        services.append("payments")
        assert (("editor",), ("a",), ("a",)) == (user.roles, user.scopes, user.amr)
        assert ("orders",) == project.enabled_services
        assert not user.has_role("admin")

    def test_claims_are_read_only_all_the_way_down(self) -> None:
        """Law 7.2: objects become read-only mappings, arrays become tuples."""
        access: Any = USER.claims["realm_access"]
        assert ("editor", {"nested": (1,)}) == access["roles"]
        for changed in (USER.claims, access, access["roles"][1], USER.actor):
            assert isinstance(changed, MappingProxyType)
            with pytest.raises(TypeError):
                changed["roles"] = []  # type: ignore[index]  # what must not work
        assert ["editor", {"nested": [1]}] == CLAIMS["realm_access"]["roles"]
        assert {"sub": "root"} == dict(USER.actor or {})["act"]

    def test_claims_are_copied_once(self) -> None:
        """Reading claims again costs nothing."""
        assert USER.claims is USER.claims

    def test_a_subscript_reads_a_read_only_claim(self) -> None:
        """Law 7.2: neither way of reading hands out the original."""
        with pytest.raises(TypeError):
            USER["realm_access"]["roles"] = []

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=20,
        )
    )
    def test_freezing_keeps_what_is_there(self, value: object) -> None:
        """A frozen copy of any JSON value, thawed, is the value."""
        assert thawed(frozen(value)) == value


class TestRolesAndScopes:
    def test_they_stay_in_token_order(self) -> None:
        """What is shown is what the token said."""
        assert ("editor", "viewer") == USER.roles
        assert ("orders:read", "orders:write") == USER.scopes

    def test_whole_strings_are_compared(self) -> None:
        """Law 8.5: neither a part of a role nor of a scope counts."""
        assert USER.has_role("editor")
        assert not USER.has_role("edit")
        assert not USER.has_role("editor viewer")
        assert not USER.has_scope("orders")

    def test_any_and_all(self) -> None:
        """One of several, or every one."""
        assert USER.has_any_role("admin", "viewer")
        assert not USER.has_all_roles("admin", "viewer")
        assert USER.has_all_roles("editor", "viewer")
        assert USER.has_any_scope("orders:write", "x")
        assert not USER.has_scope("orders:read", "x")
        assert USER.has_scope("orders:read", "orders:write")

    def test_of_none_is_no(self) -> None:
        """Law 8.1: empty combinations refuse."""
        assert not USER.has_any_role()
        assert not USER.has_all_roles()
        assert not USER.has_any_scope()
        assert not USER.has_scope()

    def test_a_hierarchy_adds_to_what_is_granted_and_not_to_what_is_shown(self) -> None:
        """Law 8.5: implied roles count, and the token's own are shown."""
        user = User(id="u1", issuer="main", roles=["admin"], implied_roles=frozenset({"admin", "editor"}))
        assert user.has_role("editor")
        assert ("admin",) == user.roles


class TestPublicView:
    def test_to_dict_shows_public_fields_as_json(self) -> None:
        """Responses show these and no claims."""
        assert {
            "id": "u1",
            "issuer": "main",
            "tenant": "t1",
            "roles": ["editor", "viewer"],
            "scopes": ["orders:read", "orders:write"],
            "username": "ada",
            "email": "ada@example.com",
            "name": "Ada",
        } == USER.to_dict()
        assert {"id": "p1", "name": "Shop", "enabled_services": ["orders"]} == PROJECT.to_dict()
        assert ("billing", "billing") == (SERVICE.to_dict()["name"], SERVICE.to_dict()["client_id"])

    def test_a_claim_that_is_shown_is_an_attribute(self) -> None:
        """As every public field is one, for whoever reads by attribute; another claim is not."""
        user = User(id="u1", issuer="main", claims={"uuid": "u1", "plan": "gold"}, public=["uuid", "name"])
        assert {"uuid": "u1", "name": None} == {name: getattr(user, name) for name in user}
        with pytest.raises(AttributeError, match="'User' object has no attribute 'plan'"):
            getattr(user, "plan")  # noqa: B009 - type checkers know that it is none

    def test_what_to_dict_shows_of_claims_is_a_copy(self) -> None:
        """Law 7.2: whoever changes a response changes no principal."""
        user = User(id="u1", issuer="main", claims={"tags": ["a"]}, public=["tags"])
        user.to_dict()["tags"].append("b")
        assert {"tags": ["a"]} == user.to_dict()

    def test_the_mapping_view_is_the_same(self) -> None:
        """dict, in, get, keys, items, iteration and len read what to_dict shows."""
        assert USER.to_dict() == dict(USER) == dict(USER.items())
        assert list(USER.to_dict()) == list(USER) == list(USER.keys())
        assert 8 == len(USER)
        assert "email" in USER
        assert "sub" not in USER
        assert ("ada@example.com", None, "x") == (USER.get("email"), USER.get("sub"), USER.get("sub", "x"))

    def test_it_is_no_dataclass(self) -> None:
        """Frameworks write out every field of a dataclass, so a principal is none."""
        assert not hasattr(USER, "__dataclass_fields__")
        assert not hasattr(USER, "__dict__")

    def test_a_subscript_reads_public_fields_and_claims(self) -> None:
        """A claim is read by its name, at the top level."""
        assert ("u1", ["editor", "viewer"], "gold") == (
            USER["id"],
            USER["roles"],
            USER["https://example.com/plan"],
        )

    @pytest.mark.parametrize(
        ("name", "hint"),
        [("uuid", "use .id"), ("preferred_username", "use .username"), ("session_id", "use .session_id")],
    )
    def test_a_missing_claim_names_the_attribute(self, name: str, hint: str) -> None:
        """The error says what to write instead."""
        with pytest.raises(KeyError, match=hint):
            USER[name]

    @pytest.mark.parametrize("name", ["no_such", "no such", "projectUuid", ""])
    def test_a_claim_that_is_nowhere_has_no_hint(self, name: str) -> None:
        """Nothing is suggested that is not there."""
        with pytest.raises(KeyError) as caught:
            PROJECT[name]
        assert "use ." not in str(caught.value)

    @pytest.mark.parametrize(
        "principal",
        [USER, SERVICE, PROJECT, KEY, Project(id="p1", issuer="directory", tenant="t1")],
        ids=repr,
    )
    def test_a_pickle_is_the_same_principal_without_claims(self, principal: Principal) -> None:
        """Law 3.14: pickling keeps who it is and what is public, and no claims."""
        again = pickle.loads(pickle.dumps(principal))
        assert principal == again
        assert principal.to_dict() == again.to_dict()
        assert {} == dict(again.claims)

    def test_the_model_that_was_validated(self) -> None:
        """The object made of the claims at verification is handed out by its type."""
        user = User(id="u1", issuer="main", model=CLAIMS)
        assert user.model(dict) is CLAIMS
        with pytest.raises(TypeError, match="claims=Admission"):
            user.model(Admission)
        with pytest.raises(TypeError, match="claims=dict"):
            USER.model(dict)


class TestClaimPaths:
    @pytest.mark.parametrize(
        ("written", "parts"),
        [
            ("sub", ("sub",)),
            ("realm_access.roles", ("realm_access", "roles")),
            ("https://example.com/roles", ("https://example.com/roles",)),
            (claim_path("resource_access", "my.client", "roles"), ("resource_access", "my.client", "roles")),
        ],
    )
    def test_how_paths_are_written(self, written: str | ClaimPath, parts: tuple[str, ...]) -> None:
        """Law 3.9: dots part names, a text with :// is one name, claim_path takes its parts literally."""
        assert parts == as_path(written).parts

    @pytest.mark.parametrize("wrong", ["", ".", "a.", ".a", "a..b"])
    def test_empty_names_are_refused(self, wrong: str) -> None:
        """A path that names nothing is a mistake of the configuration."""
        with pytest.raises(ValueError, match="non-empty"):
            as_path(wrong)
        with pytest.raises(ValueError, match="non-empty"):
            claim_path()

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (as_path("sub"), "u1"),
            (as_path("resource_access.my.client"), MISSING),
            (claim_path("resource_access", "my.client", "roles"), ["x"]),
            (as_path("https://example.com/plan"), "gold"),
            (as_path("nothing"), None),
            (as_path("nothing.more"), MISSING),
            (as_path("sub.more"), MISSING),
            (as_path("no_such"), MISSING),
            (as_path("realm_access.roles.0"), MISSING),
        ],
    )
    def test_what_is_found(self, path: ClaimPath, value: object) -> None:
        """Law 3.9: null is found, absent is not, and only objects have members."""
        assert value == resolve(CLAIMS, path)
        assert frozen(value) == USER.claim(path)

    def test_a_path_prints_as_what_makes_it(self) -> None:
        """The representation is the expression, the text is short."""
        path = claim_path("resource_access", "my.client")
        assert "claim_path('resource_access', 'my.client')" == repr(path)
        assert "resource_access.my.client" == str(path)
        assert path != as_path(str(path))
        assert "MISSING" == repr(MISSING)


class Never:
    """A rule that refuses."""

    def refusal(self, admission: Admission) -> AuthgateError | None:
        """One, always."""
        return AuthorizationError(f"{len(admission.principals)} are too many")


class Always:
    """A rule that admits."""

    def refusal(self, admission: Admission) -> AuthgateError | None:
        """None, ever."""
        return None


class TestAdmission:
    def test_each_kind_by_its_name(self) -> None:
        """Who was admitted is read by kind."""
        admission = Admission((USER, PROJECT))
        assert (USER, PROJECT, USER) == (admission.user, admission.project, admission.principal)
        assert SERVICE == Admission((PROJECT, SERVICE)).service == Admission((PROJECT, SERVICE)).principal
        assert PROJECT == Admission((PROJECT,)).principal
        assert KEY == Admission((PROJECT, KEY)).api_key == Admission((PROJECT, KEY)).principal
        assert (USER, None) == (admission.get(User), admission.get(Service))

    @pytest.mark.parametrize("kind", ["user", "service", "project", "api_key", "principal"])
    def test_who_is_absent_cannot_be_read(self, kind: str) -> None:
        """A handler that reads what its policy does not demand has a bug, and is told what to change."""
        with pytest.raises(NotAdmitted, match=r"admitted: nobody.*let the policy ask for one"):
            getattr(Admission(), kind)
        with pytest.raises(NotAdmitted, match="no Service was admitted here \\(admitted: User, Project\\)"):
            _ = Admission((USER, PROJECT)).service

    def test_it_is_true_where_anybody_was_admitted(self) -> None:
        """An optional guard that nobody passed is no admission."""
        assert Admission((USER,))
        assert not Admission()

    def test_it_can_be_held_against_another_rule(self) -> None:
        """A handler decides with allows, or refuses with require."""
        admission = Admission((USER,))
        assert admission.allows(Always())
        assert not admission.allows(Never())
        admission.require(Always())
        with pytest.raises(AuthorizationError, match="1 are too many"):
            admission.require(Never())

    def test_the_request_is_neither_compared_nor_shown(self) -> None:
        """Law 2.5: a request holds what the caller presented."""
        admission = Admission((USER,), request="GET /?token=abc")
        assert Admission((USER,)) == admission
        assert "abc" not in repr(admission)

    def test_in_shadow_mode_it_holds_the_refusal(self) -> None:
        """Law 8.6: the refusal that was not carried out can be read."""
        refusal = MissingCredentials("not presented: bearer")
        assert refusal is Admission((), refusal).refusal
        assert Admission() == Admission((), refusal)


def thawed(value: object) -> object:
    """The JSON value that a frozen one was made of."""
    if isinstance(value, MappingProxyType):
        return {name: thawed(item) for name, item in value.items()}
    return [thawed(item) for item in value] if isinstance(value, tuple) else value


def contents(principal: Principal) -> tuple[type, dict[str, Any]]:
    """The class of a principal and what is in its slots."""
    slots = [slot for kind in type(principal).__mro__ for slot in getattr(kind, "__slots__", ())]
    return type(principal), {slot: getattr(principal, slot) for slot in slots}
