"""Hostile tokens of our own making: each is refused for its reason, through every door, and each honest twin let in."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator

import pytest

import authgate_core as ag
from authgate_core.challenge import problem
from authgate_core.testing import FakeIssuer, ManualClock
from authgate_core.testing.attacks import Attack, attacks
from tests.vectors.worlds import DOORS, WORLDS, Outcome, World, answers


@pytest.fixture(name="world", scope="module", params=WORLDS)
def _world(request: pytest.FixtureRequest) -> Iterator[World]:
    with WORLDS[request.param]() as world:
        yield world


@pytest.fixture(name="door", params=DOORS)
def _door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def deviation(attack: Attack, door: str, outcome: Outcome) -> str | None:
    """What is wrong with the answer to an attack, in one line; None where it is what the attack foretells."""
    expected: type[ag.AuthgateError] = attack.refusal
    reason = attack.reason
    if door.endswith("admit") and not attack.is_presentable:
        expected, reason = ag.MalformedCredentials, ""
    if type(outcome) is expected and outcome.reason.startswith(reason):
        return None
    return f"{attack.name}: {outcome!r}, not {expected.__name__}({reason!r}...)"


def deviations(given: list[Attack], door: str, outcomes: list[Outcome]) -> list[str]:
    """What is wrong with the answers to all of them."""
    each = (deviation(attack, door, outcome) for attack, outcome in zip(given, outcomes, strict=True))
    return [line for line in each if line is not None]


class TestTheAttacks:
    def test_there_are_many_and_no_two_alike(self) -> None:
        """Every class of attack that is known of a verifier is there, and no name or token twice."""
        found: list[Attack] = []
        for world in WORLDS.values():
            with world() as opened:
                found += opened.attacks

        assert len(found) == len({attack.name for attack in found})
        assert len(found) == len({attack.token for attack in found})
        assert len(found) > 1000
        assert 26 == len(Counter(attack.kind for attack in found))

    def test_the_same_at_every_run(self) -> None:
        """A case that fails today is there tomorrow: with the same keys and time even its bytes are the same."""
        clock = ManualClock()
        fake = FakeIssuer(url="https://id.test", algorithm="EdDSA", clock=clock)
        once, again = (attacks(fake) for _ in range(2))

        assert [attack.name for attack in once] == [attack.name for attack in again]
        assert [attack.token for attack in once] == [attack.token for attack in again]

    def test_they_do_not_show_their_tokens(self) -> None:
        """Law 2.5: what is printed where a test fails may end up in a log."""
        attack = attacks(FakeIssuer(algorithm="EdDSA"))[0]

        assert attack.token not in repr(attack)
        assert attack.twin not in repr(attack)


class TestRefused:
    def test_each_for_its_reason(self, world: World, door: str) -> None:
        """Laws 3.1 to 3.15: invalid and so 401, never 400 where a header can carry it, never 503, never an accident."""
        outcomes = answers(door, world, [attack.token for attack in world.attacks])

        assert [] == deviations([*world.attacks], door, outcomes)

    def test_whatever_is_remembered(self, world: World, door: str) -> None:
        """Laws 3.12, 7.1: what is kept of the honest twin, of its header and of its claims helps no attack."""
        tokens = [token for attack in world.attacks for token in (attack.twin, attack.token)]
        outcomes = answers(door, world, tokens)

        assert [] == deviations([*world.attacks], door, outcomes[1::2])

    def test_callers_are_told_no_more_than_that(self, world: World) -> None:
        """Law 1.2: one status, one body and one challenge for all of them, but for what is said of expired tokens."""
        said = set()
        for outcome in answers("verify_token", world, [attack.token for attack in world.attacks]):
            assert isinstance(outcome, ag.InvalidToken)
            if not isinstance(outcome, ag.TokenExpired):
                told = problem(outcome, realm="api", jitter=0.0)
                said.add((told.status, told.headers, told.json()))

        (only,) = said
        assert 401 == only[0]

    def test_reasons_hold_nothing_of_the_token(self, world: World) -> None:
        """Law 2.5: nor does what is wrapped in the exception."""
        tokens = [attack.token for attack in world.attacks]
        for token, outcome in zip(tokens, answers("verify_token", world, tokens), strict=True):
            shown = f"{outcome} {outcome!r} {vars(outcome)!r}"
            assert not any(len(part) > 8 and part in shown for part in token.split("."))


class TestTwins:
    def test_each_is_let_in(self, world: World, door: str) -> None:
        """So an attack is refused for its flaw: the same token without it is good."""
        outcomes = answers(door, world, [attack.twin for attack in world.attacks])
        refused = [
            f"{attack.name}: {outcome!r}"
            for attack, outcome in zip(world.attacks, outcomes, strict=True)
            if not isinstance(outcome, ag.Admission)
        ]

        assert [] == refused


class TestNothingIsFetched:
    def test_no_header_makes_a_gate_reach_out(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Laws 3.3, 3.4: with its keys at hand a gate opens no connection and looks up no name, whatever is said."""
        given = [attack for attack in world.attacks if not attack.asks]
        reached: list[str] = []

        def tokens() -> Iterator[str]:
            for name in ("connect", "connect_ex"):
                monkeypatch.setattr(
                    socket.socket, name, lambda *_: reached.append("connected"), raising=False
                )
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: reached.append("looked up"))
            yield from (attack.token for attack in given)

        outcomes = answers("verify_token", world, tokens())

        assert [] == reached
        assert [] == deviations(given, "verify_token", outcomes)

    def test_strange_kids_draw_from_the_bucket(self, world: World, door: str) -> None:
        """Law 4.5: however many there are, all of them together cause two fetches of each key set at most."""
        given = [attack.token for attack in world.attacks if attack.asks]
        warm, asked = world.fetches_of(door, []), world.fetches_of(door, given)
        assert all(asked[path] <= warm[path] + 2 for path in asked), asked
