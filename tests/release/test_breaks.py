"""What a change breaks is found against the last tag, in repositories made for each test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release.breaks import last_tag, main, public_modules, verdict, waivers
from release.house import ROOT

BEFORE = {
    "packages/authgate-core/src/authgate_core/__init__.py": """
from . import ports
from .gate import Gate

__all__ = ["Gate", "ports"]
""",
    "packages/authgate-core/src/authgate_core/gate.py": """
class Base:
    def close(self, wait=True):
        '''End.'''

class Gate(Base):
    def admit(self, request, policy=None):
        '''Admit.'''
""",
    "packages/authgate-core/src/authgate_core/ports.py": "class Clock:\n    def now(self):\n        '''Now.'''\n",
    "packages/authgate-core/src/authgate_core/rooms.py": "def private(one):\n    '''Ours.'''\n",
    "docs/reference/names.md": "# Names\n\n## `authgate_core`\n\n- `Gate`: admits.\n",
    "release/waivers.toml": "[meant]\n",
}
GATE = "packages/authgate-core/src/authgate_core/gate.py"


def git(root: Path, *arguments: str) -> None:
    """Run git in a repository, as nobody in particular."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def change(root: Path, path: str, old: str, new: str) -> None:
    """Replace a text in a file of the repository."""
    text = (root / path).read_text("utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def untagged(tmp_path: Path) -> Path:
    """A repository with one package, of which no version is tagged."""
    for name, text in BEFORE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


@pytest.fixture
def repository(untagged: Path) -> Path:
    """The same, tagged."""
    git(untagged, "tag", "-m", "", "v1.0.0")
    return untagged


class TestBreaks:
    @pytest.mark.parametrize(
        ("old", "new", "found"),
        [
            ("policy=None", "", "authgate_core.gate.Gate.admit: Parameter was removed"),
            ("request,", "request, body,", "authgate_core.gate.Gate.admit: Parameter was added as required"),
            ("wait=True", "wait=False", "Parameter default was changed"),
            ("def admit", "def let_in", "authgate_core.gate.Gate.admit: Public object was removed"),
            ("class Gate(", "class Door(", "authgate_core.Gate: Public object was removed"),
        ],
    )
    def test_one_is_told(
        self, repository: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, found: str
    ) -> None:
        """What is gone, what is asked for anew, and what means something else; inherited members too."""
        change(repository, GATE, old, new)
        if "Door" in new:
            change(repository, "packages/authgate-core/src/authgate_core/__init__.py", "Gate", "Door")

        assert 1 == main(repository)
        assert found in capsys.readouterr().out

    def test_so_is_a_module_that_is_gone(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One that the last version promised by a section of its own."""
        git(repository, "mv", "packages/authgate-core/src/authgate_core", "packages/authgate-core/src/other")

        assert 1 == main(repository)
        assert "broken: authgate_core: the module is gone" in capsys.readouterr().out

    def test_exported_modules_are_looked_into(
        self, repository: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """As those of ports, which users implement."""
        change(repository, "packages/authgate-core/src/authgate_core/ports.py", "def now", "def time")

        assert 1 == main(repository)
        assert "authgate_core.ports.Clock.now: Public object was removed" in capsys.readouterr().out

    def test_rooms_are_our_own(self, repository: Path) -> None:
        """A module that nothing exports may change, and so may what is only added."""
        change(repository, "packages/authgate-core/src/authgate_core/rooms.py", "(one)", "(one, two)")
        change(repository, GATE, "policy=None", "policy=None, *, body=None")

        assert 0 == main(repository)

    def test_nothing_is_left_in_the_repository(self, repository: Path) -> None:
        """The last version is looked at elsewhere."""
        main(repository)

        listed = subprocess.run(
            ["git", "-C", str(repository), "worktree", "list"], capture_output=True, text=True, check=True
        )
        assert 1 == len(listed.stdout.splitlines())


class TestWaivers:
    def test_what_is_meant_is_in_order(self, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """When the line that was printed stands there with a reason."""
        change(repository, GATE, "def admit", "def let_in")
        main(repository)
        (line,) = [one for one in capsys.readouterr().out.splitlines() if one.startswith("broken: ")]
        text = f"[meant]\n'{line.removeprefix('broken: ')}' = 'the name was wrong'\n"
        (repository / "release/waivers.toml").write_text(text, "utf-8")

        assert 0 == main(repository)

    def test_one_that_nothing_needs_is_wrong(self) -> None:
        """It would hide the next break of that name."""
        assert ["a waiver that no break needs: a"] == verdict([], {"a": "why"})

    def test_one_without_a_reason_is_wrong(self) -> None:
        """Whoever upgrades will ask."""
        assert ["a waiver without its reason: a"] == verdict(["a"], {"a": " "})

    def test_ours_can_be_read(self) -> None:
        """As it stands."""
        assert all(reason.strip() for reason in waivers(ROOT).values())


class TestNoTag:
    def test_nothing_can_be_broken(self, untagged: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """It says so, and looks whether the names can be read."""
        assert last_tag(untagged) is None
        assert 0 == main(untagged)
        assert "no version is tagged yet" in capsys.readouterr().out

    def test_names_that_cannot_be_read_are_told(
        self, untagged: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Else the first check after a release would find them."""
        change(untagged, "docs/reference/names.md", "## `authgate_core`", "## `authgate_core.absent`")

        assert 1 == main(untagged)
        assert "cannot be read: authgate_core.absent" in capsys.readouterr().out

    def test_other_tags_are_no_versions(self, untagged: Path) -> None:
        """A version is a `v` and a number."""
        git(untagged, "tag", "-m", "", "nightly")

        assert last_tag(untagged) is None


class TestPublicModules:
    def test_ours_are_those_of_the_page(self) -> None:
        """The core and every adapter among them."""
        assert {"authgate_core", "authgate_flask", "authgate_fastapi"} <= {*public_modules(ROOT)}
