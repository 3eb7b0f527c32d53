"""The page of settings: what it shows is what is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import authgate_core as ag

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


class TestMercury:
    """The mercury profile in code."""

    def test_the_example_builds_a_gate(self) -> None:
        """Pasted as it stands, it admits users and projects of Mercury as far as can be known without I/O."""
        (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
        names: dict[str, Any] = {}
        exec(compile(block, str(PAGE), "exec"), names)

        with ag.Gate(names["config"]) as gate:
            gate.check_policy(ag.is_user & ag.is_project)


class TestProjects:
    """The file of projects."""

    def test_the_example_is_a_directory(self, tmp_path: Path) -> None:
        """Pasted as it stands, a gate starts with it and admits a project of it."""
        (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
        path = tmp_path / "projects.toml"
        path.write_text(block)
        config = ag.GateConfig(projects=ag.StaticProjects.from_file(path), service_id="orders")
        headers = {
            "x-app-id": "reports.nightly",
            "x-app-secret": "chosen-by-somebody-and-not-shorter-than-32",
        }

        with ag.Gate(config) as gate:
            project = gate.admit(ag.RequestView("GET", "/", headers), ag.is_project).project

        assert ("reports", "Nightly reports", ("orders:read",)) == (project.id, project.name, project.scopes)
