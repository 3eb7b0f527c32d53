"""Standing in for a caller: the credential that a stand-in presents, and the memo that says whose it is."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from ..clock import Instant
from ..config import GateConfig
from ..credentials import (
    API_KEY,
    APP,
    BEARER,
    HEADERS,
    PROJECT_TOKEN_HEADER,
    SCHEMES,
    SUBPROTOCOL,
    ApiKeyCredential,
    AppCredentials,
    BearerToken,
    Credential,
    Kind,
)
from ..effects import Flow
from ..errors import AuthgateError, InvalidApiKey, TokenRevoked
from ..flows.admit import GateContext
from ..flows.project import judge_project
from ..flows.revoked import check_revoked
from ..principal import ApiKey, Principal, Project, ProjectRef, Service, TokenRef, User
from ..request import Memo, RequestView
from ..secret import Secret

__all__ = ["StandIn", "hearing", "in_place", "standing_aside", "standing_in"]

_LIFE: Final = 300.0
_numbers: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody who stands in: the credential that names them, and how a gate's configuration makes them.

    Where nothing makes them, nobody stands in, and requests present nothing of the kind.
    """

    kind: Kind
    name: str
    make: Callable[[GateConfig], Principal] | None

    @property
    def credential(self) -> Credential:
        """What a request that comes from them presents."""
        secret = Secret(self.name)
        if self.kind == API_KEY:
            return ApiKeyCredential(secret)
        return BearerToken(secret) if self.kind == BEARER else AppCredentials(self.name, secret)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The same as headers."""
        if self.make is None:
            return ()
        if self.kind == BEARER:
            return (("authorization", f"Bearer {self.name}"),)
        if self.kind == API_KEY:
            return (("x-api-key", self.name),)
        return (("x-app-id", self.name), ("x-app-secret", self.name))


_present: dict[Kind, tuple[StandIn, ...]] = {}
_lock: Final = threading.Lock()


@contextmanager
def standing_in(kind: Kind, make: Callable[[GateConfig], Principal] | None) -> Generator[None]:
    """Have one stand in until the block ends, in every thread: a server under test has threads of its own."""
    stand_in = StandIn(kind, f"stand-in-{next(_numbers)}", make)
    with _lock:
        _present[kind] = (*_present.get(kind, ()), stand_in)
    try:
        yield
    finally:
        with _lock:
            _present[kind] = tuple(other for other in _present[kind] if other is not stand_in)


@contextmanager
def standing_aside() -> Generator[None]:
    """Have nobody of any kind until the block ends."""
    with ExitStack() as stack:
        for kind in (BEARER, APP, API_KEY):
            stack.enter_context(standing_in(kind, None))
        yield


def in_place(view: RequestView, context: GateContext, config: GateConfig, now: Instant) -> Flow[RequestView]:
    """The request as if it had come from whoever stands in, if anybody does."""
    for stand_ins in tuple(_present.values()):
        for stand_in in stand_ins[-1:]:
            view = _presenting(view, stand_in)
            if stand_in.make is not None:
                principal = stand_in.make(config)
                yield from _remember(view, stand_in, principal, context, now)
    return view


def hearing(context: GateContext) -> GateContext:
    """What the gate decides with; whoever stands in is heard by it, though a gateway or a cookie says otherwise."""
    if not _present.get(BEARER):
        return context
    return replace(context, reading=replace(context.reading, identity=None, assertion=None, cookies=None))


def _presenting(view: RequestView, stand_in: StandIn) -> RequestView:
    """The request with the credential of a stand-in in the place of what it presents of that kind."""
    kept = (pair for pair in view.headers if not _is_replaced(pair, stand_in.kind))
    offered = (name for name in view.subprotocols if not name.startswith(SUBPROTOCOL))
    return view.with_memo(
        Memo() if view.memo is None else view.memo,
        headers=(*kept, *stand_in.headers),
        subprotocols=tuple(offered) if stand_in.kind == BEARER else view.subprotocols,
    )


def _is_replaced(pair: tuple[str, str], kind: Kind) -> bool:
    """Whether a header presents what a stand-in of this kind stands in the place of."""
    name, value = pair
    if kind == API_KEY and name == "authorization":
        return value.partition(" ")[0].lower() == SCHEMES[API_KEY].lower()  # a token beside it stays
    project_token = (PROJECT_TOKEN_HEADER,) if kind == APP else ()
    return name in {header.lower() for header in (*HEADERS[kind], *project_token)}


def _remember(
    view: RequestView, stand_in: StandIn, principal: Principal, context: GateContext, now: Instant
) -> Flow[None]:
    """Have the memo of the request say whose the credential is, unless it does already."""
    memo, credential = view.memo, stand_in.credential
    if memo is not None and memo.recall(context.gate, stand_in.kind, credential) is None:
        outcome = yield from _judged(principal, stand_in.name, context, now)
        memo.remember(context.gate, stand_in.kind, credential, outcome)


def _judged(
    principal: Principal, name: str, context: GateContext, now: Instant
) -> Flow[Principal | AuthgateError]:
    """Who stands in, or why they may not: what is asked of every credential after it was verified."""
    revoked = partial(check_revoked, known=context.trust.known)
    try:
        if isinstance(principal, Project):
            ref = ProjectRef(principal.id, principal.secret_version)
            yield from judge_project(principal, ref, context.service_id, revoked)
        elif isinstance(principal, ApiKey):
            if principal.has_expired(now.wall):
                raise InvalidApiKey("the key that stands in has expired", issuer=principal.issuer)
        elif (yield from revoked(_ref(principal, name, now.wall))):
            raise TokenRevoked("whoever stands in was revoked", issuer=principal.issuer)
    except AuthgateError as refusal:
        return refusal
    return principal


def _ref(principal: Principal, name: str, now: float) -> TokenRef:
    claims = principal.claims
    jti = claims.get("jti")
    return TokenRef(
        issuer=principal.issuer,
        tenant=principal.tenant,
        name=jti if isinstance(jti, str) else name,
        has_jti=True,  # Law 5.9: in the layout of others a token without one is refused
        session_id=claims.get("sid"),
        subject=principal.id,
        client_id=principal.client_id if isinstance(principal, (User, Service)) else None,
        issued_at=claims.get("iat", now),
        auth_time=claims.get("auth_time"),
        expires_at=claims.get("exp", now + _LIFE),
        kid=None,
    )
