"""Any policy over any principals, against a reference that is too simple to be wrong (Laws 2.3 and 8.1 to 8.6)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from authgate_core.credentials import APP, BEARER, Kind
from authgate_core.errors import ConfigurationError, InsufficientScope, MissingCredentials
from authgate_core.policy import (
    AllOf,
    AnyOf,
    Decision,
    Policy,
    UnsafeAllowAnonymous,
    all_roles,
    all_scopes,
    any_role,
    any_scope,
    check,
    compile_policy,
    evaluate,
    is_project,
    is_service,
    is_user,
)
from authgate_core.principal import Principal, Project, Service, User
from authgate_core.request import RequestView

NAMES = ("a", "b")
REQUEST = RequestView("GET", "/", ())
OF: dict[str, type[User | Service | Project]] = {
    "user": User,
    "service": Service,
    "project": Project,
}
KIND: dict[str, Kind] = {"user": BEARER, "service": BEARER, "bearer": BEARER, "project": APP}

Found = dict[Kind, Principal]


@dataclass(frozen=True)
class Ask:
    """A leaf of the reference: what is asked, of whom, and for which names."""

    what: str
    whom: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Join:
    """A combination of the reference."""

    how: str
    parts: tuple[Ask | Join, ...]


WORDS = {"any_role": any_role, "all_roles": all_roles, "any_scope": any_scope, "all_scopes": all_scopes}
CHECKS = {
    "yes": check("yes", lambda admission, request: True),
    "no": check("no", lambda admission, request: False),
}
IS = {"user": is_user, "service": is_service, "project": is_project}

asks = st.one_of(
    st.builds(Ask, st.just("is"), st.sampled_from(sorted(IS))),
    st.builds(
        Ask,
        st.sampled_from(sorted(WORDS)),
        st.none() | st.sampled_from(sorted(OF)),
        st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
    ),
    st.builds(Ask, st.sampled_from(sorted(CHECKS))),
    st.just(Ask("anonymous")),
)
trees = st.recursive(
    asks,
    lambda inner: st.builds(Join, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)
subsets = st.lists(st.sampled_from(NAMES), unique=True)
bearers = st.one_of(
    st.none(),
    st.builds(lambda roles, scopes: User(id="u", issuer="i", roles=roles, scopes=scopes), subsets, subsets),
    st.builds(
        lambda roles, scopes: Service(id="s", issuer="i", roles=roles, scopes=scopes), subsets, subsets
    ),
)
projects = st.none() | st.builds(
    lambda roles, scopes: Project(id="p", roles=roles, scopes=scopes), subsets, subsets
)
founds = st.builds(
    lambda bearer, project: {
        kind: principal for kind, principal in ((BEARER, bearer), (APP, project)) if principal is not None
    },
    bearers,
    projects,
)


def written(tree: Ask | Join, order: Random | None = None) -> Policy:
    """The tree as a policy; with ``order``, every combination is shuffled."""
    if isinstance(tree, Join):
        parts = [written(part, order) for part in tree.parts]
        if order is not None:
            order.shuffle(parts)
        return AllOf(tuple(parts)) if tree.how == "and" else AnyOf(tuple(parts))
    if tree.what == "is":
        return IS[str(tree.whom)]
    if tree.what in WORDS:
        return WORDS[tree.what](*tree.names, of=None if tree.whom is None else OF[tree.whom])
    return UnsafeAllowAnonymous() if tree.what == "anonymous" else CHECKS[tree.what]


def branches(tree: Ask | Join) -> list[frozenset[Ask]]:
    """Every way to choose one alternative of each ``or``; an empty combination asks for the impossible."""
    if isinstance(tree, Ask):
        return [frozenset({tree})]
    if not tree.parts:
        return [frozenset({Ask("never")})]
    ways = [branches(part) for part in tree.parts]
    if tree.how == "or":
        return [way for part in ways for way in part]
    return [frozenset().union(*choice) for choice in itertools.product(*ways)]


def needs(branch: frozenset[Ask]) -> set[str]:
    """Who must be there: whoever is named; the bearer for a condition with no kind, or for anything else at all."""
    named = {ask.whom for ask in branch if ask.whom is not None}
    conditions = [ask for ask in branch if ask.what in WORDS and ask.whom is None]
    if conditions and not any(ask.what == "is" for ask in branch) and not named & {"user", "service"}:
        named.add("bearer")
    if not named and branch != {Ask("anonymous")}:
        named.add("bearer")
    return named


def holds(ask: Ask, whom: Principal) -> bool:
    """Whether a principal has what is asked of it."""
    have = set(whom.roles) if "role" in ask.what else set(whom.scopes)
    names = set(ask.names)
    return bool(names & have) if ask.what.startswith("any") else bool(names) and names <= have


def admits(branch: frozenset[Ask], found: Found) -> bool:
    """Whether a branch whose kinds are all there holds."""
    for ask in branch:
        if ask.what in {"never", "no"}:
            return False
        if ask.whom is not None and not isinstance(found[KIND[ask.whom]], OF[ask.whom]):
            return False
        if ask.what in WORDS and not holds(ask, found[KIND[ask.whom or next(iter(needs(branch)))]]):
            return False
    return True


def reference(tree: Ask | Join, found: Found) -> tuple[int, set[Kind]]:
    """The status and, where granted, the kinds that are shown, else those that are missing."""
    possible = [branch for branch in branches(tree) if not needs(branch) >= {"user", "service"}]
    kinds = [{KIND[whom] for whom in needs(branch)} for branch in possible]
    complete = [
        (branch, asked) for branch, asked in zip(possible, kinds, strict=True) if asked <= found.keys()
    ]
    granted = [asked for branch, asked in complete if admits(branch, found)]
    if granted:
        return 200, max(granted, key=lambda asked: (len(asked), BEARER in asked))
    if complete:
        return 403, set()
    return 401, set().union(*kinds) - found.keys()


def decided(policy: Policy, found: Found) -> Decision:
    """What the policy says, where it can be judged at all."""
    try:
        compiled = compile_policy(policy)
    except ConfigurationError:
        assume(False)
        raise
    return evaluate(compiled, found, REQUEST)


def summary(decision: Decision) -> tuple[object, ...]:
    """All of a decision that a caller or a handler can see; the order of scopes is no difference."""
    if decision.granted:
        return 200, set(decision.principals)
    error = decision.refusal()
    scopes = set(error.scopes) if isinstance(error, InsufficientScope) else None
    return error.status, error.code, set(error.accepts), scopes, set(decision.missing_scopes)


class TestAnyPolicy:
    @given(trees, founds)
    def test_it_decides_like_the_reference(self, tree: Ask | Join, found: Found) -> None:
        """Laws 2.3 and 8.1 to 8.6: granted, forbidden or missing, and who is shown."""
        decision = decided(written(tree), found)
        status, kinds = reference(tree, found)
        if decision.granted:
            assert (200, {found[kind] for kind in kinds}) == (status, set(decision.principals))
        else:
            error = decision.refusal()
            assert (status, kinds) == (error.status, set(decision.unpresented))
            assert (status == 401) == isinstance(error, MissingCredentials)

    @given(trees, founds, st.randoms(use_true_random=False))
    def test_the_order_written_does_not_matter(self, tree: Ask | Join, found: Found, order: Random) -> None:
        """Law 2.3: shuffled, the policy gives the same answer, shows the same principals and asks for the same."""
        policy = written(tree)
        assert summary(decided(policy, found)) == summary(decided(written(tree, order), found))

    @given(trees, founds)
    def test_the_scopes_that_are_asked_for_would_do(self, tree: Ask | Join, found: Found) -> None:
        """RFC 6750 section 3.1: a token with just the scopes of the challenge is admitted."""
        policy = written(tree)
        decision = decided(policy, found)
        if not decision.granted and isinstance(error := decision.refusal(), InsufficientScope):
            bearer = found[BEARER]
            better = type(bearer)(id="x", issuer="i", roles=bearer.roles, scopes=error.scopes)
            assert decided(policy, {**found, BEARER: better}).granted

    @given(trees)
    def test_nobody_is_let_in_without_credentials(self, tree: Ask | Join) -> None:
        """Law 8.6: only UnsafeAllowAnonymous admits without credentials."""
        policy = written(tree)
        if decided(policy, {}).granted:
            assert "UnsafeAllowAnonymous()" in repr(policy)

    @given(trees, founds)
    def test_what_is_printed_decides_alike(self, tree: Ask | Join, found: Found) -> None:
        """Law 8.1: a policy without checks, printed and evaluated, is the same policy."""
        policy = written(tree)
        if "check(" not in repr(policy):
            assert policy == eval(repr(policy))
            assert summary(decided(policy, found)) == summary(decided(eval(repr(policy)), found))
