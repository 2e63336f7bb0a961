"""Contracts of any version: which one a document is, read or refused in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter, ValidationError

from event_schemas.contract_v2.contract import ContractV2
from event_schemas.contract_v2.flaws import ContractRefused, Flaw, flaws_of
from event_schemas.contracts import Contract


def _version(document: Any) -> str:
    """Version 1 says no `schema_version`."""
    if isinstance(document, Mapping):
        return str(document.get("schema_version", 1))
    return str(getattr(document, "schema_version", 1))


AnyContract = Annotated[Annotated[Contract, Tag("1")] | Annotated[ContractV2, Tag("2")], Discriminator(_version)]

_ANY: TypeAdapter[Contract | ContractV2] = TypeAdapter(AnyContract)


def stored(document: str | bytes) -> Contract | ContractV2:
    """
    A contract that was read and kept before, of either version, from its JSON.

    Raises:
        ValidationError: it is none.
    """
    return _ANY.validate_json(document)


def read_contract(document: Any) -> Contract | ContractV2:
    """
    A contract of either version from a document that a stranger wrote, as JSON or YAML gave it.

    Raises:
        ContractRefused: with all that is wrong, each by code, field and sentence.
    """
    if not isinstance(document, Mapping):
        raise ContractRefused([Flaw("wrong_type", "", "a contract is a group of named fields")])
    if _version(document) not in ("1", "2"):
        raise ContractRefused([Flaw("unknown_version", "schema_version", "there are contracts of version 1 and 2")])
    try:
        return _ANY.validate_python(document)
    except ValidationError as error:
        raise ContractRefused(flaws_of(error, document)) from None
