"""What can be seen of a configuration without asking anyone, but is easily overlooked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Final

from ...config import GateConfig
from ...config.environment import proxy_variables
from ...gate.beginnings import beginnings
from ...io.memory import COVERS_ONE_PROCESS
from ...issuer import NoKeys
from ...revocation import MemoryRevocation
from .findings import Finding, failed, ok, warning

__all__ = ["look_at_gateway", "look_at_proxy", "look_at_settings", "wrong_settings"]

_WIDE: Final = 256
"""Addresses; more of them than this hold more than a gateway."""
_REFERENCE: Final = "compare it with the reference of settings"
_FIXES: Final[Mapping[str, str]] = {
    "audience_unchecked": "name this API's audience in audience=",
    "explain": "leave AUTHGATE_EXPLAIN and explain= out in production",
    "shadow": "leave AUTHGATE_SHADOW and shadow= out once refusals shall be carried out",
    "revocation_in_memory": "give RedisRevocation(url) where there is more than one process",
}
_OF_MEMORY: Final = "give replays=RedisReplays(url) where there is more than one process"


def wrong_settings(problems: Iterable[str]) -> Iterator[Finding]:
    """Each problem of a configuration, with the fix that its sentence ends with."""
    for problem in problems:
        setting, colon, said = problem.partition(": ")
        text, _, fix = (said if colon else problem).partition("; ")
        yield failed(setting if colon else "configuration", text, fix or _REFERENCE)


def look_at_settings(config: GateConfig) -> Iterator[Finding]:
    """What a gate says aloud when it begins."""
    notices = [*beginnings(config)]
    if any(isinstance(source, MemoryRevocation) for source in config.sources):
        notices.append(COVERS_ONE_PROCESS)
    unnamed = {issuer.name for issuer in config.trusted_issuers if isinstance(issuer.trust, NoKeys)}
    for notice in notices:
        if notice.code == "audience_unchecked" and notice.subject in unnamed:
            yield ok(
                f"audience of {notice.subject}",
                "it does not say which API a token is for, so none is checked",
            )
            continue
        yield warning(f"{notice.code} of {notice.subject}", notice.text, _FIXES.get(notice.code, _OF_MEMORY))


def look_at_gateway(config: GateConfig) -> Iterator[Finding]:
    """Law 2.7: who may say in headers who calls."""
    gateway, check = config.gateway, "proxy headers"
    if gateway is None:
        yield ok(check, "no gateway is configured, so no header says who calls")
        return
    wide = [peer for peer in gateway.peers if ip_network(peer).num_addresses > _WIDE]
    if wide:
        text = f"whoever has an address in {', '.join(wide)} may say who calls"
        yield warning(check, text, "name the addresses of the gateway alone in peers=")
    if gateway.is_signed:
        yield ok(check, f"what {gateway.name} says is believed for its signature")
        return
    if gateway.peers and not gateway.server_shows_peer:
        yield warning(
            check,
            "in ASGI a request with a forwarding header has no peer, and is refused",
            "run uvicorn with --no-proxy-headers and write server_shows_peer=True",
        )
    if not gateway.server_drops_underscores:
        yield warning(
            check,
            "in WSGI X_User_ID and X-User-ID are one header, so unsigned ones are refused",
            "write server_drops_underscores=True where the server drops names with underscores (Law 2.8)",
        )
    if not wide:
        yield ok(
            check, f"{', '.join((*gateway.peers, *gateway.tls_peers))} may say who calls, and nobody else"
        )


def look_at_proxy(config: GateConfig) -> Iterator[Finding]:
    """Law 4.9: a proxy is configured, not inherited."""
    named = proxy_variables()
    if config.proxy is not None:
        yield ok(
            "proxy",
            "the gate's own requests go through the one that is configured; loopback is asked directly",
        )
    elif named:
        are = "is" if len(named) == 1 else "are"
        text = f"{', '.join(named)} {are} set, which the gate's own requests do not follow"
        yield warning("proxy", text, "write proxy= in GateConfig if issuers are reached through it only")
    else:
        yield ok("proxy", "the gate's own requests go straight to whom they ask")
