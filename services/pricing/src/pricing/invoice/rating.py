"""Where a price meets a quantity: what no clause covers, item by item. Source: golden rules R1, R2 and R5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from pricing.amounts import money
from pricing.draft import Basis, Draft, Segment
from pricing.invoice.commitment import committed_units
from pricing.lines import ZERO, Counts, CoveredBy, Kind, Line, Why
from pricing.models import priced
from pricing.models.charge import Priced
from pricing.periods import say
from pricing.prices import Included
from pricing.terms import Metered


def rating(basis: Basis, draft: Draft) -> Draft:
    """
    Price each metered item on the units of its whole life in the period; its tiers begin with the first of them.

    Units above a commitment are of kind overage. The first line of an item tells what was reversed or capped.
    """
    committed = {clause.meter for clause in basis.terms.commitments if committed_units(basis, clause)}
    lines = list(draft.lines)
    in_price: dict[str, Decimal] = {}
    for item, segments in _by_item(draft.segments):
        quantity = sum((segment.left for segment in segments), ZERO)
        answer = priced(item.price, quantity)
        if answer.free:
            in_price[item.meter] = in_price.get(item.meter, ZERO) + answer.free
        kind = Kind.OVERAGE if item.meter in committed else Kind.USAGE
        if isinstance(item.price, Included):
            kind = Kind.INCLUDED
        counts = _counts(segments)
        lines += _lines(basis, item, kind, answer, segments, counts)
        if counts is not None and not answer.charges:
            _tell(lines, item.key, counts)
    return replace(draft, lines=tuple(lines), in_price=in_price)


def _by_item(segments: tuple[Segment, ...]) -> Iterable[tuple[Metered, list[Segment]]]:
    groups: dict[str, tuple[Metered, list[Segment]]] = {}
    for segment in segments:
        if segment.item is not None:
            groups.setdefault(segment.item.key, (segment.item, []))[1].append(segment)
    return groups.values()


def _lines(
    basis: Basis, item: Metered, kind: Kind, answer: Priced, segments: list[Segment], counts: Counts | None
) -> Iterator[Line]:
    if not answer.charges:
        return
    source = _source(basis, item, answer, segments)
    for charge in answer.charges:
        yield Line(
            item=item.key,
            kind=kind,
            amount=money(charge.exact, basis.currency),
            period=basis.ended,
            why=Why(f"items.{item.key}", source, charge.formula, charge.exact, item.price_version),
            meter=item.meter,
            quantity=charge.quantity,
            unit_price=charge.unit_price,
            tier=charge.tier,
            packs=charge.packs,
            covered_by=CoveredBy.PRICE if kind is Kind.INCLUDED else None,
            counts=counts if charge is answer.charges[0] else None,
        )


def _source(basis: Basis, item: Metered, answer: Priced, segments: list[Segment]) -> str:
    """Where the quantity comes from: the ledger's charges, and what was taken off them."""
    parts = [f"{_sum(segments, 'charged'):f} charged for {item.meter} in {say(basis.ended)}"]
    for field, words in (
        ("reversed", "reversed"),
        ("capped", "above the hard limit"),
        ("included", "in an allowance"),
        ("committed", "in a commitment"),
    ):
        if taken := _sum(segments, field):
            parts.append(f"less {taken:f} {words}")
    if answer.free:
        parts.append(f"less {answer.free:f} free by the price")
    return ", ".join(parts)


def _sum(segments: list[Segment], field: str) -> Decimal:
    if len(segments) == 1:
        return getattr(segments[0], field)  # type: ignore[no-any-return]  # a field of decimals
    return sum((getattr(segment, field) for segment in segments), ZERO)


def _counts(segments: list[Segment]) -> Counts | None:
    """Gross and reversed counts stay on the line, and so does what a limit kept off it. Source: R7 and R8."""
    reversed_, capped = _sum(segments, "reversed"), _sum(segments, "capped")
    if not reversed_ and not capped:
        return None
    limit = next((segment.capped_at for segment in reversed(segments) if segment.capped), None)
    return Counts(_sum(segments, "charged"), reversed_, capped, limit)


def _tell(lines: list[Line], item: str, counts: Counts) -> None:
    """Nothing of the item is left to price: the first line that covers it tells the counts."""
    for place, line in enumerate(lines):
        if line.item == item and line.kind in _COUNTED:
            lines[place] = replace(line, counts=counts)
            return


_COUNTED = (Kind.USAGE, Kind.OVERAGE, Kind.INCLUDED)
