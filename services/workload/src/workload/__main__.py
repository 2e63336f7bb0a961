"""`python -m workload generate --out DIR`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from workload.files import write
from workload.generate import generate


def main() -> None:
    """Generate a workload and say what it holds."""
    parser = argparse.ArgumentParser(prog="workload", description=__doc__)
    parser.add_argument("command", choices=["generate"])
    parser.add_argument("--seed", type=int, default=20261001)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--month", default="2026-10")
    parser.add_argument("--step-hours", type=int, default=12, help="business time from one delivery to the next")
    parser.add_argument("--freeze-hours", type=float, default=0.5, help="from the month's end to its freeze")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    work = generate(
        seed=arguments.seed,
        customers=arguments.customers,
        conversations=arguments.conversations,
        month=arguments.month,
        step_hours=arguments.step_hours,
        freeze_hours=arguments.freeze_hours,
    )
    truth = write(work, arguments.out)
    sys.stdout.write(json.dumps({"events": truth["events"], "conversations": truth["conversations"]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
