"""The page of settings: what it shows is what is read."""

from __future__ import annotations

import ast
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import authgate_core as ag
from authgate_core.config.environment import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def section(heading: str) -> str:
    """What stands below a heading of the page, up to the next; the beginning has none."""
    parts = re.split(r"^## (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))[heading]


class TestSettings:
    """The table of what can be given by name."""

    def test_it_has_every_setting(self) -> None:
        """And besides them the one that the Flask extension reads."""
        shown = re.findall(r"^\| `(AUTHGATE_\w+)` \| \S", section(""), re.MULTILINE)
        read = [f"AUTHGATE_{name.upper()}" for name in Settings.model_fields]

        assert sorted([*read, "AUTHGATE_SET_G"]) == sorted(shown)

    def test_it_has_the_defaults(self) -> None:
        """Of what is a number, or on or off."""
        shown = dict(re.findall(r"^\| `AUTHGATE_(\w+)` \|.*\| `?(\w+)`? \|$", section(""), re.MULTILINE))
        plain = {
            name.upper(): str(field.default).lower()
            for name, field in Settings.model_fields.items()
            if isinstance(field.default, (bool, int))
        }

        assert plain == {name: shown.get(name) for name in plain}


class TestArguments:
    """The table of what is given in code."""

    def test_it_has_every_argument(self) -> None:
        """Of ``GateConfig``, and no other."""
        shown = re.findall(r"^\| `(\w+)` \| \S", section("In code"), re.MULTILINE)

        assert sorted(field.name for field in fields(ag.GateConfig)) == sorted(shown)

    def test_it_has_the_defaults(self) -> None:
        """Those that it writes as code are those of ``GateConfig``, and all that are no None are there."""
        shown = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `(.+?)` \|", section("In code"), re.MULTILINE))
        defaults = {
            field.name: field.default
            for field in fields(ag.GateConfig)
            if field.default not in {MISSING, None, ()}
        }

        assert defaults == {name: ast.literal_eval(text) for name, text in shown.items()}

    def test_settings_that_it_names_are_settings(self) -> None:
        """So that none is looked for in vain."""
        named = set(re.findall(r"AUTHGATE_(\w+)`", section("In code")))

        assert set() == {name for name in named if name.lower() not in Settings.model_fields}


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
