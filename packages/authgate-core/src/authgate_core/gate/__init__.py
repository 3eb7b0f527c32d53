"""The gate: composes rooms, rules and ports from a configuration."""

from .aio import AsyncGate
from .base import Health
from .sync import Gate

__all__ = ["AsyncGate", "Gate", "Health"]
