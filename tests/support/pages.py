"""Reads pages of the documentation, and runs their examples as a reader would paste them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page: str, language: str = "python") -> list[str]:
    """The examples of a page in a language, in order, without what a list indents them by."""
    text = (HOW_TO / page).read_text("utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def pasted(
    page: str, *numbers: int, real: Mapping[str, str] | None = None, names: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What names are after some examples of a page ran one after the other, as in one file.

    Args:
        page: The file, below ``docs/how-to``.
        numbers: Which of its Python examples, counted from 0.
        real: What stands in the place of the texts of the page, such as the address of an issuer that is there.
        names: What the examples find, and where their own names go.
    """
    names = {"__name__": "pasted"} if names is None else names
    for number in numbers:
        text = blocks(page)[number]
        for shown, instead in (real or {}).items():
            text = text.replace(shown, instead)
        exec(compile(text, page, "exec"), names)
    return names
