"""Role hierarchies (Law 8.5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.policy import RoleHierarchy

ROLES = RoleHierarchy({"owner": ["admin"], "admin": ["editor", "auditor"], "editor": ["viewer"]})


class TestExpanding:
    @pytest.mark.parametrize(
        ("roles", "expanded"),
        [
            ([], set()),
            (["viewer"], {"viewer"}),
            (["editor"], {"editor", "viewer"}),
            (["owner"], {"owner", "admin", "editor", "auditor", "viewer"}),
            (["auditor", "editor", "stranger"], {"auditor", "editor", "viewer", "stranger"}),
        ],
    )
    def test_links_are_followed_to_the_end(self, roles: list[str], expanded: set[str]) -> None:
        """Law 8.5: a role brings along what it implies, and what that implies."""
        assert expanded == ROLES.expand(roles)

    @given(st.sets(st.text(min_size=1)))
    def test_without_a_hierarchy_no_role_implies_another(self, roles: set[str]) -> None:
        """Law 8.5: admin is a role like any other."""
        assert roles == RoleHierarchy().expand(roles)
        assert roles | {"viewer", "editor"} == ROLES.expand({*roles, "editor"} - {"owner", "admin"}) | (
            roles & {"owner", "admin"}
        )

    names = st.sampled_from("abcdef")

    @given(st.dictionaries(names, st.lists(names, max_size=3)), st.sets(names))
    def test_expanding_is_a_closure(self, implied: dict[str, list[str]], roles: set[str]) -> None:
        """Law 8.5: nothing is lost, nothing more comes of expanding twice, and every link is kept."""
        hierarchy = RoleHierarchy(implied)
        expanded = hierarchy.expand(roles)
        assert roles <= expanded
        assert expanded == hierarchy.expand(expanded)
        assert all(set(implied[role]) <= expanded for role in expanded & implied.keys())

    def test_a_long_chain_is_no_problem(self) -> None:
        """Links are followed without recursion."""
        chain = RoleHierarchy({str(number): [str(number + 1)] for number in range(500)})
        assert 501 == len(chain.expand(["0"]))
        assert [] == chain.problems()


class TestRanked:
    def test_each_role_implies_all_below_it(self) -> None:
        """Law 8.5: the highest first, and nothing upwards."""
        ranked = RoleHierarchy.ranked("owner", "editor", "viewer")
        assert {"owner", "editor", "viewer"} == ranked.expand(["owner"])
        assert {"editor", "viewer"} == ranked.expand(["editor"])
        assert {"viewer"} == ranked.expand(["viewer"])


class TestProblems:
    def test_a_good_hierarchy_has_none(self) -> None:
        """Nothing is made up; one role may be reached on two ways."""
        assert [] == ROLES.problems()
        assert [] == RoleHierarchy({"a": ["b", "c"], "b": ["d"], "c": ["d"]}).problems()

    @pytest.mark.parametrize(
        ("implied", "named"),
        [({"a": ["a"]}, "'a'"), ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, "'a', 'b', 'c'")],
    )
    def test_a_circle_is_one(self, implied: dict[str, list[str]], named: str) -> None:
        """Law 1.6: roles that imply themselves are a mistake, and named; expanding them still ends."""
        hierarchy = RoleHierarchy(implied)
        assert [f"roles: {named} imply themselves; take one link out of the circle"] == hierarchy.problems()
        assert set(implied) == hierarchy.expand(implied)

    @pytest.mark.parametrize("roles", ["editor", 7, None, ["editor", 7], [""]])
    def test_what_is_no_list_of_names_is_one(self, roles: object) -> None:
        """Law 1.6: a text would be read letter by letter; it is named, and implies nothing until then."""
        implied: Any = {"admin": roles}
        hierarchy = RoleHierarchy(implied)
        assert ["write a list of role names"] == [line.split("; ")[1] for line in hierarchy.problems()]
        assert {"admin"} == hierarchy.expand(["admin"])


class TestValues:
    def test_it_prints_as_what_makes_it(self) -> None:
        """The representation is the expression."""
        assert "RoleHierarchy({'a': ['b'], 'c': 'd'})" == repr(RoleHierarchy({"a": ("b",), "c": "d"}))
        assert ROLES == eval(repr(ROLES))

    def test_equal_hierarchies_are_equal_values(self) -> None:
        """It can be compared and hashed, as the configuration that holds it is."""
        one, other = RoleHierarchy({"a": ["b"]}), RoleHierarchy({"a": ("b",)})
        assert one == other
        assert hash(one) == hash(other)
        assert one != RoleHierarchy({"a": ["c"]})

    def test_it_cannot_be_changed(self) -> None:
        """Law 7.2: neither itself nor through what it was made of."""
        implied = {"a": ["b"]}
        hierarchy: Any = RoleHierarchy(implied)
        implied["a"].append("c")
        implied["d"] = ["e"]
        assert {"a", "b"} == hierarchy.expand(["a"])
        with pytest.raises(AttributeError):
            hierarchy.implied = {}
        with pytest.raises(TypeError):
            hierarchy.implied["a"] = ["c"]


class TestEveryRole:
    """A role that implies every role there is, whatever it is called."""

    ROLES = RoleHierarchy({"owner": ["admin"]}, every=frozenset({"admin"}))

    @pytest.mark.parametrize("roles", [["admin"], ["owner"], ["viewer", "admin"]])
    def test_whoever_has_it_has_all(self, roles: list[str]) -> None:
        """By itself or by implication; what is no role nobody has."""
        expanded = self.ROLES.expand(roles)
        assert "made-up" in expanded
        assert expanded.issuperset({"made-up", "viewer"})
        assert not expanded.isdisjoint({"made-up"})
        assert expanded.isdisjoint(())
        assert not expanded.issuperset([7])

    def test_nobody_else_has(self) -> None:
        """Law 8.5."""
        assert {"viewer"} == self.ROLES.expand(["viewer"])
        assert "made-up" not in self.ROLES.expand(["viewer"])

    @pytest.mark.parametrize("every", ["admin", ["admin"], frozenset({7}), frozenset({""})])
    def test_what_is_none_is_said(self, every: Any) -> None:
        """Law 1.6."""
        assert [
            "no frozenset of role names" in problem for problem in RoleHierarchy(every=every).problems()
        ] == [True]

    def test_it_is_a_part_of_the_value(self) -> None:
        """Of what is printed, compared and hashed."""
        assert "every=['admin']" in repr(self.ROLES)
        assert RoleHierarchy({"owner": ["admin"]}) != self.ROLES
        assert hash(RoleHierarchy({"owner": ["admin"]}, every=frozenset({"admin"}))) == hash(self.ROLES)
