"""A certificate authority for tests: issues what a server or a client shows, of any name and age."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where a certificate lies, and its key: PEM, PKCS #8."""

    certificate: Path
    key: Path

    @property
    def chain(self) -> str:
        """Key and certificate in one text, as Kafka's PEM key stores want them."""
        return self.key.read_text() + self.certificate.read_text()


class Authority:
    """An authority under a folder; `file` is what a client must trust to take its certificates."""

    def __init__(self, folder: Path, name: str = "Settled test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        ca = x509.BasicConstraints(ca=True, path_length=0)
        made = self._draft(self._name, self._key, days=2).add_extension(ca, critical=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, hosts: Sequence[str] = (), days: int = 1) -> Certificate:
        """A certificate made out to a name and to hosts (names or addresses); negative `days`: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        draft = self._draft(_named(name), key, days=days)
        if hosts:
            draft = draft.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        issued = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        signed = draft.sign(self._key, hashes.SHA256())
        issued.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        issued.key.touch(mode=0o600)
        issued.key.write_bytes(key.private_bytes(*form))
        return issued

    def _draft(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        begin = now - _DAY + min(days, 0) * _DAY
        draft = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        return (
            draft.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(now + days * _DAY)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
