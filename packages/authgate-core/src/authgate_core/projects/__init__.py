"""Projects that a service knows by itself: app ids and hashed secrets in a mapping or a file (Law 6.1)."""

from .hashes import SALT_BYTES, Hasher, SecretHash, secret_digest, secret_problem
from .static import StaticProjects

__all__ = [
    "SALT_BYTES",
    "Hasher",
    "SecretHash",
    "StaticProjects",
    "secret_digest",
    "secret_problem",
]
