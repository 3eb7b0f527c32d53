"""What a gate needs of the world, in both colours: implement one of these to bring your own.

A port answers or raises. ``AuthUnavailable`` (or a subclass) says that it could not check, which becomes 503
(Law 1.5); any other exception is a bug and reaches the framework as itself (Law 1.3).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from .credentials import ApiKeyCredential, AppCredentials
from .principal import ApiKey, Project, ProjectRef, Revocation, TokenRef, is_uuid
from .request import HttpReply, HttpRequest

__all__ = [
    "ApiKeyStore",
    "AsyncApiKeyStore",
    "AsyncProjectDirectory",
    "AsyncReplayStore",
    "AsyncRevocationLog",
    "AsyncRevocationStore",
    "HttpPort",
    "ProjectDirectory",
    "ReplayStore",
    "RevocationLog",
    "RevocationStore",
    "ValidationHooks",
]


def is_async(call: Callable[..., object]) -> bool:
    """Whether this, or what it does when it is called, was written with ``async def`` (Law 9.4)."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def tenant_problems(tenants: object, *, uuid: bool) -> Iterator[str]:
    """What is wrong with the tenants that are served: by name, or by a predicate of the application's (Law 4.13).

    Args:
        tenants: As they were given.
        uuid: Whether each is a UUID, of which only one spelling counts (Law 3.12).
    """
    if callable(tenants):
        if is_async(tenants):
            yield "tenants: give a plain function, which answers from memory; nobody would await an async one"
    elif not isinstance(tenants, frozenset):
        yield "tenants: give a list of ids, or a function that says which are served"
    elif not tenants:
        yield "tenants: name at least one, or leave it out"
    elif uuid and not all(map(is_uuid, tenants)):
        yield "tenants: each is a UUID in lower case, 8-4-4-4-12, such as 0b6f6c1e-...; other spellings match no token"


class HttpPort(Protocol):
    """Sends the gate's own requests under the limits of Law 4.9; sync in both colours, on threads of its own."""

    def send(self, request: HttpRequest) -> HttpReply:
        """Send one request and read the whole answer, whatever its status.

        Raises:
            AuthUnavailable: If no complete answer came within the limits.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class ProjectDirectory(Protocol):
    """Knows projects by their app id and secret."""

    def look_up(self, credentials: AppCredentials) -> Project | None:
        """The project, or None when the app id is unknown or the secret wrong.

        Raises:
            ServiceNotEnabled: If it knows the project and that it may not use this service; a directory that
                leaves that to the gate answers the project with its ``enabled_services``.
            AuthUnavailable: If the directory cannot answer.
        """
        ...


@runtime_checkable
class AsyncProjectDirectory(Protocol):
    """``ProjectDirectory`` for ``AsyncGate``."""

    async def look_up(self, credentials: AppCredentials) -> Project | None:
        """The project, or None when the app id is unknown or the secret wrong.

        Raises:
            ServiceNotEnabled: If it knows the project and that it may not use this service; a directory that
                leaves that to the gate answers the project with its ``enabled_services``.
            AuthUnavailable: If the directory cannot answer.
        """
        ...


@runtime_checkable
class ApiKeyStore(Protocol):
    """Knows API keys; asked at every request that presents one of the configured form (Law 6.7)."""

    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """The key, or None when it is unknown, wrong or was withdrawn; the gate judges ``expires_at``.

        Raises:
            AuthUnavailable: If the store cannot answer.
        """
        ...


@runtime_checkable
class AsyncApiKeyStore(Protocol):
    """``ApiKeyStore`` for ``AsyncGate``."""

    async def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """The key, or None when it is unknown, wrong or was withdrawn; the gate judges ``expires_at``.

        Raises:
            AuthUnavailable: If the store cannot answer.
        """
        ...


@runtime_checkable
class RevocationStore(Protocol):
    """Answers whether something was revoked; asked at every request (Law 5.1)."""

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether the token or secret version is revoked.

        Raises:
            AuthUnavailable: If the store cannot answer.
        """
        ...


@runtime_checkable
class RevocationLog(Protocol):
    """Takes revocations in; a store that has it too can be written to through ``gate.revocations``."""

    def revoke(self, entry: Revocation) -> None:
        """Write the entry; returns once that is durable (Law 5.6).

        Raises:
            AuthUnavailable: If it could not be written for certain.
        """
        ...


@runtime_checkable
class AsyncRevocationStore(Protocol):
    """``RevocationStore`` for ``AsyncGate``."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether the token or secret version is revoked.

        Raises:
            AuthUnavailable: If the store cannot answer.
        """
        ...


@runtime_checkable
class AsyncRevocationLog(Protocol):
    """``RevocationLog`` for ``AsyncGate``."""

    async def revoke(self, entry: Revocation) -> None:
        """Write the entry; returns once that is durable (Law 5.6).

        Raises:
            AuthUnavailable: If it could not be written for certain.
        """
        ...


@runtime_checkable
class ReplayStore(Protocol):
    """Remembers what may be used once: nonces of signatures, and their like."""

    def use(self, name: bytes, ttl: float) -> bool:
        """Use a value up, in one step that nobody can come between; whether this was its first use.

        Args:
            name: 32 bytes that name the value.
            ttl: For how long it has to be remembered, in seconds.

        Raises:
            AuthUnavailable: If the store cannot answer.
        """
        ...


@runtime_checkable
class AsyncReplayStore(Protocol):
    """``ReplayStore`` for ``AsyncGate``."""

    async def use(self, name: bytes, ttl: float) -> bool:
        """Use a value up; see ``ReplayStore.use``.

        Raises:
            AuthUnavailable: If the store cannot answer.
        """
        ...


class ValidationHooks(Protocol):
    """Told what became of the tokens of an m8, while the request waits; see ``Issuer.m8(hooks=...)``.

    Nothing that it raises changes an outcome (Law 10.2). It is plain in both colours: nobody would await it.
    """

    def on_success(self, *, jti: str, sub: str, token_type: str) -> None:
        """Learn that the bearer of a token was admitted.

        Args:
            jti: The id of the token.
            sub: The id of the user, as the token has it.
            token_type: ``access`` or ``refresh``.
        """
        ...

    def on_failure(self, *, reason: str, token_type: str) -> None:
        """Learn that a token was not accepted.

        Args:
            reason: ``expired``, ``invalid``, ``wrong_type``, ``invalid_payload``, ``revoked`` or ``reused``.
            token_type: ``access`` or ``refresh``: what it was presented as.
        """
        ...


def hook_problems(hooks: object) -> Iterator[str]:
    """What is wrong with validation hooks."""
    calls = [getattr(hooks, name, None) for name in ("on_success", "on_failure")]
    if not all(callable(call) and not is_async(call) for call in calls):
        yield "hooks: give an object with on_success(...) and on_failure(...), neither of them async"
