"""From a configuration to how bound tokens are accepted, and what clients are told of that (Law 3.15)."""

from __future__ import annotations

from typing import Any, Final

from ..config import GateConfig
from ..credentials import BEARER, DPOP_SCHEME, SCHEMES
from ..flows.possession import Possession
from ..issuer.settings import Terms
from ..jose.compact import Limits
from ..jose.proof import PROOF_ALGORITHMS
from ..possession import Nonces

__all__ = ["described", "possession_of", "token_schemes"]

_PROOFS: Final = frozenset({"dpop"})


def possession_of(config: GateConfig, gate: int, limits: Limits) -> Possession | None:
    """What possession of keys is checked with; None where no issuer binds tokens to any.

    Args:
        config: Of the gate.
        gate: Its number in the memos of requests.
        limits: Sizes of proofs.
    """
    if not _ways(config):
        return None
    dpop = config.dpop
    secret = None if dpop is None else dpop.nonce_secret
    return Possession(gate, limits, dpop, None if secret is None else Nonces(secret))


def token_schemes(config: GateConfig) -> tuple[str, ...]:
    """The schemes that some token of a configured issuer may be presented by, the plain one first."""
    needed = [terms.require_confirmation and terms.confirmation == _PROOFS for terms in _terms(config)]
    plain = () if needed and all(needed) else (SCHEMES[BEARER],)
    return (*plain, DPOP_SCHEME) if "dpop" in _ways(config) else plain


def described(config: GateConfig) -> dict[str, Any]:
    """What the metadata of the resource says of bound tokens (RFC 9728 section 2); Any because it is JSON."""
    told: dict[str, Any] = {}
    if "mtls" in _ways(config):
        told["tls_client_certificate_bound_access_tokens"] = True
    if "dpop" in _ways(config):
        told["dpop_signing_alg_values_supported"] = sorted(PROOF_ALGORITHMS)
        told["dpop_bound_access_tokens_required"] = SCHEMES[BEARER] not in token_schemes(config)
    return told


def _ways(config: GateConfig) -> frozenset[str]:
    return frozenset(way for terms in _terms(config) for way in terms.confirmation)


def _terms(config: GateConfig) -> list[Terms]:
    return [issuer.terms for issuer in config.trusted_issuers]
