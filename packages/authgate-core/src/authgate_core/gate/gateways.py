"""From a gateway in front of the service, as configured, to what a flow needs of it."""

from __future__ import annotations

from ..config import GateConfig
from ..credentials import BEARER, HEADERS, Reading
from ..flows.gateway import TrustedGateway
from ..gateways import Gateway

__all__ = ["reading_of", "trusted_gateway"]


def trusted_gateway(gateway: Gateway | None) -> TrustedGateway | None:
    """The gateway, with what verifies its messages if it signs them."""
    if gateway is None or gateway.signatures is None:
        return None if gateway is None else TrustedGateway(gateway)
    from ..gateways.rfc9421 import SignatureVerifier

    return TrustedGateway(gateway, SignatureVerifier(gateway.signatures))


def reading_of(config: GateConfig, *, project_tokens: bool, proofs: bool) -> Reading:
    """How a gate reads what a request presents."""
    gateway = config.gateway
    return Reading(
        config.credential_limit,
        project_tokens=project_tokens,
        cookies=config.cookies,
        identity=None if gateway is None else gateway.identity,
        assertion=None if gateway is None else gateway.assertion,
        bearer=HEADERS[BEARER] if gateway is None else gateway.headers,
        proofs=proofs,
    )
