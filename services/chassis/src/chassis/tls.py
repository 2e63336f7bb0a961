"""Whom a client of ours trusts and what it shows of itself; the refusals of TLS as sentences that name the setting."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from chassis.errors import WrongSetting

# OpenSSL's numbers, from its x509_vfy.h
_ANOTHER_NAME = (62, 64)  # the host's name, the host's address
_EXPIRED, _NOT_YET = 10, 9


@dataclass(frozen=True, slots=True)
class Trust:
    """
    TLS with both the certificate and the name of the other side verified; there is no weaker kind.

    The fields `*_setting` are what a person calls the files, for sentences.
    """

    ca_file: str | None = None  # PEM; None: the authorities that this machine trusts
    cert_file: str | None = None  # PEM, the client's own, for servers that ask for one
    key_file: str | None = None  # PEM; None: the key stands in cert_file
    ca_setting: str = "the CA file"
    cert_setting: str = "the certificate file"
    key_setting: str = "the key file"

    def context(self) -> ssl.SSLContext:
        """
        A context made of the files as they are now: TLS 1.2 and above.

        Raises:
            WrongSetting: a file is missing, unreadable or holds something else.
        """
        if self.key_file and not self.cert_file:
            raise WrongSetting(f"{self.key_setting} is set and {self.cert_setting} is not: set both or neither")
        for name, file in self._files():
            _must_be_readable(name, file)
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except ssl.SSLError:
            raise WrongSetting(f"{self.ca_setting}: {self.ca_file} holds no certificate in PEM form") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file:
            try:
                context.load_cert_chain(self.cert_file, self.key_file, password=_no_password)
            except (ssl.SSLError, OSError, _Locked):
                raise WrongSetting(
                    f"{self.cert_setting} and {self.key_setting} are not a certificate and its key, in PEM form and "
                    f"without a password: {self.cert_file}, {self.key_file or 'no key file'}"
                ) from None
        return context

    def _files(self) -> list[tuple[str, str]]:
        named = [
            (self.ca_setting, self.ca_file),
            (self.cert_setting, self.cert_file),
            (self.key_setting, self.key_file),
        ]
        return [(name, file) for name, file in named if file]

    def why_not(self, error: ssl.SSLError, who: str, *, address_setting: str) -> str:
        """A sentence about a handshake with `who` that this side or the other one has broken off."""
        if not isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"{who} broke off the TLS handshake: look at {self.cert_setting} and {self.key_setting} "
                "if it asks for a client certificate, and at the TLS versions that it takes"
            )
        certificate = f"the certificate of {who}"
        if error.verify_code in _ANOTHER_NAME:
            return f"{certificate} is made out to another name: {address_setting} must use a name that stands in it"
        if error.verify_code == _EXPIRED:
            return f"{certificate} has expired: it must be renewed there"
        if error.verify_code == _NOT_YET:
            return f"{certificate} is not valid yet: look at the clocks of both machines"
        if self.ca_file:
            return f"{certificate} is signed by none of the authorities in {self.ca_setting} ({self.ca_file})"
        return f"{certificate} is signed by no authority that this machine trusts: name its own in {self.ca_setting}"


class _Locked(Exception):
    """A key that asks for a password."""


def _no_password() -> str:
    raise _Locked


def _must_be_readable(name: str, file: str) -> None:
    try:
        with Path(file).open("rb"):
            return
    except OSError:
        raise WrongSetting(f"{name}: {file} is not a file that this process can read") from None
