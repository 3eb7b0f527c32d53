"""What an apex says of people: its user object, and what a user is to one service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar, cast

__all__ = ["ApexUser", "ServiceUser", "Unreadable", "read_member", "read_user"]

M = TypeVar("M")

_TEXTS: Final = ("username", "email", "first_name", "last_name", "phone_number")


class Unreadable(ValueError):
    """An answer that is not what an apex answers; its text names members and shows no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApexUser:
    """A person as an apex knows them. Other members of what it sends, a hash of a password among them, are dropped.

    Args:
        id: What identifies them.
        is_admin: Whether they may administer the apex itself.
        username: What they log in with.
        email: Their address.
        first_name: Their first name.
        last_name: Their last name.
        phone_number: Their number.
    """

    id: str
    is_admin: bool = False
    username: str | None = None
    email: str | None = field(default=None, repr=False)
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    phone_number: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str | None:
        """First and last name; None where neither is known."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None


@dataclass(frozen=True, slots=True)
class ServiceUser(Generic[M]):
    """What a user is to one service.

    Args:
        user: Who it is.
        is_service_admin: Whether they may administer the service.
        metadata: What the service keeps about them, by which it knows what they may do; None where it has none.
    """

    user: ApexUser
    is_service_admin: bool
    metadata: M | None


def read_user(sent: object) -> ApexUser:
    """The user that an apex sends.

    Raises:
        Unreadable: If it is none; a flag that is left out is not set, and a name that is left out is not known.
    """
    if not isinstance(sent, Mapping):
        raise Unreadable("the user is no object")
    members = cast("Mapping[str, object]", sent)
    texts = {name: _text(name, members.get(name)) for name in _TEXTS}
    return ApexUser(id=_identifier(members.get("id")), is_admin=_flag("is_admin", members), **texts)


def read_member(sent: object) -> ServiceUser[Mapping[str, Any]]:
    """The user of a service that an apex sends, with metadata as it is; Any because that is JSON.

    Raises:
        Unreadable: If it is none; metadata that is left out is there no more than what is null.
    """
    if not isinstance(sent, Mapping):
        raise Unreadable("the user of the service is no object")
    members = cast("Mapping[str, object]", sent)
    metadata = members.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise Unreadable("metadata is no object")
    kept = cast("Mapping[str, Any] | None", metadata)
    return ServiceUser(read_user(members.get("user")), _flag("is_service_admin", members), kept)


def _identifier(value: object) -> str:
    """The id, which an apex may count; it stands in paths, and is a text to everybody else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip("."):  # dots alone are no segment of a path
        raise Unreadable("id is no text that names anybody")
    return value


def _text(name: str, value: object) -> str | None:
    if not isinstance(value, (str, type(None))):
        raise Unreadable(f"{name} is no text")
    return value


def _flag(name: str, members: Mapping[str, object]) -> bool:
    flag = members.get(name, False)
    if not isinstance(flag, bool):
        raise Unreadable(f"{name} is neither true nor false")
    return flag
