"""Behind Kong: who is believed, and every way to be somebody else that its headers offer."""

from __future__ import annotations

from typing import Any

import pytest

import authgate_core as ag
from authgate_core.errors import GatewaySignatureRefused, UntrustedGateway
from authgate_core.gateways import Gateway
from authgate_core.gateways.presets import INTROSPECTOR
from authgate_core.request import Memo
from authgate_core.testing import ManualClock
from tests.support.gateways import HMAC_KEY, SERVICE, USER, stamped

INSIDE = "10.1.2.3"
CALLER = ag.is_user | ag.is_service


@pytest.fixture
def clock() -> ManualClock:
    """Time that the test moves."""
    return ManualClock()


def gate(clock: ManualClock, gateway: Gateway | None = None, **options: Any) -> ag.Gate:
    """A gate behind Kong, which is in 10.0.0.0/8."""
    return ag.Gate(
        ag.GateConfig(gateway=gateway or Gateway.kong(peers=["10.0.0.0/8"]), **options), clock=clock
    )


def view(headers: Any, method: str = "GET", url: str = "/orders", **options: Any) -> ag.RequestView:
    """A request from the gateway's network."""
    return ag.RequestView(method, url, headers, **{"peer": INSIDE, **options})


class TestWhoIsAdmitted:
    def test_a_user(self, clock: ManualClock) -> None:
        """With all that the gateway says of a person, from a trusted peer."""
        headers = {
            **USER,
            "X-Username": "ann",
            "X-User-Email": "ann@example.com",
            "X-User-Scopes": "orders:read",
            "X-Client-ID": "web",
        }
        with gate(clock) as kong:
            user = kong.admit(
                view(headers), ag.is_user & ag.any_role("clerk") & ag.all_scopes("orders:read")
            ).user

        assert ("u1", "kong", "ann", "ann@example.com") == (user.id, user.issuer, user.username, user.email)
        assert ("s1", "web", "gateway") == (user.session_id, user.client_id, user.source)
        assert "ann@example.com" == user.claims["email"]

    def test_a_service(self, clock: ManualClock) -> None:
        """Which is no user (Law 3.13)."""
        with gate(clock) as kong:
            assert "billing" == kong.admit(view(SERVICE), ag.is_service).service.name
            with pytest.raises(ag.AuthorizationError):
                kong.admit(view(SERVICE), ag.is_user)

    def test_roles_imply_what_the_hierarchy_says(self, clock: ManualClock) -> None:
        """Law 8.5."""
        with gate(clock, roles=ag.RoleHierarchy({"clerk": ["reader"]})) as kong:
            assert kong.admit(view(USER), ag.is_user & ag.any_role("reader"))

    def test_nobody_is_admitted_who_shows_nothing(self, clock: ManualClock) -> None:
        """And an optional guard lets nobody in as nobody (Law 1.4)."""
        with gate(clock) as kong:
            with pytest.raises(ag.MissingCredentials):
                kong.admit(view({}), ag.is_user)
            assert not kong.admit(view({}), ag.is_user, optional=True).principals

    def test_a_token_that_came_along_is_left_alone(self, clock: ManualClock) -> None:
        """It was the gateway's to look at: neither verified, nor an error, nor anybody (Law 2.7)."""
        with gate(clock) as kong:
            assert kong.admit(view({**USER, "Authorization": "Bearer a, b"}), ag.is_user)
            with pytest.raises(ag.MissingCredentials):
                kong.admit(view({"Authorization": "Bearer a.b.c"}), ag.is_user)

    def test_the_answer_depends_on_those_headers(self, clock: ManualClock) -> None:
        """And on no other (Law 1.7)."""
        with gate(clock) as kong:
            read = kong.headers_read(ag.is_user)

        assert "x-user-id" in read
        assert "Authorization" not in read

    def test_a_project_may_come_along(self, clock: ManualClock) -> None:
        """Its credentials are its own, not the gateway's."""
        secret = "a-chosen-secret-of-thirty-two-characters"
        projects = ag.StaticProjects({"shop": {"secret": secret}})
        headers = {**USER, "X-App-Id": "shop", "X-App-Secret": secret}
        with gate(clock, projects=projects) as kong:
            admission = kong.admit(view(headers), ag.is_user & ag.is_project)

        assert ("u1", "shop") == (admission.user.id, admission.project.id)


class TestWhoIsNotTheGateway:
    """Law 2.7: identity headers count from the socket's own peer, if that is one of the gateway's."""

    @pytest.mark.parametrize(
        ("peer", "admitted"),
        [
            ("10.1.2.3", True),
            ("10.255.255.255", True),
            ("::ffff:10.1.2.3", True),
            ("11.0.0.1", False),
            ("9.255.255.255", False),
            ("127.0.0.1", False),
            ("::1", False),
            ("::a01:203", False),
            ("10.1.2.3:80", False),
            ("kong", False),
            ("", False),
            (None, False),
        ],
    )
    def test_a_peer_is_in_the_network_or_is_not(
        self, clock: ManualClock, peer: str | None, admitted: bool
    ) -> None:
        """Whatever is no address is nobody's."""
        with gate(clock) as kong:
            if admitted:
                assert kong.admit(view(USER, peer=peer), ag.is_user)
                return
            with pytest.raises(UntrustedGateway):
                kong.admit(view(USER, peer=peer), ag.is_user)

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
    def test_what_a_header_says_of_the_peer_is_nobodys_word(self, clock: ManualClock, name: str) -> None:
        """A stranger writes such a header himself."""
        with gate(clock) as kong, pytest.raises(UntrustedGateway):
            kong.admit(view({**USER, name: INSIDE}, peer="203.0.113.9"), ag.is_user)

    def test_an_optional_guard_refuses_a_stranger_who_says_something(self, clock: ManualClock) -> None:
        """Whoever tries to be somebody is not nobody (Law 1.4)."""
        with gate(clock) as kong, pytest.raises(UntrustedGateway):
            kong.admit(view(USER, peer="203.0.113.9"), ag.is_user, optional=True)

    def test_a_client_certificate_shows_the_gateway(self, clock: ManualClock) -> None:
        """By its whole subject, wherever it is."""
        gateway = Gateway.kong(tls_peers=["CN=kong,O=Example"])
        with gate(clock, gateway) as kong:
            assert kong.admit(view(USER, peer=None, tls_peer="CN=kong,O=Example"), ag.is_user)
            for subject in ("CN=kong", "cn=kong,o=example", None):
                with pytest.raises(UntrustedGateway):
                    kong.admit(view(USER, tls_peer=subject), ag.is_user)

    def test_a_server_that_joins_names_is_believed_only_where_it_drops_underscores(
        self, clock: ManualClock
    ) -> None:
        """Law 2.8: of X_User_ID and X-User-ID it makes one, and the gateway removes the second only."""
        with gate(clock) as kong, pytest.raises(UntrustedGateway, match="server_drops_underscores"):
            kong.admit(view(USER, folds_names=True), ag.is_user)
        declared = Gateway.kong(peers=["10.0.0.0/8"], server_drops_underscores=True)
        with gate(clock, declared) as kong:
            assert kong.admit(view(USER, folds_names=True), ag.is_user)

    def test_a_server_that_may_have_asked_a_header_is_not_asked(self, clock: ManualClock) -> None:
        """Unless the operator says that it does not; the reason names the setting."""
        unsure: dict[str, Any] = {"peer": None, "named_peer": INSIDE}
        with gate(clock) as kong, pytest.raises(UntrustedGateway, match="server_shows_peer=True"):
            kong.admit(view(USER, **unsure), ag.is_user)
        with gate(clock, Gateway.kong(peers=["10.0.0.0/8"], server_shows_peer=True)) as kong:
            assert kong.admit(view(USER, **unsure), ag.is_user)

    def test_the_refusal_tells_a_stranger_nothing(self, clock: ManualClock) -> None:
        """It reads as for any bad token (Law 1.2), and the log says which gateway."""
        with gate(clock) as kong:
            with pytest.raises(UntrustedGateway) as caught:
                kong.admit(view(USER, peer=None), ag.is_user)
            problem = kong.problem(caught.value)

        assert (401, "token_invalid", "The token is not valid.") == (
            problem.status,
            problem.body["code"],
            problem.body["detail"],
        )
        assert ("gateway_untrusted", "kong") == (caught.value.code, caught.value.issuer)


class TestStamps:
    """HMAC v1 is an addition to a trusted peer, and never in the place of one."""

    @pytest.fixture
    def kong(self, clock: ManualClock) -> ag.Gate:
        """A gate that asks for the signature as well; two keys are good."""
        gateway = Gateway.kong(peers=["10.0.0.0/8"], hmac_key=["another key " * 4, HMAC_KEY])
        return gate(clock, gateway)

    @pytest.mark.parametrize("headers", [USER, SERVICE, {**USER, "X-Session-ID": ""}])
    def test_it_is_accepted_for_the_request_that_it_is_of(
        self, kong: ag.Gate, clock: ManualClock, headers: dict[str, str]
    ) -> None:
        """Of users and of services, with and without a session."""
        signed = stamped(headers, "POST", "/orders", clock.now().wall)

        assert kong.admit(view(signed, "POST", "/orders?page=2"), CALLER)

    @pytest.mark.parametrize("key", ["another key " * 4, HMAC_KEY])
    def test_each_key_signs(self, kong: ag.Gate, clock: ManualClock, key: str) -> None:
        """While one replaces the other."""
        assert kong.admit(view(stamped(USER, "GET", "/orders", clock.now().wall, key)), ag.is_user)

    @pytest.mark.parametrize(
        ("age", "admitted"), [(0.0, True), (60.0, True), (-60.0, True), (61.0, False), (-61.0, False)]
    )
    def test_it_is_of_this_minute(
        self, kong: ag.Gate, clock: ManualClock, age: float, admitted: bool
    ) -> None:
        """Neither older nor newer."""
        signed = stamped(USER, "GET", "/orders", clock.now().wall - age)
        if admitted:
            assert kong.admit(view(signed), ag.is_user)
            return
        with pytest.raises(GatewaySignatureRefused, match="not within 60 s"):
            kong.admit(view(signed), ag.is_user)

    @pytest.mark.parametrize(
        "changes",
        [
            {"X-User-ID": "u2"},
            {"X-Session-ID": "s2"},
            {"X-Session-ID": ""},
            {"X-Authz-Signature": ""},
            {"X-Authz-Signature": "AAAA"},
            {"X-Authz-Ts": "now"},
            {"X-Authz-Ts": "-1"},
            {"X-Authz-Ts": "1e9"},
            {"X-Authz-Ts": "9" * 5000},
        ],
    )
    def test_what_was_changed_on_the_way_is_refused(
        self, kong: ag.Gate, clock: ManualClock, changes: dict[str, str]
    ) -> None:
        """Also from a trusted peer."""
        signed = {**stamped(USER, "GET", "/orders", clock.now().wall), **changes}

        with pytest.raises((GatewaySignatureRefused, ag.MalformedCredentials)):
            kong.admit(view(signed), ag.is_user)

    @pytest.mark.parametrize(
        ("method", "url"),
        [
            ("POST", "/orders"),
            ("get", "/orders"),
            ("GET", "/orders/"),
            ("GET", "/orders/1"),
            ("GET", "//orders"),
            ("GET", "/Orders"),
            ("GET", "/%6frders"),
            ("GET", "/x/../orders"),
        ],
    )
    def test_it_is_of_no_other_method_or_path(
        self, kong: ag.Gate, clock: ManualClock, method: str, url: str
    ) -> None:
        """Not even one that some router would take for the same."""
        signed = stamped(USER, "GET", "/orders", clock.now().wall)

        with pytest.raises(GatewaySignatureRefused):
            kong.admit(view(signed, method, url), ag.is_user)

    def test_a_separator_in_a_value_is_refused(self, kong: ag.Gate, clock: ManualClock) -> None:
        """``a|b`` with no session signs what ``a`` with session ``b`` would, but for one bar."""
        for headers in (
            {**USER, "X-User-ID": "u1|s1", "X-Session-ID": ""},
            {**USER, "X-Session-ID": "s1|1"},
        ):
            with pytest.raises(GatewaySignatureRefused, match="separates"):
                kong.admit(view(stamped(headers, "GET", "/orders", clock.now().wall)), ag.is_user)

    def test_without_it_nobody_is_admitted(self, kong: ag.Gate) -> None:
        """A configured signature is asked for."""
        with pytest.raises(GatewaySignatureRefused, match="missing"):
            kong.admit(view(USER), ag.is_user)

    def test_it_stands_for_no_peer(self, kong: ag.Gate, clock: ManualClock) -> None:
        """It signs no roles, so whoever saw one good request could add some (Law 2.7)."""
        signed = stamped(USER, "GET", "/orders", clock.now().wall)

        with pytest.raises(UntrustedGateway):
            kong.admit(view(signed, peer="203.0.113.9"), ag.is_user)

    def test_nothing_of_it_is_said(self, kong: ag.Gate, clock: ManualClock) -> None:
        """Neither the key nor what would have been right (Law 2.5)."""
        right = stamped(USER, "GET", "/orders", clock.now().wall)["X-Authz-Signature"]
        with pytest.raises(GatewaySignatureRefused) as caught:
            kong.admit(view({**stamped(USER, "GET", "/x", clock.now().wall)}), ag.is_user)

        assert right not in repr(caught.value) + caught.value.reason
        assert HMAC_KEY not in repr(kong.config)


class TestMemo:
    def test_guards_of_one_request_ask_once(self, clock: ManualClock) -> None:
        """And an open socket goes on with what was said at its handshake, for as long as it may (Law 5.13)."""
        gateway = Gateway.kong(peers=["10.0.0.0/8"], hmac_key=HMAC_KEY, socket_lifetime=120.0)
        memo = Memo()
        request = view(stamped(USER, "GET", "/orders", clock.now().wall), memo=memo)
        with gate(clock, gateway) as kong:
            kong.admit(request, ag.is_user)
            clock.advance(119.0)
            later = Memo()
            later.succeed(memo)
            assert kong.admit(request.with_memo(later), ag.is_user)
            clock.advance(2.0)
            last = Memo()
            last.succeed(memo)
            with pytest.raises(UntrustedGateway, match="older than 120 s"):
                kong.admit(request.with_memo(last), ag.is_user)

    @pytest.mark.parametrize("change", [{"X-User-ID": "u2"}, {"X-User-Roles": "admin"}])
    def test_what_was_shown_of_one_identity_holds_for_no_other(
        self, clock: ManualClock, change: dict[str, str]
    ) -> None:
        """Middleware that changes a header does not inherit it (Law 2.6)."""
        gateway = Gateway.kong(peers=["10.0.0.0/8"], hmac_key=HMAC_KEY)
        memo = Memo()
        signed = stamped(USER, "GET", "/orders", clock.now().wall)
        with gate(clock, gateway) as kong:
            kong.admit(view(signed, memo=memo), ag.is_user)
            clock.advance(100.0)
            later = Memo()
            later.succeed(memo)
            with pytest.raises(GatewaySignatureRefused):
                kong.admit(view({**signed, **change}, memo=later), ag.is_user)

    def test_what_was_shown_of_one_address_holds_for_no_other(self, clock: ManualClock) -> None:
        """Requests that an application sends to itself with the same headers are others."""
        gateway = Gateway.kong(peers=["10.0.0.0/8"], hmac_key=HMAC_KEY)
        memo = Memo()
        signed = stamped(USER, "GET", "/orders", clock.now().wall)
        with gate(clock, gateway) as kong:
            kong.admit(view(signed, memo=memo), ag.is_user)
            later = Memo()
            later.succeed(memo)
            with pytest.raises(GatewaySignatureRefused):
                kong.admit(view(signed, "DELETE", memo=later), ag.is_user)


class TestConsumers:
    def test_a_consumer_is_admitted(self, clock: ManualClock) -> None:
        """As what the configuration says that consumers are."""
        headers = {"X-Consumer-ID": "c1", "X-Consumer-Username": "shop", "X-Credential-Identifier": "k1"}
        gateway = Gateway.kong_consumers("service", peers=["10.0.0.0/8"])
        with gate(clock, gateway) as kong:
            service = kong.admit(view(headers), ag.is_service).service
            with pytest.raises(ag.ConfigurationError, match="nobody issues users"):
                kong.admit(view(headers), ag.is_user)

        assert ("c1", "shop", "k1") == (service.id, service.name, service.claims["credential_id"])

    def test_an_anonymous_consumer_is_missing(self, clock: ManualClock) -> None:
        """It has shown nothing to Kong."""
        headers = {"X-Consumer-ID": "c0", "X-Anonymous-Consumer": "true"}
        gateway = Gateway.kong_consumers("service", peers=["10.0.0.0/8"])
        with gate(clock, gateway) as kong, pytest.raises(ag.MissingCredentials):
            kong.admit(view(headers), ag.is_service)

    def test_oauth2_names_the_user(self, clock: ManualClock) -> None:
        """For whom a consumer calls, with the scopes that were granted."""
        headers = {"X-Consumer-ID": "c1", "X-Authenticated-Userid": "ann", "X-Authenticated-Scope": "a,b"}
        gateway = Gateway.kong_consumers("service", oauth2=True, peers=["10.0.0.0/8"])
        with gate(clock, gateway) as kong:
            user = kong.admit(view(headers), ag.is_user & ag.all_scopes("a", "b")).user

        assert ("ann", "c1", None) == (user.id, user.client_id, user.username)

    def test_an_id_beyond_all_bounds_is_refused(self, clock: ManualClock) -> None:
        """Law 3.9."""
        gateway = Gateway.kong_consumers("service", peers=["10.0.0.0/8"])
        with gate(clock, gateway) as kong, pytest.raises(ag.InvalidClaim, match="255"):
            kong.admit(view({"X-Consumer-ID": "c" * 256}), ag.is_service)


class TestSettings:
    @pytest.mark.parametrize(
        ("gateway", "says"),
        [
            (Gateway.kong(), "peers: name the addresses"),
            (Gateway.kong(hmac_key=HMAC_KEY), "peers: name the addresses"),
            (Gateway.kong(peers=["0.0.0.0/0"]), "is everyone"),
            (Gateway.kong(peers=["10.0.0.0/8", "::/0"]), "is everyone"),
            (Gateway.kong(peers=["10.0.0.1/8"]), "host bits"),
            (Gateway.kong(peers=["kong"]), "peers: 'kong'"),
            (Gateway.kong(peers=[7]), "peers: give texts"),  # type: ignore[list-item]  # wrong on purpose
            (Gateway.kong(peers="10.0.0.0/8"), "peers: give a list"),
            (Gateway.kong(tls_peers=[""]), "tls_peers: give the subjects"),
            (Gateway.kong(peers=["10.0.0.0/8"], hmac_key=""), "hmac_key: has 0 bytes"),
            (Gateway.kong(peers=["10.0.0.0/8"], hmac_key="short"), "hmac_key: has 5 bytes"),
            (Gateway.kong(peers=["10.0.0.0/8"], hmac_key=" " * 40), "hmac_key: has 40 bytes"),
            (Gateway.kong(peers=["10.0.0.0/8"], hmac_key=7), "hmac_key: give a text"),  # type: ignore[arg-type]  # as above
            (Gateway.kong(peers=["10.0.0.0/8"], name=""), "name: is empty"),
            (Gateway.kong(peers=["10.0.0.0/8"], server_shows_peer="no"), "server_shows_peer: write"),  # type: ignore[arg-type]  # as above
            (Gateway.kong(peers=["10.0.0.0/8"], socket_lifetime=0), "socket_lifetime: is not"),
            (Gateway.kong(peers=["10.0.0.0/8"], trusted=True), "'trusted' is unknown"),  # type: ignore[call-arg]  # as above
            (Gateway(name="both", identity=INTROSPECTOR, assertion="x-jwt"), "identity: a gateway either"),
            (Gateway(name="neither", peers=("10.0.0.0/8",)), "identity: a gateway either"),
            (Gateway.kong_consumers("robot", peers=["10.0.0.0/8"]), "kind: write"),  # type: ignore[arg-type]  # as above
            ("kong", "gateway: give Gateway.kong"),
        ],
    )
    def test_what_is_wrong_is_said_when_the_gate_is_built(self, gateway: Any, says: str) -> None:
        """By the name of the setting, with what to write instead, and no key (Law 1.6)."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.Gate(ag.GateConfig(gateway=gateway))

        assert says in str(caught.value)
        assert HMAC_KEY not in str(caught.value)

    def test_issuers_beside_a_gateway_would_never_be_asked(self) -> None:
        """So one of both is a mistake."""
        issuer = ag.Issuer.oidc("https://id.example.com", audience="orders")

        with pytest.raises(ag.ConfigurationError, match="never be asked"):
            ag.Gate(ag.GateConfig(gateway=Gateway.kong(peers=["10.0.0.0/8"]), issuers=[issuer]))

    def test_no_token_is_anybodys(self, clock: ManualClock) -> None:
        """Where there is no request, a gateway says nothing."""
        with gate(clock) as kong, pytest.raises(ag.InvalidToken):
            kong.verify_token("a.b.c")
