"""Which paths an ``AuthMiddleware`` is told to leave alone, matched as the router matches them (Law 8.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, TypeAlias

from starlette._utils import get_route_path  # the router's own reading: another one would open paths
from starlette.types import Scope

__all__ = ["Asked", "GivenPaths", "Paths", "asked_of", "path_problems"]

GivenPaths: TypeAlias = AbstractSet[str] | Mapping[str, AbstractSet[str] | None]
"""Paths for every method, or paths with their methods, where None stands for every method."""

_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_]\w*:uuid\}", re.ASCII)
_UUID: Final = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

# What a proxy, a file system or a mounted application may read in another way than the router does.
_AMBIGUOUS: Final = re.compile(
    r"""
    // | [\\;\x00-\x1f\x7f-\x9f]
    | (?:^|/) \.{1,2} (?:/|\Z)      # dot segments
    | %(?:2[ef]|5c)                 # a slash, backslash or dot that was encoded twice
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENCODED_SLASH: Final = re.compile(rb"%2f", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a connection asks for.

    Args:
        path: The decoded path, as the router sees it.
        method: The method, whose case counts, as the router has it (RFC 9110 section 9.1); None for a WebSocket.
    """

    path: str
    method: str | None


def asked_of(scope: Scope) -> Asked | None:
    """What a connection asks for; None where its path can be read in more than one way, which matches nothing."""
    raw: bytes = scope.get("raw_path") or b""
    if _AMBIGUOUS.search(scope["path"]) or _ENCODED_SLASH.search(raw.partition(b"?")[0]):
        return None
    return Asked(get_route_path(scope), scope["method"] if scope["type"] == "http" else None)


class Paths:
    """Some paths, each for some methods.

    Args:
        given: The paths. A segment may be ``{name:uuid}``, which stands for any UUID with hyphens.
        prefixes: Whether each also stands for what is below it, by whole segments.
    """

    __slots__ = ("_prefixes", "_rules", "_written")

    def __init__(self, given: GivenPaths | None, *, prefixes: bool = False) -> None:
        self._written: Final = tuple(_pairs(given))
        self._prefixes: Final = prefixes
        self._rules: Final = [
            (_pattern(path, prefixes=prefixes), methods and {method.upper() for method in methods})
            for path, methods in self._written
        ]

    def match(self, asked: Asked | None) -> bool:
        """Whether a connection asks for one of them; only a path for every method matches a WebSocket."""
        return asked is not None and any(
            (methods is None or asked.method in methods) and pattern.fullmatch(asked.path) is not None
            for pattern, methods in self._rules
        )

    def may_match(self, template: str, method: str | None) -> bool:
        """Whether some request that a route takes asks for one of them.

        Args:
            template: The path of the route, with its parameters in braces.
            method: The method; None for a WebSocket.
        """
        return any(
            (methods is None or method in {one.upper() for one in methods})
            and _may_be(template, path, prefixes=self._prefixes)
            for path, methods in self._written
        )


def path_problems(setting: str, given: GivenPaths | None, *, prefixes: bool = False) -> Iterator[str]:
    """What is wrong with paths as they were written.

    Args:
        setting: The name of the setting.
        given: The paths.
        prefixes: Whether each also stands for what is below it.

    Raises:
        TypeError: If they are no set of paths, nor a dict of paths to sets of methods or None.
    """
    for path, methods in _checked(setting, given):
        if prefixes and path == "/":
            yield f"{setting}: '/' would open every path: leave the middleware out instead"
        if not path.startswith("/"):
            yield f"{setting}: {path!r} begins with no slash: write {'/' + path!r}"
        elif _AMBIGUOUS.search(path):
            yield f"{setting}: {path!r} never matches: write it decoded, without //, ;, backslash or dot segments"
        elif any(mark in _without_placeholders(path) for mark in "{}*?#%"):
            yield (
                f"{setting}: {path!r} is no plain path: write it decoded, without query or pattern; "
                "a whole segment may be {name:uuid}"
            )
        if methods is not None and not methods:
            yield f"{setting}: {path!r} has no methods, which does nothing: write None for every method"


def _checked(setting: str, given: GivenPaths | None) -> Iterator[tuple[str, AbstractSet[str] | None]]:
    if given is not None and not isinstance(given, (AbstractSet, Mapping)):
        raise TypeError(f"{setting}: give a set of paths, or a dict of paths to methods, not {given!r}")
    for path, methods in _pairs(given):
        if not isinstance(path, str):
            raise TypeError(f"{setting}: {path!r} is no path, which is a str")
        if methods is not None and not _are_methods(methods):
            raise TypeError(f"{setting}[{path!r}]: give a set of methods, or None for all, not {methods!r}")
        yield path, methods


def _are_methods(methods: object) -> bool:
    return isinstance(methods, AbstractSet) and all(isinstance(method, str) for method in methods)


def _pairs(given: GivenPaths | None) -> Iterator[tuple[str, AbstractSet[str] | None]]:
    if isinstance(given, Mapping):
        yield from given.items()
    elif given is not None:
        yield from ((path, None) for path in given)


def _pattern(path: str, *, prefixes: bool) -> re.Pattern[str]:
    segments = map(_segment, path.split("/"))
    below = ".*" if path.endswith("/") else "(?:/.*)?"
    return re.compile("/".join(segments) + (below if prefixes else ""))


def _may_be(template: str, path: str, *, prefixes: bool) -> bool:
    """Whether a path that a route takes can be this one, or below it; parameters are whatever they need to be."""
    asked = template.split("/")
    written = (path.rstrip("/") if prefixes else path).split("/")
    for segment, expected in zip(asked, written, strict=False):
        if ":path}" in segment:
            return True
        if "{" not in segment and not re.fullmatch(_segment(expected), segment):
            return False
    if not prefixes:
        return len(asked) == len(written)
    return len(asked) >= len(written) + path.endswith("/")


def _segment(written: str) -> str:
    return _UUID if _PLACEHOLDER.fullmatch(written) else re.escape(written)


def _without_placeholders(path: str) -> str:
    return "/".join(part for part in path.split("/") if not _PLACEHOLDER.fullmatch(part))
