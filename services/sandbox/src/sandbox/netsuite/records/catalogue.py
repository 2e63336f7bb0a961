"""
The record types that are carried out, field by field. The metadata catalogue, reading, showing and checks go by it.

Field names are NetSuite's (REST API browser); what is not here is an unknown field. `REFUSED` lists what NetSuite has
and the stand-in would have to ignore.
"""

from __future__ import annotations

from sandbox.netsuite.records.masters import ITEMS as ITEMS
from sandbox.netsuite.records.masters import MASTERS
from sandbox.netsuite.records.transactions import TRANSACTIONS
from sandbox.netsuite.records.types import RecordType

RECORDS: dict[str, RecordType] = {one.name: one for one in (*TRANSACTIONS, *MASTERS)}
GROUPS = {name: one.group for name, one in RECORDS.items()}

_SALE_REFUSED = (
    "discountItem discountRate department class location salesRep billingAddress shippingAddress taxDetailsOverride "
    "taxDetails taxItem taxRate billAddressList shipAddressList custBody isTaxable customForm partners salesTeam"
)
REFUSED: dict[str, frozenset[str]] = {
    "customer": frozenset(
        ["taxRegistration", "creditLimit", "parent", "customForm", "category", "salesRep", "partner", "priceLevel"]
    ),
    "invoice": frozenset(_SALE_REFUSED.split()),
    "creditMemo": frozenset(_SALE_REFUSED.split()),
    "customerPayment": frozenset(
        ["credit", "deposit", "paymentMethod", "paymentOption", "autoApply", "customForm", "department"]
    ),
    "customerRefund": frozenset(
        ["deposit", "paymentMethod", "paymentOption", "customForm", "department", "class", "location"]
    ),
    "deposit": frozenset(["department", "class", "location", "customForm"]),
    "journalEntry": frozenset(
        ["approved", "reversalDate", "reversalDefer", "customForm", "department", "class", "location"]
    ),
    "item": frozenset(
        [
            "grossAmt",
            "taxCode",
            "taxRate1",
            "taxDetailsReference",
            "revRecSchedule",
            "deferRevRec",
            "doNotCreateRevenueElement",
            "class",
            "department",
            "location",
            "price",
            "units",
            "isTaxable",
            "amortizationPeriod",
        ]
    ),
}
