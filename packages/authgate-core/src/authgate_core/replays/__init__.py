"""Values that may be used once: what names one, and where those that were used are remembered, as frozen values."""

from .names import REMEMBERED_LONGER, once_name
from .specs import MemoryReplays, RedisReplays

__all__ = ["REMEMBERED_LONGER", "MemoryReplays", "RedisReplays", "once_name"]
