"""The command `settled bench`, its table, its plot, and the comparison of two results."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from embedded_stack import StackError
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.demo.command import Replace
from settled_cli.fleet import Fleet
from settled_cli.folders import STATE, FolderRefused, work_folder
from settled_cli.line import LineError

if TYPE_CHECKING:
    from settled_cli.bench.run import Bench

OUT = Path("out/bench")
FIGURES = (  # key, what it is, bound, whether more is better
    ("signals_per_second", "signals/s to the ledger at the fixed rate", 25_000, True),
    ("highest_held_for_60_s", "highest rate held for 60 s", None, True),
    ("request_p95_ms", "request p95 at half of the maximum, ms", 25, False),
    ("signal_to_ledger_p95_ms", "signal to ledger p95 at 10,000/s, ms", 25, False),
    ("signal_to_stripe_p99_s", "signal to Stripe p99 at 500/s, s", 2, False),
    ("differences", "differences", 0, False),
)


def bench(
    rate: Annotated[float, typer.Option(min=1, help="Signals per second of the long run.")] = 26_000,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long the long run lasts.")] = 300,
    interleave: Annotated[
        int, typer.Option(min=1, help="Conversations open at once: more touch more rows a batch.")
    ] = 20_000,
    scale: Annotated[
        float, typer.Option(min=0.001, max=1, help="Shorten the other phases, to try the benchmark itself.")
    ] = 1.0,
    compare: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Another result to hold this one against.")
    ] = None,
    replace: Replace = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure the whole line on this machine, load generator, broker and database included."""
    from settled_cli.bench.run import Bench  # here: an HTTP client that no other command needs, half of their start

    before = _result_of(compare) if compare else None
    try:
        with work_folder(OUT, "settled bench", replace=replace):
            made = _measure(Bench(Fleet(OUT / STATE), rate, seconds, interleave, scale=scale))
    except FolderRefused as refused:
        fail(str(refused), Exit.USAGE)
    if as_json:
        print_json(made.result)
    else:
        _show(made.result, before)
    raise typer.Exit(Exit.FINDING if made.result["differences"] else Exit.WELL)


def _result_of(file: Path) -> dict[str, Any]:
    """An earlier result, read before anything is measured: it may lie in the folder that is emptied."""
    try:
        result = json.loads(file.read_text())
    except (UnicodeDecodeError, json.JSONDecodeError):
        result = None
    if not isinstance(result, dict):
        fail(f"{file} is not a result of settled bench: name a result.json", Exit.USAGE)
    return result


def _measure(made: Bench) -> Bench:
    try:
        with err.status("starting") as status:
            asyncio.run(made.run(status.update if err.is_terminal else err.print))
    except (StackError, LineError) as error:
        fail(str(error), Exit.NOT_RUNNING)
    finally:
        (OUT / "result.json").write_text(json.dumps(made.result, indent=2))
        with err.status("stopping"):
            made.fleet.down(remove_state=True)
    _plot(made, OUT / "bench.png")
    return made


def _show(result: dict[str, Any], other: dict[str, Any] | None) -> None:
    table = Table(title="The line on this machine", title_justify="left", box=SIMPLE_HEAD)
    for name in ("figure", "bound", "measured", *(["before", "ratio"] if other else [])):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for key, what, bound, more in FIGURES:
        value = result.get(key)
        holds = bound is None or value is None or (value >= bound if more else value <= bound)
        row = [what, f"{bound:,}" if bound is not None else "", f"[{'green' if holds else 'red'}]{value:,}[/]"]
        if other:
            before = other.get(key)
            row += [f"{before:,}", f"{value / before:.2f}" if before else ""]
        table.add_row(*row)
    out.print(table)
    used = Table(title="What each process used", title_justify="left", box=SIMPLE_HEAD)
    for name in ("process", "CPU s per 100k signals", "MB"):
        used.add_column(name, justify="left" if name == "process" else "right")
    for name, figures in result["processes"].items():
        used.add_row(name, f"{figures['cpu_s_per_100k_signals']:.3f}", f"{figures['resident_mb']:,}")
    out.print(used)
    out.print(
        f"conversations touched per signal: {result['conversations_touched_per_signal']}; charges/s:"
        f" {result['charges_per_second']}; raw limits: {result['raw']}"
    )


def _plot(made: Bench, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(10, 5.4), sharex=True, constrained_layout=True)
    seconds = [row[0] for row in made.series]
    above.plot(seconds, [row[1] for row in made.series], color="#2f6fed")
    above.axhline(made.rate, color="#9aa5b1", linestyle="--", linewidth=1)
    above.set_title("Signals received per second", loc="left", fontweight="bold")
    above.set_ylim(bottom=0)
    below.plot(seconds, [row[2] for row in made.series], color="#e8a33d")
    below.set_title("Signals not yet in the ledger", loc="left", fontweight="bold")
    below.set_xlabel("seconds")
    below.set_ylim(bottom=0)
    for axes in (above, below):
        axes.grid(axis="y", color="#e4e7eb")
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.savefig(path, dpi=130)
    plt.close(figure)
