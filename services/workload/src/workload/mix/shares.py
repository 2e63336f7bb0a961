"""How often a customer has what: probabilities from 0 to 1, but `seat_changes`, which is a mean per month."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shares:
    """The mix. Plans have their own table in `prices`."""

    yearly: float = 0.30
    seat_changes: float = 0.30
    plan_switch: float = 0.015
    add_on: float = 0.25
    item_discount: float = 0.12
    invoice_discount: float = 0.04
    second_discount: float = 0.05  # of a discount: a percent and an amount on one target
    commitment: float = 0.08
    minimum: float = 0.02
    limit: float = 0.02
    prepaid: float = 0.05
    legacy: float = 0.20
    trial: float = 0.04
    late_anchor: float = 0.10  # on the 29th to the 31st
    odd_message_price: float = 0.02  # messages at one flat amount, or included in the add-on
    currencies: tuple[int, ...] = (80, 12, 5, 2, 1)  # USD, EUR, GBP, JPY, KWD: weights


LIVELY = Shares()
# The same clauses so often that they meet in one contract: for tests.
DENSE = Shares(
    yearly=0.4,
    seat_changes=1.5,
    plan_switch=0.3,
    add_on=0.6,
    item_discount=0.5,
    invoice_discount=0.4,
    second_discount=0.4,
    commitment=0.4,
    minimum=0.3,
    limit=0.3,
    prepaid=0.4,
    legacy=0.3,
    trial=0.2,
    late_anchor=0.4,
    odd_message_price=0.5,
    currencies=(1, 1, 1, 1, 1),
)
