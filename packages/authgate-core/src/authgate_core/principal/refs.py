"""Names of the things that are admitted and revoked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, TypeGuard

__all__ = [
    "PrincipalRef",
    "ProjectRef",
    "Revocation",
    "RevocationKind",
    "TokenRef",
    "is_plain_name",
    "is_uuid",
]

RevocationKind: TypeAlias = Literal[
    "token", "session", "subject", "client", "tenant", "key", "secret_version"
]

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:-]{1,255}")


class PrincipalRef(NamedTuple):
    """What identifies a principal: equality, hashing, revocation and logs use it (Law 3.14)."""

    issuer: str
    tenant: str | None
    id: str


@dataclass(frozen=True, slots=True)
class TokenRef:
    """What a revocation source is asked about a verified token (Law 5.2).

    Args:
        issuer: The configured name of the issuer.
        tenant: The verified tenant, if the issuer has tenants.
        name: The ``jti``, or where there is none the SHA-256 of header.payload in hex (Law 5.9).
        has_jti: Whether ``name`` is a ``jti``.
        session_id: The ``sid`` claim.
        subject: The mapped id of the principal.
        client_id: The client that the token was issued to.
        issued_at: ``iat``, Unix seconds.
        auth_time: ``auth_time``, Unix seconds.
        expires_at: ``exp``, Unix seconds.
        kid: The key that verified the token.
    """

    issuer: str
    tenant: str | None
    name: str
    has_jti: bool
    session_id: str | None
    subject: str
    client_id: str | None
    issued_at: float | None
    auth_time: float | None
    expires_at: float
    kid: str | None


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """What a revocation source is asked about project credentials (Law 6.4).

    Args:
        project_id: The project's id.
        secret_version: The version of the secret that was presented.
        token_id: What names the project token that was presented; None for an app id and secret. A source that
            lists the tokens that exist refuses one that it does not list (Law 5.3).
    """

    project_id: str
    secret_version: int
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry of a revocation store (Law 5.2). Entries only ever add refusals.

    Args:
        kind: What is revoked.
        issuer: The configured name of the issuer; of the project directory for a secret version.
        tenant: The tenant within the issuer.
        value: What names it: a token's name, a sid, a subject, a client id, a kid or a project id; empty for
            a tenant.
        before: For subject, client and tenant: what was issued before this moment is revoked, Unix seconds.
        except_session: For those: the one session that goes on.
        version: For a secret version: the lowest that is still accepted.
        expires_at: When the entry may be forgotten, Unix seconds; None for never (Law 5.8).
    """

    kind: RevocationKind
    issuer: str
    tenant: str | None
    value: str
    before: float | None = None
    except_session: str | None = None
    version: int = 0
    expires_at: float | None = None


def is_plain_name(name: object) -> TypeGuard[str]:
    """Whether this may stand as it is in the keys of a store that others write (Law 5.9)."""
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


def is_uuid(value: object) -> TypeGuard[str]:
    """Whether this is a UUID in its one spelling: lower case, 8-4-4-4-12 (Law 3.12)."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None
