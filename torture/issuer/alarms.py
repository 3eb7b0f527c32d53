"""Whether somebody is called: the hook of a gate that waits for an alarm."""

from __future__ import annotations

import threading
from typing import Final

from authgate_core.events import Decided, Notice

__all__ = ["Alarm"]

LATEST: Final = 2.0
"""Seconds; it is raised when whoever waited has been answered."""


class Alarm:
    """What a gate's ``on_event`` is where alarms are waited for."""

    def __init__(self) -> None:
        self._raised = threading.Event()

    def __call__(self, event: Decided | Notice) -> None:
        """Hear of an event."""
        if isinstance(event, Notice) and event.alarm:
            self._raised.set()

    def came(self) -> bool:
        """Whether there was one, or is one soon."""
        return self._raised.wait(LATEST)
