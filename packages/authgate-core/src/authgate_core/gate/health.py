"""How what a gate depends on is, and what an operator can do about keys."""

from __future__ import annotations

from ..effects import RingName
from ..observers import Health
from ..runner.refresher import KeyRefresher

__all__ = ["Health", "Keys"]


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
