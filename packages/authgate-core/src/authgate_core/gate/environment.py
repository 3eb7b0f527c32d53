"""The gate that the environment describes, for apps that were given none (Law 1.6)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from ..config import GateConfig
from ..config.gate_config import Profile
from .base import GateBase

__all__ = ["EnvironmentGate"]

G = TypeVar("G", bound=GateBase)


class EnvironmentGate(Generic[G]):
    """One gate of the process, built from its environment when it is first needed; fork-safe (Law 9.5).

    Args:
        make: The colour: ``Gate`` or ``AsyncGate``.
        profile: In whose words the environment speaks, where it does not say itself.
        given: Variables that count before those of the environment.

    Attributes:
        gate: The gate, once it is built.
    """

    def __init__(
        self,
        make: Callable[[GateConfig], G],
        profile: Profile | None = None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.gate: G | None = None
        self._make: Final = make
        self._profile: Final = profile
        self._given: Final = given
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew_lock)

    def build(self) -> G:
        """The gate; the first caller builds it, which reads settings and files and so may block.

        Raises:
            ConfigurationError: If the environment does not say how.
        """
        with self._lock:
            if self.gate is None:
                self.gate = self._make(GateConfig.from_env(profile=self._profile, given=self._given))
            return self.gate

    def renew_lock(self) -> None:
        """A child must not inherit a lock that a thread of its parent holds."""
        self._lock = threading.Lock()
