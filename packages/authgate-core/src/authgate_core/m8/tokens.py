"""Rotation of refresh tokens: each may be used once, and who uses one twice ends its family."""

from __future__ import annotations

from typing import Self, Unpack

from ..secret import Secret
from .refresh import NextToken
from .rotation import RefreshOptions, Rotation

__all__ = ["AsyncRefreshTokens", "RefreshTokens"]


class RefreshTokens:
    """Rotates the refresh tokens of an m8, for threads and forked processes; a service that issues tokens has it.

    Of many uses of one token at one time exactly one is answered with what comes next, whichever process they
    reach. Every other gives a theft away, whether the thief came first or last, and ends the family: after it no
    token of that login is good.

    Args:
        client_or_url: ``redis://``, ``rediss://`` or ``unix://``, or a redis-py client that is not for asyncio.
        secret: What the tokens are signed with, by HS256: at least 32 bytes.
        options: See ``RefreshOptions``.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(
        self, client_or_url: object, *, secret: Secret | str, **options: Unpack[RefreshOptions]
    ) -> None:
        self._rotation = Rotation("RefreshTokens", "sync", client_or_url, secret, options)
        from ..io.redis.families import Families, FamilyStore  # which needs redis-py, as was checked

        families = Families(self._rotation.prefix, self._rotation.lifetime)
        self._store = FamilyStore(client_or_url, families, self._rotation.clock, self._rotation.notice)

    def begin(self, sub: str) -> NextToken:
        """Begin a family, at a login.

        Args:
            sub: The id of the user.

        Returns:
            What the refresh token has to say.

        Raises:
            ValueError: If the id is not a UUID in lower case.
            RevocationUnavailable: If it was not written for certain.
        """
        new, made = self._rotation.first(sub)
        self._store.begin(made.family, made.sub, made.serial)
        return new

    def rotate(self, token: str) -> NextToken:
        """Use a refresh token up.

        Returns:
            What the next one has to say; its ``sub`` is whom to issue an access token to.

        Raises:
            TokenReused: If it was used before; the family is ended.
            InvalidToken: If it is not accepted for another reason.
            RevocationUnavailable: If the store does not answer. The token may be used up all the same.
        """
        kept = Secret(token)
        del token  # Law 2.5: error reporters write out the locals of every frame
        used = self._rotation.read(kept)
        new, serial = self._rotation.after(used)
        use = self._store.renew(used.family, used.sub, used.serial, serial)
        return self._rotation.judge(use, used, new)

    def end(self, token: str) -> None:
        """End the family of a refresh token, at a logout; of one that has ended already it stays so.

        Raises:
            InvalidToken: If the token does not verify: only a genuine one ends a family.
            RevocationUnavailable: If it was not written for certain.
        """
        kept = Secret(token)
        del token  # as above
        shown = self._rotation.read(kept)
        self._store.end(shown.family, shown.sub)

    def close(self) -> None:
        """Close the connections that were built from a URL."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RefreshTokens({self._rotation!r})"


class AsyncRefreshTokens:
    """``RefreshTokens`` for asyncio: the same methods, awaitable, from whatever loop runs.

    Args:
        client_or_url: As for ``RefreshTokens``, or a redis-py client for asyncio.
        secret: As for ``RefreshTokens``.
        options: See ``RefreshOptions``.

    Raises:
        ConfigurationError: Naming everything that is wrong (Law 1.6).
    """

    def __init__(
        self, client_or_url: object, *, secret: Secret | str, **options: Unpack[RefreshOptions]
    ) -> None:
        self._rotation = Rotation("AsyncRefreshTokens", "async", client_or_url, secret, options)
        from ..io.redis.families import AsyncFamilyStore, Families  # as above

        families = Families(self._rotation.prefix, self._rotation.lifetime)
        self._store = AsyncFamilyStore(client_or_url, families, self._rotation.clock, self._rotation.notice)

    async def begin(self, sub: str) -> NextToken:
        """As ``RefreshTokens.begin``."""
        new, made = self._rotation.first(sub)
        await self._store.begin(made.family, made.sub, made.serial)
        return new

    async def rotate(self, token: str) -> NextToken:
        """As ``RefreshTokens.rotate``."""
        kept = Secret(token)
        del token  # as above
        used = self._rotation.read(kept)
        new, serial = self._rotation.after(used)
        use = await self._store.renew(used.family, used.sub, used.serial, serial)
        return self._rotation.judge(use, used, new)

    async def end(self, token: str) -> None:
        """As ``RefreshTokens.end``."""
        kept = Secret(token)
        del token  # as above
        shown = self._rotation.read(kept)
        await self._store.end(shown.family, shown.sub)

    async def aclose(self) -> None:
        """As ``RefreshTokens.close``, for the running loop."""
        await self._store.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncRefreshTokens({self._rotation!r})"
