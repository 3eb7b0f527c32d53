"""The files of changelog.d: each is where the section of a release will have it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from release.house import PACKAGES, ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["towncrier"]
FILES = sorted(path for path in (ROOT / "changelog.d").rglob("*") if path.is_file())


class TestFiles:
    def test_each_has_a_folder_and_a_kind_that_are_known(self) -> None:
        """Another is passed over without a word, and the release does not tell of it."""
        folders = "|".join(section["path"] for section in SETTINGS["section"])
        kinds = "|".join(kind["directory"] for kind in SETTINGS["type"])
        known = re.compile(rf"README\.md|(?:{folders})/(?:\+[a-z0-9-]+|[0-9]+)\.(?:{kinds})\.md")
        names = [path.relative_to(ROOT / "changelog.d").as_posix() for path in FILES]

        assert [] == [name for name in names if not known.fullmatch(name)]

    def test_every_package_has_a_folder(self) -> None:
        """And so has what is none of them."""
        assert {*PACKAGES, "repository"} == {section["path"] for section in SETTINGS["section"]}

    def test_the_page_explains_every_kind(self) -> None:
        """Whoever adds a file looks there."""
        page = (ROOT / "changelog.d" / "README.md").read_text("utf-8")

        assert [kind["directory"] for kind in SETTINGS["type"]] == re.findall(r"(?m)^\| `(\w+)` \|", page)


class TestSection:
    def test_it_holds_every_file(self) -> None:
        """Each by its first words, under a heading with the version."""
        command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]
        made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        first = [path.read_text("utf-8").splitlines()[0] for path in FILES if path.name != "README.md"]

        assert "## [9.9.9] - " in made
        assert [] == [line for line in first if f"- {line}" not in made]

    def test_it_has_a_place(self) -> None:
        """A release is written below this line."""
        assert 1 == (ROOT / "CHANGELOG.md").read_text("utf-8").count(SETTINGS["start_string"])
