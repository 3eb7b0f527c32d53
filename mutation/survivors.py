"""The list of mutants that no test notices and none should: each with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["SURVIVORS", "Survivor", "explained", "shown"]

SURVIVORS: Final = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True, order=True)
class Survivor:
    """How a mutant is named.

    Args:
        file: The file that is changed, below ``authgate_core``.
        within: The function or class of the change, by its qualified name; empty for neither.
        was: The lines that are changed, as they are.
        now: The same lines in the mutant.
        nth: Which of several changes that read alike.
    """

    file: str
    within: str
    was: str
    now: str
    nth: int = 1

    def __str__(self) -> str:
        lines = (f"{name} = {_quoted(getattr(self, name))}" for name in ("file", "within", "was", "now"))
        return "\n".join(("[[survivor]]", *lines, *([f"nth = {self.nth}"] if self.nth > 1 else [])))


def explained(path: Path = SURVIVORS) -> dict[Survivor, str]:
    """Every mutant that may survive, and why.

    Raises:
        ValueError: If an entry is incomplete, gives no reason, or stands twice.
    """
    entries: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["survivor"]
    reasons: dict[Survivor, str] = {}
    for entry in entries:
        reason = entry.pop("why", "")
        if not reason.strip():
            raise ValueError(f"no reason is given for {entry}")
        try:
            survivor = Survivor(**entry)
        except TypeError as error:
            raise ValueError(f"{entry}: {error}") from None
        if survivor in reasons:
            raise ValueError(f"explained twice: {survivor}")
        reasons[survivor] = reason
    return reasons


def _quoted(text: str) -> str:
    return f"'{text}'" if "'" not in text else f"'''{text}'''"


def shown(survivors: Iterable[Survivor]) -> str:
    """Survivors as the list has them, where only the reasons are left to write."""
    return "\n\n".join(f'{survivor}\nwhy = ""' for survivor in sorted(survivors))
