"""The pages about issuers, tenants, policies, WebSockets and production: each example does what the page says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.support.pages import pasted
from tests.support.valkey import valkey


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


def at(issuer: FakeIssuer) -> dict[str, str]:
    """The issuer in the place of the page's."""
    return {"https://id.example.com": issuer.url}


def bearer(issuer: FakeIssuer, subject: str = "u1", **shape: Any) -> dict[str, str]:
    """The header that presents a token."""
    return {"Authorization": f"Bearer {issuer.token(subject, **shape)}"}


class TestSeveralIssuers:
    """docs/how-to/several-issuers.md."""

    PAGE = "several-issuers.md"

    @pytest.fixture(name="issuers")
    def _issuers(self) -> Iterator[dict[str, FakeIssuer]]:
        names = ("staff", "login", "machines")
        with ExitStack() as opened:
            yield {name: opened.enter_context(FakeIssuer(audience="orders-api")) for name in names}

    def test_each_is_believed_within_its_limits(self, issuers: dict[str, FakeIssuer]) -> None:
        """Namespaces, grants and kinds are as the page has them, and so are its policies."""
        real = {f"https://{name}.example.com": issuer.url for name, issuer in issuers.items()}
        names = pasted(self.PAGE, 0, 1, real=real)
        with ag.Gate(names["config"]) as gate:
            staff = gate.verify_token(
                issuers["staff"].token("1", roles=["accountant"]), names["may_close_books"]
            )
            assert "staff:1" == staff.user.id
            customer = issuers["login"].token("1", roles=["member", "accountant"])
            assert ("customer:1", ("member",)) == (
                gate.verify_token(customer, names["may_order"]).user.id,
                gate.verify_token(customer).user.roles,
            )
            with pytest.raises(ag.AuthorizationError):
                gate.verify_token(customer, names["may_close_books"])
            shop = issuers["machines"].token("s1", gty="client-credentials", client_id="web-shop")
            assert "web-shop" == gate.verify_token(shop, names["may_order"]).service.client_id
            with pytest.raises(ag.InvalidToken):
                gate.verify_token(issuers["machines"].token("u1"))

    def test_a_move_believes_both(self, issuers: dict[str, FakeIssuer]) -> None:
        """Of the same people."""
        old, new = issuers["staff"], issuers["login"]
        real = {"https://old.example.com": old.url, "https://new.example.com": new.url}
        with ag.Gate(pasted(self.PAGE, 2, real=real)["moving"]) as gate:
            assert ["u1", "u1"] == [gate.verify_token(one.token("u1")).user.id for one in (old, new)]


class TestMultiTenant:
    """docs/how-to/multi-tenant.md."""

    PAGE = "multi-tenant.md"

    def test_flask(self, issuer: FakeIssuer) -> None:
        """One's own tenant and no other, and none that is not served."""
        app = pasted(self.PAGE, 0, 2, real=at(issuer))["app"]
        client = app.test_client()
        acme = bearer(issuer, org_id="acme")

        assert {"tenant": "acme"} == client.get("/acme/orders", headers=acme).get_json()
        assert 403 == client.get("/globex/orders", headers=acme).status_code
        assert 401 == client.get("/other/orders", headers=bearer(issuer, org_id="other")).status_code
        assert 401 == client.get("/acme/orders", headers=bearer(issuer)).status_code
        app.extensions["authgate"].gate.close()

    def test_fastapi(self, issuer: FakeIssuer) -> None:
        """The same."""
        with TestClient(pasted(self.PAGE, 0, 3, real=at(issuer))["api"]) as client:
            acme = bearer(issuer, org_id="acme")
            assert {"tenant": "acme"} == client.get("/acme/orders", headers=acme).json()
            assert 403 == client.get("/globex/orders", headers=acme).status_code

    def test_a_function_says_who_is_served(self, issuer: FakeIssuer) -> None:
        """The second example."""
        served = pasted(self.PAGE, 0, 1, real=at(issuer))["served"]
        with ag.Gate(ag.GateConfig(issuers=[served])) as gate:
            assert "acme" == gate.verify_token(issuer.token(org_id="acme")).user.tenant
            with pytest.raises(ag.InvalidToken):
                gate.verify_token(issuer.token(org_id="other"))

    def test_users_go_with_projects_of_their_tenant(self, issuer: FakeIssuer) -> None:
        """Another is 403."""
        project = {"x-app-id": "web-shop", "x-app-secret": "a-secret-of-more-than-thirty-two-characters"}
        with ag.Gate(pasted(self.PAGE, 0, 4, real=at(issuer))["together"]) as gate:
            ours = ag.RequestView("GET", "/", project | bearer(issuer, org_id="acme"))
            assert gate.admit(ours, ag.is_user & ag.is_project)
            theirs = ag.RequestView("GET", "/", project | bearer(issuer, org_id="globex"))
            with pytest.raises(ag.TenantMismatch):
                gate.admit(theirs, ag.is_user & ag.is_project)

    def test_a_tenant_is_let_go(self, issuer: FakeIssuer) -> None:
        """All of it, and nobody else."""
        names = pasted(self.PAGE, 0, real=at(issuer))
        before = int(time.time()) - 60
        with ag.Gate(names["config"]) as gate:
            pasted(self.PAGE, 5, names=names | {"gate": gate})
            assert "globex" == gate.verify_token(issuer.token(org_id="globex", iat=before)).user.tenant
            with pytest.raises(ag.TokenRevoked):
                gate.verify_token(issuer.token(org_id="acme", iat=before))


class TestBoundTokens:
    """docs/how-to/bound-tokens.md."""

    PAGE = "bound-tokens.md"

    def test_a_proof_goes_with_the_token(self, issuer: FakeIssuer) -> None:
        """Once, for the URL of the page, and not without it."""
        with valkey() as server:
            real = at(issuer) | {"redis://localhost:6379/0": f"redis://127.0.0.1:{server.port}/0"}
            names = pasted(self.PAGE, 0, 1, real=real)
            with ag.Gate(names["config"]) as gate:
                headers = names["headers_of"](issuer, "https://api.example.com/orders")
                assert "u1" == gate.admit(ag.RequestView("GET", "/orders", headers), ag.is_user).user.id
                with pytest.raises(ag.InvalidProof):
                    gate.admit(ag.RequestView("GET", "/orders", headers), ag.is_user)
                elsewhere = names["headers_of"](issuer, "https://other.example.com/orders")
                with pytest.raises(ag.InvalidProof):
                    gate.admit(ag.RequestView("GET", "/orders", elsewhere), ag.is_user)
                token = headers["Authorization"].removeprefix("DPoP ")
                with pytest.raises(ag.InvalidToken):
                    gate.verify_token(token)
                assert (
                    "u2" == gate.admit(ag.RequestView("GET", "/", bearer(issuer, "u2")), ag.is_user).user.id
                )


class TestRolesAndPolicies:
    """docs/how-to/roles-and-policies.md."""

    PAGE = "roles-and-policies.md"

    def test_the_policies_of_the_page(self, issuer: FakeIssuer) -> None:
        """Those of its first example let in whom they read like."""
        names = pasted(self.PAGE, 0, 1, real=at(issuer))
        with ag.Gate(ag.GateConfig(issuers=[names["issuer"]])) as gate:
            reader = issuer.token("u1", scp="orders:read other")
            assert gate.verify_token(reader, names["may_see"])
            clerk: dict[str, Any] = {"https://example.com/groups": ["clerk"], "roles": ["other"]}
            fresh = issuer.token("u1", auth_time=int(time.time()) - 60, **clerk)
            assert gate.verify_token(fresh, names["may_refund"])
            stale = issuer.token("u1", auth_time=int(time.time()) - 1000, **clerk)
            with pytest.raises(ag.StepUpRequired):
                gate.verify_token(stale, names["may_refund"])
            with pytest.raises(ag.InsufficientScope):
                gate.verify_token(fresh, names["may_read"])

    def test_a_hierarchy(self, issuer: FakeIssuer) -> None:
        """Both spellings imply the same."""
        names = pasted(self.PAGE, 0, 1, 2, real=at(issuer))
        assert names["ranked"].expand(["admin"]) == names["config"].roles.expand(["admin"])

    def test_two_callers(self, issuer: FakeIssuer) -> None:
        """Without `of=` the gate would refuse to be asked."""
        names = pasted(self.PAGE, 0, 1, 2, 3, real=at(issuer))
        projects = ag.StaticProjects({"shop": {"secret": "a-secret-of-more-than-thirty-two-characters"}})
        with ag.Gate(ag.GateConfig(issuers=[names["issuer"]], projects=projects)) as gate:
            gate.check_policy(names["both"])
            with pytest.raises(ag.ConfigurationError):
                gate.check_policy(ag.is_user & ag.is_project & ag.any_role("clerk"))

    def test_a_condition_of_ones_own(self, issuer: FakeIssuer) -> None:
        """Who is too young, or says nothing, is refused."""
        names = pasted(self.PAGE, 0, 1, 4, real=at(issuer))
        with ag.Gate(ag.GateConfig(issuers=[names["issuer"]])) as gate:
            assert gate.verify_token(issuer.token("u1", age=18), names["may_buy_wine"])
            shapes: list[dict[str, Any]] = [{"age": 17}, {}]
            for shape in shapes:
                with pytest.raises(ag.AuthorizationError):
                    gate.verify_token(issuer.token("u1", **shape), names["may_buy_wine"])

    def test_a_question_in_a_handler(self, issuer: FakeIssuer) -> None:
        """The owner may, an admin may, others may not."""
        app = pasted(self.PAGE, 0, 1, 2, 5, real=at(issuer))["app"]
        client = app.test_client()

        assert {"deleted": 7} == client.delete("/orders/7", headers=bearer(issuer)).get_json()
        assert 403 == client.delete("/orders/7", headers=bearer(issuer, "u2")).status_code
        admin = bearer(issuer, "u2", roles=["admin"])
        assert {"deleted": 7} == client.delete("/orders/7", headers=admin).get_json()
        app.extensions["authgate"].gate.close()

    def test_policies_are_tried_without_an_issuer(self) -> None:
        """The page asserts, and what it asserts can fail."""
        names = pasted(self.PAGE, 0, 1, 2, 6)
        with pytest.raises(ag.AuthorizationError):
            names["may"](ag.any_role("admin"), roles=["clerk"])

    @pytest.mark.parametrize("wrong", ["and", "or", "not"])
    def test_words_raise(self, wrong: str) -> None:
        """As the page says of all three."""
        names = pasted(self.PAGE, 0)
        text = "not may_read" if wrong == "not" else f"may_read {wrong} may_import"
        with pytest.raises(TypeError):
            eval(text, names)


class TestWebSockets:
    """docs/how-to/websockets.md."""

    PAGE = "websockets.md"

    def test_handshakes(self, issuer: FakeIssuer) -> None:
        """By a header, and as a browser does it by a subprotocol."""
        app = pasted(self.PAGE, 0, real=at(issuer))["create_app"]()
        token = issuer.token("u1", roles=["clerk"])
        with TestClient(app) as client:
            with client.websocket_connect("/feed", headers={"Authorization": f"Bearer {token}"}) as socket:
                assert {"number": 7, "of": "u1"} == socket.receive_json()
            protocols = [f"authgate.bearer.{token}", "authgate"]
            with client.websocket_connect("/feed", subprotocols=protocols) as socket:
                found: tuple[Any, Any] = socket.accepted_subprotocol, socket.receive_json()
                assert ("authgate", {"number": 7, "of": "u1"}) == found

    @pytest.mark.parametrize(("status", "shape"), [(403, {"roles": ["guest"]}), (401, {"exp": 1_000_000})])
    def test_refusals(self, issuer: FakeIssuer, status: int, shape: dict[str, Any]) -> None:
        """Before it is accepted, as in the table."""
        app = pasted(self.PAGE, 0, real=at(issuer))["create_app"]()
        with (
            TestClient(app) as client,
            pytest.raises(WebSocketDenialResponse) as refused,
            client.websocket_connect("/feed", headers=bearer(issuer, **shape)),
        ):
            pass
        assert status == refused.value.status_code

    def test_the_test_of_the_page(self) -> None:
        """Passes."""
        pasted(self.PAGE, 0, 1)["test_feed"]()


class TestProductionChecklist:
    """docs/how-to/production-checklist.md."""

    def test_its_gate_is_ready(self, issuer: FakeIssuer) -> None:
        """With an issuer and a Redis in the places of the page's."""
        with valkey() as server:
            real = {**at(issuer), "redis.internal:6379": f"127.0.0.1:{server.port}"}
            assert pasted("production-checklist.md", 0, 1, real=real)["ready"]

    def test_it_is_not_while_the_issuer_is_down(self, issuer: FakeIssuer) -> None:
        """The gate starts all the same."""
        issuer.outage(None)
        with valkey() as server:
            real = {**at(issuer), "redis.internal:6379": f"127.0.0.1:{server.port}"}
            assert not pasted("production-checklist.md", 0, 1, real=real)["ready"]
