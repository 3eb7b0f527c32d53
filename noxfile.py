"""The one door: every check, build and demonstration of this repository is a session here.

``nox -l`` lists them. Whatever follows ``--`` is passed on to the program that a session runs.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "lint", "types", "build", "demo"]

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PACKAGES = ("core", "flask", "fastapi", "graphql")
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

OPTIONAL = {"fastapi", "flask", "graphene", "opentelemetry", "prometheus_client", "redis", "strawberry"}
"""Libraries that authgate can serve or use; a package alone must bring and import none but those of `OWN`."""

OWN = {"core": set(), "flask": {"flask"}, "fastapi": {"fastapi", "opentelemetry"}, "graphql": set()}
"""What each package depends on itself, directly or through its framework."""

COVERAGE_FLOOR = 95
"""Percent of the lines and branches of the core and of each adapter that the whole suite must reach."""


def install(session: nox.Session, *groups: str) -> None:
    """Install every package of the repository, editable and in one call, with the named dependency groups."""
    siblings = [
        "packages/authgate-core[redis]",
        "packages/authgate-flask[async]",
        "packages/authgate-fastapi",
        "packages/authgate-graphql",
    ]
    editable = [argument for sibling in siblings for argument in ("-e", sibling)]
    session.log("installing the packages and %s (the first run takes a minute)", " + ".join(groups))
    session.install("-c", "constraints.txt", *editable, *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def demo(session: nox.Session) -> None:
    """Start an issuer, a store and both apps and send them real requests; `-- --serve` keeps them up."""
    install(session, "demo")
    session.run("python", "-m", "demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole suite and hold each package to its coverage; arguments select tests instead."""
    install(session, "test")
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.env["COVERAGE_FILE"] = str(session.cache_dir.resolve() / "coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
    session.log("measuring what the tests reached")
    session.run("coverage", "combine", "--quiet")
    for name in ("flask", "fastapi", "core"):
        sources = f"packages/authgate-{name}/src/*"
        session.run("coverage", "report", "--include", sources, f"--fail-under={COVERAGE_FLOOR}")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, the import contracts and the architecture tests."""
    install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-logo")
    session.run("pytest", "-q", "tests/architecture", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of everything with mypy, and of what is shipped with basedpyright as well."""
    install(session, "types")
    session.log("mypy: sources, demo, noxfile and the shared tests")
    shared = [path for path in ("noxfile.py", "demo", "tests", "examples") if (ROOT / path).exists()]
    session.run("mypy", *(f"packages/authgate-{name}/src" for name in PACKAGES), *shared)
    for name in PACKAGES:
        # Apart, since each package may have a conftest.py of its own.
        folder = f"packages/authgate-{name}/tests"
        if any((ROOT / folder).glob("**/*.py")):
            session.log("mypy: the tests of authgate-%s", name)
            session.run("mypy", folder, env={"MYPYPATH": folder})
    session.log("basedpyright: what is shipped")
    interpreter = str(Path(session.bin) / "python")  # it would look into another environment that is active
    session.run("basedpyright", "--pythonpath", interpreter)


@nox.session
def build(session: nox.Session) -> None:
    """Build sdists and wheels into dist/, then import each wheel alone, with nothing optional."""
    session.install("-c", "constraints.txt", *nox.project.dependency_groups(PROJECT, "build"))
    shutil.rmtree(DIST, ignore_errors=True)
    for name in PACKAGES:
        session.log("building authgate-%s", name)
        session.run(
            "python", "-m", "build", "--no-isolation", "--outdir", "dist", f"packages/authgate-{name}"
        )
    for name in PACKAGES:
        import_alone(session, name)
    for library in ("strawberry", "graphene"):
        import_alone(session, "graphql", extra=library)


def import_alone(session: nox.Session, name: str, extra: str = "") -> None:
    """Import one built wheel in a new environment that holds what the wheel (with one extra) declares."""
    what = f"authgate-{name}[{extra}]" if extra else f"authgate-{name}"
    session.log("installing and importing %s alone", what)
    environment = session.cache_dir / f"alone-{extra or name}"
    python = str(environment / "bin" / "python")
    session.run("python", "-m", "venv", "--clear", str(environment))
    (wheel,) = DIST.glob(f"authgate_{name}-*.whl")
    limits = ["-c", "constraints.txt", *(["-c", f"constraints-{extra}.txt"] if extra else [])]
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    session.run(
        *pip, *limits, "--find-links", "dist", f"{wheel}[{extra}]" if extra else str(wheel), external=True
    )
    unwanted = OPTIONAL - OWN[name] - {extra}
    session.run(python, "-I", ".ci/import_alone.py", f"authgate_{name}", *sorted(unwanted), external=True)


@nox.session(venv_backend="none")
def version(session: nox.Session) -> None:
    """Write the version given after `--` wherever it stands: each package's own, and its pins of siblings."""
    if len(session.posargs) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", session.posargs[0]):
        session.error("say the new version: nox -s version -- 1.2.3")
    (new,) = session.posargs
    for name in PACKAGES:
        path = ROOT / f"packages/authgate-{name}/pyproject.toml"
        text = re.sub(r'(?m)^version = ".*"$', f'version = "{new}"', path.read_text("utf-8"))
        path.write_text(re.sub(r'"(authgate-[a-z]+)==[^"]*"', rf'"\1=={new}"', text), "utf-8")
        session.log("authgate-%s is now %s", name, new)
