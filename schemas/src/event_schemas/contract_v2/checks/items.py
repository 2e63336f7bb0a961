"""Items: their keys, lives, prices and seats; one plan at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.shared import keys, life, on_billing_days, overlap, say, sorted_timeline
from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.items import Item, LicensedItem
from event_schemas.contract_v2.parts import living
from event_schemas.contract_v2.prices import Graduated, Included, Tier, Volume

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2


def items(contract: ContractV2) -> Iterator[Flaw]:
    """All about items but which meters they price."""
    yield from keys("items", contract.items)
    for item in contract.items:
        field = f"items.{item.key}"
        yield from life(field, item)
        if item.currency is not contract.currency:
            sentence = (
                f"priced in {item.currency}, and the contract is in {contract.currency}; a contract keeps its "
                "currency: end it, and agree on another"
            )
            yield Flaw("currency_change", f"{field}.currency", sentence)
        if isinstance(item.price, Graduated | Volume):
            yield from _tiers(f"{field}.price.tiers", item.price.tiers)
        if isinstance(item, LicensedItem):
            yield from _licensed(contract, field, item)
    yield from _plans(living(contract.items))


def _tiers(field: str, tiers: tuple[Tier, ...]) -> Iterator[Flaw]:
    if tiers[-1].up_to is not None:
        sentence = f"units above {tiers[-1].up_to} have no price; leave up_to of the last tier out"
        yield Flaw("tiers_with_a_hole", field, sentence)
    if any(tier.up_to is None for tier in tiers[:-1]):
        sentence = "a tier without up_to stands before others, which no unit can reach"
        yield Flaw("tiers_with_a_hole", field, sentence)
    bounds = [tier.up_to for tier in tiers if tier.up_to is not None]
    for below, bound in pairwise(bounds):
        if bound <= below:
            yield Flaw("tiers_with_a_hole", field, f"bounds must grow, and {bound} comes after {below}")


def _licensed(contract: ContractV2, field: str, item: LicensedItem) -> Iterator[Flaw]:
    yield from sorted_timeline(f"{field}.quantities", item.quantities)
    yield from on_billing_days(f"{field}.term_anchor", contract.billing_anchor, [item.term_anchor])
    if isinstance(item.price, Included):
        yield Flaw("included_licensed", f"{field}.price", "only a meter can be included; price the item 0")


def _plans(found: tuple[Item, ...]) -> Iterator[Flaw]:
    with_plan = [item for item in found if item.plan is not None]
    for one, other in combinations(with_plan, 2):
        if one.plan != other.plan and overlap(one, other):
            at = say(max(one.start, other.start))
            sentence = f"the plan is {one.plan} by {one.key} and {other.plan} by {other.key} at {at}; end one of them"
            yield Flaw("two_plans", f"items.{other.key}.plan", sentence)
