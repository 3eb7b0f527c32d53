"""What was found, as it is shown and written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Final

from .subjects import BOUNDS

__all__ = ["HEAD", "line", "middle", "missed", "others", "written"]

HEAD: Final = f"{'what':<42}{'measured':>10}{'at most':>9}  the same work by others"
_BY: Final = "_by_"


def middle(found: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The medians of what several processes found, key by key."""
    processes = tuple(found)
    return {key: round(median(one[key] for one in processes), 3) for key in processes[0]}


def missed(results: Mapping[str, float]) -> list[str]:
    """The keys whose results are beyond their bounds."""
    return [key for key, bound in BOUNDS.items() if bound is not None and results.get(key, 0) > bound]


def line(key: str, results: Mapping[str, float]) -> str:
    """A key as the table shows it."""
    bound = BOUNDS[key]
    shown = "-" if bound is None else f"{bound:g}"
    beside = ", ".join(f"{name} {value:.2f}" for name, value in others(key, results).items())
    verdict = "MISSED  " if key in missed({key: results[key]}) else ""
    return f"{key:<42}{_short(results[key]):>10}{shown:>9}  {verdict}{beside}".rstrip()


def written(
    results: Mapping[str, float], date: str, environments: Mapping[str, Mapping[str, str]]
) -> dict[str, object]:
    """What ``bench/results.json`` holds: every key, and below ``run`` when and with what it was measured.

    Args:
        results: What was found.
        date: Of the run.
        environments: The versions of what each environment has, the interpreter's among them.

    Raises:
        KeyError: If a key of a subject was not measured.
    """
    keys = {key: results[key] for key in BOUNDS}
    return {**keys, **results, "missed": missed(results), "run": {"date": date, "environments": environments}}


def others(key: str, results: Mapping[str, float]) -> dict[str, float]:
    """What others took for the same work, by their names."""
    prefix = f"{key}{_BY}"
    return {name.removeprefix(prefix): value for name, value in results.items() if name.startswith(prefix)}


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3f}"
