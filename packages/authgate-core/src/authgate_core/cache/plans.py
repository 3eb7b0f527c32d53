"""What a cache of projects tells a flow to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..principal import Project

__all__ = ["Ask", "Barred", "Hit", "HitAndRefresh", "Limited", "Plan", "Refused"]


@dataclass(frozen=True, slots=True)
class Hit:
    """The credentials are good."""

    project: Project


@dataclass(frozen=True, slots=True)
class HitAndRefresh:
    """The credentials are good; have the directory asked again in the background."""

    project: Project


@dataclass(frozen=True, slots=True)
class Refused:
    """The directory said no a moment ago."""


@dataclass(frozen=True, slots=True)
class Barred:
    """The directory said a moment ago that the project may not use this service."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The directory must be asked."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Too much has failed to ask about credentials that are not known (Law 6.6).

    Args:
        retry_after: When to try again, in seconds.
    """

    retry_after: float


Plan: TypeAlias = Hit | HitAndRefresh | Refused | Barred | Ask | Limited
