"""Which versions the packages are tried with at either end of what they declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from release.bounds import constraints, declared, lowest, main
from release.house import LIBRARIES, PACKAGES, ROOT
from release.touching import SUBJECTS, touching


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Four packages, of which the core needs one library and has one in an extra, and a tool."""
    for package in PACKAGES:
        folder = tmp_path / "packages" / f"authgate-{package}"
        folder.mkdir(parents=True)
        needs = '"A_Library[fast]>=1.2", "authgate-flask==1.0"' if package == "core" else ""
        text = f"[project]\ndependencies = [{needs}]\n"
        if package == "core":
            text += '[project.optional-dependencies]\nmore = ["other>=3"]\n'
        (folder / "pyproject.toml").write_text(text, "utf-8")
    groups = '[dependency-groups]\ntest = [{ include-group = "more" }, "tool>=1"]\nmore = ["other>=3"]\n'
    (tmp_path / "pyproject.toml").write_text(groups, "utf-8")
    pins = "# pins\na-library==1.9\nbrought-along==7\nother==3.5\ntool==1.4\n"
    (tmp_path / "constraints.txt").write_text(pins, "utf-8")
    return tmp_path


class TestConstraints:
    def test_the_lowest_are_those_declared(self, repository: Path) -> None:
        """Extras included; tools are pinned, what is brought along is not, and siblings are no matter."""
        assert ["a-library==1.2", "other==3", "tool==1.4"] == constraints("lowest", repository)

    def test_the_newest_are_left_to_pip(self, repository: Path) -> None:
        """Only tools are pinned, so that a new one is no failure of ours."""
        assert ["tool==1.4"] == constraints("newest", repository)

    def test_a_tool_that_follows_a_dependency_is_free(self) -> None:
        """The SDK of OpenTelemetry needs the API of its own version, which is the lowest here."""
        assert [] == [line for line in constraints("lowest") if line.startswith("opentelemetry-sdk")]

    def test_a_dependency_without_a_floor_is_a_mistake(self) -> None:
        """Nobody could say what it needs."""
        with pytest.raises(ValueError, match="write flask>="):
            lowest([Requirement("flask<4")])

    def test_ours_all_have_one(self) -> None:
        """Frameworks and extras among them."""
        floors = dict(line.split("==") for line in lowest(declared()))
        assert {"fastapi", "flask", "graphene", "redis", "strawberry-graphql", "pyjwt"} <= {*floors}

    def test_every_library_of_ours_is_pinned_elsewhere(self) -> None:
        """Else the other sessions would try it with whatever is new that day."""
        files = sorted(ROOT.glob("constraints*.txt"))
        pinned = {line.partition("==")[0] for file in files for line in file.read_text("utf-8").splitlines()}
        assert [] == [line for line in lowest(declared()) if line.partition("==")[0] not in pinned]


class TestMain:
    def test_it_prints_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        """For pip to read."""
        main(["lowest"])
        assert constraints("lowest") == capsys.readouterr().out.splitlines()

    @pytest.mark.parametrize("arguments", [[], ["middle"], ["lowest", "newest"]])
    def test_it_asks_which(self, arguments: list[str]) -> None:
        """An end that it does not know is none."""
        with pytest.raises(SystemExit, match="say which end"):
            main(arguments)


class TestTouching:
    @pytest.mark.parametrize("library", ["", *LIBRARIES])
    def test_the_files_are_there(self, library: str) -> None:
        """And each is named once."""
        files = touching(library)
        assert [] == [path for path in files if not (ROOT / path).is_file()]
        assert len({*files}) == len(files) > 0

    def test_no_package_is_left_out(self) -> None:
        """GraphQL's is tried with either library."""
        assert {*PACKAGES, *LIBRARIES} - {"graphql"} == {*SUBJECTS}

    def test_one_that_is_not_there_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A test that was renamed would be left out without a word."""
        monkeypatch.setitem(SUBJECTS, "graphene", "renamed")
        with pytest.raises(LookupError, match="test_graphene_renamed"):
            touching("graphene")
