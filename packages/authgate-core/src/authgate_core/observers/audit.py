"""Who did what: a record of each decision that names the caller and the request, for an audit log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias

from ..events import Verdict

__all__ = ["AuditLog", "AuditRecord", "Auditor", "Caller"]


class Caller(NamedTuple):
    """Somebody who was authenticated.

    Args:
        kind: ``user``, ``service``, ``project`` or ``api_key``.
        issuer: The configured name of the issuer.
        tenant: The tenant within the issuer.
        id: The id of the principal.
    """

    kind: str
    issuer: str
    tenant: str | None
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One decision, and whom it was about; it holds no credential and no claim, but its fields are no labels.

    Args:
        at: When it was made, in Unix seconds.
        verdict: ``granted``, ``refused``, ``unavailable``, or in shadow mode ``would_refuse`` (Law 8.6).
        code: The stable code of the outcome; ``ok`` when granted.
        reason: Why, for people; empty when granted.
        callers: Who was admitted; of a refusal, who had been authenticated by then.
        method: The HTTP method; empty for a token alone.
        path: The path that was asked for, without its query.
        peer: The address of the socket's own peer, where the server tells it.
        request_id: What the request is called in logs; a caller may have chosen it.
        duration: Seconds from the first look at the request to the decision.
    """

    at: float
    verdict: Verdict
    code: str
    reason: str
    callers: tuple[Caller, ...]
    method: str
    path: str
    peer: str | None
    request_id: str
    duration: float

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON, which Any stands for."""
        return {**asdict(self), "callers": [caller._asdict() for caller in self.callers]}


Auditor: TypeAlias = Callable[[AuditRecord], object]


class AuditLog:
    """Writes each record as one line of JSON to a logger at INFO, for ``GateConfig(audit=AuditLog())``.

    Where the lines go is said by the logging of the application. A handler that waits holds the request up: put
    ``logging.handlers.QueueHandler`` before one.

    Args:
        logger: The name of the logger.
        grants: Whether admissions are written as well; refusals and outages always are.
    """

    def __init__(self, logger: str = "authgate.audit", *, grants: bool = True) -> None:
        self._log = logging.getLogger(logger)
        self._grants = grants

    def __call__(self, record: AuditRecord) -> None:
        """Write a record."""
        if self._grants or record.verdict != "granted":
            self._log.info(
                "%s", json.dumps(record.to_dict(), separators=(",", ":")), extra={"authgate": record}
            )
