"""The corrections of a period by its contract, of whichever version."""

from __future__ import annotations

from collections.abc import Sequence

from event_schemas.contracts import Contract
from event_schemas.times import Period
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain.corrections import LateEntry, Priced, price, price_agreement
from pricing.usage import BilledBefore, Used


def price_again(
    account: Account,
    revision: int | None,
    period: Period,
    frozen: Sequence[Used],
    late: Sequence[LateEntry],
    before: BilledBefore,
) -> Priced:
    """
    What came late, priced as the period was billed.

    Args:
        revision: of the contract, by which the period was completed; None: as it is now.
        frozen: what its invoice was expected from; empty where it has none.
        late: its corrections in order of arrival.

    Raises:
        ValueError: usage of another period.
    """
    contract = account.contract
    if isinstance(contract, Contract):
        return price(terms_of(contract), period, frozen, late, revision=contract.revision)
    return price_agreement(account.agreement.at_revision(revision), period, frozen, late, before)
