"""Forgets what an Idempotency-Key was answered a day after it was: Stripe remembers no longer, and memory is finite."""

from __future__ import annotations

import itertools

import asyncpg

from chassis.retention import Pace, Pruned, Retention
from sandbox.stripe.domain.usage import REMEMBERED_S
from sandbox.stripe.state import State

ROWS, PAUSE_S = 1_000, 0.05  # a step is a few milliseconds


def forgetting(pool: asyncpg.Pool[asyncpg.Record], state: State, *, every_s: float) -> Retention:
    """The sandbox's rules of retention; ages are business time."""

    async def answers(most: int) -> Pruned:
        return await forget_answers(pool, state, most)

    async def meter_events(most: int) -> Pruned:
        return forget_keys_of_events(state, most)

    return Retention({"answers": answers, "keys of meter events": meter_events}, Pace(every_s, ROWS, PAUSE_S))


async def forget_answers(pool: asyncpg.Pool[asyncpg.Record], state: State, most: int) -> Pruned:
    """
    Out of memory, then out of the table: dying in between leaves rows that the next start does not read.

    A key that is used anew meanwhile has a younger `at` and stays.
    """
    before = state.now - REMEMBERED_S
    oldest = itertools.takewhile(lambda kept: kept[1].at <= before, state.answers.items())
    old = [key for key, _ in itertools.islice(oldest, most)]
    for key in old:
        del state.answers[key]
    if old:
        await pool.execute("DELETE FROM answers WHERE key = ANY($1::text[]) AND at <= $2", old, before)
    return Pruned(len(old), more=len(old) == most)


def forget_keys_of_events(state: State, most: int) -> Pruned:
    """A meter event stays; that its key would replay it is forgotten, here and at the next start."""
    before = state.now - REMEMBERED_S
    oldest = itertools.takewhile(lambda kept: kept[1].received <= before, state.keyed_events.items())
    old = [key for key, _ in itertools.islice(oldest, most)]
    for key in old:
        del state.keyed_events[key]
    return Pruned(len(old), more=len(old) == most)
