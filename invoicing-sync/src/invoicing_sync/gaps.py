"""The gaps between two writes of this service: what repeats after dying in one, and why that is harmless."""

from __future__ import annotations

from chassis.failpoints import Failpoints

GAPS = {
    "contract-stored": "the contract waits in its row; the applier finds it there and applies it",
    "terms-taken": "invoices are expected from the revision, and nothing of it is told: it is planned again",
    "operation-intended": "no call was made: it is planned again under its key; objects and items are read first",
    "operation-answered": "Stripe has done it, that is not noted: objects are looked up, items read, fields set again",
    "operation-done": "nothing repeats: the rest of the plan is planned anew",
    "plan-noted": "nothing repeats",
    "link-intended": "the object may not exist: it is looked up, then made under the same Idempotency-Key",
    "object-made": "Stripe has the object, its id is not stored: it is looked up or the key's answer is replayed",
    "contract-applied": "all is stored; nothing repeats",
    "keep-drafts-answered": "Stripe keeps the drafts, that is not noted here: asked again at the start",
    "collection-switched": "Stripe collects by the contract's method, that is not noted here: asked again at the start",
    "entries-stored": "entries, deliveries and offset are stored, no lane is woken: the scan finds the lane",
    "intent-committed": "the delivery is in flight and no call was made: it is sent with the same identifier",
    "call-answered": "Stripe has the event, the answer is not stored: sent again, Stripe knows the identifier",
    "result-stored": "nothing repeats",
    "adjustment-answered": "Stripe has cancelled the event, both states are not stored: asked again with the same key",
    "freeze-committed": "the period is frozen; nothing repeats, the gate goes on from its row",
    "complete-committed": "the frozen ledger is stored; the comparison starts anew and only reads",
    "hold-answered": "auto_advance is off in Stripe and not noted here: the invoice is read again and set again",
    "item-take-intended": "the item may be on the draft: it is taken off, and what is gone already is fine",
    "item-taken": "the item is off the draft and its row says that it goes: the draft is read and gets what is wanted",
    "item-intended": "no call was made: the draft is read, and the item put there under the same key",
    "item-made": "Stripe has the item, that is not stored: the draft is read, and shows it by its natural key",
    "finalise-intended": "no call was made: the invoice is read, found a draft, and finalised under the same key",
    "finalise-answered": "the invoice is open in Stripe and not here: it is read again and found finalised",
    "finalised-stored": "the invoice is open and not compared, nobody has it: it is read and compared",
    "collect-intended": "no call was made: the invoice is read, found open, and sent or charged under the same key",
    "collect-answered": "it was sent or charged, that is not stored: the key's answer is replayed, or it is found paid",
    "handed-over": "reminders are Stripe's, that is not stored: read again, there is nothing left to call",
    "released": "nothing repeats",
    "corrections-carried": "nothing repeats: the next invoice is expected with them, and its draft gets them",
    "credit-intended": "no call was made: the invoice's credit notes are listed, none bears the key, and it is made",
    "credit-answered": "Stripe has the credit note, its id is not stored: it is found by the key in its metadata",
    "credit-stored": "nothing repeats",
    "webhook-stored": "Stripe had no answer and sends the event again: known by its id",
    "webhook-published": "the event is published once more; every reader knows it by its id",
    "webhook-marked": "the event is on the bus and not handled here: it is handled from its row",
    "sweep-stored": "the events are stored, the cursor is not moved: the same page is read again, known by its ids",
    "case-opened": "the thin event is not marked as handled: it is handled again and counted once",
}

failpoints = Failpoints("invoicing-sync", GAPS)
