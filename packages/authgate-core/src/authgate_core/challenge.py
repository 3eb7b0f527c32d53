"""From an error to the response that tells it: the only writer of ``WWW-Authenticate`` (Law 1.1)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from .credentials import BEARER, DPOP_SCHEME, SCHEMES
from .errors import (
    AuthenticationError,
    AuthgateError,
    AuthUnavailable,
    InsufficientScope,
    InvalidProof,
    MissingCredentials,
    ProofNonceRequired,
    StepUpRequired,
)
from .headers import (
    CACHE_CONTROL,
    CONTENT_TYPE,
    DPOP_NONCE,
    RETRY_AFTER,
    VARY,
    WWW_AUTHENTICATE,
    X_OTP_ACTION,
    X_OTP_REQUIRED,
    X_REAUTH_REQUIRED,
)
from .jose.proof import PROOF_ALGORITHMS
from .ports import is_async

__all__ = [
    "PROBLEM_JSON",
    "OnRefusal",
    "Problem",
    "admitted_headers",
    "dressed",
    "on_refusal_problems",
    "problem",
]

PROBLEM_JSON: Final = "application/problem+json"
"""The media type of a problem (RFC 9457 section 3)."""
_JSON: Final = "application/json"

_BEARER: Final = SCHEMES[BEARER]
_TOKENS: Final = frozenset({_BEARER, DPOP_SCHEME})
_CODES: Final[Mapping[int, tuple[int, str]]] = {
    400: (4400, "BAD_CREDENTIALS"),
    401: (4401, "UNAUTHENTICATED"),
    403: (4403, "FORBIDDEN"),
    503: (1013, "AUTH_UNAVAILABLE"),
}
_STEP_UP: Final = "STEP_UP_REQUIRED"
_ERRORS: Final[Mapping[int, str]] = {400: "invalid_request", 401: "invalid_token"}

# RFC 9110 section 5.6.4 of a quoted string, and RFC 6749 section 3.3 of a scope.
_UNQUOTABLE: Final = re.compile(r"[^\x20-\x7e]")
_ESCAPED: Final = re.compile(r'["\\]')
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error becomes in each protocol (the table of section 1 of the laws).

    Args:
        status: The HTTP status.
        headers: Pairs to send as they are; they stand even where an application replaces the body (Law 1.10).
        body: The problem details (RFC 9457); Any because they are JSON.
        websocket_code: The code to close an accepted WebSocket with.
        graphql_code: The ``extensions.code`` of a GraphQL error.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: dict[str, Any]
    websocket_code: int
    graphql_code: str

    def json(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body, separators=(",", ":")).encode()


def problem(
    error: AuthgateError,
    *,
    realm: str,
    jitter: float,
    explained: bool = False,
    resource_metadata: str | None = None,
    otp_headers: bool = False,
    token_schemes: tuple[str, ...] = (_BEARER,),
) -> Problem:
    """Say an error to the caller, and no more than the caller may know (Law 1.2).

    Args:
        error: What went wrong.
        realm: The realm of the challenges (RFC 9110 section 11.5).
        jitter: A random number from 0 to 1: spreads the callers that come back after an outage (Law 1.8).
        explained: Whether the body also holds the reason, for a developer on this machine (Law 10.3).
        resource_metadata: The URL that tells clients where tokens come from (RFC 9728 section 5.1).
        otp_headers: Whether a step-up is asked for in the headers of the auth service as well.
        token_schemes: The schemes that tokens may be presented by, where the policy accepts any.
    """
    websocket_code, graphql_code = _CODES[error.status]
    if isinstance(error, StepUpRequired):
        graphql_code = _STEP_UP
    headers = tuple(_headers(error, _Offer(realm, resource_metadata or "", token_schemes), jitter))
    if otp_headers and isinstance(error, StepUpRequired):
        headers += tuple(_otp_headers(error))
    return Problem(error.status, headers, _body(error, explained=explained), websocket_code, graphql_code)


OnRefusal: TypeAlias = Callable[[AuthgateError, Problem], Mapping[str, Any] | None]
"""An application's own words for a refusal: another body, or None for the problem as it is (Law 1.10)."""


def dressed(error: AuthgateError, problem: Problem, on_refusal: OnRefusal | None) -> Problem:
    """The problem with the body that the application gives it; status, challenge and ``Retry-After`` stand.

    Raises:
        TypeError: If ``on_refusal`` returns neither a mapping nor None: a bug of the application (Law 1.3).
    """
    body: object = None if on_refusal is None else on_refusal(error, problem)
    if body is None:
        return problem
    if not isinstance(body, Mapping):
        raise TypeError(f"on_refusal returned {type(body).__name__}; it returns a mapping, or None")
    headers = ((name, _JSON if name == CONTENT_TYPE else value) for name, value in problem.headers)
    return replace(problem, headers=tuple(headers), body={**body})


def on_refusal_problems(on_refusal: object) -> Iterator[str]:
    """What is wrong with an application's own words (Law 1.6): nobody would await an async one."""
    if on_refusal is not None and (not callable(on_refusal) or is_async(on_refusal)):
        yield "on_refusal: give a function of (error, problem) that is not async and returns a mapping or None"


def admitted_headers(cache_control: str | None, vary: Iterable[str], read: Iterable[str]) -> dict[str, str]:
    """What to set on a response that depends on who was admitted (Law 1.7).

    Args:
        cache_control: The handler's ``Cache-Control``, which stands; None where it set none.
        vary: Every ``Vary`` that the handler set.
        read: The credential headers that the policies of the route read.
    """
    held = [name.strip() for value in vary for name in value.split(",") if name.strip()]
    known = {name.lower() for name in held}
    more = [name for name in read if name.lower() not in known]
    headers = {} if cache_control is not None else {CACHE_CONTROL: "private"}
    # RFC 9110 section 12.5.5: an asterisk says more than any name.
    return headers if "*" in known or not more else {**headers, VARY: ", ".join((*held, *more))}


def _body(error: AuthgateError, *, explained: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
        "code": error.public_code,
    }
    if isinstance(error, InsufficientScope) or (isinstance(error, StepUpRequired) and error.missing):
        body["missing"] = list(error.missing)
    if isinstance(error, StepUpRequired):
        body |= _step_up(error)
    if explained:
        body |= {"reason": error.reason, "reason_code": error.code}
    return body


@dataclass(frozen=True, slots=True)
class _Offer:
    """What every challenge of a gate says.

    Args:
        realm: The realm.
        metadata: The URL of the resource's metadata; empty for none.
        token_schemes: The schemes that tokens may be presented by.
    """

    realm: str
    metadata: str
    token_schemes: tuple[str, ...]

    def schemes(self, accepted: Iterable[str]) -> list[str]:
        """The schemes that may be tried, those of tokens first."""
        found = [
            one for scheme in accepted for one in (self.token_schemes if scheme == _BEARER else (scheme,))
        ]
        return sorted(dict.fromkeys(found), key=lambda scheme: scheme not in _TOKENS)

    def challenge(self, scheme: str, **parameters: str) -> str:
        """The challenge of a scheme; where to get a token is said only where a token is asked for."""
        metadata = self.metadata if scheme in _TOKENS else ""
        algs = " ".join(sorted(PROOF_ALGORITHMS)) if scheme == DPOP_SCHEME else ""  # RFC 9449 section 7.1
        return _challenge(scheme, realm=self.realm, **parameters, algs=algs, resource_metadata=metadata)


def _headers(error: AuthgateError, offer: _Offer, jitter: float) -> Iterable[tuple[str, str]]:
    yield CONTENT_TYPE, PROBLEM_JSON
    yield CACHE_CONTROL, "no-store"  # Law 1.7
    challenges = ", ".join(_challenges(error, offer))
    if challenges:
        yield WWW_AUTHENTICATE, challenges
    if isinstance(error, ProofNonceRequired):
        yield DPOP_NONCE, error.nonce
    if isinstance(error, AuthUnavailable):
        yield RETRY_AFTER, str(_retry_after(error.retry_after, jitter))


def _otp_headers(error: StepUpRequired) -> Iterable[tuple[str, str]]:
    """What the clients of the auth service look for."""
    if error.action is not None:
        yield X_OTP_REQUIRED, "true"
        yield X_OTP_ACTION, error.action
    if error.is_stale:
        yield X_REAUTH_REQUIRED, "true"


def _step_up(error: StepUpRequired) -> dict[str, Any]:
    """The login to ask for, also where a caller cannot read the challenge; Any because it is JSON."""
    told: dict[str, Any] = {"acr_values": list(error.acr_values)} if error.acr_values else {}
    if error.action is not None:
        told["action"] = error.action
    return told if error.max_age is None else {**told, "max_age": error.max_age}


def _challenges(error: AuthgateError, offer: _Offer) -> Iterable[str]:
    """One challenge for each scheme that may be tried, Bearer first (RFC 9110 section 11.6.1)."""
    if isinstance(error, InsufficientScope):
        scope = _scope(error.scopes)
        yield offer.challenge(error.scheme or _BEARER, error="insufficient_scope", scope=scope)
    if not isinstance(error, AuthenticationError):
        return
    schemes = offer.schemes(error.accepts or (error.scheme or _BEARER,))
    failed = None if isinstance(error, MissingCredentials) else error.scheme
    if failed in _TOKENS and failed not in schemes:
        # RFC 9449 section 7.1: of a token that came as plain Bearer, where that is no way, the other scheme says why.
        failed = next((scheme for scheme in schemes if scheme in _TOKENS), None)
    for scheme in schemes:
        yield offer.challenge(scheme, **(_failure(error) if scheme == failed else {}))


def _failure(error: AuthenticationError) -> dict[str, str]:
    """What the challenge of the scheme that failed says of why."""
    if isinstance(error, InvalidProof):
        return {"error": "use_dpop_nonce" if isinstance(error, ProofNonceRequired) else "invalid_dpop_proof"}
    if not isinstance(error, StepUpRequired):
        return {"error": _ERRORS[error.status]}
    return {
        "error": "insufficient_user_authentication",
        "acr_values": " ".join(error.acr_values),
        "max_age": "" if error.max_age is None else str(error.max_age),
        "scope": _scope(error.scopes),
    }


def _scope(scopes: tuple[str, ...]) -> str:
    return " ".join(filter(_SCOPE.fullmatch, scopes))


def _challenge(scheme: str, **parameters: str) -> str:
    given = [f"{name}={_quoted(value)}" for name, value in parameters.items() if value]
    return " ".join((scheme, ", ".join(given))).rstrip()


def _quoted(value: str) -> str:
    """A quoted string that ends where it should, whatever a realm or a scope holds."""
    return '"' + _ESCAPED.sub(r"\\\g<0>", _UNQUOTABLE.sub("?", value)) + '"'


def _retry_after(rest: float, jitter: float) -> int:
    """Whole seconds: what is left of the back-off and up to half as much again, from 1 to 60 (Law 1.8)."""
    return math.ceil(max(1.0, min(60.0, rest * (1 + jitter / 2))))
