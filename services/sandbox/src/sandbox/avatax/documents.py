"""The TransactionModel: a calculated document as answers show it, and the sums that hold of every one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.avatax.addresses import Address
from sandbox.avatax.calculation import CalculatedLine
from sandbox.avatax.domain.currencies import rounded
from sandbox.avatax.domain.tax import Detail
from sandbox.avatax.request import TEXTS, DocumentRequest
from sandbox.avatax.summaries import summary_of

Body = dict[str, Any]
VERSION = "26.10.0"
_SHORT = {"Country": "CNT", "State": "STA", "County": "CTY", "City": "CIT", "Special": "STJ"}


def document(
    request: DocumentRequest, lines: Sequence[CalculatedLine], *, code: str, company_id: int, zero_rated_exempt: bool
) -> Body:
    """A document without its identity (id, status, version), which the life cycle gives it."""
    addresses = _addresses(lines)
    shown = [_line(line, request, addresses, zero_rated_exempt=zero_rated_exempt) for line in lines]
    first, override = lines[0], request.override
    day = request.day.isoformat()
    body: Body = {
        "code": code,
        "companyId": company_id,
        "date": day,
        "type": request.type,
        "currencyCode": request.currency,
        "exchangeRateCurrencyCode": request.exchange_currency or request.currency,
        "customerUsageType": request.use_code or "",
        "entityUseCode": request.use_code or "",
        "customerVendorCode": request.customer,
        "customerCode": request.customer,
        "exemptNo": request.exemption_no or "",
        "reconciled": False,
        **{name: request.texts.get(name, "") for name, _ in TEXTS},
        "locationCode": request.texts.get("reportingLocationCode", ""),
        "taxOverrideType": override.type if override else "None",
        "taxOverrideAmount": (override.amount if override else None) or rounded(Decimal(0), request.currency),
        "taxOverrideReason": override.reason if override else "",
        "adjustmentReason": "NotAdjusted",
        "adjustmentDescription": "",
        "locked": False,
        "region": first.destination.region,
        "country": first.destination.country,
        "exchangeRateEffectiveDate": (request.exchange_day or request.day).isoformat(),
        "exchangeRate": request.exchange_rate or Decimal(1),
        "businessIdentificationNo": request.buyer_id or "",
        "taxDate": ((override.day if override else None) or request.day).isoformat(),
        "lines": shown,
        "addresses": [_address(each) for each in addresses],
        "invoiceMessages": invoice_messages(lines),
    }
    return with_sums(body)


def with_sums(body: Body) -> Body:
    """
    The document with the totals and the summary that its lines come to.

    Holds afterwards: totalAmount = totalTaxable + totalExempt; totalTax is the sum of the lines' taxes, and where a
    line has details, of theirs.
    """
    lines, zero = body["lines"], rounded(Decimal(0), body["currencyCode"])

    def total(name: str) -> Decimal:
        return sum((line[name] for line in lines), zero)

    sums = {
        "totalAmount": total("lineAmount"),
        "totalExempt": total("exemptAmount"),
        "totalDiscount": zero,
        "totalTax": total("tax"),
        "totalTaxable": total("taxableAmount"),
        "totalTaxCalculated": total("taxCalculated"),
    }
    assert sums["totalAmount"] == sums["totalTaxable"] + sums["totalExempt"]
    assert all(line["tax"] == sum(detail["tax"] for detail in line["details"]) for line in lines if line["details"])
    return {**body, **sums, "summary": summary_of(lines)}


def with_identity(body: Body, *, id_: int, status: str, version: int, now: datetime) -> Body:
    """The document with its ids: those of lines and details follow from the document's."""
    lines, number = [], id_ * 100_000
    for line in body["lines"]:
        number += 1
        line_id, details = number, []
        for detail in line["details"]:
            number += 1
            details.append({**detail, "id": number, "transactionLineId": line_id, "transactionId": id_})
        lines.append({**line, "id": line_id, "transactionId": id_, "details": details})
    addresses = [{**each, "id": n, "transactionId": id_} for n, each in enumerate(body["addresses"], 1)]
    identity = {"id": id_, "status": status, "version": version, "modifiedDate": stamp(now), "modifiedUserId": 1}
    made = {**body, **identity, "softwareVersion": VERSION, "lines": lines, "addresses": addresses}
    return {**made, "originAddressId": addresses[0]["id"], "destinationAddressId": addresses[-1]["id"]}


def stamp(now: datetime) -> str:
    """An instant as AvaTax writes it: UTC, to the millisecond, without a letter for it."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}"


def invoice_messages(lines: Sequence[CalculatedLine]) -> list[Body]:
    """The texts that the law wants on the invoice, each with the lines that it is about."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.decision.message is not None:
            found.setdefault(line.decision.message, []).append(line.request.number)
    return [{"content": content, "lineNumbers": numbers} for content, numbers in found.items()]


def _addresses(lines: Sequence[CalculatedLine]) -> list[Address]:
    return list(dict.fromkeys(address for line in lines for address in (line.origin, line.destination)))


def _address(address: Address) -> Body:
    return {
        "boundaryLevel": "Zip5" if address.postal else "Address",
        "line1": address.line1,
        "line2": address.line2,
        "line3": address.line3,
        "city": address.city,
        "region": address.region,
        "postalCode": address.postal,
        "country": address.country,
        "taxRegionId": 0,
    }


def _line(line: CalculatedLine, request: DocumentRequest, addresses: list[Address], *, zero_rated_exempt: bool) -> Body:
    sent, tax = line.request, line.tax
    as_exempt = zero_rated_exempt and line.decision.basis == "zero_rated"
    zero = rounded(Decimal(0), request.currency)
    override = line.override
    by_amount = override is not None and override.amount is not None
    return {
        "lineNumber": sent.number,
        "boundaryOverrideId": 0,
        "customerUsageType": sent.use_code or request.use_code or "",
        "entityUseCode": sent.use_code or request.use_code or "",
        "description": sent.texts.get("description", ""),
        "originAddressId": addresses.index(line.origin) + 1,
        "destinationAddressId": addresses.index(line.destination) + 1,
        "discountAmount": zero,
        "discountTypeId": 0,
        "exemptAmount": tax.amount if as_exempt else tax.exempt,
        "exemptCertId": 0,
        "exemptNo": line.exempt,
        "isItemTaxable": tax.item_taxable,
        "isSSTP": False,
        "itemCode": sent.texts.get("itemCode", ""),
        "lineAmount": tax.amount,
        "quantity": sent.quantity,
        "ref1": sent.texts.get("ref1", ""),
        "ref2": sent.texts.get("ref2", ""),
        "reportingDate": request.day.isoformat(),
        "revAccount": sent.texts.get("revenueAccount", ""),
        "sourcing": line.decision.sourcing,
        "tax": tax.tax,
        "taxableAmount": zero if as_exempt else tax.taxable,
        "taxCalculated": tax.calculated,
        "taxCode": sent.tax_code,
        "taxDate": line.day.isoformat(),
        "taxEngine": "",
        "taxOverrideType": override.type if override else "None",
        "taxOverrideAmount": tax.tax if by_amount else zero,
        "taxOverrideReason": override.reason if override else "",
        "taxIncluded": sent.included,
        "businessIdentificationNo": line.buyer_id or "",
        "vatCode": "",
        "vatNumberTypeId": 1 if line.buyer_id else 0,
        "details": [_detail(each, as_exempt=as_exempt, by_amount=by_amount, zero=zero) for each in tax.details],
    }


def _detail(detail: Detail, *, as_exempt: bool, by_amount: bool, zero: Decimal) -> Body:
    jurisdiction = detail.jurisdiction
    rate_type = "Z" if detail.rate == 0 and jurisdiction.tax_type == "Output" else "G"
    taxable, exempt = (zero, detail.taxable) if as_exempt else (detail.taxable, detail.exempt)
    return {
        "addressId": 0,
        "country": jurisdiction.country,
        "region": jurisdiction.region or jurisdiction.country,
        "stateFIPS": jurisdiction.code if jurisdiction.type == "State" else "",
        "exemptAmount": exempt,
        "inState": False,
        "jurisCode": jurisdiction.code,
        "jurisName": jurisdiction.name,
        "signatureCode": "",
        "stateAssignedNo": "",
        "jurisType": _SHORT[jurisdiction.type],
        "jurisdictionType": jurisdiction.type,
        "nonTaxableAmount": detail.non_taxable,
        "rate": detail.rate,
        "sourcing": detail.sourcing,
        "tax": detail.tax,
        "taxableAmount": taxable,
        "taxType": jurisdiction.tax_type,
        "taxSubTypeId": "S",
        "taxTypeGroupId": "InputAndOutput" if jurisdiction.tax_type == "Output" else "SalesAndUse",
        "taxName": jurisdiction.tax_name,
        "taxAuthorityTypeId": 45,
        "taxCalculated": detail.calculated,
        "taxOverride": detail.tax if by_amount else zero,
        "rateType": "ZeroRated" if rate_type == "Z" else "General",
        "rateTypeCode": rate_type,
        "unitOfBasis": "PerCurrencyUnit",
        "isNonPassThru": False,
        "isFee": False,
        "liabilityType": "Seller",
        "chargedTo": "Buyer",
    }
