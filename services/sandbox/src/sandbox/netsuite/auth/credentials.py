"""Who is let in: mappings of certificates and tokens, as an administrator sets them up. None stands in the code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from chassis.errors import WrongSetting
from event_schemas.sentences import sentence

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
_RSA_BITS = (3072, 4096)
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_PSS = ("PS256", "PS384", "PS512")


def read_public_key(pem: str) -> tuple[PublicKey, datetime | None]:
    """
    The public key of a PEM certificate, or of a PEM public key, and when the certificate ends.

    Raises:
        ValueError: it cannot be read, or is of a kind or length that NetSuite does not take.
    """
    ends = None
    if "BEGIN CERTIFICATE" in pem:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key, ends = certificate.public_key(), certificate.not_valid_after_utc
    else:
        key = load_pem_public_key(pem.encode())  # type: ignore[assignment]  # narrowed below
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size not in _RSA_BITS:
            raise ValueError(f"an RSA key has 3072 or 4096 bits, not {key.key_size}")
        return key, ends
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key, ends
    raise ValueError("a certificate has an RSA key, or an EC key on P-256, P-384 or P-521")


def algorithms(key: PublicKey) -> tuple[str, ...]:
    """The signatures that a key may make; RS256 is none."""
    return _PSS if isinstance(key, rsa.RSAPublicKey) else (_CURVES[key.curve.name],)


def _readable(pem: str) -> str:
    read_public_key(pem)
    return pem


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Role(_Strict):
    """What its holder may do. `records` are the record types it reaches; none: all."""

    name: str = "Integration"
    level: Literal["full", "view"] = "full"
    records: tuple[str, ...] | None = None

    def may(self, record: str, *, write: bool) -> bool:
        """Whether it may read, or write, records of a type."""
        return (self.level == "full" or not write) and (self.records is None or record in self.records)


class Certificate(_Strict):
    """A mapping of certificate, integration, entity and role (OAuth 2.0 Client Credentials Setup)."""

    id: str = Field(min_length=1, max_length=200)  # the `kid`
    client_id: str = Field(min_length=1, max_length=200)
    public_key: Annotated[str, AfterValidator(_readable)]
    entity: str = "Integration user"
    role: Role = Role()
    revoked: bool = False

    def key(self, at: datetime | None = None) -> PublicKey | None:
        """Its key, None where the mapping is revoked or the certificate has ended (by real time)."""
        key, ends = read_public_key(self.public_key)
        ended = ends is not None and ends < (at or datetime.now(UTC))
        return None if self.revoked or ended else key


class Token(_Strict):
    """A token of token-based authentication with its integration's consumer key."""

    consumer_key: str = Field(min_length=1, max_length=200)
    consumer_secret: str = Field(min_length=16, max_length=200, repr=False)
    token: str = Field(min_length=1, max_length=200)
    token_secret: str = Field(min_length=16, max_length=200, repr=False)
    entity: str = "Integration user"
    role: Role = Role()
    revoked: bool = False


class Credentials(_Strict):
    """All that is set up."""

    certificates: tuple[Certificate, ...] = ()
    tokens: tuple[Token, ...] = ()

    def certificate(self, id_: str) -> Certificate | None:
        """The mapping of a certificate id."""
        return next((one for one in self.certificates if one.id == id_), None)

    def token(self, consumer_key: str, token: str) -> Token | None:
        """The token of an integration."""
        found = (one for one in self.tokens if (one.consumer_key, one.token) == (consumer_key, token))
        return next((one for one in found if not one.revoked), None)

    def with_more(self, other: Credentials) -> Credentials:
        """These and others, which win where they name the same certificate or token."""
        certificates = {one.id: one for one in (*self.certificates, *other.certificates)}
        tokens = {(one.consumer_key, one.token): one for one in (*self.tokens, *other.tokens)}
        return Credentials(certificates=tuple(certificates.values()), tokens=tuple(tokens.values()))


def read_credentials(file: str | None) -> Credentials:
    """
    What a JSON file sets up; nothing where none is named.

    Raises:
        WrongSetting: it cannot be read, or is not sound; without its values.
    """
    if file is None:
        return Credentials()
    try:
        return Credentials.model_validate_json(Path(file).read_text())
    except (OSError, UnicodeDecodeError):
        raise WrongSetting(f"NETSUITE_CREDENTIALS_FILE: {file} is not a file that this process can read") from None
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        name = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise WrongSetting(f"NETSUITE_CREDENTIALS_FILE: {sentence(fault, name=name, missing='is missing')}") from None
