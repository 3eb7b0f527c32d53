"""What can be revoked, and how an entry about it is named (Laws 5.2, 5.9, 5.12)."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from ..principal import ProjectRef, Revocation, RevocationKind, TokenRef

__all__ = ["Subject", "field_of", "fields_of", "subject_of", "subjects_of"]

_DIRECTORY: Final = "projects"
_GROUP_DIGITS: Final = 32


class Subject(NamedTuple):
    """One thing that can be revoked; hashable, so that a store in memory keeps entries under it as it is.

    Args:
        issuer: The configured name of the issuer.
        tenant: The tenant within the issuer.
        kind: What it is.
        value: What names it; empty for a tenant.
    """

    issuer: str
    tenant: str | None
    kind: RevocationKind
    value: str

    def digest(self) -> str:
        """The name in a shared store: SHA-256 in hex over all four, each preceded by its length (Law 5.9)."""
        return hashlib.sha256(_framed(self.issuer, self.tenant, self.kind, self.value)).hexdigest()

    def group(self) -> str:
        """The name that everything of one (issuer, tenant) shares, for a cluster's hash tag (Law 5.12)."""
        return hashlib.sha256(_framed(self.issuer, self.tenant)).hexdigest()[:_GROUP_DIGITS]


def subjects_of(ref: TokenRef | ProjectRef) -> tuple[Subject, ...]:
    """Everything that may have been revoked about what a request presents; all of it is in one group."""
    if isinstance(ref, ProjectRef):
        return (_secret_version(ref.project_id),)
    issuer, tenant = ref.issuer, ref.tenant
    found = [Subject(issuer, tenant, "token", ref.name), Subject(issuer, tenant, "subject", ref.subject)]
    if ref.session_id is not None:
        found.append(Subject(issuer, tenant, "session", ref.session_id))
    if ref.client_id is not None:
        found.append(Subject(issuer, tenant, "client", ref.client_id))
    if tenant is not None:
        found.append(Subject(issuer, tenant, "tenant", ""))
    if ref.kid is not None:
        found.append(Subject(issuer, tenant, "key", ref.kid))
    return tuple(found)


def subject_of(entry: Revocation) -> Subject:
    """What an entry is about. Project ids are one name space: issuer and tenant of theirs do not count."""
    if entry.kind == "secret_version":
        return _secret_version(entry.value)
    return Subject(entry.issuer, entry.tenant, entry.kind, entry.value)


def field_of(subject: Subject) -> str:
    """The one text that every ref has among its fields about which an entry for this subject may say something."""
    return subject.value or subject.tenant or ""


def fields_of(ref: TokenRef | ProjectRef) -> tuple[str | None, ...]:
    """Those fields of a ref: where no entry is about any of them, none is about the ref."""
    if isinstance(ref, TokenRef):
        return ref.name, ref.subject, ref.session_id, ref.client_id, ref.tenant, ref.kid
    return (ref.project_id,)


def _secret_version(project_id: str) -> Subject:
    return Subject(_DIRECTORY, None, "secret_version", project_id)


def _framed(*parts: str | None) -> bytes:
    """Each part behind its length, so that no two lists of parts read alike."""
    encoded = (None if part is None else part.encode("utf-8", "surrogatepass") for part in parts)
    return b"".join(b"-;" if part is None else b"%d:%b;" % (len(part), part) for part in encoded)
