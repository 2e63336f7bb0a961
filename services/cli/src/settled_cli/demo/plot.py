"""The month as a picture: what was charged and taken back each day, and what stands."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from event_schemas.times import parse_instant

INK, CHARGED, REVERSED, LATE, GRID = "#1f2933", "#2f6fed", "#d64545", "#e8a33d", "#e4e7eb"


Closed = tuple[datetime, datetime, datetime]  # a period's start and end, and its freeze


def closed_periods(truth: dict[str, Any], freeze_hours: float) -> dict[str, list[Closed]]:
    """By customer the periods that end in the month's business time."""
    found: dict[str, list[Closed]] = {}
    for customer, true in truth["customers"].items():
        periods = [invoice["period"] for invoice in true["invoices"] if invoice["period"] is not None]
        spans = [(parse_instant(period["start"]), parse_instant(period["end"])) for period in periods]
        found[customer] = [(since, until, until + timedelta(hours=freeze_hours)) for since, until in spans]
    return found


def draw_month(
    entries: list[dict[str, Any]], *, start: str, end: str, frozen_at: str, closed: dict[str, list[Closed]], path: Path
) -> None:
    """
    Draw the ledger of a month to a PNG.

    Above: charges and reversals of each day by the moment that counts; what came after its period's freeze in another
    colour. Below: the net of the month as it stood, day by day, by the time at which entries were written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.dates import DateFormatter, DayLocator

    begin, finish, freeze = (parse_instant(text) for text in (start, end, frozen_at))
    own = [
        entry
        for entry in entries
        if entry["subject_kind"] == "conversation" and begin <= parse_instant(entry["effective_at"]) < finish
    ]
    days = [begin + timedelta(days=number) for number in range((finish - begin).days)]
    charges, reversals, late = (_by_day(own, kind, closed) for kind in ("charge", "reverse", "late"))
    plt.rcParams.update({"font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK})
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(11, 6.4), height_ratios=(3, 2), constrained_layout=True, sharex=False
    )
    width = 0.8
    above.bar(days, [charges[day.date()] for day in days], width, color=CHARGED, label="charged", align="edge")
    above.bar(days, [-reversals[day.date()] for day in days], width, color=REVERSED, label="reversed", align="edge")
    above.bar(
        days,
        [-late[day.date()] for day in days],
        width,
        bottom=[-reversals[day.date()] for day in days],
        color=LATE,
        label="reversed after the freeze: corrections",
        align="edge",
    )
    above.axhline(0, color=INK, linewidth=0.8)
    above.set_title("Outcomes by the day that they count for", loc="left", fontweight="bold")
    above.legend(frameon=False, ncols=3, loc="upper right", bbox_to_anchor=(1, 1.14))
    written, standing = _standing(own)
    below.step(written, standing, where="post", color=CHARGED, linewidth=1.6)
    below.axvline(freeze, color=LATE, linewidth=1.4, linestyle="--")
    below.annotate("the month's freeze", (freeze, 0), xytext=(4, 6), textcoords="offset points", color=LATE)
    below.set_ylim(bottom=0)
    below.set_title("What the month's ledger came to, as it was written", loc="left", fontweight="bold")
    for axes in (above, below):
        axes.xaxis.set_major_locator(DayLocator(interval=3))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _by_day(entries: list[dict[str, Any]], kind: str, closed: dict[str, list[Closed]]) -> Counter[Any]:
    count: Counter[Any] = Counter()
    for entry in entries:
        counts, written = parse_instant(entry["effective_at"]), parse_instant(entry["recorded_at"])
        after = any(since <= counts < until and written >= freeze for since, until, freeze in closed[entry["customer"]])
        its_kind = "late" if entry["op"] == "reverse" and after else entry["op"]
        if its_kind == kind:
            count[parse_instant(entry["effective_at"]).date()] += 1
    return count


def _standing(entries: list[dict[str, Any]]) -> tuple[list[Any], list[int]]:
    written, standing, total = [], [], 0
    for entry in sorted(entries, key=lambda e: e["recorded_at"]):
        total += 1 if entry["op"] == "charge" else -1
        written.append(parse_instant(entry["recorded_at"]))
        standing.append(total)
    return written, standing
