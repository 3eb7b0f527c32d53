"""Every row there is, in the order in which they are shown."""

from __future__ import annotations

from .issuer import ROWS as ISSUER_ROWS
from .redis import ROWS as REDIS_ROWS
from .rows import Row

__all__ = ["every_row"]


def every_row() -> tuple[Row, ...]:
    """The rows of both parts.

    Raises:
        ValueError: If two of them have one name.
    """
    rows = (*ISSUER_ROWS, *REDIS_ROWS)
    names = [row.name for row in rows]
    if len(set(names)) != len(names):
        raise ValueError(f"two rows have one name: {sorted(names)}")
    return rows
