"""For services around an apex: its two logins as a router, and users with their metadata as dependencies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authgate_core import (
    Admission,
    AsyncGate,
    ConfigurationError,
    LoginRefused,
    MalformedCredentials,
    Policy,
    User,
    claim_path,
    from_issuer,
    has_metadata,
    is_user,
)
from authgate_core.apex import ApexUser, AsyncAuthApiProvider, AsyncAuthCodeApi, LoginStates, ServiceUser
from authgate_core.errors import MalformedToken
from authgate_core.jose.compact import Limits, parse_object
from authgate_core.principal import MISSING

from .guards import Guard
from .locate import gate_of
from .public import public
from .refusals import answer_refusals

__all__ = ["apex_router", "service_user", "user_metadata"]

M = TypeVar("M")

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_LARGEST: Final = 16 * 1024
_LIMITS: Final = Limits()
_NO_STORE: Final = {"Cache-Control": "no-store"}  # RFC 6749 section 5.1
_METADATA: Final = claim_path("apex", "metadata")
_SHOWN: Final = ("username", "email", "first_name", "last_name", "phone_number")

Fields = dict[str, str]


def user_metadata(model: type[M], policy: Policy | None = None) -> Guard[M]:
    """``Depends(user_metadata(Rights))``: what this service keeps about the user who calls; 403 where nothing.

    It is in what the gate has been told of the user anyway, so it costs no call of its own.

    Args:
        model: The model of ``Issuer.apex(metadata=...)``.
        policy: What is asked of the user besides.
    """
    asked = is_user & has_metadata()
    asked = asked if policy is None else asked & policy
    return Guard(f"user_metadata({model.__name__})", asked, lambda admission: admission.user.model(model))


def service_user(model: type[M]) -> Guard[ServiceUser[M]]:
    """``Depends(service_user(Rights))``: the user who calls, whether they administer the service, and their metadata.

    As ``user_metadata`` it costs no call of its own; who has no metadata is let in without. A user of another issuer is
    none of the apex's, whatever their id and roles: 403.

    Args:
        model: The model of ``Issuer.apex(metadata=...)``.
    """

    def give(admission: Admission) -> ServiceUser[M]:
        user = admission.user
        metadata = None if user.claim(_METADATA) is MISSING else user.model(model)
        return ServiceUser(_as_apex_has(user), user.has_role("service_admin"), metadata)

    return Guard(f"service_user({model.__name__})", _by_apex, give)


def _by_apex(gate: AsyncGate) -> Policy:
    names = tuple(issuer.name for issuer in gate.config.trusted_issuers if issuer.asked is not None)
    if not names:
        raise ConfigurationError(
            "service_user: nobody tells of users as an apex does; give issuers=[Issuer.apex(...)]"
        )
    return _of_issuers(names)


@cache
def _of_issuers(names: tuple[str, ...]) -> Policy:
    """One object for the same names each time, which a gate finds at once."""
    return is_user & from_issuer(*names)


def _as_apex_has(user: User) -> ApexUser:
    described = {name: user.claims.get(name) for name in _SHOWN}
    return ApexUser(id=user.claims["sub"], is_admin=user.has_role("admin"), **described)


def apex_router(
    provider: AsyncAuthApiProvider[Any],
    codes: AsyncAuthCodeApi | None = None,
    *,
    states: LoginStates | None = None,
    prefix: str = "/auth",
) -> APIRouter:
    """The logins of an apex as routes of one's own, in an app that has ``AuthGate(app)``.

    ``POST /login`` takes ``username`` and ``password`` as a form. ``POST /login/begin`` takes a ``code_challenge``
    (S256) as JSON and gives the ``state`` that the login in the browser goes with; ``POST /login/code`` takes ``code``,
    ``state`` and ``code_verifier`` as JSON, never in the URL. Both logins give ``access_token`` and ``token_type``.

    Args:
        provider: Logs in by password.
        codes: Exchanges codes; None for no login in a browser.
        states: Hands out and checks states; there with ``codes``, and of one secret in every process.
        prefix: What the paths begin with.

    Raises:
        ConfigurationError: If only one of ``codes`` and ``states`` is given.
    """
    if (codes is None) is not (states is None):
        raise ConfigurationError(
            "codes, states: a login in a browser needs both; give LoginStates(secret) as well"
        )
    router = APIRouter(prefix=prefix, tags=["auth"])
    _add(router, "/login", _FORM, ("username", "password"), _by_password(provider))
    if codes is not None and states is not None:
        _add(router, "/login/begin", _JSON, ("code_challenge",), _begun(states))
        _add(router, "/login/code", _JSON, ("code", "state", "code_verifier"), _by_code(codes, states))
    return router


Answer = Callable[[Fields, AsyncGate], Awaitable[Mapping[str, str]]]


def _by_password(provider: AsyncAuthApiProvider[Any]) -> Answer:
    async def log_in(fields: Fields, _: AsyncGate) -> Mapping[str, str]:
        return _token(await provider.login(fields["username"], fields["password"]))

    return log_in


def _begun(states: LoginStates) -> Answer:
    async def begin(fields: Fields, gate: AsyncGate) -> Mapping[str, str]:
        try:
            return {"state": states.begin(fields["code_challenge"], gate.clock.now())}
        except ValueError as error:
            raise MalformedCredentials(str(error)) from None

    return begin


def _by_code(codes: AsyncAuthCodeApi, states: LoginStates) -> Answer:
    async def log_in(fields: Fields, gate: AsyncGate) -> Mapping[str, str]:
        states.check(fields["state"], fields["code_verifier"], gate.clock.now())
        return _token(await codes.token_for(fields["code"], fields["code_verifier"]))

    return log_in


def _token(token: str) -> Mapping[str, str]:
    return {"access_token": token, "token_type": "Bearer"}


def _add(router: APIRouter, path: str, form: str, names: tuple[str, ...], answer: Answer) -> None:
    """Add a route that reads these fields, each once and none empty."""

    @public
    async def endpoint(request: Request) -> Response:
        gate = await gate_of(request)
        answer_refusals(request, gate)
        fields = await _fields(request, form, names)
        try:
            answered = await answer(fields, gate)
        except LoginRefused as refusal:
            refusal.accepts = ("Bearer",)  # RFC 9110 section 15.5.2: a 401 says what is accepted
            raise
        return JSONResponse(answered, headers=_NO_STORE)

    schema = {
        "type": "object",
        "required": [*names],
        "properties": {name: {"type": "string"} for name in names},
    }
    body = {"required": True, "content": {form: {"schema": schema}}}
    router.post(path, openapi_extra={"requestBody": body}, name=path.strip("/").replace("/", "_"))(endpoint)


async def _fields(request: Request, form: str, names: tuple[str, ...]) -> Fields:
    """The fields of a body, which is read by hand: FastAPI would show a caller what was wrong with a password.

    Raises:
        MalformedCredentials: If one is missing, twice there, empty or no text, or the body is of another form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != form:
        raise MalformedCredentials(f"the body is no {form}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise MalformedCredentials(f"the body is longer than {_LARGEST} bytes")
    sent = _of_form(bytes(body)) if form == _FORM else _of_json(bytes(body))
    fields = {name: value for name in names if isinstance(value := sent.get(name), str) and value}
    if len(fields) < len(names):
        raise MalformedCredentials(f"the body has to hold {', '.join(names)}, each once")
    return fields


def _of_form(body: bytes) -> Mapping[str, object]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _of_json(body: bytes) -> Mapping[str, object]:
    try:
        return parse_object(body, _LIMITS)
    except MalformedToken:
        return {}
