"""The commands about the quarantine's seals: make a key, see which are in use, seal anew under the first one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.errors import WrongSetting
from chassis.settings import read
from chassis.store import create_engine
from usage_ingest.seals import Seals
from usage_ingest.seals import new_key as make_key
from usage_ingest.settings import SCHEMA, SERVICE, RenewSettings
from usage_ingest.store.contents import seal_anew, seals_in_use
from usage_ingest.store.errors import STORE_AWAY

Answer = TypeVar("Answer")
seals = typer.Typer(help="The keys under which the quarantine is sealed.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
STEP = 50  # contents in a transaction: each may be as large as a request


@seals.command("new-key")
def new_key(
    key_id: Annotated[str | None, typer.Option("--id", help="a name for the key; default a random one")] = None,
) -> None:
    """Print a new key as `QUARANTINE_KEYS` takes it; it is stored nowhere."""
    try:
        typer.echo(make_key(key_id))
    except WrongSetting as wrong:
        _refuse(str(wrong))


@seals.command("list")
def list_seals(as_json: Json = False) -> None:
    """How many contents each key has sealed, and whether it is given."""
    in_use, given = _with_engine(lambda engine, keys: _in_use(engine, keys))
    rows = [{"key": name, "contents": in_use.get(name, 0), "given": name in given} for name in {**given, **in_use}]
    lines = [f"{row['key']}  {row['contents']} contents{'' if row['given'] else ', key not given'}" for row in rows]
    typer.echo(json.dumps({"keys": rows}) if as_json else "\n".join(lines))


@seals.command()
def renew(as_json: Json = False) -> None:
    """Seal everything anew under the first key, so that the others can be taken away; safe to repeat."""
    sealed, left = _with_engine(_renew)
    if as_json:
        typer.echo(json.dumps({"sealed_anew": sealed, "left": left}))
    else:
        typer.echo(f"{sealed} contents are sealed anew")
    if left:
        names = ", ".join(left)
        _refuse(f"{sum(left.values())} stay under {names}: the key is not given, or the seal is broken")


async def _in_use(engine: AsyncEngine, keys: Seals) -> tuple[dict[str, int], dict[str, None]]:
    return await seals_in_use(engine), dict.fromkeys(keys.key_ids)


async def _renew(engine: AsyncEngine, keys: Seals) -> tuple[int, dict[str, int]]:
    total, after = 0, 0
    while True:
        done, going_on = await seal_anew(engine, keys, after=after, most=STEP)
        total += done
        if going_on is None:
            break
        after = going_on
    left = {name: count for name, count in (await seals_in_use(engine)).items() if name != keys.key_ids[0]}
    return total, left


def _with_engine(act: Callable[[AsyncEngine, Seals], Awaitable[Answer]]) -> Answer:
    async def main() -> Answer:
        settings = read(RenewSettings, SERVICE)
        engine = create_engine(settings.database_url.get_secret_value(), SCHEMA, size=1)
        try:
            return await act(engine, settings.seals())
        finally:
            await engine.dispose()

    try:
        return asyncio.run(main())
    except WrongSetting as refusal:
        _refuse(str(refusal))
    except STORE_AWAY:
        _refuse("the database did not answer as it should: is DATABASE_URL right, and was `migrate` run?")


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    sys.exit(1)
