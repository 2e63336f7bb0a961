"""
The steps of an invoice, in order, each with the reason why it stands where it stands.

Every invoice, preview, correction and trial price goes through these and no others. Rule R10 of the golden file fixes
the order of line discounts, invoice discounts, prepaid credits, tax and customer credit; R7 puts the minimum after the
line discounts; the rest is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pricing.draft import Basis, Draft
from pricing.invoice.advance import advance
from pricing.invoice.allowance import allowance
from pricing.invoice.cap import cap
from pricing.invoice.commitment import commitment
from pricing.invoice.customer_credit import customer_credit
from pricing.invoice.invoice_discounts import invoice_discounts
from pricing.invoice.line_discounts import line_discounts
from pricing.invoice.metering import metering
from pricing.invoice.minimum import minimum
from pricing.invoice.payable import payable
from pricing.invoice.prepaid_credits import prepaid_credits
from pricing.invoice.prior_periods import prior_periods
from pricing.invoice.proration import proration
from pricing.invoice.rating import rating
from pricing.invoice.tax import tax


@dataclass(frozen=True, slots=True)
class Step:
    """One step and why it stands here."""

    run: Callable[[Basis, Draft], Draft]
    reason: str


STEPS: tuple[Step, ...] = (
    Step(advance, "what the coming term costs depends on nothing that was used, so it can stand first"),
    Step(metering, "units are counted item by item before any clause may touch them"),
    Step(cap, "a unit above a hard limit was never charged: it may use up neither an allowance nor a commitment"),
    Step(allowance, "what costs nothing is used before what was paid for, so that a commitment is not spent on it"),
    Step(commitment, "units paid for ahead are used before units are priced, and what is above them is overage"),
    Step(rating, "only now is it known how many units are left; tiers begin with the first of these"),
    Step(proration, "changes of seats, after usage as on the printed invoice; usage is never prorated"),
    Step(line_discounts, "on rounded lines, and on all lines of an item as one: they must all be there"),
    Step(minimum, "it compares with the item after its own discounts (R7): a discount does not lower a minimum"),
    Step(invoice_discounts, "on what is left of the whole invoice, a shortfall included (R6, R7)"),
    Step(prepaid_credits, "they pay what metered items come to in the end, and before tax (R10)"),
    Step(prior_periods, "priced, discounted and drawn on in their own period: no step above may touch them (R9)"),
    Step(tax, "on the net amount, which is whole now; prior periods bring the tax of their invoice (R11)"),
    Step(customer_credit, "it is money, not a price: it pays the total, tax included (R10)"),
    Step(payable, "a matter of the payment alone; the invoice's total does not change (R12)"),
)
