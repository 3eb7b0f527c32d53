"""What an operator should know of a refresh: said when it changes, not at every attempt."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..effects import RingName
from ..events import Notice
from .state import RingState

__all__ = ["notices"]


def notices(name: RingName, before: RingState, after: RingState, *, alarm: bool = False) -> Iterator[Notice]:
    """Compare a ring before and after one refresh.

    Args:
        name: Whose keys these are.
        before: The state in which the refresh was started.
        after: The state that it led to.
        alarm: Whether it failed for a reason that only a person can mend (Law 1.6).
    """
    subject = name.issuer if name.tenant is None else f"{name.issuer} ({name.tenant})"
    if after.last_error is not None and after.last_error != before.last_error:
        yield Notice("keys_refresh_failed", subject, f"the keys are not refreshed: {after.last_error}", alarm)
    if after.last_error is None and before.last_error is not None:
        yield Notice("keys_recovered", subject, "the keys can be refreshed again")
    for warning in after.warnings:
        if warning not in before.warnings:
            yield Notice("keys_document", subject, warning)
    if after.keys is None and before.keys is not None:
        text = "no key answers any more: tokens get 503 until a good document comes"
        yield Notice("keys_ended", subject, text, alarm=True)
    elif before.farewell.ends_at == math.inf != after.farewell.ends_at:
        grace = after.times.definite_grace / 60
        text = f"the issuer says that it has no keys; the last stop {grace:g} minutes after it first said so"
        yield Notice("keys_ending", subject, text, alarm=True)
