"""The pages of reference/api: one for each package whose names are public."""

from __future__ import annotations

import re
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
SECTIONS = set(re.findall(r"^## `([\w.]+)`$", (REFERENCE / "names.md").read_text("utf-8"), re.MULTILINE))


class TestPages:
    def test_each_package_has_one(self) -> None:
        """But for what holds no names, and the modules of older clients, of which names.md says everything."""
        filled = [
            module
            for page in sorted((REFERENCE / "api").glob("*.md"))
            for module in re.findall(r"^<!-- names of ([\w.]+) -->$", page.read_text("utf-8"), re.MULTILINE)
        ]
        ours = {module for module in SECTIONS if ".compat." not in module} - {"authgate_graphql"}

        assert sorted(ours) == sorted(filled)
