"""Whether a call that may have been made was made: read off the subscription."""

from __future__ import annotations

from invoicing_sync.contracts.domain.plan.at_stripe import HasSubscription, Told
from invoicing_sync.contracts.domain.plan.operations import ChangeItems, GoneItem


def is_there(what: ChangeItems, told: Told, has: HasSubscription) -> bool:
    """Whether all that a call changes among the items is so; one call does all or nothing."""
    there = {item.price: item for item in has.items}
    coming = {change.price.lookup_key for change in what.changes if not isinstance(change, GoneItem)}
    for change in what.changes:
        if isinstance(change, GoneItem):
            said = told.items.get(change.key)
            if said is not None and said.price in there and said.price not in coming:
                return False
            continue
        found = there.get(change.price.lookup_key)
        if found is None or found.quantity != change.quantity:
            return False
    return True
