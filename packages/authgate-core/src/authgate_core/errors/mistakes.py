"""Mistakes of those who write and run an application, which no caller is answered with."""

from __future__ import annotations

__all__ = ["ConfigurationError", "NotAdmitted"]


class ConfigurationError(Exception):
    """The configuration is wrong; lists everything that is, with what to write instead (Law 1.6).

    Args:
        problems: One sentence each, naming the setting and the fix.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(
            "\n".join(("authgate is not configured correctly:", *(f"  - {p}" for p in problems)))
        )


class NotAdmitted(Exception):
    """A handler asked for a principal that the policy of its route does not demand: a bug, not a refusal."""
