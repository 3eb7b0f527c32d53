"""What holds for the repository as a whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.architecture.house import PACKAGES, ROOT, tracked_files

PROJECTS = {
    name: tomllib.loads((ROOT / "packages" / name.replace("_", "-") / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    for name in PACKAGES
}
# Put together here, so that this file is not its own find.
HOSTS = re.compile("|".join((r"pypi\." + "org", "python" + r"hosted\.org", r"registry\.npm" + r"js\.org")))
PATHS = re.compile("|".join((r"(?<![\w.~-])/(?:home|Users|root)/\w", "/" + "work/", "/tmp" + "/w/")))


class TestVersion:
    def test_every_package_has_the_same_version(self) -> None:
        """There is one version, a literal in each package."""
        assert 1 == len({project["version"] for project in PROJECTS.values()})

    def test_siblings_are_pinned_to_it(self) -> None:
        """A package asks for its siblings in exactly its own version."""
        pins = {
            requirement
            for project in PROJECTS.values()
            for requirement in project["dependencies"]
            if requirement.startswith("authgate")
        }

        assert {f"authgate-core=={PROJECTS['authgate_core']['version']}"} == pins

    def test_the_changelog_knows_it(self) -> None:
        """CHANGELOG.md has a section for the version, or the files of changelog.d wait for one."""
        version = PROJECTS["authgate_core"]["version"]
        written = f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")

        assert written or [*ROOT.glob("changelog.d/*/*.md")]


class TestTrackedFiles:
    def test_none_names_a_machine(self) -> None:
        """No tracked file holds a path of the machine it was written on."""
        assert [] == [
            str(path.relative_to(ROOT)) for path in _texts() if PATHS.search(path.read_text("utf-8"))
        ]

    def test_none_names_a_registry(self) -> None:
        """No tracked file holds the address of a package registry: whoever installs has their own."""
        assert [] == [
            str(path.relative_to(ROOT)) for path in _texts() if HOSTS.search(path.read_text("utf-8"))
        ]

    def test_constraints_are_versions_only(self) -> None:
        """A constraints file pins names to versions and says nothing else."""
        line = re.compile(r"(#.*|[a-z0-9][a-z0-9-]*==[0-9][\w.]*)?")

        for path in ROOT.glob("constraints*.txt"):
            assert [] == [one for one in path.read_text("utf-8").splitlines() if not line.fullmatch(one)]


def _texts() -> list[Path]:
    return [path for path in tracked_files() if path.suffix not in {".png", ".ico"}]
