"""The page of settings: what it shows is what is read."""

from __future__ import annotations

import re
from pathlib import Path

import authgate_core as ag

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


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
