"""
`python -m chassis keys create|rotate|revoke|list`: the keys by which people, commands and services ask our services.

The file is --file, else ACCESS_KEYS_FILE. A secret is printed once and kept nowhere but with --into.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from chassis import key_file
from chassis.keyring import KeyRefused, KeyScope, new_secret
from event_schemas.times import iso


def main(arguments: list[str]) -> int:
    """Run one command: 0 done, 1 refused, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    path = options.file or os.environ.get(key_file.SETTING)
    if not path:
        sys.stderr.write(f"name the file of keys: --file, or {key_file.SETTING}\n")
        return 2
    try:
        facts, sentence = _COMMANDS[options.command](Path(path), options)
    except KeyRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    sys.stdout.write(f"{json.dumps(facts) if options.json else sentence}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chassis", description=__doc__)
    keys = parser.add_subparsers(dest="subject", required=True).add_parser("keys", help="make, rotate, revoke, list")
    commands = keys.add_subparsers(dest="command", required=True)
    made = commands.add_parser("create", help="a new key; its secret is printed this once")
    made.add_argument("--scope", choices=[str(scope) for scope in KeyScope], default="read")
    rotated = commands.add_parser("rotate", help="a new secret; the old one stays good for the overlap")
    rotated.add_argument("--overlap-hours", type=float, default=24.0)
    ended = commands.add_parser("revoke", help="end a key for good; services act on it within two seconds")
    for command in (made, rotated, ended):
        command.add_argument("name")
    for command in (made, rotated):
        command.add_argument("--into", type=Path, help="put the secret in this file (mode 0600) instead of printing it")
    for command in (made, rotated, ended, commands.add_parser("list", help="all keys, without secrets")):
        command.add_argument("--file", help=f"default: {key_file.SETTING}")
        command.add_argument("--json", action="store_true")
    return parser


def _create(path: Path, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    secret = new_secret()
    key_file.create_key(path, options.name, KeyScope.of(options.scope), secret=secret)
    return _hand_over({"name": options.name, "scope": options.scope}, secret, options.into)


def _rotate(path: Path, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if options.overlap_hours < 0:
        raise KeyRefused("--overlap-hours is 0 or more")
    secret = new_secret()
    ends = key_file.rotate_key(path, options.name, secret=secret, overlap=timedelta(hours=options.overlap_hours))
    return _hand_over({"name": options.name, "old_valid_until": iso(ends)}, secret, options.into)


def _hand_over(facts: dict[str, Any], secret: str, into: Path | None) -> tuple[dict[str, Any], str]:
    if into is None:
        return {"key": secret, **facts}, secret
    try:
        key_file.write_private(into, f"{secret}\n")
    except OSError:
        raise KeyRefused(f"{into} cannot be written; the key is made, so rotate it to get its secret") from None
    return {**facts, "into": str(into)}, f"the secret of {facts['name']} is in {into}"


def _revoke(path: Path, options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    key_file.revoke_key(path, options.name)
    return {"name": options.name, "revoked": True}, f"{options.name} is revoked"


def _list(path: Path, _: argparse.Namespace) -> tuple[dict[str, Any], str]:
    rows = key_file.listed(path)
    lines = [f"{row['name']}  {row['scope']}  {row['state']}{_until(row['expires_at'])}" for row in rows]
    return {"keys": rows}, "\n".join(lines)


def _until(expires_at: str | None) -> str:
    return "" if expires_at is None else f", to {expires_at}"


_COMMANDS = {"create": _create, "rotate": _rotate, "revoke": _revoke, "list": _list}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
