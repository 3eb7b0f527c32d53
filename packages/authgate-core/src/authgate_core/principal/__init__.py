"""Who was admitted: principals, the admission that holds them, and what names them."""

from .admission import Admission
from .identity import Principal, Project, Service, User, frozen
from .refs import PrincipalRef, ProjectRef, Revocation, RevocationKind, TokenRef

__all__ = [
    "Admission",
    "Principal",
    "PrincipalRef",
    "Project",
    "ProjectRef",
    "Revocation",
    "RevocationKind",
    "Service",
    "TokenRef",
    "User",
    "frozen",
]
