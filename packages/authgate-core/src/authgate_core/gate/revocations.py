"""Revoking: ``gate.revocations`` in both colours (Law 5.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from ..clock import Clock
from ..config.gate_config import GateConfig
from ..credentials import BearerToken
from ..effects import Flow
from ..errors import ConfigurationError, MalformedToken, TokenExpired
from ..flows.token import Trust, TrustedIssuer, verify_token
from ..jose.compact import parse_header
from ..ports import AsyncRevocationLog, RevocationLog
from ..principal import Revocation, TokenRef
from ..revocation import cut_off_entry, key_entry, secret_version_entry, session_entry, token_entry
from ..secret import Secret
from .sources import AsyncReloadable, OwnStore, Reloadable

__all__ = ["AsyncRevocations", "RevocationEntries", "Revocations"]

Run: TypeAlias = Callable[[Flow[Revocation | None]], Revocation | None]
AsyncRun: TypeAlias = Callable[[Flow[Revocation | None]], Awaitable[Revocation | None]]


@dataclass(frozen=True, slots=True)
class RevocationEntries:
    """Writes entries, but stores none: the colourless half of ``Revocations``.

    Args:
        config: The gate's configuration.
        clock: Where the present moment comes from.
        trust: What tokens are verified with.
        issuers: By configured name.
    """

    config: GateConfig
    clock: Clock
    trust: Trust
    issuers: Mapping[str, TrustedIssuer]

    def token(self, token_or_jti: Secret, issuer: str | None, tenant: str | None) -> Flow[Revocation | None]:
        """The entry for a token, given whole or by its ``jti``.

        A whole one is verified first: a forgery must not revoke the token that it imitates.

        Returns:
            The entry, or None for a token that has expired and is refused without one.

        Raises:
            InvalidToken: If a whole token does not verify.
            ValueError: If it is not of the issuer and tenant that were named.
        """
        if not self._is_token(token_or_jti.reveal()):
            return self._of_jti(token_or_jti, issuer, tenant)
        now = self.clock.now()
        try:
            trusted, verified = yield from verify_token(BearerToken(token_or_jti), self.trust, now)
        except TokenExpired:
            return None
        principal = trusted.issuer.principal(verified, self.trust.expand)
        return self._of(trusted.issuer.token_ref(verified, principal), issuer, tenant)

    def _of(self, ref: TokenRef, issuer: str | None, tenant: str | None) -> Revocation:
        if issuer not in {None, ref.issuer} or tenant not in {None, ref.tenant}:
            raise ValueError(
                f"the token is of issuer {ref.issuer!r} and tenant {ref.tenant!r}, not of those that were named"
            )
        limit = self._lifetime(ref.issuer)
        return token_entry(
            ref.issuer,
            ref.tenant,
            ref.name,
            expires_at=ref.expires_at,
            max_lifetime=limit,
            now=self.clock.now(),
        )

    def _of_jti(self, jti: Secret, issuer: str | None, tenant: str | None) -> Revocation:
        if any(map(self._is_token, jti.reveal().split())):
            raise ValueError("give the token alone, without its scheme and without blanks")
        name = self._issuer(issuer, tenant)
        limit = self._lifetime(name)
        return token_entry(
            name, tenant, jti.reveal(), expires_at=None, max_lifetime=limit, now=self.clock.now()
        )

    def session(self, sid: str, issuer: str | None, tenant: str | None) -> Revocation:
        """The entry for a session."""
        name = self._issuer(issuer, tenant)
        return session_entry(name, tenant, sid, max_lifetime=self._lifetime(name), now=self.clock.now())

    def cut_off(
        self,
        moment: float | datetime | None,
        *,
        subject: str | None,
        client_id: str | None,
        tenant: str | None,
        issuer: str | None,
        except_session: str | None,
    ) -> Revocation:
        """The entry for everything of a subject, client or tenant that was issued before a moment."""
        name = self._issuer(issuer, tenant)
        namespace = self.issuers[name].issuer.mapping.namespace
        if subject is not None and not subject.startswith(namespace):
            raise ValueError(f"subject={subject!r}: ids of issuer {name!r} begin with {namespace!r}")
        return cut_off_entry(
            name,
            tenant,
            subject=subject,
            client_id=client_id,
            before=_unix(moment) if isinstance(moment, datetime) else moment,
            except_session=except_session,
            max_lifetime=self._lifetime(name),
            now=self.clock.now(),
        )

    def key(self, kid: str, issuer: str | None, tenant: str | None) -> Revocation:
        """The entry for a key."""
        name = self._issuer(issuer, tenant)
        return key_entry(name, tenant, kid, max_lifetime=self._lifetime(name), now=self.clock.now())

    def _is_token(self, token_or_jti: str) -> bool:
        """Whether this is a whole token: three segments, of which the first is a JOSE header."""
        if token_or_jti.count(".") != 2:  # RFC 7515 section 3.1
            return False
        try:
            parse_header(token_or_jti.partition(".")[0], self.trust.limits)
        except MalformedToken:
            return False
        return True

    def _issuer(self, name: str | None, tenant: str | None) -> str:
        """The issuer that is meant; an entry that no token could ever match is refused, not written."""
        if name is None and len(self.issuers) == 1:
            name = next(iter(self.issuers))
        if name is None or name not in self.issuers:
            raise ValueError(f"issuer={name!r}: name one of {', '.join(map(repr, self.issuers)) or 'none'}")
        has_tenants = self.issuers[name].issuer.mapping.tenant is not None
        if has_tenants and tenant is None:
            raise ValueError(f"tenant=None: every token of issuer {name!r} is of a tenant; name it")
        if tenant is not None and not has_tenants:
            raise ValueError(f"tenant={tenant!r}: issuer {name!r} has no tenants; leave it out")
        return name

    def _lifetime(self, issuer: str) -> float | None:
        return self.issuers[issuer].issuer.terms.max_lifetime


def _unix(moment: datetime) -> float:
    if moment.tzinfo is None:
        raise ValueError("the moment has no time zone; write datetime.now(timezone.utc), or Unix seconds")
    return moment.timestamp()


def _no_store() -> ConfigurationError:
    return ConfigurationError(
        "revocation: no source that can be written to; give MemoryRevocation() or RedisRevocation(...)"
    )


class Revocations:
    """Revokes. What writes returns once the write is durable, else raises ``RevocationUnavailable``.

    ``issuer`` is the configured name and may be left out where the gate has one issuer; ``tenant`` names the
    tenant within it, where it has tenants. What no token could match raises ValueError; without a source that
    can be written to, each write raises ConfigurationError.
    """

    def __init__(
        self, run: Run, entries: RevocationEntries, logs: tuple[RevocationLog, ...], own: tuple[OwnStore, ...]
    ) -> None:
        self._run = run
        self._entries = entries
        self._logs = logs
        self._own = own

    def revoke_token(
        self, token_or_jti: str, *, issuer: str | None = None, tenant: str | None = None
    ) -> None:
        """Revoke one token, given whole or by its ``jti``; one that has expired needs no entry.

        Raises:
            InvalidToken: If a whole token does not verify: only a genuine one may be revoked by showing it.
            ValueError: If it is of another issuer or tenant than named, or is no bare token.
        """
        flow = self._entries.token(Secret(token_or_jti), issuer, tenant)
        del token_or_jti  # Law 2.5: error reporters write out the locals of every frame
        entry = self._run(flow)
        if entry is not None:
            self._write(entry)

    def revoke_session(self, sid: str, *, issuer: str | None = None, tenant: str | None = None) -> None:
        """Revoke every token of a session, also those still to be issued."""
        self._write(self._entries.session(sid, issuer, tenant))

    def revoke_before(
        self,
        moment: float | datetime | None = None,
        *,
        subject: str | None = None,
        client_id: str | None = None,
        tenant: str | None = None,
        issuer: str | None = None,
        except_session: str | None = None,
    ) -> None:
        """Revoke what was issued before a moment to a subject, to a client, or with neither in a whole tenant.

        Args:
            moment: Unix seconds or an aware datetime; None for now.
            subject: The mapped id of a principal.
            client_id: A client.
            tenant: The tenant of the subject or client, or the one to revoke whole.
            issuer: The configured name of the issuer.
            except_session: The one session that goes on.

        Raises:
            ValueError: If the moment is in the future (Law 5.7), or what to revoke is not named.
        """
        self._write(
            self._entries.cut_off(
                moment,
                subject=subject,
                client_id=client_id,
                tenant=tenant,
                issuer=issuer,
                except_session=except_session,
            )
        )

    def revoke_key(self, kid: str, *, issuer: str | None = None, tenant: str | None = None) -> None:
        """Revoke every token that a key verifies, of one tenant where the issuer has tenants."""
        self._write(self._entries.key(kid, issuer, tenant))

    def require_secret_version(self, project_id: str, version: int) -> None:
        """Refuse every secret of a project below a version."""
        self._write(secret_version_entry(project_id, version))

    def reload(self) -> None:
        """Believe the stores again, in this process, after they lost their entries and got them anew (Law 5.10)."""
        for store in self._own:
            if isinstance(store, Reloadable):
                store.reload()

    def _write(self, entry: Revocation) -> None:
        if not self._logs:
            raise _no_store()
        for log in self._logs:
            log.revoke(entry)


class AsyncRevocations:
    """``Revocations`` for ``AsyncGate``: the same methods, awaitable."""

    def __init__(
        self,
        run: AsyncRun,
        entries: RevocationEntries,
        logs: tuple[AsyncRevocationLog, ...],
        own: tuple[OwnStore, ...],
    ) -> None:
        self._run = run
        self._entries = entries
        self._logs = logs
        self._own = own

    async def revoke_token(
        self, token_or_jti: str, *, issuer: str | None = None, tenant: str | None = None
    ) -> None:
        """As ``Revocations.revoke_token``."""
        flow = self._entries.token(Secret(token_or_jti), issuer, tenant)
        del token_or_jti  # Law 2.5: as in Revocations
        entry = await self._run(flow)
        if entry is not None:
            await self._write(entry)

    async def revoke_session(self, sid: str, *, issuer: str | None = None, tenant: str | None = None) -> None:
        """As ``Revocations.revoke_session``."""
        await self._write(self._entries.session(sid, issuer, tenant))

    async def revoke_before(
        self,
        moment: float | datetime | None = None,
        *,
        subject: str | None = None,
        client_id: str | None = None,
        tenant: str | None = None,
        issuer: str | None = None,
        except_session: str | None = None,
    ) -> None:
        """As ``Revocations.revoke_before``."""
        await self._write(
            self._entries.cut_off(
                moment,
                subject=subject,
                client_id=client_id,
                tenant=tenant,
                issuer=issuer,
                except_session=except_session,
            )
        )

    async def revoke_key(self, kid: str, *, issuer: str | None = None, tenant: str | None = None) -> None:
        """As ``Revocations.revoke_key``."""
        await self._write(self._entries.key(kid, issuer, tenant))

    async def require_secret_version(self, project_id: str, version: int) -> None:
        """As ``Revocations.require_secret_version``."""
        await self._write(secret_version_entry(project_id, version))

    async def reload(self) -> None:
        """As ``Revocations.reload``."""
        for store in self._own:
            if isinstance(store, AsyncReloadable):
                await store.reload()

    async def _write(self, entry: Revocation) -> None:
        if not self._logs:
            raise _no_store()
        for log in self._logs:
            await log.revoke(entry)
