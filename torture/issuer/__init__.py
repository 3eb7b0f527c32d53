"""The issuer misbehaves: the laws of section 4."""

from __future__ import annotations

from typing import Final

from ..rows import Row

__all__ = ["ROWS"]

ROWS: Final[tuple[Row, ...]] = ()
