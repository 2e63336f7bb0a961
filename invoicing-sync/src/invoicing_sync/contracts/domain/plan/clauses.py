"""
Each clause of a contract of version 2: how it stands at Stripe, why, and what is compared. The README shows this table.

`way` is what the plan does with it; `billed` whether invoices are made by it today.
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
        ("`billing_cycle_anchor`; of one that lies behind the running month's end, its start backdated"),
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
        ("made as one that sends; `collection_method` and `days_until_due` after its drafts are kept"),
        "decision 0012",
        "the subscription, by the plan",
        True,
    ),
    Clause(
        "billing: corrections",
        Way.OURS,
        "nothing; a credit note's `refund_amount` or `credit_amount`, when there is one",
        "when a document is made, and of how much, is decided here",
        "the note line by line, and where its money went",
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
        Way.MIXED,
        (
            "an item with a quantity, at a monthly or yearly price named by its content; years that do not "
            "begin with the subscription's stand at price 0, explicit"
        ),
        "paid ahead, as here",
        "lines by product and quantity",
        True,
    ),
    Clause(
        "items: metered",
        Way.MIXED,
        (
            "an item at a price of its meter, where it is there from the anchor on; one that comes later, "
            "or in another's place, stands at price 0, explicit; what Stripe bills of an item that goes is "
            "taken back"
        ),
        ("Stripe tells two items apart by the instant of a call, the ledger by what was agreed"),
        "lines by meter, quantity and amount",
        True,
    ),
    Clause(
        "items: quantities, in mid-term",
        Way.MIXED,
        (
            "`create_prorations` with the agreed instant as `proration_date` for a term's first change of "
            "an item per unit in whole minor units; all others with `none`, explicit"
        ),
        (
            "credit and debit to the second, each rounded, are Stripe's rule and ours; after a first change "
            "Stripe counts from rounded amounts (A31)"
        ),
        "lines by product, quantity and amount",
        True,
    ),
    Clause(
        "items: quantities, with the term",
        Way.STRIPE,
        "told up to a day ahead with `none`; told too late, the difference is explicit",
        "the renewal then has it, and nothing is owed before",
        "lines by product and quantity",
        True,
    ),
    Clause(
        "items: price per_unit, graduated",
        Way.MIXED,
        "`per_unit`, or `tiered` and graduated; with flat fees price 0, explicit",
        (
            "the same tiers, a line for each (A20); no text says whether a flat fee is charged where "
            "nothing was used (A24)"
        ),
        "line by line",
        True,
    ),
    Clause(
        "items: price volume",
        Way.MIXED,
        "`tiered`, by volume; with flat fees price 0, explicit",
        "the tier that holds the total prices all",
        "the line",
        True,
    ),
    Clause(
        "items: price package",
        Way.MIXED,
        ("`transform_quantity` rounded up; with free units the item stands at price 0, and its amounts are explicit"),
        "Stripe's packages count from the first unit",
        "the line",
        True,
    ),
    Clause(
        "items: price flat, included",
        Way.MIXED,
        "a price of 0; a flat amount is explicit",
        "whether a flat fee is charged where nothing was used, no text says (A24)",
        "the line",
        True,
    ),
    Clause(
        "proration",
        Way.MIXED,
        ("`second` by Stripe; `day` and `none` with `none`, and the amounts by day as explicit items"),
        "Stripe prorates to the second only",
        "the lines",
        True,
    ),
    Clause(
        "discounts: on an item",
        Way.EXPLICIT,
        "what is taken off the item's lines as a negative explicit item",
        ("our discount is rounded once for all lines of an item, its prorations too, and counts finalised invoices"),
        "the item",
        True,
    ),
    Clause(
        "discounts: on the invoice",
        Way.EXPLICIT,
        "what is taken off, shared over the items, as negative explicit items",
        "no text says whether a percent is rounded on each line or once on their sum",
        "the items",
        True,
    ),
    Clause(
        "commitments",
        Way.EXPLICIT,
        ("the meter's item stands at price 0; commitment, overage and shortfall are explicit, ramps with them"),
        "Stripe has no commitment",
        "the items",
        True,
    ),
    Clause(
        "minimums", Way.EXPLICIT, "the gap as an explicit item", "Stripe has no minimum of a meter", "the item", True
    ),
    Clause(
        "allowances",
        Way.MIXED,
        ("a first tier at 0 where the item has one price for all units and lives as long; else price 0 and explicit"),
        "only then do order and time not matter",
        "line by line",
        True,
    ),
    Clause(
        "limits",
        Way.EXPLICIT,
        "the meter's item stands at price 0; what is charged is explicit",
        "Stripe counts what is above too",
        "the items",
        True,
    ),
    Clause(
        "prepaid",
        Way.EXPLICIT,
        "what is drawn down as a negative explicit item",
        "Stripe's credit grants are a preview and draw down in another order",
        "the item",
        True,
    ),
    Clause(
        "trial",
        Way.MIXED,
        "`trial_end` at the anchor; usage above the trial's allowances is explicit",
        "Stripe bills no usage of a trial",
        "the lines",
        True,
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
    Clause(
        "the end of the last item",
        Way.STRIPE,
        ("`cancel_at` the billing day after it, or that day; what is given back is explicit"),
        ("a subscription keeps one item at least, and its last invoice is one of a billing day"),
        "the last invoice",
        True,
    ),
    Clause(
        "prior periods",
        Way.EXPLICIT,
        "an item on the next invoice, or a credit note",
        "what is frozen at Stripe does not change",
        "the item by its key and amount, the note line by line",
        True,
    ),
)
