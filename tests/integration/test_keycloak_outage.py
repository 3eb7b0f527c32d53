"""A realm that is disabled, and a Keycloak that is stopped and started again, as gates in front of an API see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import authgate_core as ag
from tests.integration.parts.keycloak import AUDIENCE, Keycloak
from tests.support.gates import Face, bearer, face, view

COLOURS = ("sync", "async")


@pytest.fixture
def warm(running_keycloak: Keycloak) -> Iterator[list[Face]]:
    """A gate of each colour that knows the keys of the realm."""
    made = cold(running_keycloak)
    for gate in made:
        gate.warm_up(30)
    yield made
    for gate in made:
        gate.close()


def cold(keycloak: Keycloak) -> list[Face]:
    """A gate of each colour that has asked nothing yet."""
    issuer = ag.Issuer.oidc(keycloak.realm, audience=AUDIENCE)
    return [face(colour, ag.GateConfig(issuers=[issuer])) for colour in COLOURS]


def admits(gate: Face, token: str) -> bool:
    """Whether a gate admits a token."""
    return bool(gate.admit(view(bearer(token)), ag.is_user).user)


def refuse_for_now(keycloak: Keycloak, token: str) -> None:
    """Two new gates say that they cannot tell, since they get no keys."""
    for gate in cold(keycloak):
        with pytest.raises(ag.AuthUnavailable):
            admits(gate, token)
        gate.close()


class TestRealmDisabled:
    def test_what_was_issued_goes_on_where_tokens_are_verified_here(
        self, running_keycloak: Keycloak, warm: list[Face]
    ) -> None:
        """Law 4.4: such a realm issues nothing and still publishes its keys, so they verify until the token expires."""
        token = running_keycloak.user_token("ada")
        running_keycloak.admin("PUT", "", {"enabled": False})
        try:
            with pytest.raises(AssertionError, match="Realm not enabled"):
                running_keycloak.user_token("ada")
            late = cold(running_keycloak)
            assert [True] * 4 == [admits(gate, token) for gate in [*warm, *late]]
        finally:
            running_keycloak.admin("PUT", "", {"enabled": True})
        for gate in late:
            gate.close()


class TestRestart:
    def test_nobody_who_is_known_notices(self, running_keycloak: Keycloak, warm: list[Face]) -> None:
        """Laws 1.5 and 4.4: while Keycloak is away, known keys go on; once it is back, so do all gates."""
        token = running_keycloak.user_token("ada")
        late = cold(running_keycloak)
        running_keycloak.stop()
        try:
            refuse_for_now(running_keycloak, token)
            for gate in late:
                with pytest.raises(ag.AuthUnavailable):
                    admits(gate, token)
            assert [True, True] == [admits(gate, token) for gate in warm]
        finally:
            running_keycloak.start()
            running_keycloak.wait()

        assert [True, True] == [
            admits(gate, running_keycloak.user_token("ada")) for gate in [*late, *warm][:2]
        ]
        for gate in late:
            gate.close()
