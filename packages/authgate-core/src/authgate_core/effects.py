"""What a flow may ask of its runner: a closed union of frozen values that describe I/O.

``reply = yield from SomeEffect(...)`` suspends the flow until the runner has performed the effect. Users extend
authgate by implementing a port, never by adding an effect. A reply is an answer; when a port fails, the error is
thrown into the flow at that line.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar, cast

from .clock import Instant
from .credentials import ApiKeyCredential, AppCredentials
from .principal import ApiKey, Project, ProjectRef, TokenRef
from .request import BodyReader, HttpReply, HttpRequest

__all__ = [
    "Answered",
    "AnyEffect",
    "AskEndpoint",
    "AwaitKeys",
    "CheckRevoked",
    "Effect",
    "Endpoint",
    "Flow",
    "LookUpApiKey",
    "LookUpProject",
    "ReadBody",
    "RefreshProject",
    "RingName",
    "SendRequest",
    "StartRefresh",
    "UseOnce",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Effect(Generic[T_co]):
    """A request that a flow makes of its runner; ``yield from`` it to get the reply."""

    __slots__ = ()

    def __iter__(self) -> Generator[AnyEffect, Any, T_co]:
        # The one place that typing cannot follow: the runner answers each effect with that effect's own reply type.
        reply = yield cast("AnyEffect", self)
        return cast("T_co", reply)


@dataclass(frozen=True, slots=True)
class RingName:
    """Which key set: one for each (issuer, tenant) (Law 3.12).

    Args:
        issuer: The configured name of the issuer.
        tenant: The tenant, where the issuer keeps one key set for each.
    """

    issuer: str
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class SendRequest(Effect[HttpReply]):
    """Send one HTTP request under the limits of Law 4.9; replies with the complete answer, whatever its status."""

    request: HttpRequest


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that is asked about credentials; it has one breaker, whoever asks (docs/adr/0025).

    Args:
        name: What logs call it: the configured name of the issuer, and what it is asked.
        url: Where it is.
        opens_after: How many consecutive failures open its breaker.
        longest_rest: The longest wait between two probes of the breaker, in seconds.
        first_rest: The wait before the first probe, in seconds.
        within: The seconds that the failures lie within; by default failures that take five seconds each are
            counted too, where few threads make them.
    """

    name: str
    url: str
    opens_after: int = 5
    longest_rest: float = 2.0
    first_rest: float = 0.5
    within: float = 10.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A complete answer of an endpoint.

    Args:
        reply: The answer, whatever its status.
        asked: When the question was put, which may have been another request's: the answer is as old as that.
        at: When the answer was there.
    """

    reply: HttpReply
    asked: Instant
    at: Instant


@dataclass(frozen=True, slots=True)
class AskEndpoint(Effect[Answered]):
    """Ask an endpoint, sharing a call under way; fails with AuthUnavailable where there is no complete answer.

    An answer of 500 or above counts against the endpoint, as no answer does, and so does one that is in
    ``faults``; 429 and 503 with ``Retry-After`` have it left alone for so long, a minute at most.

    Args:
        endpoint: Which one.
        request: The question; of those who share a call, only one's is sent.
        flight_key: A keyed hash that names the question; never a secret.
        faults: Statuses by which it refuses this service itself, whatever is asked.
    """

    endpoint: Endpoint
    request: HttpRequest
    flight_key: bytes
    faults: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class AwaitKeys(Effect[Instant]):
    """Wait for a refresh of a key set, starting or joining one; replies with the time after the wait.

    The runner replies at once where the ring's budget does not let a refresh start (Law 4.5), or where as many
    requests wait already as may (Law 4.10).

    Args:
        ring: Which key set.
        timeout: How long to wait at most, in seconds.
        unknown_kid: Whether an unknown kid asks while the set has keys: it draws from the ring's bucket
            and takes one of the few places to wait.
        since: When that kid was looked for; a document that came later makes a fetch for it needless.
    """

    ring: RingName
    timeout: float
    unknown_kid: bool = False
    since: Instant | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class StartRefresh(Effect[None]):
    """Have a key set refreshed in the background, unless that is under way; replies at once."""

    ring: RingName


@dataclass(frozen=True, slots=True)
class CheckRevoked(Effect[bool]):
    """Ask the revocation sources that cannot answer from memory; replies whether the subject is revoked."""

    ref: TokenRef | ProjectRef


@dataclass(frozen=True, slots=True)
class LookUpProject(Effect[Project | None]):
    """Ask the directory about project credentials, sharing a call under way; replies None for a definite no.

    Args:
        credentials: What was presented.
        flight_key: A keyed hash that names the call; never a secret (Law 6.2).
    """

    credentials: AppCredentials
    flight_key: bytes


@dataclass(frozen=True, slots=True)
class LookUpApiKey(Effect[ApiKey | None]):
    """Ask the store about an API key; replies None for a definite no."""

    credential: ApiKeyCredential


@dataclass(frozen=True, slots=True)
class RefreshProject(Effect[None]):
    """Have a cached project checked again in the background, unless that is under way; replies at once."""

    credentials: AppCredentials
    flight_key: bytes


@dataclass(frozen=True, slots=True)
class UseOnce(Effect[bool]):
    """Use up a value that may be used once; replies whether this was its first use.

    Args:
        name: What names the value, by ``replays.once_name``; never the value itself.
        ttl: How long it could be used again at most, in seconds.
    """

    name: bytes
    ttl: float


@dataclass(frozen=True, slots=True)
class ReadBody(Effect[bytes]):
    """Read the body of the request that is judged; replies all of it.

    Args:
        read: What reads it, in the colour of the gate.
    """

    read: BodyReader


AnyEffect: TypeAlias = (
    SendRequest
    | AskEndpoint
    | AwaitKeys
    | StartRefresh
    | CheckRevoked
    | LookUpProject
    | RefreshProject
    | LookUpApiKey
    | UseOnce
    | ReadBody
)
Flow: TypeAlias = Generator[AnyEffect, Any, T]
