"""What a store keeps about one subject: judged, merged and written down here, whatever the store."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from ..principal import ProjectRef, Revocation, RevocationKind, TokenRef
from .subjects import Subject

__all__ = ["CUT_OFFS", "Mark", "is_moment", "is_refused", "mark_of", "merged", "read_mark", "write_mark"]

CUT_OFFS: Final[frozenset[RevocationKind]] = frozenset({"subject", "client", "tenant"})
"""The kinds that revoke what was issued before a moment; others revoke by being there, or by a version."""

_FORMAT: Final = 2
_LATEST: Final = 253_402_300_799
_KINDS: Final = frozenset(get_args(RevocationKind))


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything that was ever revoked about one subject, as one value that only grows.

    Args:
        before: For a cut-off: what was issued before this moment is refused, Unix seconds.
        except_session: The one session for which ``except_before`` holds instead.
        except_before: The cut-off for that session; None refuses nothing of it.
        version: For a secret version: the lowest that is still accepted.
        expires_at: When the mark may be forgotten, Unix seconds; None for never.
    """

    before: float | None = None
    except_session: str | None = None
    except_before: float | None = None
    version: int = 0
    expires_at: float | None = None

    def cut_off(self, session_id: str | None) -> float | None:
        """The moment before which nothing of a session is accepted, or None."""
        spared = self.except_session is not None and self.except_session == session_id
        return self.except_before if spared else self.before

    def is_over(self, now: float) -> bool:
        """Whether it may be forgotten; ``now`` is Unix seconds."""
        return self.expires_at is not None and self.expires_at <= now


def mark_of(entry: Revocation) -> Mark:
    """What a store keeps of a single entry."""
    return Mark(entry.before, entry.except_session, None, entry.version, entry.expires_at)


def merged(one: Mark, other: Mark) -> Mark:
    """Both marks in one: refuses exactly what either refuses, and lives as long as the longer-lived.

    A cut-off that spares a session is the function "T, but F for the session s"; merging takes the higher of
    both functions for every session, so an earlier plain cut-off still holds for a session spared later.
    """
    high, low = sorted((one, other), key=lambda mark: _or_never(mark.before), reverse=True)
    spared = high.except_session
    except_before = None if spared is None else _later(high.except_before, low.cut_off(spared))
    if except_before == high.before:
        spared = except_before = None
    lasting = one.expires_at is None or other.expires_at is None
    return Mark(
        before=high.before,
        except_session=spared,
        except_before=except_before,
        version=max(one.version, other.version),
        expires_at=None if lasting else _later(one.expires_at, other.expires_at),
    )


def is_refused(ref: TokenRef | ProjectRef, found: Iterable[tuple[Subject, Mark | None]]) -> bool:
    """Whether one of the marks found about a credential refuses it."""
    return any(_refuses(subject.kind, mark, ref) for subject, mark in found if mark is not None)


def write_mark(subject: Subject, mark: Mark) -> bytes:
    """A mark and what it is about as ASCII JSON, for a shared store; ``read_mark`` reads it back.

    The subject stands in it because a copy of the store is kept by subjects: no digest can be turned back into one.
    """
    fields = [
        _FORMAT,
        *subject,
        mark.before,
        mark.except_session,
        mark.except_before,
        mark.version,
        mark.expires_at,
    ]
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode("ascii")


def read_mark(data: bytes) -> tuple[Subject, Mark]:
    """Read a mark strictly: what cannot be read in one way only is an error, never "not revoked".

    Raises:
        ValueError: If ``data`` is not a mark.
    """
    try:
        fields: Any = json.loads(data)
    except (ValueError, RecursionError):
        fields = None
    match fields:
        case [2, str() as issuer, None | str() as tenant, str() as kind, str() as value, *rest] if (
            kind in _KINDS
        ):
            subject = Subject(issuer, tenant, cast("RevocationKind", kind), value)
            return subject, _mark(subject.kind, rest)
        case _:
            raise ValueError("not a mark of this format")


def _mark(kind: RevocationKind, fields: list[Any]) -> Mark:
    match fields:
        case [before, None | str() as session, except_before, int(version), expires_at] if not isinstance(
            version, bool
        ) and (before is not None or kind not in CUT_OFFS):
            return Mark(_moment(before), session, _moment(except_before), version, _moment(expires_at))
        case _:
            raise ValueError("not a mark of this format")


def _refuses(kind: RevocationKind, mark: Mark, ref: TokenRef | ProjectRef) -> bool:
    if isinstance(ref, ProjectRef):
        return ref.secret_version < mark.version
    return kind not in CUT_OFFS or _is_cut_off(mark.cut_off(ref.session_id), ref)


def _is_cut_off(moment: float | None, ref: TokenRef) -> bool:
    if moment is None:
        return False
    first_accepted = math.floor(moment) + 1
    # Law 5.7: iat has whole seconds, so what was issued within the second of the cut-off is refused with it.
    if ref.issued_at is None or ref.issued_at < first_accepted:
        return True
    return ref.auth_time is not None and ref.auth_time < first_accepted


def _or_never(moment: float | None) -> float:
    return -math.inf if moment is None else moment


def _later(one: float | None, other: float | None) -> float | None:
    later = max(_or_never(one), _or_never(other))
    return None if later == -math.inf else later


def is_moment(value: object) -> bool:
    """Whether this is a time in Unix seconds, from 1970 to the year 9999."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LATEST


def _moment(value: object) -> float | None:
    if value is None or is_moment(value):
        return cast("float | None", value)
    raise ValueError("not a mark: a moment out of bounds")
