"""
`python -m invoicing_sync check-stripe`: what we assume of Stripe, tried on an account in test mode.

Exit codes: 0 nothing differs, 1 something does, 2 wrong usage, 3 the account cannot be reached, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from typing import Any

from chassis.errors import WrongSetting
from invoicing_sync.assumptions.bench import ENDS, Away, Bench, told
from invoicing_sync.assumptions.check import check
from invoicing_sync.assumptions.cleaning import clean
from invoicing_sync.assumptions.domain.catalogue import ASSUMPTIONS
from invoicing_sync.assumptions.domain.findings import Finding, differs
from invoicing_sync.stripe_door.client import Pace
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.secrets import ApiKeys, Secrets

TEST_KEYS = ("sk_test_", "rk_test_")
LIVE_KEYS = ("sk_live_", "rk_live_")
WELL, DIFFERS, USAGE, AWAY, INTERRUPTED = 0, 1, 2, 3, 130
# A test account takes 25 calls a second for everything; what waits for an answer gives up within half a minute.
GENTLE = Pace(calls_per_second=15, meter_events_per_second=5, retry_cap_s=5)
BRISK = Pace(calls_per_second=80, retry_cap_s=5)  # a stand-in has the limits of a live account


def main(arguments: Sequence[str]) -> int:
    """Run the command; its exit code."""
    options = _options(arguments)
    try:
        door = StripeDoor(_keys(options), base_url=options.base_url, pace=BRISK if options.base_url else GENTLE)
        wanted = _numbers(options.only)
    except WrongSetting as wrong:
        return _fail(str(wrong), USAGE)
    bench = Bench(door, secrets.token_hex(4), patience_s=options.patience, say=_progress)
    try:
        return asyncio.run(_work(bench, wanted, options))
    except Away as away:
        return _fail(f"The account cannot be reached: {away}. Nothing was made.", AWAY)
    except ENDS as error:
        return _fail(f"The check did not get through: {told(error)}. What it made goes with --clean.", AWAY)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("Interrupted; what was made is cleaned up. If not all of it is, run with --clean.", INTERRUPTED)


async def _work(bench: Bench, wanted: frozenset[str], options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await bench.door.open()
    try:
        if options.clean:
            await bench.reach()
            left = await clean(bench, None)
            _show([], left, as_json=options.json)
            return DIFFERS if left else WELL
        findings, left = await check(bench, wanted)
    finally:
        await bench.door.close()
    _show(findings, left, as_json=options.json)
    return DIFFERS if differs(findings) else WELL


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="invoicing_sync check-stripe", description=__doc__)
    parser.add_argument("--key-file", help="a file with the key; without it STRIPE_API_KEY")
    parser.add_argument("--base-url", default=os.environ.get("STRIPE_BASE_URL"), help="a stand-in instead of Stripe")
    parser.add_argument("--only", action="append", default=[], help="a number, such as A3; several times for several")
    parser.add_argument("--patience", type=float, default=300, help="seconds to wait for what Stripe does by itself")
    parser.add_argument("--clean", action="store_true", help="take away what earlier runs left, and try nothing")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _keys(options: argparse.Namespace) -> ApiKeys:
    """The keys, of test mode all of them. Raises WrongSetting before any call is made."""
    given = None if options.key_file else os.environ.get("STRIPE_API_KEY")
    known = Secrets("STRIPE_API_KEY", given, options.key_file)
    if not known.known():
        raise WrongSetting("No key is given: set STRIPE_API_KEY to a key of test mode, or name a file by --key-file.")
    for key in known.known(now=True):
        if key.startswith(LIVE_KEYS):
            raise WrongSetting(
                "This is a live key: the check makes and deletes objects, in test mode only. Nothing was called."
            )
        if not key.startswith(TEST_KEYS):
            raise WrongSetting(f"A key of test mode begins with {' or '.join(TEST_KEYS)}; this one does not.")
    return ApiKeys(known)


def _numbers(only: Sequence[str]) -> frozenset[str]:
    wanted = frozenset(number.strip().upper() for part in only for number in part.split(",") if number.strip())
    strange = sorted(wanted - ASSUMPTIONS.keys())
    if strange:
        raise WrongSetting(f"There is no assumption {', '.join(strange)}; there are A1 to A{len(ASSUMPTIONS)}.")
    return wanted


def _show(findings: Sequence[Finding], left: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"findings": [_told(finding) for finding in findings], "left_behind": list(left)}))  # noqa: T201
        return
    for finding in findings:
        print(f"{finding.number:4} {finding.verdict:8} {finding.seen}")  # noqa: T201
    for sentence in left:
        print(f"left behind: {sentence}")  # noqa: T201


def _told(finding: Finding) -> dict[str, Any]:
    assumption = ASSUMPTIONS[finding.number]
    return {
        "number": finding.number,
        "says": assumption.says,
        "source": assumption.source,
        "otherwise": assumption.otherwise,
        "verdict": finding.verdict.value,
        "seen": finding.seen,
    }


def _progress(what: str) -> None:
    sys.stderr.write(f"  {what}\n")
    sys.stderr.flush()


def _fail(sentence: str, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code
