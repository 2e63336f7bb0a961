"""`python -m event_schemas generate | check | compat [--against REF]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from event_schemas.compatibility import additions, breaks
from event_schemas.generation import differences, generated_files, write

FOLDER = Path(__file__).parents[2]


def main() -> int:
    """Run one command; 1 on a difference or a break."""
    parser = argparse.ArgumentParser(prog="event_schemas", description=__doc__)
    parser.add_argument("command", choices=["generate", "check", "compat"])
    parser.add_argument("--against", help="git ref; default: origin/main, else all earlier commits")
    arguments = parser.parse_args()
    if arguments.command == "generate":
        write(FOLDER)
        return 0
    if arguments.command == "check":
        wrong = differences(FOLDER)
        for path in wrong:
            sys.stdout.write(f"schemas/{path} is not what the models say: run `python -m event_schemas generate`\n")
        return 1 if wrong else 0
    return compat([arguments.against] if arguments.against else default_refs())


def compat(refs: list[str]) -> int:
    """Hold today's JSON Schemas against those at git refs; 1 when one breaks its readers or writers."""
    today = {f"schemas/{path}": text for path, text in generated_files().items() if path.startswith("jsonschema/")}
    compared, found = 0, 0
    for ref in refs:
        earlier = _listed(ref)
        if earlier is None:
            sys.stdout.write(f"{ref[:40]}: no such state in this clone, nothing to hold against\n")
        for path in earlier or []:
            compared += 1
            if path not in today:
                found += 1
                sys.stdout.write(f"{path}: gone since {ref[:12]}; a type ends by a version that nobody writes\n")
                continue
            old, new = json.loads(_at(ref, path) or "{}"), json.loads(today[path])
            for one in breaks(old, new):
                found += 1
                sys.stdout.write(f"{path} since {ref[:12]}: {one}\n")
            for place in additions(old, new):
                sys.stdout.write(f"{path} since {ref[:12]}: {place} is new; its readers deploy first\n")
    sys.stdout.write(f"{compared} comparisons with {len(refs)} earlier states: {found} breaking changes\n")
    return 1 if found else 0


def default_refs() -> list[str]:
    """
    The main branch of origin where this checkout is ahead of it; else every earlier commit that changed a schema.

    A clone of main is its own main branch: compared with that alone, the check could not fail. A new type, a new
    version and a state without schemas break nobody.
    """
    head, main_branch = _git("rev-parse", "HEAD"), _git("rev-parse", "--verify", "--quiet", "origin/main")
    if main_branch and main_branch != head:
        return [main_branch.strip()]
    return (_git("log", "--format=%H", "--", "schemas/jsonschema") or "").split()


def _listed(ref: str) -> list[str] | None:
    listed = _git("ls-tree", "--name-only", ref, "schemas/jsonschema/")
    return None if listed is None else listed.splitlines()


def _at(ref: str, path: str) -> str | None:
    return _git("show", f"{ref}:{path}")


def _git(*arguments: str) -> str | None:
    result = subprocess.run(["git", *arguments], cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else None


if __name__ == "__main__":
    raise SystemExit(main())
