"""A user and a project of one request belong to one tenant (Law 6.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import APP_SECRET, PROJECT, Face, bearer, face, trusted, view

BOTH = ag.is_user & ag.is_project


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., Face]]:
    """Makes gates whose issuer has tenants, and whose project ``shop`` is one of them."""
    made: list[Face] = []

    def new(fake: FakeIssuer, **options: Any) -> Face:
        issuer = trusted(fake, **{"tenant": "tid", "tenant_matches_project": True, **options})
        projects = ag.StaticProjects({"shop": {"secret": APP_SECRET}})
        made.append(face(request.param, ag.GateConfig(issuers=[issuer], projects=projects)))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


@pytest.fixture
def fake() -> FakeIssuer:
    """An issuer of tenants."""
    return FakeIssuer()


class TestOneGuard:
    def test_of_one_tenant(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """They are admitted together."""
        admission = make(fake).admit(view(bearer(fake.token(tid="shop")), *PROJECT), BOTH)

        assert ("shop", "shop") == (admission.user.tenant, admission.project.id)

    def test_of_two_tenants(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """They are refused with 403, whatever else the policy says."""
        gate = make(fake)
        with pytest.raises(ag.TenantMismatch) as caught:
            gate.admit(view(bearer(fake.token(tid="other")), *PROJECT), BOTH)

        body = gate.gate.problem(caught.value).body
        assert (403, "tenant_mismatch") == (body["status"], body["code"])

    def test_each_alone(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Who is not admitted together need not agree: what no guard asks for is left alone (Law 2.3)."""
        gate, request = make(fake), view(bearer(fake.token(tid="other")), *PROJECT)

        assert "other" == gate.admit(request, ag.is_user).user.tenant
        assert "shop" == gate.admit(request, ag.is_project).project.id

    def test_where_it_is_switched_off(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Other issuers say nothing about projects."""
        gate = make(fake, tenant_matches_project=False)

        assert gate.admit(view(bearer(fake.token(tid="other")), *PROJECT), BOTH)


class TestSeveralGuards:
    @pytest.mark.parametrize("order", [(ag.is_user, ag.is_project), (ag.is_project, ag.is_user)])
    def test_of_two_tenants(
        self, make: Callable[..., Face], fake: FakeIssuer, order: tuple[ag.Policy, ag.Policy]
    ) -> None:
        """The second guard refuses what the first admitted alone, in either order."""
        gate, memo = make(fake), Memo()
        headers = (bearer(fake.token(tid="other")), *PROJECT)
        gate.admit(view(*headers, memo=memo), order[0])
        with pytest.raises(ag.TenantMismatch):
            gate.admit(view(*headers, memo=memo), order[1])

    def test_other_requests_are_other_requests(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """What one request admitted is not held against another."""
        gate = make(fake)
        gate.admit(view(bearer(fake.token(tid="other")), memo=Memo()), ag.is_user)

        assert gate.admit(view(*PROJECT, memo=Memo()), ag.is_project)

    def test_who_passes_many_guards_is_held_once(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """A request with a thousand guarded fields holds one user against one project."""
        gate, memo = make(fake), Memo()
        headers = (bearer(fake.token(tid="shop")), *PROJECT)
        for _ in range(5):
            gate.admit(view(*headers, memo=memo), BOTH)

        assert [2] == [len(everyone) for everyone in memo.admitted.values()]

    def test_judging_whom_somebody_else_admitted(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """``judge`` holds principals against each other as well."""
        gate = make(fake).gate
        user = ag.User(id="u", issuer="id", tenant="other")
        with pytest.raises(ag.TenantMismatch):
            gate.judge(ag.Admission((user, ag.Project(id="shop"))), BOTH, view())


class TestSetting:
    def test_it_needs_a_tenant(self, fake: FakeIssuer) -> None:
        """Law 1.6: without the claim nothing could ever be equal."""
        with pytest.raises(ag.ConfigurationError, match="tenant_matches_project: needs tenant="):
            ag.Gate(ag.GateConfig(issuers=[trusted(fake, tenant_matches_project=True)]))
