"""The issuer misbehaves: the laws of section 4, and those of what it is asked and issues (Laws 1.5, 7.4)."""

from __future__ import annotations

from typing import Final

from ..rows import Row
from . import answers, asked, calls, herds, hours, processes, served, tenants

__all__ = ["ROWS"]

ROWS: Final[tuple[Row, ...]] = (
    *herds.ROWS,
    *hours.ROWS,
    *answers.ROWS,
    *asked.ROWS,
    *calls.ROWS,
    *processes.ROWS,
    *served.ROWS,
    *tenants.ROWS,
)
