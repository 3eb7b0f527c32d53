"""A file of projects and their secrets, as an operator writes it (Laws 1.6, 2.5, 3.11, 6.1)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Final

import authgate_core as ag
from authgate_core.credentials import AppCredentials
from authgate_core.projects.hashes import SecretHash

from ..target import hold

__all__ = ["probe", "seeds"]

_HASH: Final = SecretHash.of(ag.Secret("a secret that nobody else knows, ever"), b"sixteen bytes...").text()
_WRONG: Final = ag.Secret("not it")


def probe(data: bytes) -> None:
    """Projects, or all that is wrong with them; and nobody's secret is known to this test."""
    text = data.decode("utf-8", "replace")
    _probe_hash(text)
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError):  # as ``StaticProjects.from_file`` has it
        return
    projects = ag.StaticProjects(tables)
    problems = projects.problems()
    hold("what is wrong is said", kept=all(problems))
    hold("a hash is not shown", kept=not any(_HASH in problem for problem in problems))
    for app_id in tables:
        hold("no wrong secret is right", kept=projects.find(AppCredentials(app_id, _WRONG)) is None)


def _probe_hash(text: str) -> None:
    try:
        stored = SecretHash.parse(text)
    except ValueError as error:
        hold("the error does not repeat what may be a secret", kept=len(text) < 8 or text not in str(error))
        return
    hold("a hash has one spelling", kept=stored.text() == text)


def seeds() -> Iterator[bytes]:
    """Files that are right, and nearly so."""
    shop = f'[shop]\nsecret_hash = "{_HASH}"\n'
    yield shop.encode()
    yield f'{shop}id = "s"\nname = "Shop"\nenabled_services = ["orders"]\nroles = []\nsecret_version = 2\n'.encode()
    yield f'[shop]\nsecret_hash = [{{hash = "{_HASH}", version = 1}}, "{_HASH}"]\n'.encode()
    yield b'[shop]\nsecret = "a chosen secret of more than 32 letters"\ntenant = 1\n'
    yield b'["a,b"]\nsecret = "short"\n[x.y]\nsecret_hash = true\nsecret_version = -1\n'
    yield b'shop = "x"\n'
    yield _HASH.encode()
    yield f"{_HASH[:-1]}1".encode()
