"""A document as `$include` wants it."""

from __future__ import annotations

from typing import Any

from sandbox.avatax.summaries import by_tax_type

Body = dict[str, Any]
KNOWN = frozenset(
    {"lines", "details", "summary", "addresses", "summaryonly", "linesonly", "taxdetailsbytaxtype", "forcetimeout"}
)


def shown(body: Body, include: frozenset[str]) -> Body:
    """
    Without what only the stand-in knows, and with the parts that are asked for.

    Summary implies details, and details imply lines; SummaryOnly and LinesOnly leave out what they do not name.
    """
    wanted = {name: value for name, value in body.items() if not name.startswith("_")}
    if "summaryonly" in include:
        lines, details, summary = False, False, True
    elif "linesonly" in include:
        lines, details, summary = True, False, False
    else:
        summary = "summary" in include
        details = summary or "details" in include
        lines = details or "lines" in include
    if not summary:
        del wanted["summary"]
    if "addresses" not in include:
        del wanted["addresses"]
    if not lines:
        del wanted["lines"]
    elif not details:
        wanted["lines"] = [{name: value for name, value in line.items() if name != "details"} for line in body["lines"]]
    if "taxdetailsbytaxtype" in include:
        wanted["taxDetailsByTaxType"] = by_tax_type(body)
    return wanted
