"""Redis misbehaves: the laws of section 5."""

from __future__ import annotations

from .table import ROWS

__all__ = ["ROWS"]
