"""Where a token may go (Law 11.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ConfigurationError
from ..io.outgoing import Origin, Url, origin_named, origin_of
from ..request import masked

__all__ = ["Origins", "TokenWithheld", "named_origins", "texts_of"]


class TokenWithheld(Exception):
    """A request goes where its token was not meant to go; it was not sent (Law 11.1)."""


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins that a token is for.

    Args:
        names: Scheme, host and port of each.
    """

    names: frozenset[Origin]

    def hold(self, url: Url) -> bool:
        """Whether a URL belongs to one of them."""
        return origin_of(url) in self.names

    def check(self, url: Url) -> None:
        """Check that a request goes to one of them.

        Raises:
            TokenWithheld: If it does not.
        """
        if not self.hold(url):
            scheme, host, port = origin_of(url)
            raise TokenWithheld(
                f"the token is not for {scheme}://{host}:{port}; name that in hosts=[...] if it is meant to go there"
            )


def named_origins(hosts: str | Iterable[str] | None, *named: str | None) -> Origins:
    """The origins that a token is for: those that are named, else those of the URLs that name its audience.

    Args:
        hosts: The origins, such as ``https://billing.example.com``, or hosts, which stands for https.
        named: The audience and the resource, where they are asked for.

    Raises:
        ConfigurationError: If none is named, or one that no token may go to.
    """
    if hosts is None:
        found = {origin for name in named if name and "://" in name and (origin := origin_named(name))}
        if not found:
            raise ConfigurationError(
                "hosts: name the origins that the token may go to, such as hosts=['https://billing.example.com']"
            )
        return Origins(frozenset(found))
    names = texts_of(hosts)
    if not names:
        raise ConfigurationError(
            "hosts: name the origins that the token may go to, as text or a list of texts"
        )
    origins = {name: origin_named(name) for name in names}
    wrong = [name for name, origin in origins.items() if origin is None]
    if wrong:
        raise ConfigurationError(
            *(f"hosts: {masked(name)!r} is no https origin; write https://host" for name in wrong)
        )
    return Origins(frozenset(origin for origin in origins.values() if origin is not None))


def texts_of(value: object) -> tuple[str, ...] | None:
    """One text or several, as whoever calls this may give them; None where it is anything else."""
    if isinstance(value, str):
        return (value,)
    found: tuple[object, ...] = tuple(value) if isinstance(value, Iterable) else (None,)
    texts = tuple(text for text in found if isinstance(text, str))
    return texts if len(texts) == len(found) else None
