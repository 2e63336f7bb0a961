"""What Stripe has to sell, beside a catalogue: what a person changed there, and what no catalogue knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.line import Line, LineError
from settled_cli.tables import Column, fitting

if TYPE_CHECKING:
    from contracts_service.catalog.domain.models import Catalog

EDITED = (Column("kind"), Column("name"), Column("stripe_id", "at Stripe", drop=1), Column("edits", wraps=True))
UNKNOWN = (Column("kind"), Column("name"), Column("stripe_id", "at Stripe", drop=1), Column("whose"))


async def gather(line: Line) -> dict[str, Any]:
    """What each door says of its account; `why` one says nothing: it does not answer, or Stripe does not answer it."""
    objects: list[dict[str, Any]] = []
    try:
        for door in line.fleet.doors:
            objects += (await line.get(door, "/v1/catalogue"))["objects"]
    except LineError as error:
        return {"objects": None, "why": str(error)}
    return {"objects": objects, "why": None}


def held_against(there: dict[str, Any], sold: Catalog) -> dict[str, Any]:
    """
    `edited`: ours, with what a person changed; `unknown`: what is in use there and in no entry of the catalogue.

    Nothing of it is ever deleted. `asked` is false where Stripe could not be asked; `why` says why.
    """
    if there["objects"] is None:
        return {"asked": False, "why": there["why"], "edited": [], "unknown": []}
    known = {*sold.meters, *sold.add_ons, *sold.coupons, *(plan.product for plan in sold.plans.values())}
    known |= {*sold.usage_prices, *sold.outcome_prices}
    objects = there["objects"]
    return {
        "asked": True,
        "why": None,
        "edited": [one for one in objects if one["edits"]],
        "unknown": [
            one for one in objects if one["active"] and (one["item"] if one["ours"] else one["name"]) not in known
        ],
    }


def view(found: dict[str, Any], *, width: int) -> RenderableType:
    """The same for people."""
    if not found["asked"]:
        return Text(f"! Stripe was not asked: {found['why']}", style="yellow")
    parts: list[RenderableType] = []
    if found["edited"]:
        rows = [{**one, "edits": "; ".join(one["edits"])} for one in found["edited"]]
        parts.append(fitting("Changed at Stripe by hand", EDITED, rows, width=width))
    if found["unknown"]:
        rows = [{**one, "whose": "a contract's" if one["ours"] else "not ours"} for one in found["unknown"]]
        title = "At Stripe and not in the catalogue; nothing of it is deleted"
        parts.append(fitting(title, UNKNOWN, rows, width=width))
    return Group(*parts) if parts else Text("✓ Stripe has nothing that the catalogue does not know")
