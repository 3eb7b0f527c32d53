"""Keycloak's distribution, as it lies in the cache: downloaded once, checked, unpacked."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from .programs import Missing, found

__all__ = ["REALM", "VERSION", "fetch_keycloak", "keycloak_folder"]

VERSION: Final = "26.7.5"
REALM: Final = Path(__file__).parents[1] / "realm" / "shop.json"

_SHA256: Final = "30ef87fb7101c43d29688d1ae80c0588ff4a151b3330e9f664bf9692d398658a"
_ARTIFACT: Final = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
_PLUGIN: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_FETCH: Final = "python -m tests.integration.fetch keycloak"


def keycloak_folder() -> Path:
    """Where the unpacked distribution is.

    Raises:
        Missing: If it was not fetched.
    """
    folder = _cache() / f"keycloak-{VERSION}"
    if not folder.is_dir():
        raise Missing(f"Keycloak {VERSION} was not fetched; run: {_FETCH}")
    return folder


def fetch_keycloak() -> Path:
    """Download the distribution with Maven and unpack it, unless that was done, and say where it is.

    Raises:
        Missing: If Maven is not installed or its repositories do not have it.
        RuntimeError: If what came is not what was expected.
    """
    folder = _cache() / f"keycloak-{VERSION}"
    if folder.is_dir():
        return folder
    _cache().mkdir(parents=True, exist_ok=True)
    # Unpacked beside its place and moved there whole: a run that is interrupted leaves nothing that looks finished.
    with tempfile.TemporaryDirectory(dir=_cache()) as place:
        archive = _download(Path(place))
        _check(archive)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(place)
        unpacked = Path(place) / folder.name
        for script in (unpacked / "bin").glob("*.sh"):
            script.chmod(0o755)
        shutil.move(unpacked, folder)
    return folder


def _download(place: Path) -> Path:
    maven = found("mvn", "apt-get install maven")
    # Quiet, in batch mode: what it tells otherwise is a line for every kilobyte.
    options = ("-q", "-B", "-ntp", f"-Dartifact={_ARTIFACT}", f"-DoutputDirectory={place}")
    command = [maven, f"{_PLUGIN}:copy", *options]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"Maven did not bring {_ARTIFACT}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    (archive,) = place.glob("*.zip")
    return archive


def _check(archive: Path) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _SHA256:
        raise RuntimeError(f"{archive.name} has the SHA-256 {digest}, not {_SHA256}")


def _cache() -> Path:
    """Outside the repository, so that a fresh clone need not fetch again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "authgate"
