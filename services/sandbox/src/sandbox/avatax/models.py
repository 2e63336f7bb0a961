"""
AvaTax's answers by field and type, as its SDKs publish them (generated from its OpenAPI document, 22.9 and 23).

Tests hold every answer against them: a field that AvaTax does not have, or one of another type, is a mistake of ours.
A type is S (text), N (number), B (true or false), or the name of a model, in brackets for a list of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any


def _model(**kinds: str) -> dict[str, str]:
    """Field to type, from type to the fields that have it."""
    return {field: kind for kind, fields in kinds.items() for field in fields.split()}


MODELS: dict[str, dict[str, str]] = {
    "Transaction": {
        **_model(
            S="""code date paymentDate status type batchCode currencyCode exchangeRateCurrencyCode customerUsageType
            entityUseCode customerVendorCode customerCode exemptNo locationCode reportingLocationCode purchaseOrderNo
            referenceCode salespersonCode taxOverrideType taxOverrideReason adjustmentReason adjustmentDescription
            region country softwareVersion exchangeRateEffectiveDate description email businessIdentificationNo
            modifiedDate taxDate customerSupplierName deliveryTerms apStatusCode apStatus""",
            N="""id companyId taxOverrideAmount totalAmount totalExempt totalDiscount totalTax totalTaxable
            totalTaxCalculated version originAddressId destinationAddressId exchangeRate modifiedUserId dataSourceId""",
            B="reconciled locked isSellerImporterOfRecord",
        ),
        "lines": "[Line]",
        "addresses": "[Address]",
        "summary": "[Summary]",
        "taxDetailsByTaxType": "[TaxType]",
        "messages": "[Message]",
        "invoiceMessages": "[InvoiceMessage]",
    },
    "Line": {
        **_model(
            S="""lineNumber customerUsageType entityUseCode description certificateId exemptNo itemCode ref1 ref2
            reportingDate revAccount sourcing taxCode taxDate taxEngine taxOverrideType businessIdentificationNo
            taxOverrideReason hsCode vatCode category summary""",
            N="""id transactionId boundaryOverrideId destinationAddressId originAddressId discountAmount discountTypeId
            exemptAmount exemptCertId lineAmount quantity tax taxableAmount taxCalculated taxCodeId taxOverrideAmount
            vatNumberTypeId""",
            B="isItemTaxable isSSTP taxIncluded",
        ),
        "details": "[Detail]",
    },
    "Detail": _model(
        S="""country region countyFIPS stateFIPS jurisCode jurisName signatureCode stateAssignedNo jurisType
        jurisdictionType nonTaxableType serCode sourcing taxType taxSubTypeId taxTypeGroupId taxName rateType
        rateTypeCode unitOfBasis liabilityType chargedTo vatCode""",
        N="""id transactionLineId transactionId addressId exemptAmount exemptReasonId jurisdictionId nonTaxableAmount
        nonTaxableRuleId rate rateRuleId rateSourceId tax taxableAmount taxAuthorityTypeId taxRegionId taxCalculated
        taxOverride taxableUnits nonTaxableUnits exemptUnits reportingTax reportingTaxCalculated""",
        B="inState isNonPassThru isFee",
    ),
    "Address": _model(
        S="boundaryLevel line1 line2 line3 city region postalCode country", N="id transactionId taxRegionId"
    ),
    "Summary": _model(
        S="""country region jurisType jurisCode jurisName stateAssignedNo taxType taxName taxGroup rateType
        rateTypeCode""",
        N="taxAuthorityType taxable rate tax taxCalculated nonTaxable exemption",
    ),
    "TaxType": _model(S="taxType", N="totalTaxable totalExempt totalNonTaxable totalTax"),
    "InvoiceMessage": {"content": "S", "lineNumbers": "[S]"},
    "Message": _model(S="summary details refersTo severity source"),
    "Ping": _model(
        S="version authenticationType authenticatedUserName crmid",
        N="authenticatedUserId authenticatedAccountId authenticatedCompanyId",
        B="authenticated",
    ),
    "Resolution": {
        "address": "SentAddress",
        "validatedAddresses": "[FoundAddress]",
        "coordinates": "Coordinates",
        "resolutionQuality": "S",
        "taxAuthorities": "[Authority]",
        "messages": "[Message]",
    },
    "SentAddress": _model(S="textCase line1 line2 line3 city region country postalCode", N="latitude longitude"),
    "FoundAddress": _model(S="addressType line1 line2 line3 city region country postalCode", N="latitude longitude"),
    "Coordinates": _model(N="latitude longitude"),
    "Authority": _model(S="avalaraId jurisdictionName jurisdictionType signatureCode"),
    "Transactions": {"@recordsetCount": "N", "value": "[Transaction]", "@nextLink": "S", "pageKey": "S"},
    "Failure": {"error": "Error"},
    "Error": {"code": "S", "message": "S", "target": "S", "details": "[ErrorDetail]"},
    "ErrorDetail": _model(S="code message description faultCode helpLink refersTo severity", N="number"),
}


def model_of(method: str, path: str, status: int) -> str | None:
    """Which model an answer must be of; `path` begins behind /api/v2. None: none is published here."""
    if status >= 400:
        return "Failure"
    if path.startswith("/utilities/ping"):
        return "Ping"
    if path.startswith("/addresses/"):
        return "Resolution"
    if path.endswith("/transactions") and method == "GET":
        return "Transactions"
    return "Transaction" if "/transactions/" in path else None


def violations(model: str, body: Any, where: str = "") -> Iterator[str]:
    """A sentence for each field that the model does not have, or has with another type."""
    if not isinstance(body, dict):
        yield f"{where or model} is no object"
        return
    for field, value in body.items():
        kind = MODELS[model].get(field)
        if kind is None:
            yield f"{model} has no field {field}"
        else:
            yield from _of_kind(kind, value, f"{model}.{field}")


def _of_kind(kind: str, value: Any, where: str) -> Iterator[str]:
    if kind.startswith("["):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for each in value:
            yield from _of_kind(kind[1:-1], each, where)
    elif kind in MODELS:
        yield from violations(kind, value, where)
    else:
        is_flag = isinstance(value, bool)
        fits = {"S": isinstance(value, str), "B": is_flag, "N": isinstance(value, (int, Decimal)) and not is_flag}
        if not fits[kind]:
            yield f"{where} is {value!r}, not of the kind {kind}"
