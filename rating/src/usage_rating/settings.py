"""The settings of rating, read once in `app.py`."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Every knob of rating. Process times in real milliseconds or seconds; business time is never set here."""

    decide: bool = (
        True  # false: takes no partition; reads contracts, counts and answers, so `may-run` waits for no batch
    )
    consumer_group: str = "rating"
    session_timeout_ms: int = Field(6_000, ge=6_000)  # the broker's lower bound; so long a dead owner is waited for
    batch_events: int = Field(4_000, ge=1)  # 500 to 2,000 gave 26 % more throughput; above 4,000 only latency grows
    refill_ms: int = Field(
        8, ge=0
    )  # a poll returns small leftovers: 5 took 15 % more CPU at 10,000/s, and a longer tail
    fetch_max_bytes: int = Field(4_000_000, ge=1_000)  # per partition: bounds memory at partitions times this
    timers_per_transaction: int = Field(2_000, ge=1)  # as large as a batch: one transaction stays below 100 ms
    redecide_per_transaction: int = Field(250, ge=1)  # rows that a new contract can change: others wait for no more
    tick_check_ms: int = Field(20, ge=1)  # how often an idle process looks whether business time has moved
    tick_s: float = Field(2.0, gt=0)  # small moves of business time are written down this often at most
    tick_step_s: float = Field(5.0, gt=0)  # a move of business time of this size is written down at once
    publish_ms: int = Field(25, ge=0)  # gathers entries: each round is a transaction on the rows that batches lock
    progress_ms: int = Field(50, ge=0)  # `rating.progress` is published this often at most
    alerts_ms: int = Field(200, ge=1)  # pause between two looks for thresholds and limits, where somebody has any
    unpublished_entries: int = Field(50_000, ge=1)  # deciding waits while more than this are on their way to the bus
    rebalance_wait_s: float = Field(20.0, gt=0)  # a new owner waits this long for a row that a dead owner still locks
    keep_closed_cases_days: int = Field(800, ge=35)  # business time; an audit of two years finds them
    prune_every_s: float = Field(3_600, gt=0)  # between two rounds
    prune_rows: int = Field(500, ge=1)  # in one transaction
    prune_pause_s: float = Field(0.1, ge=0)  # between two transactions, and at least four times as long as one took
