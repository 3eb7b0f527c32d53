"""Law 3.15: a token that is bound to a key is good only with that key, and only where its issuer is known to bind."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.gate.watching import Grant, Watch
from authgate_core.io.replays import MemoryReplayStore
from authgate_core.request import Memo
from authgate_core.servers import wsgi_view
from authgate_core.testing import FakeIssuer, ManualClock, ProofKey
from authgate_core.testing.shapes import encode_segment
from tests.support.gates import Face, bearer, face, trusted

BASE = "https://api.example.com"
URL = f"{BASE}/orders"
DPOP = ag.DPoP(BASE)
SECRET = ag.Secret("n" * 32)
CERTIFICATE = b"the bytes of a certificate"
CERTIFIED = {"x5t#S256": encode_segment(hashlib.sha256(CERTIFICATE).digest())}


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="fake")
def _fake(clock: ManualClock) -> FakeIssuer:
    return FakeIssuer(url="https://id.test", clock=clock)


@pytest.fixture(name="key")
def _key(clock: ManualClock) -> ProofKey:
    return ProofKey(clock=clock)


@pytest.fixture(name="token")
def _token(fake: FakeIssuer, key: ProofKey) -> str:
    """A token that is bound to the key of a client."""
    return fake.token("u1", cnf=key.confirmation)


@pytest.fixture(name="make", params=["sync", "async"])
def _make(
    fake: FakeIssuer, clock: ManualClock, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(*confirmation: str, required: bool = False, dpop: ag.DPoP | None = DPOP, **options: Any) -> Face:
        ways = confirmation or ("dpop",)
        issuer = trusted(fake, confirmation=ways, require_confirmation=required)
        options["dpop"] = dpop if "dpop" in ways else None
        made.append(face(str(request.param), ag.GateConfig(issuers=[issuer], **options), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def asks(
    headers: dict[str, str], method: str = "GET", url: str = "/orders?x=1", **more: Any
) -> ag.RequestView:
    """A request with these headers."""
    return ag.RequestView(method, url, headers, **more)


def refused(gate: Face, headers: dict[str, str], **more: Any) -> ag.AuthgateError:
    """How a request is refused."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(asks(headers, **more), ag.is_user)
    return caught.value


def challenge(gate: Face, error: ag.AuthgateError) -> str:
    """What the caller is told, less the list of algorithms."""
    text = dict(gate.gate.problem(error).headers)["WWW-Authenticate"]
    return text.replace(' algs="ES256 ES384 ES512 EdDSA PS256 PS384 PS512 RS256 RS384 RS512"', " algs=...")


class TestProofs:
    def test_whoever_holds_the_key_is_admitted(
        self, make: Callable[..., Face], key: ProofKey, token: str
    ) -> None:
        """RFC 9449 section 7.1."""
        gate = make()
        for _ in range(2):
            assert "u1" == gate.admit(asks(key.headers("GET", URL, token)), ag.is_user).user.id

    def test_a_token_that_is_bound_to_nothing_stays_a_bearer_token(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Unless ``require_confirmation=True`` is written, an issuer may do both."""
        headers = dict([bearer(fake.token("u1"))])
        assert make().admit(asks(headers), ag.is_user)
        assert "cnf: is missing" == refused(make(required=True), headers).reason

    def test_the_token_alone_is_not_enough(self, make: Callable[..., Face], token: str) -> None:
        """RFC 9449 section 7.2: or whoever stole it would present it like any other."""
        gate = make()
        error = refused(gate, dict([bearer(token)]))
        assert ("token_claim", "id", "Bearer") == (error.code, error.issuer, error.scheme)
        assert 'Bearer realm="api", error="invalid_token", DPoP realm="api", algs=...' == challenge(
            gate, error
        )

    def test_nor_is_the_scheme(self, make: Callable[..., Face], token: str) -> None:
        """RFC 9449 section 7.1: a proof goes with each request."""
        gate = make()
        error = refused(gate, {"authorization": f"DPoP {token}"})
        assert ("proof_invalid", "no proof goes with the token") == (error.code, error.reason)
        assert 'Bearer realm="api", DPoP realm="api", error="invalid_dpop_proof", algs=...' == challenge(
            gate, error
        )

    def test_a_proof_for_a_token_that_is_bound_to_nothing(
        self, make: Callable[..., Face], fake: FakeIssuer, key: ProofKey
    ) -> None:
        """It was presented as what it is not, remembered or not."""
        gate, plain = make(), fake.token("u1")
        gate.admit(asks(dict([bearer(plain)])), ag.is_user)
        error = refused(gate, key.headers("GET", URL, plain))
        assert "cnf: is missing, and the token was presented with a proof" == error.reason
        assert 'Bearer realm="api", DPoP realm="api", error="invalid_token", algs=...' == challenge(
            gate, error
        )

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"htm": "POST"}, "another method"),
            ({"htm": "get"}, "another method"),
            ({"htu": f"{BASE}/carts"}, "another URL"),
            ({"htu": "https://evil.example.com/orders"}, "another URL"),
            ({"htu": "http://api.example.com/orders"}, "another URL"),
            ({"htu": "/orders"}, "another URL"),
            ({"ath": "x" * 43}, "another token"),
            ({"jti": ""}, "no jti"),
        ],
    )
    def test_a_proof_for_something_else(
        self, make: Callable[..., Face], key: ProofKey, token: str, wrong: dict[str, Any], said: str
    ) -> None:
        """RFC 9449 section 4.3: it is for this method, this URL and this token."""
        error = refused(
            make(), {"authorization": f"DPoP {token}", "dpop": key.proof("GET", URL, token, **wrong)}
        )
        assert ("proof_invalid", "id") == (error.code, error.issuer)
        assert said in error.reason

    @pytest.mark.parametrize("htu", [f"{URL}?x=2#y", "HTTPS://API.example.com:443/%6frders"])
    def test_a_url_may_be_written_in_other_ways(
        self, make: Callable[..., Face], key: ProofKey, token: str, htu: str
    ) -> None:
        """RFC 9449 section 4.3: query and fragment do not count, nor do escapes that need not be."""
        headers = {"authorization": f"DPoP {token}", "dpop": key.proof("GET", URL, token, htu=htu)}
        assert make().admit(asks(headers), ag.is_user)

    @pytest.mark.parametrize(
        "path", ["/users/a%40b.c", "/a%2Cb", "/a%2Fb", "/%7Ea", "/%e9", "/100%25", "//a"]
    )
    def test_a_path_that_wsgi_decodes(
        self, make: Callable[..., Face], key: ProofKey, token: str, path: str
    ) -> None:
        """Clients escape more than they must, and a WSGI application cannot see whether they did."""
        sent = {
            "HTTP_" + name.upper(): value for name, value in key.headers("GET", BASE + path, token).items()
        }
        line = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": unquote(path, "latin-1")}
        assert make().admit(wsgi_view({**line, **sent}), ag.is_user)
        line["RAW_URI"] = path
        sent["HTTP_DPOP"] = key.proof("GET", BASE + path, token)
        assert make().admit(wsgi_view({**line, **sent}), ag.is_user)

    @pytest.mark.parametrize(
        "line", [".evil.example/orders", ":8443/orders", "@evil.example/", "/orders#x", ""]
    )
    def test_a_request_line_that_is_no_path(
        self, make: Callable[..., Face], key: ProofKey, token: str, line: str
    ) -> None:
        """It would name another host behind the configured one, or hide a part of the path."""
        gate = make()
        for htu in (BASE + line, URL, BASE):
            assert "another URL" in refused(gate, key.headers("GET", htu, token), url=line).reason

    def test_a_prefix_that_a_proxy_takes_away(
        self, make: Callable[..., Face], key: ProofKey, token: str
    ) -> None:
        """The URL is what clients see; a request's own word about its host does not count."""
        gate = make(dpop=ag.DPoP(f"{BASE}/v1/"))
        headers = key.headers("GET", f"{BASE}/v1/orders", token)
        assert gate.admit(asks(headers), ag.is_user)
        assert (
            "another URL"
            in refused(gate, {**key.headers("GET", URL, token), "host": "api.example.com"}).reason
        )

    def test_the_proof_of_another_key(
        self, make: Callable[..., Face], token: str, clock: ManualClock
    ) -> None:
        """RFC 9449 section 4.3, 12: the token says whose it must be."""
        error = refused(make(), ProofKey(clock=clock).headers("GET", URL, token))
        assert "the proof was made with another key than the token is bound to" == error.reason

    @pytest.mark.parametrize(("seconds", "good"), [(-60, True), (60, True), (-61, False), (61, False)])
    def test_a_proof_of_another_time(
        self,
        make: Callable[..., Face],
        key: ProofKey,
        token: str,
        clock: ManualClock,
        seconds: int,
        good: bool,
    ) -> None:
        """RFC 9449 section 11.1: made now, as clocks go."""
        headers = key.headers("GET", URL, token)
        gate, moved = make(), asks(headers)
        made = clock.now().wall + seconds
        moved = asks({**headers, "DPoP": key.proof("GET", URL, token, iat=made)})
        if good:
            assert gate.admit(moved, ag.is_user)
        else:
            assert "check the clocks" in refused(gate, dict(moved.headers)).reason

    def test_a_proof_is_used_once(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """RFC 9449 section 11.1: whoever saw it cannot use it again."""
        gate, headers = make(), key.headers("GET", URL, token)
        gate.admit(asks(headers), ag.is_user)
        assert "the proof was used before" == refused(gate, headers).reason

    def test_it_is_remembered_for_as_long_as_it_could_be_used(
        self, make: Callable[..., Face], key: ProofKey, token: str, clock: ManualClock
    ) -> None:
        """One from ahead of this machine's clock is good for twice the window."""
        gate = make()
        proof = key.proof("GET", URL, token, iat=clock.now().wall + 60)
        headers = {"authorization": f"DPoP {token}", "dpop": proof}
        gate.admit(asks(headers), ag.is_user)
        clock.advance(119.9)
        assert "the proof was used before" == refused(gate, headers).reason

    def test_a_request_that_had_to_wait_finds_it_used(
        self, fake: FakeIssuer, key: ProofKey, token: str, clock: ManualClock
    ) -> None:
        """It came while the proof was good, which is judged by that moment, and waited for keys past the end."""

        class Late(MemoryReplayStore):
            waits = 0.0

            def use(self, name: bytes, ttl: float) -> bool:
                clock.advance(self.waits)
                return super().use(name, ttl)

        store = Late(clock=clock)
        config = ag.GateConfig(issuers=[trusted(fake, confirmation="dpop")], dpop=DPOP, replays=store)
        with ag.Gate(config, clock=clock) as gate:
            headers = key.headers("GET", URL, token)
            gate.admit(asks(headers), ag.is_user)
            clock.advance(60.0)
            store.waits = 10.0
            with pytest.raises(ag.AuthgateError) as caught:
                gate.admit(asks(headers), ag.is_user)

        assert "the proof was used before" == caught.value.reason

    def test_another_key_may_use_the_same_name(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """No client can use up the proofs of another."""
        gate = make()
        for key in (ProofKey(clock=clock), ProofKey(clock=clock)):
            token = fake.token("u1", cnf=key.confirmation)
            proof = key.proof("GET", URL, token, jti="1")
            assert gate.admit(asks({"authorization": f"DPoP {token}", "dpop": proof}), ag.is_user)

    def test_a_token_that_is_refused_uses_nothing_up(
        self, make: Callable[..., Face], fake: FakeIssuer, key: ProofKey, token: str
    ) -> None:
        """Whoever has no token cannot fill the memory of proofs."""
        gate = make(replays=ag.MemoryReplays(limit=1))
        forged = fake.hostile.forged(cnf=key.confirmation)
        for _ in range(3):
            assert "token_signature" == refused(gate, key.headers("GET", URL, forged)).code
        assert gate.admit(asks(key.headers("GET", URL, token)), ag.is_user)

    def test_a_proof_that_cannot_be_remembered_is_an_outage(
        self, make: Callable[..., Face], key: ProofKey, token: str
    ) -> None:
        """Law 1.5: nobody can say whether it was used before."""
        gate = make(replays=ag.MemoryReplays(limit=1))
        gate.admit(asks(key.headers("GET", URL, token)), ag.is_user)
        error = refused(gate, key.headers("GET", URL, token))
        assert (503, "replays_unavailable", "DPoP") == (error.status, error.code, error.scheme)

    def test_two_tokens_in_a_handshake(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """Law 2.2: malformed."""
        offered = (f"authgate.bearer.{token}",)
        error = refused(make(), key.headers("GET", URL, token), subprotocols=offered)
        assert (400, "DPoP") == (error.status, error.scheme)

    def test_policies_are_judged_as_ever(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """A 403 or a step-up challenge is of the scheme that was used (RFC 9449 section 7.1)."""
        gate = make()
        for policy, said in (
            (ag.all_scopes("a"), 'error="insufficient_scope", scope="a"'),
            (ag.is_user & ag.fresh_within(5), 'error="insufficient_user_authentication", max_age="5"'),
        ):
            with pytest.raises(ag.AuthgateError) as caught:
                gate.admit(asks(key.headers("GET", URL, token)), policy)
            assert f'DPoP realm="api", {said}, algs=...' in challenge(gate, caught.value)

    def test_shadows_admit_nobody_for_a_proof(self, make: Callable[..., Face], token: str) -> None:
        """Law 8.6: the request goes on, with the refusal and without the user."""
        admission = make(shadow=True).admit(asks(dict([bearer(token)])), ag.is_user)
        assert (None, "token_claim") == (admission.get(ag.User), getattr(admission.refusal, "code", None))


class TestOneRequest:
    """Law 2.6: a request is authenticated once, and what it has shown holds for all of it."""

    def test_several_guards(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """Each with the same memo, or with one that goes on from it."""
        gate, first, later = make(), Memo(), Memo()
        request = asks(key.headers("GET", URL, token), memo=first)
        later.succeed(first)
        for memo in (first, first, later):
            assert gate.admit(request.with_memo(memo), ag.is_user).user.id

    @pytest.mark.parametrize("more", [{"method": "POST"}, {"url": "/carts"}])
    def test_another_request(
        self, make: Callable[..., Face], key: ProofKey, token: str, more: dict[str, str]
    ) -> None:
        """What an application makes of a request must be proven anew."""
        gate, memo, headers = make(), Memo(), key.headers("GET", URL, token)
        gate.admit(asks(headers, memo=memo), ag.is_user)
        later = Memo()
        later.succeed(memo)
        assert refused(gate, headers, memo=later, **more).code == "proof_invalid"

    def test_another_proof(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """The proof that was shown counts, and no other."""
        gate, memo = make(), Memo()
        gate.admit(asks(key.headers("GET", URL, token), memo=memo), ag.is_user)
        stranger = ProofKey().headers("GET", URL, token)
        assert refused(gate, stranger, memo=memo).code == "proof_invalid"

    def test_another_gate(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """It asks for itself, and remembers for itself."""
        memo, headers = Memo(), key.headers("GET", URL, token)
        make().admit(asks(headers, memo=memo), ag.is_user)
        assert (
            "another URL" in refused(make(dpop=ag.DPoP("https://other.example")), headers, memo=memo).reason
        )

    def test_a_socket_that_stays_open(self, fake: FakeIssuer, key: ProofKey, clock: ManualClock) -> None:
        """Law 5.13: it is asked about again by the token, long after the proof has grown old."""
        issuer = trusted(fake, confirmation="dpop")
        gate = ag.AsyncGate(ag.GateConfig(issuers=[issuer], dpop=DPOP), clock=clock)
        token = fake.token("u1", cnf=key.confirmation, expires_in=300)
        request = asks(key.headers("GET", URL, token), memo=Memo())
        asyncio.run(gate.admit(request, ag.is_user))
        watch = Watch(lambda: [Grant(gate, ag.is_user, optional=False, view=request, lasts=True)])
        clock.advance(299)
        assert asyncio.run(watch.look()) is None
        clock.advance(60)
        closing = asyncio.run(watch.look())
        assert closing is not None
        assert "token_expired" == closing.reason


class TestNonces:
    @pytest.fixture(name="gate")
    def _gate(self, make: Callable[..., Face]) -> Face:
        """A gate that asks for nonces."""
        return make(dpop=ag.DPoP(BASE, nonce_secret=SECRET))

    def given(self, gate: Face, headers: dict[str, str]) -> str:
        """The nonce that a refusal asks for."""
        error = refused(gate, headers)
        assert "proof_nonce_required" == error.code
        assert 'DPoP realm="api", error="use_dpop_nonce", algs=...' in challenge(gate, error)
        return dict(gate.gate.problem(error).headers)["DPoP-Nonce"]

    def test_are_given_and_asked_for(self, gate: Face, key: ProofKey, token: str) -> None:
        """RFC 9449 section 9: with a 401 that says so, and good for requests that follow."""
        nonce = self.given(gate, key.headers("GET", URL, token))
        for _ in range(2):
            assert gate.admit(asks(key.headers("GET", URL, token, nonce=nonce)), ag.is_user)

    def test_of_nobody_are_not_taken(self, gate: Face, key: ProofKey, token: str) -> None:
        """One that this service did not give is none."""
        self.given(gate, key.headers("GET", URL, token, nonce="n" * 32))

    def test_grow_old(
        self, gate: Face, key: ProofKey, token: str, clock: ManualClock, fake: FakeIssuer
    ) -> None:
        """After five minutes there is another."""
        nonce = self.given(gate, key.headers("GET", URL, token))
        clock.advance(302)
        token = fake.token("u1", cnf=key.confirmation)
        assert nonce != self.given(gate, key.headers("GET", URL, token, nonce=nonce))

    def test_a_proof_that_lacks_one_is_not_used_up(self, gate: Face, key: ProofKey, token: str) -> None:
        """A client may show the same proof to whoever asks for no nonce."""
        headers = key.headers("GET", URL, token)
        assert self.given(gate, headers) == self.given(gate, headers)

    def test_without_a_secret_none_is_asked_for(
        self, make: Callable[..., Face], key: ProofKey, token: str
    ) -> None:
        """What a proof holds then is its maker's business."""
        assert make().admit(asks(key.headers("GET", URL, token, nonce="x")), ag.is_user)


class TestCertificates:
    @pytest.fixture(name="bound")
    def _bound(self, fake: FakeIssuer) -> dict[str, str]:
        """What presents a token that is bound to a certificate."""
        return dict([bearer(fake.token("u1", cnf=CERTIFIED))])

    def test_whoever_shows_the_certificate_is_admitted(
        self, make: Callable[..., Face], bound: dict[str, str]
    ) -> None:
        """RFC 8705 section 3: on the connection that the TLS layer made with it."""
        assert make("mtls").admit(asks(bound, certificate=CERTIFICATE), ag.is_user)

    @pytest.mark.parametrize("certificate", [None, b"", b"another"])
    def test_nobody_else_is(
        self, make: Callable[..., Face], bound: dict[str, str], certificate: bytes | None
    ) -> None:
        """Not even after the right one was."""
        gate = make("mtls")
        gate.admit(asks(bound, certificate=CERTIFICATE), ag.is_user)
        error = refused(gate, bound, certificate=certificate)
        assert ("cnf: binds the token to another client certificate", "id") == (error.reason, error.issuer)

    def test_headers_say_nothing(self, make: Callable[..., Face], bound: dict[str, str]) -> None:
        """Law 2.7: what a request says of a certificate is nobody's word."""
        pem = encode_segment(CERTIFICATE)
        error = refused(make("mtls"), {**bound, "client-cert": f":{pem}:", "ssl-client-cert": pem})
        assert error.reason.endswith("another client certificate")

    def test_both_keys_are_asked_for(
        self, make: Callable[..., Face], fake: FakeIssuer, key: ProofKey
    ) -> None:
        """A token may be bound twice, and then both must be shown."""
        gate, token = make("dpop", "mtls"), fake.token("u1", cnf={**key.confirmation, **CERTIFIED})
        assert refused(gate, key.headers("GET", URL, token)).reason.endswith("client certificate")
        assert refused(gate, dict([bearer(token)]), certificate=CERTIFICATE).reason.endswith(
            "no proof goes with it"
        )
        assert gate.admit(asks(key.headers("GET", URL, token), certificate=CERTIFICATE), ag.is_user)


class TestConfigured:
    @pytest.mark.parametrize(
        ("confirmation", "cnf"),
        [
            ("mtls", {"jkt": "x" * 43}),
            ("dpop", CERTIFIED),
            ("dpop", {"jkt": "x" * 43, **CERTIFIED}),
            ("dpop", {"jkt": "x" * 43, "kid": "k1"}),
            ("dpop", {"jwk": {}}),
            ("dpop", {}),
            ("dpop", None),
            ("dpop", "x" * 43),
            ("dpop", ["jkt"]),
            ("dpop", {"jkt": "x" * 42}),
            ("dpop", {"jkt": "x" * 42 + "="}),
            ("dpop", {"jkt": 7}),
        ],
    )
    def test_what_nobody_checks_is_refused(
        self, make: Callable[..., Face], fake: FakeIssuer, confirmation: str, cnf: object
    ) -> None:
        """Each member of ``cnf`` is one that is checked, in its one form."""
        token = fake.token("u1", cnf=cnf)
        error = refused(make(confirmation), dict([bearer(token)]), certificate=CERTIFICATE)
        assert "token_claim" == error.code
        assert error.reason.startswith("cnf: ")

    def test_the_scheme_is_not_ours_elsewhere(self, fake: FakeIssuer, key: ProofKey, token: str) -> None:
        """Law 2.1: where no issuer binds tokens to keys, nothing was presented; and a bound one is refused."""
        with ag.Gate(ag.GateConfig(issuers=[trusted(fake)])) as gate:
            with pytest.raises(ag.MissingCredentials):
                gate.admit(asks(key.headers("GET", URL, token)), ag.is_user)
            with pytest.raises(ag.InvalidToken, match="not checked here"):
                gate.admit(asks(dict([bearer(token)])), ag.is_user)

    def test_without_a_request_possession_cannot_be_shown(
        self, make: Callable[..., Face], token: str
    ) -> None:
        """``verify_token`` has the token alone."""
        gate = make()
        for policy in (None, ag.is_user):
            with pytest.raises(ag.InvalidToken, match="only a request can show"):
                gate.verify_token(token, policy)

    def test_a_bound_token_can_be_revoked(
        self, make: Callable[..., Face], fake: FakeIssuer, key: ProofKey
    ) -> None:
        """By whoever runs the service, who holds no client's key."""
        gate, token = make(revocation=ag.MemoryRevocation()), fake.token("u1", cnf=key.confirmation)
        gate.admit(asks(key.headers("GET", URL, token)), ag.is_user)
        gate.revoke("revoke_token", token)
        assert "token_revoked" == refused(gate, key.headers("GET", URL, token)).code

    def test_only_proofs(self, make: Callable[..., Face]) -> None:
        """Law 1.1: a challenge names the schemes that are accepted, and no others."""
        gate = make(required=True)
        assert 'DPoP realm="api", algs=...' == challenge(gate, refused(gate, {}))

    def test_proofs_or_not(self, make: Callable[..., Face]) -> None:
        """Both, where a token may be bound or not."""
        gate = make()
        assert 'Bearer realm="api", DPoP realm="api", algs=...' == challenge(gate, refused(gate, {}))

    def test_certificates_change_no_scheme(self, make: Callable[..., Face]) -> None:
        """RFC 8705: the token is a Bearer token still."""
        gate = make("mtls", required=True)
        assert 'Bearer realm="api"' == challenge(gate, refused(gate, {}))

    def test_responses_name_the_header(self, make: Callable[..., Face]) -> None:
        """Law 1.7: what was admitted depends on the proof."""
        assert ("Authorization", "DPoP") == make().gate.headers_read(ag.is_user)
        assert ("Authorization",) == make("mtls").gate.headers_read(ag.is_user)

    def test_clients_are_told(self, make: Callable[..., Face]) -> None:
        """RFC 9728 section 2: which keys tokens are bound to here, and whether they must be."""

        def told(gate: Face) -> dict[str, Any]:
            metadata = gate.gate.resource_metadata
            assert metadata is not None
            said: dict[str, Any] = json.loads(metadata.body)
            return {name: value for name, value in said.items() if "dpop" in name or "tls" in name}

        algorithms = [
            "ES256",
            "ES384",
            "ES512",
            "EdDSA",
            "PS256",
            "PS384",
            "PS512",
            "RS256",
            "RS384",
            "RS512",
        ]
        proofs = {"dpop_signing_alg_values_supported": algorithms, "dpop_bound_access_tokens_required": True}
        certificates = {"tls_client_certificate_bound_access_tokens": True}
        assert proofs == told(make(required=True, resource=BASE))
        assert {**proofs, **certificates, "dpop_bound_access_tokens_required": False} == told(
            make("dpop", "mtls", required=True, resource=BASE)
        )
        assert certificates == told(make("mtls", resource=BASE))

    def test_a_refusal_is_one_event(self, make: Callable[..., Face], token: str) -> None:
        """Law 10.1: of the kind of credential that tokens are, whatever the scheme."""
        events: list[Decided | Notice] = []
        gate = make(on_event=events.append)
        refused(gate, {"authorization": f"DPoP {token}"})
        event = events[-1]
        assert isinstance(event, Decided)
        assert ("bearer", "id", "proof_invalid") == (event.kind, event.issuer, event.code)

    def test_memory_of_one_process_is_said_to_be_that(self, make: Callable[..., Face]) -> None:
        """Law 5.6, of proofs: another worker would take each once more."""
        events: list[Decided | Notice] = []
        make(on_event=events.append)
        make("mtls", on_event=events.append)
        assert ["replays_in_memory"] == [event.code for event in events]


class TestPresenting:
    @pytest.mark.parametrize(
        "headers",
        [
            (("authorization", "DPoP"), ("dpop", "a.b.c")),
            (("authorization", "DPoP "), ("dpop", "a.b.c")),
            (("authorization", "DPoP a.b.c, DPoP d.e.f"), ("dpop", "a.b.c")),
            (("authorization", "DPoP a.b.c"), ("dpop", "a.b.c"), ("dpop", "a.b.c")),
            (("authorization", "DPoP a.b.c"), ("dpop", "a.b.c, a.b.c")),
            (("authorization", "DPoP a.b.c"), ("dpop", "")),
            (("authorization", "DPoP a.b.c"), ("dpop", "\u00e9")),
            (("authorization", "DPoP a.b.c"), ("authorization", "Bearer a.b.c"), ("dpop", "a.b.c")),
            (("authorization", "DPoP a.b.c"), ("dpop", "x" * 16385)),
        ],
    )
    def test_what_can_be_read_in_more_than_one_way(
        self, make: Callable[..., Face], headers: tuple[tuple[str, str], ...]
    ) -> None:
        """Law 2.2, RFC 9449 section 4.3, 1: one token and one proof, each once."""
        with pytest.raises(ag.MalformedCredentials):
            make().admit(ag.RequestView("GET", "/orders", headers), ag.is_user)

    def test_the_scheme_in_other_letters(self, make: Callable[..., Face], key: ProofKey, token: str) -> None:
        """RFC 9110 section 11.1."""
        headers = {**key.headers("GET", URL, token), "Authorization": f"dpop {token}"}
        assert make().admit(asks(headers), ag.is_user)

    def test_a_proof_beside_a_bearer_token_is_left_alone(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Law 2.3: who presents a Bearer token presents no proof."""
        headers = {**dict([bearer(fake.token("u1"))]), "dpop": "x"}
        assert make().admit(asks(headers), ag.is_user)
