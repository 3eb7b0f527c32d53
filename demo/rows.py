"""What is sent, and what is promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from .world import APP_ID, APP_SECRET, World

__all__ = ["Row", "rows"]

Headers: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    """One question, asked of both apps.

    Args:
        sent: What is sent, in words.
        promised: The promised status.
        path: The route.
        headers: The headers.
        before: What is done to the world first.
        code: The promised ``code`` of the problem body, for refusals.
        patience: For how many seconds the answer may take to become the promised one, where something recovers.
        curl: Whether the row is worth pasting.
        websocket: Whether it opens a WebSocket, which only FastAPI serves.
    """

    sent: str
    promised: int
    path: str
    headers: Headers
    before: Callable[[], object] | None = None
    code: str | None = None
    patience: float = 0.0
    curl: bool = False
    websocket: bool = False


DAY: Final = 86_400
PROJECT: Final[Headers] = [("x-app-id", APP_ID), ("x-app-secret", APP_SECRET)]


def bearer(token: str) -> Headers:
    """The header of a token."""
    return [("authorization", f"Bearer {token}")]


def rows(world: World) -> Iterator[Row]:
    """Every row; made one after the other, since some change the world for those behind them."""
    yield from _admitted(world)
    yield from _refused(world)
    yield from _malformed(world)
    yield from _moving(world)


def _admitted(world: World) -> Iterator[Row]:
    issuer = world.issuer
    user = bearer(issuer.token("u1", scope="orders:read", roles=["admin"], expires_in=DAY))
    service = bearer(issuer.token("billing", gty="client-credentials", client_id="billing"))
    yield Row("user token", 200, "/me", user, curl=True)
    yield Row("project credentials", 200, "/project", PROJECT, curl=True)
    yield Row("user and project together", 200, "/both", user + PROJECT, curl=True)
    yield Row("nothing, where optional", 200, "/greeting", [])
    yield Row("scope present", 200, "/orders", user, curl=True)
    yield Row("role through the hierarchy", 200, "/supplies", user)
    yield Row("service token, service route", 200, "/job", service)
    yield Row("service token, user route", 403, "/me", service, code="forbidden")
    yield Row("WebSocket with a user token", 101, "/ws", user, websocket=True)
    yield Row("WebSocket without a token", 401, "/ws", [], code="credentials_missing", websocket=True)


def _refused(world: World) -> Iterator[Row]:
    issuer, hostile = world.issuer, world.issuer.hostile
    user = bearer(issuer.token("u1", expires_in=DAY))
    yield Row("nothing", 401, "/me", [], code="credentials_missing", curl=True)
    yield Row("user, where both are asked for", 401, "/both", user, code="credentials_missing")
    yield Row("expired, where optional", 401, "/greeting", bearer(hostile.expired()), code="token_expired")
    yield Row("expired", 401, "/me", bearer(hostile.expired()), code="token_expired")
    yield Row("tampered", 401, "/me", bearer(hostile.tampered()), code="token_invalid")
    yield Row("alg: none", 401, "/me", bearer(hostile.unsigned()), code="token_invalid")
    yield Row(
        "HMAC with the public key", 401, "/me", bearer(hostile.keyed_with_public_key()), code="token_invalid"
    )
    yield Row("signed by a stranger, same kid", 401, "/me", bearer(hostile.forged()), code="token_invalid")
    yield Row(
        "for another audience", 401, "/me", bearer(hostile.for_another_audience()), code="token_invalid"
    )
    yield Row("refresh token", 401, "/me", bearer(hostile.refresh()), code="token_invalid")
    yield Row("missing scope", 403, "/orders", user, code="scope_insufficient", curl=True)
    yield Row("missing role", 403, "/supplies", user, code="forbidden")
    yield Row(
        "wrong project secret",
        401,
        "/project",
        [PROJECT[0], ("x-app-secret", "wrong")],
        code="project_invalid",
    )


def _malformed(world: World) -> Iterator[Row]:
    user = bearer(world.issuer.token("u1"))
    yield Row("two Authorization headers", 400, "/me", user + user, code="credentials_malformed")
    yield Row("oversized token", 400, "/me", bearer("a" * 17_000), code="credentials_malformed")
    yield Row("app id without secret", 400, "/project", PROJECT[:1], code="credentials_malformed")


def _moving(world: World) -> Iterator[Row]:
    issuer = world.issuer
    token = issuer.token("u2")
    known = bearer(issuer.token("u1"))
    yield Row("a token, accepted", 200, "/me", bearer(token))
    revoke = partial(world.operator.revocations.revoke_token, token)
    yield Row("the same, then revoked", 401, "/me", bearer(token), before=revoke, code="token_invalid")
    issuer.rotate()
    yield Row("key rotated, new key", 200, "/me", bearer(issuer.token("u1")))
    yield Row("key rotated, old key", 200, "/me", known)
    yield Row("issuer stopped, known key", 200, "/me", known, before=partial(issuer.outage, None))
    yield Row("issuer back", 200, "/me", known, before=issuer.recover)
    yield Row("Redis hangs", 503, "/me", known, before=world.freeze_redis, code="unavailable")
    yield Row("Redis goes on", 200, "/me", known, before=world.thaw_redis, patience=5)
    yield Row("Redis stopped", 503, "/me", known, before=world.stop_redis, code="unavailable")
    yield Row("Redis stopped, projects too", 503, "/project", PROJECT, code="unavailable")
