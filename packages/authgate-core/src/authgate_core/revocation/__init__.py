"""What can be revoked, how it is judged and how long it is kept; nothing here waits or asks (Law 5)."""

from .addresses import masked_url
from .allowance import Allowance
from .clients import ClientKind, client_kind
from .entries import (
    check_entry,
    cut_off_entry,
    key_entry,
    secret_version_entry,
    session_entry,
    token_entry,
)
from .health import FeedHealth, RevocationHealth
from .marks import Mark, is_refused, mark_of, merged, read_mark, write_mark
from .replica import FeedBroken, FeedEntry, FeedHead, Replica
from .servers import prefix_problems, server_problems
from .specs import MemoryRevocation, RedisRevocation
from .subjects import Subject, field_of, fields_of, subject_of, subjects_of
from .table import Kept, MarkTable, ends_of, refused

__all__ = [
    "Allowance",
    "ClientKind",
    "FeedBroken",
    "FeedEntry",
    "FeedHead",
    "FeedHealth",
    "Kept",
    "Mark",
    "MarkTable",
    "MemoryRevocation",
    "RedisRevocation",
    "Replica",
    "RevocationHealth",
    "Subject",
    "check_entry",
    "client_kind",
    "cut_off_entry",
    "ends_of",
    "field_of",
    "fields_of",
    "is_refused",
    "key_entry",
    "mark_of",
    "masked_url",
    "merged",
    "prefix_problems",
    "read_mark",
    "refused",
    "secret_version_entry",
    "server_problems",
    "session_entry",
    "subject_of",
    "subjects_of",
    "token_entry",
    "write_mark",
]
