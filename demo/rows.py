"""What is sent, and what is promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from authgate_core.testing.mercury import VERIFY_PATH

from .world import App, World

__all__ = ["Promise", "Row", "rows"]

Headers: TypeAlias = list[tuple[str, str]]

FIELDS: Final = {f"/{name}": name for name in ("me", "project", "both", "greeting", "orders", "supplies")}
"""The fields of the GraphQL apps, by the routes in whose place they stand."""

SUBSCRIBED: Final = {"/ws": "me"}

GRAPHQL_CODES: Final = {
    400: "BAD_CREDENTIALS",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    503: "AUTH_UNAVAILABLE",
}


@dataclass(frozen=True)
class Promise:
    """What an app is to answer.

    Args:
        status: The status; of a WebSocket, 101 or the code that closes it.
        code: The ``code`` of a refusal: of the problem body, or of the GraphQL error.
    """

    status: int
    code: str | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.code or ''}".strip()


@dataclass(frozen=True)
class Row:
    """One question, asked of every app.

    Args:
        sent: What is sent, in words.
        promised: The promised status; of a WebSocket that is closed later, the promised code.
        path: The route.
        headers: The headers.
        before: What is done to the world first.
        code: The promised ``code`` of the problem body, for refusals.
        patience: For how many seconds the answer may take to become the promised one, where something recovers.
        curl: Whether the row is worth pasting.
        method: The method.
        websocket: Whether it opens a WebSocket.
        meanwhile: What the world is like from when the WebSocket is open.
    """

    sent: str
    promised: int
    path: str
    headers: Headers
    before: Callable[[], object] | None = None
    code: str | None = None
    patience: float = 0.0
    curl: bool = False
    method: str = "GET"
    websocket: bool = False
    meanwhile: Callable[[], AbstractContextManager[object]] | None = None

    @property
    def field(self) -> str | None:
        """The field that a GraphQL app is asked for; None where it has nothing that corresponds."""
        fields = SUBSCRIBED if self.websocket else FIELDS
        return fields.get(self.path) if self.method == "GET" else None

    def promise(self, app: App) -> Promise | None:
        """What an app promises, if the row means anything to it."""
        if (self.websocket and not app.sockets) or (app.graphql and self.field is None):
            return None
        if app.graphql and self.promised in GRAPHQL_CODES:
            # A refused field is an error of an operation that was carried out.
            return Promise(101 if self.websocket else 200, GRAPHQL_CODES[self.promised])
        return Promise(self.promised, self.code)


DAY: Final = 86_400
PREFLIGHT: Final[Headers] = [
    ("origin", "https://shop.example.com"),
    ("access-control-request-method", "GET"),
]


def bearer(token: str) -> Headers:
    """The header of a token."""
    return [("authorization", f"Bearer {token}")]


def rows(world: World) -> Iterator[Row]:
    """Every row; made one after the other, since some change the world for those behind them."""
    yield from _admitted(world)
    yield from _refused(world)
    yield from _tenants(world)
    yield from _projects(world)
    yield from _paths()
    yield from _moving(world)


def _admitted(world: World) -> Iterator[Row]:
    mercury = world.mercury
    user = bearer(mercury.user_token(scope="orders:read", roles=["admin"], expires_in=DAY))
    yield Row("user token", 200, "/me", user, curl=True)
    yield Row("app id and secret", 200, "/project", world.pair(mercury.nexus), curl=True)
    yield Row("project token", 200, "/project", world.project_token("t-1"), curl=True)
    yield Row("user and project together", 200, "/both", user + world.pair(mercury.nexus), curl=True)
    yield Row("nothing, where optional", 200, "/greeting", [])
    yield Row("scope present", 200, "/orders", user, curl=True)
    yield Row("role through the hierarchy", 200, "/supplies", user)
    yield Row("WebSocket with a user token", 101, "/ws", user, websocket=True)
    yield Row("WebSocket without a token", 401, "/ws", [], code="credentials_missing", websocket=True)


def _refused(world: World) -> Iterator[Row]:
    mercury, hostile = world.mercury, world.mercury.hostile()
    user = bearer(mercury.user_token(expires_in=DAY))
    expired = bearer(mercury.user_token(expires_in=-1))
    bad = {
        "tampered": hostile.tampered(mercury.user()),
        "alg: none": hostile.unsigned(mercury.user()),
        "HMAC with the public key": hostile.keyed_with_public_key(mercury.user()),
        "signed by a stranger, same kid": hostile.forged(mercury.user()),
        "for another audience": hostile.for_another_audience(mercury.user()),
        "refresh token": mercury.user_token(type="refresh"),
        "project token as a user's": world.project_token("t-1")[0][1],
    }
    yield Row("nothing", 401, "/me", [], code="credentials_missing", curl=True)
    yield Row("user, where both are asked for", 401, "/both", user, code="credentials_missing")
    yield Row("expired, where optional", 401, "/greeting", expired, code="token_expired")
    yield Row("expired", 401, "/me", expired, code="token_expired")
    for sent, token in bad.items():
        yield Row(sent, 401, "/me", bearer(token), code="token_invalid")
    yield Row("missing scope", 403, "/orders", user, code="scope_insufficient", curl=True)
    yield Row("missing role", 403, "/supplies", user, code="forbidden")
    yield Row("two Authorization headers", 400, "/me", user + user, code="credentials_malformed")
    yield Row("oversized token", 400, "/me", bearer("a" * 17_000), code="credentials_malformed")


def _tenants(world: World) -> Iterator[Row]:
    mercury, (one, other) = world.mercury, world.served
    yield Row("user of another served project", 200, "/me", bearer(mercury.user_token(one)))
    yield Row(
        "user of a project not served",
        401,
        "/me",
        bearer(mercury.user_token(world.foreign)),
        code="token_invalid",
    )
    yield Row(
        "project_uuid is ../../x",
        401,
        "/me",
        bearer(mercury.user_token(project_uuid="../../x")),
        code="token_invalid",
    )
    yield Row(
        "one tenant's key for another, same kid",
        401,
        "/me",
        bearer(mercury.user_token(one, project_uuid=other.uuid)),
        code="token_invalid",
    )
    mixed = bearer(mercury.user_token(one)) + world.pair(other)
    yield Row("user of one, project of another", 403, "/both", mixed, code="tenant_mismatch")


def _projects(world: World) -> Iterator[Row]:
    mercury, known = world.mercury, world.pair(world.served[0])
    wrong = [known[0], ("x-app-secret", "wrong")]
    disabled = mercury.add_project(world.spare[0])
    mercury.disable(disabled)
    unable = mercury.add_project(world.spare[1], enabled_services=["carts"])
    raised = mercury.add_project(world.spare[2])
    unasked = mercury.add_project(world.spare[3])
    yield Row("wrong secret", 401, "/project", wrong, code="project_invalid")
    yield Row("app id without secret", 400, "/project", known[:1], code="credentials_malformed")
    both = known + world.project_token("t-1")
    yield Row("app id and project token", 400, "/project", both, code="credentials_malformed")
    yield Row("disabled project", 401, "/project", world.pair(disabled), code="project_invalid")
    yield Row("service not enabled", 403, "/project", world.pair(unable), code="service_not_enabled")
    yield Row("a project, accepted", 200, "/project", world.pair(raised))
    raising = partial(world.store, f"project_secret_version:{raised.uuid}")
    yield Row(
        "secret version raised", 401, "/project", world.pair(raised), before=raising, code="project_invalid"
    )
    token = world.project_token("t-2")
    yield Row("a project token, accepted", 200, "/project", token)
    forgetting = partial(world.forget, "project_token:t-2")
    yield Row("the same, then withdrawn", 401, "/project", token, before=forgetting, code="project_invalid")
    yield Row("a project, accepted", 200, "/project", known)
    down = partial(mercury.answer, b"", status=503, paths=[VERIFY_PATH])
    yield Row("project endpoint down, known project", 200, "/project", known, before=down)
    yield Row("project endpoint down, unknown one", 503, "/project", world.pair(unasked), code="unavailable")
    mercury.recover()


def _paths() -> Iterator[Row]:
    yield Row("/static is open", 200, "/static/logo.svg", [])
    yield Row("/static-admin is not", 401, "/static-admin/logo.svg", [], code="credentials_missing")
    yield Row("/static/../me is not", 401, "/static/../me", [], code="credentials_missing")
    yield Row("CORS preflight", 200, "/me", PREFLIGHT, method="OPTIONS")


def _moving(world: World) -> Iterator[Row]:
    mercury = world.mercury
    token = bearer(mercury.user_token(jti="j-1"))
    socket = bearer(mercury.user_token(jti="j-2"))
    known = bearer(mercury.user_token(expires_in=DAY))
    yield Row("a token, accepted", 200, "/me", token)
    revoke = partial(world.store, "revoked_token:j-1")
    yield Row("the same, then revoked", 401, "/me", token, before=revoke, code="token_invalid")
    yield Row(
        "WebSocket, revoked while open",
        4401,
        "/ws",
        socket,
        code="token_invalid",
        websocket=True,
        meanwhile=partial(world.stored, "revoked_token:j-2"),
    )
    mercury.rotate(mercury.nexus)
    yield Row("key rotated, new key", 200, "/me", bearer(mercury.user_token()))
    yield Row("key rotated, old key", 200, "/me", known)
    yield Row("Mercury stopped, known key", 200, "/me", known, before=partial(mercury.outage, None))
    yield Row("Mercury back", 200, "/me", known, before=mercury.recover)
    yield Row("Redis hangs", 503, "/me", known, before=world.freeze_redis, code="unavailable")
    yield Row("Redis goes on", 200, "/me", known, before=world.thaw_redis, patience=5)
    yield Row("Redis stopped", 503, "/me", known, before=world.stop_redis, code="unavailable")
    yield Row("Redis stopped, projects too", 503, "/project", world.pair(mercury.nexus), code="unavailable")
