"""Cases: what a person must look at, one for each kind and natural key; and the table of all kinds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from invoicing_sync.store.pool import Connection, Pool


@dataclass(frozen=True, slots=True)
class Kind:
    """
    The life of one kind of case. `closes` None: nothing but a person closes it, once `do` is done.

    A person may close any case; one whose cause is still there is opened again when it is next seen.
    """

    opens: str
    closes: str | None
    do: str


# The one table of this service. The README shows it word for word (a test compares them), each kind that closes by
# itself has its story in tests/integration/test_cases.py, and `open_case` refuses a kind that is not here.
KINDS: Mapping[str, Kind] = {
    "invoice_held": Kind(
        "ledger and Stripe's numbers of a period have differed for `SETTLE_S`, or Stripe refuses to finalise, send or "
        "charge its invoice",
        "they agree and the invoice is sent or charged",
        "mend what `probably` names, or compare both numbers in its detail and reconcile; where it has a sentence of "
        "Stripe's, mend what that names; `assumptions` names what Stripe did otherwise than we assume",
    ),
    "drift": Kind(
        "a reconciliation finds a difference that neither time nor waiting work explains",
        "a later reconciliation finds the same customer, meter and day in agreement",
        "see the reconciliation's cause; closed by a person, it opens again only when the numbers change",
    ),
    "unclear_delivery": Kind(
        "a call had no answer for `RESEND_HOURS`, and Stripe's hourly sum fits neither with it nor without it",
        "the sum fits one of both",
        "look at the lane's hour at Stripe and take out what is not ours",
    ),
    "contract_change_not_supported": Kind(
        "a later revision changes what is billed, which is not supported yet",
        "a later revision is applied",
        "the applied revision goes on billing: publish a revision with its terms, or a new contract",
    ),
    "contract_conflict": Kind(
        "a contract comes under the revision that is known and says something else",
        "a later revision is applied",
        "the first content stays in force: publish what is meant under a higher revision",
    ),
    "contract_moved": Kind(
        "a contract goes from an issuer of one door to an issuer of another, which is not supported yet; both doors "
        "say so",
        "a later revision comes whose issuer is that of before",
        "what was agreed before goes on in its door, and neither takes the new revision: publish a higher one with the "
        "issuer of before",
    ),
    "contract_not_carried_out": Kind(
        "what Stripe has of a contract of version 2 was changed there by hand, or something must be given first",
        "the next plan of the contract finds nothing of it",
        "read each sentence in its detail, and undo the change at Stripe or publish a revision that says it",
    ),
    "contract_refused": Kind(
        "Stripe refuses an object of the contract",
        "a later revision is applied, or Stripe takes it: what it refused of a version 2 is tried again each hour",
        "read Stripe's sentence and the field in its detail, mend that at Stripe or publish a mended revision",
    ),
    "contract_without_billing_email": Kind(
        "a contract has no `billing_email`, and its invoices are sent or its subscription is not made yet",
        "a later revision is applied",
        "publish a revision with a `billing_email`; until then nothing is made or sent",
    ),
    "first_period_not_billed_in_advance": Kind(
        "a contract with licensed items came after its anchor", None, "bill the running period's licensed items by hand"
    ),
    "charge_without_price": Kind(
        "a meter is charged that the applied contract neither prices nor declares free, at its first such charge",
        "a later revision that prices the meter or declares it free is applied",
        "invoices with it are held: publish a revision with the meter in `free_meters`, or in `metered` with its price",
    ),
    "meter_error": Kind(
        "Stripe reports usage that it took and does not count, by meter and code",
        None,
        "mend what the code names; samples name the entries; `assumptions` as in `invoice_held`",
    ),
    "meter_event_refused": Kind(
        "Stripe refuses a meter event at once, by meter, code and assumption",
        None,
        "mend what the code names; the sample names an entry; `assumptions` as in `invoice_held`",
    ),
    "recorded_in_time_and_not_sent": Kind(
        "an entry became too old for Stripe before it could be sent",
        None,
        "it is a correction: settle it with the corrections of its period",
    ),
    "finalised_outside_the_gate": Kind(
        "an invoice was finalised and not by us",
        None,
        "compare it with the period's ledger; find out who did it: if nobody did, what `assumptions` names does not "
        "hold",
    ),
    "finalised_differs": Kind(
        "lines or total of a finalised invoice are not the expected ones: it is neither sent nor charged",
        "the invoice is voided, credited down to what was expected, paid or written off at Stripe",
        "compare both; void or credit it at Stripe; `assumptions` as in `invoice_held`",
    ),
    "collected_before_compared": Kind(
        "an invoice was paid by the time it was finalised, although finalising was not to collect",
        None,
        "compare it; if a case says that it differs, pay the difference back; assumption A5 does not hold",
    ),
    "correction_not_credited": Kind(
        "Stripe refuses the credit note of a period's corrections, or more is owed back than its invoice has left",
        "Stripe takes it, the invoice is void, or what comes later leaves nothing to be given back",
        "mend what Stripe's sentence names; what the invoice has no room for, give back at Stripe by hand",
    ),
    "correction_not_billed": Kind(
        "corrections of a period come to more than was billed, and no later invoice of the customer is to come",
        "a later correction takes it back, or an invoice is to come after all",
        "bill it at Stripe by hand, or write it off",
    ),
    "credit_note_differs": Kind(
        "a credit note that Stripe has made is not the one that was meant, to the cent",
        None,
        "compare both and settle the difference at Stripe; here it counts as the one that was meant",
    ),
    "unreadable_record": Kind(
        "a record of our own topics cannot be decoded", None, "see the record at the place named; a bug of its writer"
    ),
}


async def open_case(
    at: Pool | Connection,
    kind: str,
    key: str,
    *,
    now: datetime,
    customer: str | None = None,
    count: int = 1,
    **detail: Any,
) -> None:
    """
    Open a case, or count it once more and replace its detail; a closed one is opened again.

    Raises:
        ValueError: `kind` is not in KINDS, so that nobody would know what closes it.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of case: add it to KINDS")
    await at.execute(
        """
        INSERT INTO cases (kind, natural_key, customer, detail, count, opened_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (kind, natural_key) DO UPDATE
        SET detail = excluded.detail, count = cases.count + excluded.count, changed_at = excluded.changed_at,
            closed_at = NULL, closed_by = NULL, closed_reason = NULL
        """,
        kind,
        key,
        customer,
        detail,
        count,
        now,
    )


async def open_case_once(
    at: Pool | Connection, kind: str, key: str, *, now: datetime, customer: str | None = None, **detail: Any
) -> None:
    """
    Open a case at the first sight of its cause; while it is open nothing is counted and nothing replaced.

    Raises:
        ValueError: `kind` is not in KINDS.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of case: add it to KINDS")
    await at.execute(
        """
        INSERT INTO cases (kind, natural_key, customer, detail, count, opened_at, changed_at)
        VALUES ($1, $2, $3, $4, 1, $5, $5)
        ON CONFLICT (kind, natural_key) DO UPDATE
        SET detail = excluded.detail, count = cases.count + 1, changed_at = excluded.changed_at,
            closed_at = NULL, closed_by = NULL, closed_reason = NULL
        WHERE cases.closed_at IS NOT NULL
        """,
        kind,
        key,
        customer,
        detail,
        now,
    )


async def close_case(at: Pool | Connection, kind: str, key: str, *, now: datetime) -> None:
    """The matter has settled itself; closing what is not open changes nothing."""
    await close_cases(at, kind, [key], now=now)


async def close_cases(at: Pool | Connection, kind: str, keys: Collection[str], *, now: datetime) -> None:
    """These matters have settled themselves; closing what is not open changes nothing."""
    await at.execute(
        "UPDATE cases SET closed_at = $3, changed_at = $3 "
        "WHERE kind = $1 AND natural_key = ANY($2::text[]) AND closed_at IS NULL",
        kind,
        list(keys),
        now,
    )


async def close_by_hand(pool: Pool, case_id: int, *, by: str, reason: str, now: datetime) -> asyncpg.Record | None:
    """A person closes a case: as it stands then, None where there is none. A closed one keeps who closed it first."""
    await pool.execute(
        "UPDATE cases SET closed_at = $2, changed_at = $2, closed_by = $3, closed_reason = $4 "
        "WHERE id = $1 AND closed_at IS NULL",
        case_id,
        now,
        by,
        reason,
    )
    return await pool.fetchrow("SELECT * FROM cases WHERE id = $1", case_id)


async def open_keys(pool: Pool, kind: str) -> set[str]:
    """The natural keys of a kind's open cases."""
    rows = await pool.fetch("SELECT natural_key FROM cases WHERE kind = $1 AND closed_at IS NULL", kind)
    return {row["natural_key"] for row in rows}


async def accepted(pool: Pool, kind: str, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """Of these keys, those whose case a person has closed, with the detail that was known then."""
    rows = await pool.fetch(
        "SELECT natural_key, detail FROM cases "
        "WHERE kind = $1 AND natural_key = ANY($2::text[]) AND closed_at IS NOT NULL AND closed_by IS NOT NULL",
        kind,
        list(keys),
    )
    return {row["natural_key"]: row["detail"] for row in rows}
