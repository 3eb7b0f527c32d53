"""Where gates ask about credentials: introspection, and the sessions and API keys of an auth service."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

import authgate_core as ag
from authgate_core.testing import ABSENT, FakeAuthService
from authgate_core.testing.auth_service import INTROSPECT_PATH, VALIDATE_PATH
from authgate_core.testing.served import Served
from authgate_core.testing.server import Answer as Reply

from .houses import House
from .place import DAYS, Place

__all__ = ["UNAVAILABLE", "Desk", "Open", "introspection", "keys", "sessions"]

UNAVAILABLE: Final = "endpoint_unavailable"
CLIENT: Final = ag.ClientSecret("orders-api", "a-secret")


class Opening(Protocol):
    """Opens a house that asks, there or at another address; options, Any as there, as of ``Place.house``."""

    def __call__(self, url: str = "", **options: Any) -> House:
        """Open it."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """An endpoint that gates ask about credentials.

    Args:
        served: The server that it belongs to.
        house: Opens a house that asks it.
        mint: Hands out a credential that it says yes to.
        refused: One that it says no to, and as what it is refused then.
        verdict: What it might say of any credential, so that what a gate says would change if it were believed.
        status: With which status.
        unclear: Answers that are no verdict.
        lies: Further answers, and as what a credential is refused of which they are given.
        refuse_us: Has it refuse whoever asks, whatever is asked; None where it takes no credentials of ours.
    """

    served: Served
    house: Opening
    mint: Callable[[], str]
    _: KW_ONLY
    refused: tuple[str, str]
    verdict: object
    status: int = 200
    unclear: Sequence[Reply]
    lies: Mapping[str, tuple[Reply, str]]
    refuse_us: Callable[[], None] | None = None

    def some(self, count: int) -> list[str]:
        """So many credentials that it says yes to."""
        return [self.mint() for _ in range(count)]

    def says(self, reply: Reply) -> None:
        """Have it answer everything with this."""
        self.served.answer(
            reply.body, status=reply.status, content_type=reply.content_type, headers=reply.headers
        )


Open: TypeAlias = Callable[[Place], Desk]

NO_OBJECTS: Final = (
    b"",
    b"true",
    b"[]",
    b'{"a":',
    b'{"a":NaN}',
    b"\xff\xfe",
    b'{"a":' * 60 + b"1" + b"}" * 60,
)
"""Bodies that are no JSON object, whatever is expected in it."""


def _said(document: object, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status)


NO_ANSWERS: Final = tuple(
    Reply(body)
    for body in (
        *NO_OBJECTS,
        b'{"active":true,"active":false}',
        b'{"active":"true"}',
        b'{"active":1}',
        b'{"active":null}',
        b"{}",
    )
)
LIES: Final[Mapping[str, tuple[Mapping[str, object], str]]] = {
    "another API's": ({"aud": "other-api"}, "token_claim"),
    "nobody's": ({"aud": ABSENT}, "token_claim"),
    "another issuer's": ({"iss": "https://other.example.com"}, "token_claim"),
    "a refresh token": ({"token_type": ABSENT}, "token_claim"),
    "bound to a key": ({"cnf": {"jkt": "x"}}, "token_claim"),
    "without an end": ({"exp": ABSENT}, "token_claim"),
    "long past": ({"exp": 1}, "token_expired"),
}
"""What an endpoint may call active all the same, and as what it is refused."""


def introspection(place: Place) -> Desk:
    """The issuer, asked about opaque tokens (RFC 7662)."""
    issuer = place.issuer
    clients = issuer.desk.clients
    clients[CLIENT.client_id] = "a-secret"
    active = {"active": True, "token_type": "Bearer", **issuer.claims("u1", expires_in=DAYS)}

    def house(url: str = "", **options: Any) -> House:
        spec = ag.Introspection(url or issuer.introspection_url, CLIENT)
        trusted = ag.Issuer.jwks(
            issuer.jwks_url, issuer=issuer.url, audience=issuer.audience, name="id", introspection=spec
        )
        return place.house(trusted, **options)

    def lie(change: Mapping[str, object]) -> Reply:
        return _said({name: value for name, value in {**active, **change}.items() if value is not ABSENT})

    numbers = itertools.count()
    return Desk(
        issuer,
        house,
        lambda: issuer.opaque_token(f"u{next(numbers)}", expires_in=DAYS),
        refused=("made-up", "token_inactive"),
        verdict=active,
        unclear=NO_ANSWERS,
        lies={name: (lie(change), said) for name, (change, said) in LIES.items()},
        refuse_us=clients.clear,
    )


OVER: Final = {"detail": "Session expired.", "code": "session_expired"}
NO_REASON: Final = (
    *NO_OBJECTS,
    b'{"detail":"Session expired."}',
    b'{"code":"rate_limited"}',
    b'{"code":["session_expired"]}',
    b'{"code":"session_expired","code":"invalid_token"}',
)
UNCLEAR: Final = tuple(Reply(body, status) for status in (401, 403) for body in NO_REASON)
"""Refusals by whatever stands before the service, none with one of its reasons."""

OTHER_YES: Final = {
    "200 and nothing": Reply(),
    "200 and a yes": _said({"valid": True}),
    "200 and a no": _said(OVER),
    "202": Reply(status=202),
    "404 and a no": _said(OVER, 404),
    "redirect": Reply(status=302, headers=(("Location", VALIDATE_PATH),)),
}


def sessions(place: Place) -> Desk:
    """An auth service, asked whether the sessions of its tokens go on; its keys are known from the start."""
    service = _auth_service(place, VALIDATE_PATH)

    def house(url: str = "", **options: Any) -> House:
        trusted = ag.Issuer.auth_service(service.url, audience=service.audience)
        opened = place.house(replace(trusted, sessions_url=url or trusted.sessions_url), **options)
        opened.warm_up()
        return opened

    numbers = itertools.count()
    ended = service.token("ended", expires_in=DAYS)
    service.end_session(ended)
    return Desk(
        service,
        house,
        lambda: service.token(f"u{next(numbers)}", expires_in=DAYS),
        refused=(ended, "token_revoked"),
        verdict=OVER,
        status=401,
        unclear=UNCLEAR,
        lies={name: (reply, UNAVAILABLE) for name, reply in OTHER_YES.items()},
    )


YES: Final = {
    "valid": True,
    "user_id": "u1",
    "scopes": ["orders:read"],
    "key_id": "5f1d0c52-6f0e-4c3b-8a55-2b8a9f0b7c11",
    "expires_at": None,
}
NO: Final = {"valid": False, "code": "invalid_api_key"}
NEITHER: Final = (
    *(Reply(body) for body in NO_OBJECTS),
    *(_said(YES | {"valid": valid}) for valid in ("true", 1, None, "false", 0)),
    _said({}),
    _said({"valid": False}),
    _said({"valid": False, "code": "rate_limited"}),
    _said(NO, 400),
    _said(YES, 201),
)
KEY_LIES: Final = {
    "past its end": (_said(YES | {"expires_at": "2001-09-09T01:46:40Z"}), "api_key_invalid"),
    "an end that is none": (_said(YES | {"expires_at": "soon"}), UNAVAILABLE),
    "an end in seconds": (_said(YES | {"expires_at": 4_000_000_000}), UNAVAILABLE),
    "no id": (_said(YES | {"key_id": None}), UNAVAILABLE),
    "scopes as text": (_said(YES | {"scopes": "orders:read orders:write"}), UNAVAILABLE),
    "somebody in a list": (_said(YES | {"user_id": ["u1"]}), UNAVAILABLE),
}


def keys(place: Place) -> Desk:
    """An auth service, asked about API keys."""
    service = _auth_service(place, INTROSPECT_PATH)

    def house(url: str = "", **options: Any) -> House:
        return place.house(api_keys=ag.ApiKeys.auth_service(url or service.url), **options)

    return Desk(
        service,
        house,
        service.api_key,
        refused=("sk_made-up", "api_key_invalid"),
        verdict=YES,
        unclear=NEITHER,
        lies=KEY_LIES,
        refuse_us=lambda: service.answer(json.dumps(NO).encode(), status=401),
    )


def _auth_service(place: Place, path: str) -> FakeAuthService:
    """One that is served until the place is closed, and counted by what reaches one of its endpoints."""
    service = place.enter(FakeAuthService(audience=place.issuer.audience, clock=place.clock))
    place.counted.append(lambda: service.hits[path])
    return service
