"""Unsealing what a quarantined event said, for an operator; that it was read, by whom, is logged, and nothing of it."""

from __future__ import annotations

import logging

from chassis.problems import Problem
from usage_ingest.parts import Parts
from usage_ingest.seals import CannotOpen
from usage_ingest.store.contents import quarantined_row, row_key, sealed_of

log = logging.getLogger(__name__)


async def open_content(quarantine_id: int, *, by: str, parts: Parts) -> str:
    """
    The content of a row, as text.

    Args:
        by: name of the operator's key.

    Raises:
        Problem: 404 no such row, or nothing kept for it; 409 its seal does not open.
    """
    async with parts.engine.connect() as connection:
        row = await quarantined_row(connection, quarantine_id)
        sealed = await sealed_of(connection, quarantine_id) if row is not None else None
    if row is None:
        raise Problem(404, "no_such_row", "no event of the quarantine has this id")
    if sealed is None:
        raise Problem(
            404, "no_content", "nothing is sealed for this row: its event fits its schema, or is kept no longer"
        )
    log.info("sealed content read", extra={"key": by, "row": quarantine_id})  # before: no reading without its line
    try:
        return parts.seals.open(sealed, row_key(row)).decode("utf-8", "replace")
    except CannotOpen as closed:
        raise Problem(409, "seal_closed", str(closed)) from None
