"""Whoever presents a bound token must hold the key that it is bound to (Law 3.15)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from ..clock import Instant
from ..credentials import BearerToken, DPoPToken
from ..effects import Flow, UseOnce
from ..errors import InvalidClaim, InvalidProof, ProofNonceRequired
from ..jose.compact import Limits
from ..jose.proof import Proof, read_proof
from ..possession import Confirmation, DPoP, Nonces, target
from ..principal import Principal
from ..replays import REMEMBERED_LONGER, once_name
from ..request import RequestView
from .signatures import Named

__all__ = ["Possession", "check_unbound", "show_possession"]


_NOTHING: Final = (None, 0.0)


@dataclass(frozen=True, slots=True)
class Possession:
    """What possession of a key is checked with.

    Args:
        gate: Tells this gate's entries in a request's memo from another's (Law 2.6).
        limits: Sizes (Law 2.4).
        dpop: What proofs are held against; None where no issuer binds tokens by them.
        nonces: The nonces that proofs must hold; None for none.
    """

    gate: int
    limits: Limits
    dpop: DPoP | None = None
    nonces: Nonces | None = None


def check_unbound(principal: Principal) -> None:
    """Refuse a bound token where there is no request in which possession could be shown.

    Raises:
        InvalidClaim: If the token is bound to a key.
    """
    if "cnf" in principal.claims:
        raise InvalidClaim(
            "cnf", "binds the token to a key, which only a request can show", issuer=principal.issuer
        )


def show_possession(
    principal: Principal,
    credential: BearerToken | DPoPToken,
    view: RequestView,
    possession: Possession,
    now: Instant,
) -> Flow[None]:
    """Check that whoever sent a request holds the keys that its token is bound to.

    Args:
        principal: Whom the token speaks of; it was verified.
        credential: How it was presented.
        view: The request.
        possession: What is checked with.
        now: The present moment.

    Raises:
        InvalidClaim: If the token is bound to a key that was not shown, or was presented as one that is and is not.
        InvalidProof: If the proof is not good for this request.
        ReplaysUnavailable: If nobody can say whether the proof was used before.
    """
    bound = Confirmation.of(principal.claims)
    with Named(principal.issuer):
        if bound.certificate is not None and bound.certificate != view.certificate_hash:
            raise InvalidClaim("cnf", "binds the token to another client certificate")
        if isinstance(credential, DPoPToken):
            yield from _check_proof(credential, bound.jkt, view, possession, now)
        elif bound.jkt is not None:
            # RFC 9449 section 7.2: or whoever stole a bound token would present it like any other.
            raise InvalidClaim("cnf", "binds the token to a key, and no proof goes with it")


def _check_proof(
    credential: DPoPToken, jkt: str | None, view: RequestView, possession: Possession, now: Instant
) -> Flow[None]:
    dpop = possession.dpop
    if jkt is None:
        raise InvalidClaim("cnf", "is missing, and the token was presented with a proof")
    if dpop is None or credential.proof is None:
        raise InvalidProof("no proof goes with the token")
    memo, asked = view.memo, (possession.gate, view.method, view.target)
    if memo is not None and memo.proofs.get(asked, _NOTHING)[0] == credential:
        return  # this very request has shown it: to an earlier guard, or before its socket was asked about again
    proof = read_proof(credential.proof.reveal(), possession.limits)
    _check(proof, credential, view, dpop, now)
    if proof.jkt != jkt:
        raise InvalidProof("the proof was made with another key than the token is bound to")
    _check_nonce(proof, possession.nonces, now)
    rest = proof.issued_at + dpop.window - now.wall
    if not (yield from UseOnce(once_name("dpop", proof.jkt, proof.jti), rest + REMEMBERED_LONGER)):
        raise InvalidProof("the proof was used before")
    if memo is not None:
        memo.proofs[asked] = (credential, now.mono)


def _check(proof: Proof, credential: DPoPToken, view: RequestView, dpop: DPoP, now: Instant) -> None:
    """Whether the proof is for this token, this request and this moment (RFC 9449 section 4.3, 8 to 12)."""
    if proof.method != view.method:
        raise InvalidProof("the proof is for another method")
    # RFC 9112 section 3.2: what begins otherwise would lengthen the host, and a fragment would shorten the path.
    is_path = view.target.startswith("/") and "#" not in view.target
    decodes = view.folds_names  # as WSGI does, by which a router sees no escapes
    asked = target(dpop.url.rstrip("/") + view.target, decodes=decodes) if is_path else None
    if asked is None or target(proof.url, decodes=decodes) != asked:
        raise InvalidProof(
            "the proof is for another URL; compare DPoP(url=...) with what clients call this API"
        )
    if abs(now.wall - proof.issued_at) > dpop.window:
        raise InvalidProof(f"the proof was made {now.wall - proof.issued_at:.0f} s ago; check the clocks")
    if proof.token_hash != urlsafe_b64encode(credential.value.digest()).rstrip(b"=").decode():
        raise InvalidProof("the proof goes with another token")


def _check_nonce(proof: Proof, nonces: Nonces | None, now: Instant) -> None:
    if nonces is not None and (proof.nonce is None or not nonces.knows(proof.nonce, now)):
        raise ProofNonceRequired(nonces.make(now))
