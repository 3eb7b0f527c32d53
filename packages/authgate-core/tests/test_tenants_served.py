"""Which tenants are served: by name, or as a predicate said less than a minute ago (Law 4.13)."""

from __future__ import annotations

from typing import Any

import pytest

from authgate_core.cache import TenantsServed
from authgate_core.clock import Instant
from authgate_core.errors import AuthUnavailable


def _at(seconds: float) -> Instant:
    """Wall-clock time goes backwards here: nothing may depend on it."""
    return Instant(wall=-seconds, mono=1000.0 + seconds)


class TestList:
    def test_whole_names(self) -> None:
        """A tenant is served or not, in the one spelling that it has."""
        served = TenantsServed(["a", "b"])
        assert [True, True, False, False] == [served.admits(name, _at(0)) for name in ("a", "b", "A", "ab")]


class TestPredicate:
    def test_is_asked_once_a_minute_for_each(self) -> None:
        """Law 4.13: a yes and a no alike are kept for 60 s."""
        asked: list[str] = []

        def is_served(tenant: str) -> bool:
            asked.append(tenant)
            return tenant == "a"

        served = TenantsServed(is_served)
        for second in (0.0, 59.9):
            assert [True, False] == [served.admits(name, _at(second)) for name in ("a", "b")]
        assert ["a", "b"] == asked
        served.admits("a", _at(60))
        assert ["a", "b", "a"] == asked

    @pytest.mark.parametrize("answer", [None, 1, "yes"])
    def test_answers_a_bool(self, answer: object) -> None:
        """Law 1.3: anything else is a bug of the application, and no tenant is served by it."""
        wrong: Any = answer
        with pytest.raises(TypeError, match=f"returned {type(answer).__name__}, not a bool"):
            TenantsServed(lambda _: wrong).admits("a", _at(0))

    def test_an_outage_is_not_kept(self) -> None:
        """Laws 1.5 and 7.3: it could not be checked, and is asked again at once."""
        outcomes = [AuthUnavailable("down"), None]

        def is_served(_: str) -> bool:
            outage = outcomes.pop(0)
            if outage is not None:
                raise outage
            return True

        served = TenantsServed(is_served)
        with pytest.raises(AuthUnavailable):
            served.admits("a", _at(0))
        assert served.admits("a", _at(0))

    def test_what_is_kept_is_bounded(self) -> None:
        """Made-up tenants fill no table; who is asked about again is merely asked about again."""
        asked: list[str] = []

        def is_served(tenant: str) -> bool:
            asked.append(tenant)
            return True

        served = TenantsServed(is_served)
        for number in range(10_001):
            served.admits(str(number), _at(0))
        assert len(served._answers) <= 10_000
        served.admits("0", _at(0))
        assert 10_002 == len(asked)


class TestKnowing:
    def test_a_list_is_known(self) -> None:
        """Who is listed is served without anybody being asked."""
        served = TenantsServed(["a"])
        assert [True, False] == [served.knows(name, _at(0)) for name in ("a", "b")]

    def test_a_yes_is_known_for_a_minute(self) -> None:
        """Laws 4.13 and 7.1: at a hit a yes of the last minute stands; for anything else the whole way asks."""
        asked: list[str] = []

        def is_served(tenant: str) -> bool:
            asked.append(tenant)
            return tenant == "a"

        served = TenantsServed(is_served)
        assert not served.knows("a", _at(0))
        assert [True, False] == [served.admits(name, _at(0)) for name in ("a", "b")]
        assert [True, False] == [served.knows(name, _at(59.9)) for name in ("a", "b")]
        assert not served.knows("a", _at(60))
        assert ["a", "b"] == asked
