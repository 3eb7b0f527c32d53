"""Install what was built into environments that hold nothing else, and run there the tests that came with it.

``python -m release.installed DIST HOME`` takes the sdists and wheels from one folder and makes the environments in
another. A wheel is made from its sdist, so what passes here is what either brings.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .house import LIBRARIES, PACKAGES, ROOT

__all__ = ["CASES", "Case", "main", "packed_tests"]

_OPTIONAL: Final = {
    "fastapi",
    "flask",
    "graphene",
    "http_message_signatures",
    "ijson",
    "opentelemetry",
    "prometheus_client",
    "redis",
    "rich",
    "strawberry",
    "typer",
}
"""Libraries that authgate can serve or use; a package alone must bring and import none but those of its own."""


@dataclass(frozen=True, slots=True)
class Case:
    """A package, as somebody may install it.

    Args:
        package: Its name, without ``authgate-``.
        extra: The extra that is taken, if any.
        own: Of the optional libraries, those that it depends on itself, directly or through its framework.
        beside: Packages that its tests need besides it.
    """

    package: str
    extra: str = ""
    own: frozenset[str] = frozenset()
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What pip is asked for."""
        return f"authgate-{self.package}" + (f"[{self.extra}]" if self.extra else "")

    @property
    def modules(self) -> list[str]:
        """What must be importable."""
        package = f"authgate_{self.package}"
        return [package, f"{package}.{self.extra}"] if self.extra else [package]

    @property
    def unwanted(self) -> list[str]:
        """What must neither be installed nor imported."""
        return sorted(_OPTIONAL - self.own - {self.extra})

    @property
    def tests(self) -> str:
        """The end of the name of the tests that its sdist has for it; empty where it has none."""
        if self.package == "graphql":
            return f"tests/{self.extra}/test_{self.extra}_installed.py" if self.extra else ""
        subject = f"{self.package}_{self.extra}" if self.extra else self.package
        return f"tests/test_{subject}_installed.py"


CASES: Final = (
    Case("core"),
    Case("core", extra="cli", own=frozenset({"rich", "typer"})),
    Case("flask", own=frozenset({"flask"})),
    Case("fastapi", own=frozenset({"fastapi", "opentelemetry"})),
    Case("graphql"),
    *(Case("graphql", extra=library, beside=("flask",)) for library in LIBRARIES),
)


def main(arguments: Sequence[str]) -> None:
    """Try every wheel alone, then all sdists together."""
    dist, home = (Path(argument).resolve() for argument in arguments)
    for case in CASES:
        _say(f"the wheel of {case.name}, alone")
        python = _environment(home / f"alone-{case.extra or case.package}")
        _install(python, dist, case.extra, str(_built(dist, case.package, "whl")) + _bracketed(case.extra))
        _run(python, "-I", ".ci/import_alone.py", ",".join(case.modules), *case.unwanted)
        if case.tests:
            beside = [str(_built(dist, package, "whl")) for package in case.beside]
            _install(python, dist, case.extra, "pytest", *beside)
            _test(python, dist, case)
    _say("the sdists of all packages, together")
    python = _environment(home / "from-source")
    _install(python, dist, "", "pytest", *(str(_built(dist, package, "tar.gz")) for package in PACKAGES))
    for case in CASES:
        if case.tests and not case.extra:
            _test(python, dist, case)


def packed_tests(sdist: Path, tests: str) -> str:
    """The text of a test file in an sdist.

    Raises:
        LookupError: If the sdist has no such file, or several.
    """
    with tarfile.open(sdist) as packed:
        found = [member for member in packed.getmembers() if member.name.endswith(f"/{tests}")]
        if len(found) != 1:
            raise LookupError(f"{sdist.name} has {len(found)} files that end in {tests}")
        content = packed.extractfile(found[0])
        return "" if content is None else content.read().decode()


def _test(python: str, dist: Path, case: Case) -> None:
    # Far from the checkout, so that neither its configuration nor its modules are found.
    with tempfile.TemporaryDirectory(prefix="authgate-installed-") as home:
        file = Path(home) / Path(case.tests).name
        file.write_text(packed_tests(_built(dist, case.package, "tar.gz"), case.tests), "utf-8")
        command = ("-I", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(file))
        _run(python, *command, cwd=Path(home))


def _environment(home: Path) -> str:
    # Without a pip of its own, which would take longer to unpack than all that is tried.
    _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(home))
    return str(home / "bin" / "python")


def _install(python: str, dist: Path, library: str, *what: str) -> None:
    limits = ["constraints.txt", *([f"constraints-{library}.txt"] if library in LIBRARIES else [])]
    options = [argument for limit in limits for argument in ("-c", limit)]
    pip = (sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check")
    _run(*pip, "install", *options, "--find-links", str(dist), *what)


def _built(dist: Path, package: str, ending: str) -> Path:
    (found,) = _of_package(dist, package, ending)
    return found


def _of_package(dist: Path, package: str, ending: str) -> Iterator[Path]:
    return dist.glob(f"authgate_{package}-*.{ending}")


def _bracketed(extra: str) -> str:
    return f"[{extra}]" if extra else ""


def _run(*command: str, cwd: Path = ROOT) -> None:
    subprocess.run(command, check=True, cwd=cwd)


def _say(what: str) -> None:
    print(f"-- {what}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
