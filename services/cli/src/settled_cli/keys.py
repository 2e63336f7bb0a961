"""`settled keys`: who may ask the services of this line. `python -m chassis keys` does the same on any file of keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from chassis import key_file
from chassis.keyring import KeyRefused, KeyScope, new_secret
from event_schemas.times import iso
from settled_cli.console import fail, out, print_json
from settled_cli.fleet import Fleet

T = TypeVar("T")
keys = typer.Typer(help="Who may ask the services: keys with a scope.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The key's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON.")]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="A name of its own; never used again, also after revocation.")],
    scope: Annotated[Literal["read", "operate", "admin"], typer.Option(help="Each includes those before it.")] = "read",
    as_json: Json = False,
) -> None:
    """Make a key and print its secret: it is shown this once."""
    secret = new_secret()
    _asked(lambda file: key_file.create_key(file, name, KeyScope.of(scope), secret=secret))
    if as_json:
        print_json({"key": secret, "name": name, "scope": scope})
    else:
        typer.echo(secret)


@keys.command()
def rotate(
    name: Name,
    overlap_hours: Annotated[float, typer.Option(min=0, help="How long the old secret stays good.")] = 24.0,
    as_json: Json = False,
) -> None:
    """Make a new secret and print it; for a key that `up` made it is put where it is used instead."""
    secret = new_secret()
    ends = _asked(lambda file: key_file.rotate_key(file, name, secret=secret, overlap=timedelta(hours=overlap_hours)))
    kept = _file() == Fleet().keys_file and Fleet().keep_secret(name, secret)
    if as_json:
        print_json({"key": None if kept else secret, "name": name, "old_valid_until": iso(ends)})
    else:
        typer.echo(f"{name} goes on with its new secret" if kept else secret)


@keys.command()
def revoke(name: Name, as_json: Json = False) -> None:
    """End a key for good; running services act on it within two seconds."""
    _asked(lambda file: key_file.revoke_key(file, name))
    if as_json:
        print_json({"name": name, "revoked": True})
    else:
        out.print(f"{name} is revoked")


@keys.command("list")
def list_all(as_json: Json = False) -> None:
    """All keys ever made, without their secrets."""
    rows = _asked(key_file.listed)
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            until = f" to {row['expires_at']}" if row["expires_at"] else ""
            out.print(f"{row['name']}  {row['scope']}  {row['state']}{until}")


def _asked(act: Callable[[Path], T]) -> T:
    try:
        return act(_file())
    except KeyRefused as refused:
        fail(str(refused))


def _file() -> Path:
    given = os.environ.get(key_file.SETTING)
    return Path(given) if given else Fleet().keys_file
