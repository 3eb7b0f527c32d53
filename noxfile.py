"""The one door: every check, build and demonstration of this repository is a session here.

``nox -l`` lists them. Whatever follows ``--`` is passed on to the program that a session runs.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "lint", "types", "docs", "build", "demo", "bench"]

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PACKAGES = ("core", "flask", "fastapi", "graphql")
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

GRAPHQL = "packages/authgate-graphql"
LIBRARIES = ("strawberry", "graphene")
"""The libraries of GraphQL. Each needs a graphql-core of its own, so each has an environment to itself."""

REAL = ("envoy", "keycloak", "nginx", "openid-provider", "valkey")
"""What `integration` starts, each with tests of its own."""

PROGRAMS = ("demo", "bench", "fuzz", "mutation", "release", "torture")
"""The programs beside the packages, which are code of this house like any other."""

PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
"""How pytest spreads a suite; the tests of one file stay together."""

ENDS = ("lowest", "newest")
"""Of the versions of other libraries that the packages declare; `release.bounds` says which those are."""

COVERAGE_FLOOR = 95
"""Percent of the lines and branches of the core and of each adapter that the whole suite must reach."""


def everything(*groups: str, library: str = "", within: Sequence[str] = ()) -> list[str]:
    """What pip is told: every package of the repository, editable and in one call, and the named groups."""
    siblings = [
        "packages/authgate-core[apex,cli,gateway,otel,prometheus,redis]",
        "packages/authgate-flask[async]",
        "packages/authgate-fastapi",
        f"{GRAPHQL}[{library}]" if library else GRAPHQL,
    ]
    editable = [argument for sibling in siblings for argument in ("-e", sibling)]
    return [*(within or limits(library)), *editable, *nox.project.dependency_groups(PROJECT, *groups)]


def limits(library: str) -> list[str]:
    """The constraints of every environment, and those of the one that holds a library."""
    return ["-c", "constraints.txt", *(["-c", f"constraints-{library}.txt"] if library else [])]


def install(session: nox.Session, *groups: str) -> None:
    """Install every package into the environment of the session, with the named dependency groups."""
    session.log("installing the packages and %s (the first run takes a minute)", " + ".join(groups))
    session.install(*everything(*groups))


def environment(session: nox.Session, library: str) -> str:
    """The interpreter of the environment that a GraphQL library has to itself; all sessions share it."""
    session.log("installing the packages and %s into an environment of its own", library)
    return filled(session, library, everything(library, library=library))


def filled(session: nox.Session, name: str, what: Sequence[str]) -> str:
    """The interpreter of an environment beside that of the session, with what pip is told installed in it."""
    home = session.cache_dir.resolve() / name
    python = str(home / "bin" / "python")
    session.run_install("python", "-m", "venv", "--without-pip", str(home))
    pip = ("python", "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check")
    session.run_install(*pip, "install", *what, silent=True)
    return python


@nox.session
def demo(session: nox.Session) -> None:
    """Start an issuer, a store and four apps and send them real requests; `-- --serve` keeps them up."""
    install(session, "demo")
    interpreters = [f"--{library}={environment(session, library)}" for library in LIBRARIES]
    session.run("python", "-m", "demo", *interpreters, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what authgate adds to the same work without it, as ratios, against bounds; `-- cold hit` alone."""
    install(session, "bench")
    interpreters = [f"--{library}={environment(session, library)}" for library in LIBRARIES]
    session.run("python", "-m", "bench", *interpreters, *session.posargs)


@nox.session
def torture(session: nox.Session) -> None:
    """Let a real issuer and a real Valkey misbehave in every way there is a row for; `-- --short` as CI does."""
    install(session, "torture")
    session.run("python", "-m", "torture", *session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """Stand behind real providers and gateways; a name after `--` (envoy, keycloak, nginx, ...) runs just that one."""
    install(session, "integration")
    chosen = [name for name in REAL if name in session.posargs] or [*REAL]
    more = [argument for argument in session.posargs if argument not in REAL]
    session.run("python", "-m", "tests.integration.fetch", *chosen)
    files = [f"tests/integration/test_{name.replace('-', '_')}*.py" for name in chosen]
    session.run("pytest", *(str(path) for file in files for path in sorted(Path().glob(file))), *more)


@nox.session
def soak(session: nox.Session) -> None:
    """Ask both gates at full speed while issuer and Redis fail at random; `-- --minutes 10 --seed 1`."""
    install(session, "torture")
    session.run("python", "-m", "torture.soak", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Send every parser what a coverage-guided fuzzer makes up; `-- --seconds 600` for longer than a minute."""
    install(session, "fuzz")
    # What reached something new is kept, so that the next run goes on from there.
    corpus = session.cache_dir.resolve() / "corpus"
    session.run("python", "-m", "fuzz", "--corpus", str(corpus), *session.posargs)


@nox.session
def mutate(session: nox.Session) -> None:
    """Change the code of the rooms that decide, bit by bit; a test must notice each. Rooms may be named after `--`."""
    install(session, "mutate")
    session.run("python", "-m", "mutation", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build/html, warnings as errors; `-- --browser` looks at it in Chromium too."""
    has_browser = "--browser" in session.posargs
    groups = ("docs", "browser") if has_browser else ("docs",)
    # Both GraphQL packages can be read beside Strawberry: that of Graphene imports its library nowhere.
    session.install(*everything(*groups, library="strawberry"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-E", "-j", "auto", "docs", "docs/_build/html")
    if has_browser:
        session.run("python", "docs/browser.py")


@nox.session
def tutorials(session: nox.Session) -> None:
    """Do each tutorial from an empty folder, with the wheels, as a reader does; `-- fastapi` for one of them."""
    install(session, "test")
    wheels = session.cache_dir.resolve() / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    packages = [f"packages/authgate-{name}" for name in PACKAGES]
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), *packages)
    session.run("python", "-m", "tests.support.tutorials", str(wheels), *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole suite and hold each package to its coverage; arguments select tests instead."""
    install(session, "test")
    if session.posargs:
        run_selected(session)
        return
    session.env["COVERAGE_FILE"] = str(session.cache_dir.resolve() / "coverage")
    session.run("coverage", "erase")
    suite = ("-m", "coverage", "run", "-m", "pytest", *PARALLEL)
    session.run("python", *suite)
    for library in LIBRARIES:
        session.run(environment(session, library), *suite, *tests_of(library), external=True)
    session.log("measuring what the tests reached, in all three environments together")
    session.run("coverage", "combine", "--quiet")
    for name in PACKAGES:
        sources = f"packages/authgate-{name}/src/*"
        session.run("coverage", "report", "--include", sources, f"--fail-under={COVERAGE_FLOOR}")


def tests_of(library: str) -> list[str]:
    """The folders of tests that need a GraphQL library; elsewhere than in its environment they fail."""
    return [f"{GRAPHQL}/tests/shared", f"{GRAPHQL}/tests/{library}", *common_tests_of(library)]


def common_tests_of(library: str) -> list[str]:
    """Those among them that belong to no single package."""
    return [str(folder.relative_to(ROOT)) for folder in sorted(ROOT.glob(f"tests/*/{library}"))]


def run_selected(session: nox.Session) -> None:
    """Run what the arguments select: a path where it belongs, and what names no path in every environment."""
    elsewhere = [GRAPHQL, *(folder for library in LIBRARIES for folder in tests_of(library))]
    ours = [argument for argument in session.posargs if not is_within(argument, elsewhere)]
    if ours == session.posargs or names_paths(ours):
        session.run("pytest", *ours)
    for library in LIBRARIES:
        theirs = narrowed(session.posargs, tests_of(library))
        if names_paths(theirs):
            # What is meant for one environment alone selects something there; else it may select nothing.
            codes = [0] if theirs == session.posargs else [0, 5]
            python = environment(session, library)
            session.run(python, "-m", "pytest", *theirs, external=True, success_codes=codes)


def narrowed(arguments: list[str], folders: list[str]) -> list[str]:
    """The arguments with the paths in them, or all of them, replaced by what of them lies in these folders."""
    if not names_paths(arguments):
        return [*arguments, *folders]
    narrow: list[str] = []
    for argument in arguments:
        if not names_paths([argument]) or is_within(argument, folders):
            narrow.append(argument)
        else:
            narrow += [folder for folder in folders if is_within(folder, [argument])]
    return narrow


def names_paths(arguments: list[str]) -> bool:
    """Whether one of the arguments is a path, or a test in one."""
    return any((ROOT / argument.partition("::")[0]).exists() for argument in arguments)


def is_within(argument: str, folders: list[str]) -> bool:
    """Whether an argument is a path in one of the folders, or one of them."""
    path = ROOT / argument.partition("::")[0]
    return any(path.is_relative_to(ROOT / folder) for folder in folders)


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
    session.log("mypy: sources, programs, noxfile and the shared tests")
    others = [package for package in PACKAGES if package != "graphql"]
    rest = ("noxfile.py", *PROGRAMS, "docs", "tests", "examples")
    shared = [path for path in rest if (ROOT / path).exists()]
    apart = ("--exclude", "|".join(f"(^|/){library}" for library in LIBRARIES))
    session.run("mypy", *apart, *(f"packages/authgate-{name}/src" for name in others), *shared)
    for name in others:
        # Apart, since each package may have a conftest.py of its own.
        session.log("mypy: the tests of authgate-%s", name)
        folder = f"packages/authgate-{name}/tests"
        session.run("mypy", folder, env={"MYPYPATH": folder})
    session.log("basedpyright: what is shipped")
    # It would look into another environment that is active.
    session.run("basedpyright", "--pythonpath", str(Path(session.bin) / "python"))
    for library in LIBRARIES:
        types_of(session, library)


def types_of(session: nox.Session, library: str) -> None:
    """Check authgate-graphql, and whatever else uses a GraphQL library, against the types of that library."""
    python, source = environment(session, library), f"{GRAPHQL}/src/authgate_graphql"
    mypy = ["mypy", "--python-executable", python, "--cache-dir", f".mypy_cache/{library}"]
    # Strawberry leaves `strawberry.field(...)` untyped, and Graphene everything.
    mypy += ["--allow-untyped-decorators", "--allow-subclassing-any"]
    (other,) = set(LIBRARIES) - {library}
    session.log("mypy and basedpyright: what needs %s", library)
    users = [*map(str, Path().glob(f"[!.]*/{library}*.py")), *common_tests_of(library)]
    session.run(*mypy, "--exclude", f"/{other}/", source, *users)
    for folder in (f"{GRAPHQL}/tests/shared", f"{GRAPHQL}/tests/{library}"):
        session.run(*mypy, folder, env={"MYPYPATH": folder})
    shipped = [str(path) for path in Path(source).rglob("*.py") if other not in path.parts]
    session.run("basedpyright", "--pythonpath", python, *shipped, log=False)


@nox.session
def build(session: nox.Session) -> None:
    """Build sdists and wheels into dist/, then install each in an environment of its own and test it there."""
    session.install("-c", "constraints.txt", *nox.project.dependency_groups(PROJECT, "build"))
    shutil.rmtree(DIST, ignore_errors=True)
    for name in PACKAGES:
        session.log("building authgate-%s", name)
        session.run(
            "python", "-m", "build", "--no-isolation", "--outdir", "dist", f"packages/authgate-{name}"
        )
    session.run("python", "-m", "release.installed", "dist", str(session.cache_dir))


@nox.session
def versions(session: nox.Session) -> None:
    """Run what touches other libraries with the lowest and the newest of them; `-- lowest` or `-- newest` alone."""
    session.install("-c", "constraints.txt", "packaging")
    for end in [end for end in ENDS if end in session.posargs] or ENDS:
        limit = session.cache_dir.resolve() / f"{end}.txt"
        limit.write_text(str(session.run("python", "-m", "release.bounds", end, silent=True)), "utf-8")
        within = ("--upgrade", "--upgrade-strategy", "eager", "-c", str(limit))
        for library in ("", *LIBRARIES):
            session.log("the %s versions%s", end, f", with {library}" if library else "")
            python = filled(
                session,
                f"{end}-{library}".strip("-"),
                everything(library or "test", library=library, within=within),
            )
            chosen = session.run("python", "-m", "release.touching", library, silent=True)
            session.run(python, "-m", "pytest", "-q", *PARALLEL, *str(chosen).split(), external=True)


@nox.session
def api(session: nox.Session) -> None:
    """Find what has been broken for users of the last tagged version; what is meant stands in release/waivers.toml."""
    session.install("-c", "constraints.txt", *nox.project.dependency_groups(PROJECT, "release"))
    session.run("python", "-m", "release.breaks")


@nox.session
def changelog(session: nox.Session) -> None:
    """Print the section that the files of changelog.d make; `-- --release` writes it and removes them."""
    session.install("-c", "constraints.txt", *nox.project.dependency_groups(PROJECT, "release"))
    how = "--yes" if "--release" in session.posargs else "--draft"
    core = nox.project.load_toml(ROOT / "packages/authgate-core/pyproject.toml")
    session.run("towncrier", "build", how, "--version", core["project"]["version"])


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
