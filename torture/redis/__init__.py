"""Redis misbehaves: the laws of section 5."""

from __future__ import annotations

from typing import Final

from ..rows import Row

__all__ = ["ROWS"]

ROWS: Final[tuple[Row, ...]] = ()
