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
    """

    number: str
    says: str
    source: str
    otherwise: str
    switch: str | None = None


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
        "the finalised invoice differs: it is neither sent nor charged, a case says the difference",
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
        "the finalised invoice differs: it is neither sent nor charged, a case says the difference",
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
        "the finalised invoice differs: it is neither sent nor charged, a case says the difference",
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
        "the finalised invoice differs: it is neither sent nor charged, a case says the difference",
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
)

ASSUMPTIONS: Mapping[str, Assumption] = {one.number: one for one in _ALL}


def in_order(numbers: Iterable[str]) -> tuple[str, ...]:
    """These numbers, each once, as the catalogue has them. Raises ValueError for one that it does not have."""
    return tuple(sorted(set(numbers), key=list(ASSUMPTIONS).index))
