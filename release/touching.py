"""Say which tests show whether another version of a library will do: ``python -m release.touching strawberry``.

Named is the GraphQL library of the environment, or an empty text where there is none. What else the suite asks is
authgate's own concern, whatever version is beside it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from .house import LIBRARIES, ROOT

__all__ = ["SUBJECTS", "touching"]

SUBJECTS: Final = {
    "core": "cli config gateway_signed jose_verify observers_opentelemetry observers_prometheus principal_pydantic"
    " redis_store safe_http",
    "flask": "extension guards installed readme refusals wire",
    "fastapi": "extension guards installed openapi readme sockets websockets wire",
    "strawberry": "default guards installed once readme sockets",
    "graphene": "closed guards installed once readme served",
}
"""The ends of the names of these tests, of each package and of each GraphQL library."""


def touching(library: str) -> list[Path]:
    """The files for an environment, in order.

    Raises:
        LookupError: If one is not there.
    """
    homes = [library] if library else [home for home in SUBJECTS if home not in LIBRARIES]
    return [_file(home, subject) for home in homes for subject in SUBJECTS[home].split()]


def _file(home: str, subject: str) -> Path:
    folder = f"authgate-graphql/tests/{home}" if home in LIBRARIES else f"authgate-{home}/tests"
    name = f"test_{subject}.py" if home == "core" else f"test_{home}_{subject}.py"
    path = Path("packages") / folder / name
    if not (ROOT / path).exists():
        raise LookupError(f"{path} is not there; correct SUBJECTS")
    return path


if __name__ == "__main__":
    print(*touching("".join(sys.argv[1:])), sep="\n")
