"""
Each clause of a contract of version 2: how it stands at Stripe, why, and what is compared. The README shows this table.

`way` is what the plan does with it; `billed` whether this service bills it today, by the contracts of version 1 that it
applies: all else is planned, shown, and not carried out yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """Where a clause's amounts come from."""

    STRIPE = "Stripe"  # an object or a parameter: Stripe computes
    EXPLICIT = "explicit"  # invoice items taken from the expected invoice
    MIXED = "either"  # as the last columns say
    OURS = "ours"  # Stripe is told nothing
    NOT_YET = "not yet"  # it would belong there, and no operation says it


@dataclass(frozen=True, slots=True)
class Clause:
    """`clause` is the field of the contract, with the case of it after a colon where there are several."""

    clause: str
    way: Way
    how: str
    why: str
    compared: str
    billed: bool = False


CLAUSES = (
    Clause(
        "customer",
        Way.STRIPE,
        "`metadata[customer]` of customer and subscription",
        "found again by it",
        "nothing",
        True,
    ),
    Clause(
        "currency", Way.STRIPE, "of each price and of the subscription", "never changes", "the invoice's currency", True
    ),
    Clause(
        "billing_anchor",
        Way.STRIPE,
        "`billing_cycle_anchor`; one that lies behind backdates the start to the running period",
        "months count alike",
        "the invoice's period",
        True,
    ),
    Clause(
        "billing: name, billing_email, stripe_customer",
        Way.STRIPE,
        "name and e-mail of the customer; a customer that is named is marked, not made",
        "Stripe sends invoices there",
        "name and e-mail, by the plan",
        True,
    ),
    Clause(
        "billing: collection_method, payment_terms_days",
        Way.STRIPE,
        "made as one that sends; `collection_method` and `days_until_due` after its drafts are kept",
        "decision 0012",
        "the subscription, by the plan; terms other than 30 days are planned only",
        True,
    ),
    Clause(
        "billing: issuer", Way.OURS, "nothing", "an issuer is an account of Stripe's, and a door has one", "nothing"
    ),
    Clause(
        "billing: tax_address, tax_ids, exemption, purchase_order",
        Way.NOT_YET,
        "fields of the customer and of its invoices",
        "they come with the tax door",
        "nothing",
    ),
    Clause(
        "policies, history, revision, schema_version, channel",
        Way.OURS,
        "nothing",
        "they decide what is charged, and say who agreed on it",
        "nothing",
        True,
    ),
    Clause(
        "items: licensed",
        Way.STRIPE,
        "an item with a quantity, at a monthly or yearly price named by its content",
        "paid ahead, as here",
        "lines by product and quantity; monthly ones per unit are billed today",
        True,
    ),
    Clause(
        "items: metered",
        Way.STRIPE,
        "an item at a price of its meter; where one ends and another begins, both in one call at that instant",
        "paid for what was used, as here; usage between the instant and the call is at the old price",
        "lines by meter, quantity and amount; two prices in one period are not billed yet",
        True,
    ),
    Clause(
        "items: quantities, in mid-term",
        Way.MIXED,
        "`create_prorations` with the agreed instant as `proration_date`; after the term's end, or agreed for an "
        "earlier instant than one that was told, `none` and explicit",
        "credit and debit to the second, each rounded, are Stripe's rule and ours",
        "not yet: a revision that changes a quantity is set aside",
    ),
    Clause(
        "items: quantities, with the term",
        Way.STRIPE,
        "told up to a day ahead with `none`",
        "the renewal then has it, and nothing is owed before",
        "not yet: a revision that changes a quantity is set aside",
    ),
    Clause(
        "items: price per_unit, graduated",
        Way.STRIPE,
        "`per_unit`, or `tiered` and graduated; flat fees as `flat_amount`",
        "the same tiers, a line for each (A20)",
        "line by line; flat fees are not billed yet",
        True,
    ),
    Clause(
        "items: price volume", Way.STRIPE, "`tiered`, by volume", "the tier that holds the total prices all", "not yet"
    ),
    Clause(
        "items: price package",
        Way.MIXED,
        "`transform_quantity` rounded up; with free units the item stands at price 0, and its amounts are explicit",
        "Stripe's packages count from the first unit",
        "not yet",
    ),
    Clause(
        "items: price flat, included",
        Way.STRIPE,
        "one tier with a flat fee; a price of 0",
        "whether a flat fee is charged where nothing was used, no text says",
        "not yet",
    ),
    Clause(
        "proration",
        Way.MIXED,
        "`second` by Stripe; `day` and `none` with `none`, and the amounts by day as explicit items",
        "Stripe prorates to the second only",
        "not yet",
    ),
    Clause(
        "discounts: on an item",
        Way.MIXED,
        "a coupon on the item for its billing days; explicit where the item has several lines and a percent, was "
        "prorated, has two discounts, or is counted by invoices",
        "our discount is rounded once for all lines of an item, its prorations too, and counts finalised invoices",
        "not yet",
    ),
    Clause(
        "discounts: on the invoice",
        Way.MIXED,
        "an amount as a coupon on the subscription; a percent explicit",
        "no text says whether a percent is rounded on each line or once on their sum",
        "not yet",
    ),
    Clause(
        "commitments",
        Way.EXPLICIT,
        "the meter's item stands at price 0; commitment, overage and shortfall are explicit, ramps with them",
        "Stripe has no commitment",
        "not yet",
    ),
    Clause("minimums", Way.EXPLICIT, "the gap as an explicit item", "Stripe has no minimum of a meter", "not yet"),
    Clause(
        "allowances",
        Way.MIXED,
        "a first tier at 0 where the item has one price for all units and lives as long; else price 0 and explicit",
        "only then do order and time not matter",
        "not yet",
    ),
    Clause(
        "limits",
        Way.EXPLICIT,
        "the meter's item stands at price 0; what is charged is explicit",
        "Stripe counts what is above too",
        "not yet",
    ),
    Clause(
        "prepaid",
        Way.EXPLICIT,
        "what is drawn down as a negative explicit item",
        "Stripe's credit grants are a preview and draw down in another order",
        "not yet",
    ),
    Clause(
        "trial",
        Way.MIXED,
        "`trial_end` at the anchor; usage above the trial's allowances is explicit",
        "Stripe bills no usage of a trial",
        "not yet",
    ),
    Clause("free_meters", Way.OURS, "nothing", "Stripe never hears of their usage", "nothing", True),
    Clause("alerts", Way.OURS, "nothing", "they are told from the ledger", "nothing"),
    Clause(
        "card_step",
        Way.NOT_YET,
        "nothing",
        "what is due differs from the total, and Stripe's step is not told",
        "nothing",
    ),
    Clause("the end of the last item", Way.STRIPE, "`cancel_at`", "a subscription keeps one item at least", "not yet"),
    Clause(
        "prior periods",
        Way.EXPLICIT,
        "an item on the next invoice, or a credit note",
        "what is frozen at Stripe does not change",
        "priced (`/v1/corrections/priced`), not issued",
    ),
)
