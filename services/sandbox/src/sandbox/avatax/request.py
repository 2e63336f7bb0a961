"""A CreateTransactionModel, read: what the stand-in calculates and records from."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.avatax import errors
from sandbox.avatax.addresses import ROLES, UNSUPPORTED_ROLES, Address, read_address
from sandbox.avatax.domain.currencies import CURRENCIES, fits, rounded
from sandbox.avatax.fields import Fields

CARRIED_OUT = ("SalesOrder", "SalesInvoice", "ReturnOrder", "ReturnInvoice")
_OTHERS = (
    "PurchaseOrder",
    "PurchaseInvoice",
    "InventoryTransferOrder",
    "InventoryTransferInvoice",
    "ReverseChargeOrder",
    "ReverseChargeInvoice",
    "CustomsInvoice",
    "CustomsOrder",
)
_OVERRIDES = ("None", "TaxAmount", "TaxDate")
_OTHER_OVERRIDES = (
    "Exemption",
    "AccruedTaxAmount",
    "DeriveTaxable",
    "OutOfHarbor",
    "TaxAmountByTaxType",
    "VendorChargedTax",
)
# Texts of the document that change no tax and come back as they were sent: (field, most characters)
TEXTS = (
    ("salespersonCode", 25),
    ("purchaseOrderNo", 50),
    ("referenceCode", 1024),
    ("reportingLocationCode", 50),
    ("description", 2048),
    ("email", 50),
    ("batchCode", 25),
)
LINE_TEXTS = (("itemCode", 50), ("revenueAccount", 50), ("ref1", 250), ("ref2", 250), ("description", 2096))
_HEADER_UNSUPPORTED = (
    "discount",
    "parameters",
    "userDefinedFields",
    "serviceMode",
    "posLaneCode",
    "isSellerImporterOfRecord",
    "debugLevel",
    "customerSupplierName",
    "dataSourceId",
    "deliveryTerms",
)
_LINE_UNSUPPORTED = (
    "discounted",
    "parameters",
    "userDefinedFields",
    "hsCode",
    "merchantSellerId",
    "merchantSellerIdentifier",
    "marketplaceLiabilityType",
    "originationDocumentId",
    "originationSite",
    "category",
    "summary",
)


@dataclass(frozen=True, slots=True)
class Override:
    """A tax override: another amount, or another day whose rates go."""

    type: str
    reason: str
    amount: Decimal | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One line as it was sent."""

    number: str
    quantity: Decimal
    amount: Decimal
    tax_code: str
    use_code: str | None
    exemption_no: str | None
    buyer_id: str | None
    included: bool
    addresses: dict[str, Address] | None
    override: Override | None
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """A document as it was sent."""

    code: str | None
    type: str
    company: str | None
    day: date
    customer: str
    commit: bool
    currency: str
    use_code: str | None
    exemption_no: str | None
    buyer_id: str | None
    exchange_rate: Decimal | None
    exchange_currency: str | None
    exchange_day: date | None
    addresses: dict[str, Address]
    lines: tuple[LineRequest, ...]
    override: Override | None
    texts: dict[str, str]


def read_document(fields: Fields, *, most_lines: int) -> DocumentRequest:
    """The whole document. Raises AvaTaxError at the first thing that is wrong with it."""
    type_ = fields.choice("type", CARRIED_OUT + _OTHERS, "DocumentType") or "SalesOrder"
    if type_ in _OTHERS:
        raise errors.unsupported(f"documents of the type {type_}")
    currency = (fields.text("currencyCode", most=3) or "USD").upper()
    if currency not in CURRENCIES:
        raise errors.malformed(fields.path("currencyCode"), currency, "CurrencyCode")
    day = fields.day("date", required=True)
    customer = fields.text("customerCode", required=True)
    assert day is not None
    assert customer is not None
    items = fields.items("lines")
    if not items:
        raise errors.state(400, "MissingLine", 311, "A transaction needs at least one line.", "The lines are empty.")
    if len(items) > most_lines:
        raise errors.tax_error(
            "MaxCount limit exceeded. Please use filters to limit the result set.",
            f"{most_lines} invoice lines is the current limit.",
            "Lines",
        )
    request = DocumentRequest(
        code=fields.text("code") or None,
        type=type_,
        company=fields.text("companyCode") or None,
        day=day,
        customer=customer,
        commit=fields.flag("commit") or False,
        currency=currency,
        use_code=_use_code(fields),
        exemption_no=fields.text("exemptionNo", most=25) or None,
        buyer_id=fields.text("businessIdentificationNo", most=25) or None,
        exchange_rate=fields.amount("exchangeRate"),
        exchange_currency=fields.text("exchangeRateCurrencyCode", most=3),
        exchange_day=fields.day("exchangeRateEffectiveDate"),
        addresses=_addresses(fields) or {},
        lines=tuple(_line(each, n, currency) for n, each in enumerate(items, 1)),
        override=_override(fields, currency),
        texts={name: text for name, most in TEXTS if (text := fields.text(name, most=most)) is not None},
    )
    fields.end(_HEADER_UNSUPPORTED)
    numbers = [line.number for line in request.lines]
    if len(set(numbers)) < len(numbers):
        why = "One or more line numbers are duplicates. All line numbers must be unique within the document."
        raise errors.tax_error("Duplicate line number", why, "LineNo")
    return request


def new_code() -> str:
    """The code of a document that was sent without one."""
    return str(uuid.uuid4())


def _use_code(fields: Fields) -> str | None:
    """`customerUsageType` is the old name of `entityUseCode`; which of two different ones holds is not known: V13."""
    new, old = fields.text("entityUseCode", most=25), fields.text("customerUsageType", most=25)
    if new and old and new != old:
        raise errors.unsupported("an entityUseCode and another customerUsageType at once")
    return new or old or None


def _line(fields: Fields, position: int, currency: str) -> LineRequest:
    amount = fields.amount("amount", required=True)
    assert amount is not None
    if not fits(amount, currency):
        raise errors.malformed(fields.path("amount"), amount, f"amount in {currency}")
    if fields.flag("discounted") is True:
        raise errors.unsupported(fields.path("discounted"))
    line = LineRequest(
        number=fields.text("number") or str(position),
        quantity=fields.amount("quantity") or Decimal(1),
        amount=rounded(amount, currency),
        tax_code=fields.text("taxCode", most=25) or "P0000000",
        use_code=_use_code(fields),
        exemption_no=fields.text("exemptionCode", most=25) or None,
        buyer_id=fields.text("businessIdentificationNo", most=25) or None,
        included=fields.flag("taxIncluded") or False,
        addresses=_addresses(fields),
        override=_override(fields, currency),
        texts={name: text for name, most in LINE_TEXTS if (text := fields.text(name, most=most)) is not None},
    )
    if line.quantity < 0:
        raise errors.malformed(fields.path("quantity"), line.quantity, "positive Decimal")
    fields.end(_LINE_UNSUPPORTED)
    return line


def _addresses(fields: Fields) -> dict[str, Address] | None:
    """By role; None where nothing was sent, so that a line takes its document's."""
    within = fields.nested("addresses")
    if within is None:
        return None
    found = {}
    for role in ROLES:
        each = within.nested(role)
        if each is not None:
            found[role] = read_address(each)
    within.end(UNSUPPORTED_ROLES)
    if "singleLocation" in found and len(found) > 1:
        raise errors.state(
            400,
            "AddressConflictException",
            301,
            "You specified both a 'SingleAddress' and a different address type on the element "
            f"'{fields.path('addresses')}'.",
            "When using SingleAddress mode, you may only provide one address element.",
        )
    return found


def _override(fields: Fields, currency: str) -> Override | None:
    within = fields.nested("taxOverride")
    if within is None:
        return None
    type_ = within.choice("type", _OVERRIDES + _OTHER_OVERRIDES, "TaxOverrideType", required=True)
    assert type_ is not None
    if type_ in _OTHER_OVERRIDES:
        raise errors.unsupported(f"a tax override of the type {type_}")
    reason = within.text("reason", most=255, required=type_ != "None") or ""
    amount = within.amount("taxAmount", required=type_ == "TaxAmount")
    day = within.day("taxDate", required=type_ == "TaxDate")
    within.end(("taxAmountByTaxTypes",))
    if amount is not None and not fits(amount, currency):
        raise errors.malformed(within.path("taxAmount"), amount, f"amount in {currency}")
    return None if type_ == "None" else Override(type_, reason, amount, day)
