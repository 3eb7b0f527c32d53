"""Behind a gateway that signs bodies, where others read the body before the gate does (Law 2.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

import authgate_core as ag
from authgate_core.gateways import Gateway
from authgate_core.replays import MemoryReplays
from authgate_flask import AuthGate, requires
from tests.support.gateways import ORIGIN, USER, Signer

KEY = b"thirty-two bytes of a shared key"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
Early = Callable[[], object]

signer = Signer(KEY)


def client(early: Early) -> FlaskClient:
    """An application in which something comes before the gate; it answers with the body that it sees."""
    app = Flask("behind")

    @app.before_request
    def comes_first() -> None:
        early()

    gateway = Gateway.signed({"gateway-1": ag.Secret(KEY)}, origin=ORIGIN)
    AuthGate(app, config=ag.GateConfig(gateway=gateway, replays=MemoryReplays()))

    @app.route("/orders", methods=["GET", "POST"])
    @requires(ag.is_user)
    @requires(ag.is_user & ag.any_role("clerk"))
    def orders() -> bytes:
        return request.get_data() or str(request.form.to_dict()).encode()

    return app.test_client()


def asked(early: Early, body: bytes, kind: str, *, signed: bool = True, **environ: Any) -> tuple[int, str]:
    """How a request is answered whose body the gateway has signed, or somebody has added."""
    headers = signer.sign(USER, "POST", "/orders", body if signed else b"")
    answer = client(early).post("/orders", data=body, headers=headers, content_type=kind, **environ)
    return answer.status_code, answer.text


def nothing() -> None:
    """As if nobody came first."""


def keep() -> object:
    """As whoever logs bodies does."""
    return request.get_data()


def keep_and_read_form() -> object:
    """As ``get_data`` is documented to go with forms."""
    return request.get_data(), request.form


def read_json() -> object:
    """As whoever counts requests by what they ask for does."""
    return request.get_json(silent=True)


def read_form() -> object:
    """As protection against forged requests does."""
    return request.form.get("csrf_token")


def read_stream() -> object:
    """As whoever passes a body on does."""
    return request.stream.read(2)


CHUNKED: dict[str, Any] = {
    "environ_overrides": {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
}


class TestReadBefore:
    @pytest.mark.parametrize("early", [read_form, read_stream])
    @pytest.mark.parametrize("signed", [True, False])
    @pytest.mark.parametrize("more", [{}, CHUNKED])
    def test_what_is_not_there_any_more_is_not_believed(
        self, early: Early, signed: bool, more: dict[str, Any]
    ) -> None:
        """Nothing is left of it, which is no body that was signed as none."""
        assert 401 == asked(early, b"price=0", FORM, signed=signed, **more)[0]

    @pytest.mark.parametrize(
        ("early", "kind"),
        [
            (nothing, FORM),
            (nothing, JSON),
            (keep, FORM),
            (keep_and_read_form, FORM),
            (read_json, JSON),
            (read_form, JSON),
        ],
    )
    def test_what_is_still_there_is(self, early: Early, kind: str) -> None:
        """Because nobody read it, or it was kept."""
        assert (200, '{"price": 3}') == asked(early, b'{"price": 3}', kind)

    @pytest.mark.parametrize("early", [nothing, read_form, read_stream])
    def test_a_request_without_a_body_needs_no_care(self, early: Early) -> None:
        """There is nothing to be read."""
        headers = signer.sign(USER, "GET", "/orders")
        assert 200 == client(early).get("/orders", headers=headers).status_code

    def test_a_body_in_chunks(self) -> None:
        """Its length is not said, and it is whole where nobody came first."""
        assert (200, "price=3") == asked(nothing, b"price=3", FORM, **CHUNKED)
