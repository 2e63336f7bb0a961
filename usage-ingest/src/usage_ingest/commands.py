"""The commands that make, rotate, revoke and list API keys. A secret is printed once and stored nowhere."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.errors import WrongSetting
from chassis.settings import DatabaseSettings, read
from chassis.store import create_engine
from event_schemas.times import iso
from usage_ingest.domain.limits import EVENTS_MAX
from usage_ingest.domain.scope import ANY
from usage_ingest.secret import digest_of, new_secret
from usage_ingest.settings import SCHEMA, SERVICE
from usage_ingest.store.errors import STORE_AWAY
from usage_ingest.store.keys import KeyRefused, NewKey, create_key, list_keys, revoke_key, rotate_key

Answer = TypeVar("Answer")
keys = typer.Typer(help="API keys: made, rotated, revoked, listed.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="the key's name")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}\Z")


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="a name of its own; never used again, also after revocation")],
    source: Annotated[
        list[str] | None, typer.Option(help="sources it may send for; * is a wildcard (default *)")
    ] = None,
    customer: Annotated[list[str] | None, typer.Option(help="customers it may send for (default *)")] = None,
    operator: Annotated[bool, typer.Option(help="may list and replay the quarantine, register customers")] = False,
    quota_per_second: Annotated[float | None, typer.Option(min=0.001, help="events a second, per process")] = None,
    burst: Annotated[
        float | None, typer.Option(min=1, help="events at once; default 2 s of quota, at least 1,000")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it: it is shown this once."""
    if not _NAME.match(name):
        _refuse("a name is 1 to 100 letters, digits and _ . : -")
    if quota_per_second is None and burst is not None:
        _refuse("--burst needs --quota-per-second")
    if quota_per_second is not None and burst is None:
        burst = max(2 * quota_per_second, EVENTS_MAX)
    key = NewKey(name, source or [ANY], customer or [ANY], operator, quota_per_second, burst)
    secret = new_secret()
    _with_engine(lambda engine: create_key(engine, key, digest_of(secret)))
    facts = {"name": name, "sources": key.sources, "customers": key.customers, "operator": operator}
    _show({"key": secret, **facts, "quota_per_second": quota_per_second, "burst": burst}, secret, as_json=as_json)


@keys.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[float, typer.Option(min=0, help="how long the old secret stays valid")] = 24.0,
    as_json: Json = False,
) -> None:
    """Print a new secret; the old one stays valid for the overlap."""
    secret = new_secret()
    ends_at = _with_engine(
        lambda engine: rotate_key(engine, name, digest_of(secret), overlap=timedelta(hours=overlap_hours))
    )
    _show({"key": secret, "name": name, "old_valid_until": iso(ends_at)}, secret, as_json=as_json)


@keys.command()
def revoke(name: Name, as_json: Json = False) -> None:
    """End all secrets of a key, for good; running services act on it within about a second."""
    _with_engine(lambda engine: revoke_key(engine, name))
    _show({"name": name, "revoked": True}, f"{name} is revoked", as_json=as_json)


@keys.command("list")
def list_all(as_json: Json = False) -> None:
    """All keys ever made, without their secrets."""
    rows = [dict(row) for row in _with_engine(list_keys)]
    lines = [
        f"{row['name']}  sources={','.join(row['sources'])}  customers={','.join(row['customers'])}  "
        f"operator={row['operator']}  {'revoked' if row['revoked_at'] else str(row['valid_secrets']) + ' valid'}"
        for row in rows
    ]
    _show({"keys": rows}, "\n".join(lines), as_json=as_json)


def _with_engine(act: Callable[[AsyncEngine], Awaitable[Answer]]) -> Answer:
    async def main() -> Answer:
        engine = create_engine(read(DatabaseSettings, SERVICE).database_url.get_secret_value(), SCHEMA, size=1)
        try:
            return await act(engine)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(main())
    except (WrongSetting, KeyRefused) as refusal:
        _refuse(str(refusal))
    except STORE_AWAY as error:
        _refuse(_why_not(error))


def _why_not(error: Exception) -> str:
    """Whether the database is away, or has nothing of ours yet."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if state is None:
        return "the database does not answer: look at DATABASE_URL, and whether PostgreSQL runs"
    return f"the database refused (SQLSTATE {state}): `python -m usage_ingest migrate` makes the tables"


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    sys.exit(1)


def _show(facts: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(facts, default=_instant) if as_json else sentence)


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
