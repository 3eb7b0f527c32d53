"""The benchmarks' table, subjects and results: they speak of the same keys."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.readme import renewed
from bench.results import line, middle, missed, written
from bench.subjects import BOUNDS, SUBJECTS, Subject

README = Path(__file__).parents[2] / "bench" / "README.md"
ROW = re.compile(r"^\| `(\w+)` \| ([\d.]+|-) \| ([\d.]+) \|", re.MULTILINE)
PROMISED = {
    "cold_rs256_over_raw": 1.75,
    "cold_rs256_over_pyjwt": 0.40,
    "cold_rs256_over_best_peer": 0.80,
    "cold_es256_over_raw": 1.25,
    "cold_eddsa_over_raw": 1.15,
    "kid_lookup_and_verify_over_pyjwkclient": 0.25,
    "hit_over_raw": 0.11,
    "admit_hit_over_raw": 0.50,
    "hit_4_threads_over_1": 1.3,
    "reject_8kb_junk_over_raw": 0.1,
    "fastapi_middleware_hit_over_plain": 1.15,
    "fastapi_depends_hit_over_noop_depends": 1.15,
    "flask_hit_over_plain": 1.12,
    "strawberry_100_over_plain": 1.10,
    "graphene_100_over_plain": 1.06,
    "redis_revocation_over_one_get": 1.3,
    "cached_bytes_per_token": 1536,
}
"""The bounds that the project set itself; loosening one takes two edits."""

VERSIONS = dict.fromkeys(("python", "cryptography", "pyjwt", "joserfc", "authlib", "redis"), "1.0")


class TestTable:
    """The table of the README, from a run of the date that stands there."""

    def test_it_has_every_key_with_its_bound(self) -> None:
        """In the order in which they are measured."""
        shown = {key: None if bound == "-" else float(bound) for key, bound, _ in ROW.findall(_readme())}

        assert [*BOUNDS.items()] == [*shown.items()]

    def test_it_says_of_each_bound_whether_it_was_kept(self) -> None:
        """As the figure beside it has it."""
        figures = {key: float(figure) for key, _, figure in ROW.findall(_readme())}
        said = re.findall(r"^\| `(\w+)` \|.*\| missed \|", _readme(), re.MULTILINE)

        assert missed(figures) == said

    def test_it_is_written_from_results(self) -> None:
        """Whatever stood there before; the words around it stay."""
        found = written(dict.fromkeys(BOUNDS, 0.5), "2026-01-02 03:04 UTC", {"main": VERSIONS})
        page = renewed("before\n<!-- results -->\nold\n<!-- end -->\nafter\n", found)

        assert [(key, "0.5") for key in BOUNDS] == [(key, figure) for key, _, figure in ROW.findall(page)]
        assert ("before", "after", True) == (
            *page.splitlines()[:: len(page.splitlines()) - 1],
            "03:04" in page,
        )

    def test_it_has_a_date(self) -> None:
        """That of the run, to the minute."""
        assert re.search(r"\b20\d\d-\d\d-\d\d \d\d:\d\d UTC\b", _readme())


class TestSubjects:
    """What is measured."""

    def test_the_project_keeps_its_bounds(self) -> None:
        """A bound that was promised is not loosened unseen."""
        assert PROMISED == {key: BOUNDS.get(key) for key in PROMISED}

    def test_each_key_belongs_to_one(self) -> None:
        """So that nothing is overwritten."""
        assert len(BOUNDS) == sum(len(subject.bounds) for subject in SUBJECTS)

    @pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.module)
    def test_each_is_a_module(self, subject: Subject) -> None:
        """Of the benchmarks' package."""
        assert find_spec(f"bench.{subject.module}")


class TestResults:
    """What ``bench/results.json`` holds."""

    def test_every_key_is_there(self) -> None:
        """Each with its number, and beside them when and with what they were measured."""
        found = written({**dict.fromkeys(BOUNDS, 0.5), "hit_over_raw_by_nobody": 2.0}, "now", {"main": {}})

        assert {**dict.fromkeys(BOUNDS, 0.5), "hit_over_raw_by_nobody": 2.0} == {
            key: value for key, value in found.items() if isinstance(value, float)
        }
        assert {"date": "now", "environments": {"main": {}}} == found["run"]

    def test_a_key_that_was_not_measured_is_no_result(self) -> None:
        """A subject that forgot one fails the run."""
        with pytest.raises(KeyError, match="hit_over_raw"):
            written({key: 1.0 for key in BOUNDS if key != "hit_over_raw"}, "now", {})

    def test_processes_agree_on_the_middle(self) -> None:
        """One that others disturbed counts no more than one that nobody did."""
        assert {"a": 1.1} == middle([{"a": 1.0}, {"a": 9.0}, {"a": 1.1}])

    def test_a_bound_is_missed_by_what_lies_beyond_it(self) -> None:
        """And kept by what reaches it; what has no bound misses none."""
        assert ["hit_over_raw"] == missed(
            {"hit_over_raw": 0.12, "admit_hit_over_raw": 0.5, "reject_8kb_shapeless_over_raw": 99.0}
        )

    def test_a_line_shows_who_else_did_the_work(self) -> None:
        """The bound, what was missed, and every peer."""
        found = {"cold_es256_over_raw": 1.5, "cold_es256_over_raw_by_pyjwt": 2.0}

        assert ["cold_es256_over_raw", "1.500", "1.25", "MISSED", "pyjwt", "2.00"] == line(
            "cold_es256_over_raw", found
        ).split()


def _readme() -> str:
    return README.read_text("utf-8")
