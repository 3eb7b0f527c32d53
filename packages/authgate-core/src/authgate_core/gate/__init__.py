"""The gate: composes rooms, rules and ports from a configuration."""

from .aio import AsyncGate
from .health import Health
from .sync import Gate

__all__ = ["AsyncGate", "Gate", "Health"]
