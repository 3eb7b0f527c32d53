"""What is tried of built packages: each in an environment of its own, with the tests that it brings."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from release.house import PACKAGES, ROOT, project_of
from release.installed import CASES, Case, packed_tests

ALONE = ROOT / ".ci" / "import_alone.py"


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program that imports a package where nothing else should be."""
    command = [sys.executable, "-I", str(ALONE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def packed(folder: Path, *names: str) -> Path:
    """An sdist that holds files of these names."""
    path = folder / "authgate_core-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"authgate_core-1.0/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return path


class TestCases:
    def test_every_package_is_tried_with_and_without_its_libraries(self) -> None:
        """None is left out, and neither is a library of GraphQL."""
        assert {*PACKAGES} == {case.package for case in CASES if not case.extra}
        graphql = project_of("graphql")["optional-dependencies"]
        assert {*graphql} == {case.extra for case in CASES if case.extra and case.package == "graphql"}

    @pytest.mark.parametrize("case", [case for case in CASES if case.tests], ids=lambda case: case.name)
    def test_its_tests_import_nothing_of_the_checkout(self, case: Case) -> None:
        """They are run where there is none."""
        text = (ROOT / "packages" / f"authgate-{case.package}" / case.tests).read_text("utf-8")
        assert "from tests" not in text
        assert "conftest" not in text

    def test_what_is_unwanted_never_names_what_is_asked_for(self) -> None:
        """A framework of one's own is wanted."""
        assert [] == [case.name for case in CASES if {case.package, case.extra} & {*case.unwanted}]


class TestPackedTests:
    def test_they_are_read_from_the_sdist(self, tmp_path: Path) -> None:
        """Not from the folder that it was made of."""
        sdist = packed(tmp_path, "README.md", "tests/test_core_installed.py")
        assert "tests/test_core_installed.py" == packed_tests(sdist, "tests/test_core_installed.py")

    def test_an_sdist_without_them_is_a_failure(self, tmp_path: Path) -> None:
        """Nothing passes for want of a test."""
        with pytest.raises(LookupError, match="has 0 files"):
            packed_tests(packed(tmp_path, "README.md"), "tests/test_core_installed.py")


class TestImportedAlone:
    def test_what_is_not_installed_here_is_refused(self) -> None:
        """A module of the checkout, as here, is not what somebody installs."""
        found = alone("authgate_core")
        assert (1, True) == (found.returncode, "which is not what was installed" in found.stderr)

    def test_what_came_along_is_named(self) -> None:
        """Imported with the module, or installed with it."""
        found = alone("pytest", "pluggy")
        assert (1, "importing pytest imported ['pluggy']\n") == (found.returncode, found.stderr)
        found = alone("pytest", "flask")
        assert (1, "installing pytest brought ['flask']\n") == (found.returncode, found.stderr)

    def test_nothing_unwanted_is_fine(self) -> None:
        """And says nothing."""
        assert (0, "") == ((found := alone("pytest", "django")).returncode, found.stderr)
