"""
Load, decide, save: a command becomes a revision in one transaction, with its key and what is to be published.

Two changes of one contract at once: both decide about the same revision, one stores the next, the other is told. The
catalogue cannot be applied in between, so what a revision uses is on offer when it is stored.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.problems import Problem
from contracts_service.agreements.domain.commands import AnyCommand, Quote, Sign
from contracts_service.agreements.domain.decide import Refusal, decide
from contracts_service.agreements.domain.money import Foreseen, foresee
from contracts_service.agreements.domain.signing import Quoted
from contracts_service.agreements.store import (
    Known,
    append_revision,
    claim_key,
    command_of_key,
    contract_at_rest,
    quote_at_rest,
    record_quote_once,
)
from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.store import catalog_of_number, ensure_uses, lock, newest_catalog
from contracts_service.gaps import FAILPOINTS
from contracts_service.parts import Parts, must_be_storable
from event_schemas.contract_v2 import ContractV2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Carried:
    """A contract after a command; `repeated` where the key was known, and nothing was done but to answer again."""

    contract: ContractV2
    repeated: bool
    money: Foreseen | None = None  # of what was only tried


class KeyTaken(Exception):
    """Somebody has just used the same key: what became of it can be read now."""


async def carry_out(customer: str, command: AnyCommand, *, by: str, dry_run: bool, parts: Parts) -> Carried:
    """
    Carry a command out once, whoever sends it how often.

    Raises:
        Problem: 409 where the contract has moved on or the key was used for something else, 404 where there is no
            contract, 422 where the rules say no. Nothing is written then, nor with `dry_run`.
    """
    must_be_storable(command.model_dump(mode="json"))
    print_of = fingerprint(customer, command)
    for _ in range(3):
        try:
            async with parts.engine.begin() as connection:
                carried = await _once(connection, customer, command, print_of, by=by, dry_run=dry_run, parts=parts)
        except KeyTaken:
            continue
        if not carried.repeated and not dry_run:
            parts.written.set()
            FAILPOINTS.reach("command.before-answer")
            extra = {"customer": customer, "revision": carried.contract.revision, "command": command.do}
            log.info("contract changed", extra=extra)
        return carried
    raise Problem(409, "key_in_use", "another request with this key is under way; send it again", field="key")


async def _once(
    connection: AsyncConnection,
    customer: str,
    command: AnyCommand,
    print_of: bytes,
    *,
    by: str,
    dry_run: bool,
    parts: Parts,
) -> Carried:
    if (known := await command_of_key(connection, command.key)) is not None:
        return await answer_again(connection, known, print_of)
    await lock(connection, "catalog", shared=True)
    kept = await newest_catalog(connection)
    contract = await contract_at_rest(connection, customer)
    quoted = await _quoted(connection, command.quote) if isinstance(command, Sign) else None
    decided = decide(customer, command, contract, kept.offered(), now=parts.clock.now(), quoted=quoted)
    if isinstance(decided, Refusal):
        if await command_of_key(connection, command.key) is not None:
            raise KeyTaken  # refused for what the same command has just done
        raise _problem(decided)
    if decided.unchanged:
        return Carried(decided.contract, repeated=True)
    if dry_run:
        return Carried(decided.contract, repeated=False, money=foresee(contract, decided.contract))
    known = Known(print_of, customer, decided.contract.revision)
    if not await claim_key(connection, command.key, known):
        raise KeyTaken
    if not await append_revision(connection, decided, command, catalog=kept.number, asked_by=by):
        raise changed_meanwhile(decided.contract)
    await ensure_uses(connection, customer, decided.uses)
    return Carried(decided.contract, repeated=False)


def changed_meanwhile(contract: ContractV2) -> Problem:
    """The refusal of a revision where somebody else has stored another after the one before it."""
    sentence = (
        f"somebody else has changed the contract of {contract.customer} at the same time; look at it, and decide again"
    )
    return Problem(409, "changed_meanwhile", sentence, field="customer")


async def answer_again(connection: AsyncConnection, known: Known, print_of: bytes) -> Carried:
    """What became of a command under its key. Raises Problem 409 where the key stands for another command."""
    if known.fingerprint != print_of:
        sentence = "this key was used for another command; take a new key for each command, and the same to repeat it"
        raise Problem(409, "key_reused", sentence, field="key")
    contract = await contract_at_rest(connection, known.customer, known.revision)
    assert contract is not None
    return Carried(contract, repeated=True)


async def _quoted(connection: AsyncConnection, name: str) -> Quoted | None:
    row = await quote_at_rest(connection, name)
    if row is None:
        return None
    kept = await catalog_of_number(connection, row["catalog"])
    return _at_prices_of(kept.offered(), Quote.model_validate(row["document"]))


def _at_prices_of(catalog: Catalog, quote: Quote) -> Quoted:
    return Quoted(quote.quote, quote.customer, quote.deal, quote.valid_until, quote.terms, catalog)


async def make_quote(quote: Quote, *, by: str, parts: Parts) -> None:
    """
    Keep a quote. The same one again is fine.

    Raises:
        Problem: 409 where the name stands for another quote, 422 where it could not be signed as it is.
    """
    must_be_storable(quote.model_dump(mode="json"))
    async with parts.engine.begin() as connection:
        await lock(connection, "catalog", shared=True)
        kept, now = await newest_catalog(connection), parts.clock.now()
        had = await quote_at_rest(connection, quote.quote)
        if had is not None:
            _must_be_the_same(quote, Quote.model_validate(had["document"]))
            return
        sign = Sign(do="sign", quote=quote.quote, key="quote", actor=quote.actor, reason="quoted")
        catalog = kept.offered()
        decided = decide(quote.customer, sign, None, catalog, now=now, quoted=_at_prices_of(catalog, quote))
        if isinstance(decided, Refusal):
            raise _problem(decided)
        if not await record_quote_once(connection, quote, catalog=kept.number, at=now, asked_by=by):
            raise Problem(409, "quote_in_use", "another request makes a quote of this name; ask again", field="quote")


def _must_be_the_same(quote: Quote, had: Quote) -> None:
    if quote != had:
        sentence = f"there is another quote named {quote.quote}; a quote is never edited, make a new one"
        raise Problem(409, "quote_exists", sentence, field="quote")


def fingerprint(customer: str, command: AnyCommand) -> bytes:
    """The same for the same command of the same customer."""
    content = command.model_dump(mode="json", exclude_defaults=True) | {"customer": customer}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def _problem(refusal: Refusal) -> Problem:
    flaw = refusal.flaw
    status = 409 if refusal.moved else 404 if flaw.code == "unknown_customer" else 422
    reasons = [asdict(one) for one in refusal.flaws]
    return Problem(status, flaw.code, flaw.sentence, field=flaw.field or None, refusals=reasons)
