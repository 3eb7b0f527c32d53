"""Behind a gateway that signs its messages (RFC 9421): what it signed is believed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import algorithms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import authgate_core as ag
from authgate_core.errors import (
    GatewaySignatureRefused,
    GatewaySignatureReplayed,
    ReplaysUnavailable,
    UntrustedGateway,
)
from authgate_core.gateways import Gateway
from authgate_core.replays import MemoryReplays
from authgate_core.request import Memo
from authgate_core.testing import ManualClock
from tests.support.gateways import ORIGIN, SERVICE, USER, Signer

KEY = b"thirty-two bytes of a shared key"
OTHER = b"another key, of thirty-two bytes"
KEYS = {"gateway-1": ag.Secret(KEY), "gateway-2": ag.Secret(OTHER)}
CALLER = ag.is_user | ag.is_service

Open = Callable[..., ag.Gate]


@pytest.fixture
def clock() -> ManualClock:
    """Time that the test moves."""
    return ManualClock()


@pytest.fixture
def signer(clock: ManualClock) -> Signer:
    """The gateway."""
    return Signer(KEY, clock=lambda: clock.now().wall)


def gate(clock: ManualClock, keys: Any = None, replays: Any = None, **options: Any) -> ag.Gate:
    """A gate behind it."""
    gateway = Gateway.signed(KEYS if keys is None else keys, **{"origin": ORIGIN, **options})
    return ag.Gate(ag.GateConfig(gateway=gateway, replays=replays or MemoryReplays()), clock=clock)


def view(
    headers: Any, method: str = "GET", target: str = "/orders", body: bytes = b"", **options: Any
) -> ag.RequestView:
    """A request from wherever, with the body that it has."""
    return ag.RequestView(method, target, headers, **{"body": lambda: body, **options})


class TestWhoIsAdmitted:
    @pytest.mark.parametrize("headers", [USER, SERVICE, {**USER, "X-User-Scopes": "a b", "X-User-Email": ""}])
    def test_what_was_signed_is_believed_from_anywhere(
        self, clock: ManualClock, signer: Signer, headers: dict[str, str]
    ) -> None:
        """No peer is asked for, and a server that joins names does no harm (Laws 2.7, 2.8)."""
        with gate(clock) as signed:
            assert signed.admit(view(signer.sign(headers, "GET", "/orders")), CALLER)
            folded = view(signer.sign(headers, "GET", "/orders"), folds_names=True, peer=None)
            assert signed.admit(folded, CALLER)

    def test_each_key_signs(self, clock: ManualClock, signer: Signer) -> None:
        """By its keyid, while one replaces another."""
        with gate(clock) as signed:
            for key, keyid in ((KEY, "gateway-1"), (OTHER, "gateway-2")):
                headers = replace(signer, key=key, keyid=keyid).sign(USER, "GET", "/orders")
                assert signed.admit(view(headers), ag.is_user)

    @pytest.mark.parametrize(
        ("key", "algorithm"),
        [
            (ed25519.Ed25519PrivateKey.generate(), algorithms.ED25519),
            (ec.generate_private_key(ec.SECP256R1()), algorithms.ECDSA_P256_SHA256),
            (ec.generate_private_key(ec.SECP384R1()), algorithms.ECDSA_P384_SHA384),
            (rsa.generate_private_key(65537, 2048), algorithms.RSA_PSS_SHA512),
        ],
    )
    def test_public_keys_verify(
        self, clock: ManualClock, signer: Signer, key: Any, algorithm: type[Any]
    ) -> None:
        """Beside a shared one: each key has the one algorithm of its type."""
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        other = replace(signer, key=key, keyid="asymmetric", algorithm=algorithm)
        with gate(clock, keys={**KEYS, "asymmetric": pem}) as signed:
            assert signed.admit(view(other.sign(USER, "GET", "/orders")), ag.is_user)
            assert signed.admit(view(signer.sign(USER, "GET", "/orders")), ag.is_user)
            renamed = replace(other, keyid="gateway-1").sign(USER, "GET", "/orders")
            with pytest.raises(GatewaySignatureRefused):
                signed.admit(view(renamed), ag.is_user)

    def test_a_public_key_is_no_shared_secret(self, clock: ManualClock, signer: Signer) -> None:
        """Everyone has it: HMAC with its text is nobody's signature."""
        key = ed25519.Ed25519PrivateKey.generate().public_key()
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        forged = replace(signer, key=pem).sign(USER, "GET", "/orders")
        with gate(clock, keys={"gateway-1": pem}) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(forged), ag.is_user)

    def test_peers_may_be_asked_for_besides(self, clock: ManualClock, signer: Signer) -> None:
        """Then both must hold."""
        with gate(clock, peers=["10.0.0.0/8"]) as signed:
            assert signed.admit(view(signer.sign(USER, "GET", "/orders"), peer="10.0.0.1"), ag.is_user)
            with pytest.raises(UntrustedGateway):
                signed.admit(view(signer.sign(USER, "GET", "/orders"), peer="203.0.113.9"), ag.is_user)


class TestHeaders:
    """Every header that says something of the caller is covered, or nothing is believed."""

    @pytest.mark.parametrize("name", list(USER))
    def test_a_changed_header_is_refused(self, clock: ManualClock, signer: Signer, name: str) -> None:
        """Each of them."""
        headers = signer.sign(USER, "GET", "/orders")
        headers[name] = "true" if headers[name] != "true" else "TRUE"
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(headers), ag.is_user)

    @pytest.mark.parametrize("name", ["X-User-Roles", "X-Session-ID"])
    def test_a_removed_header_is_refused(self, clock: ManualClock, signer: Signer, name: str) -> None:
        """Less may be more: a session that is not named cannot be ended."""
        headers = signer.sign(USER, "GET", "/orders")
        del headers[name]
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(headers), ag.is_user)

    @pytest.mark.parametrize(
        "added",
        [
            {"X-User-Scopes": "admin"},
            {"X-User-Email": "root@example.com"},
            {"X-Service-Roles": "admin"},
            {"X-Auth-Source": "kong"},
            {"X-Client-ID": "trusted"},
        ],
    )
    def test_a_header_that_the_gateway_did_not_sign_is_refused(
        self, clock: ManualClock, signer: Signer, added: dict[str, str]
    ) -> None:
        """A caller may have sent it along, and the gateway left it there."""
        headers = {**signer.sign(USER, "GET", "/orders"), **added}
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="does not cover"):
            signed.admit(view(headers), ag.is_user)

    def test_a_service_cannot_be_made_of_a_user(self, clock: ManualClock, signer: Signer) -> None:
        """By adding what services have."""
        headers = {**signer.sign(USER, "GET", "/orders"), **SERVICE}
        with gate(clock) as signed, pytest.raises(ag.MalformedCredentials):
            signed.admit(view(headers), CALLER)

    @pytest.mark.parametrize("name", ["X-User-ID", "X-User-Roles", "Signature", "Signature-Input"])
    def test_a_repeated_header_is_malformed(self, clock: ManualClock, signer: Signer, name: str) -> None:
        """Also the signature's own."""
        headers = signer.sign(USER, "GET", "/orders")
        pairs = [*headers.items(), (name, headers[name])]
        with gate(clock) as signed, pytest.raises(ag.MalformedCredentials):
            signed.admit(view(pairs), ag.is_user)

    def test_what_a_server_joined_is_refused(self, clock: ManualClock, signer: Signer) -> None:
        """A second X_User_Roles reaches a WSGI application as one header with the first (Law 2.8)."""
        headers = signer.sign(USER, "GET", "/orders")
        headers["X-User-Roles"] += ",admin"
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(headers, folds_names=True), ag.is_user)

    @pytest.mark.parametrize("name", [*map(str.lower, USER), "@method", "@target-uri"])
    def test_what_must_be_covered_is(self, clock: ManualClock, signer: Signer, name: str) -> None:
        """A good signature of less is none; the reason names what is missing."""
        headers = replace(signer, lacks=[name]).sign(USER, "GET", "/orders")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="cover") as caught:
            signed.admit(view(headers), ag.is_user)

        assert name in caught.value.reason

    def test_without_a_signature_nobody_is_admitted(self, clock: ManualClock) -> None:
        """Not even from a trusted peer."""
        with gate(clock, peers=["10.0.0.0/8"]) as signed:
            for headers in (USER, {**USER, "Signature": "a=:YQ==:"}, {**USER, "Signature-Input": "a=()"}):
                with pytest.raises(GatewaySignatureRefused, match="not signed"):
                    signed.admit(view(headers, peer="10.0.0.1"), ag.is_user)


class TestSignatures:
    @pytest.mark.parametrize(
        "changes",
        [
            {"key": OTHER},
            {"keyid": "gateway-2"},
            {"keyid": "gateway-3"},
            {"tag": "somebody-else"},
            {"algorithm": algorithms.ED25519, "key": ed25519.Ed25519PrivateKey.generate()},
        ],
    )
    def test_one_of_another_is_refused(
        self, clock: ManualClock, signer: Signer, changes: dict[str, Any]
    ) -> None:
        """By another key, under another name, for another purpose."""
        headers = replace(signer, **changes).sign(USER, "GET", "/orders")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="no one signature"):
            signed.admit(view(headers), ag.is_user)

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("POST", "/orders?page=1"),
            ("get", "/orders?page=1"),
            ("GET", "/orders"),
            ("GET", "/orders?page=2"),
            ("GET", "/orders?page=1&page=2"),
            ("GET", "/orders/?page=1"),
            ("GET", "//orders?page=1"),
            ("GET", "/%6Frders?page=1"),
            ("GET", "/orders%3Fpage=1"),
            ("GET", "/x/../orders?page=1"),
            ("GET", "/orders?page=1#x"),
            ("GET", "@evil.example/orders?page=1"),
            ("GET", "/\x00"),
        ],
    )
    def test_one_of_another_request_is_refused(
        self, clock: ManualClock, signer: Signer, method: str, target: str
    ) -> None:
        """Another method, path or query, though a router might take it for the same."""
        headers = signer.sign(USER, "GET", "/orders?page=1")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(headers, method, target), ag.is_user)

    @pytest.mark.parametrize("origin", ["http://api.example.com", "https://carts.example.com"])
    def test_one_for_another_service_is_refused(
        self, clock: ManualClock, signer: Signer, origin: str
    ) -> None:
        """Which shares the gateway and its key."""
        headers = signer.sign(USER, "GET", "/orders", origin=origin)
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(headers), ag.is_user)

    @pytest.mark.parametrize(
        ("age", "admitted"),
        [(0.0, True), (59.0, True), (60.0, False), (-29.0, True), (-32.0, False), (1e9, False)],
    )
    def test_it_is_of_this_minute(
        self, clock: ManualClock, signer: Signer, age: float, admitted: bool
    ) -> None:
        """By the gate's clock; the gateway's may be half a minute ahead."""
        at = clock.now().wall - age
        headers = replace(signer, clock=lambda: at, lifetime=None).sign(USER, "GET", "/orders")
        with gate(clock) as signed:
            if admitted:
                assert signed.admit(view(headers), ag.is_user)
                return
            with pytest.raises(GatewaySignatureRefused, match="created"):
                signed.admit(view(headers), ag.is_user)

    def test_it_ends_when_the_gateway_says(self, clock: ManualClock, signer: Signer) -> None:
        """Where that is sooner."""
        headers = replace(signer, lifetime=10.0).sign(USER, "GET", "/orders")
        clock.advance(11.0)
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="expired"):
            signed.admit(view(headers), ag.is_user)

    def test_a_second_signature_by_the_gateway_makes_none_of_both(
        self, clock: ManualClock, signer: Signer
    ) -> None:
        """Which of them counts must not depend on who reads."""
        one, two = (signer.sign(USER, "GET", "/orders") for _ in range(2))
        joined = {
            **one,
            **{
                name: f"{one[name]}, {two[name].replace('pyhms=', 'second=')}"
                for name in ("Signature", "Signature-Input")
            },
        }
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused):
            signed.admit(view(joined), ag.is_user)

    def test_a_signature_of_somebody_else_does_no_harm(self, clock: ManualClock, signer: Signer) -> None:
        """A client may sign for the gateway, with a tag of its own."""
        own, others = signer.sign(USER, "GET", "/orders"), replace(signer, tag="client", key=b"x" * 32)
        theirs = others.sign(USER, "GET", "/orders")
        both = {
            **own,
            **{
                name: f"{theirs[name].replace('pyhms=', 'client=')}, {own[name]}"
                for name in ("Signature", "Signature-Input")
            },
        }
        with gate(clock) as signed:
            assert signed.admit(view(both), ag.is_user)

    @pytest.mark.parametrize(
        "inputs",
        [
            "",
            "x",
            "pyhms",
            "pyhms=()",
            "pyhms=1",
            'pyhms=("@method" "@method");tag="authgate"',
            'pyhms=("@query-param";name="a");tag="authgate";keyid="gateway-1"',
            'pyhms=("@status");tag="authgate";keyid="gateway-1";created=1800000000',
            'pyhms=("x-user-id";req);tag="authgate";keyid="gateway-1"',
            'pyhms=("x-user-id");tag="authgate";keyid="gateway-1";created="1800000000"',
            'pyhms=("x-user-id");tag="authgate";keyid="gateway-1";unknown=1',
            'pyhms=("x-user-id");tag="authgate";keyid=gateway-1',
            'pyhms=("x-user-id");tag="authgate";keyid="gateway-1";created=' + "9" * 15,
            'pyhms=("X-User-ID");tag="authgate";keyid="gateway-1"',
        ],
    )
    def test_what_is_no_signature_is_refused(self, clock: ManualClock, inputs: str) -> None:
        """Whatever stands there; and of what stands there nothing is said (Law 1.2)."""
        headers = {**USER, "Signature-Input": inputs, "Signature": "pyhms=:c2VjcmV0:"}
        with gate(clock) as signed, pytest.raises(ag.InvalidToken) as caught:
            signed.admit(view(headers), ag.is_user)

        assert "unknown" not in caught.value.reason
        assert "c2VjcmV0" not in caught.value.reason

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
    @given(
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=80),
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40),
        st.text(max_size=20),
    )
    def test_whatever_arrives_only_authgates_own_exceptions_leave(
        self, clock: ManualClock, inputs: str, signature: str, target: str
    ) -> None:
        """Law 3.11."""
        headers = {**USER, "Signature-Input": f"pyhms=({inputs}", "Signature": f"pyhms=:{signature}"}
        with gate(clock) as signed, pytest.raises(ag.AuthgateError):
            signed.admit(view(headers, target=target), ag.is_user)


class TestReplays:
    def test_a_request_is_admitted_once(self, clock: ManualClock, signer: Signer) -> None:
        """Whoever saw it cannot send it again, for as long as it would be good."""
        headers = signer.sign(USER, "GET", "/orders")
        with gate(clock) as signed:
            signed.admit(view(headers), ag.is_user)
            for seconds in (0.0, 59.0):
                clock.advance(seconds)
                with pytest.raises(GatewaySignatureReplayed):
                    signed.admit(view(headers), ag.is_user)
            clock.advance(1.0)
            with pytest.raises(GatewaySignatureRefused, match="created 60 s ago"):
                signed.admit(view(headers), ag.is_user)

    def test_guards_of_one_request_use_it_once(self, clock: ManualClock, signer: Signer) -> None:
        """And an open socket is asked again without it (Law 5.13)."""
        memo = Memo()
        request = view(signer.sign(USER, "GET", "/orders"), memo=memo)
        with gate(clock) as signed:
            signed.admit(request, ag.is_user)
            signed.admit(request, ag.is_user & ag.any_role("clerk"))
            later = Memo()
            later.succeed(memo)
            clock.advance(300.0)
            assert signed.admit(request.with_memo(later), ag.is_user)

    def test_another_key_has_nonces_of_its_own(self, clock: ManualClock, signer: Signer) -> None:
        """Two gateways may come to the same."""
        same = replace(signer, nonce=lambda: "n1")
        other = replace(same, key=OTHER, keyid="gateway-2")
        with gate(clock) as signed:
            assert signed.admit(view(same.sign(USER, "GET", "/orders")), ag.is_user)
            assert signed.admit(view(other.sign(USER, "GET", "/orders")), ag.is_user)

    @pytest.mark.parametrize("nonce", [None, "", "n" * 257])
    def test_without_a_nonce_it_is_refused(
        self, clock: ManualClock, signer: Signer, nonce: str | None
    ) -> None:
        """It could be replayed."""
        headers = replace(signer, nonce=lambda: nonce).sign(USER, "GET", "/orders")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="nonce"):
            signed.admit(view(headers), ag.is_user)

    def test_a_forgery_uses_no_nonce_up(self, clock: ManualClock, signer: Signer) -> None:
        """Or anyone who guesses a nonce could keep the gateway out."""
        same = replace(signer, nonce=lambda: "n1")
        with gate(clock) as signed:
            with pytest.raises(GatewaySignatureRefused):
                signed.admit(view(replace(same, key=OTHER).sign(USER, "GET", "/orders")), ag.is_user)
            assert signed.admit(view(same.sign(USER, "GET", "/orders")), ag.is_user)

    @pytest.mark.parametrize("seconds", [0.0, 95.0, 1000.0])
    def test_a_body_that_arrives_slowly_brings_no_nonce_back(
        self, clock: ManualClock, signer: Signer, seconds: float
    ) -> None:
        """Whoever replays a request decides how long its body takes: longer than a nonce is remembered."""
        headers = signer.sign(USER, "POST", "/orders", b"x")

        def slow() -> bytes:
            clock.advance(seconds)
            return b"x"

        with gate(clock) as signed:
            signed.admit(view(headers, "POST", body=b"x"), ag.is_user)
            clock.advance(1.0)
            with pytest.raises(GatewaySignatureReplayed):
                signed.admit(ag.RequestView("POST", "/orders", headers, body=slow), ag.is_user)

    def test_a_store_that_does_not_answer_is_an_outage(self, clock: ManualClock, signer: Signer) -> None:
        """Neither a yes nor a no (Law 1.5)."""

        class Down:
            def use(self, name: bytes, ttl: float) -> bool:
                raise ReplaysUnavailable("down")

        with gate(clock, replays=Down()) as signed, pytest.raises(ag.AuthUnavailable) as caught:
            signed.admit(view(signer.sign(USER, "GET", "/orders")), ag.is_user)

        assert "gateway" == caught.value.issuer

    def test_a_store_of_one_process_is_said_aloud(self, clock: ManualClock) -> None:
        """At the start, for there may be more workers."""
        notices: list[Any] = []
        config = ag.GateConfig(gateway=Gateway.signed(KEYS, origin=ORIGIN), on_event=notices.append)
        with ag.Gate(config, clock=clock):
            assert ["replays_in_memory"] == [notice.code for notice in notices]


class TestBodies:
    def test_the_body_that_was_signed_is_accepted(self, clock: ManualClock, signer: Signer) -> None:
        """By its digest."""
        headers = signer.sign(USER, "POST", "/orders", b'{"price": 1}')
        with gate(clock) as signed:
            assert signed.admit(view(headers, "POST", body=b'{"price": 1}'), ag.is_user)

    @pytest.mark.parametrize("body", [b'{"price": 2}', b"", b'{"price": 1}\n'])
    def test_another_body_is_refused(self, clock: ManualClock, signer: Signer, body: bytes) -> None:
        """Also none."""
        headers = signer.sign(USER, "POST", "/orders", b'{"price": 1}')
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="whose digest"):
            signed.admit(view(headers, "POST", body=body), ag.is_user)

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_a_body_that_was_not_signed_is_refused(
        self, clock: ManualClock, signer: Signer, method: str
    ) -> None:
        """Whatever the method, and whatever headers say of one."""
        headers = signer.sign(USER, method, "/orders")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="covers no content-digest"):
            signed.admit(view(headers, method, body=b"x"), ag.is_user)

    def test_a_digest_that_nobody_signed_counts_for_nothing(self, clock: ManualClock, signer: Signer) -> None:
        """Whoever changes the body can change it too."""
        headers = replace(signer, lacks=["content-digest"]).sign(USER, "POST", "/orders", b"x")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="covers no content-digest"):
            signed.admit(view(headers, "POST", body=b"x"), ag.is_user)

    def test_a_body_that_the_gate_cannot_see_is_refused(self, clock: ManualClock, signer: Signer) -> None:
        """What cannot be checked is not believed."""
        headers = signer.sign(USER, "GET", "/orders")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="nobody gives"):
            signed.admit(ag.RequestView("GET", "/orders", headers), ag.is_user)

    def test_it_is_read_after_the_signature(self, clock: ManualClock, signer: Signer) -> None:
        """A stranger has nothing read into memory."""

        def read() -> bytes:
            raise AssertionError("read for a stranger")

        headers = replace(signer, key=OTHER).sign(USER, "POST", "/orders", b"x")
        with gate(clock) as signed, pytest.raises(GatewaySignatureRefused, match="no one signature"):
            signed.admit(ag.RequestView("POST", "/orders", headers, body=read), ag.is_user)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"keys": {}}, "keys: give"),
            ({"keys": "key"}, "keys: give"),
            ({"keys": {"": ag.Secret(KEY)}}, "is no keyid"),
            ({"keys": {"é": ag.Secret(KEY)}}, "is no keyid"),
            ({"keys": {"a": ag.Secret("short")}}, "'a' is a secret of 5 bytes"),
            ({"keys": {"a": 7}}, "neither a Secret nor"),
            ({"keys": {"a": "secret-text-that-is-no-pem-of-any-kind"}}, "not a public key in PEM"),
            ({"origin": "https://api.example.com/"}, "is no origin"),
            ({"origin": "api.example.com"}, "is no origin"),
            ({"origin": "https://user@api.example.com"}, "is no origin"),
            ({"origin": "https://api.example.com?x"}, "is no origin"),
            ({"origin": "https://[::1"}, "is no origin"),
            ({"origin": 7}, "is no origin"),
            ({"tag": ""}, "tag: write"),
            ({"tag": "é"}, "tag: write"),
            ({"max_age": 0}, "max_age: 0"),
            ({"max_age": 301}, "max_age: 301"),
            ({"max_age": True}, "max_age: True"),
        ],
    )
    def test_what_is_wrong_is_said_when_the_gate_is_built(self, options: Any, says: str) -> None:
        """By the name of the setting, and without a key (Laws 1.6, 2.5)."""
        given_options = {"keys": KEYS, "origin": ORIGIN, **options}
        with pytest.raises(ag.ConfigurationError) as caught:
            ag.Gate(ag.GateConfig(gateway=Gateway.signed(**given_options)))

        assert says in str(caught.value)
        assert "secret-text" not in str(caught.value)

    def test_the_library_is_asked_for_by_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the line that installs it."""
        import importlib.util

        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

        problems = list(Gateway.signed(KEYS, origin=ORIGIN).problems())

        assert "authgate-core[gateway]" in "\n".join(problems)

    def test_no_key_is_shown(self) -> None:
        """Law 2.5."""
        assert "thirty-two" not in repr(Gateway.signed(KEYS, origin=ORIGIN))


def test_the_clock_of_this_machine_is_not_asked(clock: ManualClock, signer: Signer) -> None:
    """Time is passed in: the test's is years from the machine's."""
    assert abs(clock.now().wall - datetime.now(UTC).timestamp()) > 3600
    with gate(clock) as signed:
        assert signed.admit(view(signer.sign(USER, "GET", "/orders")), ag.is_user)
