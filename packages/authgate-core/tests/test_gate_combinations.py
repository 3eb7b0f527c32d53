"""Every combination of credentials under every form of policy, against the laws read word by word."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import authgate_core as ag
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import PROJECT, Face, bearer, gates, view


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    with gates(fake, colour) as make:
        yield make


class TestBarredProjects:
    """Law 2.3 for a project that is known but may not use this service."""

    def test_what_is_missing_goes_before_what_is_not_allowed(self, make: Callable[..., Face]) -> None:
        """No branch has all its kinds, so the answer is 401 and names the kind that is missing."""
        with pytest.raises(ag.MissingCredentials) as caught:
            make(service_id="carts").admit(view(*PROJECT), ag.is_user & ag.is_project)

        assert ("Bearer",) == caught.value.accepts

    def test_another_branch_may_admit(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Nothing that was presented is bad, so the policy decides."""
        admission = make(service_id="carts").admit(
            view(bearer(fake.token("u1")), *PROJECT), ag.is_user | ag.is_project
        )

        assert ("u1", None) == (admission.user.id, admission.get(ag.Project))

    @pytest.mark.parametrize("policy", [ag.is_user & ag.is_project, ag.is_project])
    def test_a_branch_that_needs_it_is_forbidden(
        self, make: Callable[..., Face], fake: FakeIssuer, policy: ag.Policy
    ) -> None:
        """Everything that the branch needs was presented and valid."""
        with pytest.raises(ag.ServiceNotEnabled):
            make(service_id="carts").admit(view(bearer(fake.token()), *PROJECT), policy)

    def test_what_is_missing_of_another_branch_is_said(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """It is what the caller can do something about."""
        policy = (ag.is_user & ag.all_scopes("orders")) | ag.is_project
        with pytest.raises(ag.InsufficientScope):
            make(service_id="carts").admit(view(bearer(fake.token()), *PROJECT), policy)

    def test_an_invalid_token_goes_first(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """401 before 403."""
        with pytest.raises(ag.TokenExpired):
            make(service_id="carts").admit(
                view(bearer(fake.hostile.expired()), *PROJECT), ag.is_user | ag.is_project
            )


class Down:
    """A store that cannot answer about some, in both colours by turns.

    Args:
        about: Of what it cannot.
    """

    def __init__(self, *about: type) -> None:
        self.about = about

    def is_revoked(self, ref: object) -> bool:
        if isinstance(ref, self.about):
            raise ag.RevocationUnavailable("down")
        return False


class AsyncDown(Down):
    """``Down`` for AsyncGate."""

    async def is_revoked(self, ref: object) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


ADMIN = ag.any_role("admin", of=ag.is_user)
POLICIES: dict[ag.Policy, list[tuple[set[str], set[str]]]] = {
    # Of each branch the states of the token, and those of the project, that satisfy it; none: not asked for.
    ag.is_user: [({"user", "admin"}, set())],
    ag.is_project: [(set(), {"good"})],
    ag.is_user & ag.is_project: [({"user", "admin"}, {"good"})],
    ag.is_user | ag.is_project: [({"user", "admin"}, set()), (set(), {"good"})],
    (ag.is_user & ADMIN) | ag.is_project: [({"admin"}, set()), (set(), {"good"})],
    (ag.is_user & ag.is_project) | ag.is_service: [({"user", "admin"}, {"good"}), ({"service"}, set())],
    (ag.is_user & ag.is_project & ADMIN) | ag.is_user: [({"admin"}, {"good"}), ({"user", "admin"}, set())],
    ag.any_role("admin"): [({"admin"}, set())],
}
TOKENS = ("absent", "malformed", "invalid", "down", "user", "admin", "service")
PROJECTS = ("absent", "malformed", "invalid", "down", "barred", "good")


def promised(
    branches: list[tuple[set[str], set[str]]], token: str, project: str, *, optional: bool
) -> tuple[int, set[str]]:
    """Law 2.3 word by word: the status (200 for an admission, 204 for nobody) and the kinds that are missing."""
    asked = {
        kind for good in branches for kind, states in zip(("bearer", "app"), good, strict=True) if states
    }
    states = {"bearer": token, "app": project}
    presented = {kind: state for kind, state in states.items() if kind in asked and state != "absent"}
    if optional and not presented:
        return 204, set()
    for state, status in (("malformed", 400), ("invalid", 401), ("down", 503)):
        if state in presented.values():
            return status, set()
    complete = [
        good
        for good in branches
        if all(kind in presented for kind, states in zip(("bearer", "app"), good, strict=True) if states)
    ]
    if not complete:
        return 401, asked - presented.keys()
    admits = any(
        (not users or token in users) and (not projects or project in projects)
        for users, projects in complete
    )
    return (200 if admits else 403), set()


class TestEveryCombination:
    """Law 2.3: each state of each kind under each form of policy, against the law read word by word."""

    @pytest.mark.parametrize("optional", [False, True])
    @pytest.mark.parametrize("policy", POLICIES, ids=repr)
    def test_is_answered_as_promised(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str, policy: ag.Policy, optional: bool
    ) -> None:
        """The first time, and from the memo."""
        for token in TOKENS:
            for project in PROJECTS:
                about = [*([TokenRef] * (token == "down")), *([ProjectRef] * (project == "down"))]
                down = Down(*about) if colour == "sync" else AsyncDown(*about)
                gate = make(issuer={"service_when": {"m2m": True}}, service_id="orders", revocation=down)
                request = view(*token_headers(fake, token), *project_headers(project), memo=Memo())
                expected = promised(POLICIES[policy], token, project, optional=optional)

                answers = [answer(gate, request, policy, optional=optional) for _ in range(2)]

                assert [expected, expected] == answers, (token, project)


def answer(gate: Face, request: ag.RequestView, policy: ag.Policy, *, optional: bool) -> tuple[int, set[str]]:
    """What came of it, as ``promised`` says it."""
    try:
        admission = gate.admit(request, policy, optional=optional)
    except ag.MissingCredentials as missing:
        kinds = {"Bearer": "bearer", "AppCredentials": "app"}
        return missing.status, {kinds[scheme] for scheme in missing.accepts}
    except ag.AuthgateError as error:
        return error.status, set()
    return (200 if admission else 204), set()


def token_headers(fake: FakeIssuer, state: str) -> list[tuple[str, str]]:
    """The headers of a token in this state."""
    return {
        "absent": [],
        "malformed": [bearer("a"), bearer("b")],
        "invalid": [bearer(fake.hostile.forged())],
        "admin": [bearer(fake.token(roles=["admin"]))],
        "service": [bearer(fake.token(m2m=True))],
    }.get(state, [bearer(fake.token())])


def project_headers(state: str) -> tuple[tuple[str, str], ...]:
    """The headers of a project in this state."""
    return {
        "absent": (),
        "malformed": PROJECT[:1],
        "invalid": (PROJECT[0], ("x-app-secret", "wrong")),
        "barred": (("x-app-id", "barred"), PROJECT[1]),
    }.get(state, PROJECT)
