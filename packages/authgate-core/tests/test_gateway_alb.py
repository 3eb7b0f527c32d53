"""Behind an AWS load balancer: padded tokens, a key for each name, and a header that says who signed for whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.gateways import Gateway
from authgate_core.keyring.tenants import NEW_SETS
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from tests.support.balancers import ARN, CLIENT, ISSUER, FakeBalancer

HEADER = "X-Amzn-Oidc-Data"
OTHER = ARN.replace("edge", "theirs")


@pytest.fixture
def clock() -> ManualClock:
    """Time that the test moves."""
    return ManualClock()


@pytest.fixture
def balancer(clock: ManualClock) -> Iterator[FakeBalancer]:
    """A load balancer whose keys are published over real HTTP."""
    with FakeBalancer(clock) as served:
        yield served


@pytest.fixture
def gate(balancer: FakeBalancer, clock: ManualClock) -> Iterator[ag.Gate]:
    """A gate behind it."""
    gateway = Gateway.alb(ARN, issuer=ISSUER, client_id=CLIENT, keys_url=balancer.keys_url)
    with ag.Gate(ag.GateConfig(gateway=gateway), clock=clock) as gate:
        yield gate


def user(gate: ag.Gate, token: str) -> ag.User:
    """Whom the gate admits."""
    return gate.admit(ag.RequestView("GET", "/orders", {HEADER: token}), ag.is_user).user


class TestAdmitted:
    @pytest.mark.parametrize("padded", [True, False])
    def test_whom_it_signed_in(self, gate: ag.Gate, balancer: FakeBalancer, padded: bool) -> None:
        """With the padding of base64 or without (Law 3.1), at first and from memory."""
        token = balancer.token(padded=padded)
        assert ("=" in token) is padded
        for _ in range(3):
            found = user(gate, token)
            assert ("u1", "alb", "ann@example.com") == (found.id, found.issuer, found.email)
        assert {f"/keys/{balancer.kid}": 1} == balancer.hits

    @pytest.mark.parametrize("claims", [{"iss": ABSENT}, {"exp": ABSENT}])
    def test_what_only_the_header_says(
        self, gate: ag.Gate, balancer: FakeBalancer, claims: dict[str, Any]
    ) -> None:
        """Who gave the user's claims, and until when they hold: it is under the signature as well."""
        assert "u1" == user(gate, balancer.token(**claims)).id

    def test_with_a_new_key(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """Each is fetched once, under its own name, and those before it go on."""
        before = balancer.token()
        assert user(gate, before)
        balancer.rotate()
        assert user(gate, balancer.token(sub="u2"))
        assert user(gate, before)
        assert 2 == balancer.hits.total()

    def test_while_the_keys_cannot_be_had(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """A key that is here answers (Law 4.4); for another nobody can say who signed (Law 1.5)."""
        assert user(gate, balancer.token())
        balancer.outage()
        assert user(gate, balancer.token(sub="u2"))
        balancer.rotate()
        with pytest.raises(ag.KeysUnavailable):
            user(gate, balancer.token())


class TestRefused:
    @pytest.mark.parametrize(
        "header",
        [
            {"signer": OTHER},
            {"signer": ARN.upper()},
            {"signer": ARN + "0"},
            {"signer": [ARN]},
            {"signer": ABSENT},
            {"client": "another"},
            {"client": [CLIENT]},
            {"client": ABSENT},
            {"exp": ABSENT},
            {"exp": "4000000000"},
            {"exp": True},
            {"exp": 1},
            {"iss": "https://evil.example"},
            {"alg": "RS256"},
            {"alg": "HS256"},
            {"alg": "none"},
            {"typ": "dpop+jwt"},
        ],
    )
    def test_by_its_header(self, gate: ag.Gate, balancer: FakeBalancer, header: dict[str, Any]) -> None:
        """Another load balancer of the region, whose keys are the same; another client; no time; another algorithm."""
        with pytest.raises(ag.InvalidToken):
            user(gate, balancer.token(header=header))

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://evil.example"},
            {"exp": 1},
            {"exp": "4000000000"},
            {"exp": None},
            {"sub": ABSENT},
            {"token_use": "id"},
            {"nbf": 4_000_000_000},
        ],
    )
    def test_by_its_claims(self, gate: ag.Gate, balancer: FakeBalancer, claims: dict[str, Any]) -> None:
        """As any token (Laws 3.5 to 3.9)."""
        with pytest.raises(ag.InvalidToken):
            user(gate, balancer.token(**claims))

    def test_by_its_signature(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """A stranger names a key that it has not."""
        with pytest.raises(ag.BadSignature):
            user(gate, balancer.token(stranger=True))

    def test_after_its_time(self, gate: ag.Gate, balancer: FakeBalancer, clock: ManualClock) -> None:
        """Of header and payload, the earlier counts, from memory too (Law 7.2)."""
        now = int(clock.now().wall)
        tokens = [balancer.token(header={"exp": now + 60}), balancer.token(exp=now + 60)]
        for token in tokens:
            assert user(gate, token)
        clock.advance(91.0)
        for token in tokens:
            with pytest.raises(ag.TokenExpired):
                user(gate, token)

    @pytest.mark.parametrize("changed", ["{}=", "{}==", "={}", "{}.", "{} ="])
    def test_another_padding(self, gate: ag.Gate, balancer: FakeBalancer, changed: str) -> None:
        """There is one, or none (Law 3.1)."""
        with pytest.raises(ag.AuthenticationError):
            user(gate, changed.format(balancer.token(padded=True)))

    def test_half_a_padding(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """64 bytes of signature end with two; one of them is none."""
        token = balancer.token()
        assert token.endswith("==")
        with pytest.raises(ag.MalformedToken):
            user(gate, token[:-1])
        assert user(gate, token[:-2])

    def test_padding_that_was_not_signed(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """Of header and payload it is under the signature."""
        head, payload, signature = balancer.token().split(".")
        assert head.endswith("=") or payload.endswith("=")
        with pytest.raises(ag.BadSignature):
            user(gate, f"{head.rstrip('=')}.{payload.rstrip('=')}.{signature}")

    def test_elsewhere_padding_is_none(self, clock: ManualClock) -> None:
        """No other gate reads it (Law 3.1)."""
        with FakeIssuer(audience="orders", clock=clock) as issuer:
            trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience="orders")
            with ag.Gate(ag.GateConfig(gateway=Gateway.asserted(HEADER, trusted)), clock=clock) as gate:
                token = issuer.token()
                assert user(gate, token)
                padded = token + "=" * (-len(token.rpartition(".")[2]) % 4)
                assert padded != token
                with pytest.raises(ag.MalformedToken):
                    user(gate, padded)


class TestKeys:
    @pytest.mark.parametrize(
        "kid",
        [
            ABSENT,
            None,
            7,
            "",
            "key",
            "../../x",
            "0B6F6C1E-2F57-4B5B-9C4E-111111111111",
            "0b6f6c1e-2f57-4b5b-9c4e-111111111111/../x",
            "0b6f6c1e-2f57-4b5b-9c4e-111111111111?x",
            "0b6f6c1e-2f57-4b5b-9c4e-111111111111\n",
        ],
    )
    def test_only_a_uuid_names_one(self, gate: ag.Gate, balancer: FakeBalancer, kid: object) -> None:
        """It is a part of a URL."""
        with pytest.raises(ag.InvalidToken):
            user(gate, balancer.token(header={"kid": kid}))
        assert {} == balancer.hits

    @pytest.mark.parametrize(
        "header", [{"signer": OTHER}, {"client": "another"}, {"alg": "RS256"}, {"exp": "x"}]
    )
    def test_nothing_is_fetched_for_what_is_refused_anyway(
        self, gate: ag.Gate, balancer: FakeBalancer, header: dict[str, object]
    ) -> None:
        """Law 4.5: it draws from no budget."""
        with pytest.raises(ag.InvalidToken):
            user(gate, balancer.token(header=header))
        assert {} == balancer.hits

    def test_a_name_that_there_is_not(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """Is asked for once in 10 s, and is a bad token all the while (Law 4.13)."""
        made_up = balancer.token(header={"kid": str(uuid.uuid4())})
        for _ in range(5):
            with pytest.raises(ag.UnknownKey):
                user(gate, made_up)
        assert 1 == balancer.hits.total()

    def test_made_up_names_share_a_budget(
        self, gate: ag.Gate, balancer: FakeBalancer, clock: ManualClock
    ) -> None:
        """Law 4.13: whatever strangers write, few are asked for, and keys that are here answer."""
        assert user(gate, balancer.token())
        for _ in range(3 * NEW_SETS):
            with pytest.raises((ag.UnknownKey, ag.KeysUnavailable)):
                user(gate, balancer.token(header={"kid": str(uuid.uuid4())}))
        assert NEW_SETS == balancer.hits.total()
        assert user(gate, balancer.token(sub="u2"))
        balancer.rotate()
        clock.advance(60.0)
        assert user(gate, balancer.token())

    @pytest.mark.parametrize("body", [b"", b"<html>", b'{"keys": []}', b"\xff" * 40])
    def test_what_is_no_key(self, gate: ag.Gate, balancer: FakeBalancer, body: bytes) -> None:
        """Says nothing of the token (Law 1.5)."""
        balancer.answer(body)
        with pytest.raises(ag.KeysUnavailable):
            user(gate, balancer.token())

    def test_a_key_of_another_kind(self, gate: ag.Gate, balancer: FakeBalancer, clock: ManualClock) -> None:
        """ES256 is the only algorithm."""
        with FakeIssuer(clock=clock) as rsa:
            balancer.answer(rsa.key().public_pem())
        with pytest.raises(ag.KeysUnavailable):
            user(gate, balancer.token())

    def test_a_private_key(self, gate: ag.Gate, balancer: FakeBalancer, clock: ManualClock) -> None:
        """Everyone who can read it could sign."""
        with FakeIssuer(algorithm="ES256", clock=clock) as stranger:
            balancer.answer(stranger.key().private_pem())
        with pytest.raises(ag.KeysUnavailable):
            user(gate, balancer.token())

    def test_one_that_an_operator_disowned(self, gate: ag.Gate, balancer: FakeBalancer) -> None:
        """Law 4.7: by its name, which its set has too."""
        token = balancer.token()
        assert user(gate, token)
        gate.keys.forget("alb", balancer.kid, tenant=balancer.kid)
        with pytest.raises(ag.UnknownKey):
            user(gate, token)


class TestSetUp:
    @pytest.mark.parametrize(
        ("arn", "url"),
        [
            (ARN, "https://public-keys.auth.elb.eu-west-1.amazonaws.com"),
            (
                ARN.replace(":aws:", ":aws-us-gov:").replace("eu-west-1", "us-gov-west-1"),
                "https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1",
            ),
        ],
    )
    def test_where_keys_are(self, arn: str, url: str) -> None:
        """As the region of the ARN says, by https, and as nothing in a token does."""
        gateway = Gateway.alb([arn, arn.replace("edge", "more")], issuer=ISSUER, client_id=CLIENT)

        assert [] == list(gateway.problems())
        assert gateway.issuer is not None
        assert f"{url}/0b6f6c1e-2f57-4b5b-9c4e-111111111111" == gateway.issuer.trust.url_of(  # type: ignore[union-attr]  # of this kind here
            "0b6f6c1e-2f57-4b5b-9c4e-111111111111"
        )

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"signer": ""}, "signer: give"),
            ({"signer": []}, "signer: give"),
            ({"signer": None}, "signer: give"),
            ({"signer": [ARN, 7]}, "signer: give"),
            ({"signer": ARN.replace("/app/", "/net/")}, "signer: give"),
            ({"signer": ARN.replace("eu-west-1", "evil.example/")}, "signer: give"),
            ({"signer": [ARN, ARN.replace("eu-west-1", "us-east-1")]}, "signer: load balancers of several"),
            ({"signer": ARN.replace(":aws:", ":aws-cn:")}, "keys_url: where"),
            ({"keys_url": "http://keys.example.com"}, "keys_url: .* is not https"),
            ({"keys_url": 7}, "keys_url: a int"),
            ({"client_id": ""}, "client_id: give"),
            ({"client_id": []}, "client_id: give"),
            ({"issuer": ""}, "issuer: give"),
            ({"issuer": None}, "issuer: give"),
        ],
    )
    def test_what_is_wrong(self, changes: dict[str, Any], problem: str) -> None:
        """No gate is built (Law 1.6)."""
        given: dict[str, Any] = {"signer": ARN, "issuer": ISSUER, "client_id": CLIENT, **changes}
        with pytest.raises(ag.ConfigurationError, match=problem):
            ag.Gate(ag.GateConfig(gateway=Gateway.alb(given.pop("signer"), **given)))

    def test_its_issuer_alone_admits_nobody(self, balancer: FakeBalancer, clock: ManualClock) -> None:
        """Without the gateway nobody would look at who signed."""
        gateway = Gateway.alb(ARN, issuer=ISSUER, client_id=CLIENT, keys_url=balancer.keys_url)
        assert gateway.issuer is not None
        with ag.Gate(ag.GateConfig(issuers=[gateway.issuer]), clock=clock) as gate:
            token = {"Authorization": f"Bearer {balancer.token(padded=False)}"}
            with pytest.raises(ag.InvalidToken):
                gate.admit(ag.RequestView("GET", "/", token), ag.is_user)
        assert {} == balancer.hits
