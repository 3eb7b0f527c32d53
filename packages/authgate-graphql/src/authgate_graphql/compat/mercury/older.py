"""What the older client's guards ask; without a gate, the first builds one from the variables that it read."""

from __future__ import annotations

from typing import Final

from authgate_core import AsyncGate, Gate, is_project, is_user
from authgate_core.gate.environment import EnvironmentGate

from ...requirement import Environment, requirement

__all__ = ["COMBINED", "ENVIRONMENT", "JWT", "PROJECT"]

ENVIRONMENT: Final = Environment(EnvironmentGate(Gate, "mercury"), EnvironmentGate(AsyncGate, "mercury"))
"""As the variables of the older client describe them."""

JWT: Final = requirement(is_user, shows=("user",), environment=ENVIRONMENT)
"""A user, by a token."""
PROJECT: Final = requirement(is_project, shows=("project",), environment=ENVIRONMENT)
"""A project, by its credentials or its token."""
COMBINED: Final = requirement(is_user & is_project, shows=("user", "project"), environment=ENVIRONMENT)
"""Both."""
