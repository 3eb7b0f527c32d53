"""What an API says of itself to clients that do not know yet where its tokens come from (RFC 9728)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from .headers import CACHE_CONTROL, CONTENT_TYPE
from .request import url_problems

__all__ = ["ResourceMetadata", "metadata_of", "resource_problems"]

_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_READING: Final = frozenset({"GET", "HEAD"})
_HEADERS: Final = (
    (CONTENT_TYPE, "application/json"),
    (CACHE_CONTROL, "public, max-age=3600"),
    (
        "Access-Control-Allow-Origin",
        "*",
    ),  # it is public, and clients in browsers need it before they have a token
)


@dataclass(frozen=True, slots=True)
class ResourceMetadata:
    """The metadata of a protected resource, ready to be sent; public, and the same for everyone.

    Args:
        url: Where it is, as challenges name it.
        path: The path of that, decoded as routers see it.
        body: The document, as it is sent.
        headers: What is sent with it.
    """

    url: str
    path: str
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=_HEADERS, repr=False)

    def answers(self, method: str, *paths: str) -> bool:
        """Whether a request asks for it.

        Args:
            method: Of the request.
            paths: Its decoded path, with and without where the application is mounted.
        """
        return self.path in paths and method in _READING


def metadata_of(
    resource: str | None, servers: Iterable[str | None], more: Mapping[str, Any] = _NOTHING
) -> ResourceMetadata | None:
    """The metadata of an API (RFC 9728 sections 2 and 3.1); None where nobody says what it is called.

    Args:
        resource: Its resource identifier, a URL that ``resource_problems`` has nothing against.
        servers: The issuers that its tokens come from; those whose ``iss`` is no URL are left out.
        more: What else is told of them; Any because it is JSON.
    """
    if resource is None:
        return None
    parts = urlsplit(resource)
    path = _WELL_KNOWN + ("" if parts.path == "/" else parts.path)
    document: dict[str, Any] = {"resource": resource}
    named = [server for server in servers if server is not None and not any(_server_problems(server))]
    if named:  # section 3.2: a list of none is left out
        document["authorization_servers"] = named
    document |= {"bearer_methods_supported": ["header"], **more}
    url = f"{parts.scheme}://{parts.netloc}{path}"
    return ResourceMetadata(url, unquote(path), json.dumps(document, separators=(",", ":")).encode())


def resource_problems(resource: object) -> Iterator[str]:
    """What is wrong with a resource identifier (RFC 9728 section 1.2)."""
    if resource is None:
        return
    problems = tuple(url_problems("resource", resource, plain_http=None))
    yield from problems
    if not problems and isinstance(resource, str):
        if not (resource.isascii() and resource.isprintable()) or any(mark in resource for mark in ' "\\'):
            yield "resource: is not a URL as it stands in a header; write it in ASCII, percent-encoded"
        if "?" in resource or "#" in resource:
            yield "resource: must not hold a query or a fragment; write https://host/path"


def _server_problems(server: str) -> Iterator[str]:
    return url_problems("issuer", server, plain_http=None)
