"""What is agreed beside the items: discounts, commitments, minimums, allowances, limits and prepaid credits."""

from __future__ import annotations

from random import Random
from typing import Any

from workload.mix import prices
from workload.mix.calendar import SECOND, at, iso, month, within
from workload.mix.shares import Shares

Clauses = dict[str, Any]
MONTHS = 2  # within which clauses begin
METERS = ("resolution", "sms_segment", "proactive_message")  # the last one only with the add-on


def clauses(rng: Random, shares: Shares, contract: dict[str, Any], anchor: int) -> Clauses:
    """The clauses of a contract whose items are known; none contradicts another."""
    currency = contract["currency"]
    made: Clauses = {"discounts": _discounts(rng, shares, contract, anchor)}
    sold = any(item["key"] == "copilot" for item in contract["items"])  # the add-on
    committed = rng.random() < shares.commitment
    if committed:
        made["commitments"] = [_commitment(rng, contract, anchor)]
    if rng.random() < shares.minimum:
        meter = "sms_segment" if committed else rng.choice(["resolution", "sms_segment"])
        amount = _amount(rng.randint(5, 120), currency)
        minimum = _dated("minimum", month(anchor, rng.choice([-1, 0, 0, 1]))) | {"meter": meter, "amount": amount}
        if rng.random() < 0.3:
            minimum["until"] = iso(month(anchor, rng.choice([2, 3])))
        made["minimums"] = [minimum]
    if rng.random() < shares.limit:
        begins = within(rng, anchor, MONTHS)
        limit = {"meter": rng.choice(METERS if sold else METERS[:2]), "quantity": rng.randint(0, 120)}
        made["limits"] = [_dated("limit", begins) | limit]
    if sold:
        made["allowances"] = _allowances(rng, contract, anchor)
    if rng.random() < shares.prepaid:
        made["prepaid"] = _prepaid(rng, contract, anchor)
    return made


def _allowances(rng: Random, contract: dict[str, Any], anchor: int) -> list[Clauses]:
    """Messages with the add-on, from the start, the first paid day or in mid-month; more of them, and resolutions."""
    begins = rng.choice([at(contract["items"][0]["from"]), anchor, within(rng, anchor, MONTHS)])
    found = [_dated("messages", begins) | {"meter": "proactive_message", "quantity": rng.randint(0, 60)}]
    for key, meter in (("resolutions", "resolution"), ("more-messages", "proactive_message")):
        if rng.random() < 0.5:
            found.append(_dated(key, within(rng, anchor, MONTHS)) | {"meter": meter, "quantity": rng.randint(0, 30)})
    return found


def _discounts(rng: Random, shares: Shares, contract: dict[str, Any], anchor: int) -> list[Clauses]:
    found = []
    if rng.random() < shares.item_discount:
        target = {"scope": "item", "item": rng.choice([item["key"] for item in contract["items"]])}
        found += _off(rng, shares, "item-discount", target, contract, anchor)
    if rng.random() < shares.invoice_discount:
        found += _off(rng, shares, "invoice-discount", {"scope": "invoice"}, contract, anchor)
    return found


def _off(
    rng: Random, shares: Shares, key: str, target: Clauses, contract: dict[str, Any], anchor: int
) -> list[Clauses]:
    """A percent or an amount off one target; both at once where the shares ask for it."""
    percent = {"percent": rng.choice(["5", "12.5", "20", "33.3", "50", "100"])}
    amount = {"amount": _amount(rng.randint(1, 60), contract["currency"])}
    first, second = (percent, amount) if rng.random() < 0.7 else (amount, percent)
    found = [_lasting(rng, key, anchor) | target | first]
    if rng.random() < shares.second_discount:
        found.append(_lasting(rng, f"{key}-2", anchor) | target | second)
    return found


def _lasting(rng: Random, key: str, anchor: int) -> Clauses:
    """For so many invoices, until an instant, or for ever."""
    discount = _dated(key, rng.choice([anchor, within(rng, anchor, MONTHS)]))
    lasts = rng.choice(["counted", "until", "for ever"])
    if lasts == "counted":
        discount["invoices"] = rng.randint(1, 3)
    if lasts == "until":
        discount["until"] = iso(month(anchor, 2) + rng.randrange(40 * 86_400) * SECOND)
    return discount


def _commitment(rng: Random, contract: dict[str, Any], anchor: int) -> Clauses:
    """Resolutions, with a step up or down after some months in half of them."""
    first = rng.randint(10, 80)
    ramp = [{"at": iso(anchor), "quantity": first, "agreed_in": 1}]
    if rng.random() < 0.5:
        step = {"at": iso(month(anchor, rng.randint(1, 3))), "quantity": rng.randint(0, 120), "agreed_in": 1}
        ramp.append(step)
    return _dated("commitment", anchor) | {
        "meter": "resolution",
        "unit_price": prices.resolutions(contract["currency"], "graduated")["tiers"][-1]["unit_price"],
        "currency": contract["currency"],
        "bill": rng.choice(["advance", "arrears", "shortfall"]),
        "ramp": ramp,
        "price_version": "commitment/1",
    }


def _prepaid(rng: Random, contract: dict[str, Any], anchor: int) -> list[Clauses]:
    amount = _amount(rng.randint(10, 150), contract["currency"])
    credits = [_dated("prepaid", anchor) | {"amount": amount}]
    if rng.random() < 0.4:
        only = _dated("prepaid-resolutions", anchor) | {
            "items": ["resolution"],
            "until": iso(within(rng, anchor, MONTHS)),
        }
        credits.append(only | {"amount": _amount(rng.randint(5, 60), contract["currency"])})
    return credits


def _dated(key: str, begins: int) -> Clauses:
    return {"key": key, "from": iso(begins), "agreed_in": 1}


def _amount(dollars: int, currency: str) -> Clauses:
    return {"minor": prices.minor(dollars, currency), "currency": currency}
