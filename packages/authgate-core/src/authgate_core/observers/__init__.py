"""Who watches gates: an observer is a function of an event, for ``GateConfig(on_event=...)``, and these are some.

The libraries behind them are optional, and imported when one is made.
"""

from ..events import Decided, Notice, Observer
from .audit import AuditLog, Auditor, AuditRecord, Caller
from .health import Health
from .opentelemetry import OpenTelemetry
from .prometheus import Prometheus

__all__ = [
    "AuditLog",
    "AuditRecord",
    "Auditor",
    "Caller",
    "Decided",
    "Health",
    "Notice",
    "Observer",
    "OpenTelemetry",
    "Prometheus",
]
