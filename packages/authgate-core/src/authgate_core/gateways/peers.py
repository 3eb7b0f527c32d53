"""Who holds the other end of the socket, and whether that is the gateway (Law 2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ..request import RequestView

__all__ = ["Peers", "peer_problems"]


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers that are the gateway; of none, nobody is.

    Args:
        networks: Their addresses.
        subjects: The subjects of their client certificates, as the TLS layer of the server verified them.
        as_named: Whether the server is known to name the socket's own peer, whatever a header says.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    subjects: frozenset[str] = frozenset()
    as_named: bool = False

    @classmethod
    def of(cls, networks: tuple[object, ...], subjects: tuple[object, ...], *, as_named: bool) -> Peers:
        """Read what was configured, of which nothing is wrong."""
        return cls(
            tuple(ip_network(str(network)) for network in networks),
            frozenset(map(str, subjects)),
            as_named,
        )

    def __bool__(self) -> bool:
        return bool(self.networks or self.subjects)

    def stranger(self, view: RequestView) -> str | None:
        """Why whoever holds the socket is not the gateway; None where it is."""
        if view.tls_peer is not None and view.tls_peer in self.subjects:
            return None
        address = view.named_peer if self.as_named else view.peer
        if address is not None and self._has(address):
            return None
        if address is None and view.named_peer is not None:
            return (
                "the server may have the peer from a forwarding header; run it so that it leaves that alone "
                "(uvicorn --no-proxy-headers), and write server_shows_peer=True"
            )
        return "the socket's peer is none of the gateway's" if address else "the socket's peer is not known"

    def _has(self, address: str) -> bool:
        with suppress(ValueError):
            found = ip_address(address)
            if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
                found = found.ipv4_mapped
            return any(found in network for network in self.networks)
        return False


def peer_problems(networks: tuple[object, ...], subjects: tuple[object, ...]) -> Iterator[str]:
    """What is wrong with peers: a sentence each, with the fix."""
    for network in networks:
        try:
            found = ip_network(network) if isinstance(network, str) else None
        except ValueError as error:
            yield f"peers: {error}; write an address or a network such as 10.0.0.0/8"
            continue
        if found is None:
            yield f"peers: give texts such as '10.0.0.0/8', not {network!r}"
        elif found.prefixlen == 0:
            yield f"peers: {network} is everyone, and everyone could say who calls; name the gateway's addresses"
    for subject in subjects:
        if not isinstance(subject, str) or not subject:
            yield f"tls_peers: give the subjects of client certificates as texts, not {subject!r}"
