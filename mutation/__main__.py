"""Mutate the rooms that decide, and hold their tests against it."""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from .hints import Hints
from .imported import attempt
from .mutants import Mutant, mutants_of
from .reach import Reach, measured
from .rooms import CORE, ROOMS, ROOT, Room
from .running import import_all, keep_bytecode, libraries
from .survivors import Survivor, explained
from .swapped import swapped
from .trials import Trial, tried
from .verdict import Found, Outcome, problems, table


def main() -> int:
    """Try the mutants of some rooms, or of all; 0 when each was noticed or is explained."""
    options = _options()
    os.chdir(ROOT)
    began = time.monotonic()
    rooms: list[Room] = options.rooms or [*ROOMS.values()]
    with tempfile.TemporaryDirectory(prefix="mutation-") as home:
        keep_bytecode(Path(home))
        reach = _reach(rooms)
        if reach is None:
            print("the tests fail on the code as it is", flush=True)
            return 1
        trials = [_trial(room, mutant, reach) for room in rooms for mutant in _wanted(room, options.only)]
        print(f"{len(trials)} mutants; the tests took {time.monotonic() - began:.0f} s", flush=True)
        known = {survivor for survivor in explained() if _is_of(survivor, rooms)}
        found = list(_found(trials, known, options.workers, Path(home)))
        stands = _stands(trials, Path(home))
    wrong = problems(found, known, whole=not options.only)
    print("", *wrong, table(found) if found else "no such mutant", sep="\n\n")
    print(f"{time.monotonic() - began:.0f} s with {options.workers} at a time", flush=True)
    if not stands:
        print("the tests fail on the code as it is by now, so nothing above counts", flush=True)
    return 1 if wrong or not found or not stands else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s mutate --", description=__doc__)
    parser.add_argument("rooms", nargs="*", type=_room, metavar="ROOM", help="which; all when none is named")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="mutants that hold this text in a name or a line"
    )
    return parser.parse_args()


def _room(name: str) -> Room:
    if name not in ROOMS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(ROOMS)}")
    return ROOMS[name]


def _reach(rooms: Sequence[Room]) -> Reach | None:
    """Measure in a child, so that nothing of authgate is loaded here, and load the libraries that it needed."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        sources = [path for room in rooms for path in room.sources()]
        files = sorted({file for room in rooms for file in room.test_files()})
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump((measured(sources, files), libraries()), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer: tuple[Reach | None, list[str]] = pickle.load(pipe)  # noqa: S301  # from our own child
    os.waitpid(child, 0)
    import_all(answer[1])
    return answer[0]


def _wanted(room: Room, text: str) -> Iterator[Mutant]:
    for mutant in mutants_of(room):
        if any(text in part for part in (mutant.file, mutant.within, mutant.was, mutant.now)):
            yield mutant


def _trial(room: Room, mutant: Mutant, reach: Reach) -> Trial:
    tests = reach.of(mutant, room.test_files())
    seconds = sum(reach.seconds[test] for test in tests)
    return Trial(mutant, tuple(tests), seconds, reach.runs_early(mutant))


def _is_of(survivor: Survivor, rooms: Sequence[Room]) -> bool:
    return any(CORE / survivor.file in room.sources() for room in rooms)


def _found(trials: Sequence[Trial], known: set[Survivor], workers: int, home: Path) -> Iterator[Found]:
    """What becomes of each; what may have been an accident is tried again.

    A test may have stumbled that noticed one of the list, and a machine that was busy or asleep lets time run out.
    """
    doubted: list[Trial] = []
    for count, (trial, outcome) in enumerate(_tried(trials, workers, home), 1):
        if count % 100 == 0:
            print(f"{count} of {len(trials)}", flush=True)
        mutant = _named(trial.mutant)
        if outcome is Outcome.TIMED_OUT or (outcome is Outcome.KILLED and mutant in known):
            doubted.append(trial)
            continue
        if outcome is Outcome.SURVIVED and mutant not in known:
            print(
                f"\n{outcome.value} {trial.seconds:.1f} s of {len(trial.tests)} tests\n{mutant}", flush=True
            )
        yield Found(trial.mutant.room, mutant, outcome)
    again = partial(attempt, hints=Hints(home / "hints"))
    for trial, outcome in tried(doubted, again, workers=1, log=home / "log"):
        yield Found(trial.mutant.room, _named(trial.mutant), outcome)


def _tried(trials: Sequence[Trial], workers: int, home: Path) -> Iterator[tuple[Trial, Outcome]]:
    """Try mutants of functions where the tests are collected once, and what that cannot tell one by one."""
    hints, log = Hints(home / "hints"), home / "log"
    left = [trial for trial in trials if not trial.mutant.function]
    for name in dict.fromkeys(trial.mutant.room for trial in trials):
        quick = [trial for trial in trials if trial.mutant.room == name and trial.mutant.function]
        for trial, outcome in swapped(quick, ROOMS[name].test_files(), hints, workers=workers, log=log):
            if outcome is None or (outcome is Outcome.SURVIVED and trial.early and trial.tests):
                left.append(trial)
            else:
                yield trial, outcome
    yield from tried(left, partial(attempt, hints=hints), workers=workers, log=log)


def _stands(trials: Sequence[Trial], home: Path) -> bool:
    """Whether the code as it is still passes where mutants were noticed: somebody may have changed it meanwhile."""
    asked = [trial for trial in trials if trial.tests][-1:]
    same = (replace(trial.mutant, source=trial.mutant.path.read_text("utf-8")) for trial in asked)
    trials = [replace(trial, mutant=mutant) for trial, mutant in zip(asked, same, strict=True)]
    again = partial(attempt, hints=Hints(home / "hints"))
    return all(
        outcome is Outcome.SURVIVED for _, outcome in tried(trials, again, workers=1, log=home / "log")
    )


def _named(mutant: Mutant) -> Survivor:
    return Survivor(mutant.file, mutant.within, mutant.was, mutant.now, mutant.nth)


if __name__ == "__main__":
    sys.exit(main())
