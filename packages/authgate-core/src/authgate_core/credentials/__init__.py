"""Which credentials a request presents: the only reader of credential headers.

Each kind is recognised by its shape and is absent, malformed, or a credential (Law 2.1); whether a credential
is good is for the flows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from ..cookies import Cookies
from ..errors import CrossSiteRefused, MalformedCredentials
from ..headers import (
    AUTHORIZATION,
    DPOP,
    X_ACTION_TOKEN,
    X_API_KEY,
    X_APP_ID,
    X_APP_SECRET,
    X_PROJECT_TOKEN,
    HeaderPairs,
)
from ..identity_headers import (
    IdentityHeaders,
    asserted,
    is_printable,
    read_identity,
    single,
)
from ..secret import Secret
from .presented import (
    ACTION_HEADER,
    API_KEY,
    APP,
    BEARER,
    COOKIE_HEADER,
    DPOP_SCHEME,
    HEADERS,
    PROJECT_TOKEN_HEADER,
    PROOF_HEADER,
    SCHEMES,
    ActionToken,
    ApiKeyCredential,
    AppCredentials,
    BearerToken,
    Credential,
    DPoPToken,
    Kind,
    Presented,
    ProjectToken,
    scheme_of,
)

__all__ = [
    "ACTION_HEADER",
    "API_KEY",
    "APP",
    "BEARER",
    "COOKIE_HEADER",
    "DPOP_SCHEME",
    "HEADERS",
    "PROJECT_TOKEN_HEADER",
    "PROOF_HEADER",
    "SCHEMES",
    "SUBPROTOCOL",
    "ActionToken",
    "ApiKeyCredential",
    "AppCredentials",
    "BearerToken",
    "Credential",
    "DPoPToken",
    "Kind",
    "Presented",
    "ProjectToken",
    "Reading",
    "action_token",
    "bearer_alone",
    "bearer_pairs",
    "bearer_unread",
    "extract",
    "scheme_of",
]

SUBPROTOCOL: Final = "authgate.bearer."
"""What a token stands behind among the subprotocols of a WebSocket, whose browsers can set no header."""

_BEARER: Final = "bearer "
_ONE_CREDENTIAL: Final = re.compile(
    r"""
    [^",]*+                                                   # the scheme and what is outside of quotes
    (?: "(?:[^"\\]|\\.)*+" [^",]*+                            # a quoted string
      | ,(?= [ ]*[!\#$%&'*+.^_`|~\w-]+[ ]* = [ ]*[^ =,]) [^",]*+    # another parameter
    )*+ \Z""",
    re.VERBOSE | re.ASCII,
)
"""A scheme with its parameters: outside of quotes, a comma is followed by ``name=value`` (RFC 9110, 11.4)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a gate reads what a request presents; made once, when the gate is built.

    Args:
        limit: How long a credential header may be, in bytes (Law 2.4).
        project_tokens: Whether anybody who issues project tokens is configured; their header is not ours otherwise.
        cookies: Where browsers keep tokens; None where no cookie counts (Law 2.9).
        identity: The headers in which a gateway says who calls, where one does. Users and services then come from
            them alone, and what stands in ``Authorization`` is left to the gateway (Law 2.7).
        assertion: The header in which a gateway hands on a token, in lower case, where one does; likewise.
        bearer: The headers that users and services are read from.
        proofs: Whether tokens that are bound to keys are accepted; the scheme ``DPoP`` is not ours otherwise.
    """

    limit: int
    project_tokens: bool = False
    cookies: Cookies | None = None
    identity: IdentityHeaders | None = None
    assertion: str | None = None
    bearer: tuple[str, ...] = HEADERS[BEARER]
    proofs: bool = False

    def headers(self, kinds: Collection[Kind]) -> tuple[str, ...]:
        """The headers that these kinds are read from, each once, as a response names them in ``Vary`` (Law 1.7)."""
        read = [name for kind in kinds for name in (self.bearer if kind == BEARER else HEADERS[kind])]
        if APP in kinds and self.project_tokens:
            read.append(PROJECT_TOKEN_HEADER)
        if BEARER in kinds and self.cookies is not None:
            read.append(COOKIE_HEADER)
        if BEARER in kinds and self.proofs:
            read.append(PROOF_HEADER)
        return tuple(dict.fromkeys(read))


def extract(
    headers: HeaderPairs,
    kinds: Collection[Kind],
    reading: Reading,
    *,
    subprotocols: Sequence[str] = (),
    method: str = "",
    is_query: bool = False,
) -> Presented:
    """Read the credentials of the kinds that a policy names, and look at nothing else (Law 2.3).

    Args:
        headers: The request's headers, names in lower case.
        kinds: The kinds that the policy reads.
        reading: How the gate reads them.
        subprotocols: What the client of a WebSocket offers.
        method: The request's method; one that is not known to be safe needs the CSRF value beside a cookie.
        is_query: Whether it asks GraphQL, which beside a cookie needs a listed ``Origin`` also where it is safe.

    Returns:
        What is presented; a kind that is not presented has no entry.
    """
    presented: dict[Kind, Credential | MalformedCredentials | CrossSiteRefused] = {}
    for kind in kinds:
        try:
            credential = _read(kind, headers, subprotocols, reading)
        except MalformedCredentials as malformed:
            presented[kind] = malformed.with_traceback(None)
        else:
            if credential is not None:
                presented[kind] = credential
    cookies = reading.cookies
    if cookies is not None and BEARER in kinds and (found := cookies.tokens(headers)):
        presented[BEARER] = _kept(presented.get(BEARER), found, reading.limit)
        reason = cookies.foreign(method, headers, reads=is_query)
        if reason is not None and isinstance(presented[BEARER], BearerToken):
            presented[BEARER] = CrossSiteRefused(reason)
    return presented


def _kept(besides: object, found: Sequence[str], limit: int) -> BearerToken | MalformedCredentials:
    """The token that a cookie holds, which comes once and alone (Law 2.9)."""
    token = found[0]
    if besides is not None or len(found) > 1:
        return MalformedCredentials("a token in a cookie besides another one", scheme=SCHEMES[BEARER])
    # A server that joins repeated headers by a comma makes one value of two cookies (Law 2.2).
    if not token or "," in token or len(token) > limit or not is_printable(token):
        return MalformedCredentials(
            "an empty, joined, oversized or unreadable token in a cookie", scheme=SCHEMES[BEARER]
        )
    return BearerToken(Secret(token))


def action_token(headers: HeaderPairs, limit: int) -> ActionToken | None:
    """The token of an action that a request carries, if it does; headers and limit are those of ``extract``.

    Raises:
        MalformedCredentials: If it cannot be read in one way only (Law 2.2).
    """
    value = _single(headers, X_ACTION_TOKEN, BEARER, limit)
    if value is None:
        return None
    if not value or " " in value or "," in value:
        raise MalformedCredentials("an empty or joined action token", scheme=SCHEMES[BEARER])
    return ActionToken(Secret(value))


def bearer_alone(headers: HeaderPairs, subprotocols: Sequence[str], limit: int) -> str | None:
    """The token that ``extract`` would find; None also where it would find something to say about it."""
    try:
        return _bearer(headers, subprotocols, limit)
    except MalformedCredentials:
        return None


def bearer_pairs(only: Callable[[str], HeaderPairs]) -> HeaderPairs:
    """All that a request has where ``extract`` reads tokens, from what gives its headers of one name."""
    return only(AUTHORIZATION)


def bearer_unread(presented: HeaderPairs, limit: int) -> str | None:
    """What stands where ``extract`` would find a token, without a look at what it consists of.

    Whoever knows it for a token needs no such look; of what is written in another way this says nothing.

    Args:
        presented: What ``bearer_pairs`` gives.
        limit: How long that may be, in bytes (Law 2.4).
    """
    if len(presented) != 1:
        return None
    value = presented[0][1]
    return value[len(_BEARER) :] if len(value) <= limit and value[: len(_BEARER)].lower() == _BEARER else None


def _read(
    kind: Kind, headers: HeaderPairs, subprotocols: Sequence[str], reading: Reading
) -> Credential | None:
    if kind == BEARER and reading.identity is not None:
        return read_identity(headers, reading.identity, reading.limit)
    if kind == BEARER:
        name, limit = reading.assertion, reading.limit
        bound = _bound(headers, subprotocols, limit) if reading.proofs and name is None else None
        if bound is not None:
            return bound
        token = _bearer(headers, subprotocols, limit) if name is None else asserted(headers, name, limit)
        return None if token is None else BearerToken(Secret(token))
    return _project(headers, reading) if kind == APP else _api_key(headers, reading.limit)


def _bound(headers: HeaderPairs, subprotocols: Sequence[str], limit: int) -> DPoPToken | None:
    token = _behind(DPOP_SCHEME, headers, BEARER, limit)
    if token is None:
        return None
    if any(name.startswith(SUBPROTOCOL) for name in subprotocols):
        raise MalformedCredentials("two tokens in one handshake", scheme=DPOP_SCHEME)
    proof = _single(headers, DPOP, BEARER, limit)
    if proof is not None and (not proof or "," in proof):
        raise MalformedCredentials("an empty or joined proof", scheme=DPOP_SCHEME)
    return DPoPToken(Secret(token), None if proof is None else Secret(proof))


def _project(headers: HeaderPairs, reading: Reading) -> AppCredentials | ProjectToken | None:
    pair = _app(headers, reading.limit)
    token = _project_token(headers, reading.limit) if reading.project_tokens else None
    if pair is not None and token is not None:
        raise MalformedCredentials("a project token besides an app id and secret", scheme=SCHEMES[APP])
    return token or pair


def _bearer(headers: HeaderPairs, subprotocols: Sequence[str], limit: int) -> str | None:
    in_header = _authorized(headers, BEARER, limit)
    offered = [name for name in subprotocols if name.startswith(SUBPROTOCOL)] if subprotocols else ()
    if not offered:
        return in_header
    token = offered[0].removeprefix(SUBPROTOCOL)
    if in_header is not None or len(offered) > 1:
        raise MalformedCredentials("two tokens in one handshake", scheme=SCHEMES[BEARER])
    if not token or len(token) > limit or not is_printable(token):
        raise MalformedCredentials("an empty, oversized or unreadable subprotocol", scheme=SCHEMES[BEARER])
    return token


def _authorized(headers: HeaderPairs, kind: Kind, limit: int) -> str | None:
    """What stands in ``Authorization`` behind the scheme of a kind; None behind any other."""
    return _behind(SCHEMES[kind], headers, kind, limit)


def _behind(expected: str, headers: HeaderPairs, kind: Kind, limit: int) -> str | None:
    value = _single(headers, AUTHORIZATION, kind, limit)
    if value is None:
        return None
    scheme, _, rest = value.partition(" ")
    credential = rest.lstrip(" ")
    if scheme.lower() != expected.lower():
        # Law 2.2: WSGI servers join repeated headers, so another credential may hide behind a foreign scheme.
        if "," in value and not _ONE_CREDENTIAL.match(value):
            raise MalformedCredentials("two credentials in one Authorization header", scheme=SCHEMES[kind])
        return None
    if not credential or "," in credential:
        raise MalformedCredentials(f"an empty or joined {expected} credential", scheme=expected)
    return credential


def _api_key(headers: HeaderPairs, limit: int) -> ApiKeyCredential | None:
    alone = _single(headers, X_API_KEY, API_KEY, limit)
    authorized = _authorized(headers, API_KEY, limit)
    if alone is not None and authorized is not None:
        raise MalformedCredentials("two API keys in one request", scheme=SCHEMES[API_KEY])
    key = authorized if alone is None else alone
    if key is None:
        return None
    if not key or " " in key or "," in key:
        raise MalformedCredentials("an empty or joined API key", scheme=SCHEMES[API_KEY])
    return ApiKeyCredential(Secret(key))


def _project_token(headers: HeaderPairs, limit: int) -> ProjectToken | None:
    value = _single(headers, X_PROJECT_TOKEN, APP, limit)
    if value is None:
        return None
    if not value or " " in value or "," in value:
        raise MalformedCredentials("an empty or joined project token", scheme=SCHEMES[APP])
    return ProjectToken(Secret(value))


def _app(headers: HeaderPairs, limit: int) -> AppCredentials | None:
    app_id = _single(headers, X_APP_ID, APP, limit)
    secret = _single(headers, X_APP_SECRET, APP, limit)
    if app_id is None and secret is None:
        return None
    if not app_id or not secret:
        raise MalformedCredentials("half a pair of app id and secret", scheme=SCHEMES[APP])
    if "," in app_id or "," in secret:
        raise MalformedCredentials("a joined header of project credentials", scheme=SCHEMES[APP])
    return AppCredentials(app_id, Secret(secret))


def _single(headers: HeaderPairs, name: str, kind: Kind, limit: int) -> str | None:
    return single(headers, name, limit, SCHEMES[kind])
