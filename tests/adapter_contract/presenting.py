"""What a request carries, as values that a world turns into headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.adapter_contract.world import Headers, World

__all__ = [
    "Presents",
    "app",
    "authorization",
    "bearer",
    "header",
    "hostile",
    "member",
    "partner",
    "project_token",
    "service",
    "stranger",
    "timed",
    "user",
]

Presents: TypeAlias = Callable[[World], Headers]


def header(name: str, value: str) -> Presents:
    """A header as it is."""
    return lambda _: ((name, value),)


def authorization(value: str) -> Presents:
    """An ``Authorization`` of any kind; ``{token}`` in it stands for a good token of a user."""
    return lambda world: (("Authorization", value.replace("{token}", world.issuer.token("u1"))),)


def user(sub: str = "u1", **shape: Any) -> Presents:
    """A good token of a user; the arguments shape it."""
    return lambda world: bearer(world.issuer.token(sub, **shape))


def service(sub: str = "s1", **claims: Any) -> Presents:
    """A good token of a service."""
    return user(sub, gty="client-credentials", **claims)


def partner(sub: str = "u7", **claims: Any) -> Presents:
    """A good token of a user of the other issuer."""
    return lambda world: bearer(world.partner.token(sub, **claims))


def stranger() -> Presents:
    """A good token of an issuer that cannot be reached."""
    return lambda world: bearer(world.absent.token("u1"))


def hostile(kind: str, **claims: Any) -> Presents:
    """A token that no gate may accept."""
    return lambda world: bearer(getattr(world.issuer.hostile, kind)(**claims))


def app(app_id: str, secret: str | None = None) -> Presents:
    """The credentials of a project, by default with its own secret."""
    return lambda world: (("x-app-id", app_id), ("x-app-secret", secret or world.secret))


def timed(**seconds: int) -> Presents:
    """A token of a user with claims that are times, each so many seconds from now."""

    def presents(world: World) -> Headers:
        now = int(world.clock.now().wall)
        times: dict[str, Any] = {claim: now + ahead for claim, ahead in seconds.items()}
        return bearer(world.issuer.token("u1", **times))

    return presents


def member(of: str, **claims: Any) -> Presents:
    """A good token of Mercury's, for a user of one of its projects."""
    return lambda world: bearer(world.mercury.user_token(of, **claims))


def project_token(of: str, **claims: Any) -> Presents:
    """A good project token of Mercury's."""
    return lambda world: (("x-project-token", world.mercury.project_token(of, **claims)),)


def bearer(token: str) -> Headers:
    """The header of a token."""
    return (("Authorization", f"Bearer {token}"),)
