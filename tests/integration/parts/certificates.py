"""Keys and certificates that nobody has signed but themselves."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["Identity", "pem", "self_signed"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key.

    Args:
        certificate: The certificate, as PEM.
        key: The private key, as PEM.
    """

    certificate: str
    key: str

    def shown(self) -> ssl.SSLContext:
        """What a client shows it with, to a server on loopback that anybody may be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with tempfile.TemporaryDirectory() as place:
            both = Path(place) / "both.pem"
            both.write_text(self.key + self.certificate, "utf-8")
            context.load_cert_chain(both)
        return context


def self_signed(name: str) -> Identity:
    """A new certificate of 127.0.0.1, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return Identity(certificate.public_bytes(Encoding.PEM).decode(), pem(key))


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    """A private key in the form that everybody reads."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
