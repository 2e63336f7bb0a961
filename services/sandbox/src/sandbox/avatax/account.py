"""The account as its file says: credentials, services, companies with their tax profiles. Keys are never in code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, model_validator

from chassis.errors import WrongSetting
from sandbox.avatax.rates_file import read_table

Code = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Category = Literal["goods", "digital", "service", "cloud", "software_service", "nontaxable"]
Service = Literal["AvaTaxPro", "AutoAddress", "Mrs"]


class Strict(BaseModel):
    """What is not known is refused: a slip in a tax profile would be a wrong tax."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Location(Strict):
    """An address that requests name by its code."""

    line1: str = ""
    city: str = ""
    region: str = ""
    country: str = Field(pattern=r"^[A-Z]{2}$")
    postal_code: str = ""


class Company(Strict):
    """One legal entity. `nexus` names jurisdictions of the table, such as US-NY or DE."""

    code: Code
    name: str = ""
    default: bool = False
    nexus: frozenset[str] = frozenset()
    vat_ids: dict[str, str] = {}
    tax_codes: dict[Code, Category] = {}  # its own codes, beside the system's
    locations: dict[Code, Location] = {}
    exempt_customers: dict[str, frozenset[str]] = {}  # certificates: customer code, and the US states they cover
    managed_returns: bool = False  # Avalara files: documents are locked after the 10th
    sst: bool = False  # a Streamlined Sales Tax volunteer: V14

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = read_table().nexus_codes()
        if unknown := sorted(self.nexus - known):
            raise ValueError(f"nexus names {', '.join(unknown)}, which the table of jurisdictions does not have")
        return self


class Account(Strict):
    """What one process stands in for."""

    account_id: Annotated[str, StringConstraints(pattern=r"^\d{1,19}$")]
    license_keys: tuple[SecretStr, ...] = Field(min_length=1)
    bearer_tokens: tuple[SecretStr, ...] = ()
    services: frozenset[Service] = frozenset({"AvaTaxPro", "AutoAddress", "Mrs"})
    companies: tuple[Company, ...] = ()

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        codes = [company.code for company in self.companies]
        if len(set(codes)) < len(codes):
            raise ValueError("two companies have one code")
        if sum(company.default for company in self.companies) > 1:
            raise ValueError("more than one company is the default")
        return self


def read_account(file: str) -> Account:
    """The account's file (YAML). Raises WrongSetting, without a value of it, where it is missing or wrong."""
    try:
        raw: Any = yaml.safe_load(Path(file).read_text())
        return Account.model_validate(raw)
    except OSError as error:
        raise WrongSetting(f"AVATAX_ACCOUNT_FILE cannot be read: {error.strerror}") from None
    except yaml.YAMLError:
        raise WrongSetting("AVATAX_ACCOUNT_FILE is no YAML") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise WrongSetting(f"AVATAX_ACCOUNT_FILE, {where}: {first['msg']}") from None
