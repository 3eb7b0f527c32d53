"""``FakeIssuer.attacks``: hostile tokens for tests of one's own."""

from __future__ import annotations

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer, ManualClock


class TestAttacks:
    """What a test may be parametrised over."""

    def test_each_is_refused_at_any_later_moment(self) -> None:
        """However long a suite takes from its collection to the test, none of them becomes good."""
        clock = ManualClock()
        issuer = FakeIssuer(clock=clock)
        attacks = issuer.attacks()
        trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        with ag.Gate(ag.GateConfig(issuers=[trusted]), clock=clock) as gate:
            for seconds in (0, 2, 60):
                clock.advance(seconds)
                for attack in attacks:
                    with pytest.raises(ag.InvalidToken):
                        gate.verify_token(attack.token)

    def test_they_are_named(self) -> None:
        """The same names at each call, none twice, so that they can be ids of tests."""
        issuer = FakeIssuer()
        names = [str(attack) for attack in issuer.attacks()]

        assert names == [str(attack) for attack in issuer.attacks()]
        assert len(names) == len({*names})
        assert "none/spelling 0 'none'" == names[0]

    def test_the_names_of_another_issuer(self) -> None:
        """Are tried where the gate trusts two."""
        issuer, other = FakeIssuer(), FakeIssuer(url="https://other.test")

        assert len(issuer.attacks()) < len(issuer.attacks(other))
