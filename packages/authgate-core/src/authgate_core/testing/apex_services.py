"""What the pretended apex knows of services: their users, with metadata, and their permissions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from uuid import uuid4

from .server import Answer

__all__ = ["FORBIDDEN", "NOT_FOUND", "FakeService", "Shown", "json_answer"]

NOT_FOUND: Final = Answer(b'{"detail":"Not found."}', status=404)
FORBIDDEN: Final = Answer(b'{"detail":"Forbidden"}', status=403)

Shown: TypeAlias = Mapping[str, Mapping[str, Any]]
"""User objects by id."""


@dataclass(slots=True)
class FakeService:
    """One service.

    Args:
        members: What each of its users is to it, by id.
        permissions: Its permissions, in the order in which they were made.
    """

    members: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    permissions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def is_admin(self, user_id: str) -> bool:
        """Whether a user may administer it."""
        member = self.members.get(user_id)
        return member is not None and member["is_service_admin"] is True

    def get(self, what: list[str], people: Shown) -> Answer:
        """What it answers to who may ask: about its users, one user, or its permissions."""
        match what:
            case ["metadata", who] if who in self.members:
                kept = {"user_id": who, "metadata": self.members[who]["metadata"]}
                return json_answer({"data": {"metadata": kept}})
            case ["users", who] if who in self.members:
                return json_answer({"data": {"user": self._shown(who, people)}})
            case ["users"]:
                return json_answer({"data": {"users": [self._shown(who, people) for who in self.members]}})
            case ["permissions"]:
                return json_answer({"data": {"permissions": self.permissions}})
            case _:
                return NOT_FOUND

    def create(self, sent: Mapping[str, Any]) -> Answer:
        """Make a permission."""
        self.permissions.append({**sent, "id": str(uuid4())})
        return json_answer({"data": {}})

    def delete(self, which: str) -> Answer:
        """Delete a permission by its id."""
        left = [one for one in self.permissions if one["id"] != which]
        if len(left) == len(self.permissions):
            return NOT_FOUND
        self.permissions[:] = left
        return json_answer({"data": {}})

    def _shown(self, user_id: str, people: Shown) -> dict[str, Any]:
        return {"user": people[user_id], **self.members[user_id]}


def json_answer(body: object) -> Answer:
    """An answer with status 200."""
    return Answer(json.dumps(body).encode())
