"""`settled catalog`: what is sold, from a folder of YAML: checked, compared, applied, and written out again."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli.asking import Json
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.tables import Column, fitting

if TYPE_CHECKING:
    from contracts_service.catalog.domain.models import Catalog

DEFAULT = Path(os.environ.get("SETTLED_CATALOG", "services/contracts/catalog"))
Folder = Annotated[Path, typer.Argument(help="The folder of YAML files; SETTLED_CATALOG names another default.")]

catalog = typer.Typer(help="What is sold: plans, add-ons, prices, coupons.", no_args_is_help=True)


@catalog.callback()
def about() -> None:
    """What is sold: plans, add-ons, prices, coupons."""


@catalog.command()
def check(folder: Folder = DEFAULT, as_json: Json = False) -> None:
    """Hold a folder against all rules of a catalogue; needs no running line."""
    found = read(folder, as_json=as_json)
    if as_json:
        print_json({"mistakes": [], "plans": sorted(found.plans), "add_ons": sorted(found.add_ons)})
    else:
        out.print(summary(found, width=out.width))


def read(folder: Path, *, as_json: bool) -> Catalog:
    """The catalogue of a folder; ends the command with every mistake, code 1, where it is none."""
    from contracts_service.catalog.folder import CatalogRefused, read_folder  # here: other commands do not need it

    if not folder.is_dir():
        fail(f"{folder} is no folder: name the one that holds the catalogue's YAML files", Exit.USAGE)
    try:
        return read_folder(folder)
    except CatalogRefused as refused:
        if as_json:
            print_json({"mistakes": [asdict(mistake) for mistake in refused.mistakes]})
        else:
            count = len(refused.mistakes)
            err.print(f"[bold red]✗[/] {count} mistake{'s' if count > 1 else ''} in {folder}", highlight=False)
            for mistake in refused.mistakes:
                err.print(Text(f"  {mistake}  [{mistake.code}]"))
        raise typer.Exit(Exit.FINDING) from None


PLANS = (
    Column("key", "plan"),
    Column("rhythm", "by", drop=2),
    Column("prices", "a seat", wraps=True),
    Column("policy", drop=1),
    Column("sold", "new customers"),
)
REST = (Column("key"), Column("what"), Column("prices", "price", wraps=True))


def summary(found: Catalog, *, width: int) -> RenderableType:
    """What a sound catalogue offers, for people."""
    plans = [
        {"key": key, "rhythm": plan.rhythm, "prices": _prices(plan.prices), "policy": plan.policy}
        | {"sold": "yes" if plan.new_customers else "no: legacy"}
        for key, plan in found.plans.items()
    ]
    rest = [{"key": key, "what": "add-on", "prices": _prices(one.prices)} for key, one in found.add_ons.items()]
    for section, what in (("outcome_prices", "outcome"), ("usage_prices", "usage")):
        rest += [
            {"key": key, "what": what, "prices": _prices(priced.prices)}
            for key, priced in getattr(found, section).items()
        ]
    rest += [{"key": key, "what": "coupon", "prices": _off(one)} for key, one in found.coupons.items()]
    head = f"✓ {len(found.plans)} plans, {len(found.add_ons)} add-ons, {len(found.currencies)} currencies: sound"
    title = "Add-ons, prices, coupons"
    return Group(
        Text(head, style="bold"),
        Text(),
        fitting("Plans", PLANS, plans, width=width),
        fitting(title, REST, rest, width=width),
    )


def _prices(prices: Any) -> str:
    """All currencies in one cell; a table of tiers by its number of tiers."""
    return ", ".join(f"{currency} {_price(price)}" for currency, price in prices.items())


def _price(price: Any) -> str:
    match price.scheme:
        case "per_unit":
            return str(price.unit_price)
        case "flat":
            return f"{price.amount} flat"
        case "package":
            return f"{price.pack_price} for {price.size:,}"
        case "included":
            return "included"
        case _:
            return f"{price.tiers[0].unit_price} … {price.tiers[-1].unit_price} ({price.scheme})"


def _off(coupon: Any) -> str:
    off = (
        f"{coupon.percent} %"
        if coupon.percent is not None
        else ", ".join(f"{c} {a}" for c, a in coupon.amounts.items())
    )
    on = f" off {', '.join(coupon.products)}" if coupon.products else " off the invoice"
    ends = f", {coupon.invoices} invoices" if coupon.invoices else f", {coupon.months} months" if coupon.months else ""
    return f"{off}{on}{ends}"
