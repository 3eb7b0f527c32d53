"""Configuration: what a gate is built from, and everything that can be wrong with it."""

from .environment import read_settings
from .gate_config import GateConfig

__all__ = ["GateConfig", "read_settings"]
