"""`python -m usage_rating serve | migrate | decide`."""

from __future__ import annotations

import gc
import json
import sys
from typing import Any

import uvloop

from chassis.settings import told_plainly
from chassis.telemetry import configure_logging
from usage_rating.app import run_migrations, serve
from usage_rating.domain.outcome import decide
from usage_rating.golden import expected_form, from_golden
from usage_rating.settings import Settings

USAGE = "usage: python -m usage_rating serve | migrate | decide < cases.json"


def main(arguments: list[str]) -> int:
    """Run one command; 2 where there is no such command."""
    match arguments:
        case ["serve"]:
            with told_plainly():
                settings = Settings.load("rating")
                configure_logging("rating", settings.log_level)
                _spare_the_collector()
                uvloop.run(serve(settings))
        case ["migrate"]:
            with told_plainly():
                settings = Settings.load("rating")
                configure_logging("rating", settings.log_level)
                uvloop.run(run_migrations(settings))
        case ["decide"]:
            json.dump(decide_cases(json.load(sys.stdin)), sys.stdout)
        case _:
            sys.stderr.write(f"{USAGE}\n")
            return 2
    return 0


def _spare_the_collector() -> None:
    """
    Look for cycles seldom: a batch makes some 50,000 containers that die with it and are in no cycle.

    With Python's own threshold of 700 the collector took 16 % of this process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)


def decide_cases(document: dict[str, Any]) -> dict[str, Any]:
    """Decide cases in the golden file's form: {"cases": [...]} in, {"cases": [{"id", "net", "ledger"}]} out."""
    decided = []
    for case in document["cases"]:
        signals, timeline, as_of = from_golden(case)
        decided.append({"id": case["id"], **expected_form(decide(signals, timeline, as_of=as_of).wanted)})
    return {"cases": decided}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
