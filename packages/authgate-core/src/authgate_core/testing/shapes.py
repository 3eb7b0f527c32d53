"""The outside of a token: segments, and what to leave out of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal, TypeAlias

__all__ = ["ABSENT", "Absent", "encode_json", "encode_segment"]


class _Absent(Enum):
    """Stands in the place of a claim or header parameter that is left out."""

    ABSENT = "ABSENT"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""In the place of a claim or header parameter: leave it out."""
Absent: TypeAlias = Literal[_Absent.ABSENT]


def encode_segment(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def encode_json(values: Mapping[str, object]) -> bytes:
    """The JSON object of what is not ``ABSENT``."""
    present = {name: value for name, value in values.items() if value is not ABSENT}
    return json.dumps(present, separators=(",", ":")).encode()
