"""
What we assume of Stripe, as data: the README shows it word for word, cases name its numbers, a check runs through it.

A number is never given anew: an assumption that falls leaves its number empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

NO_TEXT = "no text: both answers handled"


@dataclass(frozen=True, slots=True)
class Assumption:
    """
    One thing that we rely on.

    `source` is the page of docs.stripe.com, the API reference, or NO_TEXT. `otherwise` says what this service does
    where Stripe does not keep to it. `switch` names the sandbox's switch for the other answer, if there is one.
    `clauses` are those of a contract of version 2 that rest on it, as `contracts/domain/plan/clauses.py` has them.
    """

    number: str
    says: str
    source: str
    otherwise: str
    switch: str | None = None
    clauses: tuple[str, ...] = ()


HELD = "the finalised invoice differs: it is neither sent nor charged, a case says the difference"
NO_COUPON = "nothing: no discount goes to Stripe as a coupon, all are explicit"
CHANGES, PRORATION = "items: quantities, in mid-term", "proration"
ON_ITEM, ON_INVOICE = "discounts: on an item", "discounts: on the invoice"

_ALL = (
    Assumption(
        "A1",
        "a draft's usage lines are those of the moment it was made, not current ones",
        NO_TEXT,
        "nothing: usage lines of a draft are never compared",
        "draft_usage",
    ),
    Assumption(
        "A2",
        "finalising brings usage lines up to date with all usage that the meter's summaries count",
        "billing/subscriptions/usage-based/configure-grace-period",
        HELD,
        "finalised_usage",
    ),
    Assumption(
        "A3",
        "with `pause_collection[behavior]=keep_as_draft` the subscription's invoices are made as drafts with "
        "`auto_advance` off, and stay so",
        "billing/subscriptions/pause-payment",
        "`auto_advance` is switched off as soon as the draft is known, as without `KEEP_DRAFTS`; one that was "
        "finalised before is a case, `finalised_outside_the_gate`",
        "kept_drafts",
    ),
    Assumption(
        "A4",
        "an invoice of a subscription that keeps its drafts can be finalised, and sent or paid, while it stays so",
        "billing/subscriptions/pause-payment",
        "Stripe refuses: the invoice is held at once, and its case has Stripe's sentence",
        "kept_collection",
    ),
    Assumption(
        "A5",
        "finalising with `auto_advance=false` numbers an invoice and neither sends nor charges it",
        "API reference, finalize an invoice",
        "an invoice that was paid before it was compared is a case, `collected_before_compared`; none is charged twice",
        "finalising",
    ),
    Assumption(
        "A6",
        "the first invoice of a subscription that sends its invoices is a draft for about an hour",
        "billing/subscriptions/overview; API reference, create a subscription",
        "an invoice that was finalised in the call is a case, `finalised_outside_the_gate`",
    ),
    Assumption(
        "A7",
        "`collection_method` of a draft, and of a subscription, can be changed at any time",
        "API reference, update an invoice, update a subscription",
        "Stripe refuses: the invoice is held, or the contract is a case, `contract_refused`; both have Stripe's "
        "sentence",
    ),
    Assumption(
        "A8",
        "a subscription or invoice that is sent needs a customer with an e-mail address",
        'Stripe\'s error message, "Missing email"',
        "nothing: a contract without an address is not applied, and its invoices are held",
    ),
    Assumption(
        "A9",
        "`POST /v1/invoices/{id}/send` mails a finalised invoice; a second call mails it again and does no more",
        "API reference, send an invoice",
        "nothing: it is called again only where Stripe's answer was a 5xx and no `invoice.sent` is known",
    ),
    Assumption(
        "A10",
        "`POST /v1/invoices/{id}/pay` charges an open invoice once, however often it is called",
        "API reference, pay an invoice",
        "nothing: the invoice is read before a call is repeated",
    ),
    Assumption(
        "A11",
        "`auto_advance=true` on an invoice that was sent, or whose payment failed, hands it to Stripe's reminders and "
        "retries, and neither sends nor charges it a second time",
        NO_TEXT,
        "a mail comes twice, or a failed card is tried at once; what is paid is not open and not charged again",
        "handed_over",
    ),
    Assumption(
        "A12",
        "an anchor ahead with `proration_behavior=none` bills nothing before the anchor",
        "billing/subscriptions/billing-cycle",
        "an invoice that is not expected is kept as a draft; where it was finalised it is a case",
    ),
    Assumption(
        "A13",
        "usage inside a period that arrives before its invoice is finalised is on that invoice, later usage on none",
        "billing/subscriptions/usage-based/configure-grace-period",
        HELD,
    ),
    Assumption(
        "A14",
        "a meter event's identifier is unique for at least 24 h",
        "billing/subscriptions/usage-based/recording-usage-api",
        "an unclear delivery is not sent again after `RESEND_HOURS`; a doubled one is a `drift`",
    ),
    Assumption(
        "A15",
        "a meter event is taken up to 35 days back and cancelled up to 24 h after it was received",
        "billing/subscriptions/usage-based/recording-usage-api",
        "Stripe refuses: the entry is a correction, or a negative event",
    ),
    Assumption(
        "A16",
        "each line is rounded by itself to the minor unit, half away from zero",
        "decimal amounts; its example, 1.5 to 2, leaves halves open",
        "the finalised invoice differs, by a licensed item its draft already: it is neither sent nor charged, a case "
        "says the difference",
        "half_units",
    ),
    Assumption(
        "A17",
        "a negative sum of usage bills as nothing",
        "billing/subscriptions/usage-based/recording-usage-api",
        HELD,
        "negative_sum",
    ),
    Assumption(
        "A18",
        "an Idempotency-Key is known for at least 24 h, and replays a stored 5xx",
        "API reference, idempotent requests",
        "after a 5xx the object is read before it is tried under another key",
    ),
    Assumption(
        "A19",
        "a meter event with a known identifier is refused, and the refusal says that it exists already",
        "no text: as integrators report",
        "a case `meter_event_refused` for what was delivered; the sums, and so the invoice, are right, unless it is "
        "taken back: no call is made for that, and the invoice is held, as ledger and sum differ",
        "known_identifier",
    ),
    Assumption(
        "A20",
        "a graduated price makes one line for each tier that is reached",
        "no text: as payloads show",
        HELD,
        "tier_lines",
    ),
    Assumption(
        "A21",
        "cancelling a meter event a second time is taken, or refused as cancelled already",
        NO_TEXT,
        "nothing: an event that is not found any more, after a call that may have cancelled it, is taken as cancelled; "
        "were it not, ledger and sum would differ and the invoice be held",
        "second_cancel",
    ),
    Assumption(
        "A22",
        "a meter event's value may have decimals, and is summed exactly",
        "billing/subscriptions/usage-based/recording-usage-api; older pages want whole numbers",
        "a case `meter_event_refused`, or `meter_error` where it is reported later, and the invoice is held: ledger "
        "and sum differ",
        "decimal_values",
    ),
    Assumption(
        "A23",
        "a meter event's limits go by real time, also where its customer is on a test clock",
        NO_TEXT,
        "nothing: no account in use has test clocks, and this check keeps to both",
        "usage_limits",
    ),
    Assumption(
        "A24",
        "a flat fee, of a price or of its first tier, is not charged where nothing was used",
        "no text",
        HELD,
        "flat_at_zero",
        ("items: price flat, included", "items: price per_unit, graduated", "items: price volume"),
    ),
    Assumption(
        "A25",
        "lines in a currency of three decimals are whole minor units",
        "no text: currencies, three-decimal currencies, speaks of payments, whose last digit is 0",
        "a draft's licensed lines, or the finalised invoice, differ: it is neither sent nor charged, a case says the "
        "difference",
        "three_decimals",
        ("currency", "card_step"),
    ),
    Assumption(
        "A26",
        "of several discounts on one level a percentage is of what those before it in the list have left",
        NO_TEXT,
        NO_COUPON,
        "discount_stack",
        (ON_ITEM, ON_INVOICE),
    ),
    Assumption(
        "A27",
        "a percentage is rounded on each line that it is taken off",
        NO_TEXT,
        NO_COUPON,
        "percent_share",
        (ON_ITEM, ON_INVOICE),
    ),
    Assumption(
        "A28",
        "a change of quantity is prorated from `proration_date` to the second, as a share of the whole term",
        "billing/subscriptions/prorations",
        HELD,
        clauses=(CHANGES, PRORATION),
    ),
    Assumption(
        "A29",
        "the credit and the debit of a change are lines of their own, each rounded from its own exact amount",
        "no text",
        HELD,
        "proration_rounding",
        (CHANGES, PRORATION),
    ),
    Assumption(
        "A30",
        "with `create_prorations` they wait as pending invoice items for the subscription's next invoice, and are not "
        "discountable",
        "billing/subscriptions/prorations",
        HELD,
        clauses=(CHANGES, ON_ITEM),
    ),
    Assumption(
        "A31",
        "a credit is the unused share of what was debited last for the item, in minor units: after a first change in a "
        "term, of that change's rounded debit",
        "billing/subscriptions/billing-mode/compare",
        f"{HELD}; the engine counts each credit from the whole price, so a term's second change may differ by a minor "
        "unit also where it holds",
        clauses=(CHANGES,),
    ),
    Assumption(
        "A32",
        "with `proration_behavior=none` a new quantity bills nothing for the running term and is on the next invoice",
        "billing/subscriptions/prorations",
        HELD,
        clauses=(CHANGES, "items: quantities, with the term"),
    ),
    Assumption(
        "A33",
        "a metered item that goes is billed, as a pending invoice item, what was used until the call, and one that "
        "comes counts from the call on",
        "billing/subscriptions/usage-based/manage-billing-setup",
        HELD,
        clauses=("items: metered",),
    ),
    Assumption(
        "A34",
        "with `proration_behavior=none`, as the plan has it for metered items, that usage is billed on no invoice",
        "billing/subscriptions/usage-based/manage-billing-setup",
        "nothing: what Stripe bills of it is taken back by an item of ours, whose amounts count",
        "gone_usage",
        ("items: metered",),
    ),
    Assumption(
        "A35",
        "monthly and yearly items stand on one subscription in flexible mode, each billed when its own term begins",
        "billing/subscriptions/mixed-interval",
        HELD,
        clauses=("items: licensed",),
    ),
    Assumption(
        "A36",
        "with `transform_quantity` usage is divided and rounded up before it is priced",
        "billing/subscriptions/usage-based/manage-billing-setup",
        HELD,
        clauses=("items: price package",),
    ),
    Assumption(
        "A37",
        "a volume price takes the tier that holds the total for all units, and a tier's bound is its last unit",
        "products-prices/pricing-models",
        HELD,
        clauses=("items: price volume",),
    ),
    Assumption(
        "A38",
        "a price of twelve decimals of a minor unit is kept and counted exactly",
        "API reference, create a price",
        HELD,
        clauses=("items: price per_unit, graduated",),
    ),
    Assumption(
        "A39",
        "a trial bills nothing and counts no usage; its end is the billing anchor, and what is paid ahead begins there",
        "billing/subscriptions/trials/free-trials; billing/subscriptions/usage-based/configure-grace-period",
        HELD,
        clauses=("trial",),
    ),
    Assumption(
        "A40",
        "a subscription with `cancel_at` at a term's end has its last usage on an invoice that is made then",
        "billing/subscriptions/cancel",
        "the usage is on no invoice: it is found when the period's invoice is missing or differs, and is a case",
        clauses=("the end of the last item",),
    ),
    Assumption(
        "A41",
        "a coupon of an amount takes it once off each invoice, shared out over the lines",
        "billing/subscriptions/coupons",
        NO_COUPON,
        clauses=(ON_INVOICE,),
    ),
    Assumption(
        "A42",
        "an invoice item is put on a draft at its exact amount, also a negative one, and its line shows its metadata",
        "API reference, create an invoice item",
        "Stripe refuses, or the finalised invoice differs: it is held, and a case says why",
        clauses=("prepaid", "commitments", "minimums", "limits", "allowances", "prior periods"),
    ),
    Assumption(
        "A43",
        "a credit note lowers what is due of an open invoice and leaves its total; of a paid one it goes to the "
        "customer's balance by `credit_amount`",
        "API reference, create a credit note",
        "Stripe refuses: the correction stays open, and a case has Stripe's sentence",
        clauses=("prior periods",),
    ),
    Assumption(
        "A44",
        "a customer's balance lowers what is due of the next invoice when that is finalised, and leaves its total",
        "billing/customer/balance",
        "nothing: totals are compared, and the balance is Stripe's",
        clauses=("prior periods",),
    ),
    Assumption(
        "A45",
        "discounts of items are taken off before those of the invoice",
        "invoicing/overview",
        NO_COUPON,
        clauses=(ON_ITEM, ON_INVOICE),
    ),
)

ASSUMPTIONS: Mapping[str, Assumption] = {one.number: one for one in _ALL}


def in_order(numbers: Iterable[str]) -> tuple[str, ...]:
    """These numbers, each once, as the catalogue has them. Raises ValueError for one that it does not have."""
    return tuple(sorted(set(numbers), key=list(ASSUMPTIONS).index))
