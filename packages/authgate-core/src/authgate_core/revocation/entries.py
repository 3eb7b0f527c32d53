"""Entries as ``gate.revocations`` writes them: how long each lives, and what is refused when written."""

from __future__ import annotations

from typing import Final

from ..clock import Instant
from ..principal import Revocation
from .marks import CUT_OFFS, is_moment

__all__ = [
    "check_entry",
    "cut_off_entry",
    "key_entry",
    "secret_version_entry",
    "session_entry",
    "token_entry",
]

_GRACE: Final = 120.0
_SHORTEST: Final = 300.0
_LARGEST: Final = 2**53 - 1


def token_entry(
    issuer: str,
    tenant: str | None,
    name: str,
    *,
    expires_at: float | None,
    max_lifetime: float | None,
    now: Instant,
) -> Revocation:
    """Revoke one token.

    Args:
        issuer: The configured name of the issuer.
        tenant: The tenant within the issuer.
        name: ``TokenRef.name``: the ``jti``, or the SHA-256 of header.payload in hex.
        expires_at: ``exp``, Unix seconds; None where only the ``jti`` is at hand.
        max_lifetime: The longest that a token of this issuer may live, in seconds; None where none is set.
        now: The present moment.
    """
    until = _life(max_lifetime, now) if expires_at is None else max(expires_at + _GRACE, now.wall + _SHORTEST)
    return Revocation("token", issuer, tenant, name, expires_at=until)


def session_entry(
    issuer: str, tenant: str | None, session_id: str, *, max_lifetime: float | None, now: Instant
) -> Revocation:
    """Revoke every token of a session, also those to come; arguments as for ``token_entry``."""
    return Revocation("session", issuer, tenant, session_id, expires_at=_life(max_lifetime, now))


def key_entry(
    issuer: str, tenant: str | None, kid: str, *, max_lifetime: float | None, now: Instant
) -> Revocation:
    """Revoke every token that a key verifies; arguments as for ``token_entry``."""
    return Revocation("key", issuer, tenant, kid, expires_at=_life(max_lifetime, now))


def cut_off_entry(
    issuer: str,
    tenant: str | None,
    *,
    subject: str | None = None,
    client_id: str | None = None,
    before: float | None = None,
    except_session: str | None = None,
    max_lifetime: float | None,
    now: Instant,
) -> Revocation:
    """Revoke what was issued before a moment, of a subject, a client, or with neither of the whole tenant.

    Args:
        issuer: The configured name of the issuer.
        tenant: The tenant within the issuer.
        subject: The mapped id of the principal.
        client_id: The client that tokens were issued to.
        before: The moment, Unix seconds; None for now.
        except_session: The one session that goes on.
        max_lifetime: As for ``token_entry``.
        now: The present moment.

    Raises:
        ValueError: If the moment is in the future (Law 5.7), or it is not one of subject, client and tenant.
    """
    moment = now.wall if before is None else before
    until = _life(max_lifetime, now)
    if subject is not None and client_id is not None:
        raise ValueError("revoke_before takes a subject or a client_id, not both; call it twice")
    if subject is not None:
        entry = Revocation("subject", issuer, tenant, subject, moment, except_session, expires_at=until)
    elif client_id is not None:
        entry = Revocation("client", issuer, tenant, client_id, moment, except_session, expires_at=until)
    else:
        entry = Revocation("tenant", issuer, tenant, "", moment, except_session, expires_at=until)
    check_entry(entry, now)
    return entry


def secret_version_entry(project_id: str, version: int) -> Revocation:
    """Refuse every secret of a project below a version; lives for ever, as secrets do (Law 5.8)."""
    return Revocation("secret_version", "projects", None, project_id, version=version)


def check_entry(entry: Revocation, now: Instant) -> None:
    """Refuse an entry that does not mean what it says; every store asks before it writes.

    Raises:
        ValueError: Saying what is wrong.
    """
    _check_types(entry)
    if entry.kind == "tenant":
        if entry.tenant is None:
            raise ValueError("name a subject, a client_id or a tenant to revoke")
    elif not entry.value:
        raise ValueError(f"a {entry.kind} to revoke needs a name")
    if entry.kind in CUT_OFFS:
        if not is_moment(entry.before):
            raise ValueError(f"a cut-off for a {entry.kind} needs a moment in Unix seconds")
        if entry.before is not None and entry.before > now.wall:
            # Law 5.7: it would also refuse what is issued from now on.
            raise ValueError(
                f"the cut-off lies {entry.before - now.wall:.0f} s in the future; use now, or a past moment"
            )
    if entry.kind == "secret_version" and entry.version < 0:
        raise ValueError("a secret version is not negative")
    if entry.expires_at is not None and not is_moment(entry.expires_at):
        raise ValueError("expires_at of an entry is in Unix seconds, or None for never")


def _check_types(entry: Revocation) -> None:
    """An entry of another type would be kept, and read as a damaged store by every check after it."""
    texts: dict[str, object] = {
        "issuer": entry.issuer,
        "tenant": entry.tenant or "",
        "name": entry.value,
        "except_session": entry.except_session or "",
    }
    wrong = [name for name, text in texts.items() if not isinstance(text, str)]
    if wrong:
        raise ValueError(f"a {entry.kind} to revoke: {', '.join(wrong)} must be text")
    version: object = entry.version
    if not isinstance(version, int) or isinstance(version, bool) or version > _LARGEST:
        raise ValueError(f"a secret version is a whole number up to {_LARGEST}")


def _life(max_lifetime: float | None, now: Instant) -> float | None:
    return None if max_lifetime is None else now.wall + max(max_lifetime + _GRACE, _SHORTEST)
