"""`settled catalog`: what is sold, from a folder of YAML: checked, compared, applied, and written out again."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from settled_cli import at_stripe
from settled_cli.asking import Json, ask
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.line import Line
from settled_cli.tables import Column, fitting

if TYPE_CHECKING:
    from contracts_service.catalog.domain.models import Catalog

SERVICE = "contracts"
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


@catalog.command()
def plan(folder: Folder = DEFAULT, as_json: Json = False) -> None:
    """Say each difference between a folder, what is stored and what Stripe has; nothing is written."""
    sold = read(folder, as_json=as_json)
    document = _document(sold)
    planned = ask(lambda line: _planned(line, document))
    there = ask(at_stripe.gather)
    _tell(planned | {"stripe": at_stripe.held_against(there, sold)}, as_json=as_json, done=False)


@catalog.command()
def apply(
    folder: Folder = DEFAULT,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the catalogue.")] = "applied from a folder",
    actor: Annotated[str, typer.Option(help="Who, such as person:ann.")] = "cli",
    as_json: Json = False,
) -> None:
    """Store a folder as what is sold, all of it or nothing; applying it again changes nothing."""
    document = _document(read(folder, as_json=as_json))
    planned = ask(lambda line: _planned(line, document))
    if planned["refusals"]:
        _tell(planned, as_json=as_json, done=False)
    body = {"catalog": document, "actor": actor, "reason": reason, "number": planned["number"]}
    _tell(ask(lambda line: line.post(SERVICE, "/v1/catalog/apply", body)), as_json=as_json, done=True)


@catalog.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; it must hold no YAML file.")], as_json: Json = False
) -> None:
    """Write what is stored as YAML, a file for each section; planning that folder finds no difference."""
    from contracts_service.catalog.folder import read_document, to_files

    if folder.is_dir() and any(path.suffix in (".yaml", ".yml") for path in folder.rglob("*")):
        fail(f"{folder} holds YAML files, which would be read with the new ones: name an empty folder", Exit.USAGE)
    stored = ask(lambda line: line.get(SERVICE, "/v1/catalog"))
    files = to_files(read_document(stored["catalog"]))
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    if as_json:
        print_json({"number": stored["number"], "folder": str(folder), "files": sorted(files)})
    elif files:
        out.print(f"[green]✓[/] catalogue {stored['number']} is written to {folder}: {', '.join(sorted(files))}")
    else:
        out.print("nothing is stored yet: `settled catalog apply` stores a folder")


async def _planned(line: Line, document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await line.post(SERVICE, "/v1/catalog/plan", {"catalog": document})
    return found


def _document(sold: Catalog) -> dict[str, Any]:
    from contracts_service.catalog.domain.models import content_of

    return content_of(sold)


def _tell(found: dict[str, Any], *, as_json: bool, done: bool) -> NoReturn:
    """What changes, or has changed, and what stands in the way; ends the command."""
    if as_json:
        print_json(found)
    else:
        out.print(differences(found, done=done, width=out.width))
        if "stripe" in found:
            out.print(at_stripe.view(found["stripe"], width=out.width))
    edited = found.get("stripe", {}).get("edited")
    raise typer.Exit(Exit.FINDING if found["refusals"] or edited else Exit.WELL)


CHANGES = (Column("what"), Column("entry"), Column("sentence", "in words", wraps=True))
REFUSALS = (Column("code", "refused"), Column("sentence", "why, and the way out", wraps=True))


def differences(found: dict[str, Any], *, done: bool, width: int) -> RenderableType:
    """A plan, or what was applied, for people."""
    changes, refusals = found["changes"], found["refusals"]
    parts: list[RenderableType] = []
    if changes:
        rows = [{**one, "entry": f"{one['section']}.{one['key']}"} for one in changes]
        title = f"{len(changes)} difference{'s' if len(changes) > 1 else ''}, {found['unchanged']} entries unchanged"
        parts.append(fitting(title, CHANGES, rows, width=width))
    if refusals:
        parts += [fitting("Refused", REFUSALS, refusals, width=width), Text("✗ nothing was applied", style="bold red")]
    elif done and changes:
        parts.append(Text(f"✓ applied: the catalogue is number {found['number']}", style="bold green"))
    elif not changes:
        parts.append(Text(f"✓ nothing to do: the catalogue is number {found['number']}, and the folder says the same"))
    return Group(*parts)


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
