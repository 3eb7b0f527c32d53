"""The numbers that the laws give to whoever configures none (Laws 1.1, 3.2, 3.7, 4.4, 4.10 and 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer, ManualClock
from tests.support.gates import Face, face, view

SIGNED_BY = [
    ("RS256", "RS256"),
    ("RS256", "RS384"),
    ("RS256", "RS512"),
    ("RS256", "PS256"),
    ("RS256", "PS384"),
    ("RS256", "PS512"),
    ("ES256", "ES256"),
    ("ES384", "ES384"),
    ("ES512", "ES512"),
    ("EdDSA", "EdDSA"),
]


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="make", params=["sync", "async"])
def _make(request: pytest.FixtureRequest, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(fake: FakeIssuer, **options: Any) -> Face:
        keys = [{member: jwk[member] for member in jwk if member != "alg"} for jwk in fake.jwks()["keys"]]
        issuer = ag.Issuer.static({"keys": keys}, issuer=fake.url, audience=fake.audience)
        made.append(face(str(request.param), ag.GateConfig(issuers=[issuer], **options), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


class TestIssuer:
    """What an issuer is held to where its options say nothing."""

    @pytest.mark.parametrize(("key", "algorithm"), SIGNED_BY)
    def test_algorithms(
        self, make: Callable[..., Face], clock: ManualClock, key: str, algorithm: str
    ) -> None:
        """Law 3.2: RS, PS and ES with 256, 384 and 512 bits, and EdDSA."""
        fake = FakeIssuer(algorithm=key, clock=clock)

        assert "u1" == make(fake).verify_token(fake.token("u1", algorithm=algorithm)).user.id

    def test_leeway(self, make: Callable[..., Face], clock: ManualClock) -> None:
        """Law 3.7: thirty seconds, for the past and for the future."""
        fake = FakeIssuer(clock=clock)
        gate, now = make(fake), int(clock.now().wall)

        assert gate.verify_token(fake.token("u1", exp=now - 29))
        assert gate.verify_token(fake.token("u1", iat=now + 30, nbf=now + 30, auth_time=now + 30))
        with pytest.raises(ag.TokenExpired):
            gate.verify_token(fake.token("u1", exp=now - 30))
        for claim in ("iat", "nbf", "auth_time"):
            later: dict[str, Any] = {claim: now + 31}
            with pytest.raises(ag.InvalidClaim, match=claim):
                gate.verify_token(fake.token("u1", **later))


class TestGate:
    """What a gate does where its configuration says nothing."""

    def test_times_of_a_key_set(self, clock: ManualClock) -> None:
        """Laws 4.10 and 4.4: a cold request waits two seconds, and known keys go on for a day."""
        issuer = ag.Issuer.oidc("https://id.test", audience="a")
        with ag.Gate(ag.GateConfig(issuers=[issuer]), clock=clock) as gate:
            (ring,) = gate._refresher.rings.values()

            assert (2.0, 86400.0) == (ring.state.times.key_wait, ring.state.times.max_stale)

    def test_an_outage_of_redis(self) -> None:
        """Law 5.3: it is refused; and where it is passed over, for ten minutes."""
        revocation = ag.RedisRevocation("redis://localhost")

        assert ("deny", 600.0) == (revocation.on_error, revocation.allow_for)

    @pytest.mark.parametrize(("options", "realm"), [({}, "api"), ({"realm": "shop"}, "shop")])
    def test_realm(
        self, make: Callable[..., Face], clock: ManualClock, options: dict[str, str], realm: str
    ) -> None:
        """Law 1.1: each challenge carries it."""
        gate = make(FakeIssuer(clock=clock), **options)
        with pytest.raises(ag.MissingCredentials) as caught:
            gate.admit(view(), ag.is_user)

        assert ("WWW-Authenticate", f'Bearer realm="{realm}"') in gate.gate.problem(caught.value).headers
