"""From a document as it was sent to its lines with their tax: taxability, exemption, sourcing, overrides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sandbox.avatax import errors
from sandbox.avatax.account import Company
from sandbox.avatax.addresses import Address, completed, ends
from sandbox.avatax.answers import Answers
from sandbox.avatax.domain.sourcing import Decision, Seller, decide
from sandbox.avatax.domain.table import NoRate, Table
from sandbox.avatax.domain.tax import LineTax, overridden, tax_line
from sandbox.avatax.request import DocumentRequest, LineRequest, Override

# A to R, as Avalara's list of entity use codes has them; there is no O.
USE_CODES = {
    "A": "FEDERAL GOV",
    "B": "STATE GOV",
    "C": "TRIBAL GOVERNMENT",
    "D": "FOREIGN DIPLOMAT",
    "E": "CHARITABLE/EXEMPT ORG",
    "F": "RELIGIOUS ORG",
    "G": "RESALE",
    "H": "AGRICULTURE",
    "I": "INDUSTRIAL PROD/MFG",
    "J": "DIRECT PAY",
    "K": "DIRECT MAIL",
    "L": "OTHER/CUSTOM",
    "M": "EDUCATIONAL ORG",
    "N": "LOCAL GOVERNMENT",
    "P": "COMMERCIAL AQUACULTURE",
    "Q": "COMMERCIAL FISHERY",
    "R": "NON-RESIDENT",
}


@dataclass(frozen=True, slots=True)
class CalculatedLine:
    """A line as it was sent, what decided its tax, and its tax."""

    request: LineRequest
    decision: Decision
    tax: LineTax
    day: date
    exempt: str  # why it is exempt, as `exemptNo` shows it; empty: it is not
    origin: Address
    destination: Address
    override: Override | None
    buyer_id: str | None


def category_of(code: str, company: Company, table: Table, answers: Answers) -> str:
    """The category of a tax code: the company's own, or the system's. Raises AvaTaxError, by the switch, else."""
    if code in company.tax_codes:
        return company.tax_codes[code]
    if code in table.tax_codes:
        return table.tax_codes[code].category
    if answers.unknown_tax_code == "goods":
        return "goods"
    why = f"The tax code {code} is neither the system's nor the company's."
    raise errors.tax_error("Invalid tax code.", why, "TaxCode")


def calculate(request: DocumentRequest, company: Company, table: Table, answers: Answers) -> list[CalculatedLine]:
    """All lines with their tax. Raises AvaTaxError where an address, a tax code or a day lets none be found."""
    lines = [_line(request, line, company, table, answers) for line in request.lines]
    whole = request.override
    if whole is not None and whole.amount is not None:
        lines = _with_tax(lines, [line.tax for line in lines], whole.amount, request.currency)
    return lines


def _line(
    request: DocumentRequest, line: LineRequest, company: Company, table: Table, answers: Answers
) -> CalculatedLine:
    addresses = line.addresses if line.addresses is not None else request.addresses
    from_role, to_role = ends(addresses, line.number)
    origin = completed(addresses[from_role], company, from_role, table)
    destination = completed(addresses[to_role], company, to_role, table)
    override = line.override or request.override
    day = override.day if override is not None and override.day is not None else request.day
    buyer_id = line.buyer_id or request.buyer_id
    seller = Seller(company.nexus, company.vat_ids, consumers_at_destination=answers.eu_consumers == "destination")
    category = category_of(line.tax_code, company, table, answers)
    decision = decide(table, seller, origin.where(), destination.where(), category, buyer_id)
    exempt = _exemption(request, line, company, destination)
    try:
        tax = tax_line(
            line.amount,
            category,
            decision,
            on=day,
            currency=request.currency,
            exempt=bool(exempt),
            included=line.included,
        )
    except NoRate as error:
        why = f"No rate is known: {error}."
        raise errors.tax_error("Unable to determine the taxing jurisdictions.", why, "TaxDate") from None
    found = CalculatedLine(line, decision, tax, day, exempt, origin, destination, override, buyer_id)
    if line.override is not None and line.override.amount is not None:
        return _with_tax([found], [tax], line.override.amount, request.currency)[0]
    return found


def _exemption(request: DocumentRequest, line: LineRequest, company: Company, destination: Address) -> str:
    """Why a sale in the US is exempt: a certificate first, then a number, then the buyer's kind."""
    if destination.country != "US":
        return ""
    if destination.region in company.exempt_customers.get(request.customer, frozenset()):
        return "Exempt"
    number = line.exemption_no or request.exemption_no
    if number:
        return number
    return "Exempt" if (line.use_code or request.use_code) in USE_CODES else ""


def _with_tax(
    lines: Sequence[CalculatedLine], taxes: Sequence[LineTax], amount: Decimal, currency: str
) -> list[CalculatedLine]:
    """The lines with another tax in sum. Raises AvaTaxError where no jurisdiction is there to bear it."""
    if amount and not any(tax.details for tax in taxes):
        raise errors.tax_error("Tax override cannot be applied.", "No jurisdiction taxes this sale.", "TaxOverride")
    bearing = [n for n, tax in enumerate(taxes) if tax.details]
    changed = overridden([taxes[n] for n in bearing], amount, currency)
    found = list(lines)
    for n, tax in zip(bearing, changed, strict=True):
        found[n] = replace(lines[n], tax=tax)
    return found
