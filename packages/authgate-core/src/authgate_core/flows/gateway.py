"""From what a gateway says of a caller to a user or service: first whether it is the gateway that says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..clock import Instant
from ..effects import Flow, ReadBody, UseOnce
from ..errors import AuthgateError, GatewaySignatureRefused, GatewaySignatureReplayed, UntrustedGateway
from ..gateways import Gateway
from ..gateways.identify import identified
from ..gateways.peers import Peers
from ..gateways.stamped import check_stamp
from ..identity_headers import GatewayIdentity
from ..principal import Service, User
from ..replays import once_name
from ..request import RequestView

__all__ = ["TrustedGateway", "VerifiesMessages", "authenticate_gateway"]


class SignedMessage(Protocol):
    """What a good message signature says."""

    @property
    def keyid(self) -> str:
        """Which key has signed."""
        ...

    @property
    def nonce(self) -> str:
        """What the gateway uses once."""
        ...

    @property
    def ttl(self) -> float:
        """How long the signature could be used again, in seconds."""
        ...

    def check_body(self, body: bytes, /) -> None:
        """Raise GatewaySignatureRefused if another body, or none, was signed."""
        ...


class VerifiesMessages(Protocol):
    """Verifies message signatures; ``gateways.rfc9421`` does, which is imported where one is configured."""

    def verify(self, identity: GatewayIdentity, view: RequestView, now: Instant, /) -> SignedMessage:
        """Raise GatewaySignatureRefused if the gateway has not signed this for this request."""
        ...


@dataclass(frozen=True, slots=True)
class TrustedGateway:
    """A gateway, with what shows that it speaks.

    Args:
        gateway: What was configured.
        messages: Verifies its message signatures; None where it signs none.

    Attributes:
        peers: Where it is.
    """

    gateway: Gateway
    messages: VerifiesMessages | None = None
    peers: Peers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "peers", self.gateway.trusted())

    def check_peer(self, view: RequestView) -> None:
        """Check that the gateway holds the socket, where that was asked for (Laws 2.7, 2.8).

        Raises:
            UntrustedGateway: If somebody else does, or may have written headers past it.
        """
        if self.peers:
            stranger = self.peers.stranger(view)
            if stranger is not None:
                raise UntrustedGateway(stranger, issuer=self.gateway.name)
        if view.folds_names and not (self.gateway.is_signed or self.gateway.server_drops_underscores):
            raise UntrustedGateway(
                "in WSGI, x_user_id and x-user-id are one: write server_drops_underscores=True if the server drops the "
                "first",
                issuer=self.gateway.name,
            )


def authenticate_gateway(
    identity: GatewayIdentity,
    view: RequestView,
    trusted: TrustedGateway,
    gate: int,
    expand: Callable[[tuple[str, ...]], frozenset[str]],
    now: Instant,
) -> Flow[User | Service]:
    """Find out that the gateway says this of the caller of this very request, and who the caller is.

    What was shown of a request holds for its other guards and while its socket stays open, for as long as sockets may:
    a nonce is used once, and time goes on.

    Args:
        identity: What was read of the headers.
        view: The request.
        trusted: The gateway.
        gate: Whose memo it is.
        expand: Adds the roles that a hierarchy implies.
        now: The present moment.

    Raises:
        UntrustedGateway: If somebody else wrote the headers.
        GatewaySignatureRefused: If the signature that is asked for is not this request's.
        GatewaySignatureReplayed: If it was used before.
        AuthUnavailable: If that could not be found out.
    """
    try:
        trusted.check_peer(view)
        if not _is_shown(identity, view, trusted.gateway, gate, now):
            yield from _show(identity, view, trusted, now)
            if view.memo is not None:
                view.memo.proofs[(gate, view.method, view.target)] = (identity, now.mono)
        return identified(identity, trusted.gateway.name, expand)
    except AuthgateError as error:
        error.issuer = trusted.gateway.name
        raise


def _is_shown(
    identity: GatewayIdentity, view: RequestView, gateway: Gateway, gate: int, now: Instant
) -> bool:
    proof = None if view.memo is None else view.memo.proofs.get((gate, view.method, view.target))
    if proof is None or proof[0] != identity:
        return False
    if now.mono - proof[1] > gateway.socket_lifetime:
        raise UntrustedGateway(f"what the gateway said is older than {gateway.socket_lifetime:.0f} s")
    return True


def _show(identity: GatewayIdentity, view: RequestView, trusted: TrustedGateway, now: Instant) -> Flow[None]:
    gateway = trusted.gateway
    if gateway.hmac_keys:
        check_stamp(identity, view, gateway.hmac_keys, now)
    if trusted.messages is None:
        return
    message = trusted.messages.verify(identity, view, now)
    if view.body is None:
        raise GatewaySignatureRefused("nobody gives the gate the body, so that its digest cannot be checked")
    # Before the body, whose sender decides how long it takes: by then the nonce might be forgotten.
    name = once_name("gateway nonce", gateway.name, message.keyid, message.nonce)
    if not (yield from UseOnce(name, message.ttl)):
        raise GatewaySignatureReplayed("the nonce of the signature was used before")
    message.check_body((yield from ReadBody(view.body)))
