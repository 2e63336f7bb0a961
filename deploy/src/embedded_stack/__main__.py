"""`python -m embedded_stack up|down|status --state DIR`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from embedded_stack import Stack, StackError, StackUrls


def main() -> int:
    """Run one command; 1 with a sentence on standard error when a part does not come up, or `status` finds one down."""
    parser = argparse.ArgumentParser(prog="embedded_stack", description="PostgreSQL and Kafka as local processes.")
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--state", type=Path, default=Path(".settled"), help="folder of all state (default: .settled)")
    parser.add_argument("--remove-state", action="store_true", help="with down: take the data away too")
    parser.add_argument("--json", action="store_true", help="print facts as JSON")
    arguments = parser.parse_args()
    if arguments.remove_state and not (arguments.state / "stack.json").exists():
        sys.stderr.write(f"{arguments.state} holds no stack of ours: nothing is stopped, nothing is removed\n")
        return 1
    stack = Stack(arguments.state)
    try:
        if arguments.command == "up":
            _say_urls(stack.start(), as_json=arguments.json)
        elif arguments.command == "down":
            stack.stop(remove_state=arguments.remove_state)
        else:
            return _say_status(stack, as_json=arguments.json)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _say_urls(urls: StackUrls, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(urls.env(), indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"export {name}={value}\n" for name, value in urls.env().items()))


def _say_status(stack: Stack, *, as_json: bool) -> int:
    status = stack.status()
    if as_json:
        sys.stdout.write(json.dumps(status, indent=2) + "\n")
    else:
        for name, part in status.items():
            where = "" if part["given"] else f"  log: {part['log']}"
            sys.stdout.write(f"{name:<10}{part['state']:<9}{where}\n")
    return 0 if all(part["running"] and part["answers"] is not False for part in status.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
