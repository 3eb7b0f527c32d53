"""Write what ``bench/results.json`` holds into the table of ``bench/README.md``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from .results import missed, others
from .subjects import BOUNDS

__all__ = ["renewed"]

HERE: Final = Path(__file__).parent
PART: Final = re.compile(r"(<!-- results -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD: Final = "| key | at most | measured | bound | the same work by others |\n|---|---|---|---|---|\n"


def renewed(page: str, found: Mapping[str, Any]) -> str:
    """A page with the table of these results.

    Args:
        page: As it is.
        found: What ``bench/results.json`` holds.
    """
    run = found["run"]
    libraries = run["environments"]["main"]
    named = ", ".join(
        f"{name} {libraries[name]}" for name in ("cryptography", "pyjwt", "joserfc", "authlib", "redis")
    )
    said = f"{run['date']}, {libraries['python']}, {named}\n\n"
    rows = "\n".join(_row(key, found) for key in BOUNDS)
    return PART.sub(lambda part: f"{part[1]}{said}{HEAD}{rows}\n{part[2]}", page)


def _row(key: str, found: Mapping[str, Any]) -> str:
    bound = BOUNDS[key]
    shown = "-" if bound is None else f"{bound:g}"
    verdict = "" if bound is None else "missed" if missed({key: found[key]}) else "kept"
    beside = ", ".join(f"{name} {value:.2f}" for name, value in others(key, found).items())
    return f"| `{key}` | {shown} | {found[key]:g} | {verdict} | {beside} |"


if __name__ == "__main__":
    results = json.loads((HERE / "results.json").read_text("utf-8"))
    readme = HERE / "README.md"
    readme.write_text(renewed(readme.read_text("utf-8"), results), "utf-8")
