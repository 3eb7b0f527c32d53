"""What a gate depends on, how that is, and what an operator can do about keys."""

from __future__ import annotations

from dataclasses import dataclass

from ..effects import RingName
from ..keyring import KeySetHealth
from ..revocation import RevocationHealth
from ..runner.refresher import KeyRefresher

__all__ = ["Health", "Keys"]


@dataclass(frozen=True, slots=True)
class Health:
    """What a gate depends on, and how it is.

    Args:
        keys: One entry for each key set (Law 4.12).
        revocation: One entry for each source of authgate's own; how yours is, you know.
    """

    keys: tuple[KeySetHealth, ...]
    revocation: tuple[RevocationHealth, ...] = ()


class Keys:
    """The keys that a gate holds, for whoever must act on one."""

    __slots__ = ("_refresher",)

    def __init__(self, refresher: KeyRefresher) -> None:
        self._refresher = refresher

    def forget(self, issuer: str, kid: str, *, tenant: str | None = None) -> None:
        """Stop believing a key in this process at once, whatever the issuer publishes (Law 4.7).

        Args:
            issuer: The configured name of the issuer, or what else ``health`` calls the key set: that of project
                tokens is ``mercury (projects)``.
            kid: The key's id.
            tenant: The tenant whose key it is.

        Raises:
            KeyError: If the gate has no such key set.
        """
        self._refresher.forget(RingName(issuer, tenant), kid)
