"""What all apps have in common: who is let in where, and the configuration of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import authgate_core as ag

__all__ = ["READERS", "SUPPLIERS", "configured"]

READERS: Final = ag.is_user & ag.all_scopes("orders:read")
SUPPLIERS: Final = ag.any_role("supplier")


def configured(settings: Mapping[str, str]) -> ag.GateConfig:
    """From what a service of the older client has in its environment, and what we add."""
    roles = ag.RoleHierarchy({"admin": ["supplier", "moderator"]})
    return replace(ag.GateConfig.from_mapping(settings), roles=roles)
