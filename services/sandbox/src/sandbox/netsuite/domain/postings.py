"""What a transaction does to the general ledger: postings that sum to zero, in the transaction's currency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.netsuite.domain.amounts import ZERO, product, rounded, total

Body = dict[str, Any]


class OutOfBalance(Exception):
    """The postings of a transaction do not sum to zero: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Posting:
    """
    One line of the ledger: debit is above zero, credit below.

    `line` is the number of the record's line it comes from, 0 for the main one; `base` is the amount in the
    subsidiary's own currency.
    """

    line: int
    account: str
    amount: Decimal
    base: Decimal
    source: Body | None = None


def postings(record: Body, *, picked: Callable[[str], tuple[str, Decimal]], base_precision: int) -> list[Posting]:
    """
    The postings of a transaction.

    Args:
        picked: the Undeposited Funds account and the signed amount of a payment or refund that a deposit picks.

    Raises:
        OutOfBalance: they do not sum to zero.
    """
    lines: list[tuple[int, str, Decimal, Body | None]] = []
    match record["type"]:
        case "invoice":
            lines += [(n, one["postsTo"]["account"], -one["amount"], one) for n, one in _numbered(record, "item")]
            main = record["account"]
        case "creditMemo":
            lines += [(n, one["postsTo"]["account"], one["amount"], one) for n, one in _numbered(record, "item")]
            main = record["account"]
        case "customerPayment":
            main = record["account"]
            lines.append((1, record["arAcct"], -record["payment"], None))
        case "customerRefund":
            main = record["account"]
            amount = total(one["amount"] for one in record["lines"]["apply"])
            lines.append((1, record["arAcct"], amount, None))
        case "deposit":
            main = record["account"]
            for one in record["lines"]["payment"]:
                account, amount = picked(one["id"])
                lines.append((len(lines) + 1, account, -amount, one))
            lines += [(len(lines) + n, one["account"], -one["amount"], one) for n, one in _numbered(record, "other")]
            lines += [(len(lines) + n, one["account"], one["amount"], one) for n, one in _numbered(record, "cashBack")]
        case "journalEntry":
            lines = [
                (n, one["account"], (one.get("debit") or ZERO) - (one.get("credit") or ZERO), one)
                for n, one in _numbered(record, "line")
            ]
            return _balanced([_posting(*line, record, base_precision) for line in lines])
        case other:
            raise KeyError(other)
    made = [_posting(*line, record, base_precision) for line in lines]
    amount, base = -total(one.amount for one in made), -total(one.base for one in made)
    return _balanced([Posting(0, main, amount, base), *made])


def _numbered(record: Body, sublist: str) -> list[tuple[int, Body]]:
    return list(enumerate(record["lines"].get(sublist, ()), 1))


def _posting(line: int, account: str, amount: Decimal, source: Body | None, record: Body, precision: int) -> Posting:
    return Posting(line, account, amount, rounded(product(amount, record["exchangeRate"]), precision), source)


def _balanced(made: list[Posting]) -> list[Posting]:
    if total(one.amount for one in made) != ZERO:
        raise OutOfBalance
    return made
