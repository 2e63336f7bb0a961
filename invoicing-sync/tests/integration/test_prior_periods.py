"""What comes after a freeze and raises the bill is on the next invoice; a late change of a contract is a correction."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_change, clause, metered, seats
from event_schemas.times import iso
from invoicing_sync.testing import START, a_charge, a_contract, a_reversal, agreed

pytestmark = pytest.mark.integration
NOVEMBER, DECEMBER = START.replace(month=11), START.replace(month=12)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
FROM = {"from": iso(START)}
SOON = {"CORRECTIONS_SETTLE_H": "1"}


async def begun(world: Any, contract: Any = None, **settings: str) -> None:
    """A contract of version 1, or the document of one of version 2, is in force."""
    await world.start_door(**(SOON | settings))
    if isinstance(contract, dict):
        await world.apply_document(contract)
    else:
        await world.apply(contract or a_contract())
    await world.quiet(START)


async def charged(world: Any, count: int, *, at: datetime, told: datetime | None = None, name: str = "e") -> list[Any]:
    """So many charges that take effect at an instant and after, told then or later."""
    if (told or at) > world.at:
        await world.move(told or at)
    made = [
        a_charge(f"{name}{n}", seq=world.seq + n, at=at + n * MINUTE, recorded_at=world.at) for n in range(1, count + 1)
    ]
    await world.rate(*made)
    await world.move(world.at + HOUR)
    return made


async def taken_back(world: Any, of: list[Any], at: datetime) -> None:
    await world.move(at)
    late = [a_reversal(f"r-{one.entry_id}", one, seq=world.seq + n, recorded_at=at) for n, one in enumerate(of, 1)]
    await world.rate(*late)
    await world.move(at + 2 * HOUR)


async def closed(world: Any, *days: datetime) -> None:
    for day in days:
        await world.move(day)
        await world.move(day + 32 * MINUTE)


async def invoice(world: Any, day: datetime, customer: str = "acme") -> dict[str, Any]:
    found = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    [one] = [one for one in found if one["period_end"] == iso(day) and one["billing_reason"] == "subscription_cycle"]
    return dict(one)


def lines(of: dict[str, Any], kind: str) -> list[tuple[str, str, int]]:
    return [(line["item"], line["quantity"], line["amount_minor"]) for line in of["lines"] if line["kind"] == kind]


async def settling(world: Any, customer: str = "acme") -> list[tuple[str, str, int]]:
    [corrected] = (await world.ask("/v1/corrections/priced", customer=customer))["corrections"]
    return [(one["document"], one["state"], one["amount_minor"]) for one in corrected["documents"]]


async def test_late_charges_are_an_item_of_the_next_invoice_at_the_prices_of_their_period(world: Any) -> None:
    """996 at 0.99, then nine more: four of them reach the tier of 0.99, five the one of 0.89 (golden G23)."""
    tiers = {"scheme": "graduated", "tiers": [{"up_to": 1000, "unit_price": "0.99"}, {"unit_price": "0.89"}]}
    await begun(world, a_contract(metered=[{"meter": "resolution", "price": tiers}], licensed=[]))
    bulk = a_charge("bulk", seq=1, at=START + DAY, quantity="996")
    await world.rate(bulk)
    await closed(world, NOVEMBER)
    await charged(world, 5, at=START + 2 * DAY, told=NOVEMBER + DAY, name="first")
    await world.move(NOVEMBER + 2 * DAY)
    running = await world.ask("/v1/customers/acme/running")
    await charged(world, 4, at=START + 2 * DAY, told=NOVEMBER + 3 * DAY, name="then")
    await world.move(NOVEMBER + 5 * DAY)
    await charged(world, 10, at=NOVEMBER + 6 * DAY, name="own")
    await closed(world, DECEMBER)

    found = await invoice(world, DECEMBER)

    assert [line["amount_minor"] for line in running["expected"] if line["kind"] == "prior_period"] == [4 * 99 + 89]
    assert lines(found, "prior_period") == [("resolution", "9", 4 * 99 + 5 * 89)]
    assert lines(found, "usage") == [("resolution", "10", 990)]
    assert (found["total_minor"], found["period_state"]) == (841 + 990, "finalised")
    [line] = [line for line in found["lines"] if line["kind"] == "prior_period"]
    assert (line["period_start"], line["period_end"]) == (iso(START), iso(NOVEMBER))
    assert line["why"]["quantity"] == "1005 instead of 996, by 9 entries that came late"
    behind = (await world.ask(f"/v1/invoices/{found['id']}/lines/{line['id']}/entries"))["entries"]
    assert [entry["entry_id"] for entry in behind] == sorted(
        [*(f"first{n}" for n in range(1, 6)), *(f"then{n}" for n in range(1, 5))],
        key=lambda name: (int(name[-1]), name),
    )
    assert await settling(world) == [("prior_period", "billed", 841)]
    assert (await world.stripe("/v1/credit_notes"))["data"] == await world.ask("/v1/cases") == []


async def test_what_is_carried_follows_what_comes_until_its_invoice_is_made_up(world: Any) -> None:
    """Three more, one of them less, then four less: the item shrinks, then goes, and the rest is credited."""
    await begun(world)
    early = await charged(world, 5, at=START + DAY)
    await closed(world, NOVEMBER)
    late = await charged(world, 3, at=START + 2 * DAY, told=NOVEMBER + DAY, name="late")
    await world.move(NOVEMBER + 2 * DAY)
    assert await settling(world) == [("prior_period", "carried", 297)]
    await taken_back(world, late[:1], NOVEMBER + 3 * DAY)
    assert await settling(world) == [("prior_period", "carried", 198)]
    await taken_back(world, [*late[1:], *early[:2]], NOVEMBER + 4 * DAY)
    await closed(world, DECEMBER)

    assert await settling(world) == [("prior_period", "dropped", 198), ("credit_note", "issued", -198)]
    assert lines(await invoice(world, DECEMBER), "prior_period") == []
    assert [note["total"] for note in (await world.stripe("/v1/credit_notes"))["data"]] == [198]


async def test_what_comes_once_the_item_is_billed_is_credited_beside_it(world: Any) -> None:
    await begun(world)
    await charged(world, 5, at=START + DAY)
    await closed(world, NOVEMBER)
    late = await charged(world, 2, at=START + 2 * DAY, told=NOVEMBER + DAY, name="late")
    await world.move(NOVEMBER + 2 * DAY)
    await closed(world, DECEMBER)
    await taken_back(world, late[:1], DECEMBER + DAY)
    await world.move(DECEMBER + 2 * DAY)

    assert await settling(world) == [("prior_period", "billed", 198), ("credit_note", "issued", -99)]
    [note] = (await world.ask("/v1/credit-notes"))["credit_notes"]
    assert note["period_start"] == iso(START)


async def test_an_invoice_that_is_voided_unseen_leaves_the_item_to_the_next(world: Any) -> None:
    """Stripe leaves usage out of November's invoice: it is held, a person voids it, and nobody has seen it."""
    await begun(world)
    await charged(world, 1, at=START + DAY)
    await closed(world, NOVEMBER)
    await charged(world, 2, at=START + 2 * DAY, told=NOVEMBER + DAY, name="late")
    await world.move(NOVEMBER + 2 * DAY)
    stale = {"finalised_usage": "of_the_draft"}
    assert (await world.http.post(f"{world.sandbox_url}/_sandbox/answers", json=stale)).status_code == 200
    await world.move(DECEMBER)
    await world.rate(a_charge("own", seq=world.seq + 1, at=DECEMBER - MINUTE, recorded_at=DECEMBER + MINUTE))
    await world.move(DECEMBER + 20 * MINUTE)
    await world.move(DECEMBER + 32 * MINUTE)
    held = await invoice(world, DECEMBER)
    assert (held["period_state"], len(lines(held, "prior_period"))) == ("held", 1)
    await world.http.post(f"{world.sandbox_url}/_sandbox/answers", json={"finalised_usage": "recounted"})
    assert (await world.stripe_post(f"/v1/invoices/{held['id']}/void")).status_code == 200

    async def is_voided() -> bool:
        return bool((await invoice(world, DECEMBER))["period_state"] == "voided")

    await world.until(is_voided)
    await closed(world, DECEMBER.replace(year=2027, month=1))

    assert lines(await invoice(world, DECEMBER.replace(year=2027, month=1)), "prior_period") == [
        ("resolution", "2", 198)
    ]
    assert await settling(world) == [("prior_period", "billed", 198)]


async def test_where_no_later_invoice_is_to_come_a_person_is_told(world: Any) -> None:
    """The contract ended with October; what then comes late is owed and on nothing, until it is taken back."""
    ends = {"from": iso(START), "until": iso(NOVEMBER)}
    await begun(world, agreed(items=[seats(1, **ends), metered(**ends)]))
    await charged(world, 1, at=START + DAY)
    await closed(world, NOVEMBER)
    late = await charged(world, 1, at=START + 2 * DAY, told=NOVEMBER + DAY, name="late")
    await world.move(NOVEMBER + 2 * DAY)

    [case] = await world.ask("/v1/cases")
    assert (case["kind"], case["detail"]["problem"]) == (
        "correction_not_billed",
        "USD 0.99 more than was billed are owed for period 0, and no later invoice is to come",
    )
    await taken_back(world, late, NOVEMBER + 3 * DAY)
    assert await world.ask("/v1/cases") == []


async def test_in_dinars_the_item_has_three_places(world: Any) -> None:
    price = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.3055"}}]
    await begun(world, a_contract(currency="KWD", metered=price, licensed=[]))
    await charged(world, 1, at=START + DAY)
    await closed(world, NOVEMBER)
    await charged(world, 2, at=START + 2 * DAY, told=NOVEMBER + DAY, name="late")
    await world.move(NOVEMBER + 2 * DAY)
    await closed(world, DECEMBER)

    # 1 × 0.3055 = 0.306, 3 × 0.3055 = 0.9165 = 0.917: halves are rounded away from zero, and 0.611 are missing
    assert lines(await invoice(world, DECEMBER), "prior_period") == [("resolution", "2", 611)]


async def test_a_door_that_dies_behind_the_write_bills_once(world: Any) -> None:
    await begun(world)
    await charged(world, 1, at=START + DAY)
    await closed(world, NOVEMBER)
    world.stop_door(signal.SIGKILL)
    await world.start_door(**SOON, SETTLED_FAILPOINT="invoicing-sync.corrections-carried")
    world.may_die = True
    await charged(world, 2, at=START + 2 * DAY, told=NOVEMBER + DAY, name="late")
    await world.move(NOVEMBER + 2 * DAY)
    if world.deaths:
        world.stop_door(signal.SIGKILL)
        await world.start_door(**SOON)
        await world.quiet(NOVEMBER + 2 * DAY)
    await closed(world, DECEMBER)

    assert world.deaths == [-signal.SIGKILL], world.door_said()
    assert lines(await invoice(world, DECEMBER), "prior_period") == [("resolution", "2", 198)]
    assert await settling(world) == [("prior_period", "billed", 198)]


# --- contracts that change late


def with_seats(document: dict[str, Any], quantity: int, *, at: datetime, agreed_at: datetime) -> dict[str, Any]:
    """The next revision: so many seats from an instant on."""
    revision = document["revision"] + 1
    change = a_change(revision, effective_at=iso(at), agreed_at=iso(agreed_at))
    seat, *others = document["items"]
    seat = seat | {"quantities": [*seat["quantities"], {"at": iso(at), "quantity": quantity, "agreed_in": revision}]}
    return document | {"revision": revision, "history": [*document["history"], change], "items": [seat, *others]}


@pytest.mark.parametrize(
    ("quantity", "comes_to"),
    [
        # 3 seats at 39.00 were paid ahead; from the 11th of October 21 of its 31 days are left
        (5, (5 - 3) * 39_00 + 132_10 - 79_26),  # November's two, and 5 × 39 × 21/31 less 3 × 39 × 21/31
        (2, (2 - 3) * 39_00 + 52_84 - 79_26),  # one less, 2 × 39 × 21/31 less 3 × 39 × 21/31
    ],
)
async def test_a_change_of_seats_that_comes_when_its_period_is_billed_is_a_correction(
    world: Any, quantity: int, comes_to: int
) -> None:
    document = agreed()
    await begun(world, document)
    await charged(world, 2, at=START + DAY)
    await closed(world, NOVEMBER)
    at = NOVEMBER + 2 * DAY
    await world.move(at)
    await world.apply_document(with_seats(document, quantity, at=START + 10 * DAY, agreed_at=at))
    await world.move(at + 2 * HOUR)
    await world.move(at + 3 * HOUR)
    await closed(world, DECEMBER)

    [corrected] = (await world.ask("/v1/corrections/priced"))["corrections"]
    november = await invoice(world, DECEMBER)

    assert corrected["entries"] == []
    assert (corrected["revisions"], corrected["revised_minor"]) == ([2], comes_to)
    assert corrected["difference_minor"] == comes_to
    assert lines(november, "advance") == [("seat", str(quantity), quantity * 39_00)]
    assert lines(november, "proration") == []
    if comes_to > 0:
        assert [amount for _, _, amount in lines(november, "prior_period")] == [comes_to]
        assert await settling(world) == [("prior_period", "billed", comes_to)]
    else:
        assert lines(november, "prior_period") == []
        [note] = (await world.stripe("/v1/credit_notes"))["data"]
        assert note["total"] == -comes_to
    assert await world.ask("/v1/cases") == []


async def test_a_late_price_and_late_usage_are_one_correction(world: Any) -> None:
    """From the 11th on resolutions cost 2.00 instead of 1.00, agreed in November; one resolution came late too."""
    document = agreed(items=[metered(price="1", **FROM)])
    await begun(world, document)
    await charged(world, 1, at=START + DAY, name="cheap")
    await charged(world, 3, at=START + 12 * DAY, name="dear")
    await closed(world, NOVEMBER)
    at = NOVEMBER + DAY
    await charged(world, 1, at=START + 13 * DAY, told=at, name="late")
    turn = START + 10 * DAY
    old = metered(price="1", **FROM) | {"until": iso(turn), "until_agreed_in": 2}
    old["earlier_untils"] = [{"agreed_in": 1, "until": None}]
    new = metered(price="2", **{"from": iso(turn)}) | {"key": "dearer", "agreed_in": 2}
    history = [*document["history"], a_change(2, effective_at=iso(turn), agreed_at=iso(world.at))]
    await world.apply_document(document | {"revision": 2, "history": history, "items": [old, new]})
    await world.move(at + 3 * HOUR)
    await world.move(at + 4 * HOUR)
    await closed(world, DECEMBER)

    [line] = [line for line in (await invoice(world, DECEMBER))["lines"] if line["kind"] == "prior_period"]

    # billed: 4 × 1.00; right: 1 × 1.00 + 4 × 2.00
    assert line["amount_minor"] == 500
    assert line["why"]["quantity"] == "5 instead of 4, by 1 entry that came late and revision 2 of the contract"
    assert await world.ask("/v1/cases") == []


async def test_what_a_correction_restores_of_a_prepaid_credit_pays_the_next_invoice(world: Any) -> None:
    """October drew 3.00 of 4.00; two of its three resolutions are taken back, and November has 3.00 to draw."""
    credit = clause("p", amount={"minor": 400, "currency": "USD"}, **FROM)
    await begun(world, agreed(items=[metered(price="1", **FROM)], prepaid=[credit]))
    october = await charged(world, 3, at=START + DAY)
    await closed(world, NOVEMBER)
    await taken_back(world, october[:2], NOVEMBER + DAY)
    await charged(world, 5, at=NOVEMBER + 2 * DAY, name="own")
    await closed(world, DECEMBER)

    october_was, november = await invoice(world, NOVEMBER), await invoice(world, DECEMBER)

    assert lines(october_was, "credit_drawdown") == [("resolution", "1", -300)]
    assert lines(november, "credit_drawdown") == [("resolution", "1", -300)]
    assert november["total_minor"] == 200
    assert all(line["why"] for line in october_was["lines"] if line["amount_minor"])
    assert (await world.stripe("/v1/credit_notes"))["data"] == await world.ask("/v1/cases") == []
