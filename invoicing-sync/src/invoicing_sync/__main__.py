"""`python -m invoicing_sync serve | migrate | forget-webhook-secrets | check-stripe`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import uvloop

from chassis.app import run
from chassis.errors import WrongSetting
from chassis.settings import told_plainly
from chassis.store import migrate
from chassis.telemetry import configure_logging
from chassis.topics import ensure_topics
from event_schemas.topics import CONTRACTS, RATING_PROGRESS, STRIPE_EVENTS, USAGE_RATED
from invoicing_sync.app import build
from invoicing_sync.assumptions.command import main as check_stripe
from invoicing_sync.settings import SERVICE, Settings
from invoicing_sync.store import links
from invoicing_sync.store.pool import open_pool

TOPICS = (USAGE_RATED, RATING_PROGRESS, CONTRACTS, STRIPE_EVENTS)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM."""
    built = await build(settings)
    try:
        await run(built.app, host=settings.host, port=settings.port, work=built.work)
    finally:
        await built.close()


async def prepare(settings: Settings) -> None:
    """Make the schema, its tables and the topics that this service reads and writes; safe to repeat."""
    versions = Path(__file__).parent / "migrations"
    await migrate(settings.database_url.get_secret_value(), settings.database_schema, versions)
    await ensure_topics(settings.broker, partitions=settings.event_partitions, topics=TOPICS)


async def forget_webhook_secrets(settings: Settings) -> None:
    """
    Take events signed by a secret of the settings only: the end of a roll of the endpoints that this service made.

    Running instances have forgotten them too a few seconds later. Safe to repeat.

    Raises:
        WrongSetting: the settings hold no secret, so that no event would be taken at all.
    """
    if not settings.webhook_secrets().known():
        raise WrongSetting("STRIPE_WEBHOOK_SECRET is not set: without it no webhook would be taken; set the new secret")
    pool = await open_pool(settings.database_url.get_secret_value(), settings.database_schema, size=1)
    try:
        print(f"{await links.forget_secrets(pool)} secrets forgotten")  # noqa: T201
    finally:
        await pool.close()


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="invoicing_sync", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate", "forget-webhook-secrets", "check-stripe"])
    if sys.argv[1:2] == ["check-stripe"]:  # has its own arguments, and needs no settings but the key
        sys.exit(check_stripe(sys.argv[2:]))
    command = parser.parse_args().command
    with told_plainly():
        settings = Settings.load(SERVICE)
        configure_logging(settings.service_name, settings.log_level)
        if command == "migrate":
            asyncio.run(prepare(settings))
        elif command == "forget-webhook-secrets":
            asyncio.run(forget_webhook_secrets(settings))
        else:
            uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
