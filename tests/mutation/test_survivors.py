"""The list of mutants that may survive is true in form; ``nox -s mutate`` sees to it that it is true in fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutation.rooms import CORE, ROOMS
from mutation.survivors import SURVIVORS, Survivor, explained, shown
from mutation.verdict import Found, Outcome, problems, table

MUTANT = Survivor("policy/terms.py", "Nobody.holds", "return False", "return True")
OTHER = Survivor("policy/terms.py", "Nobody.holds", "return False", "return 'never'")
ENTRY = shown([MUTANT])


def found(outcome: Outcome, mutant: Survivor = MUTANT, room: str = "policy") -> Found:
    """What a run would say of a mutant."""
    return Found(room, mutant, outcome)


def said(*all_found: Found, explained: tuple[Survivor, ...] = (), whole: bool = False) -> list[str]:
    """What is wrong, without the mutants that are concerned."""
    return [text.partition(":")[0] for text in problems(all_found, explained, whole=whole)]


class TestTheList:
    def test_each_mutant_is_of_a_file_of_a_room(self) -> None:
        """Whoever moves a file moves what is said of it."""
        files = {path for room in ROOMS.values() for path in room.sources()}

        assert [] == [survivor.file for survivor in explained(SURVIVORS) if CORE / survivor.file not in files]

    def test_an_entry_is_read_as_it_is_printed(self, tmp_path: Path) -> None:
        """What the session prints is the entry, where only the reason is left to write."""
        path = tmp_path / "survivors.toml"
        path.write_text(ENTRY.replace('why = ""', 'why = "nobody asks"'), "utf-8")

        assert {MUTANT: "nobody asks"} == explained(path)

    @pytest.mark.parametrize(
        "text",
        [
            ENTRY,
            ENTRY.replace('why = ""', 'why = " "'),
            ENTRY.replace("within", "inside").replace('why = ""', 'why = "nobody asks"'),
            "\n".join([ENTRY.replace('why = ""', 'why = "nobody asks"')] * 2),
        ],
        ids=["no reason", "a blank reason", "another key", "twice"],
    )
    def test_a_wrong_entry_is_refused(self, text: str, tmp_path: Path) -> None:
        """Each mutant is named whole, once, and with a reason."""
        path = tmp_path / "survivors.toml"
        path.write_text(text, "utf-8")

        with pytest.raises(ValueError, match=r"no reason|unexpected|twice"):
            explained(path)


class TestTheRooms:
    def test_each_is_a_room_of_the_core(self) -> None:
        """A room that was renamed is not left out in silence."""
        assert [] == [room.name for room in ROOMS.values() if not list(room.sources())]

    def test_each_has_the_tests_that_it_names(self) -> None:
        """Each pattern names a file of tests."""
        tests = {pattern: room for room in ROOMS.values() for pattern in room.tests}

        assert [] == [pattern for pattern, room in tests.items() if not room.files_of(pattern)]


class TestTheVerdict:
    def test_a_mutant_that_was_noticed_is_no_problem(self) -> None:
        """Killed and timed out are both noticed."""
        assert [] == said(found(Outcome.KILLED), found(Outcome.TIMED_OUT, OTHER), whole=True)

    def test_a_survivor_must_be_explained(self) -> None:
        """A mutant that survived is a problem, until the list says why."""
        survived = found(Outcome.SURVIVED)

        assert ["1 survived, and the list does not say why"] == said(survived)
        assert [] == said(survived, explained=(MUTANT,))

    @pytest.mark.parametrize("outcome", [Outcome.KILLED, Outcome.TIMED_OUT])
    def test_a_mutant_of_the_list_must_survive(self, outcome: Outcome) -> None:
        """What a test notices by now is taken out of the list."""
        assert ["1 in the list, and noticed by a test"] == said(found(outcome), explained=(MUTANT,))

    def test_a_mutant_of_the_list_must_exist(self) -> None:
        """What the code no longer holds is taken out; only a whole run can tell."""
        killed = found(Outcome.KILLED)

        assert ["1 in the list, and no mutant any more"] == said(killed, explained=(OTHER,), whole=True)
        assert [] == said(killed, explained=(OTHER,), whole=False)

    def test_nine_of_ten_must_be_noticed_in_each_room(self) -> None:
        """A room below that fails, though each survivor were explained and other rooms were better."""
        mutants = [Survivor("policy/terms.py", "", "", str(number)) for number in range(10)]
        nine = [found(Outcome.KILLED, mutant) for mutant in mutants[:9]]
        other = [found(Outcome.KILLED, mutant, room="jose") for mutant in mutants]
        one = found(Outcome.SURVIVED, mutants[9])

        assert [] == said(*nine, one, *other, explained=(mutants[9],), whole=True)
        assert ["policy"] == said(*nine[:8], one, *other, explained=(mutants[9],), whole=True)

    def test_the_table_has_a_line_for_each_room(self) -> None:
        """Mutants, killed, timed out, survived, score."""
        lines = table(
            [found(Outcome.KILLED), found(Outcome.TIMED_OUT), found(Outcome.SURVIVED), found(Outcome.KILLED)]
        )

        assert ["policy", "4", "2", "1", "1", "75.0", "%"] == lines.splitlines()[1].split()
