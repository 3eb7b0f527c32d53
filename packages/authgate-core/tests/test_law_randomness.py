"""What is promised to be random is, in a gate as it is built (Laws 1.8, 4.6 and 6.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import authgate_core as ag
from authgate_core.credentials import AppCredentials
from tests.support.gates import Face, face

SECRET = "a-secret-of-more-than-thirty-two-characters"


@pytest.fixture(name="make", params=["sync", "async"])
def _make(request: pytest.FixtureRequest) -> Iterator[Callable[[], Face]]:
    made: list[Face] = []

    def make() -> Face:
        config = ag.GateConfig(projects=ag.StaticProjects({"shop": {"secret": SECRET}}))
        made.append(face(str(request.param), config))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


class TestRandomness:
    def test_callers_come_back_at_different_times(self, make: Callable[[], Face]) -> None:
        """Law 1.8: up to half of the back-off is added at random, so that not all come at once."""
        gate, outage = make().gate, ag.KeysUnavailable("down", retry_after=40)
        answers = [dict(gate.problem(outage).headers)["Retry-After"] for _ in range(200)]

        assert {True} == {40 <= int(seconds) <= 60 for seconds in answers}
        assert 3 < len(set(answers))

    def test_issuers_are_asked_at_different_times(self, make: Callable[[], Face]) -> None:
        """Law 4.6: processes that failed together do not try again together."""
        refresher = make().gate._refresher

        assert 3 < len({refresher._random() for _ in range(20)})
        assert all(0 <= refresher._random() <= 1 for _ in range(20))

    def test_names_of_credentials_are_each_gates_own(self, make: Callable[[], Face]) -> None:
        """Law 6.2: whoever learns the hashes of one gate's cache knows nothing of another's, and can check no guess."""
        credentials = AppCredentials("shop", ag.Secret(SECRET))
        one, other = (make().gate._context.projects for _ in range(2))

        assert one.key(credentials) == one.key(credentials)
        assert one.key(credentials) != other.key(credentials)
