"""The file of whole contracts that `settled contracts apply` reads."""

from __future__ import annotations

from pydantic import Field, field_validator

from event_schemas.contract_v2.contract import ContractV2
from event_schemas.contract_v2.reading import AnyContract
from event_schemas.contracts import Agreed, Contract


class ContractFile(Agreed):
    """
    Contracts of either version, of a customer each.

    Stricter than what is read from the bus, where contracts of earlier versions still lie: every contract needs an
    address for its invoices, also one that is charged, since at Stripe each subscription begins as one that sends.
    """

    contracts: tuple[AnyContract, ...] = Field(min_length=1)

    @field_validator("contracts")
    @classmethod
    def _have_addresses(cls, contracts: tuple[Contract | ContractV2, ...]) -> tuple[Contract | ContractV2, ...]:
        for place, contract in enumerate(contracts):
            if (where := _without_address(contract)) is not None:
                raise ValueError(f"contracts.{place}.{where}: say to which e-mail address its invoices go")
        return contracts

    @field_validator("contracts")
    @classmethod
    def _one_of_each(cls, contracts: tuple[Contract | ContractV2, ...]) -> tuple[Contract | ContractV2, ...]:
        names = [contract.customer for contract in contracts]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise ValueError(f"contracts.{place}.customer: stands twice; write the newest revision alone")
        return contracts


def _without_address(contract: Contract | ContractV2) -> str | None:
    """The field in which an address is missing; None where there is one at any time."""
    if isinstance(contract, Contract):
        return "billing_email" if contract.billing_email is None else None
    for place, entry in enumerate(contract.billing):
        if entry.withdrawn_in is None and entry.billing_email is None:
            return f"billing.{place}.billing_email"
    return None
