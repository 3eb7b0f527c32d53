"""Keys that an auth service hands out, and is asked about."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from ..request import url_problems

__all__ = ["RemoteKeys"]


@dataclass(frozen=True, slots=True)
class RemoteKeys:
    """Keys of a central auth service; each look-up is a ``POST {base_url}/auth/introspect``.

    Args:
        base_url: Where it is.
        name: The ``issuer`` of its keys, and what logs call it.
        allow_http: Whether ``base_url`` may be http beyond loopback.
    """

    base_url: str
    _: KW_ONLY
    name: str = "auth_service"
    allow_http: bool = False

    @property
    def url(self) -> str:
        """What is asked."""
        return f"{str(self.base_url).rstrip('/')}/auth/introspect"

    def problems(self) -> list[str]:
        """What is wrong with it: a sentence each, naming the setting and the fix (Law 1.6)."""
        name, allow_http = _things(self.name, self.allow_http)
        found = [*url_problems("base_url", self.base_url, plain_http=allow_http is True)]
        if not isinstance(name, str) or not name:
            found.append("name: give the auth service a name, such as 'auth_service'")
        if not isinstance(allow_http, bool):
            found.append(f"allow_http: write True or False, not {allow_http!r}")
        return found


def _things(*things: object) -> tuple[object, ...]:
    """Settings as whatever they may be, and not as what they are annotated with."""
    return things
