"""What a catalogue says that cannot be sold: each check tells a code, a field and a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain, pairwise

from contracts_service.catalog.domain.models import SECTIONS, AddOn, Catalog, Coupon, MeterPrice, Plan, Sold
from event_schemas.contract_v2 import Flaw
from event_schemas.contract_v2.prices import Flat, Graduated, Included, Price, Volume
from event_schemas.values import Currency

Known = Mapping[str, frozenset[str]]  # section -> the keys that are named in it, also of entries that are unsound


def known_keys(catalog: Catalog) -> Known:
    """The keys of each section."""
    return {section: frozenset(getattr(catalog, section)) for section in SECTIONS}


def flaws(catalog: Catalog, known: Known | None = None) -> tuple[Flaw, ...]:
    """
    All that contradicts itself in a catalogue; empty when all of it can be sold.

    `known` names more keys than the catalogue has where some entries are unsound by themselves, so that what refers to
    these is not found at fault too.
    """
    names = known_keys(catalog) if known is None else known
    checks = (_currencies, _policies, _meter_prices, _plans, _add_ons, _coupons, _trials)
    return tuple(chain.from_iterable(check(catalog, names) for check in checks))


def _currencies(catalog: Catalog, _: Known) -> Iterator[Flaw]:
    for place, currency in enumerate(catalog.currencies):
        if currency in catalog.currencies[:place]:
            yield Flaw("duplicate_key", "currencies", f"{currency} stands in the list twice; once is enough")
    for key, issuer in catalog.issuers.items():
        yield from _currency(catalog, f"issuers.{key}.currency", issuer.currency)


def _currency(catalog: Catalog, field: str, currency: Currency) -> Iterator[Flaw]:
    if currency not in catalog.currencies:
        sentence = f"{currency} is not in the list of currencies; add it there, or leave this out"
        yield Flaw("unknown_currency", field, sentence)


def _named(known: Known, section: str, field: str, key: str) -> Iterator[Flaw]:
    if key not in known[section]:
        noun = SECTIONS[section][1]
        article = "an" if noun[0] in "aeiou" else "a"
        sentence = f"there is no {noun} {key}; correct its name, or add {article} {noun} of that name to {section}"
        yield Flaw(f"unknown_{noun.replace(' ', '_').replace('-', '_')}", field, sentence)


def _policies(catalog: Catalog, known: Known) -> Iterator[Flaw]:
    for key, policy in catalog.policies.items():
        for name in ("charges", "type_precedence"):
            for meter in getattr(policy, name):
                field = f"policies.{key}.{name}"
                yield from _named(known, "meters", field, meter)
                if meter in catalog.meters and catalog.meters[meter].kind != "outcome":
                    sentence = f"{meter} is a usage that products report; a policy decides about outcomes alone"
                    yield Flaw("wrong_kind_of_meter", field, sentence)


def _meter_prices(catalog: Catalog, known: Known) -> Iterator[Flaw]:
    for section, kind in (("outcome_prices", "outcome"), ("usage_prices", "usage")):
        entries: Mapping[str, MeterPrice] = getattr(catalog, section)
        for key, priced in entries.items():
            field = f"{section}.{key}"
            yield from _named(known, "meters", f"{field}.meter", priced.meter)
            if priced.meter in catalog.meters and catalog.meters[priced.meter].kind != kind:
                other = "usage_prices" if kind == "outcome" else "outcome_prices"
                sentence = f"{priced.meter} is no {kind}; its price belongs under {other}"
                yield Flaw("wrong_kind_of_meter", f"{field}.meter", sentence)
            yield from _prices(catalog, f"{field}.prices", priced.prices, licensed=False)


def _prices(catalog: Catalog, field: str, prices: Mapping[Currency, Price], *, licensed: bool) -> Iterator[Flaw]:
    for currency, price in prices.items():
        at = f"{field}.{currency.value}"
        yield from _currency(catalog, at, currency)
        if isinstance(price, Graduated | Volume):
            yield from _tiers(f"{at}.tiers", [tier.up_to for tier in price.tiers])
        if licensed and isinstance(price, Included):
            yield Flaw("included_licensed", at, 'only a meter can be included; price the seat "0"')
        if isinstance(price, Flat):  # paid as it stands; any other is multiplied, and rounded once
            yield from _precise(at, price.amount, currency)


def _precise(field: str, amount: str, currency: Currency) -> Iterator[Flaw]:
    if Decimal(amount) != round(Decimal(amount), currency.minor_digits):
        sentence = f"{amount} has more decimals than {currency} can be paid in, which has {currency.minor_digits}"
        yield Flaw("too_precise", field, sentence)


def _tiers(field: str, bounds: list[int | None]) -> Iterator[Flaw]:
    if bounds[-1] is not None:
        sentence = f"units above {bounds[-1]} have no price; leave up_to of the last tier out"
        yield Flaw("tiers_with_a_hole", field, sentence)
    if None in bounds[:-1]:
        sentence = "a tier without up_to stands before others, which no unit can reach"
        yield Flaw("tiers_with_a_hole", field, sentence)
    for below, bound in pairwise([bound for bound in bounds if bound is not None]):
        if bound <= below:
            yield Flaw("tiers_with_a_hole", field, f"bounds must grow, and {bound} comes after {below}")


def _plans(catalog: Catalog, known: Known) -> Iterator[Flaw]:
    for key, plan in catalog.plans.items():
        field = f"plans.{key}"
        yield from _sold(catalog, known, field, plan, parts=_parts(plan))
        yield from _named(known, "policies", f"{field}.policy", plan.policy)
        if plan.trial is not None:
            yield from _named(known, "trials", f"{field}.trial", plan.trial)
        for meter in plan.free_meters:
            yield from _named(known, "meters", f"{field}.free_meters", meter)
        yield from _meters_of_plan(catalog, field, plan)


def _parts(sold: Sold) -> list[tuple[str, str]]:
    """(section, key) of the metered prices that come with it."""
    parts = [("outcome_prices", key) for key in sold.outcomes] if isinstance(sold, Plan) else []
    return parts + [("usage_prices", key) for key in sold.usage]


def meters_of(catalog: Catalog, sold: Sold) -> list[tuple[str, str]]:
    """(key of the price, meter) of the metered prices that come with it, as far as they are sound."""
    found = []
    for section, key in _parts(sold):
        priced: MeterPrice | None = getattr(catalog, section).get(key)
        if priced is not None:
            found.append((key, priced.meter))
    return found


def _sold(catalog: Catalog, known: Known, field: str, sold: Sold, *, parts: list[tuple[str, str]]) -> Iterator[Flaw]:
    yield from _prices(catalog, f"{field}.prices", sold.prices, licensed=True)
    if not sold.prices and not parts:
        yield Flaw("nothing_sold", field, "it has no price of its own and no usage, so there is nothing to bill")
    for currency in sold.sold_in:
        yield from _currency(catalog, f"{field}.sold_in", currency)
        if sold.prices and currency not in sold.prices:
            sentence = f"it is sold in {currency} and has no price there; add one, or take {currency} out of sold_in"
            yield Flaw("price_missing", f"{field}.prices", sentence)
    for section, key in parts:
        name = "outcomes" if section == "outcome_prices" else "usage"
        yield from _named(known, section, f"{field}.{name}", key)
        priced: MeterPrice | None = getattr(catalog, section).get(key)
        for currency in sold.sold_in if priced is not None else ():
            if priced is not None and currency not in priced.prices:
                sentence = f"it is sold in {currency}, in which {section}.{key} has no price; add it there"
                yield Flaw("price_missing", f"{field}.{name}", sentence)
    priced_meters = {meter for _, meter in meters_of(catalog, sold)}
    broken = any(key in known[section] and key not in getattr(catalog, section) for section, key in parts)
    for meter in sold.allowances:
        yield from _named(known, "meters", f"{field}.allowances", meter)
        if meter in catalog.meters and meter not in priced_meters and not broken:
            sentence = f"nothing here prices {meter}, so there is nothing to include; add its price, or leave this out"
            yield Flaw("allowance_without_price", f"{field}.allowances.{meter}", sentence)


def _meters_of_plan(catalog: Catalog, field: str, plan: Plan) -> Iterator[Flaw]:
    by_meter: dict[str, str] = {}
    for key, meter in meters_of(catalog, plan):
        if meter in by_meter:
            sentence = f"{by_meter[meter]} and {key} both price {meter}; a plan takes one of them"
            yield Flaw("meter_priced_twice", field, sentence)
        by_meter[meter] = key
    for meter in plan.free_meters:
        if meter in by_meter:
            sentence = f"{meter} has a price in {by_meter[meter]}, so it is not free"
            yield Flaw("free_meter_priced", f"{field}.free_meters", sentence)
    policy = catalog.policies.get(plan.policy)
    sound = all(key in getattr(catalog, section) for section, key in _parts(plan))
    for meter in policy.charges if policy is not None and sound else ():
        if meter in catalog.meters and meter not in by_meter and meter not in plan.free_meters:
            sentence = f"the policy {plan.policy} can charge {meter}, which has no price here; price it, or free it"
            yield Flaw("meter_without_price", f"{field}.outcomes", sentence)


def _add_ons(catalog: Catalog, known: Known) -> Iterator[Flaw]:
    products = {plan.product: key for key, plan in catalog.plans.items()}
    for key, add_on in catalog.add_ons.items():
        field = f"add_ons.{key}"
        yield from _sold(catalog, known, field, add_on, parts=_parts(add_on))
        if key in products:
            sentence = f"the plan {products[key]} sells a product of this name too; name one of them otherwise"
            yield Flaw("product_sold_twice", field, sentence)
        for plan in add_on.plans or ():
            yield from _named(known, "plans", f"{field}.plans", plan)
        yield from _beside_plans(catalog, field, add_on)


def _beside_plans(catalog: Catalog, field: str, add_on: AddOn) -> Iterator[Flaw]:
    """An add-on prices no meter that a plan which can have it prices already."""
    for key, plan in catalog.plans.items():
        if add_on.plans is not None and key not in add_on.plans:
            continue
        taken = {meter: price for price, meter in meters_of(catalog, plan)}
        for price, meter in meters_of(catalog, add_on):
            if meter in taken:
                sentence = f"{price} prices {meter}, as {taken[meter]} of the plan {key} does; leave one of them out"
                yield Flaw("meter_priced_twice", f"{field}.usage", sentence)


def _coupons(catalog: Catalog, known: Known) -> Iterator[Flaw]:
    products = {plan.product for plan in catalog.plans.values()}
    products |= known["add_ons"] | known["outcome_prices"] | known["usage_prices"]
    complete = known["plans"] == frozenset(catalog.plans)
    for key, coupon in catalog.coupons.items():
        field = f"coupons.{key}"
        yield from _coupon(catalog, field, coupon)
        for product in coupon.products:
            if product not in products and complete:
                sentence = f"nothing of the name {product} is sold: name a plan's product, an add-on or a price"
                yield Flaw("unknown_product", f"{field}.products", sentence)


def _coupon(catalog: Catalog, field: str, coupon: Coupon) -> Iterator[Flaw]:
    if (coupon.percent is None) == (not coupon.amounts):
        yield Flaw("discount_form", field, "a coupon takes off either a percent or amounts")
    if coupon.percent is not None and not 0 < Decimal(coupon.percent) <= 100:
        sentence = f"{coupon.percent} percent off: a discount is more than 0 and at most 100 percent"
        yield Flaw("discount_percent", f"{field}.percent", sentence)
    if coupon.invoices is not None and coupon.months is not None:
        yield Flaw("discount_form", f"{field}.months", "it ends after so many invoices, or after so many months")
    for currency, amount in coupon.amounts.items():
        at = f"{field}.amounts.{currency.value}"
        yield from _currency(catalog, at, currency)
        yield from _precise(at, amount, currency)
        if Decimal(amount) <= 0:
            yield Flaw("discount_form", at, "an amount off is more than 0")


def _trials(catalog: Catalog, known: Known) -> Iterator[Flaw]:
    for key, trial in catalog.trials.items():
        for meter in trial.allowances:
            yield from _named(known, "meters", f"trials.{key}.allowances", meter)
    for key, plan in catalog.plans.items():
        offer = catalog.trials.get(plan.trial or "")
        priced = {meter for _, meter in meters_of(catalog, plan)}
        sound = all(part in getattr(catalog, section) for section, part in _parts(plan))
        for meter in offer.allowances if offer is not None and sound else ():
            if meter in catalog.meters and meter not in priced:
                sentence = f"the trial {plan.trial} includes {meter}, which the plan does not price"
                yield Flaw("allowance_without_price", f"plans.{key}.trial", sentence)
