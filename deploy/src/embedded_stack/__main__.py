"""`python -m embedded_stack up|down|status --state DIR`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from embedded_stack import Stack, StackError


def main() -> int:
    """Run one command; 1 with a sentence on standard error when a part does not come up."""
    parser = argparse.ArgumentParser(prog="embedded_stack", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--state", type=Path, default=Path(".settled"))
    parser.add_argument("--remove-state", action="store_true", help="with down: take the data away too")
    arguments = parser.parse_args()
    stack = Stack(arguments.state)
    try:
        if arguments.command == "up":
            sys.stdout.write(json.dumps(stack.start().env(), indent=2) + "\n")
        elif arguments.command == "down":
            stack.stop(remove_state=arguments.remove_state)
        else:
            sys.stdout.write(json.dumps(stack.status(), indent=2) + "\n")
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
