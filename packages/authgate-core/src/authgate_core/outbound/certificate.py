"""A client that its TLS certificate proves (RFC 8705 section 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..clock import Instant
from ..errors import ConfigurationError
from ..io.http import ClientContext, client_context
from ..secret import Secret

__all__ = ["ClientCertificate"]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Who this service is to an issuer, proved by a certificate in the TLS handshake, so that no secret travels.

    Args:
        client_id: The client that this service is to the issuer.
        certificate: The file that holds the certificate, in PEM.
        key: The file that holds its key, in PEM; None where that is in the same file.
        password: What the key is encrypted with.
        authorities: The file that holds the authorities which vouch for the issuer; by default the machine's.
    """

    client_id: str
    certificate: str | os.PathLike[str]
    key: str | os.PathLike[str] | None = None
    password: Secret | str | None = field(default=None, repr=False)
    authorities: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.password, str):
            object.__setattr__(self, "password", Secret(self.password))

    def problems(self) -> Iterator[str]:
        """What is wrong with it, but for the files (Law 1.6)."""
        client_id: object = self.client_id
        if not isinstance(client_id, str) or not client_id.strip():
            yield "client: client_id is empty, or no text"

    def proof(
        self, _audience: str, _now: Instant, _nonce: str, /
    ) -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
        """The form says whom the handshake has proved (RFC 8705 section 2.1.2)."""
        return {"client_id": self.client_id}, ()

    def context(self) -> ClientContext:
        """What proves it in the handshake.

        Raises:
            ConfigurationError: If the files cannot be used.
        """
        password = self.password.reveal() if isinstance(self.password, Secret) else None
        try:
            return client_context(self.certificate, self.key, password, self.authorities)
        except OSError as error:  # what ssl raises is of this kind as well
            why = error.strerror or type(error).__name__
            raise ConfigurationError(f"certificate: cannot be used with its key: {why}") from None
