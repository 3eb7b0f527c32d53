"""What ``explain`` says of a token is what a gate does with it: of every hostile token, and of every honest one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import authgate_core as ag
from tests.vectors.worlds import WORLDS, World, answers, explanations


@pytest.fixture(name="world", scope="module", params=WORLDS)
def _world(request: pytest.FixtureRequest) -> Iterator[World]:
    with WORLDS[request.param]() as world:
        yield world


class TestExplained:
    def test_as_the_gate_refuses(self, world: World) -> None:
        """The first rule that is broken is the one for which the gate refuses, and its code is the refusal's."""
        tokens = [attack.token for attack in world.attacks]
        outcomes = answers("verify_token", world, tokens)
        told = explanations(world, tokens)

        differing = [
            f"{attack.name}: {outcome!r}, explained as {one.verdict} {one.code}"
            for attack, outcome, one in zip(world.attacks, outcomes, told, strict=True)
            if isinstance(outcome, ag.Admission) or (one.verdict, one.code) != ("refused", outcome.code)
        ]
        assert [] == differing

    def test_as_the_gate_admits(self, world: World) -> None:
        """Of a good token every rule is kept, and it speaks of whom the gate admits."""
        tokens = [attack.twin for attack in world.attacks]
        told = explanations(world, tokens)

        differing = [
            f"{attack.name}: {[rule for rule in one.rules if rule.verdict != 'kept']}"
            for attack, outcome, one in zip(
                world.attacks, answers("verify_token", world, tokens), told, strict=True
            )
            if not isinstance(outcome, ag.Admission)
            or (one.verdict, one.principal) != ("accepted", outcome.user)
        ]
        assert [] == differing
