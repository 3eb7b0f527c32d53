"""The whole of the mercury profile: the old environment, a Mercury over HTTP and the Redis that it shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeMercury, ManualClock
from tests.support.gates import Face, bearer, face, view

BOTH = ag.is_user & ag.is_project
HOUR = 3600.0


class World:
    """What is running, and a gate in front of it.

    Args:
        mercury: The issuer and directory.
        redis: A server with a client.
        gate: The gate.
        clock: The one clock of all.
    """

    def __init__(self, mercury: FakeMercury, redis: Any, gate: Face, clock: ManualClock) -> None:
        self.mercury = mercury
        self.redis = redis
        self.gate = gate
        self.clock = clock

    def user(self, **options: Any) -> tuple[str, str]:
        """The header of a user of the fallback project."""
        return bearer(self.mercury.user_token(**options))

    def pair(self) -> tuple[tuple[str, str], ...]:
        """The headers of the fallback project."""
        return tuple(self.mercury.project(self.mercury.nexus).headers.items())

    def token(self, token_id: str = "t-1", **options: Any) -> tuple[str, str]:
        """The header of a project token that Mercury's Redis lists."""
        self.redis.set(f"project_token:{token_id}", "1")
        return ("x-project-token", self.mercury.project_token(token_id=token_id, **options))

    def outcome(self, *headers: tuple[str, str], policy: ag.Policy = ag.is_user) -> str:
        """The public code of a refusal, or ok."""
        try:
            self.gate.admit(view(*headers), policy)
        except ag.AuthgateError as error:
            return error.public_code
        return "ok"


@pytest.fixture
def world(colour: str, start_valkey: Callable[..., Any]) -> Iterator[World]:
    """Everything, from the environment that a service of the older client has."""
    clock, valkey = ManualClock(), start_valkey()
    with FakeMercury(clock=clock) as mercury:
        config = ag.GateConfig.from_mapping(mercury.environment(f"{valkey.url}/0"))
        gate = face(colour, config, clock)
        yield World(mercury, valkey.client(), gate, clock)
        gate.close()
        assert 0 == mercury.refused


class TestAdmitted:
    def test_everyone(self, world: World) -> None:
        """A user, a project by either credential, and both together."""
        assert "ok" == world.outcome(world.user())
        assert "ok" == world.outcome(*world.pair(), policy=ag.is_project)
        assert "ok" == world.outcome(world.token(), policy=ag.is_project)
        assert "ok" == world.outcome(world.user(), *world.pair(), policy=BOTH)
        assert "ok" == world.outcome(world.user(), world.token(), policy=BOTH)

    def test_what_a_handler_reads(self, world: World) -> None:
        """The names of the older client."""
        admission = world.gate.admit(view(world.user(), *world.pair()), BOTH)
        nexus = world.mercury.project(world.mercury.nexus)

        assert {"uuid", "email", "name"} == set(admission.user.to_dict())
        assert (nexus.uuid, nexus.name, ["orders"], 0) == (
            admission.project["projectUuid"],
            admission.project["projectName"],
            list(admission.project["enabledServices"]),
            admission.project["secretVersion"],
        )


class TestRevoked:
    def test_a_user_token(self, world: World) -> None:
        """Present in Mercury's Redis is revoked, at the next request."""
        header = world.user(jti="j-1")
        assert "ok" == world.outcome(header)
        world.redis.set("revoked_token:j-1", "1")

        assert "token_invalid" == world.outcome(header)

    def test_a_project_token(self, world: World) -> None:
        """It must exist; what was deleted is refused, and so is what never was."""
        header = world.token()
        assert "ok" == world.outcome(header, policy=ag.is_project)
        world.redis.delete("project_token:t-1")

        assert "project_invalid" == world.outcome(header, policy=ag.is_project)

    @pytest.mark.parametrize("how", ["pair", "token"])
    def test_a_raised_secret_version(self, world: World, how: str) -> None:
        """Law 6.4: it ends a cached answer, and an issued token, at the next request."""
        headers = world.pair() if how == "pair" else (world.token(),)
        assert "ok" == world.outcome(*headers, policy=ag.is_project)
        world.redis.set(f"project_secret_version:{world.mercury.nexus_id}", "1")

        assert "project_invalid" == world.outcome(*headers, policy=ag.is_project)

    def test_what_cannot_be_named(self, world: World) -> None:
        """Law 5.9: a jti that could be no key of Mercury's is refused before anybody is asked."""
        assert "token_invalid" == world.outcome(world.user(jti="a b"))


class TestRefused:
    def test_a_disabled_project(self, world: World) -> None:
        """Mercury knows it no longer; whoever was not known yet is refused."""
        world.mercury.disable(world.mercury.nexus)

        assert "project_invalid" == world.outcome(*world.pair(), policy=ag.is_project)

    def test_a_service_that_is_not_enabled(self, world: World) -> None:
        """403, by either credential."""
        world.mercury.enable_services(world.mercury.nexus, "carts")

        assert "service_not_enabled" == world.outcome(*world.pair(), policy=ag.is_project)
        assert "service_not_enabled" == world.outcome(
            world.token(enabled_services=["carts"]), policy=ag.is_project
        )

    def test_another_project(self, world: World) -> None:
        """Without AUTHGATE_TENANTS the fallback project alone is served: users and projects alike."""
        other = world.mercury.add_project()

        assert "token_invalid" == world.outcome(bearer(world.mercury.user_token(other)))
        headers = tuple(other.headers.items())
        assert "service_not_enabled" == world.outcome(*headers, policy=ag.is_project)


class TestMercuryDown:
    def test_who_goes_on(self, world: World) -> None:
        """Users with known keys go on; cached projects go on for 15 minutes; the rest is 503."""
        user, pair, token = world.user(expires_in=2 * HOUR), world.pair(), world.token(expires_in=2 * HOUR)
        stranger = tuple(world.mercury.add_project().headers.items())
        assert ["ok", "ok", "ok"] == [
            world.outcome(user),
            world.outcome(*pair, policy=ag.is_project),
            world.outcome(token, policy=ag.is_project),
        ]
        world.mercury.outage(None)

        world.clock.advance(14 * 60)
        assert "ok" == world.outcome(*pair, policy=ag.is_project)
        assert "unavailable" == world.outcome(*stranger, policy=ag.is_project)
        world.clock.advance(2 * 60)
        assert "unavailable" == world.outcome(*pair, policy=ag.is_project)
        world.clock.advance(HOUR)
        assert ["ok", "ok"] == [world.outcome(user), world.outcome(token, policy=ag.is_project)]

    def test_from_the_start(self, world: World) -> None:
        """Law 4.12: the gate is there, and everybody is 503."""
        world.mercury.outage(None)

        assert "unavailable" == world.outcome(world.user())
        assert "unavailable" == world.outcome(world.token(), policy=ag.is_project)


class TestRedisDown:
    def test_nobody_goes_on(self, colour: str, start_valkey: Callable[..., Any]) -> None:
        """Law 5.3: what cannot be checked is 503, never a pass."""
        valkey = start_valkey()
        with FakeMercury() as mercury:
            gate = face(colour, ag.GateConfig.from_mapping(mercury.environment(f"{valkey.url}/0")))
            header = bearer(mercury.user_token())
            gate.admit(view(header), ag.is_user)
            valkey.stop()
            with pytest.raises(ag.RevocationUnavailable):
                gate.admit(view(header), ag.is_user)
            gate.close()
            valkey.start()


class TestWriting:
    def test_nothing_is_written(self, world: World) -> None:
        """Mercury's Redis is read and nothing else, whatever is asked of the gate."""
        before = sorted(world.redis.keys("*"))
        world.outcome(world.user())
        world.outcome(*world.pair(), policy=ag.is_project)
        with pytest.raises(ag.ConfigurationError, match="read-only"):
            world.gate.revoke("revoke_token", "j-1", tenant=world.mercury.nexus_id)

        assert before == sorted(world.redis.keys("*"))
