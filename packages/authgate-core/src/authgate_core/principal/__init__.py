"""Who was admitted: principals, the admission that holds them, and what names them."""

from .admission import Admission
from .claims import MISSING, ClaimPath, Missing, as_path, claim_path, resolve
from .identity import Principal, Project, Service, User, frozen
from .refs import PrincipalRef, ProjectRef, Revocation, RevocationKind, TokenRef

__all__ = [
    "MISSING",
    "Admission",
    "ClaimPath",
    "Missing",
    "Principal",
    "PrincipalRef",
    "Project",
    "ProjectRef",
    "Revocation",
    "RevocationKind",
    "Service",
    "TokenRef",
    "User",
    "as_path",
    "claim_path",
    "frozen",
    "resolve",
]
