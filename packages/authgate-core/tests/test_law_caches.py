"""What a gate remembers can be neither spoilt nor mistaken for more than it was (Laws 6.1, 6.4, 7.2, 7.3)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.credentials import AppCredentials
from authgate_core.principal import Principal, ProjectRef, TokenRef
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer, ManualClock
from tests.support.gates import Face, face, view

PROJECT = (("x-app-id", "shop"), ("x-app-secret", "a-secret-of-thirty-two-characters"))


class Directory:
    """A directory of the test's own, whose answer can be changed."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: ag.Project | Exception | None = ag.Project(
            id="p1",
            tenant="acme",
            roles=["clerk"],
            claims={"limits": {"daily": [1, 2]}},
            enabled_services=["a"],
        )

    def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class AsyncDirectory(Directory):
    """``Directory`` for AsyncGate."""

    async def look_up(self, credentials: AppCredentials) -> ag.Project | None:  # type: ignore[override]  # other colour
        return super().look_up(credentials)


class Store:
    """A revocation store whose answer can be changed."""

    def __init__(self) -> None:
        self.answer: bool | Exception = False

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class AsyncStore(Store):
    """``Store`` for AsyncGate."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="directory")
def _directory(colour: str) -> Directory:
    return Directory() if colour == "sync" else AsyncDirectory()


@pytest.fixture(name="store")
def _store(colour: str) -> Store:
    return Store() if colour == "sync" else AsyncStore()


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="make")
def _make(
    colour: str, directory: Directory, store: Store, clock: ManualClock
) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        plain = {"projects": directory, "revocation": store}
        made.append(face(colour, ag.GateConfig(**{**plain, **options}), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


class TestDirectoryOfOnesOwn:
    """Law 6.1: a port of your own, in the colour of the gate."""

    def test_is_asked_and_believed(self, make: Callable[..., Face], directory: Directory) -> None:
        """Once for two requests; its no is a 401 and its outage a 503, which are told apart (Law 1.5)."""
        gate = make()
        for _ in range(2):
            assert "p1" == gate.admit(view(*PROJECT), ag.is_project).project.id
        assert 1 == directory.asked

        directory.answer = None
        with pytest.raises(ag.InvalidProjectCredentials):
            gate.admit(view(PROJECT[0], ("x-app-secret", "another")), ag.is_project)
        directory.answer = ag.ProjectsUnavailable("down")
        with pytest.raises(ag.ProjectsUnavailable):
            gate.admit(view(PROJECT[0], ("x-app-secret", "a third")), ag.is_project)


class TestEveryHit:
    """Law 6.4: what a remembered answer does not settle is judged at every hit."""

    def test_the_tenant(self, make: Callable[..., Face], directory: Directory) -> None:
        """One remembered project, two paths."""
        gate, policy = make(), ag.is_project & ag.same_tenant(path="org")

        assert gate.admit(view(*PROJECT, path_params={"org": "acme"}), policy)
        with pytest.raises(ag.AuthorizationError):
            gate.admit(view(*PROJECT, path_params={"org": "other"}), policy)
        assert 1 == directory.asked

    def test_the_enabled_services(
        self, make: Callable[..., Face], directory: Directory, clock: ManualClock
    ) -> None:
        """Once the directory has taken a service away and was asked again, a remembered yes opens nothing."""
        gate = make(service_id="a")
        assert gate.admit(view(*PROJECT), ag.is_project)

        directory.answer = ag.Project(id="p1", enabled_services=["b"])
        clock.advance(200)

        with pytest.raises(ag.ServiceNotEnabled):
            gate.admit(view(*PROJECT), ag.is_project)
        with pytest.raises(ag.ServiceNotEnabled):
            gate.admit(view(*PROJECT), ag.is_project)
        assert 2 == directory.asked

    def test_revocation(self, make: Callable[..., Face], store: Store, directory: Directory) -> None:
        """The store is asked at each request, whatever else is remembered (Law 5.1)."""
        gate = make()
        assert gate.admit(view(*PROJECT), ag.is_project)

        store.answer = True

        with pytest.raises(ag.InvalidProjectCredentials):
            gate.admit(view(*PROJECT), ag.is_project)
        assert 1 == directory.asked


class TestNothingToSpoil:
    """Law 7.2: what a cache returns cannot be changed by its user."""

    def test_a_remembered_project(self, make: Callable[..., Face], directory: Directory) -> None:
        """Neither its attributes nor anything in its claims, whoever of two requests tries."""
        gate = make()
        first = gate.admit(view(*PROJECT), ag.is_project).project
        spoil(first)

        second = gate.admit(view(*PROJECT), ag.is_project).project

        assert 1 == directory.asked
        assert ("p1", "acme", ("clerk",), ("a",)) == (
            second.id,
            second.tenant,
            second.roles,
            second.enabled_services,
        )
        assert (1, 2) == second.claims["limits"]["daily"]
        assert not second.has_role("admin")

    def test_a_user_that_two_guards_share(self, fake: FakeIssuer, colour: str) -> None:
        """Between the guards of one request a handler of the first can change nothing for the second."""
        issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience)
        gate, memo = face(colour, ag.GateConfig(issuers=[issuer])), Memo()
        request = view(
            ("Authorization", f"Bearer {fake.token('u1', roles=['clerk'], org={'ids': [1]})}"), memo=memo
        )
        first = gate.admit(request, ag.is_user)
        spoil(first.user)
        with contextlib.suppress(AttributeError):
            first.principals = (ag.User(id="root", issuer="id", roles=["admin"]),)  # type: ignore[misc]  # the attempt

        with pytest.raises(ag.AuthorizationError):
            gate.admit(request, ag.any_role("admin"))
        second = gate.admit(request, ag.is_user).user
        gate.close()

        assert first.user is second
        assert ("u1", ("clerk",), (1,)) == (second.id, second.roles, second.claims["org"]["ids"])


def spoil(principal: Principal) -> None:
    """Try to make an administrator of a principal in every way that Python offers; each must fail."""
    for name in ("id", "roles", "scopes", "tenant", "issuer", "_claims", "_granted_roles"):
        with pytest.raises(AttributeError):
            setattr(principal, name, frozenset({"admin"}))
        with pytest.raises(AttributeError):
            delattr(principal, name)
    for found in _containers(principal.claims):
        for change in ("__setitem__", "append", "update", "pop", "clear"):
            assert not hasattr(found, change)
    for name in principal.keys():  # noqa: SIM118 - a principal's own view
        shown = principal[name]
        if isinstance(shown, list):
            shown.append("admin")


def _containers(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield value
        for member in value.values():
            yield from _containers(member)
    elif isinstance(value, (list, tuple)):
        yield value
        for member in value:
            yield from _containers(member)


class TestNeverRemembered:
    """Law 7.3: failures are never cached as successes, outages and decisions not at all."""

    def test_an_outage_of_the_store(self, make: Callable[..., Face], store: Store) -> None:
        """The next request asks again, and a yes before it is no yes after it."""
        gate = make()
        for answer, expected in (
            (False, None),
            (ag.RevocationUnavailable("down"), 503),
            (False, None),
            (True, 401),
        ):
            store.answer = answer
            assert expected == refused(gate)

    def test_an_outage_of_the_directory(self, make: Callable[..., Face], directory: Directory) -> None:
        """Nor is what nobody has confirmed a success because of it."""
        good, gate = directory.answer, make()
        for answer, expected in (
            (ag.ProjectsUnavailable("down"), 503),
            (ag.ProjectsUnavailable("down"), 503),
        ):
            directory.answer = answer
            assert expected == refused(gate)
        directory.answer = good

        assert refused(gate) is None
        assert 3 == directory.asked

    def test_a_refusal_is_no_success(
        self, make: Callable[..., Face], directory: Directory, clock: ManualClock
    ) -> None:
        """A no is a no while it is remembered, and asked about again after that (Law 6.2)."""
        good, gate = directory.answer, make()
        directory.answer = None
        assert [401, 401] == [refused(gate), refused(gate)]
        assert 1 == directory.asked

        directory.answer = good
        clock.advance(10)

        assert refused(gate) is None

    def test_a_decision(self, make: Callable[..., Face]) -> None:
        """A policy decides anew for each guard, also within one request whose credentials are remembered."""
        answers, memo, gate = [True, False, True], Memo(), make()
        policy = ag.is_project & ag.check("now", lambda _admission, _request: answers.pop(0))
        request = view(*PROJECT, memo=memo)

        assert gate.admit(request, policy)
        with pytest.raises(ag.AuthorizationError):
            gate.admit(request, policy)
        assert gate.admit(request, policy)


def refused(gate: Face) -> int | None:
    """The status with which the project is refused; None where it is admitted."""
    try:
        gate.admit(view(*PROJECT), ag.is_project)
    except ag.AuthgateError as error:
        return error.status
    return None
