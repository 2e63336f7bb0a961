"""The workload as files: contracts for `settled contracts apply`, deliveries, and the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import yaml

from workload.generate import Workload
from workload.month import iso
from workload.truth.book import write_book

BATCH = 200


@dataclass(frozen=True, slots=True)
class Step:
    """A step of business time and what arrives in it, as bodies of POST /v1/events."""

    at: str
    posts: list[bytes]
    events: int


def write(work: Workload, folder: Path) -> dict[str, Any]:
    """Write contracts.yaml, schedule.jsonl and truth.json; answers the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contracts.yaml").write_text(yaml.safe_dump({"contracts": work.contracts}, sort_keys=False))
    by_step = {step: list(group) for step, group in groupby(work.deliveries, key=lambda d: d.step)}
    with (folder / "schedule.jsonl").open("wb") as out:
        for step in work.month.steps:
            bodies = [delivery.body for delivery in by_step.get(step, [])]
            posts = [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]
            out.write(msgspec.json.encode({"at": iso(step), "posts": posts}) + b"\n")
    truth = write_book(work)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1))
    return truth


class _Line(msgspec.Struct):
    at: str
    posts: list[msgspec.Raw]


def read_schedule(folder: Path) -> Iterator[Step]:
    """The steps of a written schedule, one at a time."""
    decoder = msgspec.json.Decoder(_Line)
    with (folder / "schedule.jsonl").open("rb") as lines:
        for line in lines:
            step = decoder.decode(line)
            posts = [bytes(post) for post in step.posts]
            yield Step(step.at, posts, sum(len(msgspec.json.decode(post, type=list[msgspec.Raw])) for post in posts))
