"""Values that are made fast are no other values."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields

import pytest

from authgate_core.making import maker
from authgate_core.principal import TokenRef

REF = ("main", "t1", "jti", True, "s1", "u1", "c1", 1.0, None, 2.0, "k1")


@dataclass(frozen=True, slots=True)
class Point:
    """Has a default."""

    x: int
    y: int = 7


@dataclass(frozen=True, slots=True)
class Scaled(Point):
    """Has a base."""

    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Does something of its own when it is made."""

    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError


@dataclass(frozen=True, slots=True)
class Derived:
    """Has a field that no argument fills."""

    x: int
    y: int = field(init=False, default=0)


class TestMaker:
    def test_a_value_is_what_its_constructor_makes(self) -> None:
        """The same class, equal, with the same hash and the same text."""
        made, plain = maker(TokenRef)(*REF), TokenRef(*REF)

        assert TokenRef is type(made)
        assert plain == made
        assert (hash(plain), repr(plain)) == (hash(made), repr(made))
        assert plain == pickle.loads(pickle.dumps(made))

    def test_a_value_is_frozen(self) -> None:
        """Law 7.2: nobody who gets it can change it."""
        made = maker(TokenRef)(*REF)

        for name in [one.name for one in fields(made)]:
            with pytest.raises(FrozenInstanceError):
                setattr(made, name, "other")
            with pytest.raises(FrozenInstanceError):
                delattr(made, name)
        assert TokenRef(*REF) == made

    def test_arguments_are_those_of_the_class(self) -> None:
        """By name, by place, with defaults; none too few, none too many."""
        make = maker(Point)

        assert [Point(1, 7), Point(1, 2), Point(3, 4)] == [make(1), make(1, 2), make(y=4, x=3)]
        for wrong in ([], [1, 2, 3]):
            with pytest.raises(TypeError):
                make(*wrong)

    @pytest.mark.parametrize("kind", [Scaled, Judged, Derived])
    def test_a_class_that_needs_more_than_its_arguments_is_refused(self, kind: type) -> None:
        """What its constructor does besides would be left out silently."""
        with pytest.raises(TypeError, match=kind.__name__):
            maker(kind)
