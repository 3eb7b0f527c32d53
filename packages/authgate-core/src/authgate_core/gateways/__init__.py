"""Gateways in front of a service: what each says of a caller, and what shows that it is the gateway that says so."""

from .signed import HttpSignatures
from .spec import Gateway

__all__ = ["Gateway", "HttpSignatures"]
