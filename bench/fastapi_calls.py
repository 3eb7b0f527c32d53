"""Requests of FastAPI, called in process without sockets, over the same application without authgate.

``middleware``: an application behind ``AuthMiddleware`` over the same one that has nothing. ``depends``: a route that
takes ``CurrentUser`` over one that takes what a dependency returns that does nothing; ``requires`` likewise, among the
dependencies of a route. Every token is remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from authgate_fastapi import AuthGate, AuthMiddleware, CurrentUser, requires

from .calls import RawHeaders, raw_headers, scope
from .issued import READS, Issued, show
from .peers import Verifier, pyjwt
from .rounds import Work, ratios

BEARER: Final = HTTPBearer()


@dataclass(frozen=True)
class Caller:
    """What a dependency returns that does nothing."""

    id: str = "u1"


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    issued = Issued.by("RS256")
    loop = asyncio.new_event_loop()

    def calling(app: FastAPI) -> Work:
        return _calls(loop, app, issued)

    plain, noop = calling(_plain()), calling(_depending())
    found = ratios(plain, {"fastapi_middleware_hit_over_plain": calling(_behind_middleware(issued))})
    by_pyjwt = "fastapi_depends_hit_over_noop_depends_by_pyjwt"
    works = {
        "fastapi_depends_hit_over_noop_depends": calling(_taking_the_user(issued)),
        "fastapi_requires_hit_over_noop_depends": calling(_required(issued)),
        by_pyjwt: calling(_verified_by_hand(pyjwt(issued))),
    }
    return {name: 1 / ratio for name, ratio in {**found, **ratios(noop, works)}.items()}


def _plain(*dependencies: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/orders/{number}", dependencies=dependencies)
    async def order(number: int) -> dict[str, object]:
        return {"number": number, "status": "paid", "currency": "EUR"}

    return app


def _behind_middleware(issued: Issued) -> FastAPI:
    app = _plain()
    app.add_middleware(AuthMiddleware, policy=READS)
    AuthGate(app, gate=issued.async_gate())
    return app


async def _nothing() -> Caller:
    return Caller()


def _depending() -> FastAPI:
    app = FastAPI()

    @app.get("/orders/{number}")
    async def order(number: int, caller: Annotated[Caller, Depends(_nothing)]) -> dict[str, object]:
        return {"number": number, "status": "paid", "buyer": caller.id}

    return app


def _taking_the_user(issued: Issued) -> FastAPI:
    app = FastAPI()
    AuthGate(app, gate=issued.async_gate())

    @app.get("/orders/{number}")
    async def order(number: int, user: CurrentUser) -> dict[str, object]:
        return {"number": number, "status": "paid", "buyer": user.id}

    return app


def _required(issued: Issued) -> FastAPI:
    app = _plain(requires(READS))
    AuthGate(app, gate=issued.async_gate())
    return app


def _verified_by_hand(verify: Verifier) -> FastAPI:
    app = FastAPI()
    app.state.verify = verify

    @app.get("/orders/{number}")
    async def order(number: int, claims: Annotated[dict[str, Any], Depends(_by_hand)]) -> dict[str, object]:
        return {"number": number, "status": "paid", "buyer": claims["sub"]}

    return app


async def _by_hand(
    request: Request, presented: Annotated[HTTPAuthorizationCredentials, Depends(BEARER)]
) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = request.app.state.verify(presented.credentials)
    except Exception as error:
        raise HTTPException(401) from error
    return claims


def _calls(loop: asyncio.AbstractEventLoop, app: FastAPI, issued: Issued) -> Work:
    headers = [raw_headers(issued.headers(user)) for user in range(len(issued.tokens))]

    async def work(times: int) -> None:
        for number in range(times):
            assert await _status(app, headers[number % len(headers)]) == 200

    return lambda times: loop.run_until_complete(work(times))


async def _status(app: Callable[..., Any], headers: RawHeaders) -> int:
    """What a server would send for a request."""
    statuses: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope(headers, "/orders/7"), receive, send)
    return statuses[0]


if __name__ == "__main__":
    show(measured())
