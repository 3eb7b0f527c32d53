"""Requests of Flask, called in process without sockets: a view behind ``requires`` over the same view without.

Every token is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeAlias

from flask import Flask, Response, abort, request

from authgate_flask import AuthGate, requires

from .calls import environ
from .issued import READS, Issued, by_turns, show
from .peers import Verifier, pyjwt
from .rounds import Work, ratios

View: TypeAlias = Callable[..., Any]
Environ: TypeAlias = dict[str, object]

KEY: Final = "flask_hit_over_plain"


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    issued = Issued.by("RS256")
    guarded = _app(requires(READS))
    AuthGate(guarded, gate=issued.gate())
    works = {KEY: _calls(guarded, issued), f"{KEY}_by_pyjwt": _calls(_app(_by_hand(pyjwt(issued))), issued)}
    plain = _calls(_app(lambda view: view), issued)
    return {name: 1 / ratio for name, ratio in ratios(plain, works).items()}


def _app(guard: Callable[[View], View]) -> Flask:
    app = Flask("bench", static_folder=None)

    @app.get("/orders/<int:number>")
    @guard
    def order(number: int) -> dict[str, object]:
        return {"number": number, "status": "paid", "currency": "EUR"}

    return app


def _by_hand(verify: Verifier) -> Callable[[View], View]:
    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: object, **values: object) -> Any:  # noqa: ANN401 - what the view returns
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                abort(401)
            try:
                verify(token)
            except Exception:  # noqa: BLE001 - whatever the library raises
                abort(Response(status=401))
            return view(*args, **values)

        return guarded

    return guard


def _calls(app: Flask, issued: Issued) -> Work:
    environs = [environ(issued.headers(user), "/orders/7") for user in range(len(issued.tokens))]

    def call(request: Environ) -> None:
        statuses: list[str] = []

        def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> Any:  # noqa: ANN401, ARG001 - WSGI
            statuses.append(status)

        answer: Any = app({**request}, start_response)
        b"".join(answer)
        answer.close()
        assert statuses == ["200 OK"]

    return by_turns(environs, call)


if __name__ == "__main__":
    show(measured())
