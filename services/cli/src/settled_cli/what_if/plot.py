"""A draft as a picture: whose money moves, how it spreads over all customers, and what each currency comes to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from event_schemas.values import Currency
from settled_cli.demo.plot import CHARGED, GRID, INK, REVERSED
from settled_cli.sheets import major
from settled_cli.what_if.domain.reckoning import Sum, Tried, sums
from settled_cli.what_if.trying import Answer
from settled_cli.what_if.views import NONE, amount, percent, signed

QUIET = "#9aa5b1"  # as agreed
ROWS = 14
WORDS = ("less", "the same", "more")
WIDEST = 100  # percent either way; what moves further is counted at the edge


def draw(answer: Answer, path: Path) -> None:
    """
    Draw what a draft came to, to a PNG.

    Left: the customers of the largest currency that move most (of one customer, the items), as agreed and by the draft.
    Right: how many customers move by how much, in percent; and each currency's sum. Before taxes.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    of = sums(answer.tried)
    largest = max(of, key=lambda currency: (of[currency].customers, of[currency].before))
    plt.rcParams.update({"font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK})
    plt.rcParams.update({"xtick.color": INK, "ytick.color": INK, "axes.edgecolor": INK})
    figure = plt.figure(figsize=(11, 6.4), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    grid = figure.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(3, 2))
    figure.suptitle(f"What if: {answer.name}", x=0.012, ha="left", fontsize=15, fontweight="bold")
    one = answer.tried[0] if len(answer.tried) == 1 else None
    _rows(figure.add_subplot(grid[:, 0]), _pairs(answer.tried, largest), largest, one=one)
    if one is None:
        _spread(figure.add_subplot(grid[0, 1]), answer.tried)
    _sums(figure.add_subplot(grid[0 if one else 1, 1]), of)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _pairs(tried: Sequence[Tried], currency: Currency) -> list[tuple[str, int, int]]:
    """(name, before, after) of the rows, what moves most first."""
    if len(tried) == 1:
        one = tried[0]
        both = [(key, one.before.items.get(key, NONE).minor, one.after.items.get(key, NONE).minor) for key in one.items]
    else:
        both = [(one.customer, one.before.minor, one.after.minor) for one in tried if one.currency is currency]
        both = [row for row in both if row[1] != row[2]] or both
    return sorted(both, key=lambda row: (-abs(row[2] - row[1]), row[0]))[:ROWS]


def _rows(axes: Any, pairs: Sequence[tuple[str, int, int]], currency: Currency, *, one: Tried | None) -> None:
    places = list(range(len(pairs), 0, -1))
    before = [float(major(row[1], currency)) for row in pairs]  # for drawing alone
    after = [float(major(row[2], currency)) for row in pairs]
    colours = [CHARGED if row[2] > row[1] else REVERSED if row[2] < row[1] else QUIET for row in pairs]
    axes.hlines(places, before, after, color=colours, linewidth=2.4, alpha=0.45, zorder=2)
    axes.scatter(before, places, s=46, facecolor="white", edgecolor=QUIET, linewidth=1.8, zorder=3, label="as agreed")
    axes.scatter(after, places, s=46, color=colours, zorder=4)
    axes.scatter([], [], s=46, color=CHARGED, label="by the draft, more")
    axes.scatter([], [], s=46, color=REVERSED, label="by the draft, less")
    right = max([*before, *after, 0.01])
    for place, row, x, colour in zip(places, pairs, map(max, before, after), colours, strict=True):
        axes.annotate(
            signed(row[2] - row[1], currency) or "as it is",
            (x, place),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colour,
        )
    axes.set_xlim(min(0, *before, *after) - right * 0.02, right * 1.16)
    axes.set_ylim(0.3, len(pairs) + 0.7)
    axes.set_yticks(places, [row[0] if len(row[0]) <= 24 else row[0][:23] + "…" for row in pairs])
    what = f"{one.customer}, item by item" if one else "Whose money moves most"
    axes.set_title(f"{what}, in {currency.value} before taxes", loc="left", fontweight="bold")
    axes.legend(frameon=False, ncols=3, loc="upper left", bbox_to_anchor=(-0.01, -0.05), fontsize=9, handletextpad=0.2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _dress(axes, grid="x")


def _spread(axes: Any, tried: Sequence[Tried]) -> None:
    moves = [_percent(one) for one in tried if one.before.minor > 0]
    reach = min(WIDEST, max([10, *(int(abs(move)) // 10 * 10 + 10 for move in moves)]))
    step = 2 * reach / 21  # one bin holds what does not move
    inside = [max(-reach, min(reach, move)) for move in moves]
    kinds = [[move for move in inside if _sign(move) == sign] for sign in (-1, 0, 1)]
    axes.hist(
        kinds,
        bins=[-reach + step * number for number in range(22)],
        stacked=True,
        color=[REVERSED, QUIET, CHARGED],
        edgecolor="white",
        linewidth=0.8,
    )
    axes.set_title("Customers by how much they move", loc="left", fontweight="bold", pad=22)
    for x, count, word, colour in zip((0, 0.5, 1), map(len, kinds), WORDS, (REVERSED, QUIET, CHARGED), strict=True):
        side = {0: "left", 0.5: "center", 1: "right"}[x]
        axes.text(x, 1.03, f"{count:,} {word}", ha=side, fontsize=9, color=colour, transform=axes.transAxes)
    beyond = any(abs(move) > reach for move in moves)
    axes.set_xlim(-reach, reach)
    axes.set_xticks([-reach, -reach // 2, 0, reach // 2, reach])
    axes.xaxis.set_major_formatter(lambda value, _: _tick(round(value), reach, beyond=beyond))
    axes.yaxis.get_major_locator().set_params(integer=True)
    _dress(axes, grid="y")


def _sums(axes: Any, of: dict[Currency, Sum]) -> None:
    """One row for each currency: two of them never add up."""
    axes.set_axis_off()
    axes.set_title("All of them, before taxes", loc="left", fontweight="bold")
    columns = ((0.0, "left"), (0.5, "right"), (0.8, "right"), (1.0, "right"))
    rows = [("", "as agreed", "by the draft", "")]
    rows += [
        (c.value, amount(s.before, c), amount(s.after, c), f"{percent(s.before, s.after) or '0'} %")
        for c, s in of.items()
    ]
    for number, row in enumerate(rows):
        y = 0.93 - number * 0.15
        sum_ = list(of.values())[number - 1] if number else None
        moved = (
            CHARGED if sum_ and sum_.after > sum_.before else REVERSED if sum_ and sum_.after < sum_.before else QUIET
        )
        for (x, side), text in zip(columns, row, strict=True):
            colour = QUIET if number == 0 else moved if x == 1.0 else INK
            axes.text(x, y, text, ha=side, va="top", fontsize=10, color=colour, transform=axes.transAxes)


def _percent(one: Tried) -> float:
    return float(Decimal(one.difference) * 100 / one.before.minor)


def _sign(move: float) -> int:
    return (move > 0) - (move < 0)


def _tick(value: int, reach: int, *, beyond: bool) -> str:
    """The ends hold all that moves further."""
    mark = {-reach: "≤ ", reach: "≥ "}.get(value, "") if beyond else ""
    return f"{mark}{value:+d} %" if value else "0"


def _dress(axes: Any, *, grid: str) -> None:
    axes.grid(axis=grid, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
