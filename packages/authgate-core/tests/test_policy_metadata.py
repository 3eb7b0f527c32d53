"""What a policy says of the metadata that an apex keeps about a user."""

from __future__ import annotations

from typing import Any

import pytest

from authgate_core.credentials import APP, BEARER, Kind
from authgate_core.policy import (
    Policy,
    compile_policy,
    evaluate,
    has_claim,
    has_metadata,
    is_project,
    is_service,
    is_user,
)
from authgate_core.principal import Principal, Project, Service, User, claim_path
from authgate_core.request import RequestView

METADATA = {"approves": True, "limit": 100, "none": None, "desks": ["a", "b"], "of": {"the": {"day": "x"}}}
PROJECT = Project(id="p1")


def user(metadata: Any) -> User:
    """A user about whom an apex tells this."""
    return User(id="u1", issuer="apex", claims={"apex": {"metadata": metadata}, "other": METADATA})


def holds(policy: Policy, *principals: Principal) -> bool:
    """Whether the policy admits them."""
    found: dict[Kind, Principal] = {APP if isinstance(p, Project) else BEARER: p for p in principals}
    return evaluate(compile_policy(policy), found, RequestView("GET", "/", ())).granted


class TestHolds:
    @pytest.mark.parametrize(
        "policy",
        [
            has_metadata(),
            has_metadata("approves"),
            has_metadata("approves", *[True]),
            has_metadata("limit", 1, 100),
            has_metadata("desks", "b"),
            has_metadata("of.the.day", "x"),
            has_metadata(claim_path("of", "the", "day")),
            has_metadata("approves", of=User),
        ],
        ids=repr,
    )
    def test_what_is_kept(self, policy: Policy) -> None:
        """As claims are asked for, within the metadata."""
        assert holds(is_user & policy, user(METADATA))

    @pytest.mark.parametrize(
        "policy",
        [
            has_metadata("approves", 1),
            has_metadata("limit", "100"),
            has_metadata("none"),
            has_metadata("desks", "c"),
            has_metadata("metadata"),
            has_metadata("other"),
            has_metadata("day"),
            has_metadata(claim_path("of.the.day")),
        ],
        ids=repr,
    )
    def test_what_is_not(self, policy: Policy) -> None:
        """Nothing that the token says elsewhere is."""
        assert not holds(is_user & policy, user(METADATA))

    def test_none_at_all(self) -> None:
        """An empty object is some, as a model may have made it; null is none, and nothing is none."""
        assert holds(has_metadata(), user({}))
        assert not holds(has_metadata(), user(None))
        nothing: list[dict[str, Any]] = [{}, {"apex": {}}, {"apex": METADATA}, {"metadata": METADATA}]
        for claims in nothing:
            assert not holds(has_metadata(), User(id="u1", issuer="apex", claims=claims))

    def test_it_is_about_users(self) -> None:
        """An apex keeps it of nobody else, whatever a service's token says."""
        service = Service(id="s1", issuer="apex", claims={"apex": {"metadata": METADATA}})
        assert not holds(has_metadata(), service)
        assert not holds(is_service & has_metadata("approves"), service)

    def test_of_says_about_whom(self) -> None:
        """Law 8.3: beside a project, the user."""
        policy = is_user & is_project & has_metadata("approves", of=User)
        assert holds(policy, user(METADATA), PROJECT)
        assert not holds(policy, user({}), PROJECT)


class TestCompiled:
    @pytest.mark.parametrize(
        ("policy", "asks"),
        [
            (is_user & has_claim("apex"), False),
            (is_user & has_metadata(), True),
            (is_service | (is_user & has_metadata("a")), True),
            ((is_user & has_metadata("a")) | is_service, True),
        ],
        ids=repr,
    )
    def test_it_says_whether_it_asks(self, policy: Policy, *, asks: bool) -> None:
        """Law 1.6: so that a gate to which nobody tells any can refuse the policy."""
        assert asks is compile_policy(policy).asks_metadata

    @pytest.mark.parametrize(
        ("policy", "text"),
        [
            (has_metadata(), "has_metadata()"),
            (has_metadata(of=User), "has_metadata(of=is_user)"),
            (has_metadata("a.b", "x", 1), "has_metadata('a.b', 'x', 1)"),
            (has_metadata(claim_path("a.b")), "has_metadata(claim_path('a.b'))"),
        ],
    )
    def test_it_prints_as_it_is_written(self, policy: Policy, text: str) -> None:
        """Law 8.1."""
        assert text == repr(policy)
        assert policy == eval(text)  # of the table above

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (has_metadata(), has_metadata("a")),
            (has_metadata("a"), has_claim("a")),
            (has_metadata("a", 1), has_metadata("a", *[True])),
            (has_metadata("a"), has_metadata("a", of=User)),
        ],
    )
    def test_what_decides_differently_is_different(self, one: Policy, other: Policy) -> None:
        """Law 8.1."""
        assert one != other

    @pytest.mark.parametrize("wrong", [None, ["a"], {"a": 1}, b"a"])
    def test_values_are_scalars(self, wrong: Any) -> None:
        """A value that no metadata can equal is a mistake."""
        with pytest.raises(TypeError, match="texts, numbers and booleans"):
            has_metadata("a", wrong)

    @pytest.mark.parametrize("wrong", ["", ".", "a..b"])
    def test_a_path_names_members(self, wrong: str) -> None:
        """The empty text is no way to ask for all of it."""
        with pytest.raises(ValueError, match="non-empty"):
            has_metadata(wrong)
