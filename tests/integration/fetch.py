"""Bring what comes from npm and Maven: ``python -m tests.integration.fetch openid-provider keycloak``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

from .parts.distribution import fetch_keycloak
from .parts.programs import found
from .parts.provider import FOLDER

__all__ = ["main"]


def fetch_provider() -> None:
    """Install oidc-provider in the versions of its lock file, unless it is there already."""
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = found("npm", "apt-get install npm")
    print("installing oidc-provider from npm", flush=True)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)


NEEDS: Final[Mapping[str, Callable[[], object]]] = {
    "envoy": fetch_provider,
    "keycloak": fetch_keycloak,
    "nginx": fetch_provider,
    "openid-provider": fetch_provider,
    "valkey": fetch_provider,
}
"""What the tests of each part need from there; the rest comes from PyPI and from Debian."""


def main(names: list[str]) -> None:
    """Bring what the named parts need."""
    for fetch in {NEEDS[name]: None for name in names}:
        fetch()


if __name__ == "__main__":
    main(sys.argv[1:])
