"""Settings by name, as an environment holds them: a configuration, or all that is wrong with it (Laws 1.6, 3.11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import authgate_core as ag

from ..target import hold

__all__ = ["probe", "seeds"]

_FILES: Final = "PROJECTS_FILE"
_SECRET: Final = "SIGNATURE_SHARED_SECRET"
_SPELLED: Final = "ssssssssssssssss"
_MERCURY: Final = (
    b"AUTHGATE_PROFILE=mercury\nREDIS_URL=redis://localhost:6379/0\nMERCURY_BASE_URL=https://mercury.test\n"
    b"SIGNATURE_SHARED_SECRET=ssssssssssssssssssssssssssssssss\nSERVICE_ID=orders\n"
    b"NEXUS_ID=0b6f6c1e-2f57-4b5b-9c4e-111111111111"
)


def probe(data: bytes) -> None:
    """Lines of ``NAME=value``; a name without ``=`` has no value."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    mapping = {name: value for name, _, value in (line.partition("=") for line in lines)}
    # What a file holds is tried by another target, and a fuzzer must not choose which file is read.
    mapping = {name: value for name, value in mapping.items() if _FILES not in name.upper()}
    try:
        config = ag.GateConfig.from_mapping(mapping)
        ag.Gate(config).close()
    except ag.ConfigurationError as error:
        hold("it says what is wrong", kept=bool(error.problems) and all(error.problems))
        shown = {name: value for name, value in mapping.items() if name != _SECRET}
        hold("it shows no secret", kept=_SPELLED not in str(error) or _SPELLED in str(shown))


def seeds() -> Iterator[bytes]:
    """Settings that are right, and nearly so."""
    yield b"AUTHGATE_ISSUER=https://id.test\nAUTHGATE_AUDIENCE=api"
    yield b"AUTHGATE_ISSUER=https://id.test\nAUTHGATE_AUDIENCE=a,b\nAUTHGATE_JWKS_URL=http://id.test/keys"
    yield b"AUTHGATE_ISSUER=https://id.test\nAUTHGATE_AUDIENCE=ANY_AUDIENCE\nAUTHGATE_LEEWAY=1e9\nAUTHGATE_ROLES=a..b"
    yield b"AUTHGATE_ISSUER=https://u:p@id.test:99999\nAUTHGATE_ALGORITHMS=RS256,none\nAUTHGATE_SERVICE_CLAIM=gty=x"
    yield b"AUTHGATE_REVOCATION=memory\nAUTHGATE_VERIFIED_TOKENS=-1\nAUTHGATE_SHADOW=maybe\nAUTHGATE_ISSEUR=x"
    yield b"AUTHGATE_REDIS_URL=redis://:p@localhost/0?db=1\nAUTHGATE_REDIS_ON_ERROR=allow\nAUTHGATE_ISSUER=x"
    yield b"AUTHGATE_ISSUER=https://id.test\nAUTHGATE_AUDIENCE=api\nAUTHGATE_REDIS_URL=rediss://[::1]:6379/1"
    yield _MERCURY
    yield _MERCURY + b"\nAUTHGATE_TENANTS=*\nAUTHGATE_ALLOW_HTTP=1\nAUTHGATE_LEEWAY=1"
