"""Revoking: ``gate.revocations`` in both colours (Law 5.6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeAlias

from ..config import GateConfig
from ..effects import Flow
from ..errors import ConfigurationError
from ..ports import AsyncRevocationLog, RevocationLog
from ..principal import Revocation
from ..revocation import secret_version_entry
from ..secret import Secret
from .entries import RevocationEntries
from .stores import AsyncRemoteStore, OwnStore, RemoteStore

__all__ = ["AsyncRevocations", "Revocations"]

Run: TypeAlias = Callable[[Flow[Revocation | None]], Revocation | None]
AsyncRun: TypeAlias = Callable[[Flow[Revocation | None]], Awaitable[Revocation | None]]


def _no_store(config: GateConfig) -> ConfigurationError:
    if config.foreign:
        return ConfigurationError(
            f"revocation: {config.foreign[0].owner}'s layout is read-only; revoke there, or give a second source that "
            f'can be written to: revocation=[RedisRevocation(..., layout="{config.foreign[0].layout}"), '
            "RedisRevocation(...)]"
        )
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

    @property
    def takes_entries(self) -> bool:
        """Whether there is a source that can be written to."""
        return bool(self._logs)

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

    def log_out(self, logout_token: str) -> None:
        """End what an OpenID provider says has ended: a session, or with none named all of a user's so far.

        Args:
            logout_token: What came as ``logout_token`` (OpenID Connect Back-Channel Logout 1.0).

        Raises:
            InvalidToken: If it is no logout token for one of the issuer's ``logout_clients``.
            AuthUnavailable: If its keys could not be had.
        """
        flow = self._entries.logout(Secret(logout_token))
        del logout_token  # Law 2.5: as above
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
            if isinstance(store, RemoteStore):
                store.reload()

    def _write(self, entry: Revocation) -> None:
        if not self._logs:
            raise _no_store(self._entries.config)
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

    @property
    def takes_entries(self) -> bool:
        """As ``Revocations.takes_entries``."""
        return bool(self._logs)

    async def revoke_token(
        self, token_or_jti: str, *, issuer: str | None = None, tenant: str | None = None
    ) -> None:
        """As ``Revocations.revoke_token``."""
        flow = self._entries.token(Secret(token_or_jti), issuer, tenant)
        del token_or_jti  # Law 2.5: as in Revocations
        entry = await self._run(flow)
        if entry is not None:
            await self._write(entry)

    async def log_out(self, logout_token: str) -> None:
        """As ``Revocations.log_out``."""
        flow = self._entries.logout(Secret(logout_token))
        del logout_token  # Law 2.5: as in Revocations
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
            if isinstance(store, AsyncRemoteStore):
                await store.reload()

    async def _write(self, entry: Revocation) -> None:
        if not self._logs:
            raise _no_store(self._entries.config)
        for log in self._logs:
            await log.revoke(entry)
