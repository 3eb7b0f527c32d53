"""Who knows the projects: a mapping or a file with hashed secrets, or Mercury, as specifications (Law 6.1)."""

from .hashes import SALT_BYTES, Hasher, SecretHash, secret_digest, secret_problem
from .remote import RemoteProjects
from .static import StaticProjects

__all__ = [
    "SALT_BYTES",
    "Hasher",
    "RemoteProjects",
    "SecretHash",
    "StaticProjects",
    "secret_digest",
    "secret_problem",
]
