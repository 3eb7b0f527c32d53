"""How a token's keys are found, and how a key set is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from ..clock import Instant
from ..effects import AwaitKeys, Flow, SendRequest, StartRefresh
from ..errors import AuthUnavailable, KeysUnavailable, MalformedToken
from ..jose.compact import Header, Limits, parse_object
from ..jose.keys import Key, KeyDocument, KeySet, UnusableKeys, key_from_pem, read_key_set
from ..keyring import Await, KeyRing, KeySource, Refuse, RingState, Settled, Unavailable, UseAndRefresh
from ..request import HttpReply, HttpRequest

__all__ = ["Door", "RefreshFailed", "RefreshFlow", "Refreshed", "find_keys", "find_newer_keys", "refresh"]

_ACCEPT: Final = (("accept", "application/json, application/jwk-set+json"),)
_ACCEPT_PEM: Final = (("accept", "application/x-pem-file, text/plain, */*"),)
_GONE: Final = frozenset({404, 410})
_BUSY: Final = frozenset({429, 503})
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})(?!\d)", re.IGNORECASE)
_LIMITS: Final = Limits()


class Door(Protocol):
    """The way to a key ring: the ring itself, or a tenant's, which may be kept only after a wait (Law 3.12)."""

    @property
    def state(self) -> RingState:
        """The snapshot of the ring as it is now."""
        ...

    def current(self) -> KeyRing:
        """The ring as it is now."""
        ...


def find_keys(header: Header, door: Door, now: Instant) -> Flow[tuple[Key, ...]]:
    """The keys to verify a token with: one, or up to four where it has no kid (Law 3.4).

    Args:
        header: The token's.
        door: The way to the keys of its issuer, or of its tenant.
        now: The present moment.

    Raises:
        UnknownKey: If no key answers to it, or more than one.
        AlgorithmRefused: If the key of its kid does not verify its alg.
        KeysUnavailable: If the keys cannot be had.
    """
    ring = door.current()
    plan = ring.plan(header.kid, header.alg, now)
    if isinstance(plan, Await):
        later = yield from AwaitKeys(ring.name, plan.timeout, plan.unknown_kid, since=now)
        plan = door.current().settle(header.kid, header.alg, later)
    return (yield from _carry_out(plan, ring))


def find_newer_keys(
    header: Header, door: Door, tried: tuple[Key, ...], now: Instant
) -> Flow[tuple[Key, ...]]:
    """Keys for a token without a kid that those ``tried`` did not verify: an unknown kid (Laws 3.4, 4.5).

    Raises:
        UnknownKey: If there is none but those.
        KeysUnavailable: If that cannot be told.
    """
    ring = door.current()
    plan = ring.plan_newer(header.alg, tried, now)
    if isinstance(plan, Await):
        later = yield from AwaitKeys(ring.name, plan.timeout, plan.unknown_kid, since=now)
        plan = door.current().settle_newer(header.alg, tried, later)
    return (yield from _carry_out(plan, ring))


def _carry_out(plan: Settled | UseAndRefresh, ring: KeyRing) -> Flow[tuple[Key, ...]]:
    if isinstance(plan, UseAndRefresh) or (isinstance(plan, Refuse) and plan.refresh):
        yield from StartRefresh(ring.name)
    if isinstance(plan, Refuse):
        raise plan.error
    if isinstance(plan, Unavailable):
        raise KeysUnavailable(plan.reason, retry_after=plan.retry_after, issuer=ring.name.issuer)
    return plan.keys


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A key set that was fetched.

    Args:
        document: What was read.
        max_age: The response's max-age, in seconds, if it has one.
        key_url: Where discovery said that the set is; None where discovery was not asked.
    """

    document: KeyDocument
    max_age: float | None = None
    key_url: str | None = None


class RefreshFailed(Exception):
    """A key set could not be fetched.

    Args:
        reason: Why, in words that do not change while the cause does not; for logs.
        definite: Whether the issuer answered, and said that there are no keys (Law 4.4).
        alarm: Whether only a person can mend it (Law 1.6).
        gone: Whether it said that there is no such document.
        retry_after: How long the issuer asked to be left alone, in seconds.
    """

    def __init__(
        self,
        reason: str,
        *,
        definite: bool = False,
        alarm: bool = False,
        gone: bool = False,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.definite = definite
        self.alarm = alarm
        self.gone = gone
        self.retry_after = retry_after


RefreshFlow: TypeAlias = Generator[SendRequest, HttpReply, Refreshed]
"""A ``Flow`` that asks for nothing but HTTP requests, so that it can run apart from any gate's runner."""
Sign: TypeAlias = Callable[[HttpRequest], HttpRequest]


def _unsigned(request: HttpRequest) -> HttpRequest:
    return request


def refresh(source: KeySource, known_key_url: str | None = None, sign: Sign = _unsigned) -> RefreshFlow:
    """Fetch a key set, by way of discovery where that says where it is.

    Args:
        source: What was configured.
        known_key_url: What discovery said lately; spares asking it again.
        sign: Makes of each request the one that is sent: ``source.signer(now)``.

    Raises:
        RefreshFailed: Whatever went wrong.
    """
    url, discovered = source.jwks_url or known_key_url, None
    if url is None:
        url = discovered = yield from _discover(source, sign)
    reply = yield from _get(url, source, sign, "key set")
    try:
        document = _read(reply.body, source)
    except UnusableKeys as error:
        raise RefreshFailed(str(error), definite=error.empty) from None
    return Refreshed(document, _max_age(reply), discovered)


def _read(body: bytes, source: KeySource) -> KeyDocument:
    if source.pem_kid is None:
        return read_key_set(body, source.algorithms)
    return KeyDocument(KeySet((key_from_pem(body, source.algorithms, source.pem_kid),)))


def _discover(source: KeySource, sign: Sign) -> Generator[SendRequest, HttpReply, str]:
    """Where the discovery document says that the key set is (OpenID Connect Discovery, section 4.3)."""
    reply = yield from _get(source.discovery_url or "", source, sign, "discovery document")
    try:
        document = parse_object(reply.body, _LIMITS)
    except MalformedToken as error:
        raise RefreshFailed(f"the discovery document cannot be read: {error.reason}") from None
    if document.get("issuer") != source.issuer:
        other = ascii(document.get("issuer"))[:64]
        raise RefreshFailed(f"the discovery document is of issuer {other}, not {source.issuer!r}", alarm=True)
    url = document.get("jwks_uri")
    if not isinstance(url, str):
        raise RefreshFailed("the discovery document has no jwks_uri")
    if _is_weaker(url, source):
        raise RefreshFailed("the discovery document is on https, and the jwks_uri in it is not")
    return url


def _is_weaker(url: str, source: KeySource) -> bool:
    """Whether the key set would be fetched without the protection that its URL was fetched with (Law 4.9)."""
    was_safe = (source.discovery_url or "").lower().startswith("https:")
    return was_safe and not source.plain_http and not url.lower().startswith("https:")


def _get(url: str, source: KeySource, sign: Sign, what: str) -> Generator[SendRequest, HttpReply, HttpReply]:
    accept = _ACCEPT if source.pem_kid is None else _ACCEPT_PEM
    request = HttpRequest("GET", url, accept, plain_http=source.plain_http)
    try:
        reply = yield SendRequest(sign(request))
    except AuthUnavailable as error:
        raise RefreshFailed(f"the {what} could not be fetched: {error.reason}") from None
    if reply.status != 200:
        raise RefreshFailed(
            f"the {what} was answered with status {reply.status}",
            definite=reply.status in _GONE,
            gone=reply.status in _GONE,
            retry_after=(reply.retry_after or 0.0) if reply.status in _BUSY else 0.0,
        )
    return reply


def _max_age(reply: HttpReply) -> float | None:
    """How long the answer may be kept (RFC 9111 section 5.2.2.1), in seconds."""
    found = _MAX_AGE.search(reply.headers.get("cache-control", ""))
    return None if found is None else float(found.group(1))
