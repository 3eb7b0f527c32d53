"""How a client shows that it holds the key its token is bound to, as it is configured and checked (Law 3.15)."""

from .confirmation import CONFIRMATIONS, Confirmation
from .dpop import DPoP
from .nonces import Nonces
from .targets import target

__all__ = ["CONFIRMATIONS", "Confirmation", "DPoP", "Nonces", "target"]
