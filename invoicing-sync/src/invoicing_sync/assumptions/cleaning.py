"""Takes away what a run has made, and what runs have left that were broken off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from invoicing_sync.assumptions.bench import ENDS, MARK, Bench, Body, told
from invoicing_sync.stripe_door.errors import NotThere


async def clean(bench: Bench, run: str | None) -> list[str]:
    """
    Delete the test clocks of a run with their customers and subscriptions, and its coupons; switch off its meter,
    prices and products: Stripe can delete none of these three once a price hangs on them.

    `run` None: all runs. Safe to repeat.

    Returns:
        What could not be taken away, as sentences.
    """
    left: list[str] = []
    v1 = bench.v1

    async def attempt(what: str, work: Callable[[str], Awaitable[Any]], id_: str) -> None:
        try:
            await work(id_)
        except NotThere:
            return
        except ENDS as error:
            left.append(f"{what} {id_}: {told(error)}")

    for clock in await _rows(bench, "/v1/test_helpers/test_clocks", {}):
        if _is_of(run, str(clock["name"] or "")):
            await attempt("test clock", partial(_delete_clock, bench), clock["id"])
    for meter in await _rows(bench, "/v1/billing/meters", {"status": "active"}):
        if _is_of(run, str(meter["event_name"])):
            await attempt("meter", partial(_deactivate, bench), meter["id"])
    for product in await _rows(bench, "/v1/products", {"active": True}):
        if not _is_marked(run, product):
            continue
        for price in await _rows(bench, "/v1/prices", {"product": product["id"], "active": True}):
            await attempt("price", partial(_switch_off, bench, v1.prices), price["id"])
        await attempt("product", partial(_switch_off, bench, v1.products), product["id"])
    for coupon in await _rows(bench, "/v1/coupons", {}):
        if _is_marked(run, coupon):
            await attempt("coupon", partial(_delete_coupon, bench), coupon["id"])
    return left


def _is_of(run: str | None, name: str) -> bool:
    return name == f"{MARK}_{run}" if run is not None else name.startswith(f"{MARK}_")


def _is_marked(run: str | None, row: Body) -> bool:
    mark = (row["metadata"] or {}).get(MARK)
    return mark is not None and _is_of(run, f"{MARK}_{mark}")


async def _rows(bench: Bench, path: str, params: Body) -> list[Body]:
    return [row async for row in bench.door.client.rows("list_leftovers", path, {**params, "limit": 100})]


async def _delete_clock(bench: Bench, clock: str) -> None:
    await bench.ready(clock)  # one that advances takes no change
    await bench.ask("drop_clock", lambda: bench.v1.test_helpers.test_clocks.delete_async(clock))


async def _delete_coupon(bench: Bench, coupon: str) -> None:
    await bench.ask("drop_coupon", lambda: bench.v1.coupons.delete_async(coupon))


async def _deactivate(bench: Bench, meter: str) -> None:
    await bench.ask("drop_meter", lambda: bench.v1.billing.meters.deactivate_async(meter))


async def _switch_off(bench: Bench, service: Any, id_: str) -> None:
    await bench.ask("switch_off", lambda: service.update_async(id_, {"active": False}))
