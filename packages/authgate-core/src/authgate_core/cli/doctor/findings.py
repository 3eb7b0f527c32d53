"""One thing that was looked at, how it is, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Finding", "State", "failed", "ok", "warning"]

State: TypeAlias = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``doctor``.

    Args:
        check: What was looked at.
        state: ``failed`` where requests are, or will be, refused or let in wrongly; ``warning`` for what somebody
            should know.
        text: How it is.
        fix: What to do about it; empty only where nothing is to be done.
    """

    check: str
    state: State
    text: str
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        """For programs."""
        return {"check": self.check, "state": self.state, "text": self.text, "fix": self.fix}


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", text)


def warning(check: str, text: str, fix: str) -> Finding:
    """Somebody should know."""
    return Finding(check, "warning", text, fix)


def failed(check: str, text: str, fix: str) -> Finding:
    """Somebody must act."""
    return Finding(check, "failed", text, fix)
