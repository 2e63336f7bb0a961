"""`python -m contracts_service serve | migrate`."""

from __future__ import annotations

import argparse
import asyncio

from chassis.settings import DatabaseSettings, read, told_plainly
from chassis.store import migrate
from chassis.telemetry import configure_logging
from contracts_service.settings import MIGRATIONS, SCHEMA, SERVICE, Settings


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM."""
    from chassis.app import run  # here, so that `migrate` does not load a web server and a Kafka client
    from contracts_service.app import build

    service = build(settings)
    await run(service.app, host=settings.host, port=settings.port, work={"publishing": service.work()})


def main() -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="contracts_service", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate"])
    command = parser.parse_args().command
    with told_plainly():
        if command == "migrate":
            found = read(DatabaseSettings, SERVICE)
            configure_logging(SERVICE)
            asyncio.run(migrate(found.database_url.get_secret_value(), SCHEMA, MIGRATIONS))
        else:
            settings = Settings.load(SERVICE)
            configure_logging(SERVICE, settings.log_level)
            asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
