"""`python -m sandbox.netsuite serve | migrate`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import uvloop

from chassis.app import run
from chassis.settings import told_plainly
from chassis.store import migrate
from chassis.telemetry import configure_logging
from sandbox.netsuite.app import build
from sandbox.netsuite.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM. The schema is brought up to date first, so that one command is enough."""
    await migrate(settings.database_url.get_secret_value(), settings.database_schema, MIGRATIONS)
    built = await build(settings)
    await run(built.app, host=settings.host, port=settings.port, work=built.work)


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="sandbox.netsuite", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate"])
    command = parser.parse_args().command
    with told_plainly():
        settings = Settings.load()
        configure_logging("sandbox-netsuite", settings.log_level)
        if command == "migrate":
            asyncio.run(migrate(settings.database_url.get_secret_value(), settings.database_schema, MIGRATIONS))
        else:
            uvloop.run(serve(settings))


if __name__ == "__main__":
    main()
