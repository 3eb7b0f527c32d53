"""What a key ring is configured with: where its keys come from, and how long everything may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..clock import Instant
from ..request import HttpRequest
from ..signing import RequestSigning

__all__ = ["KeySource", "KeyTimes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the keys of an issuer are published: a key set, or a discovery document that names one.

    Args:
        algorithms: The issuer's allow-list, which decides what is usable in a document (Law 4.8).
        jwks_url: The key set itself.
        discovery_url: A discovery document that names the key set (OpenID Connect Discovery, section 4).
        issuer: What ``issuer`` in the discovery document must be, byte for byte.
        plain_http: Whether http beyond loopback was allowed explicitly (Law 4.9).
        signing: Signs the requests, where the issuer asks for that.
        pem_kid: The name of the key that stands there by itself, in PEM; None where it is a key set.

    Raises:
        ValueError: If not exactly one of the URLs is given.
    """

    algorithms: frozenset[str]
    jwks_url: str | None = None
    discovery_url: str | None = None
    issuer: str | None = None
    plain_http: bool = False
    signing: RequestSigning | None = None
    pem_kid: str | None = None

    def __post_init__(self) -> None:
        if (self.jwks_url is None) == (self.discovery_url is None):
            raise ValueError("keys come from a jwks_url or from a discovery_url: give one of them")

    def signer(self, now: Instant) -> Callable[[HttpRequest], HttpRequest]:
        """What makes of a request the one that is sent at this moment."""
        return _as_it_is if self.signing is None else partial(self.signing.signed, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTimes:
    """The numbers of section 4 of the laws, in seconds unless said otherwise.

    Args:
        soft_ttl: How long a set is fresh where the response does not say (Law 4.3).
        min_ttl: The least that a response's max-age can make of it.
        max_ttl: The most that a response's max-age can make of it.
        idle_factor: After how many times the soft TTL a set counts as left alone by an idle process.
        max_stale: The hard limit: nothing older answers (Law 4.4).
        key_wait: How long a request waits where there are no keys at all (Law 4.10).
        idle_wait: How long a request waits for a refresh after an idle time (Law 4.3).
        unknown_wait: How long a request waits for an unknown kid (Law 4.10).
        unknown_trust: How young the newest good document must be for an unknown kid to be a 401 (Law 4.5).
        bucket: How many unknown kids in a row may cause a fetch.
        refill: How long until one more may.
        first_pause: The back-off after one failure; it doubles with each further one (Law 4.6).
        max_pause: The most that it grows to.
        definite_answers: How many definite answers in a row end the set (Law 4.4).
        definite_span: Over how long a time they must have come at least.
        definite_grace: How long after the first of them the set ends.
        absent_for: How long a tenant without keys is believed to be none (Law 4.13).
    """

    soft_ttl: float = 300.0
    min_ttl: float = 60.0
    max_ttl: float = 900.0
    idle_factor: float = 3.0
    max_stale: float = 86400.0
    key_wait: float = 2.0
    idle_wait: float = 1.0
    unknown_wait: float = 0.3
    unknown_trust: float = 900.0
    bucket: int = 2
    refill: float = 10.0
    first_pause: float = 1.0
    max_pause: float = 60.0
    definite_answers: int = 3
    definite_span: float = 300.0
    definite_grace: float = 900.0
    absent_for: float = 10.0

    def ttl(self, max_age: float | None) -> float:
        """The soft TTL that a response's max-age asks for, within bounds (Law 4.3)."""
        return self.soft_ttl if max_age is None else min(max(max_age, self.min_ttl), self.max_ttl)


def _as_it_is(request: HttpRequest) -> HttpRequest:
    return request
